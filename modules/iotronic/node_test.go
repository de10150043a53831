package iotronic

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
	api "github.com/craton-fleet/craton/iotronic"
)

var (
	here  = map[string]any{"longitude": 15.5, "latitude": "38.1", "altitude": 10}
	there = map[string]any{"longitude": "9.19", "latitude": "45.46", "altitude": "120"}
	extra = map[string]any{"rack": "b7", "big": 1 << 60, "deep": map[string]any{"a.b/c": []any{nil, "ü"}}}
)

// TestLifeOnIotronic: a node of early 2017 from its making to its end.
func TestLifeOnIotronic(t *testing.T) {
	t.Parallel()
	s, a := newIotronic(t, iotronictest.Nodes2017)
	made := a.does(t, args{"name": "pi", "code": "c1", "type": "yun", "location": here, "extra": extra})
	if made["status"] != "registered" || made["links"] != nil || made["type"] != "yun" {
		t.Errorf("%v", made)
	}
	n := a.does(t, args{"name": "pi", "type": "", "mobile": true, "location": there, "extra": map[string]any{"rack": nil, "new": 1.50}})
	want := map[string]any{"rack": nil, "big": float64(1 << 60), "deep": extra["deep"], "new": 1.5}
	if d := cmp.Diff(want, n["extra"]); d != "" || n["type"] != nil || n["mobile"] != true {
		t.Errorf("%v: %s", n, d)
	}
	n = a.does(t, args{"uuid": n["uuid"], "name": "pie", "code": "c2", "extra": map[string]any{}, "extra_mode": "replace", "mobile": "no"})
	if d := cmp.Diff(map[string]any{}, n["extra"]); d != "" || n["name"] != "pie" || n["code"] != "c2" {
		t.Errorf("%v: %s", n, d)
	}
	s.Add("nodes", iotronictest.Object{"name": "twin", "code": "c3"})
	twin := s.Add("nodes", iotronictest.Object{"name": "twin", "code": "c4"})
	a.Fails(t, nodeName, args{"name": "twin", "mobile": true}, `several ... "twin"`, twin)
	a.Fails(t, nodeName, args{"name": "pie", "code": "c4"}, `"c4" ... taken ... "twin"`)
	a.Fails(t, nodeName, args{"name": "new", "code": "c4", "location": here}, `"c4" ... taken`)
	a.Fails(t, nodeName, args{"name": "new"}, `no node "new"; ... code, location`)
	a.Fails(t, nodeName, args{"uuid": strings.Replace(twin, "0", "f", 1), "name": "x", "code": "c", "location": here}, "Iotronic ... UUIDs")
	a.Fails(t, nodeName, args{"name": "new", "driver": "ipmi", "power": "on"},
		"iotronic-nodes ... no driver, power ... name, code, extra, location, mobile, type")
	a.OK(t, true, nodeName, args{"uuid": twin, "name": "single"})
	a.does(t, args{"name": "pie", "state": "absent"})
	a.OK(t, false, nodeName, args{"uuid": n["uuid"], "state": "absent"})
}

// TestLifeOnIotronicOf2016: nodes that cannot be changed.
func TestLifeOnIotronicOf2016(t *testing.T) {
	t.Parallel()
	_, a := newIotronic(t, iotronictest.Nodes2016)
	in := args{"name": "pi", "code": "c1", "type": "yun", "location": here, "extra": extra, "mobile": true}
	if made := a.does(t, in); made["device"] != "yun" || made["status"] != "operative" {
		t.Errorf("%v", made)
	}
	a.OK(t, false, nodeName, args{"name": "pi", "mobile": true, "type": "yun"})
	a.Fails(t, nodeName, args{"name": "pi", "type": "pi", "extra": map[string]any{"a": 1}}, "iotronic-nodes-2016 ... cannot change ... extra, type")
	a.does(t, args{"name": "pi", "state": "absent"})
}

