package cli_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/openstacktest"
)

// TestIronicClient: what commands of ours do python-ironicclient reads, and what it does they print, after each step.
func TestIronicClient(t *testing.T) {
	t.Parallel()
	a, i := onIronic(t)
	other := i.IronicClient(t)
	type opt = openstacktest.Options
	theirs := func(call string, options opt, with ...any) (made opt) {
		t.Helper()
		if err := other.Call(&made, call, options, with...); err != nil {
			t.Fatal(err)
		}
		return made
	}
	show := func(kind, id string) (o opt) {
		t.Helper()
		if err := json.Unmarshal([]byte(a.must(t, fmt.Sprintf("--format json %s-show %s", kind, id))), &o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	// agree compares all fields that a command shows and the client has, and those that a step was about with what is
	// wanted.
	agree := func(kind, id string, want opt) opt {
		t.Helper()
		ours, is := show(kind, id), theirs(kind+".get", nil, id)
		got := opt{}
		for key, value := range ours {
			if other, both := is[key]; !both {
				t.Errorf("the %s of python-ironicclient has no %s", kind, key)
			} else if d := cmp.Diff(value, other); d != "" && key != "links" && key != "updated_at" && key != "reservation" {
				t.Errorf("%s of the %s (-ours +theirs):\n%s", key, kind, d)
			}
			if _, asked := want[key]; asked {
				got[key] = value
			}
		}
		if d := cmp.Diff(want, got); d != "" || len(ours) < 5 {
			t.Errorf("the %s (-want +got):\n%s", kind, d)
		}
		return ours
	}
	gone := func(kind, id string) {
		t.Helper()
		if err := other.Call(nil, kind+".get", nil, id); err == nil {
			t.Errorf("the %s %s is there", kind, id)
		}
		a.fails(t, kind+"-show "+id)
	}
	patch := func(path string, value any) []any {
		return []any{opt{"op": "add", "path": path, "value": value}}
	}

	const rack, mac, name, class = "00000053-0000-4000-8000-000000000001", "52:54:00:54:00:01", "cli-client", "cli-client"
	a.must(t, "chassis-create --description cli-client -u "+rack+" -e room=2")
	agree("chassis", rack, opt{"description": "cli-client", "extra": opt{"room": 2.0}})
	theirs("chassis.update", nil, rack, patch("/extra/room", 3))
	agree("chassis", rack, opt{"extra": opt{"room": 3.0}})

	a.must(t, "node-create -n "+name+" -d "+openstacktest.IronicDriver+" --resource-class "+class+" -c "+rack+" -p cpus=8 -e rack=b7")
	agree("node", name, opt{"provision_state": "enroll", "properties": opt{"cpus": 8.0}, "chassis_uuid": rack})
	theirs("node.update", nil, name, patch("/extra/rack", "c9"))
	a.must(t, "node-update "+name+" properties/cpus=16")
	agree("node", name, opt{"extra": opt{"rack": "c9"}, "properties": opt{"cpus": 16.0}})
	a.must(t, "node-trait-add "+name+" CUSTOM_OURS")
	theirs("node.add_trait", nil, name, "CUSTOM_THEIRS")
	agree("node", name, opt{"traits": []any{"CUSTOM_OURS", "CUSTOM_THEIRS"}})

	a.must(t, "port-create -n "+name+" -a "+mac+" --pxe-enabled false")
	port, _ := show("port", mac)["uuid"].(string)
	theirs("port.update", nil, port, patch("/physical_network", "lab"))
	agree("port", port, opt{"address": mac, "pxe_enabled": false, "physical_network": "lab"})

	wait := func(state string) {
		t.Helper()
		theirs("node.wait_for_provision_state", opt{"timeout": 60, "poll_interval": 1}, name, state)
	}
	theirs("node.set_provision_state", nil, name, "manage")
	wait("manageable")
	a.must(t, "node-provision "+name+" inspect --wait 60")
	wait("manageable")
	theirs("node.set_provision_state", nil, name, "provide")
	wait("available")
	a.must(t, "node-power "+name+" on --wait 60")
	a.must(t, "node-maintenance "+name+" on --reason 'a fan'")
	agree("node", name, opt{"provision_state": "available", "power_state": "power on", "maintenance": true, "maintenance_reason": "a fan"})
	theirs("node.set_maintenance", nil, name, false)
	agree("node", name, opt{"maintenance": false, "maintenance_reason": nil})

	a.must(t, "allocation-create -n "+name+" --resource-class "+class+" --trait CUSTOM_OURS --wait 60")
	agree("allocation", name, opt{"state": "active", "node_uuid": show("node", name)["uuid"]})
	theirs("allocation.delete", nil, name)
	gone("allocation", name)
	theirs("port.delete", nil, port)
	gone("port", port)
	a.must(t, "node-delete "+name)
	gone("node", name)
	a.must(t, "chassis-delete "+rack)
	gone("chassis", rack)
}
