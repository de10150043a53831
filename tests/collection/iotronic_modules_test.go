package collection_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
)

// nodeLife is the life of a node of Ironic, beside Craton. The connection of each comes from its group; one from that
// of all; and where a task becomes somebody it is copied.
const nodeLife = `
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/craton.fleet.all: {timeout: 30}
    group/craton.fleet.iotronic: {url: "{{ ironic }}", max_retries: 20}
    group/craton.fleet.craton: {url: "{{ fleet }}"}
  vars: {secret: "{{ lookup('env', 'A_SECRET') }}"}
  tasks:
    - craton.fleet.craton_cloud: {name: beside}
      register: beside
    - craton.fleet.iotronic_node: &node
        name: "{{ name }}"
        driver: fake-hardware
        driver_info: {address: 192.0.2.7, ipmi_password: "{{ secret }}"}
        extra: {big: 12345678901234567890, template: !unsafe "{{ 40 + 2 }}", day: 2024-01-02}
        ports: [{address: "{{ mac }}", extra: {slot: 2}}]
        resource_class: "class-{{ name }}"
        provision_state: available
        power: on
      check_mode: true
      diff: true
      register: check
    - craton.fleet.iotronic_node: *node
      diff: true
      register: create
    - craton.fleet.iotronic_node: *node
      register: again
    - craton.fleet.iotronic_node: *node
      become: true
      become_method: craton.test.plain
      register: copied
    - craton.fleet.iotronic_chassis: &rack {description: "rack {{ name }}", extra: {room: 2}}
      register: rack
    - craton.fleet.iotronic_chassis: *rack
      register: racked
    - craton.fleet.iotronic_chassis_info: {uuid: "{{ rack.chassis.uuid }}", fields: [extra]}
      register: racks
    - craton.fleet.iotronic_allocation: &wanted {name: "for-{{ name }}", resource_class: "class-{{ name }}", candidate_nodes: "{{ name }}", wait_timeout: 60}
      check_mode: true
      diff: true
      register: allocate_check
    - craton.fleet.iotronic_allocation: *wanted
      diff: true
      register: allocate
    - craton.fleet.iotronic_allocation: *wanted
      register: allocated
    - craton.fleet.iotronic_allocation_info: {node: "{{ name }}", fields: [name, state]}
      register: allocations
    - craton.fleet.iotronic_allocation: {name: "for-{{ name }}", resource_class: other}
      register: reclassed
      ignore_errors: true
    - craton.fleet.iotronic_allocation: {uuid: "{{ allocate.allocation.uuid }}", state: absent}
      register: released
    - craton.fleet.iotronic_chassis: {description: "rack {{ name }}", state: absent}
      register: unracked
    - craton.fleet.iotronic_node: &clean {name: "{{ name }}", provision_state: cleaned, clean_steps: [{interface: bios, step: apply_configuration, args: {settings: [{name: boot, value: uefi}]}}]}
      register: clean
    - craton.fleet.iotronic_node: *clean
      check_mode: true
      register: clean_again
    - craton.fleet.iotronic_node: name={{ name }} maintenance=yes maintenance_reason=fan power=off
      become: true
      become_method: craton.test.plain
      register: repair
    - craton.fleet.iotronic_node: {name: "{{ name }}", maintenance: yes, power: off}
      register: repaired
    - craton.fleet.iotronic_port: &port {address: "{{ mac | upper }}", pxe_enabled: no, local_link_connection: {switch_id: "0a:1b:2c:3d:4e:5f", port_id: "Eth3/1"}}
      check_mode: true
      diff: true
      register: replug_check
    - craton.fleet.iotronic_port: *port
      diff: true
      register: replug
    - craton.fleet.iotronic_port: *port
      register: replugged
    - craton.fleet.iotronic_port_info: {node: "{{ name }}"}
      register: plugs
    - craton.fleet.iotronic_node_info: {name: ["{{ name }}", nobody], fields: [name, power_state, maintenance_reason]}
      register: info
      check_mode: true
    - craton.fleet.iotronic_node: {name: "{{ name }}", drvier: x, driver_info: {ipmi_password: "{{ secret }}"}}
      register: wrong
      ignore_errors: true
    - craton.fleet.iotronic_node: {name: "{{ name }}", state: absent}
      check_mode: true
      register: removing
    - craton.fleet.iotronic_node: {name: "{{ name }}", state: absent}
      register: removed
    - craton.fleet.iotronic_node: {name: "{{ name }}", state: absent}
      register: gone
    - ansible.builtin.debug:
        msg: "seen results {{ {'beside': beside, 'check': check, 'create': create, 'again': again, 'copied': copied, 'repair': repair, 'repaired': repaired,
          'rack': rack, 'racked': racked, 'racks': racks, 'allocate_check': allocate_check, 'allocate': allocate, 'allocated': allocated, 'allocations': allocations,
          'clean': clean, 'clean_again': clean_again, 'reclassed': reclassed, 'released': released, 'unracked': unracked,
          'replug_check': replug_check, 'replug': replug, 'replugged': replugged, 'plugs': plugs,
          'info': info, 'wrong': wrong, 'removing': removing, 'removed': removed, 'gone': gone} | to_json }}"
- hosts: localhost
  gather_facts: false
  module_defaults: {group/craton.fleet.craton: {url: "{{ fleet }}"}}
  tasks:
    - craton.fleet.iotronic_driver_info:
      register: other
      ignore_errors: true
    - craton.fleet.iotronic_driver_info:
      environment: {IRONIC_URL: "{{ ironic }}"}
      register: drivers
    - ansible.builtin.debug: {msg: "seen groups {{ [other.msg, drivers.drivers[0].name] | to_json }}"}
`

