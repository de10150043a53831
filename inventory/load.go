package inventory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/when"
	"github.com/craton-fleet/craton/inventory/internal/reading"
)

const (
	// maxStreams is the maximum number of listings in which the hosts are read, so that the number of requests does not
	// grow with the number of regions: each listing ends with a request for an empty page.
	maxStreams = 32
	// maxByID is the maximum number of devices that are requested one by one instead of reading a complete listing.
	maxByID = 25
	// maxProjects is the same for projects.
	maxProjects = 10
	// maxStreamTries is the number of attempts to read the fleet as one response before it is read page by page: pages
	// succeed if a proxy cuts long responses.
	maxStreamTries = 2
)

// Load reads the fleet that an inventory with these options is made from: every cloud, region and cell, the hosts that
// the filters select, and their ancestors, each with its own variables.
//
// If the server has /v1/fleet, and it supports the filters, the fleet is one response from one snapshot: see
// Fleet.Snapshot. Otherwise the number of requests is that of the pages plus a constant; only labels cost one request
// per host if the server does not list them (Q15), and only if groups or filters need them.
//
// With Options.At it is a past state of the fleet.
//
// Changes during the read may break a listing (IsMarkerGone) or make the fleet inconsistent; then everything is read
// again, three times in total. A fleet that cannot be read completely is an error.
func Load(ctx context.Context, c *craton.Client, o Options) (*Fleet, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	tries := 0
	return retryRead(ctx, c, &o, func(l *loader, ctx context.Context) (*Fleet, error) {
		tries++
		l.mayStream = tries <= maxStreamTries
		return l.load(ctx)
	})
}

// retryRead calls a read until it succeeds, fails permanently, or has been tried often enough.
func retryRead(ctx context.Context, c *craton.Client, o *Options, read func(*loader, context.Context) (*Fleet, error)) (*Fleet, error) {
	c, err := o.clientAt(ctx, c)
	if err != nil {
		return nil, o.isPast(err, http.StatusBadRequest)
	}
	f, err := reading.Retry(ctx, "the fleet", func(ctx context.Context) (*Fleet, bool, error) {
		l := newLoader(c, o)
		f, err := read(l, ctx)
		return f, l.isTransient(err), err
	})
	return f, o.isPast(err)
}

// clientAt returns the client for the state of the inventory.
func (o *Options) clientAt(ctx context.Context, c *craton.Client) (*craton.Client, error) {
	if o.At == (when.At{}) {
		return c, nil
	}
	return c.At(ctx, craton.Past{At: o.At.String(), OmitHashed: o.OmitHashed})
}

// isPast returns the error for a past state that is not available: the API's reason, and the requested state. statuses
// are further ones that mean this.
func (o *Options) isPast(err error, also ...int) error {
	reason, untold := connect.UnknownPast(err, "omit_hashed", also...)
	if o.At == (when.At{}) || !untold {
		return err
	}
	return fmt.Errorf("the inventory as of %s: %s", o.At.Words(), reason)
}

// loader is one attempt.
type loader struct {
	client   *craton.Client
	o        *Options
	f        *Fleet
	chosen   places
	vars     map[int]int // the devices that match the vars filter, and their regions; nil without one
	upper    bool        // clouds and regions were read
	places   bool        // all of them were read
	whole    [2]bool     // by kind: every device was read
	byID     [2]int      // by kind: number of devices requested one by one
	maxByID  int         // their maximum
	answered atomic.Bool // the API has responded at least once
	mu       sync.Mutex  // guards f.Devices and f.Hosts during concurrent reads

	mayStream bool // the fleet may be read as one response
}

func newLoader(c *craton.Client, o *Options) *loader {
	return &loader{client: c, o: o, maxByID: maxByID, f: &Fleet{
		Projects: map[string]Variables{}, Devices: map[int]*Device{},
		Clouds: map[int]*Place{}, Regions: map[int]*Place{}, Cells: map[int]*Place{},
	}}
}

// finalError is a failure that a retry does not fix.
type finalError struct{ error }

func (e finalError) Unwrap() error { return e.error }

