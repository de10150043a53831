package fleetfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/wording"
)

// planOf plans a file.
func planOf(t *testing.T, c *craton.Client, file string, o Options) (*reconcile.Plan, error) {
	t.Helper()
	return (&reconcile.Fleet{Client: c}).PlanTree(t.Context(), parse(t, file).Tree(), o)
}

// kept returns a plan that was written to a file and read again.
func kept(t *testing.T, c *craton.Client, p *reconcile.Plan) *reconcile.Plan {
	t.Helper()
	can, err := c.Capabilities(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.Revision = can.Revision
	var b bytes.Buffer
	if err := (&reconcile.Fleet{Client: c}).Save(t.Context(), p, &b, Options{}); err != nil {
		t.Fatal(err)
	}
	p, err = reconcile.ReadPlan(&b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// changesOf returns what a plan does, in short.
func changesOf(p *reconcile.Plan) (lines []string) {
	for c := range p.Changes() {
		line := strings.TrimSpace(string(c.Action) + " " + c.Kind + " " + c.Name)
		if c.From != "" {
			line += " from " + c.From
		}
		lines = append(lines, line)
	}
	return lines
}

const (
	twoRegions = `
clouds:
- name: e
  variables: {ntp: cloud}
  regions:
  - name: r
    variables: {dns: r}
    cells: [{name: c, hosts: [{name: h1, ip_address: 10.0.0.1, device_type: x, labels: [l], variables: {v: 1}, interfaces: [{name: eth0, interface_type: e, ip_address: 10.0.0.1}]}]}]
    hosts: [{name: h2, ip_address: 10.0.0.2, device_type: x, variables: {ntp: own}}, {name: h3, ip_address: 10.0.0.3, device_type: x, parent: h1}]
    network_devices: [{name: sw, ip_address: 10.0.0.9, device_type: x}]
  - {name: s, variables: {ntp: s}, cells: [{name: c}], hosts: [{name: h4, ip_address: 10.0.0.4, device_type: x}]}
`
	// h1Moved has h1 in the other region, with an interface that is there and one that is not.
	h1Moved = `clouds: [{name: e, regions: [{name: s, cells: [{name: c, hosts: [{name: h1, ip_address: 10.0.0.1, device_type: y, interfaces: [
  {name: eth0, interface_type: e, ip_address: 10.0.0.1}, {name: eth1, interface_type: e, ip_address: 10.0.0.1}]}]}]}]}]`
)

// TestMove: what stands elsewhere is said, and moved with all that it has where that is asked for and the server can.
func TestMove(t *testing.T) {
	both(t, func(t *testing.T, s api) {
		apply(t, s.Client, twoRegions, Options{})
		_, err := planOf(t, s.Client, h1Moved, Options{})
		want := "f.yml:1: clouds[e].regions[s].cells[c].hosts[h1]: ... h1 ... e/r/c ... --move (in a task move: true) ... --allow-duplicates (allow_duplicates: true)"
		if !s.moves {
			want = "f.yml:1: clouds[e].regions[s].cells[c].hosts[h1]: ... h1 ... e/r/c ... cannot move ... delete ... --allow-duplicates (in a task allow_duplicates: true)"
		}
		wording.Want(t, err, want)
		p, err := planOf(t, s.Client, h1Moved, Options{AllowDuplicates: true})
		if err != nil || !slices.Contains(changesOf(p), "created host e/s/c/h1") {
			t.Errorf("a second one: %v", err)
		}
		if p, err = planOf(t, s.Client, h1Moved, Options{Inventory: reconcile.Naming{Hostname: "qualified"}}); err != nil || !slices.Contains(changesOf(p), "created host e/s/c/h1") {
			t.Errorf("with qualified names: %v", err)
		}
		if _, err = planOf(t, s.Client, h1Moved, Options{Inventory: reconcile.Naming{Hostname: "ip_address"}}); err == nil || !strings.Contains(err.Error(), "host h1 exists at e/r/c") {
			t.Errorf("with addresses: %v", err)
		}
		other := strings.ReplaceAll(strings.ReplaceAll(h1Moved, "10.0.0.1", "10.0.0.8"), "interfaces: [", "interfaces: [{name: eth7, interface_type: e, ip_address: 10.0.0.8},")
		if _, err = planOf(t, s.Client, other, Options{Inventory: reconcile.Naming{Hostname: "ip_address"}}); err != nil {
			t.Errorf("another address: %v", err)
		}
		p, err = planOf(t, s.Client, h1Moved, Options{Move: true, Effects: true})
		if !s.moves {
			wording.Want(t, err, want)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"moved host e/s/c/h1 from e/r/c/h1", "created network-interface e/s/c/h1/eth1"}, changesOf(p)); d != "" {
			t.Error(d)
		}
		wantEffects := &reconcile.Effects{Hosts: 1, Causes: []reconcile.Effect{{Key: "dns", Hosts: 1}, {Key: "ntp", Hosts: 1}}} // h3's parent stays its parent
		if d := cmp.Diff(wantEffects, p.Effects); d != "" {
			t.Error(d)
		}
		fl := &reconcile.Fleet{Client: s.Client}
		if _, err := fl.ApplyPlan(t.Context(), kept(t, s.Client, p), Options{}); err != nil {
			t.Fatal(err)
		}
		for h, err := range s.Hosts.All(t.Context(), craton.HostListOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
			if h.Name == "h1" {
				labels, err := s.Hosts.Labels(t.Context(), h.ID)
				v, err2 := s.Hosts.Variables(t.Context(), h.ID)
				if err != nil || err2 != nil || h.DeviceType != "y" || !slices.Equal(labels, []string{"l"}) || string(v["v"]) != "1" {
					t.Errorf("%+v %v %s %v %v", h, labels, v, err, err2)
				}
			}
		}
		if r := apply(t, s.Client, h1Moved, Options{}); r.Changed() {
			t.Errorf("%+v", r)
		}
	})
}

// TestEffects: how many devices a change of a variable reaches, and how many have a nearer one.
func TestEffects(t *testing.T) {
	both(t, func(t *testing.T, s api) {
		apply(t, s.Client, twoRegions, Options{})
		for name, c := range map[string]struct {
			file string
			want reconcile.Effects
		}{
			"a cloud's": {"clouds: [{name: e, variables: {ntp: new}}]", reconcile.Effects{Hosts: 2, NetworkDevices: 1, Causes: []reconcile.Effect{
				{Kind: "cloud", Name: "e", Key: "ntp", Hosts: 2, NetworkDevices: 1, Shadowed: 2}}}},
			"a region's, of two keys, one as it comes to already": {"clouds: [{name: e, regions: [{name: r, variables: {ntp: cloud, dns: new}}]}]", reconcile.Effects{Hosts: 3, NetworkDevices: 1, Causes: []reconcile.Effect{
				{Kind: "region", Name: "e/r", Key: "dns", Hosts: 3, NetworkDevices: 1}, {Kind: "region", Name: "e/r", Key: "ntp", Shadowed: 1}}}},
			"a parent's": {"clouds: [{name: e, regions: [{name: r, cells: [{name: c, hosts: [{name: h1, ip_address: 10.0.0.1, device_type: x, variables: {ntp: h1}}]}]}]}]", reconcile.Effects{Hosts: 2, Causes: []reconcile.Effect{
				{Kind: "host", Name: "e/r/c/h1", Key: "ntp", Hosts: 1}}}},
			"the project's": {"project: {variables: {ntp: p, new: 1}}", reconcile.Effects{Hosts: 4, NetworkDevices: 1, Causes: []reconcile.Effect{
				{Kind: "project", Key: "new", Hosts: 4, NetworkDevices: 1}, {Kind: "project", Key: "ntp", Shadowed: 5}}}},
			"another parent": {"clouds: [{name: e, regions: [{name: r, hosts: [{name: h3, ip_address: 10.0.0.3, device_type: x, parent: h2}]}]}]", reconcile.Effects{Hosts: 1, Causes: []reconcile.Effect{
				{Key: "ntp", Hosts: 1}, {Key: "v", Hosts: 1}}}},
			"no variable": {"clouds: [{name: e, note: x}]", reconcile.Effects{Causes: []reconcile.Effect{}}},
			"what is new": {"clouds: [{name: n, variables: {a: 1}}]", reconcile.Effects{Causes: []reconcile.Effect{}}},
		} {
			p, err := planOf(t, s.Client, c.file, Options{Effects: true})
			if err != nil {
				t.Fatal(name, err)
			}
			if d := cmp.Diff(&c.want, p.Effects); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
	})
}

// TestPlanMeanwhile: what somebody changes while a plan is carried out stops it, and is not written over.
func TestPlanMeanwhile(t *testing.T) {
	t.Parallel()
	inner := newServer(t, t.TempDir())
	apply(t, clientOf(t, inner), twoRegions, Options{})
	change := `clouds: [{name: e, regions: [{name: r, hosts: [{name: h2, ip_address: 10.0.0.2, device_type: x, note: mine, labels: [a], variables: {v: 1}}]}]}]`
	direct := clientOf(t, inner)
	var h2 int
	for h := range direct.Hosts.All(t.Context(), craton.HostListOptions{Name: "h2"}) {
		h2 = h.ID
	}
	for _, before := range []string{"PUT /v1/hosts/%d", "PUT /v1/hosts/%d/variables", "PUT /v1/hosts/%d/labels"} {
		before = fmt.Sprintf(before, h2)
		for _, reading := range []bool{false, true} {
			once := false
			c := clientOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if at := r.Method + " " + r.URL.Path; !once && (at == before && !reading || reading && at == fmt.Sprintf("GET /v1/hosts/%d", h2)) {
					once = true
					if _, err := direct.Hosts.Update(r.Context(), h2, craton.HostUpdate{DeviceType: new("theirs")}); err != nil {
						t.Error(err)
					}
				}
				inner.ServeHTTP(w, r)
			}))
			p, err := planOf(t, direct, change, Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = (&reconcile.Fleet{Client: c}).ApplyPlan(t.Context(), kept(t, direct, p), Options{})
			stopped, ok := errors.AsType[*WriteError](err)
			if !ok || !once || !wording.Has(err.Error(), "host e/r/h2: ... changed ... 0 of 1 objects ... new plan") || stopped.Done != 0 {
				t.Errorf("%s, %v: %v %v", before, reading, once, err)
			}
			apply(t, direct, twoRegions, Options{}) // as it was, but for what only one side says
			if _, err := direct.Hosts.Update(t.Context(), h2, craton.HostUpdate{Note: new("")}); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(direct.Hosts.RemoveLabels(t.Context(), h2, "a"), direct.Hosts.DeleteVariables(t.Context(), h2, "v")); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestPlanDeletes: deletions are carried out last, from the inside out, and not if something else would go with them.
func TestPlanDeletes(t *testing.T) {
	both(t, func(t *testing.T, s api) {
		apply(t, s.Client, twoRegions, Options{Parallel: 1}) // the first cell is r's
		fl := &reconcile.Fleet{Client: s.Client}
		deletions := func() *reconcile.Plan {
			p, err := planOf(t, s.Client, "clouds: [{name: n}]", Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range []struct{ kind, path, name string }{{"region", "e/r", "r"}, {"cell", "e/r/c", "c"}, {"host", "e/r/c/h1", "h1"}, {"host", "e/r/h2", "h2"}, {"host", "e/r/h3", "h3"}, {"network-device", "e/r/sw", "sw"}} {
				p.Delete(objectCalled(t, fl, k.kind, k.name, k.path))
			}
			return kept(t, s.Client, p)
		}
		p := deletions()
		extra := apply(t, s.Client, "clouds: [{name: e, regions: [{name: r, hosts: [{name: h5, ip_address: 10.0.0.5, device_type: x}]}]}]", Options{})
		_, err := fl.ApplyPlan(t.Context(), p, Options{})
		if _, ok := errors.AsType[*reconcile.StaleError](err); !ok || !strings.Contains(err.Error(), "h5") || extra.Created != 1 {
			t.Fatalf("a host that the region's deletion would take along: %v", err)
		}
		k, o, _ := objectCalled(t, fl, "host", "h5", "")
		if err := s.Hosts.Delete(t.Context(), o[reconcile.KeyID].(int)); err != nil {
			t.Fatal(k, err)
		}
		s.writes()
		r, err := fl.ApplyPlan(t.Context(), deletions(), Options{Parallel: 1})
		if err != nil || r.Deleted != 6 || r.Created != 1 {
			t.Fatal(r, err)
		}
		var kinds []string
		for _, w := range s.writes() {
			kinds = append(kinds, strings.Split(strings.ReplaceAll(w, "/v1", ""), "/")[1])
		}
		if got := strings.Join(kinds, " "); !strings.HasPrefix(got, "clouds hosts ") || !strings.HasSuffix(got, " cells regions") {
			t.Errorf("written in the order %s", got)
		}
	})
}

// TestPlanRenames: a plan may rename objects, which keep their ids; a name that was taken meanwhile is in the way.
func TestPlanRenames(t *testing.T) {
	both(t, func(t *testing.T, s api) {
		apply(t, s.Client, twoRegions, Options{})
		fl := &reconcile.Fleet{Client: s.Client}
		_, o, _ := objectCalled(t, fl, "host", "h2", "")
		text := fmt.Sprintf(`{"craton_plan":1,"counts":{"renamed":1},"changes":[{"action":"renamed","kind":"host","name":"e/r/h9","from":"e/r/h2","level":5,
			"found":{"id":%d,"name":"h2","ip_address":"10.0.0.2","device_type":"x","active":true,"region_id":%d,"cloud_id":%d,"labels":[],"variables":{"ntp":"own"}},"update":{"name":{"value":"h9"}}}]}`, o["id"], o["region_id"], o["cloud_id"])
		read := func() *reconcile.Plan {
			p, err := reconcile.ReadPlan(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		taken := apply(t, s.Client, "clouds: [{name: e, regions: [{name: r, network_devices: [{name: h9, ip_address: 10.0.0.5, device_type: x}]}]}]", Options{})
		if _, err := fl.ApplyPlan(t.Context(), read(), Options{}); err == nil || !wording.Has(err.Error(), `host e/r/h9 ... taken ... network device "h9"`) || taken.Created != 1 {
			t.Errorf("a name that is taken: %v", err)
		}
		_, h9, _ := objectCalled(t, fl, "network-device", "h9", "")
		if err := s.NetworkDevices.Delete(t.Context(), h9[reconcile.KeyID].(int)); err != nil {
			t.Fatal(err)
		}
		r, err := fl.ApplyPlan(t.Context(), read(), Options{})
		if err != nil || r.Renamed != 1 {
			t.Fatal(r, err)
		}
		if _, now, _ := objectCalled(t, fl, "host", "h9", ""); now["id"] != o["id"] {
			t.Errorf("%v became %v", o, now)
		}
	})
}

// objectCalled returns an object as Plan.Delete takes it.
func objectCalled(t *testing.T, fl *reconcile.Fleet, kind, name, path string) (k *schema.Kind, o reconcile.Object, at string) {
	t.Helper()
	k = schema.ByName(kind)
	found, err := fl.Search(t.Context(), k, reconcile.Filters{"name": name})
	if err != nil || len(found) == 0 {
		t.Fatal(name, found, err)
	}
	o, err = fl.Fill(t.Context(), k, found[0])
	if err != nil {
		t.Fatal(err)
	}
	return k, o, path
}

// TestParseAll: several files are one fleet, whose mistakes are told with the files that they are in.
func TestParseAll(t *testing.T) {
	t.Parallel()
	read := func(files ...string) (*File, error) {
		var list []Source
		for i, text := range files {
			list = append(list, Source{fmt.Sprintf("%d.yml", i+1), func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }})
		}
		return ParseAll(list)
	}
	f, err := read("project: {variables: {a: 1}}\nclouds: [{name: e, regions: [{name: r, variables: {x: 1}}]}]",
		"clouds: [{name: e, note: n, regions: [{name: r, variables: {y: '{{ z }}'}, hosts: [{name: h, ip_address: 10.0.0.1, device_type: x, parent: p}]}]}]",
		"project: {variables: {b: 1}}\nclouds: [{name: e, regions: [{name: r, cells: [{name: c, hosts: [{name: p, ip_address: 10.0.0.1, device_type: x}]}]}]}]")
	if err != nil || f.Len() != 6 {
		t.Fatal(f, err)
	}
	if w := f.Warnings(); len(w) != 1 || !strings.HasPrefix(w[0], "2.yml:1: 1 text") {
		t.Error(w)
	}
	both := serverAPI(t)
	if r, err := Apply(t.Context(), both.Client, f, Options{}); err != nil || counts(r) != [3]int{5, 1, 0} {
		t.Error(r, err)
	}
	for name, c := range map[string]struct {
		files []string
		want  string
	}{
		"twice": {[]string{"clouds:\n- name: e\n  note: a\n  variables: {x: 1}", "clouds: [{name: e, note: a, variables: {x: 1}}]"},
			"2.yml:1: clouds[e].note: ... 1.yml ... line 2 ... keep one\n2.yml:1: clouds[e].variables.x: ... 1.yml ... line 2 ... keep one"},
		"a host": {[]string{"clouds: [{name: e, regions: [{name: r, hosts: [{name: h, ip_address: 10.0.0.1, device_type: x}]}]}]", "clouds: [{name: e, regions: [{name: r, cells: [{name: c, network_devices: [{name: h, ip_address: 10.0.0.1, device_type: x}]}]}]}]"},
			"2.yml:1: clouds[e].regions[r].cells[c].network_devices[h]: ... h ... twice ... region r ... 1.yml:1 ... rename ... merge"},
		"in each": {[]string{"a: 1", "clouds: 1", "b: ["}, "1.yml:1: a: ... known ... project, clouds\n2.yml:1: clouds: ... list ... number 1\n3.yml:1: ... not YAML ... indentation"},
		"a parent in a circle": {[]string{"clouds: [{name: e, regions: [{name: r, hosts: [{name: a, ip_address: 10.0.0.1, device_type: x, parent: b}]}]}]", "clouds: [{name: e, regions: [{name: r, hosts: [{name: b, ip_address: 10.0.0.1, device_type: x, parent: a}]}]}]"},
			"2.yml:1: clouds[e].regions[r].hosts[b].parent: ... loop (a -> b -> a)"},
	} {
		_, err := read(c.files...)
		if err == nil || !wording.Lines(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant like %s", name, err, c.want)
		}
	}
}

// FuzzReadPlan: what is no plan is an error, and what is one can be shown.
func FuzzReadPlan(f *testing.F) {
	f.Add([]byte(`{"craton_plan":1,"counts":{"created":1},"changes":[{"action":"created","kind":"cloud","name":"a","after":{},"level":1,"create":{"name":{"value":"a"}}}]}`))
	f.Add([]byte(`{"craton_plan":1,"counts":{"created":1,"moved":1},"changes":[{"action":"created","kind":"region","name":"a/r","level":2,"create":{"name":{"value":"r"},"cloud_id":{"change":1}}},{"action":"moved","kind":"host","name":"h","found":{"id":1,"labels":["x"],"variables":{"a":1}},"move":{"region_id":{"change":0}},"level":5}]}`))
	f.Add([]byte(`{"craton_plan":1,"counts":{"deleted":1},"needs":[{"kind":"cloud","id":1}],"effects":{"causes":null},"changes":[{"action":"deleted","kind":"host","found":{"id":1}}]}`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		p, err := reconcile.ReadPlan(bytes.NewReader(data))
		if err == nil {
			for c := range p.Changes() {
				_ = fmt.Sprint(c)
			}
			_ = p.Result()
		}
	})
}
