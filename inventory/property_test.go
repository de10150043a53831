package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/provenance"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
	"github.com/craton-fleet/craton/inventory/internal/ansible/ansibletest"
)

// values are variables' values: all the kinds that get lost, changed or executed somewhere.
var values = []string{
	`null`, `false`, `true`, `0`, `""`, `{}`, `[]`, `1.0`, `-0`, `1e300`, `12345678901234567890123`, `0.1000000000000000055`,
	`"text"`, `"ünïcødé ☃ 𝄞"`, `"\u00e9\ud834\udd1e\n\t\"\\"`, `"<&>"`, `"\u2028"`,
	`"{{ lookup('pipe','id') }}"`, `"{% set x %}"`, `"{# c #}"`, `"\u007b\u007b x }}"`, `"a { b {c"`, `"#jinja2:variable_start_string:'[['\n[[ x ]]"`,
	`["{{ x }}", {"a": "{{ y }}", "{{ key }}": 1}]`, `{"d": {"y": 3}}`, `{"d": {"x": 1, "y": [1, 2, {"z": null}]}}`,
	`[ 1 , [ 2 , "a b" ] ]`, `{"a": "}", "b": "{"}`,
}

var keys = []string{"a", "b", "c", "d", "ntp", "ansible_host", "ansible_group_priority", "ansible_user", "é", "a-b", "z z", `q"uote`}

// drawVars draws an object's own variables.
func drawVars(t *rapid.T) vars {
	v := vars{}
	for range rapid.IntRange(0, 5).Draw(t, "variables") {
		v[rapid.SampledFrom(keys).Draw(t, "key")] = rapid.SampledFrom(values).Draw(t, "value")
	}
	return v
}

// drawFleet draws a small fleet: parents of both kinds in chains, hosts with and without cells, and where broken is
// set ids that do not fit together, several projects, and regions that belong to others.
func drawFleet(t *rapid.T, broken bool) *fake {
	f := newFake()
	f.tells = rapid.Bool().Draw(t, "tells labels")
	f.streams = f.tells && rapid.Bool().Draw(t, "streams")
	projects := []string{project1}
	if broken {
		projects = append(projects, "11111111-2222-4333-8444-555555555555")
	}
	for _, p := range projects {
		f.project(p, drawVars(t))
	}
	var regions, places []object
	for c := range rapid.IntRange(1, 2).Draw(t, "clouds") {
		cloud := f.cloud(fmt.Sprintf("c%d", c), drawVars(t))
		for r := range rapid.IntRange(0, 2).Draw(t, "regions") {
			region := f.region(cloud, fmt.Sprintf("r%d%d", c, r), drawVars(t))
			regions, places = append(regions, region), append(places, region)
			for l := range rapid.IntRange(0, 2).Draw(t, "cells") {
				places = append(places, f.cell(region, fmt.Sprintf("l%d%d%d", c, r, l), drawVars(t)))
			}
		}
	}
	if len(places) == 0 {
		return f
	}
	for n := range rapid.IntRange(0, 8).Draw(t, "devices") {
		more := object{
			"active":      rapid.Bool().Draw(t, "active"),
			"device_type": rapid.SampledFrom([]string{"server", "switch", "{{ type }}"}).Draw(t, "type"),
			"labels":      rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"web", "db", "canary one"}), 0, 2, rapid.ID[string]).Draw(t, "labels"),
		}
		slices.Sort(more["labels"].([]string))
		if n > 0 && rapid.Bool().Draw(t, "has a parent") {
			more["parent_id"] = rapid.IntRange(1, n).Draw(t, "parent")
		}
		if broken {
			more["project_id"] = rapid.SampledFrom(projects).Draw(t, "project")
			if rapid.Bool().Draw(t, "inconsistent") {
				more["region_id"] = rapid.SampledFrom(regions).Draw(t, "region")["id"]
				more["cloud_id"] = rapid.SampledFrom(f.lists["clouds"]).Draw(t, "cloud")["id"]
			}
		}
		list := rapid.SampledFrom([]string{"hosts", "hosts", "network_devices"}).Draw(t, "kind")
		f.device(list, rapid.SampledFrom(places).Draw(t, "place"), fmt.Sprintf("dev%d", n), drawVars(t), more)
	}
	return f
}

func drawOptions(t *rapid.T) Options {
	o := DefaultOptions()
	o.NetworkDevices = rapid.Bool().Draw(t, "network devices")
	o.Groups = rapid.SliceOfDistinct(rapid.SampledFrom([]GroupKind{CloudGroups, RegionGroups, CellGroups, LabelGroups,
		TypeGroups, ActiveGroups, KindGroups, ParentGroups}), rapid.ID[GroupKind]).Draw(t, "groups")
	o.GroupNames = Exact // readable names of inconsistent devices may collide, which is an error
	o.ProjectGroup = rapid.SampledFrom([]string{"craton", "craton", "", "Fleet_1"}).Draw(t, "project group")
	o.Facts = rapid.SampledFrom([]string{"craton", "", "a_fact", "zzz"}).Draw(t, "facts")
	o.Hostname = rapid.SampledFrom([]Hostname{ByName, ByIPAddress, Qualified}).Draw(t, "hostname")
	o.ExcludeVariables = rapid.SampledFrom([][]string{nil, nil, {"ansible_*"}, {"[a-c]", "ntp"}}).Draw(t, "exclude")
	return o
}