// isTransient reports whether a retry may succeed. A server that has never responded is down; the client has retried
// its request already.
func (l *loader) isTransient(err error) bool {
	if _, final := errors.AsType[finalError](err); final {
		return false
	}
	if _, stale := errors.AsType[*staleError](err); stale || isBroken(err) {
		return true
	}
	_, cut := errors.AsType[*craton.ConnectionError](err)
	return l.answered.Load() && (cut || craton.IsMarkerGone(err) || craton.StatusOf(err) >= 500)
}

func (l *loader) load(ctx context.Context) (*Fleet, error) {
	done, err := l.readWhole(ctx)
	if err != nil {
		return nil, err
	}
	if !done {
		if err := l.readPages(ctx); err != nil {
			return nil, err
		}
	}
	if err := l.f.checkPlaces(); err != nil {
		return nil, err
	}
	if err := reading.CheckHostCount(len(l.f.Hosts), l.o.ExpectAtLeast); err != nil {
		return nil, &staleError{err.Error()}
	}
	return l.f, l.f.checkHosts()
}

// readPages reads the fleet page by page.
func (l *loader) readPages(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		l.readPlaces, l.readHosts, l.readLabels, l.checkWords, l.readParents, l.readProjects,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// group runs functions concurrently, up to Options.Streams at a time.
func (l *loader) group(ctx context.Context) (*errgroup.Group, context.Context) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(l.o.Streams)
	return g, ctx
}

// readPlaces reads all clouds, regions and cells, once, and resolves the filters of places.
func (l *loader) readPlaces(ctx context.Context) error { return l.readPlacesTo(ctx, true) }