// TestNoNodes: a server with boards says what there is.
func TestNoNodes(t *testing.T) {
	t.Parallel()
	_, a := newIotronic(t, iotronictest.Boards2019)
	a.Fails(t, nodeName, args{"name": "pi", "state": "absent"},
		"iotronic-boards ... no nodes ... craton.fleet.iotronic_board_info or craton.fleet.iotronic_fleet_info")
}

// TestLifeOnIronic: a node of a real Ironic from enrolment to its end.
func TestLifeOnIronic(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	const name = "life"
	made := a.does(t, args{"name": name, "driver": openstacktest.IronicDriver, "properties": map[string]any{"cpus": 4}, "extra": extra,
		"driver_info": map[string]any{"address": "192.0.2.7", "ipmi_password": "hush-hush"}, "resource_class": "life", "conductor_group": "", "network_interface": "noop", "owner": "somebody"})
	if made["owner"] != "somebody" || made["provision_state"] != "enroll" || made["links"] != nil || made["ports"] != nil || made["states"] != nil || made["bios_interface"] != "fake" {
		t.Errorf("%v", made)
	}
	if d := cmp.Diff(map[string]any{"address": "192.0.2.7", "ipmi_password": "******"}, made["driver_info"]); d != "" {
		t.Error(d)
	}
	for _, in := range []args{
		{"description": "first", "owner": "o", "lessee": "l", "shard": "s", "automated_clean": false, "retired": true, "retired_reason": "old"},
		{"description": "", "owner": "", "lessee": "", "shard": "", "resource_class": "", "retired": false, "automated_clean": true},
		{"properties": map[string]any{"cpus": 8, "arch": nil}, "extra": map[string]any{"deep": map[string]any{"x": 1.5}}},
		{"extra": map[string]any{"a.b": 1, "s/l~sh": "x"}},
		{"extra": map[string]any{"a.b": 2}, "extra_mode": "replace", "properties": map[string]any{}, "properties_mode": "replace"},
		{"network_data": map[string]any{"links": []any{}, "networks": []any{}, "services": []any{}}},
		{"instance_info": map[string]any{"image_source": "http://x/y", "image_url": "http://x/y?sig", "root_gb": 4}},
		{"instance_uuid": "5344a3e2-978a-444e-990a-cbf47c62ef88"},
		{"instance_uuid": ""},
		{"maintenance": true, "maintenance_reason": "a new fan"},
		{"maintenance": true, "maintenance_reason": "two"},
		{"maintenance": true, "maintenance_reason": ""},
		{"maintenance": false},
	} {
		a.does(t, in.With(args{"name": name}))
	}
	a.OK(t, false, nodeName, args{"name": name, "conductor_group": "", "properties": map[string]any{}, "maintenance_reason": "", "maintenance": false})
	n := a.does(t, args{"uuid": made["uuid"], "name": name + "-2"})
	if n["uuid"] != made["uuid"] || n["name"] != "life-2" {
		t.Errorf("%v", n)
	}
	a.Fails(t, nodeName, args{"name": name}, `no node "life"; ... driver`)
	a.Fails(t, nodeName, args{"name": "life-2", "uuid": "5344a3e2-978a-444e-990a-cbf47c62ef80"}, `no node ... 5344a3e2-978a-444e-990a-cbf47c62ef80 ... driver`)
	// What Ansible takes for a mark of its own is text in the result, and a template is a text or a number, as the
	// release has it.
	marked := a.OK(t, true, nodeName, args{"name": "life-2", "extra": map[string]any{"mark": map[string]any{"__ansible_type": "TaggedStr", "value": "y"}, "kb": "1024"}})
	if d := cmp.Diff(` {"__ansible_type":"TaggedStr","value":"y"}`, marked.Dict("node")["extra"].(map[string]any)["mark"]); d != "" {
		t.Error(d)
	}
	a.OK(t, false, nodeName, args{"name": "life-2", "extra": map[string]any{"kb": 1024}, "properties": map[string]any{}})
	a.Fails(t, nodeName, args{"name": name, "driver": "ipmi"}, `no conductor ... "ipmi" ... fake-hardware`)
	a.Fails(t, nodeName, args{"name": "life-2", "driver": "ipmi"}, `no conductor ... "ipmi"`)
	a.Fails(t, nodeName, args{"name": "life-2", "driver": ""}, "driver ... empty")
	a.Fails(t, nodeName, args{"name": "life-2", "code": "c", "location": here}, "ironic ... no code, location")
	a.Fails(t, nodeName, args{"name": "life-2", "retired_reason": "old"}, "retired_reason: ... not retired")

	const own = "1be26c0b-03f2-4d2e-ae87-c02d7f33c123"
	a.Fails(t, nodeName, args{"uuid": own, "name": "life-2", "driver": openstacktest.IronicDriver}, fmt.Sprintf(`"life-2" ... taken ... node %s`, n["uuid"]))
	a.does(t, args{"uuid": strings.ToUpper(own), "driver": openstacktest.IronicDriver})
	a.Fails(t, nodeName, args{"uuid": own, "name": "life-2"}, `"life-2" ... taken ... node`)
	a.does(t, args{"uuid": own, "state": "absent"})
	a.does(t, args{"name": "life-2", "state": "absent"})
}

