package inventory

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/wording"
	"github.com/craton-fleet/craton/inventory/internal/ansible/ansibletest"
)

// fleetOf has hosts in two regions of two cells each; every tenth has a parent in the other region.
func fleetOf(hosts int) *fake {
	f := newFake()
	f.tells = true
	f.project(project1, vars{"a": `1`})
	cloud := f.cloud("east", vars{"a": `2`})
	var cells []object
	for r := range 2 {
		region := f.region(cloud, fmt.Sprintf("r%d", r), nil)
		for c := range 2 {
			cells = append(cells, f.cell(region, fmt.Sprintf("r%dc%d", r, c), nil))
		}
	}
	for n := range hosts {
		more := object{"labels": []string{"even", "odd"}[n%2 : n%2+1]}
		if n%10 == 9 {
			more["parent_id"] = n - 8
		}
		f.host(cells[n%4], fmt.Sprintf("h%05d", n), vars{"n": fmt.Sprint(n)}, more)
	}
	return f
}

// count returns how many requests match, and what they were.
func (f *fake) count(pattern string) int {
	re, n := regexp.MustCompile(pattern), 0
	for _, r := range f.asked() {
		if re.MatchString(r) {
			n++
		}
	}
	return n
}

// TestRequestsPerPage: ten times the hosts cost ten times the pages and nothing more.
func TestRequestsPerPage(t *testing.T) {
	t.Parallel()
	constant := map[int]int{}
	for _, hosts := range []int{400, 4000} {
		f := fleetOf(hosts)
		if got := len(f.load(t, DefaultOptions()).Hosts); got != hosts {
			t.Fatalf("%d hosts", got)
		}
		if n := f.count(`^/v1/hosts\?.*resolved-values=false`); n != hosts/100+2 {
			t.Errorf("%d hosts: %d requests for hosts, want their pages and one empty page a region", hosts, n)
		}
		constant[hosts] = len(f.asked()) - hosts/100
	}
	if constant[400] != constant[4000] || constant[400] != 12 { // each of three short listings of places is read in both orders
		t.Errorf("requests beyond pages: %v", constant)
	}
}

// TestManyRegions: each listing ends with an empty page, so regions must not multiply them.
func TestManyRegions(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.project(project1, nil)
	cloud := f.cloud("east", nil)
	for i := range 200 {
		f.host(f.region(cloud, fmt.Sprintf("r%d", i), nil), fmt.Sprintf("h%d", i), nil, nil)
	}
	o := DefaultOptions()
	o.Groups = nil
	f.load(t, o)
	if n := f.count("^/v1/hosts"); n != 3 {
		t.Errorf("%d requests for 200 hosts in 200 regions", n)
	}
}

// TestLabelsCostRequestsOnlyWhereNeeded: the original server does not tell labels in listings (Q15).
func TestLabelsCostRequestsOnlyWhereNeeded(t *testing.T) {
	t.Parallel()
	withoutGroups := DefaultOptions()
	withoutGroups.Groups = []GroupKind{CellGroups}
	filtered := withoutGroups
	filtered.Labels = []string{"even"}
	for name, c := range map[string]struct {
		tells bool
		o     Options
		want  int
		hosts int
	}{
		"craton server":              {true, DefaultOptions(), 0, 40},
		"original":                   {false, DefaultOptions(), 40, 40},
		"original, no label groups":  {false, withoutGroups, 0, 40},
		"original, filter, no group": {false, filtered, 0, 20},
		"craton server, filter":      {true, filtered, 0, 20},
	} {
		f := fleetOf(40)
		f.tells = c.tells
		fleet := f.load(t, c.o)
		if n := f.count("/labels$"); n != c.want || len(fleet.Hosts) != c.hosts {
			t.Errorf("%s: %d label requests, %d hosts; want %d, %d", name, n, len(fleet.Hosts), c.want, c.hosts)
		}
	}
}

