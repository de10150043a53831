package fleetfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/wording"
)

func parse(t testing.TB, file string) *File {
	t.Helper()
	f, err := Parse("f.yml", strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func apply(t testing.TB, c *craton.Client, file string, o Options) *Result {
	t.Helper()
	r, err := Apply(t.Context(), c, parse(t, file), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// applyAs runs Apply for a caller who sees several projects.
func applyAs(ctx context.Context, c *craton.Client, project string, f *File, o Options) (*Result, error) {
	return (&reconcile.Fleet{Client: c, Project: project}).ApplyTree(ctx, f.Tree(), o)
}

// fleet has one of everything.
const fleet = `
project:
  variables: {ntp: ntp1, big: 123456789012345678901234567890}
clouds:
- name: east
  note: the east
  variables: {a: 1}
  regions:
  - name: dfw
    variables: {b: [1, {c: null}]}
    networks:
    - {name: mgmt, cidr: 10.0.0.0/24, gateway: 10.0.0.1, netmask: 255.255.255.0, cell: c1, variables: {n: 1}}
    cells:
    - name: c1
      note: row 1
      variables: {c: 1}
      hosts:
      - name: web1
        ip_address: 2001:DB8:0::1
        device_type: server
        note: first
        labels: [web, canary]
        parent: sw1
        variables: {role: frontend}
        interfaces:
        - {name: eth0, interface_type: ethernet, ip_address: 10.0.0.2, network: mgmt, speed: 10000, variables: {x: 1}}
      network_devices:
      - {name: sw1, ip_address: 10.0.0.9, device_type: switch, active: false, model_name: m, os_version: "1", vlans: "5", labels: [tor], variables: {s: 1}}
    hosts:
    - {name: vm1, ip_address: 10.0.0.3, device_type: vm, parent: ord/kvm, active: false}
  - name: ord
    hosts:
    - {name: kvm, ip_address: 10.0.0.4, device_type: server, parent: dfw/web1}
`

// withoutIDs compares changes whatever the ids.
var withoutIDs = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".ID" }, cmp.Ignore())

// counts returns the numbers of a result.
func counts(r *Result) [3]int { return [3]int{r.Created, r.Updated, r.Unchanged} }

// both runs a test against the stand-in of the original server and against craton server.
func both(t *testing.T, test func(t *testing.T, s api)) {
	t.Parallel()
	t.Run("original", func(t *testing.T) {
		t.Parallel()
		s := &original{}
		test(t, api{Client: s.client(t), writes: s.writes})
	})
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		test(t, serverAPI(t))
	})
}

// api is a Craton API under test.
type api struct {
	*craton.Client
	writes func() []string // requests since the last call that were no reads
	moves  bool            // it can move objects

	project string         // one of several; "" is the only one
	by      *craton.Client // who plans and applies there
}

func TestApply(t *testing.T) {
	both(t, func(t *testing.T, s api) {
		check := apply(t, s.Client, fleet, Options{Check: true})
		if w := s.writes(); len(w) != 0 {
			t.Errorf("check mode wrote: %v", w)
		}
		first := apply(t, s.Client, fleet, Options{})
		if diff := cmp.Diff(check, first); diff != "" {
			t.Errorf("check mode and the run differ (-check +run):\n%s", diff)
		}
		// The project is there already; everything else is created with one request, and one for a switch's labels.
		if got, want := counts(first), [3]int{10, 1, 0}; got != want {
			t.Errorf("created, updated, unchanged: %v, want %v", got, want)
		}
		if w := s.writes(); len(w) != 12 {
			t.Errorf("%d writing requests: %v", len(w), w)
		}
		names := func(r *Result) (n []string) {
			for _, c := range r.Changes {
				n = append(n, c.Kind+" "+c.Name)
			}
			return n
		}
		want := []string{"project ", "cloud east", "region east/dfw", "network east/dfw/mgmt", "cell east/dfw/c1", "host east/dfw/c1/web1",
			"network-interface east/dfw/c1/web1/eth0", "network-device east/dfw/c1/sw1", "host east/dfw/vm1", "region east/ord", "host east/ord/kvm"}
		if diff := cmp.Diff(want, names(first)); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
		again := apply(t, s.Client, fleet, Options{})
		if got, want := counts(again), [3]int{0, 0, 11}; got != want || again.Changed() {
			t.Errorf("again: %v, want %v: %+v", got, want, again.Changes)
		}
		if w := s.writes(); len(w) != 0 {
			t.Errorf("the second run wrote: %v", w)
		}
		if _, err := Apply(t.Context(), s.Client, parse(t, ""), Options{}); err != nil {
			t.Errorf("an empty file: %v", err)
		}
	})
}

