package modules

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/wording"
)

// life is what a resource goes through in its life.
type life struct {
	name           string
	create, change args
}

var vars = map[string]any{"a": 1, "b": []any{"x", nil}, "c": map[string]any{"ü": 1.5}}

var lives = []life{
	{"project", args{"name": "p", "variables": vars}, args{"name": "p", "variables": map[string]any{"a": 2}}},
	{"cloud", args{"name": "west", "note": "n", "variables": vars}, args{"name": "west", "note": "", "variables": map[string]any{"a": nil}}},
	{"region", args{"name": "ams", "cloud": "east", "note": "n", "variables": vars}, args{"name": "ams", "variables": map[string]any{"a": 2}, "variables_mode": "replace"}},
	{"cell", args{"name": "c", "region": "dfw", "variables": vars}, args{"name": "c", "region": "dfw", "note": "now"}},
	{"host", args{"name": "web1", "region": "dfw", "cell": "row-a", "ip_address": "2001:DB8:0::1", "device_type": "server", "parent": "sw1", "note": "n",
		"labels": []string{"web", "a"}, "variables": vars},
		args{"name": "web1", "region": "dfw", "ip_address": "10.0.0.9", "parent": "", "active": false, "labels": []string{"b"}, "labels_mode": "exact", "variables": map[string]any{"z": "{{ x }}"}}},
	{"network_device", args{"name": "sw2", "cell": "row-a", "ip_address": "10.0.0.3", "device_type": "switch", "parent": "sw1", "labels": "tor,x", "vlans": "1-2", "active": false},
		args{"name": "sw2", "region": "dfw", "model_name": "m", "vlans": "", "labels": []string{"y"}}},
	{"network", args{"name": "back", "region": "dfw", "cell": "row-a", "cidr": "10.1.0.0/16", "gateway": "10.1.0.1", "netmask": "255.255.0.0", "nss": "ns1", "variables": vars},
		args{"name": "back", "region": "dfw", "cidr": "10.1.0.0/17", "nss": "", "ip_block_type": "private"}},
	{"network_interface", args{"name": "eth0", "device": "sw1", "interface_type": "ethernet", "ip_address": "10.0.0.4", "network": "front", "vlan_id": 4, "port": "7", "speed": 1000, "variables": vars},
		args{"name": "eth0", "device": "sw1", "port": 0, "speed": "100", "link": "up"}},
}

func TestLife(t *testing.T) {
	t.Parallel()
	for _, l := range lives {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.place(t)
			name := "craton_" + l.name
			predicted := a.OK(t, true, name, l.create.With(checking))
			made := a.OK(t, true, name, l.create.With(diffing))
			asPredicted(t, l.name, predicted, made)
			if before := made.Dict("diff")["before"]; len(before.(map[string]any)) != 0 {
				t.Errorf("before a create: %v", before)
			}
			again := a.OK(t, false, name, l.create)
			if d := cmp.Diff(made[l.name], again[l.name]); d != "" {
				t.Errorf("the second run returns another object:\n%s", d)
			}
			if again["diff"] != nil {
				t.Error("a diff that nobody asked for")
			}
			predicted = a.OK(t, true, name, l.change.With(checking))
			changed := a.OK(t, true, name, l.change.With(diffing))
			asPredicted(t, l.name, predicted, changed)
			again = a.OK(t, false, name, l.change.With(diffing))
			if d := cmp.Diff(timeless(changed.Dict(l.name)), timeless(again.Dict(l.name))); d != "" {
				t.Errorf("the second run returns another object:\n%s", d)
			}
			if d := cmp.Diff(again.Dict("diff")["before"], again.Dict("diff")["after"]); d != "" {
				t.Errorf("a diff where nothing changed:\n%s", d)
			}
			gone := l.create.With(args{"state": "absent"})
			predicted = a.OK(t, true, name, gone.With(checking))
			removed := a.OK(t, true, name, gone.With(diffing))
			asPredicted(t, l.name, predicted, removed)
			if d := cmp.Diff(again[l.name], removed[l.name]); d != "" {
				t.Errorf("absent returns another object than was there:\n%s", d)
			}
			if d := cmp.Diff(map[string]any{}, a.OK(t, false, name, gone)[l.name]); d != "" {
				t.Errorf("absent again: %s", d)
			}
		})
	}
}

