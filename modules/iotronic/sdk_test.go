package iotronic

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/openstacktest"
	api "github.com/craton-fleet/craton/iotronic"
)

// pair is a walk of two clients over the same objects of one Ironic: modules of ours, and openstacksdk.
type pair struct {
	*world
	t   *testing.T
	c   *api.Client
	sdk *openstacktest.SDK
	// seen are the objects that both read after each step, by kind.
	seen map[string]string
}

// reads are how both read an object of a kind whole, by UUID, and how many fields both have at least.
var reads = map[string]struct {
	call   string
	store  store
	fields int
}{
	"node":       {"get_node", nodeStore, 50},
	"port":       {"get_port", portStore, 11},
	"chassis":    {"get_chassis", chassisResource.store, 5},
	"allocation": {"get_allocation", allocationResource.store, 11},
}

// nodeStore reads nodes.
var nodeStore = stored[api.Node, api.NodeCreate]{
	of: func(c *api.Client) collection[api.Node, api.NodeCreate] { return c.Nodes }, whole: func(n *api.Node) api.Object { return n.Fields },
}

// leads are fields that lead to other addresses of the API.
var leads = []string{"links", "ports", "portgroups", "states", "volume", "nodes", "bios"}

// agree fails unless both clients see the same of the object of a kind, or of every one: each field that both have.
func (w *pair) agree(after, of string) {
	w.t.Helper()
	for kind, uuid := range w.seen {
		if of != "" && kind != of {
			continue
		}
		var diff string
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) { // a lock is given back a moment later
			if diff = w.differ(kind, uuid); diff == "" || time.Now().After(end) {
				break
			}
		}
		if diff != "" {
			w.t.Errorf("after %s, the %s (-ours +theirs):\n%s", after, kind, diff)
		}
	}
}

func (w *pair) differ(kind, uuid string) string {
	w.t.Helper()
	read := reads[kind]
	o, err := read.store.get(w.t.Context(), w.c, uuid)
	if err != nil {
		return err.Error()
	}
	var theirs map[string]any
	if err := w.sdk.Call(&theirs, read.call, nil, uuid); err != nil {
		return err.Error()
	}
	ours := map[string]any{}
	if err := json.Unmarshal(raw(o), &ours); err != nil {
		return err.Error()
	}
	a, b := map[string]any{}, map[string]any{}
	for key, value := range ours {
		if other, both := theirs[key]; both && !slices.Contains(leads, key) {
			a[key], b[key] = value, other
		}
	}
	if len(a) < read.fields {
		return fmt.Sprintf("only %d fields are in both", len(a))
	}
	return cmp.Diff(a, b)
}

// ours is a step of a module of ours, which changes something once.
func (w *pair) ours(module string, in args) output {
	w.t.Helper()
	out := w.OK(w.t, true, module, in)
	w.agree(fmt.Sprintf("our %s %v", module, in), strings.TrimPrefix(module, "iotronic_"))
	w.OK(w.t, false, module, in)
	return out
}

