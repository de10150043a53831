package inventory

import (
	"fmt"
	"slices"
	"strings"
)

// group is a group of the inventory.
type group struct {
	name     string
	what     string   // the object it stands for, for errors
	setting  string   // the setting that leaves such groups out
	children []string // sorted
	hosts    []int32  // indexes of Document.hosts, ascending, so that names are sorted
	place    *Place   // whose variables it carries in layered form; nil for none
	level    level    // of place
	total    int      // hosts in it and below
	child    bool     // it is the child of another
	odd      bool     // a place as a device names it that is elsewhere
}

// node is a place as devices name it. The original lets a device name a region of another cloud, or a cell of another
// region (the v1 contract §1.5, hole 8); such a cell is a group of its own, in the region that the device names, so that
// membership and inheritance follow the device's own ids.
type node struct{ cloud, region, cell int }

// grouper makes the groups.
type grouper struct {
	f      *Fleet
	o      *Options
	byName map[string]*group
	nodes  map[node]*group
	others map[other]*group
}

// other is what a plain group stands for: a word, or a device.
type other struct {
	kind GroupKind
	word string
	id   int
}

// groups makes the groups of an inventory whose hosts are sorted by name.
func groups(f *Fleet, o *Options, hosts []host) ([]*group, error) {
	g := &grouper{f: f, o: o, byName: map[string]*group{}, nodes: map[node]*group{}, others: map[other]*group{}}
	if err := g.addPlaces(); err != nil {
		return nil, err
	}
	for i := range hosts {
		if err := g.addHost(int32(i), hosts[i].device); err != nil {
			return nil, err
		}
	}
	all := make([]*group, 0, len(g.byName))
	for _, one := range g.byName {
		slices.Sort(one.children)
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *group) int { return strings.Compare(a.name, b.name) })
	g.count(all)
	return all, g.checkHosts(hosts)
}