// TestRefusedBefore: what a real Ironic refuses is refused before anything is written, in check mode too; each would be
// refused by it.
func TestRefusedBefore(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	c := clientOf(t, i, 20)
	hasty := clientOf(t, i, 1) // what a state forbids is tried as often as what somebody else's work does
	n := args{"name": "refused"}
	create := n.With(args{"driver": openstacktest.IronicDriver})
	const nothing = "99999999-0000-4000-8000-999999999999"
	for _, tt := range []struct {
		in     args
		field  string // that Ironic is asked for without the module
		reason string
	}{
		{args{"name": "a b"}, "name", `name: "a b" ... not valid`},
		{args{"name": strings.Repeat("a", 256)}, "name", `name: "` + strings.Repeat("a", 256) + `" ... not valid`},
		{args{"description": strings.Repeat("ü", 4097)}, "description", "4097 ... 4096"},
		{args{"resource_class": strings.Repeat("x", 81)}, "resource_class", "resource_class: ... 81 ... 80"},
		{args{"properties": map[string]any{"memory_mb": "16 GB"}}, "properties", `properties: memory_mb ... "16 GB" ... whole numbers from 0`},
		{args{"properties": map[string]any{"local_gb": []int{1}}}, "properties", "properties: local_gb ... [1] ... Ironic"},
		{args{"power_interface": "ipmitool"}, "power_interface", `power_interface: ... fake-hardware ... not support "ipmitool" ... fake`},
		{args{"chassis_uuid": nothing}, "chassis_uuid", "no chassis " + nothing},
		{args{"chassis_uuid": "one"}, "chassis_uuid", `"one" ... UUID`},
		{args{"instance_uuid": "one"}, "instance_uuid", `"one" ... UUID`},
		{args{"conductor_group": "Nobody"}, "conductor_group", `no conductor ... "nobody" ... ""`},
	} {
		a.Fails(t, nodeName, create.With(tt.in), tt.reason)
		more := api.Object{"driver": raw(openstacktest.IronicDriver), tt.field: raw(tt.in[tt.field])}
		if _, err := c.Do(t.Context(), http.MethodPost, "/nodes", nil, more); !api.IsBadRequest(err) && !api.IsNotFound(err) {
			t.Errorf("Ironic takes %v, or is not asked: %v", tt.in, err)
		}
	}
	a.Fails(t, nodeName, create.With(args{"properties": map[string]any{"cpus": -1}}), "properties: cpus ... -1 ... Ironic") // newer releases take it
	a.Fails(t, nodeName, create.With(args{"maintenance": true, "maintenance_reason": strings.Repeat("ü", 4097)}), "maintenance_reason: ... 4097 ... 4096")
	a.Fails(t, nodeName, create.With(args{"owner": strings.Repeat("o", 256)}), "owner: ... 256 ... 255") // MySQL does not take it
	many := make([]string, 51)
	for i := range many {
		many[i] = fmt.Sprintf("CUSTOM_%d", i)
	}
	a.Fails(t, nodeName, create.With(args{"traits": many}), "traits: ... 51 ... 50")
	a.Fails(t, nodeName, create.With(args{"owner": "o", "description": "d", "api_version": "1.49"}),
		"API version 1.49 ... description (since 1.51), owner (since 1.50)")
	if old := a.Task(t, nodeName, create.With(args{"conductor_group": "nobody", "api_version": "1.47"})); old["failed"] != true || !strings.Contains(old.Msg(), "POST /v1/nodes: 400") {
		t.Errorf("a version without lists of conductors: %v", old.Msg())
	}
	a.Fails(t, nodeName, n.With(args{"state": "absent", "api_version": "1.4"}), "names ... 1.5")
	a.Fails(t, node.infoName(), n.With(args{"api_version": "1.4"}), "names ... 1.5")
	a.Fails(t, node.infoName(), n.With(args{"dialect": "iotronic-nodes"}), "dialect ... iotronic-nodes ... Ironic")
	a.Fails(t, node.infoName(), args{"uuid": "refused"}, `uuid: "refused" ... UUID ... set name`)

	// A UUID is the same in every form.
	const own = "6FA459EAEE8A3CA4894EDB77E160355E"
	if made := a.does(t, create.With(args{"uuid": own, "resource_class": "first"})); made["uuid"] != "6fa459ea-ee8a-3ca4-894e-db77e160355e" {
		t.Errorf("%v", made["uuid"])
	}
	a.reads(t, node, args{"uuid": strings.ToLower(own)}, "refused")
	a.Fails(t, nodeName, args{"uuid": own, "name": "another", "state": "absent"}, `"refused", not "another"`)

	// Some fields stay as long as something is deployed; where it is torn down in the same task they come after that.
	a.does(t, n.With(args{"provision_state": "active"}))
	if _, err := hasty.Nodes.Update(t.Context(), "refused", api.Changes{"resource_class": "second"}); !api.IsConflict(err) {
		t.Errorf("Ironic changes it: %v", err)
	}
	a.Fails(t, nodeName, n.With(args{"resource_class": "second"}), `resource_class: ... not change ... "active" ... tear`)
	a.Fails(t, nodeName, n.With(args{"resource_class": ""}), "resource_class: ... not change")
	a.does(t, n.With(args{"maintenance": true, "description": "d"}))
	a.does(t, n.With(args{"maintenance": false}))
	a.does(t, n.With(args{"provision_state": "manageable", "undeploy": true, "resource_class": "second"}))
	a.does(t, n.With(args{"resource_class": ""}))
	a.does(t, n.With(args{"provision_state": "active"}))
	a.does(t, n.With(args{"resource_class": "third"})) // the first one may come at any time
	a.OK(t, true, nodeName, n.With(args{"instance_info": map[string]any{"a": 1}, "instance_info_mode": "replace"}))
	a.OK(t, false, nodeName, n.With(args{"instance_info": map[string]any{"a": 1}, "instance_info_mode": "replace", "provision_state": "active"}))
	a.does(t, n.With(args{"state": "absent", "undeploy": true}))
	a.does(t, create.With(args{"provision_state": "active", "retired": true, "retired_reason": "its last job"}))
	a.does(t, n.With(args{"state": "absent", "undeploy": true}))
}

