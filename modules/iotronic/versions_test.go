package iotronic

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/openstacktest"
)

// versioned is an attribute or a state that came with a version of Ironic's API, as a task asks for it and as a refusal
// names it.
type versioned struct {
	in    args
	named string // "" for what options are called
	since int
}

// everyVersion is what a task can ask for that the first version did not have.
var everyVersion = []versioned{
	{args{"network_interface": "noop"}, "", 20},
	{args{"resource_class": "versions"}, "", 21},
	{args{"power": "soft_off"}, "power (soft power off)", 27},
	{args{"boot_interface": "fake"}, "", 31},
	{args{"traits": []string{"CUSTOM_V"}}, "", 37},
	{args{"bios_interface": "fake"}, "", 40},
	{args{"automated_clean": false}, "", 47},
	{args{"owner": "o"}, "", 50},
	{args{"description": "of the matrix"}, "", 51},
	{args{"retired": true, "retired_reason": "old"}, "retired (since 1.61), retired_reason", 61},
	{args{"lessee": "l"}, "", 65},
	{args{"network_data": map[string]any{"links": []any{}, "networks": []any{}, "services": []any{}}}, "", 66},
	{args{"shard": "s"}, "", 82},
	{args{"parent_node": "PARENT"}, "", 83},
	{args{"firmware_interface": "fake"}, "", 86},
	{args{"disable_power_off": true}, "", 95},
	{args{"instance_name": "web"}, "", 104},
}

// everyPortVersion is the same of a port.
var everyPortVersion = []versioned{
	{args{"pxe_enabled": false}, "", 19},
	{args{"local_link_connection": map[string]any{"switch_id": "0a:1b:2c:3d:4e:5f", "port_id": "1"}}, "", 19},
	{args{"physical_network": "p"}, "", 34},
	{args{"is_smartnic": true, "local_link_connection": map[string]any{"port_id": "rep0-0", "hostname": "h"}}, "is_smartnic", 53},
	{args{"name": "eth0"}, "", 88},
	{args{"description": "d"}, "", 97},
	{args{"vendor": "v"}, "", 100},
	{args{"category": "c"}, "", 101},
}

// option is what the refusal names.
func (v versioned) option() string {
	for name := range v.in {
		if v.named == "" {
			return name
		}
	}
	return v.named
}

// testedVersions are the first, two of old releases, the last of Debian's Ironic, and that of the newest.
func testedVersions() []int {
	all := []int{1, 35, 43, 82}
	if openstacktest.NewestIronic() {
		all = append(all, 115)
	}
	return all
}

