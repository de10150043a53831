package inventory

import (
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
)

// Membership is what the inventory makes of one device.
type Membership struct {
	Name   string   // its name in the inventory
	Groups []Member // its groups, by name; including groups of groups
	Filter string   // the setting that excludes it, with no groups then; "" if none does
}

// Member is a group that a device is in.
type Member struct {
	Name string
	Kind GroupKind // "" for the group of all hosts
	Of   string    // the label, the device type, the parent's id, ...; "" for a place
}

// MembershipOf returns what the inventory with some options makes of a device, given the names of its cloud, region and
// cell, if any. Only filters of places and of variables, and groups of parents, need requests. It also returns an error
// for names that no inventory accepts.
func MembershipOf(ctx context.Context, c *craton.Client, o Options, d *Device, cloud, region, cell string) (*Membership, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	l := newLoader(c, &o)
	l.maxByID = math.MaxInt
	l.f.limited, l.f.Hosts, l.f.Devices[d.ID] = true, []*Device{d}, d
	l.f.Clouds[d.CloudID] = &Place{ID: d.CloudID, Name: cloud}
	l.f.Regions[d.RegionID] = &Place{ID: d.RegionID, Name: region, CloudID: d.CloudID}
	if d.CellID != 0 {
		l.f.Cells[d.CellID] = &Place{ID: d.CellID, Name: cell, CloudID: d.CloudID, RegionID: d.RegionID}
	}
	m := &Membership{}
	if d.Kind == NetworkDeviceKind && !o.NetworkDevices {
		m.Name, m.Filter = l.f.hostName(d, o.Hostname), "network_devices"
		return m, nil
	}
	if o.filtersPlaces() || o.has(ParentGroups) {
		if err := l.readPlaces(ctx); err != nil {
			return nil, err
		}
	}
	if o.has(ParentGroups) {
		if err := l.readParents(ctx); err != nil {
			return nil, err
		}
	}
	b := &builder{o: o, f: l.f}
	err := b.nameHosts()
	if err == nil {
		m.Name = b.hosts[0].name
		m.Filter, err = l.excludingFilter(ctx, d)
	}
	if err != nil || m.Filter != "" {
		return m, err
	}
	groups, err := newGrouper(l.f, &o).groups(b)
	for _, g := range groups {
		m.Groups = append(m.Groups, Member{g.Name, GroupKind(g.Setting), g.Of})
	}
	return m, err
}

// DeviceOf converts a device from the API, with these labels, and without its variables.
func DeviceOf(kind Kind, o craton.Object, labels []string) *Device {
	id := func(key string) int {
		n, _ := strconv.Atoi(o.Text(key)) // 0: none
		return n
	}
	labels = append([]string{}, labels...) // nil would mean that they were not requested
	slices.Sort(labels)
	return &Device{
		ID: id("id"), Kind: kind, Active: o.Text("active") == "true", Name: o.Text(kinds[kind].Title), IPAddress: o.Text("ip_address"), DeviceType: o.Text("device_type"),
		CloudID: id("cloud_id"), RegionID: id("region_id"), CellID: id("cell_id"), ParentID: id("parent_id"), ProjectID: projectID(o.Text("project_id")),
		ParentKind: parentKind(id("parent_id"), string(o["links"])), Labels: labels,
	}
}

// KindOf returns the kind of device for a kind of object; ok is false for others.
func KindOf(k *schema.Kind) (kind Kind, ok bool) {
	i := slices.Index(kinds[:], k)
	return Kind(max(i, 0)), i >= 0 //nolint:gosec // there are two
}
