package fleetfile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/value"
)

// state is the part of the API's fleet that a file speaks of.
type state struct {
	project *record                   // nil unless the file says something about it
	byName  map[recordKey]*record     // by what makes them one of a kind
	byID    map[class]map[int]*record // whatever was seen, for the names in messages and for parents
}

type recordKey struct {
	class class
	scope int
	name  string
}

func newState() *state {
	return &state{byName: map[recordKey]*record{}, byID: map[class]map[int]*record{}}
}

// add takes records in; of two of one id the first stays, because the first read has the details.
func (s *state) add(records ...*record) {
	for _, r := range records {
		if s.byID[r.class] == nil {
			s.byID[r.class] = map[int]*record{}
		}
		if s.byID[r.class][r.id] == nil {
			s.byID[r.class][r.id] = r
			s.byName[recordKey{r.class, r.scope, r.name}] = r
		}
	}
}

// lookup finds the record of an object; nil when the API has none.
func (s *state) lookup(o *object) *record {
	if o.spec.class == classProject {
		return s.project
	}
	scope := 0
	if in := o.scope(); in != nil {
		r := s.lookup(in)
		if r == nil {
			return nil
		}
		scope = r.id
	}
	return s.byName[recordKey{o.spec.class, scope, o.name}]
}

// path is cloud, region, name of a device or network, as far as they are visible.
func (s *state) path(r *record) []string {
	var path []string
	if region := s.byID[classRegion][r.scope]; region != nil {
		if cloud := s.byID[classCloud][region.scope]; cloud != nil {
			path = append(path, cloud.name)
		}
		path = append(path, region.name)
	}
	return append(path, r.name)
}

// listing reads one list of objects.
type listing func(ctx context.Context) ([]*record, error)

// loader reads the state of a file.
type loader struct {
	client    *craton.Client
	file      *File
	projectID string
	parallel  int
	state     *state
}

// Bounds above which one listing of everything is cheaper than many small ones.
const (
	maxRegionLists = 32 // a listing of each region that the file names
	maxLookups     = 16 // look-ups of single names or devices
)

// load reads what the file is compared with. The number of requests does not grow with the number of objects
// beyond the pages of the listings; on a server that does not list labels (the original, Q15) there is one more for
// each device whose labels the file gives, and everywhere one for each interface whose variables it gives.
func load(ctx context.Context, c *craton.Client, f *File, projectID string, parallel int) (*state, error) {
	l := &loader{client: c, file: f, projectID: projectID, parallel: parallel, state: newState()}
	if len(f.objects) == 0 {
		return l.state, nil
	}
	for _, phase := range []func(context.Context) error{l.top, l.inside, l.rest} {
		if err := phase(ctx); err != nil {
			return nil, err
		}
	}
	return l.state, nil
}

// all runs listings side by side.
func (l *loader) all(ctx context.Context, reads []listing) error {
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(l.parallel)
	for _, r := range reads {
		g.Go(func() error {
			records, err := r(ctx)
			if err != nil {
				return readError(err)
			}
			mu.Lock()
			defer mu.Unlock()
			l.state.add(records...)
			return nil
		})
	}
	return g.Wait()
}

// readError explains the answer of the original to a member one of whose devices has a parent in another project:
// it finds no listing at all then (Q12).
func readError(err error) error {
	if craton.IsNotFound(err) {
		return fmt.Errorf("the fleet cannot be read: %w (a listing that is not found means that the URL is wrong, or, on the original server, that a device has a parent in another project; let an admin take that parent away)", err)
	}
	return fmt.Errorf("the fleet cannot be read: %w", err)
}

// top reads all clouds and regions: they are few, and name what other objects belong to.
func (l *loader) top(ctx context.Context) error {
	var clouds []*record
	err := l.all(ctx, []listing{
		func(ctx context.Context) (_ []*record, err error) {
			clouds, err = listClouds(ctx, l.client)
			return nil, err
		},
		func(ctx context.Context) ([]*record, error) {
			return listRegions(ctx, l.client, craton.RegionListOptions{})
		},
	})
	if err != nil {
		return err
	}
	// An admin of the original sees the clouds of every project (Q20); names are unique in one only.
	for _, cloud := range clouds {
		if l.projectID == "" || value.SameUUID(cloud.projectID, l.projectID) {
			l.state.add(cloud)
		}
	}
	for i, cloud := range clouds {
		if l.projectID == "" && !value.SameUUID(cloud.projectID, clouds[0].projectID) {
			return fmt.Errorf("the API shows clouds of several projects (%s of %s, %s of %s); say which project the file is for (OS_PROJECT_ID)",
				clouds[0].name, clouds[0].projectID, clouds[i].name, cloud.projectID)
		}
	}
	i := slices.IndexFunc(l.file.objects, func(o *object) bool { return o.spec == projectSpec })
	if i < 0 {
		return nil
	}
	l.state.project = &record{kind: KindProject, class: classProject}
	if len(l.file.objects[i].variables) == 0 { // nothing to compare: who may not read the project need not
		return nil
	}
	return l.project(ctx)
}