// addPlaces makes the groups of the places that the filters leave, with or without hosts, and of what they are in.
func (g *grouper) addPlaces() error {
	if !g.o.has(CloudGroups) && !g.o.has(RegionGroups) && !g.o.has(CellGroups) {
		return nil
	}
	if err := g.f.checkPlaces(); err != nil {
		return err
	}
	chosen, err := selectPlaces(g.f, g.o)
	if err != nil {
		return err
	}
	inCloud := func(id int) bool { return chosen.clouds == nil || chosen.clouds[id] }
	inRegion := func(r *Place) bool {
		return inCloud(r.CloudID) && (chosen.regions == nil || chosen.regions[r.ID])
	}
	for _, c := range sortedPlaces(g.f.Cells) {
		r := g.f.Regions[c.RegionID]
		if !inRegion(r) || chosen.cells != nil && !chosen.cells[c.ID] {
			continue
		}
		if _, err := g.node(node{r.CloudID, r.ID, c.ID}, nil); err != nil {
			return err
		}
	}
	for _, r := range sortedPlaces(g.f.Regions) {
		if chosen.cells == nil && inRegion(r) {
			if _, err := g.node(node{r.CloudID, r.ID, 0}, nil); err != nil {
				return err
			}
		}
	}
	for _, c := range sortedPlaces(g.f.Clouds) {
		if chosen.cells == nil && chosen.regions == nil && inCloud(c.ID) {
			if _, err := g.node(node{c.ID, 0, 0}, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// sortedPlaces gives them by id, so that the same fleet has the same errors.
func sortedPlaces(all map[int]*Place) []*Place {
	sorted := make([]*Place, 0, len(all))
	for _, p := range all {
		sorted = append(sorted, p)
	}
	slices.SortFunc(sorted, func(a, b *Place) int { return a.ID - b.ID })
	return sorted
}

// node gives the group of a place, made with what it is in; nil when no such groups are wanted. by is the device that
// names the place, nil for the place itself.
func (g *grouper) node(n node, by *Device) (*group, error) {
	made, ok := g.nodes[n]
	if ok {
		return made, nil
	}
	var upper node
	var kind GroupKind
	one := &group{}
	cloud := g.f.Clouds[n.cloud]
	switch {
	case n.cell != 0:
		kind, upper, one.place, one.level = CellGroups, node{n.cloud, n.region, 0}, g.f.Cells[n.cell], levelCell
		region := g.f.Regions[n.region]
		one.name = groupName(g.o.GroupNames, "cell", cloud.Name, region.Name, one.place.Name)
		if one.place.RegionID != n.region || region.CloudID != n.cloud {
			one.odd = true
			one.what = fmt.Sprintf(" as %s names it, in region %q of cloud %q", by, region.Name, cloud.Name)
		}
	case n.region != 0:
		kind, upper, one.place, one.level = RegionGroups, node{n.cloud, 0, 0}, g.f.Regions[n.region], levelRegion
		one.name = groupName(g.o.GroupNames, "region", cloud.Name, one.place.Name)
		if one.place.CloudID != n.cloud {
			one.odd = true
			one.what = fmt.Sprintf(" as %s names it, in cloud %q", by, cloud.Name)
		}
	default:
		kind, one.place, one.level = CloudGroups, cloud, levelCloud
		one.name = groupName(g.o.GroupNames, "cloud", cloud.Name)
	}
	one.what = fmt.Sprintf("%s %s%s", kind, one.place, one.what)
	var in *group
	if upper != (node{}) {
		var err error
		if in, err = g.node(upper, by); err != nil {
			return nil, err
		}
	}
	if !g.o.has(kind) {
		g.nodes[n] = in // its hosts and children go up
		return in, nil
	}
	if err := g.add(one, kind); err != nil {
		return nil, err
	}
	if in != nil {
		in.children = append(in.children, one.name)
		one.child = true
	}
	g.nodes[n] = one
	return one, nil
}

// add keeps a group under a name that no other may have.
func (g *grouper) add(one *group, kind GroupKind) error {
	one.setting = string(kind)
	if other := g.byName[one.name]; other != nil {
		help := "rename one of them"
		if one.odd || other.odd {
			help = "create that device anew with a region and a cell that belong together"
		} else if g.o.GroupNames != Exact {
			help += ", or set group_names to exact"
		}
		return fmt.Errorf("%s and %s both make the group %q; %s", other.what, one.what, one.name, help)
	}
	g.byName[one.name] = one
	return nil
}

// addHost puts a host into its groups.
func (g *grouper) addHost(i int32, d *Device) error {
	in, err := g.node(node{d.CloudID, d.RegionID, d.CellID}, d)
	if err != nil {
		return err
	}
	if in != nil {
		in.hosts = append(in.hosts, i)
	}
	for _, kind := range g.o.Groups {
		switch kind {
		case LabelGroups:
			for _, label := range d.Labels {
				if err = g.member(i, kind, "label", label); err != nil {
					return err
				}
			}
		case TypeGroups:
			err = g.member(i, kind, "device type", d.DeviceType)
		case ActiveGroups:
			err = g.member(i, kind, "activity", map[bool]string{true: "active", false: "inactive"}[d.Active])
		case KindGroups:
			err = g.member(i, kind, "kind", d.Kind.String())
		case ParentGroups:
			if p := g.f.Devices[d.ParentID]; p != nil {
				err = g.parent(i, p)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// member puts a host into a plain group, of a word.
func (g *grouper) member(i int32, kind GroupKind, what, word string) error {
	return g.join(i, other{kind: kind, word: word}, func() (string, string) {
		name := word // active, inactive
		if kind != ActiveGroups {
			name = groupName(g.o.GroupNames, string(kind), word)
		}
		return name, fmt.Sprintf("%s %q", what, word)
	})
}

// parent puts a host into the group of its parent's children.
func (g *grouper) parent(i int32, p *Device) error {
	return g.join(i, other{kind: ParentGroups, id: p.ID}, func() (string, string) {
		return groupName(g.o.GroupNames, "parent", g.f.cloudName(p.CloudID), g.f.regionName(p.RegionID), p.Name), "parent " + p.String()
	})
}

// join puts a host into a plain group, which describe names when it is new.
func (g *grouper) join(i int32, key other, describe func() (name, what string)) error {
	one := g.others[key]
	if one == nil {
		one = &group{}
		one.name, one.what = describe()
		if err := g.add(one, key.kind); err != nil {
			return err
		}
		g.others[key] = one
	}
	one.hosts = append(one.hosts, i)
	return nil
}

// count finds how many hosts each group has, those of its children included. Place groups form a tree in which
// every host stands once; the others have no children.
func (g *grouper) count(all []*group) {
	var total func(*group) int
	total = func(one *group) int {
		one.total = len(one.hosts)
		for _, child := range one.children {
			one.total += total(g.byName[child])
		}
		return one.total
	}
	for _, one := range all {
		if !one.child {
			total(one)
		}
	}
}

// checkHosts refuses a host that is called like a group: Ansible would mix them up. The names that Ansible gives to
// groups of its own count as well.
func (g *grouper) checkHosts(hosts []host) error {
	for i := range hosts {
		name, d := hosts[i].name, hosts[i].device
		what := ""
		if one := g.byName[name]; one != nil {
			what = fmt.Sprintf("the group of %s (groups, without %s, leaves it out)", one.what, one.setting)
		} else if name == "all" || name == "ungrouped" {
			what = "a group that Ansible always has"
		} else {
			continue
		}
		return fmt.Errorf("%s has the same name in the inventory as %s; rename it, or set hostname to another form", d, what)
	}
	return nil
}
