package inventory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/internal/when"
)

// Snapshot is the response from which a fleet was read, and how it was requested.
type Snapshot struct {
	Part craton.FleetOptions // which part of the fleet
	craton.FleetMark
}

// oneAnswer reports whether one response can contain what the inventory needs, and not much more: such responses
// support only filters of places.
func (o *Options) oneAnswer() bool {
	return o.VarsFilter == "" && len(o.Labels)+len(o.DeviceTypes) == 0
}

// readWhole reads the fleet, or the part that the filters of places select, from one response and snapshot. done is
// false if the server does not support that: then it must be read page by page.
func (l *loader) readWhole(ctx context.Context) (done bool, err error) {
	if !l.mayStream || !l.o.oneAnswer() {
		return false, nil
	}
	stream, part, err := l.open(ctx)
	if err != nil || stream == nil {
		return false, err
	}
	defer stream.Close()
	l.f.Snapshot = &Snapshot{Part: part, FleetMark: stream.FleetMark}
	return true, l.readStream(ctx, stream, part)
}

// open requests what the inventory needs; nil if that is not available as one response.
func (l *loader) open(ctx context.Context) (stream *craton.FleetStream, part craton.FleetOptions, err error) {
	if l.o.filtersPlaces() {
		if err := l.readPlacesTo(ctx, len(l.o.Cells) > 0); err != nil { // the response itself has the cells of the part
			return nil, part, err
		}
		var one bool
		if part, one = l.chosen.part(); !one {
			return nil, part, nil
		}
	}
	stream, err = l.client.Fleet(ctx, part)
	l.answered.Store(l.answered.Load() || err == nil)
	return stream, part, l.absent(err)
}

// part returns the part that the innermost of the filters selects, if that is one place.
func (p *places) part() (part craton.FleetOptions, one bool) {
	for _, by := range []struct {
		ids map[int]bool
		id  *int
	}{{p.cells, &part.CellID}, {p.regions, &part.RegionID}, {p.clouds, &part.CloudID}} {
		if by.ids == nil {
			continue
		}
		for id := range by.ids {
			*by.id = id
		}
		return part, len(by.ids) == 1
	}
	return part, true
}

// absent returns nil for errors that mean the fleet is not available as one response: the server has no such path, or
// some value of a past state is not retained. The complete response is refused then, even if the inventory does not
// need that value; pages show which one it is.
func (l *loader) absent(err error) error {
	if status := craton.StatusOf(err); status == http.StatusNotFound || status == http.StatusConflict && l.o.At != (when.At{}) {
		return nil
	}
	return err
}

// brokenError is the error for an incomplete response.
type brokenError struct{ error }

func (e brokenError) Unwrap() error { return e.error }

// stream is a fleet that is being read.
type stream struct {
	*loader
	decoders [len(kinds)]*decoder
	outside  [len(kinds)]*decoder
	seen     map[*Place]bool
	resolved map[string]Variables // by the id of a project that the caller may not read: its variables as far as regions show them
	above    map[int]*Device      // devices that are relevant only if they are parents of listed ones
}

// readStream reads all lines of a response.
func (l *loader) readStream(ctx context.Context, from *craton.FleetStream, part craton.FleetOptions) error {
	s := stream{loader: l, seen: map[*Place]bool{}, resolved: map[string]Variables{}, above: map[int]*Device{}}
	for kind := range kinds {
		s.decoders[kind], s.outside[kind] = newDecoder(), newDecoder()
	}
	for line, err := range from.All() {
		if err != nil {
			return brokenError{err}
		}
		if err := s.line(&line); err != nil {
			return s.bad(err)
		}
	}
	for kind := range kinds {
		if err := cmp.Or(s.flush(Kind(kind), false), s.flush(Kind(kind), true)); err != nil {
			return s.bad(err)
		}
	}
	if err := s.checkPart(part); err != nil {
		return err
	}
	l.sortHosts()
	if err := s.keepParents(); err != nil {
		return s.bad(err)
	}
	return s.projects(ctx, part)
}

// bad returns the error for an invalid response.
func (s *stream) bad(err error) error {
	return brokenError{&craton.ResponseError{Method: http.MethodGet, Path: "/fleet", Err: err}}
}

// line processes a line.
func (s *stream) line(line *craton.FleetLine) error {
	switch line.Kind {
	case craton.KindHost:
		return s.device(HostKind, line)
	case craton.KindNetworkDevice:
		return s.device(NetworkDeviceKind, line)
	case craton.KindProject:
		var p craton.Project
		if err := line.Decode(&p); err != nil {
			return err
		}
		s.f.Projects[projectID(p.ID)] = variablesOf(p.Variables)
	case craton.KindCloud:
		_, err := place(s, line, s.f.Clouds, cloudPlace)
		return err
	case craton.KindRegion:
		region, err := place(s, line, s.f.Regions, regionPlace)
		if err != nil || line.Resolved == nil {
			return err
		}
		return s.hiddenBy(region, line.Resolved)
	case craton.KindCell:
		_, err := place(s, line, s.f.Cells, cellPlace)
		return err
	}
	return nil
}

