package iotronic

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
)

// TestPorts: ports of a real Ironic from their making to their end.
func TestPorts(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	a.OK(t, true, nodeName, args{"name": "with-ports", "driver": openstacktest.IronicDriver})
	other := a.OK(t, true, nodeName, args{"name": "other-ports", "driver": openstacktest.IronicDriver}).Dict("node")["uuid"]
	does := func(in args) map[string]any {
		t.Helper()
		return a.doesTo(t, ports, in).Dict("port")
	}
	const mac, second = "52:54:00:20:00:01", "52:54:00:20:00:02"
	p := args{"address": "52:54:00:20:00:01"}
	link := map[string]any{"switch_id": "0a:1b:2c:3d:4e:5f", "port_id": "Ethernet3/1"}
	made := does(p.With(args{"node": "with-ports", "local_link_connection": link, "physical_network": "provisioning", "extra": extra}))
	if made["address"] != mac || made["pxe_enabled"] != true || made["is_smartnic"] != false || made["links"] != nil {
		t.Errorf("%v", made)
	}
	if d := cmp.Diff(link, made["local_link_connection"]); d != "" {
		t.Error(d)
	}
	a.OK(t, false, "iotronic_port", args{"address": strings.ToUpper(mac), "node": made["node_uuid"], "physical_network": "provisioning", "is_smartnic": false, "pxe_enabled": true})
	for _, in := range []args{
		{"pxe_enabled": false, "physical_network": ""},
		{"local_link_connection": map[string]any{"port_id": "Ethernet3/2"}, "is_smartnic": false, "extra": map[string]any{"rack": nil}, "pxe_enabled": true},
		{"local_link_connection": map[string]any{"switch_id": "0A:1B:2C:3D:4E:60", "port_id": 8}},
		{"local_link_connection": map[string]any{"switch_id": "000000000000ABCD"}},
		{"local_link_connection": map[string]any{}, "local_link_connection_mode": "replace", "extra": map[string]any{"odd.key": 1}},
	} {
		made = does(p.With(in))
	}
	a.Fails(t, "iotronic_port", p.With(args{"node": "other-ports"}), "belongs to the node "+made["node_uuid"].(string)+" ... cannot move ports")
	does(p.With(args{"state": "absent"}))
	made = does(p.With(args{"node": "other-ports"}))
	uuid := args{"uuid": made["uuid"]}
	if moved := does(uuid.With(args{"address": second})); moved["uuid"] != made["uuid"] || moved["address"] != second {
		t.Errorf("another address: %v", moved)
	}
	does(args{"uuid": "00000020-0000-4000-8000-000000000020", "address": mac, "node": "with-ports"})
	for _, c := range []struct {
		in   args
		want string
	}{
		{uuid.With(args{"address": mac}), "address: " + mac + " is the address of the port 00000020-0000-4000-8000-000000000020 of the node "},
		{args{"address": "52:54:00:20:00:0f"}, `there is no port "52:54:00:20:00:0f"; to create it, set node`},
		{args{"uuid": other}, "there is no port with the UUID " + other.(string) + "; to create it, set node, address"},
		{args{"address": "nonsense"}, `address: "nonsense" is not a MAC address, such as 52:54:00:12:34:56`},
		{args{"address": "", "node": "x"}, "address is empty"},
		{args{"address": 41135185496, "node": "x"}, `address: 41135185496 is a number, which is how YAML reads some addresses without quotes; quote it: "52:54:00:12:34:56"`},
		{p.With(args{"local_link_connection": map[string]any{"port_id": true}}), "local_link_connection: port_id is true, and Ironic stores only text there"},
		{p.With(args{"physical_network": strings.Repeat("x", 65)}), "physical_network: ... 65 ... 64"},
		{p.With(args{"local_link_connection": map[string]any{"switch_id": "leaf-7", "port_id": "1"}}), `local_link_connection: switch_id is "leaf-7", which is neither a MAC address, such as 0a:1b:2c:3d:4e:5f, nor a datapath id of 16 hexadecimal digits`},
		{p.With(args{"local_link_connection": map[string]any{"switch_id": 41135185496}}), "local_link_connection: switch_id is the number 41135185496, which is how YAML reads some addresses"},
		{args{"uuid": "x"}, `uuid: "x" is not a UUID`},
		{p.With(args{"node": "nowhere"}), `node: there is no node "nowhere"`},
		{p.With(args{"portgroup": "nowhere"}), `portgroup: there is no port group "nowhere"`},
		{p.With(args{"name": "eth0", "api_version": "1.82"}), "API version 1.82 ... name (since 1.88)"},
		{p.With(args{"pxe_enabled": false, "api_version": "1.18"}), "API version 1.18 ... pxe_enabled (since 1.19)"},
		{args{}, "one of the following is required: address, uuid"},
	} {
		a.Fails(t, "iotronic_port", c.in, c.want)
	}

	// What Ironic changes only in some states of the node.
	capitals := args{"local_link_connection": map[string]any{"switch_id": "0A:1B:2C:3D:4E:61", "port_id": 8}}
	does(uuid.With(capitals))
	a.OK(t, true, nodeName, args{"name": "other-ports", "provision_state": "active"})
	a.OK(t, false, "iotronic_port", uuid.With(capitals))
	a.OK(t, false, nodeName, args{"name": "other-ports", "ports": []any{args{"address": second}.With(capitals)}})
	a.Fails(t, "iotronic_port", uuid.With(args{"physical_network": "x"}), `enroll ... manageable ... inspected ... maintenance ... "other-ports" ... active ... manageable`)
	a.Fails(t, "iotronic_port", uuid.With(args{"address": "52:54:00:20:00:0f"}), `only in maintenance ... "other-ports" ... active`)
	does(uuid.With(args{"extra": map[string]any{"cable": 7}}))
	a.OK(t, true, nodeName, args{"name": "other-ports", "maintenance": true})
	does(uuid.With(args{"physical_network": "x", "address": "52:54:00:20:00:0e"}))

	if found := a.OK(t, false, "iotronic_port_info", args{"node": "with-ports"})["ports"].([]any); len(found) != 1 || found[0].(map[string]any)["address"] != mac {
		t.Errorf("%v", found)
	}
	for name, c := range map[string]struct {
		in   args
		want int
	}{
		"by address":          {p.With(args{"fields": "node_uuid"}), 1},
		"by uuid":             {uuid, 1},
		"short":               {args{"node": "with-ports", "detail": false}, 1},
		"of no node":          {args{"node": "nowhere"}, 0},
		"with another's uuid": {uuid.With(p), 0},
		"no such address":     {args{"address": "52:54:00:20:00:aa"}, 0},
	} {
		if found := a.OK(t, false, "iotronic_port_info", c.in)["ports"].([]any); len(found) != c.want {
			t.Errorf("%s: %v", name, found)
		}
	}
	does(p.With(args{"state": "absent"}))
	does(uuid.With(args{"state": "absent"}))
	if gone := a.OK(t, false, "iotronic_port", p.With(args{"state": "absent"})).Dict("port"); len(gone) != 0 {
		t.Errorf("%v", gone)
	}
}

