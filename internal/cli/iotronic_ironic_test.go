package cli_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/internal/wording"
	"github.com/craton-fleet/craton/iotronic"
)

// onIronic returns a real Ironic that takes no credentials.
func onIronic(t *testing.T) (endpoint, *openstacktest.Ironic) {
	t.Helper()
	i := openstacktest.StartIronic(t)
	return endpoint{i.URL, ""}, i
}

// TestIronicLists: lists of a real Ironic, in pages.
func TestIronicLists(t *testing.T) {
	t.Parallel()
	a, ironic := onIronic(t)
	class, all := ironic.Nodes(t, 2*openstacktest.IronicPageSize+5, "")
	of := "node-list --fields name --sort-key name --resource-class " + class
	for more, want := range map[string][]string{
		"--all":                           all,
		"--limit 0":                       all,
		"--limit 3":                       all[:3],
		"--limit 30":                      all[:30],
		"--all --sort-dir desc --limit 1": {all[len(all)-1], "..."},
		"--all --maintenance true":        {},
		"--all --maintenance false --associated no --driver " + openstacktest.IronicDriver + " --provision-state enroll": all,
	} {
		got := a.names(t, of+" "+more)
		if len(want) == 2 && want[1] == "..." { // --all counts for more than --limit
			got, want = got[:1], want[:1]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", more, diff)
		}
	}
	got := a.run(t, "", "--format csv "+of)
	if want := "name\n" + strings.Join(all[:openstacktest.IronicPageSize], "\n") + "\n"; got.Exit != 0 || got.Stdout != want || got.Stderr != "20 shown, more follow: --all\n" {
		t.Errorf("%+v", got)
	}
	last := strings.TrimSpace(strings.TrimPrefix(a.must(t, "--format csv node-show "+all[openstacktest.IronicPageSize-1]+" --fields uuid"), "uuid\n"))
	rest := a.names(t, of+" --marker "+last+" --all")
	if diff := cmp.Diff(all[openstacktest.IronicPageSize:], rest); diff != "" {
		t.Errorf("behind the first page: (-want +got)\n%s", diff)
	}

	header, row, _ := strings.Cut(a.must(t, "node-list --limit 1 --resource-class "+class), "Maintenance |")
	if !strings.Contains(header, "| UUID                                 | Name ") || !strings.HasSuffix(header, "| Instance UUID | Power State | Provisioning State | ") || !strings.Contains(row, "| None          | None        | enroll             | False       |") {
		t.Errorf("%s%s", header, row)
	}
	header, row, _ = strings.Cut(a.must(t, "--format csv node-list --detail --limit 1 --resource-class "+class), "\n")
	for _, want := range []string{"uuid,name,instance_uuid,power_state,provision_state,maintenance,allocation_uuid,", ",driver,driver_info,", ",network_interface,", ",traits,"} {
		if !strings.Contains(header, want) {
			t.Errorf("no %s in %s", want, header)
		}
	}
	if strings.Contains(header, "links") || strings.Contains(header, "disable_power_off") != openstacktest.NewestIronic() || !strings.Contains(row, `"{""made_by"":""tests""}"`) {
		t.Errorf("%s\n%s", header, row)
	}
	for line, want := range map[string]string{
		"node-list --fields nome": "Invalid field \"nome\" ... name ... uuid, name, ",
		"node-list --fields name parent_node --iotronic-api-version 1.82":                       "API version 1.82 ... parent_node (since 1.83) ... leave ... out ... later API version",
		"node-list --fields name shard --iotronic-api-version 1.81":                             "API version 1.81 ... shard (since 1.82)",
		"node-show x --fields name shard --iotronic-api-version 1.81":                           "API version 1.81 ... shard (since 1.82)",
		"node-create -d fake-hardware --owner o --iotronic-api-version 1.35":                    "API version 1.35 ... owner (since 1.50)",
		"node-create -d fake-hardware -n ''":                                                    "argument -n/--name: ... empty",
		`node-create -d fake-hardware --json '{"name": ""}'`:                                    "argument --json: ... name ... empty",
		"node-update x extra/a=1 lessee=o fault= --iotronic-api-version 1.35":                   "API version 1.35 ... fault (since 1.42), lessee (since 1.65)",
		"node-provision x service --service-steps [] --iotronic-api-version 1.82":               "API version 1.82 ... service (since 1.87)",
		`node-provision x active --config-drive '{"meta_data":{}}' --iotronic-api-version 1.35`: "API version 1.35 ... configdrive as an object (since 1.56)",
		"node-provision x active --deploy-steps [] --iotronic-api-version 1.35":                 "API version 1.35 ... deploy_steps (since 1.69)",
		"node-power x off --soft --iotronic-api-version 1.26":                                   "API version 1.26 ... soft power off (since 1.27)",
		"node-list --detail --fields name":                                                      "Cannot specify both --fields and --detail.",
		"node-list --project x":                                                                 "argument --project: Ironic does not have it",
		"node-list --shard s --iotronic-api-version 1.35":                                       "API version 1.35 ... shard (since 1.82)",
		"node-list --sort-key extra":                                                            "GET /v1/nodes: 400 Bad Request: ",
		"board-list":                                                                            "is Ironic (dialect ironic); use node-list",
		"board-port-list x":                                                                     "is Ironic (dialect ironic); use node-port-list",
		"fleet-list":                                                                            "is Ironic (dialect ironic); it has node-*, driver-*, port-*, chassis-*, allocation-*, portgroup-*, volume-connector-*, volume-target-*, deploy-template-*, runbook-*",
		"driver-show fake-hardwar":                                                              `: 404 Not Found: Could not find the following driver(s) or hardware type(s): fake-hardwar ... "fake-hardware"`,
		"node-show " + class + "-node-000":                                                      `could not be found ... "` + class + `-node-0`,
		"node-show --instance 00000000-0000-4000-8000-000000":                                   "400 Bad Request",
	} {
		if got := a.fails(t, line); !wording.Has(got, want) {
			t.Errorf("%s:\n%s\nwant %s", line, got, want)
		}
	}
	for line, want := range map[string]string{
		"driver-list": `+---------------------+----------------+
| Supported driver(s) | Active host(s) |
+---------------------+----------------+
| fake-hardware       | ['localhost']  |
+---------------------+----------------+
`,
		"driver-list --type classic --format csv":                          "name,hosts\n",
		"driver-list --fields name default_power_interface --format csv":   "name,default_power_interface\nfake-hardware,fake\n",
		"driver-show fake-hardware --fields hosts type --format=csv":       "hosts,type\n\"[\"\"localhost\"\"]\",dynamic\n",
		"driver-show fake-hardware --fields hosts type":                    "| hosts    | ['localhost'] |\n| type     | dynamic       |\n",
		"driver-properties fake-hardware":                                  "| B1   | B1 description. Required. |\n",
		"driver-properties fake-hardware --format csv":                     "name,value\nB1,B1 description. Required.\n",
		"driver-list --detail --format csv":                                "name,hosts,type,default_bios_interface,enabled_bios_interfaces,",
		"--format json node-show " + all[0] + " --fields resource_class":   "{\n    \"resource_class\": \"" + class + "\"\n}\n",
		"--format yaml node-show " + all[0] + " --fields name maintenance": "maintenance: false\nname: " + all[0] + "\n",
	} {
		if got := a.must(t, line); !wording.Has(got, want) {
			t.Errorf("%s:\n%s\nwant %s", line, got, want)
		}
	}
}

