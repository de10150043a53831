package inventory

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/craton"
)

// Host returns the variables of one host as a compact JSON object, the same that a document in merged form has for it.
// It reads only what that host needs. A host that does not exist, or that the filters exclude, is an error.
func Host(ctx context.Context, c *craton.Client, o Options, name string) ([]byte, error) {
	f, err := LoadHost(ctx, c, o, name)
	if err != nil {
		return nil, err
	}
	o.Vars, o.Groups = Merged, nil
	doc, err := Build(f, o)
	if err != nil {
		return nil, err
	}
	return doc.Host(0), nil
}

// LoadHost reads the fleet of one host of the inventory: itself, its ancestors, its cell, region, cloud and project.
// Fleet.Hosts contains only this host. Other places are read only for names and filters that need them.
func LoadHost(ctx context.Context, c *craton.Client, o Options, name string) (*Fleet, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return retryRead(ctx, c, &o, func(l *loader, ctx context.Context) (*Fleet, error) { return l.loadHost(ctx, name) })
}

func (l *loader) loadHost(ctx context.Context, name string) (*Fleet, error) {
	l.maxByID = math.MaxInt
	all := l.o.filtersPlaces() || l.o.Hostname == Qualified
	if all {
		if err := l.readPlaces(ctx); err != nil {
			return nil, err
		}
	}
	if err := l.findHost(ctx, name); err != nil {
		return nil, err
	}
	d := l.f.Hosts[0]
	if !all {
		if err := l.readPlacesOf(ctx); err != nil {
			return nil, err
		}
	}
	if err := l.readLabels(ctx); err != nil {
		return nil, err
	}
	if len(l.f.Hosts) == 0 {
		return nil, excluded(name, "labels")
	}
	return l.f, l.readLevelsOf(ctx, d)
}

// readLevelsOf reads the other sources of a device's variables, once its places are known.
func (l *loader) readLevelsOf(ctx context.Context, d *Device) error {
	if err := l.readParents(ctx); err != nil {
		return err
	}
	if err := l.f.checkHosts(); err != nil {
		return err
	}
	return l.readProjectOf(ctx, d)
}

// findHost finds the one host with a name that the filters select.
func (l *loader) findHost(ctx context.Context, name string) error {
	reason := ""
	for _, kind := range l.kinds() {
		found, err := l.candidates(ctx, kind, name)
		if err != nil {
			return err
		}
		for i := range found {
			d := &found[i]
			why, err := l.excludingFilter(ctx, d)
			if err != nil {
				return err
			}
			if why != "" {
				reason = why
				continue
			}
			l.f.Hosts = append(l.f.Hosts, d)
			l.f.Devices[d.ID] = d
		}
	}
	l.sortHosts()
	switch {
	case len(l.f.Hosts) == 0 && reason != "":
		return excluded(name, reason)
	case len(l.f.Hosts) == 0:
		return fmt.Errorf("no host is called %q in the inventory", name)
	case len(l.f.Hosts) > 1:
		a, b := l.f.Hosts[0], l.f.Hosts[1]
		return l.f.sameName(name, a, b, l.o.Hostname)
	}
	return nil
}

func excluded(name, filter string) error {
	return fmt.Errorf("the host %q exists, but the filter %q excludes it", name, filter)
}

// candidates reads the devices of a kind with a name in the inventory.
func (l *loader) candidates(ctx context.Context, kind Kind, name string) ([]Device, error) {
	found, err := l.called(ctx, kind, l.queriesFor(name), name)
	if err != nil || len(found) > 0 || l.o.Hostname != ByIPAddress || !strings.Contains(name, ":") {
		return found, err
	}
	// The original server compares addresses with the text that was once written, and IPv6 addresses have many
	// spellings (Q3).
	ids := map[int]int{}
	err = l.read(ctx, kind, []url.Values{{}}, false, func(devices []Device) {
		for i := range devices {
			if devices[i].IPAddress == name {
				ids[devices[i].ID] = devices[i].RegionID
			}
		}
	})
	if err != nil {
		return nil, err
	}
	err = l.readSome(ctx, kind, ids, func(devices []Device) { found = append(found, devices...) })
	return found, err
}

// queriesFor returns queries for the devices with a name in the inventory; they may return more. Qualified names need
// all places.
func (l *loader) queriesFor(name string) []url.Values {
	switch l.o.Hostname {
	case ByIPAddress:
		return []url.Values{{"ip_address": {name}}}
	case Qualified:
		return l.qualifiedQueries(name)
	default:
		return []url.Values{{"name": {name}}}
	}
}