// expected returns what hosts' variables must be, by the slow resolver.
func expected(t ansibletest.Failer, f *fake, o Options) map[string]map[string]any {
	exclude := ansible.NewExcluder(o.ExcludeVariables)
	all := map[string]map[string]any{}
	lists := []string{"hosts"}
	if o.NetworkDevices {
		lists = append(lists, "network_devices")
	}
	for _, list := range lists {
		for _, d := range f.lists[list] {
			h := map[string]any{"ansible_host": d["ip_address"]}
			for name, text := range f.resolved(list, d) {
				if exclude.Excludes(name) {
					continue
				}
				v, err := ansibletest.ReadMarked([]byte(text))
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				h[name] = ansibletest.Plain(ansibletest.Neutralised(v))
			}
			if o.Facts == "" {
				h["craton_stale"] = false
			} else {
				h[o.Facts] = f.facts(list, d, o)
			}
			all[f.name(d, o)] = h
		}
	}
	return all
}

func (f *fake) name(d object, o Options) string {
	switch o.Hostname {
	case ByIPAddress:
		return d["ip_address"].(string)
	case Qualified:
		return fmt.Sprintf("%s/%s/%s", f.get("clouds", d.ref("cloud_id"))["name"], f.get("regions", d.ref("region_id"))["name"], d["name"])
	}
	return d["name"].(string)
}

func (f *fake) facts(list string, d object, o Options) map[string]any {
	m := map[string]any{"kind": "host", "cell": nil, "parent": nil, "labels": nil, "stale": false}
	for _, same := range []string{"active", "ip_address", "name", "device_type", "project_id", "note", "model_name", "os_version", "vlans"} {
		if v, has := d[same]; has {
			m[same] = v
		}
	}
	for _, id := range []string{"id", "cloud_id", "region_id", "cell_id", "parent_id"} {
		m[id] = nil
		if n := d.ref(id); n != 0 {
			m[id] = json.Number(fmt.Sprint(n))
		}
	}
	m["cloud"] = f.get("clouds", d.ref("cloud_id"))["name"]
	m["region"] = f.get("regions", d.ref("region_id"))["name"]
	if c := f.get("cells", d.ref("cell_id")); c != nil {
		m["cell"] = c["name"]
	}
	if _, p := f.anyDevice(d.ref("parent_id")); p != nil {
		m["parent"] = p["name"]
	}
	if list != "hosts" {
		m["kind"] = "network-device"
		m["note"] = nil
	}
	if f.tells || o.has(LabelGroups) {
		labels := []any{}
		for _, l := range f.labels[d.id()] {
			labels = append(labels, l)
		}
		m["labels"] = labels
	}
	return m
}

// TestMergedAndLayered: in both forms, and by --host, every host has exactly the variables that the slow resolver
// gives it, no string of the API is executed, and both forms have the same groups.
func TestMergedAndLayered(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]bool{"consistent": false, "as broken as the original allows": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				f := drawFleet(t, broken)
				o := drawOptions(t)
				want := expected(t, f, o)
				o.Vars = Merged
				fleet := f.load(t, o)
				mergedText := render(t, fleet, o, false)
				merged, got := ansibletest.MustRead(t, mergedText)
				if diff := cmp.Diff(want, ansibletest.Stripped(got)); diff != "" {
					t.Fatalf("merged (-want +got):\n%s", diff)
				}
				for h, v := range got {
					if bad := ansibletest.Trusted(v); bad != nil {
						t.Fatalf("%s: Ansible would execute %q", h, bad)
					}
				}
				o.Vars = Layered
				layered, got2 := ansibletest.MustRead(t, render(t, fleet, o, false))
				if diff := cmp.Diff(got, got2); diff != "" {
					t.Fatalf("merged and layered differ (-merged +layered):\n%s", diff)
				}
				for _, all := range []ansibletest.Group{merged.Groups["all"], layered.Groups["all"]} {
					if len(all.Vars) > 0 || len(all.Children) == 0 {
						t.Fatalf("all has variables, which reach the controller, or no children: %+v", all)
					}
				}
				if diff := cmp.Diff(merged.Membership(), layered.Membership()); diff != "" {
					t.Fatalf("groups differ (-merged +layered):\n%s", diff)
				}
				if again := render(t, f.load(t, o), Options{Vars: Merged, Hostname: o.Hostname, Groups: o.Groups, GroupNames: o.GroupNames,
					ProjectGroup: o.ProjectGroup, Facts: o.Facts, ExcludeVariables: o.ExcludeVariables, Streams: 1}, false); again != mergedText {
					t.Fatalf("a second read gives another document")
				}
			})
		})
	}
}

