package collection_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// placeFile is a fleet in which every kind of object can be made.
const placeFile = `
clouds:
  - name: east
    regions:
      - name: dfw
        cells: [{name: row-a}]
        hosts: [{name: db1, ip_address: 10.0.0.3, device_type: server}]
        network_devices: [{name: sw1, ip_address: 10.0.0.2, device_type: switch}]
        networks: [{name: front, cidr: 10.0.0.0/24, gateway: 10.0.0.1, netmask: 255.255.255.0}]
`

// life is what a module is asked for one after the other; each as YAML in braces.
type life struct {
	module string // without craton_
	create string
	change string
	gone   string // "" if the module removes nothing
	info   string // finds the object by the module's info module
	plural string // of the info module's result
	// object is the result that has the object; "" for the modules of many.
	object string
}

const someVariables = "variables: {a: 1, b: [x, null], c: {ü: 1.5}, day: 2024-01-02}"

var lives = []life{
	{module: "project", object: "project", plural: "projects", create: "name: retail, " + someVariables, change: "name: retail, variables: {a: 2}",
		gone: "name: retail, state: absent", info: "name: retail"},
	{module: "user", object: "user", plural: "users", create: "name: deploy", change: "name: deploy, is_admin: true, recreate: true",
		gone: "name: deploy, state: absent", info: "name: deploy"},
	{module: "cloud", object: "cloud", plural: "clouds", create: "name: west, note: n, " + someVariables, change: `name: west, note: "", variables: {a: null}`,
		gone: "name: west, state: absent", info: "name: west"},
	{module: "region", object: "region", plural: "regions", create: "name: ams, cloud: east, note: n, " + someVariables,
		change: "name: ams, variables: {a: 2}, variables_mode: replace", gone: "name: ams, cloud: east, state: absent", info: "name: ams, cloud: east, resolved: false"},
	{module: "cell", object: "cell", plural: "cells", create: "name: row-b, region: dfw, " + someVariables, change: "name: row-b, region: dfw, note: now",
		gone: "name: row-b, region: dfw, state: absent", info: "name: row-b, region: dfw, resolved: false"},
	{module: "host", object: "host", plural: "hosts",
		create: `name: web1, region: dfw, cell: row-a, ip_address: "2001:DB8:0::1", device_type: server, parent: sw1, note: n, labels: [web, a], ` + someVariables,
		change: `name: web1, region: dfw, ip_address: 10.0.0.9, parent: "", active: no, labels: [b], labels_mode: exact, variables: {z: !unsafe "{{ x }}"}`,
		gone:   "name: web1, region: dfw, state: absent", info: "name: web1, region: dfw, label: b, resolved: false"},
	{module: "network_device", object: "network_device", plural: "network_devices",
		create: `name: sw2, cell: row-a, ip_address: 10.0.0.4, device_type: switch, parent: sw1, labels: "tor,x", vlans: 1-2, active: false`,
		change: `name: sw2, region: dfw, model_name: m, vlans: "", labels: [y]`,
		gone:   "name: sw2, region: dfw, state: absent", info: "name: sw2, device_type: switch, resolved: false"},
	{module: "network", object: "network", plural: "networks",
		create: "name: back, region: dfw, cell: row-a, cidr: 10.1.0.0/16, gateway: 10.1.0.1, netmask: 255.255.0.0, nss: ns1, " + someVariables,
		change: `name: back, region: dfw, cidr: 10.1.0.0/17, nss: "", ip_block_type: private`,
		gone:   "name: back, region: dfw, state: absent", info: "name: back, cell: row-a"},
	{module: "network_interface", object: "network_interface", plural: "network_interfaces",
		create: `name: eth0, device: sw1, interface_type: ethernet, ip_address: 10.0.0.5, network: front, vlan_id: 4, port: "7", speed: 1000, ` + someVariables,
		change: `name: eth0, device: sw1, port: 0, speed: "100", link: up`,
		gone:   "name: eth0, device: sw1, state: absent", info: "name: eth0, device: sw1, with_variables: true"},
	{module: "variables", create: "kind: host, name: db1, " + someVariables, change: "kind: host, name: db1, variables: {a: 2}, remove: [b]",
		gone: "kind: host, name: db1, remove: [a, c, day]"},
	{module: "fleet", create: "fleet: {clouds: [{name: south, note: n, regions: [{name: gru, hosts: [{name: h1, ip_address: 10.9.0.1, device_type: vm, labels: [l]}]}]}]}",
		change: "fleet: {clouds: [{name: south, note: m, regions: [{name: gru, hosts: [{name: h1, ip_address: 10.9.0.2, device_type: vm, variables: {v: 1}}]}]}]}"},
}

// playbook has the tasks of a life one after the other, each with its result in MODULE_STEP.
func (l life) playbook(b *strings.Builder) (steps []string) {
	task := func(step, module, args, more string) {
		fmt.Fprintf(b, "    - craton.fleet.craton_%s: {%s}\n      register: %s_%s\n%s", module, args, l.module, step, more)
		steps = append(steps, step)
	}
	const check, diff = "      check_mode: true\n      diff: true\n", "      diff: true\n"
	task("creating", l.module, l.create, check)
	task("created", l.module, l.create, diff)
	task("still", l.module, l.create, "")
	task("changing", l.module, l.change, check)
	task("changed", l.module, l.change, diff)
	task("unchanged", l.module, l.change, diff)
	if l.object != "" {
		task("info", l.module+"_info", l.info, "")
	}
	if l.gone != "" {
		task("removing", l.module, l.gone, check)
		task("removed", l.module, l.gone, diff)
		task("absent", l.module, l.gone, "")
	}
	return steps
}