// theirs is a step of openstacksdk, after which a task that says the same changes nothing.
func (w *pair) theirs(out any, call string, options openstacktest.Options, with []any, module string, same args) {
	w.t.Helper()
	var err error
	for range 20 { // the SDK tries a lock for less long than we do
		if err = w.sdk.Call(out, call, options, with...); err == nil || !strings.Contains(err.Error(), "is locked by host") {
			break
		}
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.agree(fmt.Sprintf("their %s %v", call, options), strings.TrimPrefix(module, "iotronic_"))
	if same != nil {
		w.OK(w.t, false, module, same)
	}
}

// TestWithSDK: what modules of ours do openstacksdk reads, and what it does they read, field by field, after each step.
func TestWithSDK(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	w := &pair{a, t, clientOf(t, i, 20), i.SDK(t), map[string]string{}}
	with := func(words ...any) []any { return words }
	type opt = openstacktest.Options
	var made map[string]any
	uuid := func(o map[string]any) string { text, _ := o["uuid"].(string); return text }

	// A rack, and a server in it with a port.
	w.seen["chassis"] = uuid(w.OK(t, true, "iotronic_chassis", args{"description": "sdk-rack"}).Dict("chassis"))
	rack := args{"uuid": w.seen["chassis"]}
	w.theirs(nil, "update_chassis", opt{"description": "sdk-rack 2", "extra": opt{"room": 2}}, with(rack["uuid"]), "iotronic_chassis", rack.With(args{"description": "sdk-rack 2", "extra": args{"room": 2}}))
	w.ours("iotronic_chassis", rack.With(args{"extra": args{"room": 3, "row": nil}}))
	const mac = "52:54:00:50:00:01"
	enrolled := w.OK(t, true, nodeName, args{"name": "sdk-node", "driver": openstacktest.IronicDriver, "chassis_uuid": rack["uuid"], "resource_class": "sdk-class",
		"driver_info": args{"address": "192.0.2.7", "ipmi_password": "hush-hush"}, "properties": args{"cpus": 8, "capabilities": "boot_mode:uefi"}, "extra": extra,
		"traits": []any{"CUSTOM_A"}, "ports": []any{args{"address": mac, "extra": args{"slot": 1}}}})
	w.seen["node"] = uuid(enrolled.Dict("node"))
	w.seen["port"] = uuid(enrolled["ports"].([]any)[0].(map[string]any))
	id, n := w.seen["node"], args{"name": "sdk-node"}
	w.agree("our enrolment", "")
	w.theirs(nil, "patch_node", nil, with(id, []any{opt{"op": "add", "path": "/description", "value": "theirs"}, opt{"op": "replace", "path": "/properties/cpus", "value": 16}}), nodeName, n.With(args{"description": "theirs", "properties": args{"cpus": 16}}))
	w.ours(nodeName, n.With(args{"extra": args{"rack": "c9"}, "properties": args{"memory_mb": 1024}, "description": ""}))
	w.theirs(nil, "add_node_trait", nil, with(id, "CUSTOM_SDK"), nodeName, n.With(args{"traits": []any{"CUSTOM_SDK", "CUSTOM_A"}, "traits_mode": "replace"}))
	w.ours(nodeName, n.With(args{"traits": []any{"CUSTOM_B", "CUSTOM_SDK"}, "traits_mode": "replace"}))
	w.theirs(nil, "set_node_traits", nil, with(id, []any{"CUSTOM_A", "CUSTOM_SDK"}), nodeName, n.With(args{"traits": []any{"CUSTOM_SDK", "CUSTOM_A"}, "traits_mode": "replace"}))

	// Ports.
	port := args{"address": mac}
	w.ours("iotronic_port", port.With(args{"pxe_enabled": false, "local_link_connection": args{"switch_id": "0a:1b:2c:3d:4e:5f", "port_id": "Eth1"}, "physical_network": "lab"}))
	w.theirs(nil, "update_port", opt{"extra": opt{"slot": 2}, "is_pxe_enabled": true}, with(w.seen["port"]), "iotronic_port", port.With(args{"extra": args{"slot": 2}, "pxe_enabled": true}))
	w.theirs(&made, "create_port", opt{"node_id": id, "address": "52:54:00:50:00:02", "is_pxe_enabled": false}, nil, nodeName, n.With(args{"ports": []any{args{"address": "52:54:00:50:00:02", "pxe_enabled": false}, port}, "ports_mode": "replace"}))
	w.ours("iotronic_port", args{"uuid": uuid(made), "state": "absent"})
	if err := w.sdk.Call(nil, "get_port", nil, uuid(made)); err == nil || !strings.Contains(err.Error(), "NotFound") {
		t.Error(err)
	}

	// States.
	w.ours(nodeName, n.With(args{"provision_state": "inspected"}))
	w.theirs(nil, "set_node_provision_state", opt{"wait": true}, with(id, "provide"), nodeName, n.With(args{"provision_state": "available"}))
	w.theirs(nil, "set_node_power_state", opt{"wait": true}, with(id, "power on"), nodeName, n.With(args{"power": "on"}))
	w.ours(nodeName, n.With(args{"power": "soft_off"}))
	w.ours(nodeName, n.With(args{"power": "on", "console": true}))
	w.theirs(nil, "set_node_boot_device", nil, with(id, "pxe", false), nodeName, n.With(args{"boot_device": "pxe"}))
	w.theirs(nil, "set_node_maintenance", nil, with(id, "a new fan"), nodeName, n.With(args{"maintenance": true, "maintenance_reason": "a new fan"}))
	w.ours(nodeName, n.With(args{"maintenance_reason": "two fans", "maintenance": true}))
	w.theirs(nil, "unset_node_maintenance", nil, with(id), nodeName, n.With(args{"maintenance": false}))

	// Who asks for it.
	w.seen["allocation"] = uuid(w.OK(t, true, "iotronic_allocation", args{"name": "sdk-ours", "resource_class": "sdk-class", "traits": []any{"CUSTOM_SDK"}}).Dict("allocation"))
	w.ours("iotronic_allocation", args{"name": "sdk-ours", "extra": args{"for": "both"}})
	w.theirs(nil, "update_allocation", opt{"name": "sdk-renamed"}, with(w.seen["allocation"]), "iotronic_allocation", args{"name": "sdk-renamed", "node": "sdk-node", "extra": args{"for": "both"}, "extra_mode": "replace"})
	delete(w.seen, "allocation")
	w.ours("iotronic_allocation", args{"name": "sdk-renamed", "state": "absent"})
	if err := w.sdk.Call(&made, "create_allocation", opt{"name": "sdk-theirs", "resource_class": "sdk-class", "candidate_nodes": []any{"sdk-node"}}); err != nil {
		t.Fatal(err)
	}
	w.theirs(&made, "wait_for_allocation", nil, with(uuid(made)), "iotronic_allocation", args{"name": "sdk-theirs", "resource_class": "sdk-class", "candidate_nodes": []any{"sdk-node"}, "traits": []any{}})
	w.seen["allocation"] = uuid(made)
	w.agree("their allocation", "")

	// Deployed by one, rescued and torn down by the other.
	w.ours(nodeName, n.With(args{"provision_state": "active", "instance_info": args{"image_source": "http://x/y"}, "config_drive": args{"meta_data": args{"name": "x"}}}))
	w.theirs(nil, "set_node_provision_state", opt{"wait": true, "rescue_password": "hush-hush"}, with(id, "rescue"), nodeName, n.With(args{"provision_state": "rescue", "rescue_password": "hush-hush"}))
	w.ours(nodeName, n.With(args{"provision_state": "active"}))
	delete(w.seen, "allocation") // which goes with it
	w.theirs(nil, "set_node_provision_state", opt{"wait": true}, with(id, "deleted"), nodeName, n.With(args{"provision_state": "available"}))
	w.OK(t, false, "iotronic_allocation", args{"name": "sdk-theirs", "state": "absent"})
	w.theirs(nil, "set_node_provision_state", opt{"wait": true}, with(id, "manage"), nodeName, n.With(args{"provision_state": "manageable"}))
	step := []any{map[string]any{"interface": "bios", "step": "factory_reset"}}
	w.theirs(nil, "set_node_provision_state", opt{"wait": true, "clean_steps": step}, with(id, "clean"), nodeName, n.With(args{"provision_state": "manageable"}))
	w.OK(t, true, nodeName, n.With(args{"provision_state": "cleaned", "clean_steps": step}))
	w.agree("our cleaning", "")

	// And gone.
	clear(w.seen)
	w.theirs(nil, "delete_node", nil, with(id), nodeName, n.With(args{"state": "absent"}))
	w.ours("iotronic_chassis", rack.With(args{"state": "absent"}))
	if err := w.sdk.Call(nil, "get_chassis", nil, rack["uuid"]); err == nil {
		t.Error("the chassis is there")
	}
}
