package collection_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/modules"
)

// exampleFleet is the fleet that the examples of the documentation speak of, as it is before they change it.
const exampleFleet = `
project: {variables: {old: 1}}
clouds:
  - name: west
  - name: east
    variables: {proxy: none}
    regions:
      - name: dfw
        cells:
          - name: row-a
            hosts: [{name: web1, ip_address: 10.20.0.99, device_type: server, labels: [web], variables: {role: frontend}}]
          - name: row-b
        hosts: [{name: db2, ip_address: 10.20.0.13, device_type: server, active: false, parent: sw1}]
        network_devices: [{name: sw1, ip_address: 10.20.0.2, device_type: switch}]
        networks: [{name: front, cidr: 10.20.0.0/25, gateway: 10.20.0.1, netmask: 255.255.255.128}]
`

// before has the fleets of modules whose examples want another one, tasks that come before the examples, and more
// options of all of them; and what nodes are called whose examples leave some that others would meet.
var before = map[string]struct{ fleet, tasks, options, nodes string }{
	"craton_project":   {tasks: "- craton.fleet.craton_project_info:\n  register: own\n", options: `, project_id: "{{ own.projects[0].id | default('') }}"`},
	"craton_region":    {fleet: "clouds: [{name: east}]"},
	"craton_user_info": {tasks: "- craton.fleet.craton_user: {name: deploy}\n"},
	"iotronic_node_info": {tasks: `- craton.fleet.iotronic_node: {name: metal-01, driver: ipmi, provision_state: available}
- craton.fleet.iotronic_node: {name: metal-02, driver: ipmi}
`},
	"iotronic_chassis":      {nodes: "in-chassis-"},
	"iotronic_chassis_info": {tasks: "- craton.fleet.iotronic_chassis: {description: rack b7}\n"},
	"iotronic_allocation": {nodes: "allocated-", tasks: `- craton.fleet.iotronic_node: {name: metal-01, driver: ipmi, resource_class: large, traits: [CUSTOM_GPU], provision_state: available, power: on}
- craton.fleet.iotronic_node: {name: metal-02, driver: ipmi, resource_class: large, provision_state: available, power: on}
`},
	"iotronic_allocation_info": {nodes: "allocation-info-", tasks: `- craton.fleet.iotronic_node: {name: metal-01, driver: ipmi, resource_class: large, provision_state: available, power: on}
- craton.fleet.iotronic_allocation: {name: render-03, resource_class: large, candidate_nodes: [metal-01]}
- craton.fleet.iotronic_allocation: {name: render-04, resource_class: none}
  failed_when: false
`},
	"iotronic_port":                 {tasks: "- craton.fleet.iotronic_node: {name: metal-01, driver: ipmi, provision_state: manageable}\n"},
	"iotronic_port_info":            {tasks: "- craton.fleet.iotronic_port: {node: metal-01, address: '52:54:00:12:34:56'}\n"},
	"craton_network_interface_info": {tasks: "- craton.fleet.craton_network_interface: {name: eth0, device: web1, interface_type: ethernet, ip_address: 10.20.0.11}\n"},
}

// atHome makes of the examples what there is in the test: Ironic has no hardware here.
var atHome = strings.NewReplacer("driver: ipmi", "driver: "+openstacktest.IronicDriver, "name: ipmi", "name: "+openstacktest.IronicDriver)

// TestDocExamples runs the examples of each module's documentation, on a fleet for each module: every one that manages
// something changes it, and every one that reads finds something.
func TestDocExamples(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.onlyNewest(t)
		h.write(t, "fleet.yml", "clouds: [{name: north}]\n") // what the examples load from a file
		craton, err := program()
		if err != nil {
			t.Fatal(err)
		}
		metal, town := openstacktest.StartIronic(t), iotronictest.Start(t, iotronictest.Boards2019)
		roofs := town.Add("fleets", iotronictest.Object{"name": "roofs"})
		town.Add("boards", iotronictest.Object{"name": "pi-01", "code": "c1", "fleet": roofs, "status": "online"})
		var playbook strings.Builder
		for _, spec := range modules.Specs() {
			prepare, url := before[spec.Name], h.fleet+spec.Name
			group, _, _ := strings.Cut(spec.Name, "_")
			switch spec.Name {
			case "iotronic_board_info", "iotronic_fleet_info":
				url, prepare.options = town.URL, ", token: "+iotronictest.Admin.Token
			case "iotronic_node", "iotronic_node_info", "iotronic_port", "iotronic_port_info", "iotronic_driver_info",
				"iotronic_chassis", "iotronic_chassis_info", "iotronic_allocation", "iotronic_allocation_info":
				url, prepare.options = metal.URL, ", max_retries: 20"
			default:
				fleet := prepare.fleet
				if fleet == "" {
					fleet = exampleFleet
				}
				h.runWith(t, []string{"CRATON_URL=" + url}, craton, "apply", h.write(t, "before.yml", fleet))
			}
			tasks := atHome.Replace(prepare.tasks + strings.TrimSpace(spec.Examples))
			if prepare.nodes != "" {
				tasks = strings.ReplaceAll(tasks, "metal-", prepare.nodes)
			}
			fmt.Fprintf(&playbook, `
- name: %s
  hosts: localhost
  gather_facts: false
  vars: {ipmi_password: hush-hush, rescue_password: hush-hush}
  module_defaults:
    group/craton.fleet.%s: {url: %q%s}
  tasks:
%s`, spec.Name, group, url, prepare.options, indented(tasks+"\n"))
		}
		out := h.run(t, "ansible-playbook", "-v", "-i", "localhost,", "-c", "local", h.write(t, "examples.yml", playbook.String()))
		plays := strings.Split(out, "\nPLAY [")[1:]
		for i, spec := range modules.Specs() {
			tasks := strings.Split(plays[i], "\nTASK [")[1:]
			var examples []map[string]any
			if err := yaml.Unmarshal([]byte(before[spec.Name].tasks+spec.Examples), &examples); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(plays[i], spec.Name+"]") || len(tasks) != len(examples) {
				t.Fatalf("%s has %d examples:\n%s", spec.Name, len(examples), plays[i])
			}
			for j, example := range examples {
				if !works(t, tasks[j], example) {
					t.Errorf("%s, example %d does nothing:\n%s", spec.Name, j+1, tasks[j])
				}
			}
		}
	})
}

func indented(text string) string {
	return regexp.MustCompile(`(?m)^(.)`).ReplaceAllString(text, "    $1")
}

// works reports whether an example has changed or found something, by what Ansible shows of the task.
func works(t *testing.T, output string, example map[string]any) bool {
	t.Helper()
	name := ""
	for key := range example {
		if rest, ok := strings.CutPrefix(key, "craton.fleet."); ok {
			name = rest
		}
	}
	m := regexp.MustCompile(`(?m)^(ok|changed): \[localhost\] => (\{.*\})$`).FindStringSubmatch(output)
	if name == "" || m == nil { // a debug, say, which only has to run
		return name == ""
	}
	if !strings.HasSuffix(name, "_info") {
		return m[1] == "changed"
	}
	var result map[string]any
	if err := json.Unmarshal([]byte(m[2]), &result); err != nil {
		t.Fatalf("%v: %s", err, m[2])
	}
	info, _ := modules.Lookup(name)
	list, _ := result[info.Spec.Returns[0].Name].([]any)
	return len(list) > 0
}