func TestByID(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	for _, l := range lives {
		name := "craton_" + l.name
		id := a.OK(t, true, name, l.create).Dict(l.name)["id"]
		if l.name == "project" {
			a.Fails(t, name, args{"id": id, "name": "other"}, "cannot change name")
		} else {
			a.OK(t, true, name, args{"id": id, "name": "renamed"}.With(checking))
			got := a.OK(t, true, name, args{"id": id, "name": "renamed"})
			if got.Dict(l.name)["id"] != id || got.Dict(l.name)["name"] != "renamed" {
				t.Errorf("%s: %v", name, got[l.name])
			}
		}
		a.OK(t, true, name, args{"id": id, "state": "absent"})
		a.OK(t, false, name, args{"id": id, "state": "absent"})
		a.Fails(t, name, args{"id": id}, "there is no", "omit id")
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	web := args{"name": "web1", "ip_address": "10.0.0.1", "device_type": "server"}
	a.Fails(t, "craton_host", web, "to create it, give region")
	a.Fails(t, "craton_host", web.With(args{"region": "nowhere"}), `region: ... no region "nowhere"`, "create")
	a.OK(t, false, "craton_host", web.With(args{"region": "nowhere", "state": "absent"}))
	// One name in two clouds.
	a.OK(t, true, "craton_cloud", args{"name": "west"})
	a.OK(t, true, "craton_region", args{"name": "dfw", "cloud": "west"})
	a.Fails(t, "craton_host", web.With(args{"region": "dfw"}), `"dfw" ... 2 objects`, `id 1, ... "east"`, `id 2, ... "west"`)
	a.Fails(t, "craton_region", args{"name": "dfw"}, "name of 2 objects")
	a.OK(t, true, "craton_host", web.With(args{"region": "dfw", "cloud": "west"}))
	a.OK(t, false, "craton_host", web.With(args{"region": 2}))
	a.OK(t, false, "craton_host", web.With(args{"region": "2"}))
	a.OK(t, false, "craton_host", args{"name": "web1"})
	a.OK(t, true, "craton_host", web.With(args{"region": 1}))
	a.Fails(t, "craton_host", args{"name": "web1"}, "name of 2 objects", "host id", `in cloud "east", region "dfw"`, `in cloud "west", region "dfw"`)
	a.Fails(t, "craton_host", args{"name": "vm", "region": 1, "ip_address": "10.0.0.1", "device_type": "vm", "parent": "web1"}, "parent: ", "2 objects")
	a.OK(t, true, "craton_host", args{"name": "web1", "region": 1, "parent": "web1"}.With(checking)) // the other one, for it cannot be itself
	a.Fails(t, "craton_host", args{"name": "web1", "region": 1, "cloud": "west"}, `region: ... "dfw" (id 1) ... cloud "east" ... "west"`)
	// A name of digits comes before an id.
	a.OK(t, true, "craton_region", args{"name": "1", "cloud": "west"})
	if got := a.OK(t, true, "craton_cell", args{"name": "c", "region": 1}).Dict("cell")["region_id"]; got != 3.0 {
		t.Errorf("the region is %v", got)
	}
	// Hosts and network devices share their names.
	a.Fails(t, "craton_network_device", web.With(args{"region": 2}), "taken by the host \"web1\"")
	a.Fails(t, "craton_host", args{"id": 3, "name": "sw1"}, `taken by the network device "sw1" (id 1)`)
	a.OK(t, true, "craton_host", args{"id": 2, "name": "sw1"}) // in another region the name is free
}

// A reference may say where the object is, as in a fleet file.
func TestPaths(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	a.OK(t, true, "craton_cloud", args{"name": "west"})
	a.OK(t, true, "craton_region", args{"name": "dfw", "cloud": "west"})
	a.OK(t, true, "craton_region", args{"name": "ams", "cloud": "west"})
	a.OK(t, true, "craton_network", args{"name": "front", "region": "ams", "cidr": "10.0.0.0/24", "gateway": "10.0.0.1", "netmask": "m"})
	hosts := map[string]any{}
	for _, region := range []string{"east/dfw", "west/dfw", "ams"} {
		made := a.OK(t, true, "craton_host", args{"name": "web", "region": region, "ip_address": "10.0.0.1", "device_type": "server"})
		hosts[region] = made.Dict("host")["id"]
	}
	vm := args{"name": "vm", "region": "ams", "ip_address": "10.0.0.2", "device_type": "vm"}
	a.Fails(t, "craton_host", vm.With(args{"parent": "web"}), `"web" ... 3 objects`, "region/name ... cloud/region/name: host id")
	a.Fails(t, "craton_host", vm.With(args{"parent": "dfw/web"}), `"dfw/web" ... 2 objects`)
	a.Fails(t, "craton_host", vm.With(args{"parent": "east/ams/web"}), `no host or network device "east/ams/web"`)
	a.Fails(t, "craton_host", vm.With(args{"parent": "/web"}), "there is no")
	a.Fails(t, "craton_region", args{"name": "x", "cloud": "a/west"}, `no cloud "a/west"`)
	for path, region := range map[string]string{"ams/web": "ams", "west/ams/web": "ams", "east/dfw/web": "east/dfw", "west/dfw/web": "west/dfw"} {
		if got := a.Task(t, "craton_host", vm.With(args{"parent": path})).Dict("host")["parent_id"]; got != hosts[region] {
			t.Errorf("%s is %v, not %v", path, got, hosts[region])
		}
	}
	a.OK(t, true, "craton_network_interface", args{"name": "e", "device": "dfw/sw1", "interface_type": "e", "ip_address": "10.0.0.1", "network": "ams/front"})
	a.OK(t, false, "craton_network_interface", args{"name": "e", "device": "east/dfw/sw1", "network": "west/ams/front"})
	a.Fails(t, "craton_network_interface", args{"name": "e", "device": "dfw/sw1", "network": "front"}, "cannot change network")
	a.OK(t, false, "craton_cell", args{"name": "row-a", "region": "east/dfw"})
	a.OK(t, true, "craton_host", args{"name": "c", "cell": "dfw/row-a", "ip_address": "10.0.0.1", "device_type": "server"})
	if got := names(t, a.OK(t, false, "craton_host_info", args{"cell": "east/dfw/row-a"}), "hosts"); len(got) != 1 {
		t.Errorf("the hosts of the cell: %v", got)
	}
	// A name that reads like a path of another object.
	a.OK(t, true, "craton_host", args{"name": "ams/web", "region": "east/dfw", "ip_address": "10.0.0.1", "device_type": "server"})
	a.Fails(t, "craton_host", vm.With(args{"parent": "ams/web"}), `"ams/web" ... 2 objects`)
	a.OK(t, false, "craton_host", args{"name": "ams/web", "region": "east/dfw"})
}

func TestImmutable(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	a.OK(t, true, "craton_region", args{"name": "ams", "cloud": "east"})
	host := args{"name": "web1", "region": "dfw", "cell": "row-a", "ip_address": "10.0.0.9", "device_type": "server", "labels": []string{"l"}, "variables": vars, "note": "n"}
	old := a.OK(t, true, "craton_host", host).Dict("host")
	move := args{"name": "web1", "region": "dfw", "cell": "row-b"}
	a.Fails(t, "craton_host", move, "cannot change cell", "recreate: true")
	a.Fails(t, "craton_host", move, `cell "row-a" (the task says "row-b") of the host "web1"`)
	a.Fails(t, "craton_host", args{"id": old["id"], "region": "ams"}, `cannot change region "dfw" ... "ams" ... host "web1"`)
	a.Fails(t, "craton_host", args{"id": old["id"], "region": "east/ams"}, `region "dfw" (the task says "east/ams")`)
	a.Fails(t, "craton_host", args{"id": old["id"], "region": "2"}, `region 1 (the task says "2")`)
	a.Fails(t, "craton_host", args{"id": old["id"], "cell": ""}, `cell "row-a" (the task says "")`)
	// What it holds goes along.
	a.OK(t, true, "craton_network_interface", args{"name": "eth0", "device": "web1", "interface_type": "e", "ip_address": "10.0.0.9", "variables": vars})
	if got := fmt.Sprint(a.OK(t, true, "craton_host", move.With(args{"recreate": true}).With(checking))["carried"]); got != `[network interface "eth0" (id 1)]` {
		t.Error(got)
	}
	a.Fails(t, "craton_network_interface", args{"name": "eth0", "device": "web1", "ip_address": "10.0.0.10"}, `cannot change ip_address "10.0.0.9" ... "10.0.0.10" ... network interface "eth0"`)
	a.Fails(t, "craton_network_interface", args{"name": "eth0", "device": "web1", "variables": map[string]any{"q": 1}}, "cannot change variables")
	again := a.OK(t, true, "craton_network_interface", args{"name": "eth0", "device": "web1", "ip_address": "10.0.0.10", "recreate": true}).Dict("network_interface")
	if d := cmp.Diff(vars["b"], again["variables"].(map[string]any)["b"]); d != "" || again["interface_type"] != "e" {
		t.Errorf("the new interface: %v", again)
	}
	a.OK(t, true, "craton_network_interface", args{"name": "eth0", "device": "web1", "state": "absent"})
	// A child forbids a delete, but not that.
	a.OK(t, true, "craton_host", args{"name": "vm", "region": "dfw", "ip_address": "10.0.0.10", "device_type": "vm", "parent": "web1"})
	if got := fmt.Sprint(a.OK(t, true, "craton_host", move.With(args{"recreate": true}).With(checking))["carried"]); !strings.HasPrefix(got, `[host "vm" (id `) {
		t.Error(got)
	}
	a.Fails(t, "craton_host", args{"name": "web1", "state": "absent"}, "has it as its parent")
	a.Fails(t, "craton_host", args{"name": "web1", "parent": "vm"}, "cannot be below itself")
	a.OK(t, true, "craton_host", args{"name": "vm", "state": "absent"})

	predicted := a.OK(t, true, "craton_host", move.With(args{"recreate": true}).With(checking))
	got := a.OK(t, true, "craton_host", move.With(args{"recreate": true}).With(diffing))
	asPredicted(t, "host", predicted, got)
	want := timeless(old)
	now := timeless(got.Dict("host"))
	if now["id"] == old["id"] || now["cell_id"] == old["cell_id"] {
		t.Errorf("not made anew: %v", now)
	}
	for _, key := range []string{"id", "cell_id"} {
		delete(want, key)
		delete(now, key)
	}
	if d := cmp.Diff(want, now); d != "" {
		t.Errorf("what the task does not mention is not kept:\n%s", d)
	}
	a.OK(t, false, "craton_host", move)
	a.OK(t, true, "craton_host", args{"id": got.Dict("host")["id"], "region": "ams", "recreate": true})
	if now := a.OK(t, false, "craton_host", args{"name": "web1", "region": "ams"}).Dict("host"); now["cell_id"] != nil {
		t.Errorf("the cell of the old region: %v", now)
	}
	a.Fails(t, "craton_network_device", args{"name": "sw1", "active": false}, "cannot change active true ... false ... network device")
	made := a.OK(t, true, "craton_network_interface", args{"name": "e1", "device": "sw1", "interface_type": "e", "ip_address": "10.0.0.9"})
	a.Fails(t, "craton_network_interface", args{"id": made.Dict("network_interface")["id"], "device": "web1", "vlan_id": 5}, `device "sw1" ... "web1" ... vlan_id, ... not set ... 5`)
}

// TestFixedPlaces: where an object stands is told by names; what the task implies, too, and where two have the same
// name, by the ids as well.
func TestFixedPlaces(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	a.OK(t, true, "craton_region", args{"name": "ams", "cloud": "east"})
	old := a.OK(t, true, "craton_host", args{"name": "web1", "region": "dfw", "cell": "row-a", "ip_address": "10.0.0.9", "device_type": "server"}).Dict("host")
	a.OK(t, true, "craton_cloud", args{"name": "west"})
	a.OK(t, true, "craton_region", args{"name": "dfw", "cloud": "west"})
	a.OK(t, true, "craton_cell", args{"name": "row-a", "region": "west/dfw"})
	a.Fails(t, "craton_host", args{"id": old["id"], "cell": "west/dfw/row-a"},
		`cloud "east" (the task says "west"), region "dfw" (id 1) (the task says "dfw" (id 3)) and cell "row-a" (the task says "west/dfw/row-a")`)
	a.Fails(t, "craton_cell", args{"id": 1, "region": "ams"}, `region "dfw" (the task says "ams")`)
	a.Fails(t, "craton_region", args{"id": 1, "cloud": "west"}, `cloud "east" (the task says "west")`)
}

func TestDeleteNonEmpty(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	a.OK(t, true, "craton_host", args{"name": "web1", "cell": "row-a", "ip_address": "10.0.0.9", "device_type": "server", "parent": "sw1"})
	a.Fails(t, "craton_cell", args{"name": "row-a", "state": "absent"}, "not empty", "1 host", "force: true")
	a.Fails(t, "craton_cloud", args{"name": "east", "state": "absent"}, "1 region, 2 cells, 1 host, 1 network device, 1 network;")
	// What stands outside forbids it, force or not.
	a.OK(t, true, "craton_host", args{"name": "vm", "cell": "row-b", "ip_address": "10.0.0.10", "device_type": "vm", "parent": "web1"})
	a.Fails(t, "craton_cell", args{"name": "row-a", "state": "absent", "force": true}, `host "vm"`, "has a parent in it")
	a.OK(t, true, "craton_host", args{"name": "vm", "parent": ""})
	a.OK(t, true, "craton_network", args{"name": "n", "cell": "row-a", "cidr": "10.0.0.0/24", "gateway": "10.0.0.1", "netmask": "m"})
	a.OK(t, true, "craton_network_interface", args{"name": "eth0", "device": "vm", "interface_type": "e", "ip_address": "10.0.0.9", "network": "n"})
	a.Fails(t, "craton_network", args{"name": "n", "state": "absent"}, `network interface "eth0"`, "is on it")
	a.Fails(t, "craton_cell", args{"name": "row-a", "state": "absent", "force": true}, `network interface "eth0"`, "on a network in it")
	a.OK(t, true, "craton_network_interface", args{"name": "eth0", "device": "vm", "state": "absent"})
	force := args{"name": "row-a", "state": "absent", "force": true}
	a.OK(t, true, "craton_cell", force.With(checking))
	a.OK(t, true, "craton_cell", force)
	a.OK(t, false, "craton_cell", force)
	a.OK(t, false, "craton_host", args{"name": "web1", "state": "absent"})
	a.OK(t, true, "craton_cloud", args{"name": "east", "state": "absent", "force": true})
	a.OK(t, false, "craton_region", args{"name": "dfw", "cloud": "east", "state": "absent"})
}

// A task that changes nothing takes one request for each name in it (two for a parent, which is of either kind, for a
// region within a cloud, and for an id, which might be a name), one for the object, and one for a short list of
// regions, which is read in both orders.
func TestRequestsOfATask(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	web := args{"name": "web1", "cloud": "east", "region": "dfw", "cell": "row-a", "ip_address": "10.0.0.9", "device_type": "server", "labels": "l", "parent": "sw1"}
	a.OK(t, true, "craton_host", web)
	before := a.Requests.Load()
	a.OK(t, false, "craton_host", web)
	if n := a.Requests.Load() - before; n > 8 {
		t.Errorf("%d requests", n)
	}
	before = a.Requests.Load()
	a.OK(t, false, "craton_host", args{"name": "web1", "region": 1})
	if n := a.Requests.Load() - before; n > 3 {
		t.Errorf("%d requests", n)
	}
}

// The same task on many hosts at once creates one object.
func TestConcurrentTasks(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	var wg sync.WaitGroup
	var changed atomic.Int64
	for range 8 {
		wg.Go(func() {
			out, _ := run(t, "craton_host", args{"name": "web1", "region": "dfw", "ip_address": "10.0.0.9", "device_type": "server", "labels": "l"}.With(a.Connection), nil)
			if out["failed"] != nil {
				t.Errorf("failed: %s", out.Msg())
			}
			if out["changed"] == true {
				changed.Add(1)
			}
		})
	}
	wg.Wait()
	if n := changed.Load(); n != 1 {
		t.Errorf("%d tasks say that they have created it", n)
	}
}

// What somebody deletes between the look and the write is created again; where the task cannot do that, it says what is
// there now.
func TestDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	web := args{"name": "web1", "region": "dfw", "ip_address": "10.0.0.9", "device_type": "server"}
	through, err := url.Parse(a.Connection["url"].(string))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		in  args
		say string // "": it works
	}{
		{web.With(args{"note": "x"}), ""},
		{web.With(args{"labels": "l"}), ""},
		{web.With(args{"variables": map[string]any{"v": 1}}), ""},
		{args{"name": "web1", "region": "dfw", "note": "x"}, `no host "web1"; ... ip_address, device_type`},
	} {
		made := a.Task(t, "craton_host", web)
		var once sync.Once
		proxy := httputil.NewSingleHostReverseProxy(through)
		between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				once.Do(func() { a.OK(t, true, "craton_host", args{"id": made.Dict("host")["id"], "state": "absent"}) })
			}
			proxy.ServeHTTP(w, r)
		}))
		got, _ := run(t, "craton_host", c.in.With(a.Connection).With(args{"url": between.URL}), nil)
		between.Close()
		switch {
		case c.say != "" && (got["failed"] != true || !wording.Has(got.Msg(), c.say)), c.say == "" && (got["failed"] == true || got["changed"] != true || got.Dict("host")["id"] == made.Dict("host")["id"]):
			t.Errorf("%v: %v", c.in, got)
		}
	}
}