// TestBadArguments: what needs no server to be wrong.
func TestBadArguments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   args
		want string
	}{
		{args{}, "one of the following is required: name, uuid"},
		{args{"name": ""}, "name is empty"},
		{args{"uuid": "pi"}, `"pi" is not a UUID`},
		{args{"name": "1be26c0b03f24d2eae87c02d7f33c123"}, "is a UUID, which cannot be a name"},
		{args{"name": "n", "maintenance_reason": "x"}, "missing parameter(s) required by 'maintenance_reason': maintenance"},
		{args{"name": "n", "maintenance_reason": "x", "maintenance": false}, "but maintenance is false"},
		{args{"name": "n", "wait_timeout": -1}, "wait_timeout is negative"},
		{args{"name": "n", "power": "reboot"}, "value of power must be one of: on, off, rebooted, soft_off, soft_rebooted, got: reboot"},
		{args{"name": "n", "location": map[string]any{"latitude": 1}}, "missing required arguments: altitude, longitude found in location"},
		{args{"name": "n", "extra": map[string]any{"": 1}}, "extra: a key is empty"},
		{args{"name": "n", "drivers": "x"}, "Did you mean driver instead of drivers?"},
		{args{"name": "n"}, "no Ironic or Iotronic is configured: set the option url"},
		{args{"name": "n", "username": "u", "password": "hush-hush", "project_id": "p"}, "no Ironic or Iotronic is configured"},
		{args{"name": "n", "url": "sqlite:fleet.db"}, "sqlite"},
		{args{"name": "n", "url": "http://127.0.0.1:1", "max_retries": 0}, "cannot reach the Ironic or Iotronic API"},
		{args{"name": "n", "url": "http://127.0.0.1:1", "dialect": "openstack"}, "value of dialect must be one of: auto, ironic"},
		{args{"name": "n", "url": "http://127.0.0.1:1", "timeout": "soon"}, "timeout must be a number of seconds"},
	} {
		out, text := run(t, nodeName, c.in, nil)
		if out["failed"] != true || !strings.Contains(out.Msg(), c.want) || strings.Contains(text, "hush-hush") {
			t.Errorf("%v: %s", c.in, text)
		}
	}
}