func TestApplyOneOfEverything(t *testing.T) {
	both(t, func(t *testing.T, s api) {
		apply(t, s.Client, fleet, Options{})
		s.writes()
		changed := strings.NewReplacer(
			"ntp: ntp1, big: 123456789012345678901234567890", "ntp: ntp2",
			"note: the east", "note:", "variables: {a: 1}", "variables: {a: 1.0, z: 1}",
			"b: [1, {c: null}]", "b: [1, {c: 0}]",
			"cidr: 10.0.0.0/24", "cidr: 10.0.0.0/25", "variables: {n: 1}", "variables: {n: 2}",
			"note: row 1", "note: row 2",
			"2001:DB8:0::1", "2001:db8::2", "labels: [web, canary]", "labels: [db]", "parent: sw1", "parent: null", "role: frontend", "role: backend",
			"speed: 10000", "speed: 1000, port: 5",
			"model_name: m", "model_name: m2", "labels: [tor]", "labels: [tor, spine]",
			"active: false}\n  -", "active: true}\n  -",
			"device_type: server, parent: dfw/web1", "device_type: big",
		).Replace(fleet)
		check := apply(t, s.Client, changed, Options{Check: true})
		got := apply(t, s.Client, changed, Options{})
		if diff := cmp.Diff(check, got); diff != "" {
			t.Errorf("check mode and the run differ:\n%s", diff)
		}
		s.writes()
		raw := func(v string) json.RawMessage { return json.RawMessage(v) }
		want := []Change{
			{Kind: "project", Action: Updated, Fields: []string{"variables"},
				Before: map[string]any{"variables": craton.Variables{"ntp": raw(`"ntp1"`)}}, After: map[string]any{"variables": craton.Variables{"ntp": raw(`"ntp2"`)}}},
			{Kind: "cloud", Name: "east", Action: Updated, Fields: []string{"note", "variables"},
				Before: map[string]any{"note": "the east", "variables": craton.Variables{}}, After: map[string]any{"note": "", "variables": craton.Variables{"z": raw("1")}}},
			{Kind: "region", Name: "east/dfw", Action: Updated, Fields: []string{"variables"},
				Before: map[string]any{"variables": craton.Variables{"b": raw(`[1,{"c":null}]`)}}, After: map[string]any{"variables": craton.Variables{"b": raw(`[1,{"c":0}]`)}}},
			{Kind: "network", Name: "east/dfw/mgmt", Action: Updated, Fields: []string{"cidr", "variables"},
				Before: map[string]any{"cidr": "10.0.0.0/24", "variables": craton.Variables{"n": raw("1")}}, After: map[string]any{"cidr": "10.0.0.0/25", "variables": craton.Variables{"n": raw("2")}}},
			{Kind: "cell", Name: "east/dfw/c1", Action: Updated, Fields: []string{"note"}, Before: map[string]any{"note": "row 1"}, After: map[string]any{"note": "row 2"}},
			{Kind: "host", Name: "east/dfw/c1/web1", Action: Updated, Fields: []string{"ip_address", "parent", "labels", "variables"},
				Before: map[string]any{"ip_address": "2001:db8::1", "parent": "east/dfw/sw1", "labels": []string{"canary", "web"}, "variables": craton.Variables{"role": raw(`"frontend"`)}},
				After:  map[string]any{"ip_address": "2001:db8::2", "parent": nil, "labels": []string{"canary", "db", "web"}, "variables": craton.Variables{"role": raw(`"backend"`)}}},
			{Kind: "network-interface", Name: "east/dfw/c1/web1/eth0", Action: Updated, Fields: []string{"port", "speed"},
				Before: map[string]any{"port": 0, "speed": 10000}, After: map[string]any{"port": 5, "speed": 1000}},
			{Kind: "network-device", Name: "east/dfw/c1/sw1", Action: Updated, Fields: []string{"model_name", "labels"},
				Before: map[string]any{"model_name": "m", "labels": []string{"tor"}}, After: map[string]any{"model_name": "m2", "labels": []string{"spine", "tor"}}},
			{Kind: "host", Name: "east/dfw/vm1", Action: Updated, Fields: []string{"active"}, Before: map[string]any{"active": false}, After: map[string]any{"active": true}},
			{Kind: "region", Name: "east/ord", Action: Unchanged},
			{Kind: "host", Name: "east/ord/kvm", Action: Updated, Fields: []string{"device_type"}, Before: map[string]any{"device_type": "server"}, After: map[string]any{"device_type": "big"}},
		}
		if diff := cmp.Diff(want, got.Changes, withoutIDs); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
		again := apply(t, s.Client, changed, Options{})
		if again.Changed() || len(s.writes()) != 0 {
			t.Errorf("again: %+v", again.Changes)
		}
		// What the second file does not mention is as the first one left it: kvm's parent, the variable big.
		check = apply(t, s.Client, `
project: {variables: {big: 123456789012345678901234567890}}
clouds: [{name: east, regions: [{name: ord, hosts: [{name: kvm, ip_address: 10.0.0.4, device_type: big, parent: web1}]}]}]`, Options{Check: true})
		if check.Changed() {
			t.Errorf("not left alone: %+v", check.Changes)
		}
	})
}