// TestIronicNodeLife: a node of a real Ironic from its registration to its end.
func TestIronicNodeLife(t *testing.T) {
	t.Parallel()
	a, _ := onIronic(t)
	const name = "cli-life"
	made := a.must(t, "--format json node-create -d "+openstacktest.IronicDriver+" -n "+name+" -i B1=x -i ipmi_password=hush -p cpus=8 -p capabilities=boot_mode:uefi -e rack=b7 -e serial=0123"+
		" --resource-class large --description 12 --power-interface fake --network-interface noop --automated-clean no")
	var node map[string]any
	if err := json.Unmarshal([]byte(made), &node); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"name": name, "driver": openstacktest.IronicDriver, "driver_info": map[string]any{"B1": "x", "ipmi_password": "******"}, "properties": map[string]any{"cpus": 8.0, "capabilities": "boot_mode:uefi"},
		"extra": map[string]any{"rack": "b7", "serial": "0123"}, "resource_class": "large", "description": "12", "power_interface": "fake", "network_interface": "noop", "automated_clean": false,
	}
	for key := range node {
		if _, wanted := want[key]; !wanted {
			delete(node, key)
		}
	}
	if diff := cmp.Diff(want, node); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}

	second := a.run(t, `{"driver": "`+openstacktest.IronicDriver+`", "driver_info": {"ipmi_password": "hush", "B1": "y"}, "name": "not this", "extra": {"n": 12345678901234567890}}`,
		"--format json node-create -n "+name+"-2 -i B1=x --json -")
	for _, want := range []string{`"name": "` + name + `-2"`, `"B1": "x"`, `"ipmi_password": "******"`, `"n": 12345678901234567890`} {
		if !strings.Contains(second.Stdout, want) {
			t.Errorf("created from standard input: no %s in %s%s", want, second.Stdout, second.Stderr)
		}
	}
	if got := a.must(t, "--format csv node-show "+name+"-2 --fields name,driver"); got != "driver,name\n"+openstacktest.IronicDriver+","+name+"-2\n" {
		t.Error(got)
	}
	a.must(t, "node-delete "+name+"-2")

	a.must(t, "node-update "+name+" extra/rack=c1 extra/serial= properties/cpus=16 description=34 owner=")
	if got := a.must(t, "--format csv node-show "+name+" --fields extra properties description owner"); got != "description,extra,owner,properties\n34,\"{\"\"rack\"\":\"\"c1\"\"}\",,\"{\"\"capabilities\"\":\"\"boot_mode:uefi\"\",\"\"cpus\"\":16}\"\n" {
		t.Error(got)
	}
	a.must(t, "node-update "+name+" remove extra/rack properties/cpus")
	if got := a.run(t, `{"driver_info/ipmi_password": "hush too", "extra/a~1b": [1]}`, "node-update "+name); got.Exit != 0 || strings.Contains(got.Stdout, "hush") || !strings.Contains(got.Stdout, "{'a/b': [1]}") ||
		strings.Contains(got.Stdout, "bookmark") {
		t.Errorf("%+v", got)
	}

	steps := filepath.Join(t.TempDir(), "steps.json")
	if err := os.WriteFile(steps, []byte(`[{"interface": "bios", "step": "factory_reset"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ line, stdin, want string }{
		{"node-power NAME on --wait 60", "", `Node NAME: now "power on".`},
		{"node-power NAME reboot --wait 60", "", `Node NAME: now "power on".`},
		{"node-power NAME off", "", `Node NAME: requested "power off".`},
		{"node-power NAME off --soft --wait 0", "", `Node NAME: now "power off".`},
		{"node-maintenance NAME true --reason 'a new fan'", "", "Node NAME: in maintenance."},
		{"node-set-maintenance NAME off", "", "Node NAME: no longer in maintenance."},
		{"node-provision NAME manage --wait 60", "", `Node NAME: now "manageable".`},
		{"node-provision NAME clean --wait 60 --clean-steps " + steps, "", `Node NAME: now "manageable".`},
		{"node-provision NAME clean --wait 60 --clean-steps -", `[{"interface": "bios", "step": "factory_reset"}]`, `Node NAME: now "manageable".`},
		{"node-provision NAME inspect --wait 60", "", `Node NAME: now "manageable".`},
		{"node-provision NAME provide --wait 60", "", `Node NAME: now "available".`},
		{"node-provision NAME active --wait 60 --config-drive '{\"meta_data\": {\"name\": \"x\"}}'", "", `Node NAME: now "active".`},
		{"node-provision NAME rescue --wait 60 --rescue-password -", "hush\n", `Node NAME: now "rescue".`},
		{"node-set-provision-state NAME unrescue --wait 60", "", `Node NAME: now "active".`},
		{"node-provision NAME deleted --wait 60", "", `Node NAME: now "available".`},
	} {
		line := strings.ReplaceAll(c.line, "NAME", name)
		got := a.run(t, c.stdin, line)
		if want := strings.ReplaceAll(c.want, "NAME", name) + "\n"; got.Exit != 0 || got.Stdout != want || got.Stderr != "" {
			t.Fatalf("%s: %+v\nwant %s", line, got, want)
		}
		if strings.Contains(line, "--reason") {
			if got := a.must(t, "--format csv node-show "+name+" --fields maintenance maintenance_reason"); got != "maintenance,maintenance_reason\ntrue,a new fan\n" {
				t.Error(got)
			}
		}
	}
	for line, want := range map[string]string{
		"node-power NAME on --soft":                                         "--soft is only valid with off and reboot",
		"node-maintenance NAME false --reason x":                            "--reason is only valid with true",
		"node-provision NAME manage --config-drive x":                       "--config-drive is only valid with active and rebuild",
		"node-provision NAME manage --rescue-password x":                    "--rescue-password is only valid with rescue",
		"node-provision NAME clean":                                         "--clean-steps must be specified with clean",
		"node-provision NAME clean --clean-steps [] --runbook x":            "argument --runbook: not allowed with argument --clean-steps",
		"node-provision NAME clean --runbook x --iotronic-api-version 1.82": "API version 1.82 ... runbook (since 1.92)",
		"node-provision NAME manage --disable-ramdisk":                      "--disable-ramdisk is only valid with clean and service",
		"node-provision NAME clean --clean-steps x":                         "argument --clean-steps: ... JSON list ... file",
		"node-provision NAME active --config-drive {}":                      "argument --config-drive: ... empty object",
		"node-provision NAME active --config-drive H4sIAAAA":                "argument --config-drive: it is not complete gzip data",
		"node-provision NAME active --config-drive /srv/web01":              `argument --config-drive: "/srv/web01" ... neither a file nor a config drive`,
		"node-provision NAME active --config-drive /":                       "argument --config-drive: ... directory / ... openstack",
		"node-provision NAME abort --wait 1":                                "--wait is not supported with abort",
		"node-power NAME on --wait -1":                                      "Invalid wait specified. Expected non-negative seconds, got -1",
		"node-provision NAME unrescue":                                      "400 Bad Request: ",
		"node-power cli-lif on":                                             "could not be found",
		"node-create -n x":                                                  "requires --driver",
		"node-create -n x --json '[1]'":                                     `argument --json: "[1]" ... JSON object`,
		"node-create -n x --json '{}'":                                      "requires --driver",
		"node-list --fields ,":                                              "--fields",
		"node-create -d x --latitude 1":                                     "Ironic ... --latitude, --longitude, --altitude",
		"node-create -d x --code c":                                         "argument --code: Ironic does not have it",
		"node-create -d nonsense":                                           "400 Bad Request: No valid host was found",
		"node-create -n NAME -d " + openstacktest.IronicDriver:              "409 Conflict: ",
		"node-update NAME remove extra/none":                                "400 Bad Request: ",
	} {
		line = strings.ReplaceAll(line, "NAME", name)
		if got := a.fails(t, line); !wording.Has(got, want) {
			t.Errorf("%s:\n%s\nwant %s", line, got, want)
		}
	}

	if got := a.must(t, "--format csv node-states "+name); !strings.Contains(got, "provision_state") || !strings.Contains(got, ",available,") {
		t.Error(got)
	}
	if got := a.must(t, "node-show-states "+name); !strings.Contains(got, "| target_provision_state | None ") {
		t.Error(got)
	}
	if got := a.must(t, "--format csv node-validate "+name); !strings.HasPrefix(got, "interface,result,reason\n") || !strings.Contains(got, "\npower,true,\n") {
		t.Error(got)
	}
	c, err := iotronic.New(a.url)
	if err != nil {
		t.Fatal(err)
	}
	const mac = "52:54:00:0c:11:f0"
	n, err := c.Nodes.Get(t.Context(), name)
	if err == nil {
		_, err = c.Do(t.Context(), http.MethodPost, "/ports", nil, map[string]string{"node_uuid": n.UUID, "address": mac})
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"node-port-list " + name + " --format csv", "port-list --format csv --node " + name, "port-list --format csv --address " + mac} {
		rows := strings.Fields(a.must(t, line))
		if len(rows) != 2 || rows[0] != "uuid,address" || !strings.HasSuffix(rows[1], ","+mac) {
			t.Errorf("%s: %v", line, rows)
		}
	}
	if got := a.must(t, "--format csv port-list --fields address node_uuid --node "+name); got != "address,node_uuid\n"+mac+","+n.UUID+"\n" {
		t.Error(got)
	}
	if got := a.must(t, "node-delete --dry-run "+name); got != "Would delete node "+name+" with 1 port.\n" {
		t.Error(got)
	}
	if got := a.fails(t, "node-delete "+name); !strings.Contains(got, "ports of "+name+" (1 port).") || !strings.Contains(got, "--yes") {
		t.Error(got)
	}
	if got := a.must(t, "node-delete --yes "+name); got != "Node "+name+" was successfully deleted.\n" {
		t.Error(got)
	}
	if got := a.names(t, "node-list --all --fields name"); slices.Contains(got, name) {
		t.Error(got)
	}
}

// TestIronicBehindKeystone: a user and Keystone's catalogue are enough; wrong credentials are told plainly.
func TestIronicBehindKeystone(t *testing.T) {
	t.Parallel()
	ironic, k := openstacktest.StartIronicBehindKeystone(t)
	region := k.Service(t, "baremetal", ironic.URL)
	user, project := k.AdminUser(t), k.AdminProject(t)
	class, names := ironic.Nodes(t, 1, k.Token(t, user, project))
	line := "--os-auth-url " + k.URL + " --os-username " + user.Name + " --os-password '" + user.Password + "' --os-project-name " + project.Name + " --os-region-name " + region +
		" --no-token-cache --format csv iotronic node-list --fields name --resource-class " + class
	got := run(t, strings.NewReader(""), split(line)...)
	if got.Exit != 0 || got.Stdout != "name\n"+names[0]+"\n" || got.Stderr != "" {
		t.Errorf("%+v", got)
	}
	got = run(t, strings.NewReader(""), append(split(line), "--os-password", "wrong-and-secret")...)
	if got.Exit != 1 || got.Stdout != "" || !strings.Contains(got.Stderr, "401") || strings.Contains(got.Stderr, "wrong-and-secret") {
		t.Errorf("%+v", got)
	}
	got = run(t, strings.NewReader(""), append(split(line), "--os-region-name", "nowhere")...)
	if got.Exit != 1 || !wording.Has(got.Stderr, "catalogue ... no endpoint ... iot or baremetal") {
		t.Errorf("%+v", got)
	}
}