// TestSettle: values that Ironic takes for the same are no change, and the most of what it takes is stored.
func TestSettle(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	n := args{"name": "settles", "driver": openstacktest.IronicDriver}
	a.does(t, n.With(args{"extra": map[string]any{"a": 1, "b": false, "c": map[string]any{"d": []any{0}}}, "maintenance": true, "maintenance_reason": strings.Repeat("ü", 4096),
		"resource_class": strings.Repeat("x", 80), "properties": map[string]any{"memory_mb": " 16384 ", "cpus": "+1_0", "local_gb": 0}}))
	a.OK(t, false, nodeName, n.With(args{"extra": map[string]any{"a": true, "b": 0, "c": map[string]any{"d": []any{false}}}}))
	for _, other := range []map[string]any{{"a": false}, {"a": 2}, {"b": true}} {
		a.does(t, n.With(args{"extra": other}))
	}
	a.OK(t, true, nodeName, args{"name": "settles", "state": "absent"})
}

// TestLockedOnce: without retries a node that is locked is not waited for, and a time of 0 has no end.
func TestLockedOnce(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	n := args{"name": "locked-once", "driver": openstacktest.IronicDriver}
	a.does(t, n)
	left := 0
	a.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch || left == 0 {
			return false
		}
		left--
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"error_message": {"faultcode": "Client", "faultstring": "Node u is locked by host c, please retry after the current operation is completed."}}`))
		return true
	}
	left = 2
	if out := a.Task(t, nodeName, n.With(args{"description": "x", "max_retries": 0})); out["failed"] != true || left != 1 || !strings.Contains(out.Msg(), "is locked by host c") {
		t.Errorf("%d left: %v", left, out)
	}
	if out := a.Task(t, nodeName, n.With(args{"description": "x", "wait_timeout": 0})); out["failed"] != nil || left != 0 {
		t.Errorf("%d left: %v", left, out)
	}
	a.Fails(t, nodeName, n.With(args{"wait_timeout": -1}), "wait_timeout ... negative")
	a.OK(t, true, nodeName, args{"name": "locked-once", "state": "absent"})
}
