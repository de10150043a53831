package inventory

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
	"github.com/craton-fleet/craton/inventory/internal/kept"
	"github.com/craton-fleet/craton/inventory/internal/reading"
)

// The number of devices that are read one by one instead of the complete fleet: this many, but fewer for a small fleet.
const (
	maxRenewed  = 1000
	minRenewed  = 25
	renewedPart = 20 // a twentieth
)

// errAll is the error for a change that requires reading the complete fleet.
var errAll = errors.New("the whole fleet must be read")

// renewed returns the builder of a fleet that is cached and has changed between two marks, from the change log and the
// devices in it. It returns an error if it cannot be certain of anything; then the complete fleet must be read.
//
// The text of a host in its document depends on itself, on the devices above it, on its places and its project, and on
// the options. If no place and no project has changed, all hosts except the changed ones and their descendants keep
// their text. Groups and names are decided again.
func renewed(ctx context.Context, c *craton.Client, o *Options, old *kept.Entry, now craton.FleetMark) (*builder, error) {
	if o.VarsFilter != "" || old.Revision == "" || manner(old.Tag) != manner(now.Tag) {
		return nil, errAll
	}
	text, err := old.ReadIndex()
	if err != nil {
		return nil, err
	}
	x, err := readIndex(text, old.Document.Size)
	if err != nil {
		return nil, err
	}
	most := min(maxRenewed, max(minRenewed, len(x.fleet.Hosts)/renewedPart))
	changed, err := changedDevices(ctx, c, old.Revision, most)
	if err != nil {
		return nil, err
	}
	l := newLoader(c, o)
	l.f = x.fleet
	fresh, err := l.renew(ctx, changed, most)
	if err != nil {
		return nil, err
	}
	// If nothing has changed since, everything comes from one snapshot.
	if _, err := c.FleetMark(ctx, craton.FleetOptions{Known: now.Tag}); !craton.IsUnchanged(err) {
		return nil, errAll
	}
	if err := old.Check(); err != nil {
		return nil, err
	}
	return &builder{o: *o, f: l.f, texts: &texts{old.Reader(), x, fresh}}, nil
}

// manner returns the part of a tag that depends on how and by whom the fleet was requested: for another role, the log
// and the fleet are different.
func manner(tag string) string { return tag[strings.LastIndexByte(tag, '.')+1:] }

// changedDevices returns the devices that were changed after a revision, if nothing else relevant was.
func changedDevices(ctx context.Context, c *craton.Client, revision string, most int) (map[int]Kind, error) {
	changed, rows := map[int]Kind{}, 0
	for one, err := range c.Changes(ctx, craton.ChangeOptions{After: revision}) {
		if err != nil {
			return nil, err
		}
		if rows++; rows > 4*most {
			return nil, errAll
		}
		switch one.Kind {
		case schema.Network.Name, schema.NetworkInterface.Name, schema.User.Name:
			continue
		case schema.Host.Name, schema.NetworkDevice.Name:
		default:
			return nil, errAll
		}
		id, ok := one.ID.(float64)
		if !ok {
			return nil, errAll
		}
		kind := HostKind
		if one.Kind == schema.NetworkDevice.Name {
			kind = NetworkDeviceKind
		}
		if changed[int(id)] = kind; len(changed) > most {
			return nil, errAll
		}
	}
	return changed, nil
}

