package iotronic

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/craton-fleet/craton/internal/openstacktest"
)

// machine is one with Redfish, and what it was seen to be asked for.
type machine struct {
	*openstacktest.Redfish
	seen int
}

// whatever stands for orders before those that count.
const whatever = "..."

// is compares what the machine says of itself, past Ironic, and what it was asked for since the last look.
func (m *machine) is(t *testing.T, power, device, enabled, mode string, orders ...string) {
	t.Helper()
	state, err := m.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(openstacktest.RedfishState{Power: power, Device: device, Enabled: enabled, BootMode: mode}, state); d != "" {
		t.Errorf("the machine (-want +got):\n%s", d)
	}
	all, err := m.Orders()
	if err != nil {
		t.Fatal(err)
	}
	got := all[m.seen:]
	m.seen = len(all)
	for i := range got {
		got[i] = strings.Replace(got[i], `, "HttpBootUri": null`, "", 1) // which newer ones say too
	}
	if len(orders) > 0 && orders[0] == whatever {
		orders = orders[1:]
		got = got[max(0, len(got)-len(orders)):]
	}
	if d := cmp.Diff(orders, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("the machine was asked for (-want +got):\n%s", d)
	}
}

func reset(kind string) string {
	return `POST /Actions/ComputerSystem.Reset {"ResetType": "` + kind + `"}`
}

func boot(what string) string { return `PATCH  {"Boot": {` + what + `}}` }