// TestPortsOfNode: one task enrols a machine.
func TestPortsOfNode(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	n := args{"name": "enrolled", "driver": openstacktest.IronicDriver}
	one := func(end string, more args) map[string]any {
		return args{"address": "52:54:00:21:00:" + end}.With(more)
	}
	made := a.doesTo(t, nodes, n.With(args{"provision_state": "available", "ports": []any{one("0A", nil), one("0b", args{"pxe_enabled": false, "extra": map[string]any{"slot": 2}})}}))
	list := made["ports"].([]any)
	if len(list) != 2 || list[0].(map[string]any)["address"] != "52:54:00:21:00:0a" || list[0].(map[string]any)["node_uuid"] != made.Dict("node")["uuid"] || list[1].(map[string]any)["pxe_enabled"] != false {
		t.Errorf("%v", list)
	}
	count := func(want int) {
		t.Helper()
		if found := a.OK(t, false, "iotronic_port_info", args{"node": "enrolled"})["ports"].([]any); len(found) != want {
			t.Errorf("%d ports: %v", len(found), found)
		}
	}
	count(2)
	// What is changed elsewhere only is changed where the node is led.
	a.Fails(t, nodeName, n.With(args{"ports": []any{one("0a", args{"physical_network": "x"})}}), `ports: ... 52:54:00:21:00:0a: `, `"enrolled" ... available ... manageable`)
	a.doesTo(t, nodes, n.With(args{"provision_state": "manageable", "ports": []any{one("0a", args{"physical_network": "x"}), one("0c", nil)}}))
	count(3)
	a.doesTo(t, nodes, n.With(args{"provision_state": "available", "maintenance": false, "ports": []any{one("0a", args{"physical_network": "y"})}}))
	a.doesTo(t, nodes, n.With(args{"maintenance": true, "ports": []any{one("0a", args{"physical_network": "z"})}}))
	// Others go only where they are to.
	diff := a.OK(t, true, nodeName, n.With(args{"ports": []any{one("0a", nil)}, "ports_mode": "replace"}).With(checking).With(diffing))["diff"].([]any)
	if len(diff) != 3 || diff[1].(map[string]any)["before_header"] != `port "52:54:00:21:00:0b"` {
		t.Errorf("%v", diff)
	}
	count(3)
	a.doesTo(t, nodes, n.With(args{"ports": []any{one("0a", nil)}, "ports_mode": "replace"}))
	count(1)
	a.OK(t, false, nodeName, n.With(args{"ports": []any{}}))
	a.doesTo(t, nodes, n.With(args{"ports": []any{}, "ports_mode": "replace"}))
	count(0)

	a.OK(t, true, nodeName, args{"name": "has-it", "driver": openstacktest.IronicDriver, "ports": []any{one("0d", nil)}})
	a.Fails(t, nodeName, n.With(args{"ports": []any{one("0d", nil)}}), "ports: address: 52:54:00:21:00:0d ... address of ... port ")
	a.Fails(t, nodeName, args{"name": "new", "driver": openstacktest.IronicDriver, "ports": []any{one("0d", nil)}}, "ports: address: 52:54:00:21:00:0d ... address of ... port ")
	a.Fails(t, nodeName, n.With(args{"ports": []any{one("0e", nil), one("0E", nil)}}), "ports: ... 52:54:00:21:00:0e ... twice")
	a.Fails(t, nodeName, n.With(args{"ports": []any{args{"pxe_enabled": true}}}), "missing required arguments: address found in ports")
	a.Fails(t, nodeName, n.With(args{"ports": []any{one("zz", nil)}}), `ports: address: "52:54:00:21:00:zz" ... MAC address`)
	_, town := newIotronic(t, iotronictest.Nodes2017)
	town.Fails(t, nodeName, args{"name": "pi", "code": "c", "location": here, "ports": []any{one("0a", nil)}}, "no ports")
	_, boards := newIotronic(t, iotronictest.Boards2019)
	boards.Fails(t, "iotronic_port", one("0a", args{"state": "absent"}), "boards and fleets ... no ports")
}