func TestApplyImmutable(t *testing.T) {
	both(t, func(t *testing.T, s api) {
		apply(t, s.Client, fleet, Options{})
		s.writes()
		for _, tt := range []struct{ name, file, want string }{
			{"everything at once", `
clouds:
- name: east
  regions:
  - name: dfw
    cells: [{name: c2}]
    networks: [{name: mgmt, cidr: 10.0.0.0/24, gateway: 10.0.0.1, netmask: 255.255.255.0, cell: c2}]
    network_devices:
    - {name: vm1, ip_address: 10.0.0.3, device_type: vm}
    - {name: sw1, ip_address: 10.0.0.9, device_type: switch, active: true}
    hosts:
    - name: web1
      ip_address: 10.0.0.2
      device_type: server
      interfaces:
      - {name: eth0, interface_type: ethernet, ip_address: 10.0.0.8, network: null, vlan_id: 5, variables: {x: 2}}
`, `f.yml:7: clouds[east].regions[dfw].networks[mgmt].cell: ... c1 ... API ... c2 ... cannot ... delete the network
f.yml:9: clouds[east].regions[dfw].network_devices[vm1]: ... network device here ... host in the API ... rename ... delete
f.yml:10: clouds[east].regions[dfw].network_devices[sw1]: its cell ... c1 ... API ... none ... cannot move ... (craton server can) ... delete the network device
f.yml:10: clouds[east].regions[dfw].network_devices[sw1]: active ... false ... API ... true ... cannot ... delete the network device
f.yml:12: clouds[east].regions[dfw].hosts[web1]: its cell ... c1 ... API ... none ... cannot move ... (craton server can) ... delete the host
f.yml:16: clouds[east].regions[dfw].hosts[web1].interfaces[eth0]: ip_address ... 10.0.0.2 ... API ... 10.0.0.8 ... cannot ... delete the interface
f.yml:16: clouds[east].regions[dfw].hosts[web1].interfaces[eth0].network: network ... east/dfw/mgmt ... API ... none ... cannot ... delete the interface
f.yml:16: clouds[east].regions[dfw].hosts[web1].interfaces[eth0]: vlan_id ... 0 ... API ... 5 ... cannot ... delete the interface
f.yml:16: clouds[east].regions[dfw].hosts[web1].interfaces[eth0].variables: x ... cannot ... variables of an interface ... delete`},
			{"moved into a cell", "clouds: [{name: east, regions: [{name: dfw, cells: [{name: c9, hosts: [{name: vm1, ip_address: 10.0.0.3, device_type: vm}]}]}]}]",
				`f.yml:1: clouds[east].regions[dfw].cells[c9].hosts[vm1]: its cell ... none ... API ... c9 ... cannot move ... (craton server can) ... delete the host`},
			{"unknown references", `
clouds:
- name: west
  regions:
  - name: dfw
    networks: [{name: n, cidr: 10.0.0.0/24, gateway: 10.0.0.1, netmask: 255.255.255.0, cell: c1}]
    hosts:
    - {name: a, ip_address: 10.0.0.8, device_type: x, parent: ord/nobody,
       interfaces: [{name: eth0, interface_type: ethernet, ip_address: 10.0.0.2, network: nowhere}]}
`, `f.yml:6: clouds[west].regions[dfw].networks[n].cell: ... dfw ... no cell c1 ... neither here nor in the API ... add
f.yml:8: clouds[west].regions[dfw].hosts[a].parent: ... no host or network device ord/nobody ... neither here nor in the API ... name ... region/name ... cloud/region/name
f.yml:9: clouds[west].regions[dfw].hosts[a].interfaces[eth0].network: ... no network nowhere ... neither here nor in the API ... name ... region/name ... cloud/region/name`},
			{"a circle through the API", "clouds: [{name: east, regions: [{name: ord, hosts: [{name: kvm, ip_address: 10.0.0.4, device_type: server}]}, {name: dfw, cells: [{name: c1}], network_devices: [{name: sw1, ip_address: 10.0.0.9, device_type: switch, parent: vm1}]}]}]",
				`f.yml:1: clouds[east].regions[dfw].network_devices[sw1]: its cell ... c1 ... API ... none ... cannot move ... (craton server can) ... delete the network device
f.yml:1: clouds[east].regions[dfw].network_devices[sw1].parent: ... loop (sw1 -> vm1 -> kvm -> web1 -> sw1) ... change`},
		} {
			for _, check := range []bool{true, false} {
				r, err := Apply(t.Context(), s.Client, parse(t, tt.file), Options{Check: check})
				if err == nil {
					t.Fatalf("%s: no error: %+v", tt.name, r)
				}
				want := tt.want
				if s.moves {
					want = regexp.MustCompile(`(: its cell) .* ... delete the ([^\n]*)`).ReplaceAllString(want, "$1 ... move the $2 ... --move ... (in a task move: true)")
				}
				if !wording.Lines(err.Error(), want) {
					t.Errorf("%s: got\n%v\nwant like\n%s", tt.name, err, want)
				}
			}
		}
		if w := s.writes(); len(w) != 0 {
			t.Errorf("written in spite of errors: %v", w)
		}
	})
}

