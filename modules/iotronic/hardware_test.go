package iotronic

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/internal/value"
	api "github.com/craton-fleet/craton/iotronic"
)

// TestSlowHardware: nodes that are on their way for a while, as real hardware is. Their Ironic is their own, for it is
// its database that is told where they are: SQLite refuses what Ironic writes for others at the same moment.
func TestSlowHardware(t *testing.T) {
	t.Parallel()
	i := openstacktest.NewIronic(t)
	for name, test := range map[string]func(*testing.T, *openstacktest.Ironic, *world){
		"maintenance": testMaintenanceUnderWay, "deployment fails": testDeploymentFails, "no conductor": testMissingConductor,
		"inventory": testInventory, "refused": testRefusedUnderWay, "transition begins": testTransitionBegins,
	} {
		t.Run(name, func(t *testing.T) { test(t, i, before(t, i.URL, nil)) })
	}
}

// testMaintenanceUnderWay: what a node is on its way to is waited for before its maintenance begins, and after it has
// ended: Ironic lets a node wait, or fails it, that is in maintenance.
func testMaintenanceUnderWay(t *testing.T, i *openstacktest.Ironic, a *world) {
	const name = "under-way"
	a.OK(t, true, nodeName, args{"name": name, "driver": openstacktest.IronicDriver, "provision_state": "manageable", "power": "on"})
	c := clientOf(t, i, 20)
	move := func(state, target string) {
		if err := i.Move(t.Context(), name, state, target); err != nil {
			t.Error(err)
		}
	}
	for _, tt := range []struct {
		task args
		want []string
	}{
		{args{"maintenance": true, "power": "off"}, []string{"arrived", "PUT maintenance", "PUT power"}},
		{args{"maintenance": false, "power": "on"}, []string{"DELETE maintenance", "arrived", "PUT power"}},
		{args{"maintenance": true, "description": "d"}, []string{"arrived", "PUT maintenance", "PATCH"}},
	} {
		free(t, c, name)
		move("clean wait", "available")
		var did []string
		reads := 0
		a.Answer = func(_ http.ResponseWriter, r *http.Request) bool {
			switch _, what, below := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/nodes/"), "/"); {
			case r.Method == http.MethodGet:
				if reads++; reads == 4 { // looked at more than once
					move("available", "")
					did = append(did, "arrived")
				}
			case below:
				did = append(did, r.Method+" "+strings.TrimPrefix(what, "states/"))
			default:
				did = append(did, r.Method)
			}
			return false
		}
		a.OK(t, true, nodeName, tt.task.With(args{"name": name}))
		a.Answer = nil
		if diff := cmp.Diff(tt.want, did); diff != "" {
			t.Errorf("%v: %s", tt.task, diff)
		}
	}
}

// testDeploymentFails: a task that tears down waits for what is being deployed, which may fail.
func testDeploymentFails(t *testing.T, i *openstacktest.Ironic, a *world) {
	name := args{"name": "fails-meanwhile"}
	a.OK(t, true, nodeName, name.With(args{"driver": openstacktest.IronicDriver, "provision_state": "active"}))
	free(t, clientOf(t, i, 20), "fails-meanwhile")
	if err := i.Move(t.Context(), "fails-meanwhile", "wait call-back", "active"); err != nil {
		t.Fatal(err)
	}
	looks := 0
	a.Answer = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/states") {
			if looks++; looks == 2 {
				if err := i.Move(t.Context(), "fails-meanwhile", "deploy failed", "active"); err != nil {
					t.Error(err)
				}
				if err := i.Set(t.Context(), "fails-meanwhile", map[string]any{"last_error": "no agent called"}); err != nil {
					t.Error(err)
				}
			}
		}
		return false
	}
	a.OK(t, true, nodeName, name.With(args{"provision_state": "available", "undeploy": true}))
	a.Answer = nil
	a.OK(t, true, nodeName, name.With(args{"state": "absent"}))
}

// testInventory: what an inspection has found out, as the API has it. That of the fake hardware finds nothing, which is
// null.
func testInventory(t *testing.T, i *openstacktest.Ironic, a *world) {
	name := args{"name": "has-inventory"}
	a.OK(t, true, nodeName, name.With(args{"driver": openstacktest.IronicDriver, "provision_state": "inspected"}))
	find := func(in args) map[string]any {
		t.Helper()
		return a.OK(t, false, "iotronic_node_info", name.With(in))["nodes"].([]any)[0].(map[string]any)
	}
	if found := find(args{"inventory": true}); found["inventory"] != nil || found["inspection_finished_at"] == nil {
		t.Errorf("nothing was found: %v", found)
	}
	const inventory, plugins = `{"cpu": {"count": 8, "architecture": "x86_64"}, "memory": {"physical_mb": 16384}, "disks": [{"name": "/dev/sda", "size": 12345678901234567890}], "template": "{{ 1 }}"}`,
		`{"root_disk": {"name": "/dev/sda"}}`
	if err := i.Inspected(t.Context(), "has-inventory", inventory, plugins); err != nil {
		t.Fatal(err)
	}
	got, err := clientOf(t, i, 20).Nodes.Inventory(t.Context(), "has-inventory")
	if err != nil || !value.EqualJSON(got["inventory"], []byte(inventory)) || !value.EqualJSON(got["plugin_data"], []byte(plugins)) {
		t.Errorf("%s, %v", got, err)
	}
	_, text := run(t, "iotronic_node_info", a.Connection.With(name).With(args{"inventory": true, "fields": "name"}), nil)
	found := gjson.Get(text, "nodes.0")
	if !value.EqualJSON([]byte(found.Get("inventory.inventory").Raw), []byte(inventory)) || !value.EqualJSON([]byte(found.Get("inventory.plugin_data").Raw), []byte(plugins)) || found.Get("driver").Exists() {
		t.Errorf("%s", text)
	}
	if found := find(nil); found["inventory"] != nil {
		t.Errorf("not asked for: %v", found["inventory"])
	}
	a.Fails(t, "iotronic_node_info", name.With(args{"inventory": true, "api_version": "1.80"}), "inventory ... (since 1.81)")
	a.OK(t, true, nodeName, name.With(args{"state": "absent"}))
}