// TestIotronicModules: the modules of Ironic, on the controller and copied, with all that Ansible asks of a module.
func TestIotronicModules(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		metal := openstacktest.StartIronic(t)
		h.write(t, plainBecomeFile, plainBecome)
		name := "life-" + strings.ReplaceAll(h.release, ".", "-")
		mac := fmt.Sprintf("52:54:00:40:00:%02x", len(h.release)+int(h.release[len(h.release)-1])) // another for each release
		out := h.play(t, nodeLife, "-e", "ironic="+metal.URL, "-e", "name="+name, "-e", "mac="+mac, "-vvv")
		if strings.Contains(out, "hunter2hunter2") {
			t.Error("a secret is shown")
		}
		if !strings.Contains(out, " as iotronic_node") || !strings.Contains(out, "plugins/modules/"+dirHere+"/iotronic_node") {
			t.Errorf("not run in both ways:\n%s", out)
		}
		var got map[string]map[string]any
		seen(t, out, "results", &got)
		for task, want := range map[string]bool{"beside": true, "check": true, "create": true, "again": false, "copied": false, "repair": true, "repaired": false,
			"replug_check": true, "replug": true, "replugged": false, "plugs": false,
			"rack": true, "racked": false, "racks": false, "allocate_check": true, "allocate": true, "allocated": false, "allocations": false, "clean": true, "clean_again": true, "reclassed": false, "released": true, "unracked": true,
			"info": false, "wrong": false, "removing": true, "removed": true, "gone": false} {
			if got[task]["changed"] != want || (got[task]["failed"] == true) != (task == "wrong" || task == "reclassed") {
				t.Errorf("%s: %v", task, got[task])
			}
		}
		node := func(task string) map[string]any { n, _ := got[task]["node"].(map[string]any); return n }
		if n := node("create"); n["provision_state"] != "available" || n["power_state"] != "power on" || n["name"] != name {
			t.Errorf("created %v", n)
		}
		if extra, _ := node("create")["extra"].(map[string]any); extra["template"] != "{{ 40 + 2 }}" || extra["day"] != "2024-01-02" || !strings.Contains(out, "12345678901234567890") {
			t.Errorf("extra: %v", extra)
		}
		if diff := cmp.Diff(got["check"]["diff"], got["create"]["diff"]); diff != "" || got["check"]["diff"] == nil {
			t.Errorf("check mode shows another diff: %s", diff)
		}
		if diff := cmp.Diff(node("again"), node("copied")); diff != "" {
			t.Errorf("a copied module shows another node: %s", diff)
		}
		if n := node("repaired"); n["power_state"] != "power off" || n["maintenance_reason"] != "fan" {
			t.Errorf("repaired %v", n)
		}
		plugs, _ := got["plugs"]["ports"].([]any)
		if diff := cmp.Diff(got["replug_check"]["diff"], got["replug"]["diff"]); diff != "" || len(plugs) != 1 || plugs[0].(map[string]any)["address"] != mac || plugs[0].(map[string]any)["pxe_enabled"] != false {
			t.Errorf("ports %v: %s", plugs, diff)
		}
		given, _ := got["allocated"]["allocation"].(map[string]any)
		want := []any{map[string]any{"uuid": given["uuid"], "name": "for-" + name, "state": "active"}}
		if diff := cmp.Diff(any(want), got["allocations"]["allocations"]); diff != "" || given["node_uuid"] != node("create")["uuid"] {
			t.Errorf("allocations: %v %s", given, diff)
		}
		if diff := cmp.Diff(got["allocate_check"]["diff"], got["allocate"]["diff"]); diff != "" {
			t.Errorf("check mode shows another diff of an allocation: %s", diff)
		}
		if racks := fmt.Sprint(got["racks"]["chassis"]); !strings.Contains(racks, "room:2") {
			t.Errorf("racks %s", racks)
		}
		want = []any{map[string]any{"uuid": node("create")["uuid"], "name": name, "power_state": "power off", "maintenance_reason": "fan"}}
		if diff := cmp.Diff(any(want), got["info"]["nodes"]); diff != "" {
			t.Error(diff)
		}
		if msg := fmt.Sprint(got["wrong"]["msg"]); !strings.Contains(msg, "Did you mean driver instead of drvier?") {
			t.Errorf("wrong: %s", msg)
		}
		if diff := cmp.Diff(map[string]any{}, node("gone")); diff != "" || node("removed")["name"] != name {
			t.Errorf("removed %v, gone %v", node("removed"), node("gone"))
		}
		var groups [2]string
		seen(t, out, "groups", &groups)
		if !strings.Contains(groups[0], "no Ironic or Iotronic is configured") || groups[1] != openstacktest.IronicDriver {
			t.Errorf("Craton's group, and the environment: %q", groups)
		}
	})
}