// qualifiedQueries returns queries for the possible meanings of CLOUD/REGION/NAME; names may contain slashes.
func (l *loader) qualifiedQueries(name string) []url.Values {
	var queries []url.Values
	for _, r := range sortedPlaces(l.f.Regions) {
		for _, c := range sortedPlaces(l.f.Clouds) {
			if rest, ok := strings.CutPrefix(name, c.Name+"/"+r.Name+"/"); ok {
				queries = append(queries, url.Values{"name": {rest}, "region_id": {strconv.Itoa(r.ID)}})
			}
		}
	}
	return queries
}

// called reads devices and returns those with exactly the name; some databases compare case-insensitively (Q25).
func (l *loader) called(ctx context.Context, kind Kind, queries []url.Values, name string) ([]Device, error) {
	var found []Device
	seen := map[int]bool{}
	err := l.read(ctx, kind, queries, true, func(devices []Device) {
		for i := range devices {
			d := devices[i]
			if !seen[d.ID] && l.f.hostName(&d, l.o.Hostname) == name {
				seen[d.ID] = true
				found = append(found, d)
			}
		}
	})
	return found, err
}

// excludingFilter returns the filter that excludes a device, "" if none does. Filters that the device itself does not
// decide are sent to the API, as in Load.
func (l *loader) excludingFilter(ctx context.Context, d *Device) (string, error) {
	if why := l.chosen.mismatch(d, l.o); why != "" {
		return why, nil
	}
	id := url.Values{"id": {strconv.Itoa(d.ID)}}
	if l.o.VarsFilter != "" {
		if matches, err := l.matchesAny(ctx, d, product([]url.Values{id}, "vars", []string{l.o.VarsFilter})); err != nil || !matches {
			return "vars_filter", err
		}
	}
	if len(l.o.Labels) > 0 && d.Labels == nil && !l.o.needsLabels(d.Kind) {
		if matches, err := l.matchesAny(ctx, d, product([]url.Values{id}, "label", l.o.Labels)); err != nil || !matches {
			return "labels", err
		}
	}
	return "", nil
}

// matchesAny reports whether any of the queries returns the device.
func (l *loader) matchesAny(ctx context.Context, d *Device, queries []url.Values) (bool, error) {
	for _, q := range queries {
		devices, err := l.fetch(ctx, d.Kind, q, false)
		if err != nil {
			return false, err
		}
		if len(devices) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// readPlacesOf reads the cells, regions and clouds of the hosts, each once.
func (l *loader) readPlacesOf(ctx context.Context) error {
	clouds, regions, cells := map[int]*Device{}, map[int]*Device{}, map[int]*Device{}
	for _, d := range l.f.Hosts {
		clouds[d.CloudID], regions[d.RegionID] = d, d
		if d.CellID != 0 {
			cells[d.CellID] = d
		}
	}
	g, gctx := l.group(ctx)
	for id, d := range clouds {
		g.Go(func() error {
			c, err := l.client.Clouds.Get(gctx, id)
			return addPlace(l, l.f.Clouds, d, "cloud", id, c, err, cloudPlace)
		})
	}
	for id, d := range regions {
		g.Go(func() error {
			r, err := l.client.Regions.Get(gctx, id)
			return addPlace(l, l.f.Regions, d, "region", id, r, err, regionPlace)
		})
	}
	for id, d := range cells {
		g.Go(func() error {
			c, err := l.client.Cells.Get(gctx, id)
			return addPlace(l, l.f.Cells, d, "cell", id, c, err, cellPlace)
		})
	}
	return g.Wait()
}

// addPlace adds a place of a device, which was read by its id, to a map.
func addPlace[T any](l *loader, into map[int]*Place, d *Device, kind string, id int, object *T, err error, place func(*T) (*Place, craton.Variables)) error {
	if craton.IsNotFound(err) {
		return stalef("%s is in %s %d, which cannot be read", d, kind, id)
	}
	if err != nil {
		return err
	}
	p, v := place(object)
	p.Variables = variablesOf(v)
	l.mu.Lock()
	into[id] = p
	l.mu.Unlock()
	return nil
}

// readProjectOf reads a device's project, or derives its variables from the device's resolved ones.
func (l *loader) readProjectOf(ctx context.Context, d *Device) error {
	v, err := l.client.Projects.Variables(ctx, d.ProjectID)
	own := variablesOf(v)
	if craton.IsForbidden(err) || craton.IsNotFound(err) {
		own, err = l.projectVariablesOf(ctx, d)
	}
	l.f.Projects[d.ProjectID] = own
	return err
}