// testMissingConductor: a 404 of what the node needs is told at once.
func testMissingConductor(t *testing.T, i *openstacktest.Ironic, a *world) {
	name := args{"name": "without-conductor"}
	a.OK(t, true, nodeName, name.With(args{"driver": openstacktest.IronicDriver}))
	group := func(name string) {
		if err := i.Set(t.Context(), "without-conductor", map[string]any{"conductor_group": name}); err != nil {
			t.Fatal(err)
		}
	}
	group("nobody")
	writes := a.Writes.Load()
	out := a.Task(t, nodeName, name.With(args{"power": "on"}))
	if n := a.Writes.Load() - writes; n != 1 || !strings.Contains(out.Msg(), "No valid host was found") {
		t.Errorf("%d requests: %s", n, out.Msg())
	}
	group("")
	a.OK(t, true, nodeName, name.With(args{"state": "absent"}))
}

// testRefusedUnderWay: what Ironic refuses of a node on its way, and nobody else leads elsewhere, is told after one
// request.
func testRefusedUnderWay(t *testing.T, i *openstacktest.Ironic, a *world) {
	name := args{"name": "refused-under-way"}
	a.OK(t, true, nodeName, name.With(args{"driver": openstacktest.IronicDriver, "power": "on"}))
	free(t, clientOf(t, i, 20), "refused-under-way")
	for _, c := range []struct {
		state, target, group string
		in                   args
		writes               int64
		want                 string
	}{
		{"clean wait", "available", "", args{"power": "off", "wait": false}, 1, "power: PUT "},
		{"clean wait", "available", "", args{"power": "rebooted", "wait": false}, 1, "power: PUT "},
		{"clean wait", "available", "nobody", args{"maintenance": true}, 1, "maintenance: PUT "},
		{"inspecting", "manageable", "", args{"description": "d", "wait": false}, 0, `the node is "inspecting", on its way to "manageable", and Ironic changes nothing of it until it has arrived; set wait: true`},
		{"available", "", "nobody", args{"maintenance": true, "api_version": "1.7"}, 1, "maintenance: PUT "},
	} {
		if err := i.Move(t.Context(), "refused-under-way", c.state, c.target); err != nil {
			t.Fatal(err)
		}
		if err := i.Set(t.Context(), "refused-under-way", map[string]any{"conductor_group": c.group}); err != nil {
			t.Fatal(err)
		}
		writes := a.Writes.Load()
		out := a.Task(t, nodeName, name.With(c.in))
		if n := a.Writes.Load() - writes; n != c.writes || !strings.HasPrefix(out.Msg(), c.want) {
			t.Errorf("%s, %v: %d requests, %s", c.state, c.in, n, out.Msg())
		}
	}
}

// testTransitionBegins: another host creates the node, and leads it on while this one wants to write what a create
// cannot.
func testTransitionBegins(t *testing.T, i *openstacktest.Ironic, a *world) {
	c := clientOf(t, i, 20)
	name := args{"name": "led-on"}
	posted, patched := false, false
	a.Answer = func(_ http.ResponseWriter, r *http.Request) bool {
		switch {
		case r.Method == http.MethodPost && !posted:
			posted = true
			if _, err := c.Nodes.Create(t.Context(), api.NodeCreate{Name: "led-on", Driver: openstacktest.IronicDriver}); err != nil {
				t.Error(err)
			}
		case r.Method == http.MethodPatch && !patched:
			patched = true
			if err := i.Move(t.Context(), "led-on", "cleaning", "available"); err != nil {
				t.Error(err)
			}
		case patched && strings.HasSuffix(r.URL.Path, "/states"):
			a.Answer = func(_ http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, "/states") {
					if err := i.Move(t.Context(), "led-on", "available", ""); err != nil {
						t.Error(err)
					}
				}
				return false
			}
		}
		return false
	}
	a.Connection["max_retries"] = 1
	out := a.Task(t, nodeName, name.With(args{"driver": openstacktest.IronicDriver, "owner": "me", "provision_state": "available"}))
	a.Answer = nil
	a.Connection["max_retries"] = 20
	if out["failed"] != nil || out.Dict("node")["owner"] != "me" || !patched {
		t.Errorf("%v, %s", out.Dict("node"), out.Msg())
	}
	a.OK(t, true, nodeName, name.With(args{"state": "absent"}))
}