func TestRefusedValues(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	web := args{"name": "web1", "region": "dfw", "ip_address": "10.0.0.9", "device_type": "server"}
	long := strings.Repeat("ü", 256)
	for word, bad := range map[string]args{
		"IP address":                  {"ip_address": "10.0.0"},
		"256 characters":              {"device_type": long},
		"name ... 256":                {"name": long},
		"name ... empty":              {"name": ""},
		"NUL":                         {"device_type": "a\x00"},
		`..." ... 256`:                {"labels": []string{long}},
		"not a name":                  {"variables": map[string]any{"": 1}},
		"value of state":              {"state": "gone"},
		"Did you mean note":           {"noet": "x"},
		"region":                      {"region": ""},
		`parent: ... no ... "nobody"`: {"parent": "nobody"},
		`cell: ... no ... "nowhere"`:  {"cell": "nowhere"},
	} {
		a.Fails(t, "craton_host", web.With(bad), word)
	}
	a.Fails(t, "craton_host", args{"region": "dfw"}, "required: name, id")
	a.Fails(t, "craton_network_interface", args{"name": "e", "device": "sw1", "interface_type": "e", "ip_address": "10.0.0.1", "speed": 1 << 40}, "too large")
}

func TestUsersAndTheirKeys(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	deploy := args{"name": "deploy"}
	predicted := a.OK(t, true, "craton_user", deploy.With(checking))
	made := a.OK(t, true, "craton_user", deploy.With(diffing))
	asPredicted(t, "user", predicted, made)
	key, _ := made.Dict("user")["api_key"].(string)
	if len(key) < 30 {
		t.Fatalf("no key: %v", made)
	}
	if predicted.Dict("user")["api_key"] != nil {
		t.Error("check mode knows the key")
	}
	// The key works, and what a module says does not have it; a fleet that has it is told as it is.
	member := args{"username": "deploy", "password": key}
	out, text := run(t, "craton_cloud", a.Connection.With(member).With(args{"name": "c", "note": key, "_ansible_diff": true, "variables": map[string]any{"k": "x" + key}}), nil)
	if out["changed"] != true || strings.Count(text, key) != 4 || out.Dict("cloud")["note"] != key { // note and variable, in the object and the diff
		t.Errorf("with the new key: %s", text)
	}
	for _, in := range []args{deploy, deploy.With(diffing), deploy.With(args{"is_admin": false})} {
		if got := a.OK(t, false, "craton_user", in); got.Dict("user")["api_key"] != nil {
			t.Error("the key is shown again")
		}
	}
	a.Fails(t, "craton_user", deploy.With(args{"is_admin": true}), "cannot change is_admin")
	anew := a.OK(t, true, "craton_user", deploy.With(args{"is_admin": true, "recreate": true}))
	if k := anew.Dict("user")["api_key"]; k == key || k == nil {
		t.Errorf("the new user's key: %v", k)
	}
	// What admins and members may do.
	admin := args{"username": "deploy", "password": anew.Dict("user")["api_key"]}
	as := func(who args, name string, in args) output {
		t.Helper()
		o, _ := run(t, name, a.Connection.With(who).With(in), nil)
		return o
	}
	made = as(admin, "craton_user", args{"name": "plain"})
	member = args{"username": "plain", "password": made.Dict("user")["api_key"]}
	for _, c := range []struct {
		name    string
		in      args
		changed any
		msg     string
	}{
		{"craton_cloud", args{"name": "m"}, true, ""},
		{"craton_region", args{"name": "m", "cloud": "m"}, true, ""},
		{"craton_host", args{"name": "m", "region": "m", "ip_address": "10.0.0.1", "device_type": "x", "labels": "l", "variables": vars}, true, ""},
		{"craton_host", args{"name": "m", "region": "m", "parent": "", "labels": "l", "variables": vars}, false, ""},
		{"craton_host", args{"name": "m", "state": "absent"}, true, ""},
		{"craton_cloud", args{"name": "m", "state": "absent", "force": true}, true, ""},
		{"craton_user", args{"name": "x"}, false, "requires the 'admin' role"},
		{"craton_project_info", args{}, false, "requires the 'admin' role"},
	} {
		if o := as(member, c.name, c.in); o["changed"] != c.changed || !strings.Contains(o.Msg(), c.msg) || (c.msg == "") != (o["failed"] == nil) {
			t.Errorf("a member: %s %v: %v", c.name, c.in, o)
		}
	}
	project := a.OK(t, true, "craton_project", args{"name": "other"}).Dict("project")["id"]
	other := a.OK(t, true, "craton_user", deploy.With(args{"project": "other"})).Dict("user")
	if other["project_id"] != project {
		t.Errorf("its project is %v", other["project_id"])
	}
	a.OK(t, false, "craton_user", deploy.With(args{"project": project}))
	a.OK(t, true, "craton_user", deploy.With(args{"state": "absent"}))
	a.OK(t, false, "craton_user", deploy.With(args{"state": "absent"}))
	a.Fails(t, "craton_project", args{"name": "other", "state": "absent"}, "1 user", "force: true")
	a.OK(t, true, "craton_project", args{"name": "other", "state": "absent", "force": true})
	a.OK(t, true, "craton_project", args{"name": "twin"})
}