// TestStreamsAreBounded: never more requests at once than the setting says, and more than one if it may.
func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	for _, streams := range []int{1, 3} {
		f := newFake()
		f.project(project1, nil)
		cloud := f.cloud("east", nil)
		for r := range 6 {
			region := f.region(cloud, fmt.Sprintf("r%d", r), nil)
			for n := range 3 {
				f.host(region, fmt.Sprintf("h%d-%d", r, n), nil, nil)
			}
		}
		var now, most atomic.Int32
		f.intercept = func(http.ResponseWriter, *http.Request, int) bool {
			n := now.Add(1)
			defer now.Add(-1)
			for {
				m := most.Load()
				if n <= m || most.CompareAndSwap(m, n) {
					break
				}
			}
			time.Sleep(2 * time.Millisecond)
			return false
		}
		o := DefaultOptions()
		o.Streams = streams
		f.load(t, o)
		if got := int(most.Load()); got > streams || streams > 1 && got < 2 {
			t.Errorf("streams %d: %d requests at once", streams, got)
		}
	}
}

// broken makes the nth request that matches fail in some way, the first times that it comes.
func broken(pattern string, times int, how http.HandlerFunc) func(http.ResponseWriter, *http.Request, int) bool {
	re := regexp.MustCompile(pattern)
	var seen atomic.Int32
	return func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if !re.MatchString(r.URL.RequestURI()) || int(seen.Add(1)) > times {
			return false
		}
		how(w, r)
		return true
	}
}

var ways = map[string]http.HandlerFunc{
	"marker gone": func(w http.ResponseWriter, r *http.Request) {
		fail(w, 400, fmt.Sprintf("Marker %q does not exist", r.URL.Query().Get("marker")))
	},
	"500": func(w http.ResponseWriter, _ *http.Request) { fail(w, 500, "An unknown exception occurred") },
	"503": func(w http.ResponseWriter, _ *http.Request) { fail(w, 503, "busy") },
	"connection cut": func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	},
	"body cut": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"hosts": [`))
		panic(http.ErrAbortHandler)
	},
}

// TestBrokenWalksAreRetried: a walk that the server breaks once or twice is started again and gives the whole fleet;
// one that it breaks again and again is an error. A real server, because connections are cut.
func TestBrokenWalksAreRetried(t *testing.T) {
	t.Parallel()
	for name, how := range ways {
		for _, times := range []int{1, 2, 100} {
			t.Run(fmt.Sprintf("%s %d times", name, times), func(t *testing.T) {
				t.Parallel()
				f := fleetOf(410)
				f.intercept = broken(`^/v1/hosts\?.*marker=.*region_id=1`, times, how) // once a try
				server := httptest.NewServer(f)
				defer server.Close()
				server.Config.ErrorLog = nil
				client, err := craton.New(server.URL, craton.WithRetries(0))
				if err != nil {
					t.Fatal(err)
				}
				fleet, err := Load(context.Background(), client, DefaultOptions())
				if times == 100 {
					if err == nil || fleet != nil || !strings.Contains(err.Error(), "read completely in 3 tries") {
						t.Errorf("fleet %v, error %v", fleet != nil, err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if len(fleet.Hosts) != 410 {
					t.Errorf("%d hosts", len(fleet.Hosts))
				}
			})
		}
	}
}

// TestPermanentFailuresAreNotRetried: a server that never answers, refuses the credentials, or speaks another
// language, fails at once.
func TestPermanentFailuresAreNotRetried(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]http.HandlerFunc{
		"down":      func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"bad key":   func(w http.ResponseWriter, _ *http.Request) { fail(w, 401, "The request could not be authenticated.") },
		"not JSON":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"no links":  func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]any{"clouds": []int{}}) },
		"not found": func(w http.ResponseWriter, _ *http.Request) { fail(w, 404, "Not Found") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fleetOf(10)
			f.intercept = broken(".", 1000, how)
			server := httptest.NewServer(f)
			defer server.Close()
			client, err := craton.New(server.URL, craton.WithRetries(0))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Load(context.Background(), client, DefaultOptions()); err == nil || strings.Contains(err.Error(), "tries") {
				t.Errorf("error %v", err)
			}
			if len(f.asked()) > 4 { // net/http repeats one where a connection was good before
				t.Errorf("%d requests", len(f.asked()))
			}
		})
	}
}

// TestInconsistentFleetsAreRetried: a host in a cell that was made after the cells were read.
func TestInconsistentFleetsAreRetried(t *testing.T) {
	t.Parallel()
	late := func(forget func(f *fake) func()) (*Fleet, error) {
		f := fleetOf(20)
		f.netdev(f.get("cells", 1), "sw", nil, object{"id": 500})
		f.get("hosts", 3)["parent_id"] = 500
		f.get("hosts", 4)["parent_id"] = 500
		remember := forget(f)
		f.intercept = func(_ http.ResponseWriter, _ *http.Request, _ int) bool {
			if f.count("^/v1/clouds") == 2 && remember != nil { // the second try begins
				remember()
			}
			return false
		}
		return Load(context.Background(), f.client(), DefaultOptions())
	}
	drop := func(list string, id int) func(f *fake) func() {
		return func(f *fake) func() {
			all := f.lists[list]
			f.lists[list] = slices.DeleteFunc(slices.Clone(all), func(o object) bool { return o.id() == id })
			return func() {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.lists[list] = all
			}
		}
	}
	for name, c := range map[string]struct{ list, want string }{
		"cell":   {"cells", `host "h00001" (id 2) is in cell 2, which the API does not list`},
		"parent": {"network_devices", `the parent of host "h00002" (id 3), the host 500, cannot be read`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := map[string]int{"cells": 2, "network_devices": 500}[c.list]
			synctest.Test(t, func(t *testing.T) {
				// Here it comes back...
				fleet, err := late(drop(c.list, id))
				if err != nil || len(fleet.Hosts) != 20 {
					t.Errorf("error %v", err)
				}
				// ... and here it stays away.
				_, err = late(func(f *fake) func() { drop(c.list, id)(f); return nil })
				if err == nil || !strings.Contains(err.Error(), "in 3 tries: "+c.want) {
					t.Errorf("error %v, want %s", err, c.want)
				}
			})
		})
	}
}

func TestParentCycle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, parentsInACircle) // no waiting between the tries
}

func parentsInACircle(t *testing.T) {
	f := fleetOf(20)
	f.get("hosts", 1)["parent_id"] = 2
	f.get("hosts", 2)["parent_id"] = 3
	f.get("hosts", 3)["parent_id"] = 2
	f.get("hosts", 10)["parent_id"] = nil
	f.get("hosts", 20)["parent_id"] = nil
	_, err := Load(context.Background(), f.client(), DefaultOptions())
	if err == nil || !strings.Contains(err.Error(), `form a loop through`) || !strings.Contains(err.Error(), `"h0000`) {
		t.Errorf("error %v", err)
	}
	if _, err := Host(context.Background(), f.client(), DefaultOptions(), "h00000"); err == nil || !strings.Contains(err.Error(), `form a loop through`) {
		t.Errorf("Host: %v", err)
	}
	f.get("hosts", 3)["parent_id"] = 3
	if _, err := Load(context.Background(), f.client(), DefaultOptions()); err == nil || !strings.Contains(err.Error(), `form a loop through`) {
		t.Errorf("its own parent: %v", err)
	}
}