func TestApplyParents(t *testing.T) {
	both(t, func(t *testing.T, s api) {
		device := func(name, parent string) string {
			return fmt.Sprintf("{name: %s, ip_address: 10.0.0.1, device_type: x, parent: %s}", name, parent)
		}
		region := func(cloud, region string, devices ...string) string {
			return fmt.Sprintf("- {name: %s, regions: [{name: %s, hosts: [%s]}]}\n", cloud, region, strings.Join(devices, ", "))
		}
		file := "clouds:\n" + region("c1", "r1", device("a", "b"), device("b", "c"), device("c", "null")) + region("c2", "r1", device("x", "c1/r1/a"), device("a", "null"))
		apply(t, s.Client, file, Options{AllowDuplicates: true, Parallel: 3})
		parentOf := func(name string, regionOf string) string {
			var all []*craton.Host
			names := map[int]string{}
			for h, err := range s.Hosts.All(t.Context(), craton.HostListOptions{}) {
				if err != nil {
					t.Fatal(err)
				}
				all, names[h.ID] = append(all, h), h.Name
			}
			for _, h := range all {
				if h.Name == name {
					if regionOf == "" || fmt.Sprint(h.CloudID) != regionOf {
						return names[h.ParentID]
					}
				}
			}
			return "?"
		}
		for name, want := range map[string]string{"b": "c", "c": "", "x": "a"} {
			if got := parentOf(name, ""); got != want {
				t.Errorf("the parent of %s is %q, want %q", name, got, want)
			}
		}
		// The whole tree is turned around; no step on the way may have a device below its own descendant.
		turned := "clouds:\n" + region("c1", "r1", device("c", "b"), device("b", "a"), device("a", "null"))
		apply(t, s.Client, turned, Options{AllowDuplicates: true, Parallel: 3})
		for name, want := range map[string]string{"c": "b", "b": "a"} {
			if got := parentOf(name, ""); got != want {
				t.Errorf("turned: the parent of %s is %q, want %q", name, got, want)
			}
		}
		// A name that only the API has, and one that it has twice.
		apply(t, s.Client, "clouds:\n"+region("c3", "r3", device("n", "x"), device("m", "r1/c")), Options{AllowDuplicates: true})
		if got := parentOf("n", ""); got != "x" {
			t.Errorf("the parent of n is %q", got)
		}
		_, err := Apply(t.Context(), s.Client, parse(t, "clouds:\n"+region("c3", "r3", device("o", "r1/a"))), Options{AllowDuplicates: true})
		wording.Want(t, err, "f.yml:2: clouds[c3].regions[r3].hosts[o].parent: ... r1/a ... more than one ... c1/r1/a, c2/r1/a")
	})
}

