package iotronic

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
)

// bodies keeps what is sent to a path, which it lets pass.
func (a *world) bodies(path string) *[]string {
	found := new([]string)
	a.Answer = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, path) {
			text, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(text)))
			*found = append(*found, string(text))
		}
		return false
	}
	return found
}

// TestTraits: traits are added, or exact.
func TestTraits(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	n := args{"name": "with-traits"}
	is := func(node map[string]any, want ...any) {
		t.Helper()
		if d := cmp.Diff(want, node["traits"]); d != "" {
			t.Error(d)
		}
	}
	is(a.does(t, n.With(args{"driver": openstacktest.IronicDriver, "traits": []string{"HW_CPU_X86_VMX", "CUSTOM_GPU"}})), "CUSTOM_GPU", "HW_CPU_X86_VMX")
	a.OK(t, false, nodeName, n.With(args{"traits": "CUSTOM_GPU"}))
	is(a.does(t, n.With(args{"traits": "CUSTOM_A", "provision_state": "available"})), "CUSTOM_A", "CUSTOM_GPU", "HW_CPU_X86_VMX")
	is(a.does(t, n.With(args{"traits": []string{"CUSTOM_A", "CUSTOM_B"}, "traits_mode": "replace"})), "CUSTOM_A", "CUSTOM_B")
	a.OK(t, false, nodeName, n.With(args{"traits": []string{}}))
	is(a.does(t, n.With(args{"traits": []string{}, "traits_mode": "replace"})), []any{}...)
	a.Fails(t, nodeName, n.With(args{"traits": "custom_a"}), `traits: "custom_a" ... 255 capital letters, digits and underscores`)
	a.Fails(t, nodeName, n.With(args{"traits": "CUSTOM_A", "api_version": "1.36"}), "API version 1.36 ... traits (since 1.37)")
	_, town := newIotronic(t, iotronictest.Nodes2017)
	town.Fails(t, nodeName, args{"name": "pi", "traits": "CUSTOM_A", "boot_device": "pxe", "console": true}, "no traits, boot_device, console")
	a.does(t, n.With(args{"state": "absent"}))
}

// TestBootAndConsole: what the hardware boots from, and its console. The fake hardware boots by pxe only, and forgets.
func TestBootAndConsole(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	n := args{"name": "boots", "driver": openstacktest.IronicDriver}
	sent := a.bodies("/boot_device")
	a.does(t, n.With(args{"boot_device": "pxe", "boot_device_persistent": false}))
	a.OK(t, false, nodeName, n.With(args{"boot_device": "pxe"}))
	forgets := n.With(args{"boot_device": "pxe", "boot_device_persistent": true})
	asPredicted(t, a.OK(t, true, nodeName, forgets.With(checking)), a.OK(t, true, nodeName, forgets.With(diffing)))
	if d := cmp.Diff([]string{`{"boot_device":"pxe","persistent":false}`, `{"boot_device":"pxe","persistent":true}`}, *sent); d != "" {
		t.Error(d)
	}
	a.Fails(t, nodeName, n.With(args{"boot_device": "disk"}), `boot_device: ... "disk" ... pxe`)
	a.Fails(t, nodeName, n.With(args{"boot_mode": "uefi", "api_version": "1.75"}), "API version 1.75 ... boot_mode (since 1.76)")
	if got := a.does(t, n.With(args{"console": true})); got["console_enabled"] != true {
		t.Errorf("%v", got)
	}
	if found := a.OK(t, false, "iotronic_node_info", args{"name": "boots", "console": true, "inventory": true})["nodes"].([]any)[0].(map[string]any); found["console"].(map[string]any)["console_enabled"] != true || found["inventory"] != nil {
		t.Errorf("%v", found)
	}
	a.does(t, n.With(args{"console": false}))
	a.does(t, n.With(args{"state": "absent"}))
}

// TestBootOfLockedNode: what Ironic does to a node is waited for before the hardware is asked, unless the task does not
// wait. A lock that comes back each time is of the question itself.
func TestBootOfLockedNode(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	n := args{"name": "boots-locked", "max_retries": 1}
	a.OK(t, true, nodeName, n.With(args{"driver": openstacktest.IronicDriver}))
	locks, asked := 2, 0 // each request is sent twice
	a.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/boot_device") {
			return false
		}
		asked++
		if asked > locks {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, `{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"Node x is locked by host c1, please retry after the current operation is completed.\"}"}`)
		return true
	}
	a.OK(t, false, nodeName, n.With(args{"boot_device": "pxe"}))
	locks = 10
	for wait, want := range map[bool]int{true: 6, false: 2} {
		asked = 0
		out := a.Task(t, nodeName, n.With(args{"boot_device": "pxe", "wait": wait}))
		if out["failed"] != true || !strings.HasPrefix(out.Msg(), "boot_device: ") || asked != want {
			t.Errorf("asked %d times, not %d: %s", asked, want, out.Msg())
		}
	}
	a.Answer = nil
	a.OK(t, true, nodeName, n.With(args{"state": "absent"}))
}