// TestParentsOutsideTheFilter: few are read one by one, many by listing their kind; grandparents too.
func TestParentsOutsideTheFilter(t *testing.T) {
	t.Parallel()
	for _, children := range []int{5, 60} {
		f := newFake()
		f.tells = true
		f.project(project1, vars{"p": `"project"`})
		cloud := f.cloud("east", nil)
		here, there := f.region(cloud, "here", nil), f.region(cloud, "there", vars{"p": `"not mine"`})
		root := f.netdev(there, "core", vars{"core": `true`, "level": `"core"`}, nil)
		for n := range children {
			middle := f.netdev(there, fmt.Sprintf("tor%d", n), vars{"tor": fmt.Sprint(n), "level": `"tor"`}, object{"parent_id": root["id"]})
			parent := f.host(there, fmt.Sprintf("kvm%d", n), vars{"kvm": fmt.Sprint(n)}, object{"parent_id": middle["id"]})
			f.host(here, fmt.Sprintf("vm%d", n), nil, object{"parent_id": parent["id"]})
		}
		o := DefaultOptions()
		o.Regions = []string{"here"}
		o.Facts = ""
		_, got := ansibletest.MustRead(t, f.document(t, o))
		if len(got) != children {
			t.Fatalf("%d hosts", len(got))
		}
		for n := range children {
			d := f.lists["hosts"][2*n+1]
			want := map[string]any{"ansible_host": d["ip_address"], "craton_stale": false}
			for k, v := range f.resolved("hosts", d) {
				want[k], _ = ansibletest.ReadMarked([]byte(v))
			}
			if diff := cmp.Diff(want, got[d["name"].(string)]); diff != "" {
				t.Fatalf("%d children, %s:\n%s", children, d["name"], diff)
			}
		}
		if limit := 2*maxByID + 30; len(f.asked()) > limit {
			t.Errorf("%d children: %d requests, more than %d", children, len(f.asked()), limit)
		}
	}
}

func TestFilterErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"cloud":            {func(o *Options) { o.Clouds = []string{"eastt"} }, `"eastt" ... clouds ... similar ... east`},
		"cloud far":        {func(o *Options) { o.Clouds = []string{"mars"} }, `"mars" ... clouds ... east, west-2`},
		"cloud id":         {func(o *Options) { o.Clouds = []string{"9"} }, `"9" ... clouds`},
		"region":           {func(o *Options) { o.Regions = []string{"east/dwf"} }, `"east/dwf" ... regions ... similar ... east/dfw`},
		"region elsewhere": {func(o *Options) { o.Clouds, o.Regions = []string{"east"}, []string{"ord"} }, `"ord" in these clouds ... regions ... dfw, east/dfw, east/iad, iad`},
		"cell":             {func(o *Options) { o.Cells = []string{"c9"} }, `"c9" ... cells ... similar ... `},
		"cell elsewhere":   {func(o *Options) { o.Regions, o.Cells = []string{"iad"}, []string{"c1"} }, `"c1" in these clouds and regions ... cells ... none`},
		"label":            {func(o *Options) { o.Labels = []string{"web", "webb"} }, `"webb" ... labels ... similar ... web`},
		"device type":      {func(o *Options) { o.DeviceTypes = []string{"sever"} }, `"sever" ... device_types ... similar ... server`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, tells := range []bool{true, false} {
				o := DefaultOptions()
				c.change(&o)
				f := believable()
				f.tells = tells
				_, err := Load(context.Background(), f.client(), o)
				want := c.want
				if !tells && name == "label" {
					want = `"webb" ... labels`
				}
				if err == nil || !wording.Has(err.Error(), want) {
					t.Errorf("error %v\nwant %s", err, want)
				}
			}
		})
	}
}

// TestKnownWordsThatMatchNothing: a label or device type that exists elsewhere is no error, nor a vars filter.
func TestKnownWordsThatMatchNothing(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Options){
		"label":       func(o *Options) { o.Labels, o.Clouds = []string{"web"}, []string{"west-2"} },
		"device type": func(o *Options) { o.DeviceTypes, o.Clouds = []string{"bastion"}, []string{"west-2"} },
		"vars":        func(o *Options) { o.VarsFilter = `mtu:1` },
		"no regions":  func(o *Options) { o.Regions = []string{"iad"} },
	} {
		for _, tells := range []bool{true, false} {
			o := DefaultOptions()
			change(&o)
			f := believable()
			f.tells = tells
			if n := len(f.load(t, o).Hosts); n != 0 {
				t.Errorf("%s: %d hosts", name, n)
			}
		}
	}
}

// TestFiltersAreAskedOfTheAPI: what the API can filter is not read to be thrown away.
func TestFiltersAreAskedOfTheAPI(t *testing.T) {
	t.Parallel()
	o := DefaultOptions()
	o.Cells, o.Labels, o.DeviceTypes = []string{"r0c0", "r1c1"}, []string{"odd"}, []string{"server"}
	f := fleetOf(400)
	fleet := f.load(t, o)
	if len(fleet.Hosts) != 100 || f.count(`^/v1/hosts\?cell_id=\d.*device_type=server.*label=odd`) == 0 {
		t.Errorf("%d hosts, requests %q", len(fleet.Hosts), f.asked())
	}
	if n := f.count("^/v1/hosts"); n > 2*2+1+maxByID {
		t.Errorf("%d requests for hosts", n)
	}
}