func TestApplyInterrupted(t *testing.T) {
	both(t, func(t *testing.T, s api) {
		for i := 0; ; i++ {
			ctx, cancel := context.WithCancel(t.Context())
			written := 0
			r, err := Apply(ctx, s.Client, parse(t, fleet), Options{Parallel: 2, Progress: func(done, _ int, what string) {
				if what != "" && done == 2 {
					cancel()
				}
				written = done
			}})
			cancel()
			if err == nil {
				if i == 0 {
					t.Fatal("never interrupted")
				}
				break
			}
			e, ok := errors.AsType[*WriteError](err)
			if !ok || !errors.Is(err, context.Canceled) || e.Done != written || r.Created+r.Updated != written {
				t.Fatalf("%d written: %v: %+v", written, err, r)
			}
			if !wording.Has(err.Error(), fmt.Sprintf("stopped ... %d of %d objects ... stays ... apply the file again", e.Done, e.Total)) {
				t.Errorf("%v", err)
			}
			if left := apply(t, s.Client, fleet, Options{Check: true}); left.Created+left.Updated != e.Total-e.Done { // those in progress count
				t.Fatalf("%v, and %d are left", err, left.Created+left.Updated)
			}
			if i > 20 {
				t.Fatal("no progress")
			}
		}
		if r := apply(t, s.Client, fleet, Options{}); r.Changed() {
			t.Errorf("not complete: %+v", r.Changes)
		}
	})
}