// TestLife: through real Ansible every module creates, creates again, changes, changes again, removes, and removes
// again; check mode tells the same before, diff and object included, and the info module finds the object.
func TestLife(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.load(t, placeFile)
		var play strings.Builder
		// With two projects in the fleet every task has to say which is its own.
		play.WriteString(`
- hosts: localhost
  gather_facts: false
  tasks:
    - craton.fleet.craton_project_info: {url: "{{ fleet }}"}
      register: own
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/craton.fleet.craton: {url: "{{ fleet }}", project_id: "{{ own.projects[0].id }}"}
  tasks:
`)
		var told []string
		for _, l := range lives {
			var steps []string
			for _, step := range l.playbook(&play) {
				steps = append(steps, fmt.Sprintf("'%s': %s_%[1]s", step, l.module))
			}
			told = append(told, fmt.Sprintf("'%s': {%s}", l.module, strings.Join(steps, ", ")))
		}
		fmt.Fprintf(&play, `
    - craton.fleet.craton_device_info: {region: dfw}
      register: devices
    - ansible.builtin.debug: {msg: "seen devices {{ devices.devices | map(attribute='name') | sort | to_json }}"}
    - ansible.builtin.debug: {msg: "seen lives {{ {%s} | to_json }}"}
`, strings.Join(told, ", "))

		out := h.play(t, play.String())
		var devices []string
		seen(t, out, "devices", &devices)
		if diff := cmp.Diff([]string{"db1", "sw1"}, devices); diff != "" {
			t.Errorf("craton_device_info: %s", diff)
		}
		var results map[string]map[string]result
		seen(t, out, "lives", &results)
		for _, l := range lives {
			t.Run(l.module, func(t *testing.T) { l.verify(t, results[l.module]) })
		}
	})
}

// result is what a task has registered.
type result map[string]any

// of is what the result tells of the fleet: the object, or what stands for it, without what differs from run to run.
func (r result) of(l life) map[string]any {
	told := map[string]any{}
	keys := []string{"variables", "target", "created", "updated", "unchanged", "changes"}
	if l.object != "" {
		keys = []string{l.object}
	}
	for _, key := range keys {
		if v, ok := r[key]; ok {
			told[key] = v
		}
	}
	if object, ok := told[l.object].(map[string]any); ok {
		object = maps.Clone(object)
		for _, key := range []string{"created_at", "updated_at", "api_key"} {
			delete(object, key)
		}
		told[l.object] = object
	}
	return told
}

func (l life) verify(t *testing.T, steps map[string]result) {
	for step, changed := range map[string]bool{"creating": true, "created": true, "still": false, "changing": true, "changed": true, "unchanged": false,
		"info": false, "removing": true, "removed": true, "absent": false} {
		if r, ok := steps[step]; ok && (r["changed"] != changed || r["failed"] == true) {
			t.Errorf("%s: %v", step, r)
		}
	}
	same := func(what string, a, b any) {
		t.Helper()
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("%s:\n%s", what, diff)
		}
	}
	for check, did := range map[string]string{"creating": "created", "changing": "changed", "removing": "removed"} {
		if steps[did] == nil {
			continue
		}
		if steps[did]["diff"] == nil {
			t.Errorf("%s: no diff", did)
		}
		same(check+" tells another diff than "+did, steps[check]["diff"], steps[did]["diff"])
		predicted, real := steps[check].of(l), steps[did].of(l)
		for _, key := range []string{"id", "project_id"} { // the server's choice, of a new object
			object, _ := predicted[l.object].(map[string]any)
			if made, ok := real[l.object].(map[string]any); ok && object[key] == nil {
				delete(object, key)
				delete(made, key)
			}
		}
		same(check+" predicts something else than "+did, predicted, real)
	}
	if l.object == "" {
		return
	}
	same("the second run returns another object", steps["created"].of(l), steps["still"].of(l))
	same("the second run returns another object", steps["changed"].of(l), steps["unchanged"].of(l))
	for _, one := range steps["info"][l.plural].([]any) { // which tells more: what is no field of an object
		info := one.(map[string]any)
		if l.module == "user" {
			delete(info, "role")
		} else if info["protected"] == false {
			delete(info, "protected")
		}
	}
	same("the info module returns another object", []any{steps["unchanged"][l.object]}, steps["info"][l.plural])
	same("what was removed is another object", steps["unchanged"].of(l), steps["removed"].of(l))
	same("what is absent", map[string]any{}, steps["absent"][l.object])
	same("a diff of what is new", map[string]any{}, steps["created"]["diff"].(map[string]any)["before"])
	same("a diff of what is gone", map[string]any{}, steps["removed"]["diff"].(map[string]any)["after"])
}
