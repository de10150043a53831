package iotronic

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
)

// TestChassis: chassis of a real Ironic from their making to their end.
func TestChassis(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	does := func(in args) map[string]any { t.Helper(); return a.doesTo(t, chassisResource, in).Dict("chassis") }
	const module = "iotronic_chassis"
	rack := args{"description": "mod-rack b7"}
	made := does(rack.With(args{"extra": extra}))
	uuid := args{"uuid": made["uuid"]}
	if made["description"] != "mod-rack b7" || made["links"] != nil || made["nodes"] != nil {
		t.Errorf("%v", made)
	}
	does(rack.With(args{"extra": map[string]any{"room": "2.04"}}))
	if renamed := does(uuid.With(args{"description": "mod-rack c1", "extra": map[string]any{"room": "1.01"}, "extra_mode": "replace"})); renamed["uuid"] != made["uuid"] || renamed["description"] != "mod-rack c1" {
		t.Errorf("%v", renamed)
	}
	does(uuid.With(args{"description": ""}))
	does(uuid.With(args{"description": "mod-rack c1"}))
	fixed := args{"uuid": "00000050-0000-4000-8000-000000000050"}
	does(fixed.With(args{"description": "mod-rack c1"}))
	a.OK(t, true, nodeName, args{"name": "in-a-rack", "driver": openstacktest.IronicDriver, "chassis_uuid": fixed["uuid"]})
	for _, c := range []struct {
		in   args
		want string
	}{
		{args{"description": "mod-rack c1"}, "mod-rack c1"}, // two have it
		{args{"description": ""}, "description is empty; set it, or uuid"},
		{args{"description": strings.Repeat("x", 256)}, "description: ... 256 ... 255"},
		{args{"uuid": "rack"}, `uuid: "rack" is not a UUID`},
		{args{}, "one of the following is required: description, uuid"},
		{fixed.With(args{"state": "absent"}), `the chassis "mod-rack c1" contains nodes, such as "in-a-rack"; take them out first, with chassis_uuid: ""`},
	} {
		a.Fails(t, module, c.in, c.want)
	}
	if msg := a.Task(t, module, args{"description": "mod-rack c1"}).Msg(); !strings.Contains(msg, made["uuid"].(string)) || !strings.Contains(msg, fixed["uuid"].(string)) {
		t.Error(msg)
	}
	for name, c := range map[string]struct {
		in   args
		want int
	}{
		"by description": {args{"description": "mod-rack c1"}, 2},
		"by uuid":        {uuid.With(args{"fields": "extra"}), 1},
		"short":          {args{"description": "mod-rack c1", "detail": false}, 2},
		"part":           {args{"description": "mod-rack c1", "fields": "extra"}, 2},
		"no such":        {args{"description": "mod-rack z9"}, 0},
	} {
		if found := a.OK(t, false, "iotronic_chassis_info", c.in)["chassis"].([]any); len(found) != c.want {
			t.Errorf("%s: %v", name, found)
		}
	}
	a.OK(t, true, nodeName, args{"name": "in-a-rack", "state": "absent"})
	does(uuid.With(args{"state": "absent"}))
	does(args{"description": "mod-rack c1", "state": "absent"})
	if gone := a.OK(t, false, module, rack.With(args{"state": "absent"})).Dict("chassis"); len(gone) != 0 {
		t.Errorf("%v", gone)
	}
	_, boards := newIotronic(t, iotronictest.Boards2019)
	boards.Fails(t, module, rack, "boards and fleets ... no chassis")
}