// TestKeystoneForAll: one way to sign in, for Craton and a real Ironic behind one real Keystone, set once for all
// modules.
func TestKeystoneForAll(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		metal, k := openstacktest.StartIronicBehindKeystone(t)
		craton, err := program()
		if err != nil {
			t.Fatal(err)
		}
		database := "sqlite:" + filepath.Join(h.dir, "server.db")
		h.run(t, craton, "server", "bootstrap", "--auth", "keystone", "--database", database)
		fleet := k.Service(t, "fleet_management", h.serveWith(t, "--database", database, "--auth", "keystone", "--keystone-url", k.URL))
		admin := k.AdminUser(t)
		name := "keystone-" + strings.ReplaceAll(h.release, ".", "-")
		playbook := h.write(t, "all.yml", `
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/craton.fleet.all: {auth_url: `+k.URL+`, username: `+admin.Name+`, password: "{{ lookup('env', 'ADMIN') }}", project_name: `+k.AdminProject(t).Name+`}
    group/craton.fleet.craton: {os_region_name: `+fleet+`}
    group/craton.fleet.iotronic: {os_region_name: `+k.Service(t, "baremetal", metal.URL)+`, max_retries: 20}
  tasks:
    - craton.fleet.craton_cloud: {name: east}
    - craton.fleet.iotronic_node: {name: "`+name+`", driver: fake-hardware}
      loop: [1, 2]
    - craton.fleet.iotronic_node_info: {name: "`+name+`", detail: false}
      register: nodes
    - craton.fleet.craton_cloud_info:
      register: clouds
    - craton.fleet.iotronic_node: {name: "`+name+`", state: absent}
    - debug: {msg: "seen found {{ [clouds.clouds[0].name, nodes.nodes[0].name] | to_json }}"}
`)
		out := h.runWith(t, []string{"ADMIN=" + admin.Password}, "ansible-playbook", "-i", "localhost,", "-c", "local", playbook, "-vvv")
		var found [2]string
		if seen(t, out, "found", &found); found != [2]string{"east", name} || !strings.Contains(out, "changed=3") {
			t.Errorf("found %q:\n%s", found, out)
		}
	})
}

// TestIotronicExamples: the playbooks of examples/iotronic; each that changes something changes nothing the second
// time.
func TestIotronicExamples(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.onlyNewest(t)
		examples := filepath.Join(root, "examples", "iotronic")
		args := []string{"-i", "localhost,", "-e", "driver=" + openstacktest.IronicDriver}
		for _, name := range []string{"enroll.yml", "repair.yml", "remove.yml"} {
			args = append(args, filepath.Join(examples, name), filepath.Join(examples, name))
		}
		metal := openstacktest.NewIronic(t) // the names are those of other examples
		out := h.runWith(t, []string{"IRONIC_URL=" + metal.URL, "IRONIC_MAX_RETRIES=20", "IPMI_PASSWORD=hunter2hunter2"}, "ansible-playbook", args...)
		plays := strings.Split(out, "\nPLAY [")[1:]
		if len(plays) != 6 || strings.Contains(out, "hunter2") {
			t.Fatalf("%d plays, or a secret:\n%s", len(plays), out)
		}
		for i, play := range plays {
			if again, changed := i%2 == 1, strings.Contains(play, "\nchanged: "); changed == again {
				t.Errorf("a second time %v:\n%s", again, play)
			}
		}
		town := iotronictest.Start(t, iotronictest.Boards2019)
		for i, status := range []string{"online", "offline"} {
			fleet := town.Add("fleets", iotronictest.Object{"name": "fleet-of-" + status})
			town.Add("boards", iotronictest.Object{"name": fmt.Sprintf("pi-%d", i), "code": status, "status": status, "fleet": fleet})
		}
		out = h.runWith(t, []string{"IOTRONIC_URL=" + town.URL, "OS_AUTH_TOKEN=" + iotronictest.Admin.Token}, "ansible-playbook", "-i", "localhost,", filepath.Join(examples, "boards.yml"))
		if !strings.Contains(out, `"msg": "fleet-of-offline: pi-1"`) || strings.Contains(out, "fleet-of-online:") || strings.Contains(out, "\nchanged: ") {
			t.Errorf("boards.yml:\n%s", out)
		}
	})
}