// place stores a place.
func place[T any](s *stream, line *craton.FleetLine, into map[int]*Place, of func(*T) (*Place, craton.Variables)) (*Place, error) {
	object := new(T)
	if err := line.Decode(object); err != nil {
		return nil, err
	}
	p, err := placeWith(of(object))
	if err != nil {
		return nil, err
	}
	if s.seen[into[p.ID]] {
		return nil, fmt.Errorf("%s %s is listed twice", line.Kind, p)
	}
	into[p.ID], s.seen[p] = p, true
	return p, nil
}

// hiddenBy derives a project's variables from what a region resolves, as readHiddenProjects does.
func (s *stream) hiddenBy(region *Place, all []byte) error {
	var resolved craton.Variables
	if err := resolved.UnmarshalJSON(all); err != nil {
		return err
	}
	cloud := s.f.Clouds[region.CloudID]
	if cloud == nil {
		return fmt.Errorf("region %d comes before cloud %d", region.ID, region.CloudID)
	}
	id := region.ProjectID
	s.resolved[id] = hierarchy.Over(variablesOf(resolved).Without(region.Variables, cloud.Variables), s.resolved[id])
	return nil
}

// device decodes a device; they are stored in batches.
func (s *stream) device(kind Kind, line *craton.FleetLine) error {
	d := s.decoders[kind]
	if line.Outside {
		d = s.outside[kind]
	}
	if len(d.devices) == craton.MaxLimit {
		if err := s.flush(kind, line.Outside); err != nil {
			return err
		}
	}
	return d.device(jsontext.NewScanner(jsontext.Text(line.Object)), kind, true)
}

// flush stores the decoded devices.
func (s *stream) flush(kind Kind, outside bool) error {
	d := s.decoders[kind]
	if outside {
		d = s.outside[kind]
	}
	devices := d.take(kind)
	listed := !outside && (kind == HostKind || s.o.NetworkDevices)
	before := len(s.f.Devices) + len(s.above)
	if listed {
		s.addHosts(devices)
	} else {
		for i := range devices {
			s.above[devices[i].ID] = &devices[i]
		}
	}
	if got := len(s.f.Devices) + len(s.above) - before; got != len(devices) {
		return fmt.Errorf("a %s is listed twice", kind)
	}
	return nil
}

// checkPart checks that the places selected by the filters are the same in the snapshot, and drops what is no longer in
// the part.
func (s *stream) checkPart(part craton.FleetOptions) error {
	if part == (craton.FleetOptions{}) {
		return nil
	}
	f := s.f
	if !s.seen[f.Clouds[part.CloudID]] && !s.seen[f.Regions[part.RegionID]] && !s.seen[f.Cells[part.CellID]] {
		return stalef("a place named in the filters was deleted")
	}
	for id, r := range f.Regions {
		if r.CloudID == part.CloudID && !s.seen[r] {
			delete(f.Regions, id)
		}
	}
	for id, c := range f.Cells {
		if (c.CloudID == part.CloudID || c.RegionID == part.RegionID) && !s.seen[c] {
			delete(f.Cells, id)
		}
	}
	again, err := selectPlaces(f, s.o)
	if err != nil {
		return stalef("clouds, regions or cells have changed: %s", err)
	}
	if now, one := again.part(); !one || now != part {
		return stalef("the filters select other places now")
	}
	s.chosen = again
	return nil
}

// keepParents keeps those devices that are ancestors of listed ones.
func (s *stream) keepParents() error {
	if len(s.above) == 0 {
		return nil
	}
	done := map[int]bool{}
	for _, d := range s.f.Hosts {
		for id := d.ParentID; id != 0 && !done[id]; {
			done[id] = true
			if p := s.above[id]; p != nil {
				if s.f.Devices[id] != nil {
					return fmt.Errorf("%s is listed twice", p)
				}
				s.f.Devices[id] = p
			}
			next := s.f.Devices[id]
			if next == nil {
				break // the check will report it
			}
			id = next.ParentID
		}
	}
	return nil
}

// projects stores the variables of the hosts' projects. Those of projects that the caller may not read are derived from
// what their regions resolve.
func (s *stream) projects(ctx context.Context, part craton.FleetOptions) error {
	hidden := map[string]bool{}
	projects := map[string]Variables{}
	for _, d := range s.f.Hosts {
		id := d.ProjectID
		if _, known := projects[id]; known {
			continue
		}
		v, told := s.f.Projects[id]
		if !told {
			hidden[id] = true
			v = s.resolved[id]
		}
		projects[id] = v
	}
	s.f.Projects = projects
	switch {
	case len(hidden) == 0:
		return nil
	case part != craton.FleetOptions{} && s.o.Vars == Layered: // a group shows all of them, even those that no host in the part has
		return s.readHiddenProjects(ctx, hidden)
	}
	return s.readHiddenByHost(ctx, hidden)
}

// isBroken reports whether err means that the response was incomplete.
func isBroken(err error) bool {
	_, broken := errors.AsType[brokenError](err)
	return broken
}