// TestRedfish: a machine that is managed by Redfish, from its enrolment to its removal: after each step the machine
// itself is asked.
func TestRedfish(t *testing.T) {
	t.Parallel()
	m := &machine{Redfish: openstacktest.NewRedfish(t)}
	i := openstacktest.NewIronic(t, openstacktest.IronicRedfish())
	a, c, sdk, other := before(t, i.URL, nil), clientOf(t, i, 20), i.SDK(t), i.IronicClient(t)
	const secret = "not-its-password"
	n := args{"name": "machine", "driver": "redfish"}
	by := func(password string) map[string]any {
		return map[string]any{"redfish_address": m.URL, "redfish_system_id": m.System, "redfish_username": m.User, "redfish_password": password}
	}
	does := func(in args) map[string]any {
		t.Helper()
		free(t, c, "machine")
		return a.does(t, n.With(in))
	}
	boots := func(device string, persistent bool) { // as python-ironicclient reads it
		t.Helper()
		var is map[string]any
		if err := other.Call(&is, "node.get_boot_device", nil, "machine"); err != nil || is["boot_device"] != device || is["persistent"] != persistent {
			t.Errorf("it boots from %v (%v)", is, err)
		}
	}
	fails := func(in args, words string) {
		t.Helper()
		if out := a.Task(t, nodeName, n.With(in)); out["failed"] != true || !strings.Contains(out.Msg(), words) || strings.Contains(out.Msg(), secret) {
			t.Errorf("%v: %s", in, out.Msg())
		}
	}

	if !openstacktest.NewestIronic() { // which tries for half a minute
		nowhere := by(secret)
		nowhere["redfish_address"] = "http://127.0.0.1:1"
		fails(args{"driver_info": nowhere, "provision_state": "manageable"}, "Unable to connect to http://127.0.0.1:1")
	}
	fails(args{"driver_info": by(secret), "provision_state": "manageable"}, "Incorrect username or password")
	a.OK(t, true, nodeName, n.With(args{"driver_info": by(m.Password), "provision_state": "manageable", "update_password": "always"}))
	a.OK(t, false, nodeName, n.With(args{"driver_info": by(m.Password), "provision_state": "manageable", "power": "off", "boot_mode": "uefi", "secure_boot": false, "boot_device": "disk", "boot_device_persistent": true}))
	m.is(t, "Off", "Hdd", "Continuous", "UEFI")

	does(args{"power": "on"})
	m.is(t, "On", "Hdd", "Continuous", "UEFI", reset("On"))
	once := args{"boot_device": "pxe", "boot_device_persistent": false}
	does(once)
	m.is(t, "On", "Pxe", "Once", "UEFI", boot(`"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"`))
	a.OK(t, true, nodeName, n.With(args{"power": "rebooted"}))
	m.is(t, "On", "None", "Disabled", "UEFI", reset("ForceOff"), reset("On"))
	does(once) // for it has booted
	m.is(t, "On", "Pxe", "Once", "UEFI", boot(`"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"`))
	boots("pxe", false)
	does(args{"boot_device": "pxe", "boot_device_persistent": true})
	boots("pxe", true)
	m.is(t, "On", "Pxe", "Continuous", "UEFI", boot(`"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Continuous"`))
	a.OK(t, true, nodeName, n.With(args{"power": "soft_rebooted"}))
	m.is(t, "On", "Pxe", "Continuous", "UEFI", reset("GracefulRestart"))
	does(args{"power": "soft_off"})
	m.is(t, "Off", "Pxe", "Continuous", "UEFI", reset("GracefulShutdown"))
	free(t, c, "machine")
	for _, err := range []error{ // openstacksdk does it, and a task that says the same changes nothing
		sdk.Call(nil, "set_node_boot_device", nil, "machine", "cdrom", true), sdk.Call(nil, "set_node_power_state", opt{"wait": true}, "machine", "power on"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	a.OK(t, false, nodeName, n.With(args{"boot_device": "cdrom", "boot_device_persistent": true, "power": "on"}))
	m.is(t, "On", "Cd", "Continuous", "UEFI", boot(`"BootSourceOverrideTarget": "Cd"`), reset("On"))
	free(t, c, "machine")
	if err := other.Call(nil, "node.set_boot_device", opt{"persistent": true}, "machine", "disk"); err != nil {
		t.Fatal(err)
	}
	a.OK(t, false, nodeName, n.With(args{"boot_device": "disk", "boot_device_persistent": true}))
	m.is(t, "On", "Hdd", "Continuous", "UEFI", boot(`"BootSourceOverrideTarget": "Hdd"`))
	does(args{"boot_device": "pxe", "boot_device_persistent": true, "power": "off"})
	m.is(t, "Off", "Pxe", "Continuous", "UEFI", boot(`"BootSourceOverrideTarget": "Pxe"`), reset("ForceOff"))
	a.Fails(t, nodeName, n.With(args{"boot_device": "floppy"}), `boot_device: ... "floppy" ... bios, cdrom, disk, pxe`)
	does(args{"boot_mode": "bios"})
	m.is(t, "Off", "Pxe", "Continuous", "Legacy", boot(`"BootSourceOverrideMode": "Legacy"`))
	does(args{"boot_mode": "uefi", "secure_boot": true})
	m.is(t, "Off", "Pxe", "Continuous", "UEFI", boot(`"BootSourceOverrideMode": "UEFI"`), `PATCH /SecureBoot {"SecureBootEnable": true}`)
	does(args{"secure_boot": false, "boot_device": "disk"})
	m.is(t, "Off", "Hdd", "Once", "UEFI", boot(`"BootSourceOverrideTarget": "Hdd", "BootSourceOverrideEnabled": "Once"`), `PATCH /SecureBoot {"SecureBootEnable": false}`)

	// What was found out about the machine, and its interface as a port.
	inspected := n.With(args{"provision_state": "inspected"}) // nobody knows before what is found
	predicted := a.OK(t, true, nodeName, inspected.With(checking).With(diffing))
	if d := cmp.Diff(predicted["diff"], a.OK(t, true, nodeName, inspected.With(diffing))["diff"]); d != "" {
		t.Error(d)
	}
	a.OK(t, false, nodeName, inspected)
	found := a.OK(t, false, "iotronic_node_info", args{"name": "machine", "inventory": true})["nodes"].([]any)[0].(map[string]any)
	for key, want := range map[string]string{"memory_mb": "16384", "local_gb": "99", "cpu_arch": "x86_64", "capabilities": "boot_mode:uefi"} {
		if got := fmt.Sprint(found["properties"].(map[string]any)[key]); got != want {
			t.Errorf("%s: %s", key, got)
		}
	}
	if openstacktest.NewestIronic() { // earlier ones keep what an agent finds, and no more
		got := found["inventory"].(map[string]any)["inventory"].(map[string]any)["cpu"]
		if d := cmp.Diff(map[string]any{"architecture": "x86_64", "count": 8.0, "model_name": "T-800"}, got); d != "" {
			t.Error(d)
		}
	}
	a.OK(t, false, "iotronic_port", args{"address": m.MAC, "node": "machine"})
	does(args{"provision_state": "available"})

	// A task does not wait for the power, and Ironic has locked the node when the next one asks what it boots from.
	impatient := args{"max_retries": 1, "name": "machine"}
	a.OK(t, true, nodeName, impatient.With(args{"power": "on", "wait": false}))
	a.OK(t, true, nodeName, impatient.With(args{"boot_device": "disk"}))
	does(args{"power": "off"})
	m.is(t, "Off", "Hdd", "Once", "UEFI", reset("On"), boot(`"BootSourceOverrideTarget": "Hdd", "BootSourceOverrideEnabled": "Once"`), reset("ForceOff"))

	// It is deployed by an image of a CD, which it fetches itself, or cannot.
	image := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "image.iso", time.Time{}, bytes.NewReader(make([]byte, 4096)))
	}))
	defer image.Close()
	deploy := func(url string) args {
		return args{"provision_state": "active", "instance_info": map[string]any{"boot_iso": url}}
	}
	fails(deploy("http://127.0.0.1:1/image.iso"), `not on its way to "active": Deploy step deploy.deploy failed`)
	does(deploy(image.URL + "/image.iso"))
	m.is(t, "On", "Cd", "Continuous", "UEFI", whatever, boot(`"BootSourceOverrideTarget": "Cd", "BootSourceOverrideEnabled": "Continuous"`), reset("On"))
	a.OK(t, true, nodeName, n.With(args{"state": "absent", "undeploy": true}))
	all, err := m.Orders()
	if want := []string{reset("ForceOff"), "POST /VirtualMedia/Cd/Actions/VirtualMedia.EjectMedia "}; err != nil || !slices.Contains(all[m.seen:], want[0]) || !slices.Contains(all[m.seen:], want[1]) {
		t.Errorf("the machine was asked for %v (%v)", all[m.seen:], err)
	}
}