// TestVarsFilter: few matches are read one by one, many by listing; the variables are the hosts' own all the same.
func TestVarsFilter(t *testing.T) {
	t.Parallel()
	for _, hosts := range []int{30, 300} {
		f := fleetOf(hosts)
		for _, d := range f.lists["hosts"] {
			f.vars["hosts"][fmt.Sprint(d["id"])]["role"] = strconv.Quote([]string{"db", "web", "web"}[d.id()%3])
		}
		o := DefaultOptions()
		o.VarsFilter = `role:"db"`
		fleet := f.load(t, o)
		for _, d := range fleet.Hosts {
			if v, _ := d.Variables.Find("role"); v != `"db"` {
				t.Errorf("%s has role %s", d, v)
			}
		}
		if len(fleet.Hosts) != hosts/3 {
			t.Errorf("%d of %d hosts", len(fleet.Hosts), hosts)
		}
		// Matched by a variable of the cell, that is, by what hosts resolve to.
		f.vars["cells"]["1"]["rack"] = `"a1"`
		o.VarsFilter = `rack:"a1"`
		if got := len(f.load(t, o).Hosts); got != (hosts+3)/4 {
			t.Errorf("%d hosts of the cell, of %d", got, hosts)
		}
	}
}

// TestRefusedVarsFilter: the original answers 500 for an expression that it cannot parse; that is not tried again.
func TestRefusedVarsFilter(t *testing.T) {
	t.Parallel()
	f := fleetOf(20)
	f.intercept = broken("vars=", 1000, ways["500"])
	o := DefaultOptions()
	o.VarsFilter = "nonsense"
	_, err := Load(context.Background(), f.client(), o)
	if err == nil || !strings.HasPrefix(err.Error(), "vars_filter: ") || strings.Contains(err.Error(), "tries") {
		t.Errorf("error %v", err)
	}
}

// TestManyProjects: root sees hosts of several projects; each has its own project's variables.
func TestManyProjects(t *testing.T) {
	t.Parallel()
	for _, projects := range []int{2, 15} {
		f := newFake()
		dfw := f.region(f.cloud("east", nil), "dfw", nil)
		for n := range projects {
			id := fmt.Sprintf("%08d-0000-4000-8000-000000000000", n)
			f.project(id, vars{"mine": fmt.Sprint(n)})
			// The API answers in the spelling that was sent, now and then (Q2).
			f.host(dfw, fmt.Sprintf("h%d", n), nil, object{"project_id": []string{id, strings.ReplaceAll(id, "-", "")}[n%2]})
		}
		for _, form := range []Form{Merged, Layered} {
			o := DefaultOptions()
			o.Vars, o.Facts = form, ""
			d, got := ansibletest.MustRead(t, f.document(t, o))
			for n := range projects {
				if mine := fmt.Sprint(got[fmt.Sprintf("h%d", n)]["mine"]); mine != fmt.Sprint(n) {
					t.Errorf("%s: h%d has %s", form, n, mine)
				}
			}
			if len(d.Groups["all"].Vars) != 0 {
				t.Errorf("variables of one project on all: %v", d.Groups["all"])
			}
		}
		if n := f.count("^/v1/projects"); n > 2*maxProjects {
			t.Errorf("%d requests for %d projects", n, projects)
		}
	}
}

func TestListingsWithoutVariablesAreRefused(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/v1/clouds", "/v1/cells", "/v1/hosts"} {
		f := fleetOf(10)
		f.intercept = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.URL.Path != path {
				return false
			}
			q := r.URL.Query()
			q.Del("details")
			f.list(w, r, strings.TrimPrefix(path, "/v1/"), q)
			return true
		}
		_, err := Load(context.Background(), f.client(), DefaultOptions())
		if _, ok := errors.AsType[*craton.ResponseError](err); !ok || !strings.Contains(err.Error(), "has no variables, although they") {
			t.Errorf("%s: error %v", path, err)
		}
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	f := fleetOf(1000)
	f.intercept = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Query().Has("marker") {
			cancel()
		}
		return false
	}
	if _, err := Load(ctx, f.client(), DefaultOptions()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestHostsOnTwoPages: hosts never move in the order that the fleet is read in, so one that comes twice is of pages
// that are not to be believed.
func TestHostsOnTwoPages(t *testing.T) {
	t.Parallel()
	f := fleetOf(400)
	again := f.get("hosts", 1)
	f.lists["hosts"] = slices.Insert(f.lists["hosts"], 250, again)
	if _, err := Load(t.Context(), f.client(craton.WithRetries(1)), DefaultOptions()); err == nil || !strings.Contains(err.Error(), "id 1 after id") {
		t.Errorf("%v", err)
	}
}