// project reads the project's variables.
func (l *loader) project(ctx context.Context) error {
	id, err := l.ownProject(ctx)
	if err != nil {
		return err
	}
	l.state.project.projectID = id
	v, err := l.client.Projects.Variables(ctx, id)
	switch {
	case err == nil:
		l.state.project.variables = v
		return nil
	case craton.IsForbidden(err):
		l.state.project.kind = "" // nothing can be written, see planner.diff
		l.state.project.variables, err = l.inheritedProject(ctx)
	}
	if err != nil {
		return fmt.Errorf("the project's variables cannot be read: %w", err)
	}
	return nil
}

// ownProject is the id of the caller's project. The API has no way to ask: it is given, or the only one there is.
func (l *loader) ownProject(ctx context.Context) (string, error) {
	if l.projectID != "" {
		return l.projectID, nil
	}
	var ids []string
	for p, err := range l.client.Projects.All(ctx, craton.ProjectListOptions{}) {
		if craton.IsForbidden(err) { // only root may list them
			break
		}
		if err != nil {
			return "", fmt.Errorf("the project cannot be read: %w", err)
		}
		ids = append(ids, p.ID)
		if len(ids) > 1 {
			return "", errors.New("the file gives the project's variables, and the API has several projects; say which one is yours (OS_PROJECT_ID)")
		}
	}
	for _, cloud := range l.state.byID[classCloud] {
		if len(ids) == 0 {
			ids = append(ids, cloud.projectID) // top saw to it that there is one only
		}
	}
	if len(ids) == 0 {
		return "", errors.New("the file gives the project's variables, and the API does not tell which project is yours; set its id (OS_PROJECT_ID)")
	}
	return ids[0], nil
}

// inheritedProject is what a caller who may not read the project can know of its variables: those that a region
// inherits, less what the region and its cloud define themselves (v1 contract §5.2).
func (l *loader) inheritedProject(ctx context.Context) (craton.Variables, error) {
	known := craton.Variables{}
	for _, r := range l.state.byID[classRegion] {
		cloud := l.state.byID[classCloud][r.scope]
		if cloud == nil || r.variables == nil || cloud.variables == nil {
			continue
		}
		region, err := l.client.Regions.GetResolved(ctx, r.id)
		if err != nil {
			return nil, err
		}
		for key, value := range region.Variables {
			_, inRegion := r.variables[key]
			if _, inCloud := cloud.variables[key]; !inRegion && !inCloud {
				known[key] = value
			}
		}
		break // the others inherit the same
	}
	return known, nil
}

// inside reads cells, devices and networks of the regions that the file names and the API has.
func (l *loader) inside(ctx context.Context) error {
	cells, devices, networks := map[int]bool{}, map[int]bool{}, map[int]bool{}
	for _, o := range l.file.objects {
		region := o.above(classRegion)
		if region == nil {
			continue
		}
		r := l.state.lookup(region)
		if r == nil {
			continue
		}
		switch {
		case o.spec.class == classCell, o.refs["cell"] != nil:
			cells[r.scope] = true
		case o.spec.class == classDevice:
			devices[r.id] = true
		case o.refs["network"] != nil:
			networks[r.id] = true
		}
		if o.spec.class == classNetwork {
			networks[r.id] = true
		}
	}
	var reads []listing
	for id := range cells {
		reads = append(reads, func(ctx context.Context) ([]*record, error) {
			return listCells(ctx, l.client, craton.CellListOptions{CloudID: id})
		})
	}
	for _, id := range l.perRegion(devices) {
		reads = append(reads, func(ctx context.Context) ([]*record, error) {
			return listDevices(ctx, l.client, craton.DeviceListOptions{RegionID: id, Details: true})
		})
	}
	for _, id := range l.perRegion(networks) {
		reads = append(reads, func(ctx context.Context) ([]*record, error) {
			return listNetworks(ctx, l.client, craton.NetworkListOptions{RegionID: id, Details: true})
		})
	}
	return l.all(ctx, reads)
}

