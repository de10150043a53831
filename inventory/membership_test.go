package inventory

import (
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/inventory/internal/ansible/ansibletest"
)

// groupsOf returns the groups of a document that a host is in, by itself or by their children.
func groupsOf(d *ansibletest.Document, host string) []string {
	in := map[string]bool{}
	for changed := true; changed; {
		changed = false
		for name, g := range d.Groups {
			if name == "all" || name == "ungrouped" || in[name] {
				continue
			}
			if slices.Contains(g.Hosts, host) || slices.ContainsFunc(g.Children, func(child string) bool { return in[child] }) {
				in[name], changed = true, true
			}
		}
	}
	names := []string{}
	for name := range in {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// TestMembership: a device alone is in the groups that the whole inventory puts it into, and is kept out by the filters
// that do so there.
func TestMembership(t *testing.T) {
	t.Parallel()
	all := []GroupKind{CloudGroups, RegionGroups, CellGroups, LabelGroups, TypeGroups, ActiveGroups, KindGroups, ParentGroups}
	for name, change := range map[string]func(*Options){
		"default":         func(*Options) {},
		"exact":           func(o *Options) { o.GroupNames = Exact },
		"qualified":       func(o *Options) { o.Hostname = Qualified },
		"ip_address":      func(o *Options) { o.Hostname = ByIPAddress },
		"all groups":      func(o *Options) { o.Groups, o.NetworkDevices = all, true },
		"cells":           func(o *Options) { o.Groups = []GroupKind{CellGroups} },
		"no groups":       func(o *Options) { o.Groups = nil },
		"no project":      func(o *Options) { o.ProjectGroup = "" },
		"in a cloud":      func(o *Options) { o.Clouds = []string{"east"} },
		"in a cell":       func(o *Options) { o.Cells = []string{"west-2/ord/c1"} },
		"by id":           func(o *Options) { o.Cells = []string{"3", "1"} },
		"labels":          func(o *Options) { o.Labels = []string{"web", "db"} },
		"labels, no more": func(o *Options) { o.Labels, o.Groups = []string{"web"}, nil },
		"types":           func(o *Options) { o.DeviceTypes = []string{"bastion"} },
		"active":          func(o *Options) { o.ActiveOnly = true },
		"variables":       func(o *Options) { o.VarsFilter = `mtu:9000` },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := DefaultOptions()
			change(&o)
			f := believable()
			document, err := ansibletest.Read(f.document(t, o))
			if err != nil {
				t.Fatal(err)
			}
			names := map[string]string{} // of places
			for _, list := range []string{"clouds", "regions", "cells"} {
				for _, one := range f.lists[list] {
					names[list+strconv.Itoa(one.id())] = one["name"].(string)
				}
			}
			for kind := HostKind; kind <= NetworkDeviceKind; kind++ {
				for _, one := range f.lists[kind.key()] {
					object, err := f.client().Collection(craton.Kind(kind.String())).Get(t.Context(), strconv.Itoa(one.id()))
					if err != nil {
						t.Fatal(err)
					}
					d := DeviceOf(kind, *object, f.labels[one.id()])
					m, err := MembershipOf(t.Context(), f.client(), o, d, names["clouds"+object.Text("cloud_id")], names["regions"+object.Text("region_id")], names["cells"+object.Text("cell_id")])
					if err != nil {
						t.Fatal(err)
					}
					got := []string{}
					for _, g := range m.Groups {
						got = append(got, g.Name)
					}
					_, in := document.Hostvars[m.Name]
					if in == (m.Filter != "") {
						t.Errorf("%s: in the inventory %v, kept out by %q", d, in, m.Filter)
					}
					if diff := cmp.Diff(groupsOf(document, m.Name), got); in && diff != "" {
						t.Errorf("%s (-inventory +membership):\n%s", d, diff)
					}
				}
			}
		})
	}
}

// TestMembershipOfNone: names that no inventory takes are errors.
func TestMembershipOfNone(t *testing.T) {
	t.Parallel()
	f := believable()
	d := &Device{ID: 1, CloudID: 1, RegionID: 1, Name: "a b\n"}
	if m, err := MembershipOf(t.Context(), f.client(), DefaultOptions(), d, "east", "dfw", ""); err == nil {
		t.Errorf("%+v", m)
	}
	if len(f.asked()) != 0 {
		t.Errorf("%q", f.asked())
	}
}
