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

// pair is a walk of two clients over the same objects of one Ironic: modules of ours, and one of OpenStack's own.
type pair struct {
	*world
	t     *testing.T
	c     *api.Client
	other *openstacktest.Client
	get   string // the name of its function that reads an object, with %s for the kind
	// seen are the objects that both read after each step, by kind.
	seen map[string]string
}

// reads are how both read an object of a kind whole, by UUID, and how many fields both have at least.
var reads = map[string]struct {
	store  store
	fields int
}{
	"node": {nodeStore, 50}, "port": {portStore, 11}, "chassis": {chassisResource.store, 5}, "allocation": {allocationResource.store, 11},
}

// nodeStore reads nodes.
var nodeStore = stored[api.Node, api.NodeCreate]{
	of: func(c *api.Client) collection[api.Node, api.NodeCreate] { return c.Nodes }, object: func(n *api.Node) api.Object { return n.Fields },
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
	if err := w.other.Call(&theirs, fmt.Sprintf(w.get, kind), nil, uuid); err != nil {
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

// theirs is a step of the other client, after which a task that says the same changes nothing.
func (w *pair) theirs(out any, call string, options openstacktest.Options, with []any, module string, same args) {
	w.t.Helper()
	var err error
	for range 20 { // openstacksdk tries a lock for less long than we do
		if err = w.other.Call(out, call, options, with...); err == nil || !strings.Contains(err.Error(), "is locked by host") {
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

// opt are the named arguments of a call of the other client, and with are those without a name.
type opt = openstacktest.Options

func with(words ...any) []any { return words }

func uuidOf(o map[string]any) string { text, _ := o["uuid"].(string); return text }

// TestWithSDK: what modules of ours do openstacksdk reads, and what it does they read, field by field, after each step.
func TestWithSDK(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	w := &pair{a, t, clientOf(t, i, 20), i.SDK(t), "get_%s", map[string]string{}}
	var made map[string]any

	// A rack, and a server in it with a port.
	w.seen["chassis"] = uuidOf(w.OK(t, true, "iotronic_chassis", args{"description": "sdk-rack"}).Dict("chassis"))
	rack := args{"uuid": w.seen["chassis"]}
	w.theirs(nil, "update_chassis", opt{"description": "sdk-rack 2", "extra": opt{"room": 2}}, with(rack["uuid"]), "iotronic_chassis", rack.With(args{"description": "sdk-rack 2", "extra": args{"room": 2}}))
	w.ours("iotronic_chassis", rack.With(args{"extra": args{"room": 3, "row": nil}}))
	const mac = "52:54:00:50:00:01"
	enrolled := w.OK(t, true, nodeName, args{"name": "sdk-node", "driver": openstacktest.IronicDriver, "chassis_uuid": rack["uuid"], "resource_class": "sdk-class",
		"driver_info": args{"address": "192.0.2.7", "ipmi_password": "hush-hush"}, "properties": args{"cpus": 8, "capabilities": "boot_mode:uefi"}, "extra": extra,
		"traits": []any{"CUSTOM_A"}, "ports": []any{args{"address": mac, "extra": args{"slot": 1}}}})
	w.seen["node"] = uuidOf(enrolled.Dict("node"))
	w.seen["port"] = uuidOf(enrolled["ports"].([]any)[0].(map[string]any))
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
	w.ours("iotronic_port", args{"uuid": uuidOf(made), "state": "absent"})
	if err := w.other.Call(nil, "get_port", nil, uuidOf(made)); err == nil || !strings.Contains(err.Error(), "NotFound") {
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
	w.seen["allocation"] = uuidOf(w.OK(t, true, "iotronic_allocation", args{"name": "sdk-ours", "resource_class": "sdk-class", "traits": []any{"CUSTOM_SDK"}}).Dict("allocation"))
	w.ours("iotronic_allocation", args{"name": "sdk-ours", "extra": args{"for": "both"}})
	w.theirs(nil, "update_allocation", opt{"name": "sdk-renamed"}, with(w.seen["allocation"]), "iotronic_allocation", args{"name": "sdk-renamed", "node": "sdk-node", "extra": args{"for": "both"}, "extra_mode": "replace"})
	delete(w.seen, "allocation")
	w.ours("iotronic_allocation", args{"name": "sdk-renamed", "state": "absent"})
	if err := w.other.Call(&made, "create_allocation", opt{"name": "sdk-theirs", "resource_class": "sdk-class", "candidate_nodes": []any{"sdk-node"}}); err != nil {
		t.Fatal(err)
	}
	w.theirs(&made, "wait_for_allocation", nil, with(uuidOf(made)), "iotronic_allocation", args{"name": "sdk-theirs", "resource_class": "sdk-class", "candidate_nodes": []any{"sdk-node"}, "traits": []any{}})
	w.seen["allocation"] = uuidOf(made)
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
	if err := w.other.Call(nil, "get_chassis", nil, rack["uuid"]); err == nil {
		t.Error("the chassis is there")
	}
}

// TestWithIronicClient: the same with python-ironicclient, the library behind the baremetal command.
func TestWithIronicClient(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	w := &pair{a, t, clientOf(t, i, 20), i.IronicClient(t), "%s.get", map[string]string{}}
	gone := func(call string, with ...any) {
		t.Helper()
		if err := w.other.Call(nil, call, nil, with...); err == nil || !strings.Contains(err.Error(), "NotFound") {
			t.Errorf("%s %v: %v", call, with, err)
		}
	}
	patch := func(path string, value any) []any {
		return []any{opt{"op": "add", "path": path, "value": value}}
	}
	var made map[string]any

	// What is ours from the beginning: a rack, and a server in it with a port.
	w.seen["chassis"] = uuidOf(w.OK(t, true, "iotronic_chassis", args{"description": "client-rack"}).Dict("chassis"))
	rack := args{"uuid": w.seen["chassis"]}
	w.theirs(nil, "chassis.update", nil, with(rack["uuid"], patch("/extra/room", 2)), "iotronic_chassis", rack.With(args{"extra": args{"room": 2}, "extra_mode": "replace"}))
	const mac, second = "52:54:00:53:00:01", "52:54:00:53:00:02"
	enrolled := w.OK(t, true, nodeName, args{"name": "client-node", "driver": openstacktest.IronicDriver, "chassis_uuid": rack["uuid"], "resource_class": "client-class",
		"driver_info": args{"address": "192.0.2.7", "ipmi_password": "hush-hush"}, "properties": args{"cpus": 8}, "extra": extra, "ports": []any{args{"address": mac}}})
	w.seen["node"], w.seen["port"] = uuidOf(enrolled.Dict("node")), uuidOf(enrolled["ports"].([]any)[0].(map[string]any))
	id, n := w.seen["node"], args{"name": "client-node"}
	w.agree("our enrolment", "")
	w.theirs(nil, "node.update", nil, with(id, slices.Concat(patch("/description", "theirs"), patch("/properties/cpus", 16))), nodeName, n.With(args{"description": "theirs", "properties": args{"cpus": 16}}))
	w.ours(nodeName, n.With(args{"extra": args{"rack": "c9"}, "description": ""}))
	w.theirs(nil, "node.set_traits", nil, with(id, []any{"CUSTOM_A", "CUSTOM_THEIRS"}), nodeName, n.With(args{"traits": []any{"CUSTOM_THEIRS", "CUSTOM_A"}, "traits_mode": "replace"}))
	w.ours(nodeName, n.With(args{"traits": []any{"CUSTOM_OURS", "CUSTOM_THEIRS"}, "traits_mode": "replace"}))
	var traits []string
	if err := w.other.Call(&traits, "node.get_traits", nil, id); err != nil || !slices.Equal(slices.Sorted(slices.Values(traits)), []string{"CUSTOM_OURS", "CUSTOM_THEIRS"}) {
		t.Error(traits, err)
	}

	// Ports.
	w.ours("iotronic_port", args{"address": mac, "pxe_enabled": false, "local_link_connection": args{"switch_id": "0a:1b:2c:3d:4e:5f", "port_id": "Eth1"}, "physical_network": "lab"})
	w.theirs(nil, "port.update", nil, with(w.seen["port"], patch("/pxe_enabled", true)), "iotronic_port", args{"address": mac, "pxe_enabled": true})
	w.theirs(&made, "port.create", opt{"node_uuid": id, "address": second, "pxe_enabled": false}, nil, nodeName, n.With(args{"ports": []any{args{"address": second, "pxe_enabled": false}, args{"address": mac}}, "ports_mode": "replace"}))
	w.ours("iotronic_port", args{"uuid": uuidOf(made), "state": "absent"})
	gone("port.get_by_address", second)

	// States.
	reach := func(call opt, state string, same args) {
		t.Helper()
		verb := call["state"]
		w.theirs(nil, "node.set_provision_state", call, with(id), nodeName, nil)
		w.theirs(nil, "node.wait_for_provision_state", opt{"timeout": 60, "poll_interval": 1}, with(id, state), nodeName, n.With(same))
		if t.Failed() {
			t.Fatalf("their %v", verb)
		}
	}
	reach(opt{"state": "manage"}, "manageable", args{"provision_state": "manageable"})
	w.ours(nodeName, n.With(args{"provision_state": "inspected"}))
	reach(opt{"state": "inspect"}, "manageable", args{"provision_state": "inspected"})
	reach(opt{"state": "provide"}, "available", args{"provision_state": "available"})
	w.theirs(nil, "node.set_power_state", nil, with(id, "on"), nodeName, n.With(args{"power": "on"}))
	w.ours(nodeName, n.With(args{"power": "soft_off"}))
	w.theirs(nil, "node.set_boot_device", nil, with(id, "pxe"), nodeName, n.With(args{"boot_device": "pxe"})) // the only one that fake hardware has; see TestRedfish
	w.theirs(nil, "node.set_maintenance", opt{"maint_reason": "a new fan"}, with(id, true), nodeName, n.With(args{"maintenance": true, "maintenance_reason": "a new fan"}))
	w.ours(nodeName, n.With(args{"maintenance": false}))

	// Allocations.
	w.seen["allocation"] = uuidOf(w.OK(t, true, "iotronic_allocation", args{"name": "client-ours", "resource_class": "client-class", "traits": []any{"CUSTOM_OURS"}}).Dict("allocation"))
	w.theirs(nil, "allocation.update", nil, with(w.seen["allocation"], patch("/extra/for", "both")), "iotronic_allocation", args{"name": "client-ours", "node": "client-node", "extra": args{"for": "both"}, "extra_mode": "replace"})
	delete(w.seen, "allocation")
	w.ours("iotronic_allocation", args{"name": "client-ours", "state": "absent"})
	gone("allocation.get", "client-ours")
	w.theirs(&made, "allocation.create", opt{"name": "client-theirs", "resource_class": "client-class", "candidate_nodes": []any{id}}, nil, "iotronic_allocation", args{"name": "client-theirs", "resource_class": "client-class", "candidate_nodes": []any{"client-node"}})
	w.seen["allocation"] = uuidOf(made)
	w.agree("their allocation", "")

	// Deployed by one and torn down by the other, and the other way round.
	w.ours(nodeName, n.With(args{"provision_state": "active", "instance_info": args{"image_source": "http://x/y"}}))
	delete(w.seen, "allocation") // which goes with what is torn down
	reach(opt{"state": "deleted"}, "available", args{"provision_state": "available"})
	w.OK(t, false, "iotronic_allocation", args{"name": "client-theirs", "state": "absent"})
	reach(opt{"state": "active", "configdrive": opt{"meta_data": opt{"name": "x"}}}, "active", args{"provision_state": "active"})
	w.ours(nodeName, n.With(args{"provision_state": "available", "undeploy": true}))

	// And gone: theirs by us, ours by them.
	clear(w.seen)
	w.theirs(nil, "node.delete", nil, with(id), nodeName, n.With(args{"state": "absent"}))
	w.theirs(nil, "chassis.delete", nil, with(rack["uuid"]), "iotronic_chassis", rack.With(args{"state": "absent"}))
	w.theirs(&made, "chassis.create", opt{"description": "client-theirs"}, nil, "iotronic_chassis", args{"description": "client-theirs"})
	rack = args{"uuid": uuidOf(made)}
	w.theirs(nil, "node.create", opt{"name": "client-theirs", "driver": openstacktest.IronicDriver, "chassis_uuid": rack["uuid"], "resource_class": "other"}, nil, nodeName,
		args{"name": "client-theirs", "driver": openstacktest.IronicDriver, "chassis_uuid": rack["uuid"], "resource_class": "other"})
	w.ours(nodeName, args{"name": "client-theirs", "state": "absent"})
	w.ours("iotronic_chassis", rack.With(args{"state": "absent"}))
	gone("node.get", "client-theirs")
	gone("chassis.get", rack["uuid"])
}