// readPlacesTo is like readPlaces, with or without cells, of which there are many.
func (l *loader) readPlacesTo(ctx context.Context, cells bool) error {
	if l.places || l.upper && !cells {
		return nil
	}
	g, gctx := l.group(ctx)
	if !l.upper {
		g.Go(func() error {
			return collect(l, "/clouds", l.f.Clouds, l.client.Clouds.All(gctx, craton.CloudListOptions{Details: true}), cloudPlace)
		})
		g.Go(func() error {
			return collect(l, "/regions", l.f.Regions, l.client.Regions.All(gctx, craton.RegionListOptions{Details: true, Resolved: new(false)}), regionPlace)
		})
	}
	if cells {
		g.Go(func() error {
			return collect(l, "/cells", l.f.Cells, l.client.Cells.All(gctx, craton.CellListOptions{Details: true, Resolved: new(false)}), cellPlace)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	l.upper, l.places = true, cells
	var err error
	l.chosen, err = selectPlaces(l.f, l.o)
	return err
}

// collect reads a listing into a map by id. A listing with details but without variables is refused.
func collect[T any](l *loader, path string, into map[int]*Place, all iter.Seq2[*T, error], place func(*T) (*Place, craton.Variables)) error {
	for object, err := range all {
		if err != nil {
			return err
		}
		l.answered.Store(true)
		p, err := placeWith(place(object))
		if err != nil {
			return &craton.ResponseError{Method: http.MethodGet, Path: path, Err: err}
		}
		into[p.ID] = p
	}
	return nil
}

// placeWith returns a place with its variables.
func placeWith(p *Place, v craton.Variables) (*Place, error) {
	if v == nil {
		return nil, fmt.Errorf("%s has no variables, although they were requested", p)
	}
	p.Variables = variablesOf(v)
	return p, nil
}

func cloudPlace(c *craton.Cloud) (*Place, craton.Variables) {
	return &Place{ID: c.ID, Name: c.Name, ProjectID: projectID(c.ProjectID)}, c.Variables
}

func regionPlace(r *craton.Region) (*Place, craton.Variables) {
	return &Place{ID: r.ID, Name: r.Name, CloudID: r.CloudID, ProjectID: projectID(r.ProjectID)}, r.Variables
}

func cellPlace(c *craton.Cell) (*Place, craton.Variables) {
	return &Place{ID: c.ID, Name: c.Name, CloudID: c.CloudID, RegionID: c.RegionID, ProjectID: projectID(c.ProjectID)}, c.Variables
}

// kinds returns the kinds of devices in the inventory.
func (l *loader) kinds() []Kind {
	if l.o.NetworkDevices {
		return []Kind{HostKind, NetworkDeviceKind}
	}
	return []Kind{HostKind}
}

// readHosts reads the devices of the inventory, as far as the filters can be applied without labels.
func (l *loader) readHosts(ctx context.Context) error {
	if l.o.VarsFilter != "" {
		return l.readHostsByVars(ctx)
	}
	for _, kind := range l.kinds() {
		queries := l.narrow(kind, l.split())
		if err := l.read(ctx, kind, queries, true, l.addHosts); err != nil {
			return err
		}
		l.whole[kind] = !l.o.filtersPlaces() && len(l.o.Labels) == 0 && len(l.o.DeviceTypes) == 0
	}
	l.sortHosts()
	return nil
}

func (l *loader) sortHosts() {
	slices.SortFunc(l.f.Hosts, func(a, b *Device) int { return cmp.Compare(a.ID, b.ID) })
}

// readHostsByVars first requests the devices that match by their resolved variables, and then their own variables: one
// listing cannot do both, because resolved-values determines both what is matched and what is returned (the v1 contract
// §5.5).
func (l *loader) readHostsByVars(ctx context.Context) error {
	l.vars = map[int]int{}
	for _, kind := range l.kinds() {
		matches := map[int]int{}
		queries := l.narrow(kind, l.split())
		for _, q := range queries {
			q.Set("vars", l.o.VarsFilter)
		}
		err := l.read(ctx, kind, queries, false, func(found []Device) {
			for i := range found {
				matches[found[i].ID] = found[i].RegionID
			}
		})
		if err != nil {
			return err
		}
		maps.Copy(l.vars, matches)
		if err := l.readSome(ctx, kind, matches, l.addHosts); err != nil {
			return err
		}
		for id := range matches {
			if l.f.Devices[id] == nil {
				return stalef("%s %d matched the vars filter and was then deleted", kind, id)
			}
		}
	}
	l.sortHosts()
	return nil
}

// readSome reads devices by id: a few one by one, many by listing their regions.
func (l *loader) readSome(ctx context.Context, kind Kind, ids map[int]int, add func([]Device)) error {
	if len(ids) == 0 {
		return nil
	}
	if l.byID[kind]+len(ids) <= l.maxByID {
		l.byID[kind] += len(ids)
		g, ctx := l.group(ctx)
		for id := range ids {
			g.Go(func() error { return l.readOne(ctx, kind, id, add) })
		}
		return g.Wait()
	}
	regions := map[int]bool{}
	for _, region := range ids {
		regions[region] = true
	}
	var queries []url.Values
	if !regions[0] && len(regions) <= maxStreams {
		queries = each("region_id", regions)
	} else {
		queries = l.splitAll()
	}
	return l.read(ctx, kind, queries, true, add)
}

// readOne reads a device by its id, with a listing, which also returns labels if the server supports that. A missing
// device is not an error.
func (l *loader) readOne(ctx context.Context, kind Kind, id int, add func([]Device)) error {
	q := url.Values{"id": {strconv.Itoa(id)}, "details": {"true"}, "resolved-values": {"false"}}
	devices, err := l.fetch(ctx, kind, q, true)
	if err != nil {
		return err
	}
	devices = slices.DeleteFunc(devices, func(d Device) bool { return d.ID != id })
	l.mu.Lock()
	defer l.mu.Unlock()
	add(devices)
	return nil
}

// fetch reads one page of a listing.
func (l *loader) fetch(ctx context.Context, kind Kind, q url.Values, details bool) ([]Device, error) {
	page, err := l.client.Page(ctx, kind.path(), q)
	if err != nil {
		return nil, err
	}
	l.answered.Store(true)
	devices, err := newDecoder().page(page, kind, details)
	if err != nil {
		return nil, &craton.ResponseError{Method: http.MethodGet, Path: kind.path(), Err: err}
	}
	return devices, nil
}

// split returns listings that can be read concurrently and contain what the filters of places select. They may contain
// more, but never less.
func (l *loader) split() []url.Values {
	for _, by := range []struct {
		param string
		ids   map[int]bool
	}{{"cell_id", l.chosen.cells}, {"region_id", l.chosen.regions}, {"cloud_id", l.chosen.clouds}} {
		if by.ids != nil && len(by.ids) <= maxStreams {
			return each(by.param, by.ids)
		}
	}
	return l.splitAll()
}

// splitAll splits the listing of all devices.
func (l *loader) splitAll() []url.Values {
	if !l.places {
		return []url.Values{{}}
	}
	for _, by := range []struct {
		param string
		all   map[int]*Place
	}{{"region_id", l.f.Regions}, {"cloud_id", l.f.Clouds}} {
		if len(by.all) <= maxStreams {
			ids := map[int]bool{}
			for id := range by.all {
				ids[id] = true
			}
			return each(by.param, ids)
		}
	}
	return []url.Values{{}}
}

func each(param string, ids map[int]bool) []url.Values {
	var queries []url.Values
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		queries = append(queries, url.Values{param: {strconv.Itoa(id)}})
	}
	return queries
}

// narrow adds the filters that the API supports. It accepts one label and one device type at a time.
func (l *loader) narrow(kind Kind, queries []url.Values) []url.Values {
	queries = product(queries, "device_type", l.o.DeviceTypes)
	if kind == HostKind { // network devices cannot be filtered by label
		queries = product(queries, "label", l.o.Labels)
	}
	return queries
}

func product(queries []url.Values, param string, words []string) []url.Values {
	if len(words) == 0 {
		return queries
	}
	var all []url.Values
	for _, q := range queries {
		for _, w := range words {
			with := maps.Clone(q)
			with.Set(param, w)
			all = append(all, with)
		}
	}
	return all
}

// read walks listings concurrently and calls add with their contents, one page at a time.
func (l *loader) read(ctx context.Context, kind Kind, queries []url.Values, details bool, add func([]Device)) error {
	g, ctx := l.group(ctx)
	for _, q := range queries {
		q.Set("limit", strconv.Itoa(craton.MaxLimit))
		if details {
			q.Set("details", "true")
			q.Set("resolved-values", "false")
		}
		g.Go(func() error {
			decoder, first := newDecoder(), true
			for raw, err := range l.client.Pages(ctx, kind.path(), q) {
				if err != nil {
					if first && q.Has("vars") {
						return finalError{fmt.Errorf("vars_filter: %w", err)} // the original server returns 500 for what it cannot parse
					}
					return err
				}
				first = false
				l.answered.Store(true)
				devices, err := decoder.page(raw, kind, details)
				if err != nil {
					return &craton.ResponseError{Method: http.MethodGet, Path: kind.path(), Err: err}
				}
				l.mu.Lock()
				add(devices)
				l.mu.Unlock()
			}
			return nil
		})
	}
	return g.Wait()
}

// addHosts stores devices, and lists those that the filters select. A device on two pages counts once (Q30). The caller
// holds l.mu.
func (l *loader) addHosts(devices []Device) {
	for i := range devices {
		d := &devices[i]
		if l.f.Devices[d.ID] != nil {
			continue
		}
		if _, matched := l.vars[d.ID]; l.vars != nil && !matched {
			continue
		}
		l.f.Devices[d.ID] = d
		if l.chosen.match(d, l.o) {
			l.f.Hosts = append(l.f.Hosts, d)
		}
	}
}

// addAncestors stores devices that are not listed. The caller holds l.mu.
func (l *loader) addAncestors(devices []Device) {
	for i := range devices {
		if d := &devices[i]; l.f.Devices[d.ID] == nil {
			l.f.Devices[d.ID] = d
		}
	}
}

// readLabels requests labels that groups or filters need and the server has not listed, with one request per device,
// and drops the devices that a filter by label then excludes.
func (l *loader) readLabels(ctx context.Context) error {
	g, gctx := l.group(ctx)
	for _, d := range l.f.Hosts {
		if d.Labels != nil || !l.o.needsLabels(d.Kind) {
			continue
		}
		g.Go(func() error {
			labels, err := l.labelsOf(gctx, d)
			if craton.IsNotFound(err) {
				return stalef("%s is gone", d)
			}
			if err == nil {
				d.Labels = append([]string{}, labels...)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	l.f.Hosts = slices.DeleteFunc(l.f.Hosts, func(d *Device) bool { return !l.chosen.match(d, l.o) })
	return nil
}

func (l *loader) labelsOf(ctx context.Context, d *Device) ([]string, error) {
	if d.Kind == NetworkDeviceKind {
		return l.client.NetworkDevices.Labels(ctx, d.ID)
	}
	return l.client.Hosts.Labels(ctx, d.ID)
}

// checkWords returns an error for labels and device types in filters that match nothing and do not exist.
func (l *loader) checkWords(ctx context.Context) error {
	for _, filter := range []struct {
		noun, setting, param string
		words                []string
		has                  func(*Device, string) bool
	}{
		{"label", "labels", "label", l.o.Labels, (*Device).hasLabel},
		{"device type", "device_types", "device_type", l.o.DeviceTypes, func(d *Device, t string) bool { return d.DeviceType == t }},
	} {
		for _, word := range filter.words {
			if slices.ContainsFunc(l.f.Hosts, func(d *Device) bool { return filter.has(d, word) }) {
				continue
			}
			known, err := l.exists(ctx, filter.param, word)
			if err != nil {
				return err
			}
			if !known {
				return advice.With(fmt.Errorf("no host has the %s %q (filter %q)", filter.noun, word, filter.setting), l.seenWords(ctx, filter.param, word))
			}
		}
	}
	return nil
}

// exists reports whether any device that the inventory could list has a label or a device type.
func (l *loader) exists(ctx context.Context, param, word string) (bool, error) {
	for _, kind := range l.kinds() {
		if param == "label" && kind == NetworkDeviceKind {
			for _, d := range l.f.Devices { // their labels were requested
				if d.Kind == kind && d.hasLabel(word) {
					return true, nil
				}
			}
			continue
		}
		q := url.Values{param: {word}, "limit": {strconv.Itoa(craton.MinLimit)}, "details": {"true"}, "resolved-values": {"false"}}
		devices, err := l.fetch(ctx, kind, q, false)
		if err != nil {
			return false, err
		}
		// Some databases compare case-insensitively (Q25); the inventory does not.
		if slices.ContainsFunc(devices, func(d Device) bool {
			return d.DeviceType == word || param == "label" && (d.Labels == nil || d.hasLabel(word))
		}) {
			return true, nil
		}
	}
	return false, nil
}

// seenWords returns the advice for an error about a word that no host has: similar ones among the first hosts.
func (l *loader) seenWords(ctx context.Context, param, word string) string {
	q := url.Values{"limit": {strconv.Itoa(craton.MaxLimit)}, "details": {"true"}, "resolved-values": {"false"}}
	devices, err := l.fetch(ctx, HostKind, q, false)
	if err != nil {
		return ""
	}
	known := map[string]bool{}
	for i := range devices {
		words := devices[i].Labels
		if param == "device_type" {
			words = []string{devices[i].DeviceType}
		}
		for _, w := range words {
			known[w] = true
		}
	}
	near := nearWords(word, slices.Sorted(maps.Keys(known)))
	if len(near) == 0 {
		return ""
	}
	return "similar names: " + enumerate(near)
}

// readParents reads the ancestors of the listed devices that the filters exclude.
func (l *loader) readParents(ctx context.Context) error {
	for {
		missing := l.missingParents()
		progress := false
		for kind, ids := range missing {
			if l.whole[kind] {
				continue // the check will report it
			}
			before := len(l.f.Devices)
			if l.byID[kind]+len(ids) <= l.maxByID {
				if err := l.readSome(ctx, Kind(kind), ids, l.addAncestors); err != nil {
					return err
				}
			} else {
				l.whole[kind] = true
				if err := l.read(ctx, Kind(kind), l.splitAll(), true, l.addAncestors); err != nil {
					return err
				}
			}
			progress = progress || len(l.f.Devices) > before
		}
		if !progress {
			return nil
		}
	}
}

// missingParents returns the parents that have not been read yet, by kind. Their regions are unknown.
func (l *loader) missingParents() [2]map[int]int {
	missing := [2]map[int]int{{}, {}}
	for _, d := range l.f.Hosts {
		steps := 0
		for at := d; at.ParentID != 0 && steps <= len(l.f.Devices); steps++ { // the check finds cycles
			next := l.f.Devices[at.ParentID]
			if next == nil {
				missing[at.ParentKind][at.ParentID] = 0
				break
			}
			at = next
		}
	}
	return missing
}

// readProjects reads the variables of the hosts' projects. Only admins may read projects; for others, the variables are
// derived from the resolved variables of regions.
func (l *loader) readProjects(ctx context.Context) error {
	for _, d := range l.f.Hosts {
		l.f.Projects[d.ProjectID] = nil
	}
	ids := slices.Sorted(maps.Keys(l.f.Projects))
	if len(ids) > maxProjects {
		for p, err := range l.client.Projects.All(ctx, craton.ProjectListOptions{Details: true}) {
			if err != nil {
				return err
			}
			if _, wanted := l.f.Projects[projectID(p.ID)]; wanted {
				l.f.Projects[projectID(p.ID)] = variablesOf(p.Variables)
				ids = slices.DeleteFunc(ids, func(id string) bool { return id == projectID(p.ID) })
			}
		}
	}
	var mu sync.Mutex
	hidden := map[string]bool{}
	g, gctx := l.group(ctx)
	for _, id := range ids {
		g.Go(func() error {
			v, err := l.client.Projects.Variables(gctx, id)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case craton.IsForbidden(err) || craton.IsNotFound(err):
				hidden[id] = true
			case err != nil:
				return err
			default:
				l.f.Projects[id] = variablesOf(v)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil || len(hidden) == 0 {
		return err
	}
	return l.readHiddenProjects(ctx, hidden)
}

// readHiddenProjects derives the variables of projects that the caller may not read: what a region resolves beyond its
// own and its cloud's variables comes from its project. If every region overrides a variable, no host of these regions
// needs it.
func (l *loader) readHiddenProjects(ctx context.Context, hidden map[string]bool) error {
	if l.f.limited { // then they may not all have been read
		if err := l.readPlaces(ctx); err != nil {
			return err
		}
	}
	for r, err := range l.client.Regions.All(ctx, craton.RegionListOptions{Details: true}) {
		if err != nil {
			return err
		}
		id := projectID(r.ProjectID)
		at, cloud := l.f.Regions[r.ID], l.f.Clouds[r.CloudID]
		if at == nil || cloud == nil {
			return stalef("region %q (id %d) appeared while the fleet was read", r.Name, r.ID)
		}
		if hidden[id] {
			l.f.Projects[id] = hierarchy.Over(variablesOf(r.Variables).Without(at.Variables, cloud.Variables), l.f.Projects[id])
		}
	}
	return l.readHiddenByHost(ctx, hidden)
}

// readHiddenByHost does the same with hosts whose region is in another cloud than the host (the original allows it,
// §1.5 hole 8), or belongs to another project: their region does not show their project's variables.
func (l *loader) readHiddenByHost(ctx context.Context, hidden map[string]bool) error {
	found := make([]Variables, len(l.f.Hosts))
	g, gctx := l.group(ctx)
	for i, d := range l.f.Hosts {
		r := l.f.Regions[d.RegionID]
		if !hidden[d.ProjectID] || r == nil || r.CloudID == d.CloudID && r.ProjectID == d.ProjectID {
			continue
		}
		g.Go(func() (err error) {
			found[i], err = l.projectVariablesOf(gctx, d)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, d := range l.f.Hosts {
		if len(found[i]) > 0 {
			l.f.Projects[d.ProjectID] = hierarchy.Over(found[i], l.f.Projects[d.ProjectID])
		}
	}
	return nil
}

// projectVariablesOf returns what a device resolves beyond what its levels below the project have.
func (l *loader) projectVariablesOf(ctx context.Context, d *Device) (Variables, error) {
	resolve := l.client.Hosts.ResolvedVariables
	if d.Kind == NetworkDeviceKind {
		resolve = l.client.NetworkDevices.ResolvedVariables
	}
	all, err := resolve(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	chain := l.f.Chain(d)
	below := make([]Variables, len(chain)-1)
	for i := range below {
		below[i] = chain[i].Variables
	}
	return variablesOf(all).Without(below...), nil
}