// perRegion is the ids of the regions to list one by one, or a single 0: everything in one listing.
func (l *loader) perRegion(regions map[int]bool) []int {
	if len(regions) > maxRegionLists {
		return []int{0}
	}
	ids := make([]int, 0, len(regions))
	for id := range regions {
		ids = append(ids, id)
	}
	return ids
}

// rest reads what depends on the devices: interfaces, what references name outside the file, and the labels and
// variables that the listings did not give.
func (l *loader) rest(ctx context.Context) error {
	reads := l.interfaces()
	reads = append(reads, l.lookups()...)
	if err := l.all(ctx, reads); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(l.parallel)
	for _, o := range l.file.objects {
		if r := l.state.lookup(o); r != nil && incomplete(o, r) {
			g.Go(func() error { return complete(ctx, l.client, o, r) })
		}
	}
	return g.Wait()
}

// interfaces lists those of each device, or all where the file has many devices with interfaces: the API cannot
// list those of a region.
func (l *loader) interfaces() (reads []listing) {
	devices := map[int]bool{}
	for _, o := range l.file.objects {
		if o.spec.class == classInterface {
			if r := l.state.lookup(o.in); r != nil {
				devices[r.id] = true
			}
		}
	}
	if len(devices) > maxLookups {
		return []listing{func(ctx context.Context) ([]*record, error) {
			all, err := listInterfaces(ctx, l.client, craton.NetworkInterfaceListOptions{})
			return slices.DeleteFunc(all, func(r *record) bool { return !devices[r.scope] }), err
		}}
	}
	for id := range devices {
		reads = append(reads, func(ctx context.Context) ([]*record, error) {
			return listInterfaces(ctx, l.client, craton.NetworkInterfaceListOptions{DeviceID: id})
		})
	}
	return reads
}

// lookups finds devices and networks that the file names but does not hold.
func (l *loader) lookups() (reads []listing) {
	names := map[class]map[string]bool{classDevice: {}, classNetwork: {}}
	for _, o := range l.file.objects {
		for _, f := range o.spec.fields {
			c, _ := f.form.reference()
			if ref := o.refs[f.key]; ref != nil && !ref.none && ref.target == nil && names[c] != nil {
				// Each reading of the reference: name, region/name, cloud/region/name.
				for i, rest := 0, ref.text; i < 3; i++ {
					names[c][rest] = true
					_, after, more := strings.Cut(rest, "/")
					if !more {
						break
					}
					rest = after
				}
			}
		}
	}
	for name := range names[classDevice] {
		if len(names[classDevice]) > maxLookups {
			reads = append(reads, func(ctx context.Context) ([]*record, error) {
				return listDevices(ctx, l.client, craton.DeviceListOptions{})
			})
			break
		}
		reads = append(reads, func(ctx context.Context) ([]*record, error) {
			return findDevices(ctx, l.client, 0, name)
		})
	}
	for name := range names[classNetwork] {
		o := craton.NetworkListOptions{Name: name}
		if len(names[classNetwork]) > maxLookups {
			o.Name = ""
		}
		reads = append(reads, func(ctx context.Context) ([]*record, error) { return listNetworks(ctx, l.client, o) })
		if o.Name == "" {
			break
		}
	}
	return reads
}

// incomplete tells that the file says something that the listing did not.
func incomplete(o *object, r *record) bool {
	return o.spec.class != classProject && o.spec.kind == r.kind &&
		(r.labels == nil && len(o.labels) > 0 || r.variables == nil && len(o.variables) > 0)
}

// complete reads labels and variables of one object where the listing left them out and the file gives some.
func complete(ctx context.Context, c *craton.Client, o *object, r *record) (err error) {
	api := endpoints[r.kind]
	if r.labels == nil && len(o.labels) > 0 {
		if r.labels, err = api.labels(c).Labels(ctx, r.id); err != nil {
			return fmt.Errorf("the labels of the %s %s cannot be read: %w", o.spec.noun, o.qualified(), err)
		}
	}
	if r.variables == nil && len(o.variables) > 0 {
		if r.variables, err = api.variables(ctx, c, r.id); err != nil {
			return fmt.Errorf("the variables of the %s %s cannot be read: %w", o.spec.noun, o.qualified(), err)
		}
	}
	return nil
}