// TestVersions: in every version of the API a machine is enrolled, led, read and removed, and what the version does not
// have is refused by name, in check mode too.
func TestVersions(t *testing.T) {
	t.Parallel()
	i := openstacktest.StartIronic(t)
	for _, minor := range testedVersions() {
		t.Run(fmt.Sprintf("1.%d", minor), func(t *testing.T) {
			t.Parallel()
			a := before(t, i.URL, nil)
			uuid, parent := fmt.Sprintf("00000000-0000-4000-8000-%012d", minor), fmt.Sprintf("00000000-0000-4000-9000-%012d", minor)
			version := args{"api_version": fmt.Sprintf("1.%d", minor)}
			n := version.With(args{"uuid": uuid})
			mac := fmt.Sprintf("52:54:00:82:00:%02x", minor)
			enrol := n.With(args{"driver": openstacktest.IronicDriver, "driver_info": map[string]any{"a": 1}, "properties": map[string]any{"cpus": 4}, "extra": map[string]any{"rack": "b7"},
				"ports": []any{args{"address": mac, "extra": map[string]any{"slot": 1}}}})
			if minor < 5 {
				a.Fails(t, nodeName, enrol.With(args{"name": "too-new"}), "names ... 1.5")
			} else {
				enrol = enrol.With(args{"name": fmt.Sprintf("version-%d", minor)})
			}
			a.does(t, enrol)
			a.OK(t, true, nodeName, args{"uuid": parent, "driver": openstacktest.IronicDriver, "owner": "o"})

			reads := func(in args, want bool) {
				t.Helper()
				nodes := a.OK(t, false, "iotronic_node_info", version.With(in))["nodes"].([]any)
				if got := slices.ContainsFunc(nodes, func(n any) bool { return n.(map[string]any)["uuid"] == uuid }); got != want {
					t.Errorf("%v has the node: %v", in, got)
				}
			}
			reads(args{}, true)
			reads(args{"uuid": uuid}, true)
			reads(args{"maintenance": true}, false)
			ports := a.OK(t, false, "iotronic_port_info", version.With(args{"address": mac}))["ports"].([]any)
			if len(ports) != 1 || ports[0].(map[string]any)["extra"].(map[string]any)["slot"] != 1.0 {
				t.Errorf("%v", ports)
			}

			a.does(t, n.With(args{"power": "on"}))
			a.does(t, n.With(args{"power": "off"}))
			a.OK(t, true, nodeName, n.With(args{"power": "rebooted"}))
			a.does(t, n.With(args{"maintenance": true, "maintenance_reason": "a fan"}))
			reads(args{"maintenance": true}, true)
			a.does(t, n.With(args{"maintenance": false}))
			a.does(t, n.With(args{"extra": map[string]any{"rack": "b8"}, "instance_info": map[string]any{"image_source": "http://x", "image_type": "whole-disk"}}))

			lacks := func(module string, in args, one versioned) {
				t.Helper()
				a.Fails(t, module, in, fmt.Sprintf("API version 1.%d does not have ", minor), fmt.Sprintf("%s (since 1.%d)", one.option(), one.since), "later API version")
			}
			for _, one := range everyPortVersion {
				in := version.With(args{"address": mac}).With(one.in)
				if minor < one.since {
					lacks("iotronic_port", in, one)
				} else {
					a.Task(t, "iotronic_port", in) // see below for what is the same already
					a.OK(t, false, "iotronic_port", in)
				}
			}
			for _, one := range everyVersion {
				in := n.With(one.in)
				if in["parent_node"] != nil {
					in["parent_node"] = parent
				}
				if minor < one.since {
					lacks(nodeName, in, one)
				} else {
					if out := a.Task(t, nodeName, in); out["failed"] == true {
						t.Errorf("%v: %s", one.in, out.Msg())
					}
					a.OK(t, false, nodeName, in)
				}
			}
			if minor >= 83 {
				reads(args{}, false)
				reads(args{"include_children": true}, true)
				reads(args{"parent_node": parent}, true)
				a.OK(t, true, nodeName, n.With(args{"power": "on"}))
				a.Fails(t, nodeName, n.With(args{"power": "off"}), "power: ... not power ... off; ... disable_power_off: false ... power: rebooted")
				a.OK(t, true, nodeName, n.With(args{"parent_node": "", "owner": "p"}))
				if out := a.Task(t, nodeName, n.With(args{"parent_node": parent})); !strings.HasSuffix(out.Msg(), "Ironic wants the parent to have the same owner as the node") {
					t.Errorf("%s", out.Msg())
				}
				a.does(t, n.With(args{"parent_node": parent, "owner": "o"}))
				a.does(t, n.With(args{"parent_node": "", "disable_power_off": false, "instance_name": ""}))
			}
			if minor >= 61 {
				a.does(t, n.With(args{"retired": false, "retired_reason": ""}))
			}

			// A node is enrolled from 1.11 on; before that it is available from the beginning.
			walk := []args{{"provision_state": "active"}, {"provision_state": "available", "undeploy": true}}
			if minor >= 11 {
				walk = slices.Concat([]args{{"provision_state": "manageable"}, {"provision_state": "inspected"}, {"provision_state": "available"}}, walk, []args{{"provision_state": "manageable"}})
			} else {
				a.Fails(t, nodeName, n.With(args{"provision_state": "manageable"}), "(since 1.4)")
			}
			for _, to := range walk {
				if minor > 1 {
					a.does(t, n.With(to))
					continue
				}
				a.OK(t, true, nodeName, n.With(to).With(checking)) // which calls available by its name, where the first version has null
				a.OK(t, true, nodeName, n.With(to))
				a.OK(t, false, nodeName, n.With(to))
			}
			a.does(t, n.With(args{"state": "absent"}))
			reads(args{"uuid": uuid}, false)
		})
	}
}