// TestInspectionAndRescue: an inspection happens once, and a rescue leads there and back.
func TestInspectionAndRescue(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	n := args{"name": "looked-at", "driver": openstacktest.IronicDriver}
	if got := a.does(t, n.With(args{"provision_state": "inspected"})); got["provision_state"] != "manageable" || got["inspection_finished_at"] == nil {
		t.Errorf("%v", got)
	}
	a.OK(t, true, nodeName, n.With(args{"provision_state": "available"}))
	if got := a.OK(t, false, nodeName, n.With(args{"provision_state": "inspected"})).Dict("node"); got["provision_state"] != "available" {
		t.Errorf("%v", got)
	}
	a.Fails(t, nodeName, n.With(args{"provision_state": "rescue"}), "only a deployed node ... rescued")

	const secret = "hush-hush-hush"
	drive := map[string]any{"meta_data": map[string]any{"name": "looked-at"}, "user_data": secret}
	sent := a.bodies("/states/provision")
	deploy := n.With(args{"provision_state": "active", "config_drive": drive, "instance_info": map[string]any{"image_source": "http://x/y"}})
	a.Fails(t, nodeName, deploy.With(args{"api_version": "1.55"}), "API version 1.55 ... config_drive as a dict (since 1.56)")
	a.Fails(t, nodeName, deploy.With(args{"config_drive": "/nowhere"}), `config_drive: "/nowhere" ... file ... config drive`)
	a.Fails(t, nodeName, deploy.With(args{"config_drive": ""}), "config_drive: ... empty")
	a.Fails(t, nodeName, deploy.With(args{"config_drive": map[string]any{"metadata": map[string]any{}}}), `config_drive: ... "metadata"`)
	if _, text := run(t, nodeName, a.Connection.With(deploy).With(args{"_ansible_diff": true, "_ansible_verbosity": 3}), nil); strings.Contains(text, secret) || !strings.Contains(text, `"changed":true`) && !strings.Contains(text, `"changed": true`) {
		t.Error(text)
	}
	if d := cmp.Diff([]string{`{"configdrive":{"meta_data":{"name":"looked-at"},"user_data":"` + secret + `"},"target":"active"}`}, *sent); d != "" {
		t.Error(d)
	}
	a.OK(t, false, nodeName, deploy) // what is deployed stays
	a.Fails(t, nodeName, n.With(args{"provision_state": "rescue"}), "rescue ... rescue_password")
	a.does(t, n.With(args{"provision_state": "rescue", "rescue_password": secret}))
	a.does(t, n.With(args{"provision_state": "active"}))
	a.does(t, n.With(args{"state": "absent", "undeploy": true}))

	// What runs on a node that Ironic did not deploy is taken over.
	*sent = nil
	adopt := args{"name": "taken-over", "driver": openstacktest.IronicDriver, "provision_state": "active", "adopt": true, "instance_info": map[string]any{"image_source": "http://x/y", "image_type": "whole-disk"}}
	a.does(t, adopt)
	if d := cmp.Diff([]string{`{"target":"manage"}`, `{"target":"adopt"}`}, *sent); d != "" {
		t.Error(d)
	}
	// The operating system may end by itself.
	power := a.bodies("/states/power")
	a.does(t, args{"name": "taken-over", "power": "on"})
	a.does(t, args{"name": "taken-over", "power": "soft_off"})
	a.OK(t, false, nodeName, args{"name": "taken-over", "power": "off"})
	a.OK(t, true, nodeName, args{"name": "taken-over", "power": "soft_rebooted"})
	if d := cmp.Diff([]string{`{"target":"power on"}`, `{"target":"soft power off"}`, `{"target":"soft rebooting"}`}, *power); d != "" {
		t.Error(d)
	}
	a.Fails(t, nodeName, args{"name": "taken-over", "power": "soft_off", "api_version": "1.26"}, "API version 1.26 ... power (soft power off) (since 1.27)")
	a.Fails(t, nodeName, args{"name": "taken-over", "disable_power_off": true, "parent_node": "taken-over", "api_version": "1.82"}, "API version 1.82 ... disable_power_off (since 1.95), parent_node (since 1.83)")
	a.does(t, args{"name": "taken-over", "state": "absent", "undeploy": true})
}

// TestBootModeOfNone: hardware that cannot change how it boots is an error that calls the node and the value as the
// task does.
func TestBootModeOfNone(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	n := args{"name": "boots-one-way", "driver": openstacktest.IronicDriver}
	a.does(t, n)
	for option, c := range map[string]struct {
		value any
		want  string
	}{
		"boot_mode":   {"uefi", `boot_mode: the node "boots-one-way" did not get to uefi: Failed to change boot mode to 'uefi`},
		"secure_boot": {true, `secure_boot: the node "boots-one-way" did not get to true: Failed to change secure_boot state to 'True'`},
	} {
		if out := a.Task(t, nodeName, n.With(args{option: c.value})); out["failed"] != true || !strings.HasPrefix(out.Msg(), c.want) {
			t.Errorf("%s: %s", option, out.Msg())
		}
	}
	a.OK(t, true, nodeName, n.With(args{"state": "absent"}))
}