func TestApplyProgress(t *testing.T) {
	t.Parallel()
	s := &original{}
	var got []string
	apply(t, s.client(t), "clouds: [{name: a}]\nproject: {variables: {x: 1}}", Options{Parallel: 1, Progress: func(done, total int, what string) {
		got = append(got, fmt.Sprintf("%d/%d %s", done, total, what))
	}})
	if diff := cmp.Diff([]string{"0/0 reading the fleet", "0/2 ", "1/2 updated project", "2/2 created cloud a"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestApplyFailure(t *testing.T) {
	t.Parallel()
	s := &original{before: func(method, path string, body map[string]any) (int, string) {
		if method == http.MethodPost && body["name"] == "dfw" {
			return 400, "no such luck"
		}
		return 0, ""
	}}
	r, err := Apply(t.Context(), s.client(t), parse(t, fleet), Options{Parallel: 1})
	wording.Want(t, err, "region east/dfw: POST /v1/regions: 400 Bad Request: no such luck\nstopped ... 2 of 11 objects ... stays ... apply the file again")
	if !craton.IsBadRequest(err) || counts(r) != [3]int{1, 1, 0} {
		t.Errorf("%v %+v", err, r)
	}
	s.before = nil
	apply(t, s.client(t), fleet, Options{})
	if r := apply(t, s.client(t), fleet, Options{}); r.Changed() {
		t.Errorf("%+v", r)
	}
}

// TestApplyRace has another writer create everything between the reading and the writing.
func TestApplyRace(t *testing.T) {
	t.Parallel()
	s := &original{}
	other := &original{}
	apply(t, other.client(t), fleet, Options{})
	once := false
	s.before = func(method, _ string, _ map[string]any) (int, string) {
		if method != http.MethodGet && !once {
			once = true
			s.rows, s.next, s.project = other.rows, other.next, other.project
			s.rows["hosts"][0].fields["note"] = "another" // and leave a difference
			s.rows["hosts"][0].labels = nil
		}
		return 0, ""
	}
	r := apply(t, s.client(t), fleet, Options{Parallel: 1})
	if got, want := counts(r), [3]int{0, 2, 9}; got != want {
		t.Errorf("created, updated, unchanged: %v, want %v", got, want)
	}
	want := Change{Kind: "host", Name: "east/dfw/c1/web1", Action: Updated, Fields: []string{"note", "labels"},
		Before: map[string]any{"note": "another", "labels": []string{}}, After: map[string]any{"note": "first", "labels": []string{"canary", "web"}}}
	i := slices.IndexFunc(r.Changes, func(c Change) bool { return c.Name == want.Name })
	if diff := cmp.Diff(want, r.Changes[i], withoutIDs); diff != "" {
		t.Error(diff)
	}
	if r := apply(t, s.client(t), fleet, Options{}); r.Changed() {
		t.Errorf("%+v", r)
	}
}

func TestApplyCollation(t *testing.T) {
	t.Parallel()
	s := &original{}
	apply(t, s.client(t), "clouds: [{name: East}]", Options{})
	_, err := Apply(t.Context(), s.client(t), parse(t, "clouds: [{name: east}]"), Options{})
	if err == nil || !craton.IsConflict(err) || !wording.Has(err.Error(), "East ... case ... name") {
		t.Errorf("%v", err)
	}
	_, err = Apply(t.Context(), s.client(t), parse(t, "clouds: [{name: west, variables: {a: 1, A: 2}}]"), Options{})
	if err == nil || !craton.IsConflict(err) || !wording.Has(err.Error(), "labels ... variables ... case") {
		t.Errorf("%v", err)
	}
}

func TestApplyProject(t *testing.T) {
	t.Parallel()
	const file = "project: {variables: {x: 1, y: {z: 2}}}\nclouds: [{name: a, regions: [{name: r}]}]"
	s := &original{}
	apply(t, s.client(t), file, Options{})
	// A member may not read the project; regions show what they inherit of it.
	s.member = true
	s.writes()
	if r := apply(t, s.client(t), file, Options{}); r.Changed() {
		t.Errorf("%+v", r)
	}
	s.project["x"] = 2
	_, err := Apply(t.Context(), s.client(t), parse(t, file), Options{})
	wording.Want(t, err, "f.yml:1: project.variables: x ... not allowed to change ... variables ... admin")
	if w := s.writes(); len(w) != 0 {
		t.Errorf("%v", w)
	}
	empty := &original{member: true}
	_, err = Apply(t.Context(), empty.client(t), parse(t, file), Options{})
	if err == nil || !strings.Contains(err.Error(), "set OS_PROJECT_ID") {
		t.Errorf("%v", err)
	}
	_, err = applyAs(t.Context(), empty.client(t), undashedProject, parse(t, file), Options{})
	if err == nil || !wording.Has(err.Error(), "project.variables: x, y ... admin") {
		t.Errorf("%v", err)
	}
}

// TestApplyNotFound: the original answers 404 to every listing of a member one of whose devices has a foreign parent
// (Q12).
func TestApplyNotFound(t *testing.T) {
	t.Parallel()
	s := &original{}
	apply(t, s.client(t), fleet, Options{})
	s.before = func(_, path string, _ map[string]any) (int, string) {
		if path == "/v1/devices" {
			return 404, "Not Found"
		}
		return 0, ""
	}
	_, err := Apply(t.Context(), s.client(t), parse(t, fleet), Options{})
	if err == nil || !craton.IsNotFound(err) || !strings.Contains(err.Error(), "has a parent in another project") {
		t.Errorf("%v", err)
	}
}

// TestApplyReads counts what a run reads of the original: pages, short listings in the other order as well, and labels
// of devices whose labels the file gives.
func TestApplyReads(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("clouds: [{name: a, regions: [{name: r, hosts: [\n")
	for i := range 250 {
		fmt.Fprintf(&b, "{name: h%d, ip_address: 10.0.0.1, device_type: x, variables: {i: %d}},\n", i, i)
	}
	b.WriteString("]}, {name: unmentioned}]}]")
	s := &original{}
	apply(t, s.client(t), b.String(), Options{})
	s.writes()
	if r := apply(t, s.client(t), b.String(), Options{}); r.Changed() {
		t.Fatalf("%+v", counts(r))
	}
	got := map[string]int{}
	for _, r := range s.requests {
		got[r]++
	}
	if diff := cmp.Diff(map[string]int{"GET /clouds": 3, "GET /regions": 3, "GET /devices": 4}, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// TestApplyMany passes the bounds above which one listing of everything replaces many small ones.
func TestApplyMany(t *testing.T) {
	both(t, func(t *testing.T, s api) {
		var outside, inside strings.Builder
		outside.WriteString("clouds: [{name: z, regions: [{name: z, hosts: [\n")
		inside.WriteString("clouds: [{name: a, regions: [\n")
		for i := range 40 {
			fmt.Fprintf(&outside, "{name: p%d, ip_address: 10.0.0.1, device_type: x, variables: {i: 1}},\n", i)
			fmt.Fprintf(&inside, `{name: r%[1]d, networks: [{name: n, cidr: 10.0.0.0/8, gateway: 10.0.0.1, netmask: 255.0.0.0, variables: {v: 1}}],
				hosts: [{name: h, ip_address: 10.0.0.1, device_type: x, parent: p%[1]d, labels: [l], variables: {v: 1},
				interfaces: [{name: eth0, interface_type: x, ip_address: 10.0.0.1, network: n%[1]d, variables: {v: 1}}]}]},`+"\n", i)
		}
		outside.WriteString("], networks: [\n")
		for i := range 40 {
			fmt.Fprintf(&outside, "{name: n%d, cidr: 10.0.0.0/8, gateway: 10.0.0.1, netmask: 255.0.0.0},\n", i)
		}
		outside.WriteString("]}]}]")
		inside.WriteString("]}]")
		apply(t, s.Client, outside.String(), Options{AllowDuplicates: true})
		if got, want := counts(apply(t, s.Client, inside.String(), Options{AllowDuplicates: true})), [3]int{1 + 40*4, 0, 0}; got != want {
			t.Errorf("created, updated, unchanged: %v, want %v", got, want)
		}
		for _, file := range []string{inside.String(), outside.String()} {
			if r := apply(t, s.Client, file, Options{AllowDuplicates: true}); r.Changed() {
				t.Errorf("again: %v", counts(r))
			}
		}
	})
}

// TestApplyTenants: an admin of the original sees the clouds of all tenants (Q20).
func TestApplyTenants(t *testing.T) {
	t.Parallel()
	projects := []string{"other", originalProject}
	s := &original{}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/clouds" || r.Method != http.MethodGet {
			s.ServeHTTP(w, r)
			return
		}
		list := []any{}
		for i, id := range projects {
			list = append(list, map[string]any{"id": i + 1, "name": "a", "project_id": id, "variables": map[string]any{}})
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(onePage(r, "clouds", list...))
	})
	c := clientOf(t, h)
	_, err := Apply(t.Context(), c, parse(t, "clouds: [{name: a}]"), Options{Check: true})
	if err == nil || !strings.Contains(err.Error(), "set OS_PROJECT_ID") {
		t.Errorf("%v", err)
	}
	r, err := applyAs(t.Context(), c, undashedProject, parse(t, "clouds: [{name: a, regions: [{name: r}]}]"), Options{})
	if err != nil || counts(r) != [3]int{1, 0, 1} {
		t.Fatalf("%v %+v", err, r)
	}
	if got := fmt.Sprint(s.rows["regions"][0].fields["cloud_id"]); got != "2" {
		t.Errorf("the region is in the cloud %s", got)
	}
}

// TestKinds checks the table of kinds against the schema: every field has its key, but those that the place in the file
// says.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, spec := range []*kindSpec{projectSpec, cloudSpec, regionSpec, cellSpec, networkSpec, hostSpec, networkDeviceSpec, interfaceSpec} {
		var want []string
		for _, f := range spec.Fields {
			if !f.Place() || spec == networkSpec && f.Key == "cell_id" {
				want = append(want, f.Option())
			}
		}
		got := slices.Sorted(slices.Values(spec.options))
		if diff := cmp.Diff(slices.Sorted(slices.Values(want)), got); diff != "" {
			t.Errorf("%s (-schema +fleet file):\n%s", spec.list, diff)
		}
		if spec.Variables == schema.None {
			t.Errorf("%s have no variables, and a file takes some", spec.list)
		}
	}
}

// TestApplyOutside names cells and networks that only the API has.
func TestApplyOutside(t *testing.T) {
	both(t, func(t *testing.T, s api) {
		apply(t, s.Client, fleet, Options{})
		apply(t, s.Client, "clouds: [{name: west, regions: [{name: dfw, networks: [{name: mgmt, cidr: 10.0.0.0/8, gateway: 10.0.0.1, netmask: 255.0.0.0}]}]}]", Options{})
		const more = `
clouds:
- name: east
  regions:
  - name: dfw
    networks: [{name: n2, cidr: 10.0.0.0/8, gateway: 10.0.0.1, netmask: 255.0.0.0, cell: c1}]
    hosts:
    - {name: new, ip_address: 10.0.0.7, device_type: x, interfaces: [{name: eth0, interface_type: x, ip_address: 10.0.0.7, network: mgmt}]}
`
		check := apply(t, s.Client, more, Options{Check: true})
		for i, want := range map[int]map[string]any{2: {"cell": "c1"}, 4: {"network": "east/dfw/mgmt"}} {
			for key, value := range want {
				if got := check.Changes[i].After[key]; got != value {
					t.Errorf("%s: %s is %v, want %v", check.Changes[i].Name, key, got, value)
				}
			}
		}
		apply(t, s.Client, more, Options{})
		if r := apply(t, s.Client, more, Options{}); r.Changed() {
			t.Errorf("again: %+v", r.Changes)
		}
	})
}

// TestApplyHalf fails between the requests of one object; the next run does the rest.
func TestApplyHalf(t *testing.T) {
	t.Parallel()
	refuse := func(suffix string) func(string, string, map[string]any) (int, string) {
		return func(method, path string, _ map[string]any) (int, string) {
			if method == http.MethodPut && strings.HasSuffix(path, suffix) {
				return 400, "no"
			}
			return 0, ""
		}
	}
	const file = "clouds: [{name: a, note: %s, variables: {x: %d}, regions: [{name: r, network_devices: [{name: sw, ip_address: 10.0.0.1, device_type: x, labels: [l%d]}]}]}]"
	s := &original{before: refuse("/labels")}
	_, err := Apply(t.Context(), s.client(t), parse(t, fmt.Sprintf(file, "n", 1, 1)), Options{})
	if err == nil || !wording.Has(err.Error(), "network device a/r/sw: ... labels ... not ... PUT") {
		t.Errorf("%v", err)
	}
	s.before = nil
	r := apply(t, s.client(t), fmt.Sprintf(file, "n", 1, 1), Options{})
	if diff := cmp.Diff([]string{"labels"}, r.Changes[2].Fields); diff != "" || counts(r) != [3]int{0, 1, 2} {
		t.Errorf("%v: %s", counts(r), diff)
	}
	s.before = refuse("/variables")
	_, err = Apply(t.Context(), s.client(t), parse(t, fmt.Sprintf(file, "m", 2, 1)), Options{})
	if err == nil || !wording.Has(err.Error(), "cloud a: ... variables ... not ... PUT") {
		t.Errorf("%v", err)
	}
	s.before = nil
	r = apply(t, s.client(t), fmt.Sprintf(file, "m", 2, 1), Options{})
	if diff := cmp.Diff([]string{"variables"}, r.Changes[0].Fields); diff != "" {
		t.Error(diff)
	}
	// Somebody deletes the cloud between the reading and the writing; the original answers 500 (Q5).
	s.before = func(method, _ string, _ map[string]any) (int, string) {
		if method == http.MethodPut {
			s.rows = map[string][]*row{}
		}
		return 0, ""
	}
	_, err = Apply(t.Context(), s.client(t), parse(t, fmt.Sprintf(file, "gone", 2, 1)), Options{})
	if err == nil || !craton.IsNotFound(err) || !strings.Contains(err.Error(), "cloud a: was deleted") {
		t.Errorf("%v", err)
	}
	// The original creates a host below a foreign parent and answers 404 (Q12).
	s = &original{before: func(method, path string, _ map[string]any) (int, string) {
		if method == http.MethodPost && path == "/v1/network-devices" {
			return 404, "Not Found"
		}
		return 0, ""
	}}
	_, err = Apply(t.Context(), s.client(t), parse(t, fmt.Sprintf(file, "n", 1, 1)), Options{})
	if err == nil || !wording.Has(err.Error(), "created ... parent ... project ... cannot see") {
		t.Errorf("%v", err)
	}
}