// TestHostIsTheSameAsInList: --host gives every host exactly what --list in merged form has for it.
func TestHostIsTheSameAsInList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := drawFleet(t, rapid.Bool().Draw(t, "broken"))
		f.member = rapid.Bool().Draw(t, "may not read projects")
		o := drawOptions(t)
		o.Vars = rapid.SampledFrom([]Form{Merged, Layered}).Draw(t, "form")
		list := o
		list.Vars = Merged
		var doc struct {
			Meta struct {
				Hostvars map[string]json.RawMessage `json:"hostvars"`
			} `json:"_meta"`
		}
		if err := json.Unmarshal([]byte(f.document(t, list)), &doc); err != nil {
			t.Fatalf("%v", err)
		}
		for name, want := range doc.Meta.Hostvars {
			got, err := Host(context.Background(), f.client(), o, name)
			if err != nil {
				t.Fatalf("Host(%q): %v", name, err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Fatalf("%s (-list +host):\n%s", name, diff)
			}
		}
	})
}

// TestHiddenProject: someone who may not read the project gives hosts the same variables as someone who may.
func TestHiddenProject(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := drawFleet(t, rapid.Bool().Draw(t, "broken"))
		o := drawOptions(t)
		_, want := ansibletest.MustRead(t, f.document(t, o))
		f.member = true
		_, got := ansibletest.MustRead(t, f.document(t, o))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-root +member):\n%s", diff)
		}
		o.Vars = Layered
		_, got = ansibletest.MustRead(t, f.document(t, o))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("layered (-root +member):\n%s", diff)
		}
	})
}

// TestChain: the first level of the chain that has a variable supplies it.
func TestChain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := drawFleet(t, true)
		for _, d := range f.load(t, DefaultOptions()).Hosts {
			_, o := f.anyDevice(d.ID)
			want := f.resolved("hosts", o)
			got := map[string]bool{}
			fleet := f.load(t, DefaultOptions())
			chain := fleet.Chain(d)
			if chain[0].Kind != "host" || chain[0].Name != d.Name || chain[len(chain)-1].Kind != "project" || chain[len(chain)-1].ID != d.ProjectID {
				t.Fatalf("chain %v", chain)
			}
			for _, level := range chain {
				for _, v := range level.Variables {
					if !got[v.Name] && v.Value != string(jsontext.AppendClean(nil, want[v.Name])) {
						t.Fatalf("%s of %s is %s at %s %s, not %s", v.Name, d, v.Value, level.Kind, level.ID, want[v.Name])
					}
					got[v.Name] = true
				}
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
				t.Fatalf("%s", diff)
			}
		}
	})
}

// TestChainAlone: a device whose levels are read alone has those that it has in the whole fleet, whoever reads it. Only
// what the levels below hide of a project is not seen by those who may not read the project.
func TestChainAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := drawFleet(t, rapid.Bool().Draw(t, "broken"))
		o := DefaultOptions()
		o.NetworkDevices = true
		whole := f.load(t, o)
		f.member = rapid.Bool().Draw(t, "may not read projects")
		for _, d := range whole.Hosts {
			alone, err := provenance.ReadChain(context.Background(), f.client(), schema.ByName(d.Kind.String()), strconv.Itoa(d.ID))
			if err != nil {
				t.Fatalf("%s: %v", d, err)
			}
			want, got := whole.Chain(d), alone.Levels
			got[len(got)-1].Name = "" // which the inventory does not read
			if f.member {
				last := &want[len(want)-1]
				for _, level := range want[:len(want)-1] {
					last.Variables = last.Variables.Without(level.Variables)
				}
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s (-whole +alone):\n%s", d, diff)
			}
			if alone.Complete == f.member {
				t.Fatalf("%s: whole is %v", d, alone.Complete)
			}
		}
	})
}

// TestGroupNamesAreStable: what a group is called never depends on what else is in the fleet, and groups only gain
// members when hosts are added.
func TestGroupNamesAreStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := drawFleet(t, false)
		o := drawOptions(t)
		before, _ := ansibletest.MustRead(t, f.document(t, o))
		more := f.cloud("new", drawVars(t))
		place := f.cell(f.region(more, "r00", drawVars(t)), "l000", nil)
		f.host(place, "newcomer", drawVars(t), object{"labels": []string{"web"}})
		after, _ := ansibletest.MustRead(t, f.document(t, o))
		for name, g := range before.Groups {
			for _, h := range append(slices.Clone(g.Hosts), g.Children...) {
				if !slices.Contains(after.Groups[name].Hosts, h) && !slices.Contains(after.Groups[name].Children, h) {
					t.Fatalf("%s is no longer in %s", h, name)
				}
			}
		}
		for h, v := range before.Hostvars {
			if diff := cmp.Diff(v, after.Hostvars[h]); diff != "" {
				t.Fatalf("%s changed:\n%s", h, diff)
			}
		}
	})
}
