package inventory

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// node is a place to which devices refer. The original server allows a device in a region of another cloud, or in a
// cell of another region (the v1 contract §1.5, hole 8); such a cell has a group of its own, in the region to which the
// device refers, so that membership and inheritance follow the device's own ids.
type node struct{ cloud, region, cell int }

// placeGroup is the group of a place, with its variables in layered form.
type placeGroup struct {
	*ansible.Group
	place *Place
}

// grouper creates the groups.
type grouper struct {
	*ansible.Grouper
	f       *Fleet
	o       *Options
	nodes   map[node]*placeGroup
	places  []*placeGroup
	project *ansible.Group // of all hosts, above the places; nil without one
}

func newGrouper(f *Fleet, o *Options) *grouper {
	return &grouper{Grouper: ansible.NewGrouper(o.GroupNames), f: f, o: o, nodes: map[node]*placeGroup{}}
}

// addProject creates the group of all hosts, in both forms, so that group_vars has the same precedence in both.
func (g *grouper) addProject() error {
	if g.o.ProjectGroup == "" || len(g.o.Groups) == 0 {
		return nil
	}
	g.project = &ansible.Group{Name: g.o.ProjectGroup, What: "the group of all hosts (project_group)", Help: "set project_group to another name"}
	return g.Add(g.project)
}

// groups creates the groups of hosts that are sorted by name.
func (g *grouper) groups(b *builder) ([]*ansible.Group, error) {
	if err := g.addProject(); err != nil {
		return nil, err
	}
	if err := g.addPlaces(); err != nil {
		return nil, err
	}
	for i := range b.hosts {
		if err := g.addHost(int32(i), b.hosts[i].device); err != nil {
			return nil, err
		}
	}
	if g.project != nil {
		for _, p := range g.places {
			if !p.IsChild() {
				g.Nest(g.project, p.Group)
			}
		}
	}
	return g.Groups(b, func(i int) string { return b.hosts[i].device.String() })
}

// addPlaces creates the groups of the places that the filters select, with or without hosts, and of the places around
// them.
func (g *grouper) addPlaces() error {
	if g.f.limited || !g.o.has(CloudGroups) && !g.o.has(RegionGroups) && !g.o.has(CellGroups) {
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

// sortedPlaces returns them by id, so that the same fleet has the same errors.
func sortedPlaces(all map[int]*Place) []*Place {
	sorted := make([]*Place, 0, len(all))
	for _, p := range all {
		sorted = append(sorted, p)
	}
	slices.SortFunc(sorted, func(a, b *Place) int { return a.ID - b.ID })
	return sorted
}

// node returns the group of a place, created with those of the places around it; nil if no such groups are wanted. by
// is the device that refers to the place, nil for the place itself.
func (g *grouper) node(n node, by *Device) (*placeGroup, error) {
	made, ok := g.nodes[n]
	if ok {
		return made, nil
	}
	var upper node
	var kind GroupKind
	one := &placeGroup{Group: &ansible.Group{}}
	cloud, elsewhere := g.f.Clouds[n.cloud], ""
	switch {
	case n.cell != 0:
		kind, upper, one.place = CellGroups, node{n.cloud, n.region, 0}, g.f.Cells[n.cell]
		region := g.f.Regions[n.region]
		one.Name = ansible.GroupName(g.o.GroupNames, string(kind), cloud.Name, region.Name, one.place.Name)
		if one.place.RegionID != n.region || region.CloudID != n.cloud {
			elsewhere = fmt.Sprintf("region %q of cloud %q", region.Name, cloud.Name)
		}
	case n.region != 0:
		kind, upper, one.place = RegionGroups, node{n.cloud, 0, 0}, g.f.Regions[n.region]
		one.Name = ansible.GroupName(g.o.GroupNames, string(kind), cloud.Name, one.place.Name)
		if one.place.CloudID != n.cloud {
			elsewhere = fmt.Sprintf("cloud %q", cloud.Name)
		}
	default:
		kind, one.place = CloudGroups, cloud
		one.Name = ansible.GroupName(g.o.GroupNames, string(kind), cloud.Name)
	}
	one.Setting, one.What = string(kind), fmt.Sprintf("%s %s", kind, one.place)
	if elsewhere != "" {
		one.What += fmt.Sprintf(" in %s, according to %s", elsewhere, by)
		one.Help = "delete that device and create it in a region and a cell that belong together"
	}
	var in *placeGroup
	if upper != (node{}) {
		var err error
		if in, err = g.node(upper, by); err != nil {
			return nil, err
		}
	}
	if !g.o.has(kind) {
		g.nodes[n] = in // its hosts and children are in the group above
		return in, nil
	}
	if err := g.Add(one.Group); err != nil {
		return nil, err
	}
	if in != nil {
		g.Nest(in.Group, one.Group)
	}
	g.nodes[n], g.places = one, append(g.places, one)
	return one, nil
}

// addHost adds a host to its groups.
func (g *grouper) addHost(i int32, d *Device) error {
	in, err := g.node(node{d.CloudID, d.RegionID, d.CellID}, d)
	if err != nil {
		return err
	}
	switch {
	case in != nil:
		in.Hosts = append(in.Hosts, i)
	case g.project != nil:
		g.project.Hosts = append(g.project.Hosts, i)
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

// member adds a host to the group of a word.
func (g *grouper) member(i int32, kind GroupKind, what, word string) error {
	return g.Join(i, string(kind), word, func() (string, string) {
		name := word // active, inactive
		if kind != ActiveGroups {
			name = ansible.GroupName(g.o.GroupNames, string(kind), word)
		}
		return name, fmt.Sprintf("%s %q", what, word)
	})
}

// parent adds a host to the group of its parent's children.
func (g *grouper) parent(i int32, p *Device) error {
	return g.Join(i, string(ParentGroups), strconv.Itoa(p.ID), func() (string, string) {
		return ansible.GroupName(g.o.GroupNames, "parent", g.f.cloudName(p.CloudID), g.f.regionName(p.RegionID), p.Name), "parent " + p.String()
	})
}
