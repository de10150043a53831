package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// state is the part of the API's fleet that a tree mentions.
type state struct {
	project  *Found // nil unless the tree mentions it
	readOnly bool   // the project's variables cannot be written
	byName   map[recordKey]*Found
	byID     map[*schema.Kind]map[any]*Found // by name space: all objects that were read, for names in messages and for parents
	// For devices that the tree has and the API does not: the existing devices with the same inventory name, the one
	// that is probably meant, and the one to be moved.
	named  map[string][]*Found
	strays map[*Wanted]*Found
	moved  map[*Wanted]*Found
	moves  func() bool // the server moves objects
	// protects: the server can protect objects, and the protection of the objects for which the tree sets it was read.
	protects bool
	// regions are those whose devices were read completely; nil stands for all.
	regions map[any]bool
}

// recordKey identifies an object.
type recordKey struct {
	space *schema.Kind
	scope any
	name  string
}

func newState() *state {
	return &state{byName: map[recordKey]*Found{}, byID: map[*schema.Kind]map[any]*Found{}, strays: map[*Wanted]*Found{}, moved: map[*Wanted]*Found{}, regions: map[any]bool{}}
}

// scopeOf returns the id of the object within which the name of a record must be unique; nil for clouds.
func scopeOf(r *Found) any { return r.Object[scopeKey(r.Kind)] }

// add adds records; of two with the same id the first is kept, because the first request reads the details.
func (s *state) add(records ...*Found) {
	for _, r := range records {
		in := Space(r.Kind)
		if s.byID[in] == nil {
			s.byID[in] = map[any]*Found{}
		}
		if s.byID[in][r.Object[KeyID]] == nil {
			s.byID[in][r.Object[KeyID]] = r
			s.byName[recordKey{in, scopeOf(r), r.name()}] = r
		}
	}
}

// lookup finds the record of an object; nil if the API has none.
func (s *state) lookup(w *Wanted) *Found {
	if w.Kind == schema.Project {
		return s.project
	}
	if r := s.moved[w]; r != nil {
		return r
	}
	var scope any
	if in := w.Scope(); in != nil {
		r := s.lookup(in)
		if r == nil {
			return nil
		}
		scope = r.Object[KeyID]
	}
	return s.byName[recordKey{Space(w.Kind), scope, w.Name}]
}

// finder finds the records of many objects, most of which have the same scope as the previous one.
type finder struct {
	*state
	in *Wanted
	is *Found // the record of in
}

func (f *finder) find(w *Wanted) *Found {
	in := w.Scope()
	if in == nil {
		return f.lookup(w)
	}
	if in != f.in {
		f.in, f.is = in, f.lookup(in)
	}
	if f.is != nil {
		if r := f.byName[recordKey{Space(w.Kind), f.is.Object[KeyID], w.Name}]; r != nil {
			return r
		}
	}
	return f.moved[w]
}

// path returns cloud, region and name of an object, as far as they are visible.
func (s *state) path(r *Found) []string {
	var path []string
	cloud := r.Object["cloud_id"]
	if region := s.byID[schema.Region][r.Object["region_id"]]; region != nil {
		path, cloud = []string{region.name()}, scopeOf(region)
	}
	if cloud := s.byID[schema.Cloud][cloud]; cloud != nil {
		path = slices.Insert(path, 0, cloud.name())
	}
	return append(path, r.name())
}

// listing is a request for a list of objects.
type listing func(ctx context.Context) ([]*Found, error)

// loader reads the state for a tree.
type loader struct {
	*Fleet
	tree    *Tree
	options *Options
	state   *state
}

// Limits above which one listing of everything is cheaper than many small ones.
const (
	maxRegionLists = 32 // listings of single regions
	maxLookups     = 16 // lookups of single names or devices
)

