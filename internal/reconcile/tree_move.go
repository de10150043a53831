package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// Naming determines the names of devices in the inventory (the setting hostname), and whether it contains network
// devices.
type Naming struct {
	Hostname       string // "name" or "", "ip_address", or "qualified", which is always unique
	NetworkDevices bool
}

// of returns the name of a device in the inventory; "" if the inventory does not contain it, or if the name includes
// its place.
func (n Naming) of(k *schema.Kind, title, address any) string {
	name, _ := title.(string)
	switch {
	case n.Hostname == "qualified" || k != schema.Host && (k != schema.NetworkDevice || !n.NetworkDevices):
		return ""
	case n.Hostname == schema.Host.Field("ip_address").Key:
		name, _ = address.(string)
	}
	return name
}

// key returns the filter of a listing for names in the inventory.
func (n Naming) key() string {
	if n.Hostname == schema.Host.Field("ip_address").Key {
		return n.Hostname
	}
	return schema.Host.Title
}

// nameOf returns the name of an existing object in the inventory.
func (n Naming) nameOf(r *Found) string {
	return n.of(r.Kind, r.Object[r.Kind.Title], r.Object["ip_address"])
}

// renamed returns the objects of a tree whose name in the inventory changes.
func (n Naming) renamed(w *Wanted, r *Found) (name string) {
	address, given := w.Values["ip_address"]
	if !given && r != nil {
		address = r.Object["ip_address"]
	}
	if name = n.of(w.Kind, w.Name, address); r != nil && name == n.nameOf(r) {
		return ""
	}
	return name
}

// loadOtherNames reads which other objects have the inventory names of the tree's devices, and finds those to be moved.
func (l *loader) loadOtherNames(ctx context.Context) error {
	o := l.options
	if o.AllowDuplicates && !o.Move {
		return nil
	}
	names := map[string]bool{}
	wanted := map[*Found]bool{}
	records := finder{state: l.state}
	var lacking []*Wanted
	for _, w := range l.tree.Objects {
		if !isDevice(w.Kind) {
			continue
		}
		r := records.find(w)
		if r != nil {
			wanted[r] = true
		}
		if name := o.Inventory.renamed(w, r); name != "" {
			names[name] = true
			lacking = append(lacking, w)
		}
	}
	if len(names) == 0 {
		return nil
	}
	if err := l.all(ctx, l.named(ctx, names)); err != nil {
		return err
	}
	l.state.named = map[string][]*Found{}
	clouds := map[any]bool{}
	for _, r := range l.state.byID[schema.Host] {
		if name := o.Inventory.nameOf(r); names[name] {
			l.state.named[name] = append(l.state.named[name], r)
			if !wanted[r] && r.Object["cell_id"] != nil && l.state.byID[schema.Cell][r.Object["cell_id"]] == nil {
				clouds[r.Object["cloud_id"]] = true
			}
		}
	}
	if len(clouds) > 0 {
		if err := l.all(ctx, []listing{l.list(schema.Cell, own)}); err != nil { // for the names of places
			return err
		}
	}
	for _, all := range l.state.named {
		slices.SortFunc(all, func(a, b *Found) int { return strings.Compare(l.state.fullPath(a), l.state.fullPath(b)) })
	}
	taken := map[*Found]bool{}
	for _, w := range lacking {
		if records.find(w) != nil {
			continue
		}
		name := o.Inventory.renamed(w, nil)
		others := slices.DeleteFunc(slices.Clone(l.state.named[name]), func(r *Found) bool { return wanted[r] || taken[r] || r.name() != w.Name })
		if len(others) == 1 && others[0].Kind == w.Kind {
			l.state.strays[w] = others[0]
			if o.Move && l.state.canMove() {
				l.state.moved[w], taken[others[0]] = others[0], true
			}
		}
	}
	return nil
}

// named returns the listings that contain all devices with certain names in the inventory.
func (l *loader) named(ctx context.Context, names map[string]bool) (reads []listing) {
	if l.state.regions[nil] {
		return nil
	}
	if len(names) > maxLookups {
		l.state.regions[nil] = true
		if l.streams(ctx) {
			return []listing{l.stream(nil)}
		}
		return []listing{l.list(schema.Device, own)}
	}
	key := l.options.Inventory.key()
	for name := range names {
		reads = append(reads, func(ctx context.Context) ([]*Found, error) { return l.called(ctx, schema.Host, Filters{key: name}) })
	}
	return reads
}

