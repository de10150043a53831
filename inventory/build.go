package inventory

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// level is one of the places above devices, nearest first.
type level uint8

const (
	levelCell level = iota
	levelRegion
	levelCloud
	levelProject
	levels
)

// host is a host of the document.
type host struct {
	name   string
	device *Device
	base   *base
	above  Variables // of its ancestors, merged; shared with its siblings
}

// base has what the hosts of one cell, or of one region without a cell, share: the variables of their cell, region,
// cloud and project, merged and encoded once.
type base struct{ entries []entry }

// entry is a variable of a base.
type entry struct {
	name   string
	text   string // "name":value, as written
	inHost bool   // it is written into hosts; otherwise a group has it
}

// Document is an inventory that is ready to be written: all names are decided, and only writing can fail.
type Document = ansible.Document

// Graph determines how a tree of groups is written.
type Graph = ansible.Graph

// builder makes the document of a fleet. It then implements [ansible.Hosts] for the document.
type builder struct {
	o       Options
	f       *Fleet
	exclude *ansible.Excluder
	hosts   []host            // sorted by name
	texts   *texts            // of hosts whose encoded variables are cached; nil for none
	inGroup [int(levels)]bool // whose variables are on groups

	once    sync.Once
	added   []string // added to each host
	addedTo []string // added to hosts with an address
}

// Build decides everything about the inventory of a fleet. It is a pure function: the same fleet and options give the
// same document, byte for byte. It returns errors for names that collide or that Ansible does not accept, and for
// variables that Ansible could not load; they name the objects and the setting that helps.
func Build(f *Fleet, o Options) (*Document, error) {
	b := &builder{o: o, f: f}
	return b.build()
}

func (b *builder) build() (*Document, error) {
	if err := b.o.check(); err != nil {
		return nil, err
	}
	if err := cmp.Or(b.f.checkHosts(), b.f.checkNames()); err != nil {
		return nil, err
	}
	b.exclude = ansible.NewExcluder(b.o.ExcludeVariables)
	if err := b.nameHosts(); err != nil {
		return nil, err
	}
	if err := b.checkVariables(); err != nil {
		return nil, err
	}
	g := newGrouper(b.f, &b.o)
	groups, err := g.groups(b)
	if err != nil {
		return nil, err
	}
	b.layer(g)
	b.inherit()
	if b.texts != nil {
		return ansible.NewDocument(renewedHosts{b}, groups, b.o.trust()), nil
	}
	return ansible.NewDocument(b, groups, b.o.trust()), nil
}

// Len, Name and AppendVariables make the builder [ansible.Hosts].

func (b *builder) Len() int { return len(b.hosts) }

func (b *builder) Name(i int) string { return b.hosts[i].name }

func (b *builder) AppendVariables(dst []byte, i int) []byte { return b.appendHost(dst, &b.hosts[i]) }

// nameHosts names and sorts the hosts.
func (b *builder) nameHosts() error {
	parts := b.o.Hostname.parts()
	b.hosts = make([]host, len(b.f.Hosts))
	for i, d := range b.f.Hosts {
		name := b.f.hostName(d, b.o.Hostname)
		if err := ansible.CheckHostName(name, parts); err != nil {
			return advice.With(fmt.Errorf("%s (%s) cannot be in the inventory: its name there is %q, which %w", d, b.f.place(d), name, err), b.otherName(d, name))
		}
		if d.IPAddress != "" && !ansible.IsAddress(d.IPAddress) {
			return advice.With(fmt.Errorf("%s (%s) cannot be in the inventory: Ansible would connect to %q, which is neither a host name nor an address", d, b.f.place(d), d.IPAddress), "correct its ip_address")
		}
		b.hosts[i] = host{name: name, device: d}
	}
	slices.SortFunc(b.hosts, func(x, y host) int {
		if c := strings.Compare(x.name, y.name); c != 0 {
			return c
		}
		return x.device.ID - y.device.ID
	})
	for i := 1; i < len(b.hosts); i++ {
		if x, y := &b.hosts[i-1], &b.hosts[i]; x.name == y.name {
			return b.f.sameName(x.name, x.device, y.device, b.o.Hostname)
		}
	}
	return nil
}

// otherName says what to do about a device that cannot be named in the configured form.
func (b *builder) otherName(d *Device, name string) string {
	help := "rename it"
	if b.o.Hostname == ByIPAddress {
		help = "give it another address"
		if a, err := netip.ParseAddr(name); err == nil && ansible.CheckHostName(a.String(), 1) == nil {
			help = "write its address as " + a.String()
		}
	}
	for _, form := range []Hostname{ByName, ByIPAddress, Qualified} {
		if form != b.o.Hostname && ansible.CheckHostName(b.f.hostName(d, form), form.parts()) == nil {
			return help + ", or set hostname to " + string(form)
		}
	}
	return help
}

// sameName returns the error for two hosts with the same name.
func (f *Fleet) sameName(name string, a, b *Device, form Hostname) error {
	help := "set hostname to qualified"
	if form == Qualified {
		help = "rename one of them"
	}
	return advice.With(fmt.Errorf("two hosts are called %q in the inventory: %s in %s, and %s in %s", name, a, f.place(a), b, f.place(b)), help)
}