// load reads what the file is compared with. The number of requests grows only with the pages of the listings. A server
// that does not list labels (the original, Q15) needs one more for each device whose labels the file sets, and every
// server needs one for each interface whose variables it sets.
func (fl *Fleet) load(ctx context.Context, t *Tree, o *Options) (*loader, error) {
	l := &loader{Fleet: fl, tree: t, options: o, state: newState()}
	l.state.moves = sync.OnceValue(func() bool { return fl.supports(ctx, FeatureMove) })
	if len(t.Objects) == 0 {
		return l, nil
	}
	for _, phase := range []func(context.Context) error{l.loadTopLevel, l.loadContents, l.loadOtherNames, l.loadDependents, l.protected} {
		if err := phase(ctx); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// Listings with details request own variables: these are compared, and the original server sometimes answers valid
// requests for resolved ones with 500 (Q8).
var own = Filters{"details": true, "resolved-values": false}

// records lists objects of a kind; for devices, of both kinds. An admin of the original server sees those of every
// project (Q20), but names are unique only within one.
func (fl *Fleet) records(ctx context.Context, k *schema.Kind, f Filters) ([]*Found, error) {
	found, err := fl.listAll(ctx, k, f, fl.isOwn)
	records := make([]*Found, len(found))
	for i, o := range found {
		records[i] = &Found{o, kindOf(k, o)}
	}
	return records, err
}

// list returns a listing of records.
func (l *loader) list(k *schema.Kind, f Filters) listing {
	return func(ctx context.Context) ([]*Found, error) { return l.records(ctx, k, f) }
}

// all sends listings concurrently.
func (l *loader) all(ctx context.Context, reads []listing) error {
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(l.options.Parallel)
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

// readError explains the error of the original server for a member one of whose devices has a parent in another
// project: every listing then fails with not found (Q12).
func readError(err error) error {
	if craton.IsNotFound(err) {
		return fmt.Errorf("the fleet cannot be read: %w (if a listing is not found, the URL is wrong, or, on the original server, a device has a parent in another project; have an admin remove that parent)", err)
	}
	return fmt.Errorf("the fleet cannot be read: %w", err)
}

// loadTopLevel reads all clouds and regions: there are few, and other objects refer to them.
func (l *loader) loadTopLevel(ctx context.Context) error {
	var clouds []*Found
	err := l.all(ctx, []listing{
		func(ctx context.Context) (_ []*Found, err error) {
			clouds, err = l.records(ctx, schema.Cloud, own)
			return clouds, err
		},
		l.list(schema.Region, own),
	})
	if err != nil {
		return err
	}
	for _, cloud := range clouds {
		if l.Project == "" && !value.SameUUID(cloud.Text(KeyProject), clouds[0].Text(KeyProject)) {
			return fmt.Errorf("the API shows clouds of several projects (%s of %s, %s of %s); set OS_PROJECT_ID to the project that the file is for",
				clouds[0].name(), clouds[0].Text(KeyProject), cloud.name(), cloud.Text(KeyProject))
		}
	}
	i := slices.IndexFunc(l.tree.Objects, func(w *Wanted) bool { return w.Kind == schema.Project })
	if i < 0 {
		return nil
	}
	l.state.project = &Found{Object{}, schema.Project}
	if len(l.tree.Objects[i].Variables) == 0 { // nothing to compare: the caller need not be able to read the project
		return nil
	}
	return l.ownVariables(ctx)
}

// ownVariables reads the project's variables.
func (l *loader) ownVariables(ctx context.Context) error {
	o, readOnly, err := l.ownProject(ctx)
	if err != nil {
		return err
	}
	l.state.project.Object, l.state.readOnly = o, readOnly
	return nil
}

// ownProject returns the caller's project with its id and variables, or what a caller without access to it can know.
func (l *loader) ownProject(ctx context.Context) (o Object, readOnly bool, err error) {
	id, err := l.ownID(ctx)
	if err != nil {
		return nil, false, err
	}
	v, err := l.collection(schema.Project).Variables(ctx, id)
	if craton.IsForbidden(err) {
		readOnly = true
		v, err = l.inheritedProject(ctx)
	}
	if err != nil {
		return nil, false, fmt.Errorf("the project's variables cannot be read: %w", err)
	}
	return Object{KeyID: id, KeyVariables: v}, readOnly, nil
}

// ownID returns the id of the caller's project. The API has no request for it: it is configured, or there is only one
// project.
func (l *loader) ownID(ctx context.Context) (string, error) {
	if l.Project != "" {
		return l.Project, nil
	}
	var ids []string
	for p, err := range l.Fleet.list(ctx, schema.Project, nil) {
		if craton.IsForbidden(err) { // only root may list them
			break
		}
		if err != nil {
			return "", fmt.Errorf("the project cannot be read: %w", err)
		}
		ids = append(ids, p.ID())
		if len(ids) > 1 {
			return "", errors.New("the file sets the project's variables, but the API has several projects; set OS_PROJECT_ID to yours")
		}
	}
	for _, cloud := range l.state.byID[schema.Cloud] {
		if len(ids) == 0 {
			ids = append(ids, cloud.Text(KeyProject)) // loadTopLevel has ensured that there is only one
		}
	}
	if len(ids) == 0 {
		return "", errors.New("the file sets the project's variables, but the API does not say which project is yours; set OS_PROJECT_ID to its id")
	}
	return ids[0], nil
}

// inheritedProject returns what a caller that may not read the project can know of its variables: those that a region
// inherits, without those that the region and its cloud set themselves (v1 contract §5.2).
func (l *loader) inheritedProject(ctx context.Context) (craton.Variables, error) {
	known := craton.Variables{}
	for _, r := range l.state.byID[schema.Region] {
		cloud := l.state.byID[schema.Cloud][scopeOf(r)]
		if cloud == nil || r.Variables() == nil || cloud.Variables() == nil {
			continue
		}
		resolved, err := l.collection(schema.Region).ResolvedVariables(ctx, r.ID())
		if err != nil {
			return nil, err
		}
		left := hierarchy.Of(resolved).Without(hierarchy.Of(r.Variables()), hierarchy.Of(cloud.Variables()))
		for name, value := range left.All() {
			known[name] = json.RawMessage(value)
		}
		break // the others inherit the same
	}
	return known, nil
}

// loadContents reads cells, devices and networks in the regions of the file that exist.
func (l *loader) loadContents(ctx context.Context) error {
	cells, devices, networks := map[any]bool{}, map[any]bool{}, map[any]bool{}
	var region *Wanted
	var r *Found // the region's
	for _, w := range l.tree.Objects {
		in := w.Above(schema.Region)
		if in == nil {
			continue
		}
		if in != region { // mostly the same as that of the previous object
			region, r = in, l.state.lookup(in)
		}
		if r == nil {
			continue
		}
		id := r.Object[KeyID]
		switch {
		case w.Kind == schema.Cell, w.Refs["cell"] != nil:
			cells[scopeOf(r)] = true
		case isDevice(w.Kind):
			devices[id] = true
		case w.Refs["network"] != nil:
			networks[id] = true
		}
		if w.Kind == schema.Network {
			networks[id] = true
		}
	}
	var reads []listing
	for id := range cells {
		reads = append(reads, l.list(schema.Cell, own.with(Filters{"cloud_id": id})))
	}
	read := func(id any) listing { return l.list(schema.Device, own.with(Filters{"region_id": id})) }
	if len(devices) > 0 && l.streams(ctx) {
		read = l.stream
	}
	for _, id := range perRegion(devices) {
		l.state.regions[id] = true
		reads = append(reads, read(id))
	}
	for _, id := range perRegion(networks) {
		reads = append(reads, l.list(schema.Network, own.with(Filters{"region_id": id})))
	}
	return l.all(ctx, reads)
}

// streamFrom is the size of a tree, in objects, from which it is worth a request to find out whether the server can
// stream a fleet.
const streamFrom = 1000

// streams reports whether devices are read from one snapshot as a stream, and not page by page.
func (l *loader) streams(ctx context.Context) bool {
	return len(l.tree.Objects) >= streamFrom && l.supports(ctx, "fleet")
}

// stream reads the devices of a region, or of all for nil, from one response. If the server does not support it, they
// are listed.
func (l *loader) stream(region any) listing {
	return func(ctx context.Context) (records []*Found, err error) {
		id, _ := region.(int)
		s, err := l.Client.Fleet(ctx, craton.FleetOptions{RegionID: id})
		if err != nil && ctx.Err() == nil {
			return l.list(schema.Device, own.with(Filters{"region_id": region}))(ctx)
		}
		if err != nil {
			return nil, err
		}
		err = eachStreamed(s, isDevice, func(_ *craton.FleetLine, r *Found) {
			if l.isOwn(r.Object) {
				records = append(records, r)
			}
		})
		return records, err
	}
}

// perRegion returns the ids of the regions to list one by one, or a single nil for one listing of everything.
func perRegion(regions map[any]bool) []any {
	if len(regions) > maxRegionLists {
		return []any{nil}
	}
	return slices.Collect(maps.Keys(regions))
}

// loadDependents reads what depends on the devices: interfaces, objects outside the file that references name, and
// labels and variables that listings left out.
func (l *loader) loadDependents(ctx context.Context) error {
	reads := l.interfaces()
	reads = append(reads, l.lookups()...)
	if err := l.all(ctx, reads); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(l.options.Parallel)
	lacking := map[*Wanted]*Found{} // found before anything is filled in: look-ups read the objects
	records := finder{state: l.state}
	for _, w := range l.tree.Objects {
		if r := records.find(w); r != nil && incomplete(w, r) {
			lacking[w] = r
		}
	}
	for w, r := range lacking {
		g.Go(func() error { return l.complete(ctx, w, r) })
	}
	return g.Wait()
}

// interfaces lists the interfaces of each device, or all of them if the tree has many devices with interfaces: the API
// cannot list those of a region.
func (l *loader) interfaces() (reads []listing) {
	devices := map[any]bool{}
	for _, w := range l.tree.Objects {
		if w.Kind == schema.NetworkInterface {
			if r := l.state.lookup(w.In); r != nil {
				devices[r.Object[KeyID]] = true
			}
		}
	}
	if len(devices) > maxLookups {
		return []listing{func(ctx context.Context) ([]*Found, error) {
			all, err := l.records(ctx, schema.NetworkInterface, nil)
			return slices.DeleteFunc(all, func(r *Found) bool { return !devices[scopeOf(r)] }), err
		}}
	}
	for id := range devices {
		reads = append(reads, l.list(schema.NetworkInterface, Filters{deviceField.Key: id}))
	}
	return reads
}

// lookups finds devices and networks outside the tree that it refers to.
func (l *loader) lookups() (reads []listing) {
	names := map[*schema.Kind]map[string]bool{schema.Host: {}, schema.Network: {}}
	for _, w := range l.tree.Objects {
		for option, ref := range w.Refs {
			named := names[Referred(w.Kind, option)]
			if ref.Text == "" || ref.Target != nil || named == nil || utf8.RuneCountInString(ref.Text) > longestPath {
				continue
			}
			// Each reading of the reference: name, region/name, cloud/region/name; names may contain slashes.
			for rest, more := ref.Text, true; more; _, rest, more = strings.Cut(rest, "/") {
				if CheckLength(rest) == nil {
					named[rest] = true
				}
			}
		}
	}
	for k, of := range names {
		switch {
		case len(of) <= maxLookups:
			for name := range of {
				reads = append(reads, func(ctx context.Context) ([]*Found, error) { return l.called(ctx, k, Filters{"name": name}) })
			}
		case k == schema.Host:
			reads = append(reads, l.list(schema.Device, nil))
		default:
			reads = append(reads, l.list(k, nil))
		}
	}
	return reads
}

// called lists the objects of a name space by a filter that a listing of devices of both kinds does not support.
func (fl *Fleet) called(ctx context.Context, space *schema.Kind, f Filters) (found []*Found, err error) {
	for _, k := range append([]*schema.Kind{space}, sharingNames(space)...) {
		list, err := fl.records(ctx, k, own.with(f))
		if err != nil {
			return nil, err
		}
		found = append(found, list...)
	}
	return found, nil
}

// incomplete reports whether the tree sets something that the listing left out.
func incomplete(w *Wanted, r *Found) bool {
	return w.Kind != schema.Project && w.Kind == r.Kind &&
		(r.Labels() == nil && len(w.Labels) > 0 || r.Variables() == nil && len(w.Variables) > 0)
}

// complete reads labels and variables of one object that the listing left out, if the tree sets any.
func (fl *Fleet) complete(ctx context.Context, w *Wanted, r *Found) error {
	if r.Labels() == nil && len(w.Labels) > 0 {
		labels, err := fl.collection(r.Kind).Labels(ctx, r.ID())
		if err != nil {
			return fmt.Errorf("the labels of the %s %s cannot be read: %w", w.Noun, value.ShownPath(w.Qualified()), err)
		}
		r.Object[KeyLabels] = labels
	}
	if r.Variables() == nil && len(w.Variables) > 0 {
		v, err := fl.variables(ctx, r.Kind, r.Object)
		if err != nil {
			return fmt.Errorf("the variables of the %s %s cannot be read: %w", w.Noun, value.ShownPath(w.Qualified()), err)
		}
		r.Object[KeyVariables] = v
	}
	return nil
}