// checkDuplicates reports devices of a tree that would get the name of another device in the inventory.
func (p *planner) checkDuplicates(t *Tree, steps []*treeStep, bad *Problems) {
	o := p.options
	if o.AllowDuplicates {
		return
	}
	ours := map[string]*treeStep{}
	for _, st := range steps {
		w := st.want
		if !isDevice(w.Kind) {
			continue
		}
		name := o.Inventory.renamed(w, st.have)
		if name == "" {
			continue
		}
		bad.File = w.File
		if other := ours[name]; other != nil {
			where := other.want.where(w.File)
			if where != "" {
				where = ", " + where
			}
			bad.AddDuplicate(w, w.Line, w.Path, other.want.Qualified(), fmt.Sprintf("%s is also the inventory name of the %s %s%s", PathName(name), other.want.Noun, value.ShownPath(other.want.Qualified()), where), twinAdvice)
			continue
		}
		ours[name] = st
		stays := func(r *Found) bool { // it gets the name
			other := p.byRecord[r]
			return r != st.have && (other == nil || o.Inventory.renamed(other.want, r) == "")
		}
		staying := slices.DeleteFunc(slices.Clone(p.state.named[name]), func(r *Found) bool { return !stays(r) })
		if len(staying) == 0 {
			continue
		}
		other := staying[0]
		at := value.ShownPath(strings.TrimSuffix(p.state.fullPath(other), "/"+value.Path(other.name())))
		switch {
		case p.state.strays[w] != other:
			what := fmt.Sprintf("%s is the inventory name of the %s %s", PathName(name), other.Kind.Noun(), value.ShownPath(p.state.fullPath(other)))
			if o.Move && st.have == nil {
				what += whyNotMoved(w, staying)
			}
			bad.AddDuplicate(w, w.Line, w.Path, p.state.fullPath(other), what, twinAdvice)
		case p.state.canMove():
			const do = "--move (in a task move: true) moves it, --allow-duplicates (allow_duplicates: true) creates a second one"
			bad.refuse(w.Line, w.Path, refusal{reason: ReasonElsewhere, of: w, other: p.state.fullPath(other), what: fmt.Sprintf("%s %s exists at %s: move it?", other.Kind.Noun(), PathName(other.name()), at), do: do})
		default:
			bad.refuse(w.Line, w.Path, refusal{reason: ReasonElsewhere, of: w, other: p.state.fullPath(other), what: fmt.Sprintf("%s %s exists at %s, and this server cannot move it", other.Kind.Noun(), PathName(other.name()), at),
				do: "delete it there, or create a second one with --allow-duplicates (in a task allow_duplicates: true)"})
		}
	}
}

// whyNotMoved returns why --move moves none of the devices with the name of a device in the tree.
func whyNotMoved(w *Wanted, others []*Found) string {
	switch other := others[0]; {
	case len(others) > 1:
		return fmt.Sprintf(", and of %d more: --move cannot choose one of them", len(others)-1)
	case other.Kind != w.Kind:
		return fmt.Sprintf(", which --move cannot turn into a %s", w.Noun)
	case other.name() != w.Name:
		return ", which has another name: --move does not rename objects"
	}
	return ", which is in another place in the file"
}

// where describes the place of an object, for an error about another one in a file.
func (w *Wanted) where(file string) string {
	switch {
	case w.Line == 0:
		return ""
	case w.File != file:
		return fmt.Sprintf("%s:%d", w.File, w.Line)
	}
	return fmt.Sprintf("on line %d", w.Line)
}

const twinAdvice = "rename one, or have the inventory name hosts by their paths (hostname: qualified) and allow both with --allow-duplicates (in a task allow_duplicates: true)"

// canMove reports whether the server moves objects.
func (s *state) canMove() bool {
	if s.moves == nil {
		return false
	}
	return s.moves()
}

// fullPath returns cloud, region, cell and name of an object, as far as they are visible.
func (s *state) fullPath(r *Found) string {
	path := s.path(r)
	if cell := s.byID[schema.Cell][r.Object["cell_id"]]; cell != nil {
		path = slices.Insert(path, len(path)-1, cell.name())
	}
	return value.Path(path...)
}