// TestUsersAccess: roles and keys by name; what is made is told once, and check mode predicts it.
func TestUsersAccess(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	panel := args{"name": "panel", "role": "reader", "keys": []any{map[string]any{"name": "ci", "expires": "90d", "role": "reader"}, map[string]any{"name": "api_key", "state": "absent"}}}
	predicted := a.OK(t, true, "craton_user", panel.With(checking))
	made := a.OK(t, true, "craton_user", panel.With(diffing))
	user := made.Dict("user")
	secrets, _ := user["new_keys"].(map[string]any)
	secret, _ := secrets["ci"].(string)
	if len(secrets) != 1 || !strings.HasPrefix(secret, "crn_") || user["role"] != "reader" || user["api_key"] != nil || len(user["api_keys"].([]any)) != 1 {
		t.Fatalf("%v", made)
	}
	if p := predicted.Dict("user"); p["new_keys"] != nil || p["role"] != "reader" || len(p["api_keys"].([]any)) != 1 {
		t.Errorf("predicted: %v", predicted)
	}
	if text := fmt.Sprint(made["diff"]); strings.Contains(text, secret) || !strings.Contains(text, "reader") {
		t.Errorf("the diff: %s", text)
	}
	as := func(name string, in args) output {
		t.Helper()
		o, _ := run(t, name, a.Connection.With(args{"username": "panel", "password": secret}).With(in), nil)
		return o
	}
	if o := as("craton_cloud_info", args{}); o["failed"] != nil {
		t.Errorf("a reader reads: %v", o)
	}
	if o := as("craton_cloud", args{"name": "x"}); !strings.Contains(o.Msg(), "is read-only") {
		t.Errorf("a reader writes: %v", o)
	}
	for _, in := range []args{panel, panel.With(checking), panel.With(diffing), {"name": "panel", "role": "reader"}, {"name": "panel", "keys": []any{}}} {
		if got := a.OK(t, false, "craton_user", in); got.Dict("user")["new_keys"] != nil {
			t.Errorf("the key is shown again: %v", got)
		}
	}
	predicted = a.OK(t, true, "craton_user", args{"name": "panel", "role": "admin"}.With(checking))
	if got := a.OK(t, true, "craton_user", args{"name": "panel", "role": "admin"}.With(diffing)).Dict("user"); got["role"] != "admin" || got["is_admin"] != true || predicted.Dict("user")["is_admin"] != true {
		t.Errorf("%v, predicted %v", got, predicted)
	}
	a.Fails(t, "craton_user", args{"name": "panel", "keys": []any{map[string]any{"name": "ci", "role": "member"}}}, "role ... key ... cannot be changed")
	a.Fails(t, "craton_user", args{"name": "panel", "keys": []any{map[string]any{"name": "a"}, map[string]any{"name": "a"}}}, "twice")
	a.Fails(t, "craton_user", args{"name": "panel", "keys": []any{map[string]any{"name": "a", "expires": "yesterday"}}}, "is in the past")
	a.Fails(t, "craton_user", args{"name": "panel", "keys": []any{map[string]any{"name": ""}}}, "empty")
	a.Fails(t, "craton_user", args{"name": "panel", "role": "reader", "is_admin": true}, "mutually exclusive")
	a.Fails(t, "craton_user", args{"name": "panel", "role": "king"}, "reader, member, admin, root")
	swapped := a.OK(t, true, "craton_user", args{"name": "panel", "keys": []any{map[string]any{"name": "next"}, map[string]any{"name": "ci", "state": "absent"}}})
	if keys := swapped.Dict("user")["api_keys"].([]any); len(keys) != 1 || keys[0].(map[string]any)["name"] != "next" {
		t.Errorf("%v", swapped)
	}
	if o := as("craton_cloud_info", args{}); o["failed"] == nil {
		t.Error("a key that is gone is taken")
	}
	// A reader who is created again stays one.
	a.OK(t, true, "craton_user", args{"name": "panel", "role": "reader"})
	users, _ := a.OK(t, false, "craton_user_info", args{})["users"].([]any)
	roles := map[any]any{}
	for _, u := range users {
		roles[u.(map[string]any)["username"]] = u.(map[string]any)["role"]
	}
	if d := cmp.Diff(map[any]any{"bootstrap": "root", "panel": "reader"}, roles); d != "" {
		t.Error(d)
	}
	a.OK(t, true, "craton_project", args{"name": "elsewhere"})
	a.OK(t, true, "craton_user", args{"name": "panel", "role": "reader", "project": "elsewhere"})
	a.OK(t, true, "craton_user", args{"name": "panel", "state": "absent"})
}