// TestPortRaces: many hosts make the same ports at once, and remove them.
func TestPortRaces(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	a.OK(t, true, nodeName, args{"name": "raced", "driver": openstacktest.IronicDriver})
	for _, in := range []args{{"node": "raced", "extra": map[string]any{"a": 1}}, {"pxe_enabled": false}, {"state": "absent"}} {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if out := a.Task(t, "iotronic_port", in.With(args{"address": "52:54:00:22:00:01"})); out["failed"] == true {
					t.Errorf("%v: %s", in, out.Msg())
				}
			})
		}
		wg.Wait()
	}
	// Somebody else makes the port between the look and the write.
	c := a.Connection["url"]
	done := false
	a.Answer = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/ports") && !done {
			done = true
			_, _ = run(t, "iotronic_port", args{"url": c, "node": "raced", "address": "52:54:00:22:00:02"}, nil)
		}
		return false
	}
	if out := a.Task(t, nodeName, args{"name": "raced", "ports": []any{args{"address": "52:54:00:22:00:02", "extra": map[string]any{"a": 2}}}}); out["failed"] == true || !done ||
		out["ports"].([]any)[0].(map[string]any)["extra"].(map[string]any)["a"] != 2.0 {
		t.Errorf("%v", out)
	}
	a.Answer = nil
}