// checkVariables checks every variable that the inventory can contain.
func (b *builder) checkVariables() error {
	f := b.f
	seen := map[*Device]bool{} // ancestors
	places := map[*Place]bool{}
	for _, d := range f.Hosts {
		for at := d; at != nil && !seen[at]; at = f.Devices[at.ParentID] {
			if at != d {
				seen[at] = true
			}
			if err := ansible.CheckVariables(at.Variables, at, b.o.ownVariable(), b.exclude, b.o.trust()); err != nil {
				return err
			}
		}
		for i, p := range []*Place{f.Cells[d.CellID], f.Regions[d.RegionID], f.Clouds[d.CloudID]} {
			if p == nil || places[p] {
				continue
			}
			places[p] = true
			if err := ansible.CheckVariables(p.Variables, described{[]string{"cell", "region", "cloud"}[i], p}, b.o.ownVariable(), b.exclude, b.o.trust()); err != nil {
				return err
			}
		}
	}
	for id, v := range f.Projects {
		if err := ansible.CheckVariables(v, described{"project", id}, b.o.ownVariable(), b.exclude, b.o.trust()); err != nil {
			return err
		}
	}
	return nil
}

// described is the description of an object for errors.
type described struct {
	kind string
	what any
}

func (d described) String() string { return fmt.Sprintf("%s %v", d.kind, d.what) }

// layer decides which variables are on groups, and sets those of the groups of places. In layered form each group has
// its place's own variables. The nested groups correspond to the levels of every host in them, so Ansible merges the
// same variables: a deeper group wins whatever its name (contract A5). The project's variables are on the group above
// all places, and never on the group all, whose variables Ansible also gives to the machine on which it runs. Variables
// of a level without groups, and of projects if hosts belong to several, are on the hosts.
func (b *builder) layer(g *grouper) {
	if b.o.Vars != Layered {
		return
	}
	b.inGroup[levelCloud] = b.o.has(CloudGroups)
	b.inGroup[levelRegion] = b.o.has(RegionGroups)
	b.inGroup[levelCell] = b.o.has(CellGroups)
	for _, p := range g.places {
		p.Vars = b.groupVariables(p.place.Variables)
	}
	if b.f.mixed || b.f.projects() != 1 || g.project == nil {
		return
	}
	b.inGroup[levelProject] = true
	g.project.Vars = b.groupVariables(b.f.Projects[b.f.Hosts[0].ProjectID])
}

// projects returns the number of projects that the hosts belong to.
func (f *Fleet) projects() int {
	ids := map[string]bool{}
	for _, d := range f.Hosts {
		ids[d.ProjectID] = true
	}
	return len(ids)
}

// groupVariables returns those variables that can be on a group.
func (b *builder) groupVariables(v Variables) Variables {
	v = b.exclude.Keep(v)
	if _, has := v.Find(ansible.GroupPriority); !has {
		return v
	}
	return slices.DeleteFunc(slices.Clone(v), func(one Variable) bool { return one.Name == ansible.GroupPriority })
}

// inherit sets what each host shares with others.
func (b *builder) inherit() {
	type place struct {
		project             string
		cloud, region, cell int
	}
	bases := map[place]*base{}
	above := map[int]Variables{} // by the parent's id: its variables over those of its own ancestors
	var merged func(id int) Variables
	merged = func(id int) Variables {
		p := b.f.Devices[id]
		if p == nil {
			return nil
		}
		v, known := above[id]
		if !known {
			v = hierarchy.Over(b.exclude.Keep(p.Variables), merged(p.ParentID))
			above[id] = v
		}
		return v
	}
	for i := range b.hosts {
		h := &b.hosts[i]
		d := h.device
		at := place{d.ProjectID, d.CloudID, d.RegionID, d.CellID}
		if bases[at] == nil {
			bases[at] = b.base(d)
		}
		h.base, h.above = bases[at], merged(d.ParentID)
	}
}

// base merges and encodes the variables above a device.
func (b *builder) base(d *Device) *base {
	var own [levels]Variables
	own[levelProject] = b.exclude.Keep(b.f.Projects[d.ProjectID])
	for l, p := range map[level]*Place{levelCloud: b.f.Clouds[d.CloudID], levelRegion: b.f.Regions[d.RegionID], levelCell: b.f.Cells[d.CellID]} {
		if p != nil {
			own[l] = b.exclude.Keep(p.Variables)
		}
	}
	made := &base{}
	var text []byte
	var ends []int
	for one, from := range hierarchy.Merge(own[:]...) {
		text = append(jsontext.AppendUTF8(text, one.Name), ':')
		text = ansible.AppendValue(text, one.Value, b.o.trust())
		ends = append(ends, len(text))
		made.entries = append(made.entries, entry{name: one.Name, inHost: one.Name == ansible.GroupPriority || !b.inGroup[from]})
	}
	kept, from := string(text), 0
	for i, end := range ends {
		made.entries[i].text = kept[from:end]
		from = end
	}
	return made
}