// TestRecreateWithContents: a host that is created again takes its interfaces and children along, and check mode says
// so.
func TestRecreateWithContents(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	old := a.OK(t, true, "craton_host", args{"name": "kvm", "region": "dfw", "cell": "row-a", "ip_address": "10.0.0.9", "device_type": "server"}).Dict("host")
	a.OK(t, true, "craton_network_interface", args{"name": "eth0", "device": "kvm", "interface_type": "e", "ip_address": "10.0.0.9", "variables": map[string]any{"mtu": 9000}})
	a.OK(t, true, "craton_host", args{"name": "vm", "region": "dfw", "ip_address": "10.0.0.10", "device_type": "vm", "parent": "kvm"})
	move := args{"name": "kvm", "region": "dfw", "cell": "", "recreate": true}
	predicted := a.OK(t, true, "craton_host", move.With(checking))
	got := a.OK(t, true, "craton_host", move.With(diffing))
	asPredicted(t, "host", predicted, got)
	if d := cmp.Diff(predicted["carried"], got["carried"]); d != "" || len(got["carried"].([]any)) != 2 {
		t.Errorf("%v %s", got["carried"], d)
	}
	now := got.Dict("host")
	if now["id"] == old["id"] || now["cell_id"] != nil || now["name"] != "kvm" {
		t.Error(now)
	}
	eth := a.OK(t, false, "craton_network_interface_info", args{"device": "kvm", "with_variables": true})["network_interfaces"].([]any)[0].(map[string]any)
	vm := a.OK(t, false, "craton_host_info", args{"name": "vm"})["hosts"].([]any)[0].(map[string]any)
	if eth["device_id"] != now["id"] || fmt.Sprint(eth["variables"]) != "map[mtu:9000]" || vm["parent_id"] != now["id"] {
		t.Error(eth, vm)
	}
	a.OK(t, false, "craton_host", move)
}