// renew reads devices again, with all their descendants and ancestors, whose variables are not cached. Devices that
// were read have variables, all others do not.
func (l *loader) renew(ctx context.Context, changed map[int]Kind, most int) (fresh map[int]bool, err error) {
	f := l.f
	if l.chosen, err = selectPlaces(f, l.o); err != nil {
		return nil, err
	}
	queue := maps.Clone(changed)
	for grown := true; grown; {
		grown = false
		for id, d := range f.Devices {
			if _, above := queue[d.ParentID]; above {
				if _, known := queue[id]; !known {
					queue[id], grown = d.Kind, true
				}
			}
		}
	}
	for id := range queue {
		delete(f.Devices, id)
	}
	f.Hosts = slices.DeleteFunc(f.Hosts, func(d *Device) bool { return f.Devices[d.ID] == nil })
	fresh = map[int]bool{}
	for asked := len(queue); len(queue) > 0; asked += len(queue) {
		if asked > most {
			return nil, errAll
		}
		if err := l.readFresh(ctx, queue); err != nil {
			return nil, err
		}
		for id := range queue {
			fresh[id] = true
		}
		next := map[int]Kind{}
		for id := range queue {
			if d := f.Devices[id]; d != nil && d.ParentID != 0 && !fresh[d.ParentID] {
				next[d.ParentID] = d.ParentKind
			}
		}
		queue = next
	}
	f.Hosts = slices.DeleteFunc(f.Hosts, func(d *Device) bool { return fresh[d.ID] })
	for id := range fresh {
		d := f.Devices[id]
		if d == nil || !slices.Contains(l.kinds(), d.Kind) {
			continue
		}
		if d.Labels == nil && (l.o.needsLabels(d.Kind) || len(l.o.Labels) > 0) {
			return nil, errAll
		}
		if l.chosen.match(d, l.o) {
			f.Hosts = append(f.Hosts, d)
		}
	}
	l.sortHosts()
	if err := l.checkWords(ctx); err != nil {
		return nil, err
	}
	if reading.CheckHostCount(len(f.Hosts), l.o.ExpectAtLeast) != nil {
		return nil, errAll
	}
	return fresh, l.sameProjects(ctx)
}

// readFresh reads devices one by one, with up to Options.Streams concurrent requests.
func (l *loader) readFresh(ctx context.Context, ids map[int]Kind) error {
	g, ctx := l.group(ctx)
	for id, kind := range ids {
		g.Go(func() error {
			return l.readOne(ctx, kind, id, func(found []Device) {
				for i := range found {
					l.f.Devices[found[i].ID] = &found[i]
				}
			})
		})
	}
	return g.Wait()
}

// sameProjects checks that the hosts' projects, and their variables, are the cached ones. The change log does not show
// changes of a project to callers that may not read it.
func (l *loader) sameProjects(ctx context.Context) error {
	for _, d := range l.f.Hosts {
		if r := l.f.Regions[d.RegionID]; r == nil || r.CloudID != d.CloudID || r.ProjectID != d.ProjectID {
			return errAll // its project's variables can only be derived from the complete set
		}
	}
	known := l.f.Projects
	l.f.Projects = map[string]Variables{}
	if err := l.readProjects(ctx); err != nil {
		return err
	}
	if !maps.EqualFunc(known, l.f.Projects, slices.Equal[Variables]) {
		return errAll
	}
	return nil
}

// texts are those of a cached document.
type texts struct {
	document io.ReaderAt
	index    *index
	fresh    map[int]bool // hosts whose text has changed
}

// find returns the text of a host, if it is unchanged.
func (t *texts) find(d *Device) *hostText {
	if t == nil || t.fresh[d.ID] {
		return nil
	}
	return t.index.find(d.ID)
}

// renewedHosts are the hosts of a builder that has texts.
type renewedHosts struct{ *builder }

// Copied makes them an [ansible.Copier].
func (b renewedHosts) Copied(i int) (lines io.Reader, places []ansible.Place) {
	first := b.texts.find(b.hosts[i].device)
	if first == nil {
		return nil, nil
	}
	begin := first.End - int64(first.Size) - int64(len(jsontext.AppendUTF8(nil, b.hosts[i].name))) - 1 // the colon
	for at := first; ; {
		places = append(places, ansible.Place{End: at.End - begin, Size: at.Size})
		if i++; i == len(b.hosts) {
			break
		}
		next := b.texts.find(b.hosts[i].device)
		if next == nil || next.at != at.at+1 {
			break
		}
		at = next
	}
	return io.NewSectionReader(b.texts.document, begin, places[len(places)-1].End), places
}