// TestAllocations: who asks for a node gets one, or hears why not.
func TestAllocations(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	does := func(in args) map[string]any {
		t.Helper()
		return a.doesTo(t, allocationResource, in).Dict("allocation")
	}
	const module = "iotronic_allocation"
	uuids := map[string]any{}
	for _, name := range []string{"alloc-1", "alloc-2"} {
		uuids[name] = a.OK(t, true, nodeName, args{"name": name, "driver": openstacktest.IronicDriver, "resource_class": "alloc-mod",
			"traits": []any{"CUSTOM_A", "CUSTOM_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))}, "provision_state": "available", "power": "on"}).Dict("node")["uuid"]
	}
	want := args{"name": "mod-wanted"}
	first := want.With(args{"resource_class": "alloc-mod", "traits": []any{"CUSTOM_ALLOC_2", "CUSTOM_A"}, "candidate_nodes": []any{"alloc-2", uuids["alloc-1"]}, "extra": extra})
	made := does(first)
	if made["node_uuid"] != uuids["alloc-2"] || made["state"] != "active" || made["last_error"] != nil {
		t.Errorf("%v", made)
	}
	a.OK(t, false, module, want.With(args{"traits": []any{"CUSTOM_A", "CUSTOM_ALLOC_2"}, "candidate_nodes": []any{"alloc-1", "alloc-2"}, "node": "alloc-2"}))
	does(want.With(args{"extra": map[string]any{"for": "tests"}, "extra_mode": "replace"}))
	if renamed := does(args{"uuid": made["uuid"], "name": "mod-given"}); renamed["uuid"] != made["uuid"] || renamed["name"] != "mod-given" {
		t.Errorf("%v", renamed)
	}
	want = args{"name": "mod-given"}
	if n := a.OK(t, false, "iotronic_node_info", args{"name": "alloc-2"})["nodes"].([]any)[0].(map[string]any); n["allocation_uuid"] != made["uuid"] || n["instance_uuid"] != made["uuid"] {
		t.Errorf("%v", n)
	}
	for _, c := range []struct {
		in   args
		want string
	}{
		{want.With(args{"resource_class": "other"}), `resource_class: ... "mod-given" ... "alloc-mod" ... cannot change ... create`},
		{want.With(args{"traits": []any{}}), `traits: ... "mod-given" ... [`},
		{want.With(args{"candidate_nodes": []any{"alloc-1"}}), `candidate_nodes: ... "mod-given" ... [`},
		{want.With(args{"node": "alloc-1"}), `node: ... "mod-given" ... "` + uuids["alloc-2"].(string)},
		{want.With(args{"owner": "me"}), `owner: ... "mod-given" ... none`},
		{want.With(args{"candidate_nodes": []any{"nowhere"}}), `candidate_nodes: ... no node "nowhere"`},
		{args{"name": "mod-nothing"}, "there is no such allocation; to create it, set resource_class, or node"},
		{args{"name": "a b", "resource_class": "x"}, `name: "a b" ... not valid ... 255 letters`},
		{args{"name": made["uuid"], "resource_class": "x"}, "is a UUID, which cannot be a name; set it as uuid"},
		{args{"name": "", "resource_class": "x"}, "name is empty; set it, or uuid"},
		{args{"name": "x", "resource_class": "x", "wait_timeout": -1}, "wait_timeout is negative"},
		{args{"name": "x", "resource_class": "x", "api_version": "1.51"}, "does not have allocations (since 1.52)"},
		{args{"name": "x", "node": "alloc-1", "api_version": "1.57"}, "API version 1.57 ... node (since 1.58)"},
		{want.With(args{"extra": map[string]any{"new": 1}, "api_version": "1.56"}), "API version 1.56 ... changes of allocations (since 1.57)"},
		{args{}, "one of the following is required: name, uuid"},
	} {
		a.Fails(t, module, c.in, c.want)
	}

	// One that fails says why: when it is made, and each time after.
	none := args{"name": "mod-none", "resource_class": "alloc-mod", "traits": []any{"CUSTOM_NOBODY_HAS"}}
	out := a.Task(t, module, none)
	const why = `the allocation "mod-none" has found no node: `
	if out["failed"] != true || out["changed"] != true || !strings.HasPrefix(out.Msg(), why) || !strings.Contains(out.Msg(), "CUSTOM_NOBODY_HAS") ||
		!strings.HasSuffix(out.Msg(), "Ironic does not look again: remove it with state: absent, and create it again") || out.Dict("allocation")["state"] != "error" {
		t.Errorf("%v", out)
	}
	a.Fails(t, module, none, why)
	a.Fails(t, module, none.With(args{"wait": false}), why)
	if found := a.OK(t, false, "iotronic_allocation_info", args{"state": "error", "resource_class": "alloc-mod", "fields": []any{"name", "last_error"}})["allocations"].([]any); len(found) != 1 || found[0].(map[string]any)["name"] != "mod-none" {
		t.Errorf("%v", found)
	}
	does(args{"name": "mod-none", "state": "absent"})

	// Nobody waits, and then somebody does; and one that takes longer than somebody waits.
	if out := a.OK(t, true, module, args{"name": "mod-late", "resource_class": "alloc-mod", "wait": false}).Dict("allocation"); out["state"] == nil {
		t.Errorf("%v", out)
	}
	if got := a.OK(t, false, module, args{"name": "mod-late"}).Dict("allocation"); got["node_uuid"] != uuids["alloc-1"] {
		t.Errorf("%v", got)
	}
	a.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/allocations/mod-late") && !strings.Contains(r.URL.Path, "/allocations/0") {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"uuid": "00000000-0000-4000-8000-000000000001", "name": "mod-late", "state": "allocating", "resource_class": "alloc-mod"}`))
		return true
	}
	if got := a.Task(t, module, args{"name": "mod-late", "wait_timeout": 1}); got.Msg() != `the allocation "mod-late" has no node after 1 seconds; set a longer wait_timeout, or find out what keeps it` || got["changed"] != false {
		t.Errorf("%v", got)
	}
	a.Answer = nil
	does(args{"name": "mod-late", "state": "absent"})

	// A node that is deployed keeps its allocation; one that is deployed without gets one.
	a.OK(t, true, nodeName, args{"name": "alloc-2", "provision_state": "active"})
	a.Fails(t, module, want.With(args{"state": "absent"}), `"mod-given" ... "alloc-2" ... active ... tear ... maintenance`)
	a.OK(t, true, nodeName, args{"name": "alloc-2", "provision_state": "available", "undeploy": true})
	a.OK(t, false, module, want.With(args{"state": "absent"}))
	a.OK(t, true, nodeName, args{"name": "alloc-1", "provision_state": "active"})
	if given := does(args{"name": "mod-given", "node": "alloc-1"}); given["node_uuid"] != uuids["alloc-1"] || given["resource_class"] != "alloc-mod" || given["state"] != "active" {
		t.Errorf("%v", given)
	}
	a.OK(t, true, nodeName, args{"name": "alloc-1", "maintenance": true})
	does(want.With(args{"state": "absent"}))
	if found := a.OK(t, false, "iotronic_allocation_info", args{"node": "alloc-1"})["allocations"].([]any); len(found) != 0 {
		t.Errorf("%v", found)
	}

	// Many hosts ask for the same at once: one allocation.
	a.OK(t, true, nodeName, args{"name": "alloc-1", "maintenance": false, "provision_state": "available", "undeploy": true})
	for _, in := range []args{{"resource_class": "alloc-mod"}, {"state": "absent"}} {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if out := a.Task(t, module, in.With(args{"name": "mod-raced"})); out["failed"] == true {
					t.Errorf("%v: %s", in, out.Msg())
				}
			})
		}
		wg.Wait()
	}
	for name := range uuids {
		a.OK(t, true, nodeName, args{"name": name, "state": "absent"})
	}
}
