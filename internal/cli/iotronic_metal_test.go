package cli_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/internal/wording"
)

// TestIronicPorts: ports of a real Ironic on the command line.
func TestIronicPorts(t *testing.T) {
	t.Parallel()
	a, _ := onIronic(t)
	const mac, second = "52:54:00:30:00:01", "52:54:00:30:00:02"
	a.must(t, "node-create -n cli-ports -d "+openstacktest.IronicDriver)
	made := a.must(t, "--format csv port-create -n cli-ports -a "+strings.ToUpper(mac)+" --pxe-enabled false -l switch_id=0a:1b:2c:3d:4e:5f -l port_id=Eth3/1 --physical-network lab -e cable=b7")
	for _, want := range []string{"address,", mac, "lab", `""port_id"":""Eth3/1""`, `{""cable"":""b7""}`} {
		if !strings.Contains(made, want) {
			t.Errorf("no %s in %s", want, made)
		}
	}
	a.must(t, `port-create --json '{"node_uuid": "`+strings.TrimSpace(strings.TrimPrefix(a.must(t, "--format csv node-show cli-ports --fields uuid"), "uuid\n"))+`", "address": "`+second+`"}'`)
	if got := a.must(t, "--format csv port-list --node cli-ports --fields address pxe_enabled"); got != "address,pxe_enabled\n"+mac+",false\n"+second+",true\n" {
		t.Error(got)
	}
	a.must(t, "port-update "+mac+" pxe_enabled=true physical_network= local_link_connection/port_id=Eth3/2 extra/cable=c9")
	if got := a.must(t, "--format csv port-show "+strings.ToUpper(mac)+" --fields pxe_enabled physical_network extra local_link_connection"); got !=
		"extra,local_link_connection,physical_network,pxe_enabled\n\"{\"\"cable\"\":\"\"c9\"\"}\",\"{\"\"port_id\"\":\"\"Eth3/2\"\",\"\"switch_id\"\":\"\"0a:1b:2c:3d:4e:5f\"\"}\",,true\n" {
		t.Error(got)
	}
	// A number is text there, of words and of JSON.
	for line, want := range map[string]string{
		"port-update " + mac + " local_link_connection/port_id=8":                                          `"{""port_id"":""8"",""switch_id"":""0a:1b:2c:3d:4e:`,
		"port-update " + mac + ` 'local_link_connection={"port_id": 9, "switch_id": "0A:1B:2C:3D:4E:60"}'`: `"{""port_id"":""9"",""switch_id"":""0a:1b:2c:3d:4e:60""}"`,
		"port-create -n cli-ports -a 52:54:00:30:00:04 -l port_id=10 -l switch_id=0A:1B:2C:3D:4E:5F":       `"{""port_id"":""10"",""switch_id"":""0a:1b:2c:3d:4e:5f""}"`,
		"port-create --json '{\"address\": \"52:54:00:30:00:05\", \"local_link_connection\": {\"port_id\": 11}}'" +
			" -n cli-ports -l switch_id=0a:1b:2c:3d:4e:5f": `"{""port_id"":""11"",""switch_id"":""0a:1b:2c:3d:4e:5f""}"`,
	} {
		if got := a.must(t, "--format csv "+line); !wording.Has(got, want) {
			t.Errorf("%s:\n%s\nwant %s", line, got, want)
		}
	}
	a.must(t, "port-delete 52:54:00:30:00:04 52:54:00:30:00:05")
	for line, want := range map[string]string{
		"port-update " + mac + " local_link_connection/port_id=true":                                   "local_link_connection: port_id ... true ... text",
		"port-create -n cli-ports -a 52:54:00:30:00:03 -l port_id=null -l switch_id=0a:1b:2c:3d:4e:5f": "local_link_connection: port_id ... null ... text",
		"port-create -n cli-ports":                     "requires --address",
		"port-create -a 52:54:00:30:00:03":             "requires --node",
		"port-create -n cli-port -a 52:54:00:30:00:03": "Node cli-port could not be found", // and what is near, if it is among the first thousand
		"port-create -n cli-ports -a " + mac:           "409 Conflict: ",
		"port-show 52:54:00:30:00:0f":                  "no port ... 52:54:00:30:00:0f ... did you mean",
		"port-create -n cli-ports -a 52:54:00:30:00:03 --name eth0 --iotronic-api-version 1.82": "API version 1.82 does not have name (since 1.88)",
		"port-delete 52:54:00:30:00:0f":                       "Failed to delete port 52:54:00:30:00:0f: ",
		"port-list --fields name --iotronic-api-version 1.82": "name (since 1.88)",
	} {
		if got := a.fails(t, line); !wording.Has(got, want) {
			t.Errorf("%s:\n%s\nwant %s", line, got, want)
		}
	}
	if got := a.must(t, "port-delete "+mac+" "+second); got != "Port "+mac+" was successfully deleted.\nPort "+second+" was successfully deleted.\n" {
		t.Error(got)
	}
	if got := strings.Fields(a.must(t, "--format csv node-port-list cli-ports")); !slices.Equal(got, []string{"uuid,address"}) {
		t.Error(got)
	}
	a.must(t, "node-delete cli-ports")
}

// TestIronicManagement: traits, boot device, console and inventory of a node on the command line, and a config drive of
// a directory.
func TestIronicManagement(t *testing.T) {
	t.Parallel()
	a, _ := onIronic(t)
	const name = "cli-managed"
	a.must(t, "node-create -n "+name+" -d "+openstacktest.IronicDriver+" --description 'in the cellar'")
	drive := filepath.Join(t.TempDir(), "openstack", "latest")
	if err := os.MkdirAll(drive, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(drive, "meta_data.json"), []byte(`{"name": "x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ line, want string }{
		{"node-trait-add NAME CUSTOM_B CUSTOM_A", "Node NAME: traits added.\n"},
		{"--format csv node-trait-list NAME", "traits\nCUSTOM_A\nCUSTOM_B\n"},
		{"node-trait-list NAME", "+----------+\n| Traits   |\n+----------+\n| CUSTOM_A |\n| CUSTOM_B |\n+----------+\n"},
		{"node-remove-trait NAME CUSTOM_B", "Node NAME: traits removed.\n"},
		{"--format csv node-show NAME --fields traits", "traits\n\"[\"\"CUSTOM_A\"\"]\"\n"},
		{"node-trait-remove NAME --all", "Node NAME: traits removed.\n"},
		{"--format csv node-trait-list NAME", "traits\n"},
		{"node-boot-device-set NAME pxe --persistent", "Node NAME: boot device set.\n"},
		{"--format csv node-boot-device-show NAME", "boot_device,persistent\npxe,false\n"},
		{"--format csv node-get-boot-device NAME --supported", "supported_boot_devices\n\"[\"\"pxe\"\"]\"\n"},
		{"node-console-enable NAME --wait 60", "Node NAME: now \"console enabled\".\n"},
		{"--format csv node-console-show NAME", "console_enabled,console_info\ntrue,{}\n"},
		{"node-console-disable NAME --wait 60", "Node NAME: now \"console disabled\".\n"},
		{"node-provision NAME manage --wait 60", "Node NAME: now \"manageable\".\n"},
		{"--format csv node-list --fields name --retired false --description-contains 'the cellar' --all", "name\nNAME\n"},
		{"--format csv node-list --fields name --retired true --description-contains 'the cellar'", "name\n"},
		{"node-provision NAME provide --wait 60", "Node NAME: now \"available\".\n"},
		{"node-provision NAME deploy --wait 60 --config-drive " + filepath.Dir(filepath.Dir(drive)), "Node NAME: now \"active\".\n"},
		{"node-provision NAME undeploy --wait 60", "Node NAME: now \"available\".\n"},
	} {
		line := strings.ReplaceAll(c.line, "NAME", name)
		if got := a.must(t, line); got != strings.ReplaceAll(c.want, "NAME", name) {
			t.Errorf("%s:\n%s", line, got)
		}
	}
	// What was done before a trait was refused.
	for _, c := range [][2]string{
		{"node-trait-add NAME CUSTOM_D NO_SUCH_TRAIT CUSTOM_E CUSTOM_F", "; already added: CUSTOM_D; not tried: CUSTOM_E, CUSTOM_F"},
		{"node-trait-remove NAME CUSTOM_D CUSTOM_Z", "; already removed: CUSTOM_D"},
	} {
		if got := a.fails(t, strings.ReplaceAll(c[0], "NAME", name)); !strings.Contains(got, c[1]) {
			t.Errorf("%s:\n%s\nwant %s", c[0], got, c[1])
		}
	}
	for line, want := range map[string]string{
		"node-trait-add NAME":                                                      "the following arguments are required: <trait>",
		"node-trait-add NAME CUSTOM_C custom":                                      `argument <trait>: "custom" ... trait ... 255 capital letters`,
		"node-update NAME properties/cpus=-1":                                      "properties: cpus ... -1 ... whole numbers",
		"node-create -d fake-hardware --resource-class " + strings.Repeat("x", 81): "resource_class: ... 81 ... 80",
		"node-maintenance NAME true --reason " + strings.Repeat("x", 4097):         "maintenance_reason: ... 4097 ... 4096",
		"node-show NAME --os-ironic-api-version 1.58":                              "unrecognized arguments: --os-ironic-api-version 1.58 ... --iotronic-api-version",
		"node-list --ironic-url=http://x":                                          "unrecognized arguments: --ironic-url=http://x ... --iotronic-url",
		"port-show 52:54:00:30:00:0e":                                              "GET /v1/ports: 404 Not Found: no port ... 52:54:00:30:00:0e",
		"node-trait-remove NAME CUSTOM_Z":                                          "404 Not Found: ",
		"node-trait-remove NAME":                                                   "traits or --all",
		"node-trait-list NAME --iotronic-api-version 1.36":                         "traits (since 1.37)",
		"node-boot-device-set NAME disk":                                           "400 Bad Request: ",
		"node-inject-nmi NAME":                                                     "does not support inject_nmi",
		"node-boot-mode-set NAME efi":                                              "invalid choice",
		"node-inventory NAME":                                                      "404 Not Found: ",
		"node-list --instance-name x --iotronic-api-version 1.82":                  "API version 1.82 ... instance_name (since 1.104)",
	} {
		line = strings.ReplaceAll(line, "NAME", name)
		if got := a.fails(t, line); !wording.Has(got, want) || strings.Contains(got, "did you mean \""+name) {
			t.Errorf("%s:\n%s\nwant %s", line, got, want)
		}
	}
	// One on which something is deployed can be deleted in maintenance, and is asked about.
	a.must(t, "node-provision "+name+" active --wait 60")
	a.must(t, "node-maintenance "+name+" true")
	if got := a.must(t, "node-delete --dry-run "+name); got != "Would delete node "+name+" with 0 ports, while it is active.\n" {
		t.Error(got)
	}
	if got := a.fails(t, "node-delete "+name); !wording.Has(got, "deployed on "+name+" (active)") || !strings.Contains(got, "--yes") {
		t.Error(got)
	}
	a.must(t, "node-delete --yes "+name)
}

// TestIronicChassisAndAllocations: where nodes stand, and who asks for one, on the command line.
func TestIronicChassisAndAllocations(t *testing.T) {
	t.Parallel()
	a, _ := onIronic(t)
	uuid := func(line string) string {
		t.Helper()
		header, row, _ := strings.Cut(a.must(t, "--format csv "+line), "\n")
		at := slices.Index(strings.Split(header, ","), "uuid")
		if at < 0 {
			t.Fatalf("%s: %s", line, header)
		}
		return strings.Split(strings.TrimSpace(row), ",")[at]
	}
	a.must(t, "chassis-create --description cli-rack -u 00000030-0000-4000-8000-000000000030 -e rack=b7")
	chassis := uuid("chassis-show 00000030-0000-4000-8000-000000000030 --fields uuid")
	a.must(t, "chassis-update "+chassis+" description=cli-rack-2 extra/rack=c9")
	if got := a.must(t, "--format csv chassis-show "+chassis+" --fields description extra"); got != "description,extra\ncli-rack-2,\"{\"\"rack\"\":\"\"c9\"\"}\"\n" {
		t.Error(got)
	}
	if got := a.must(t, "chassis-list --all"); !strings.Contains(got, "| UUID                                 | Description |") {
		t.Error(got)
	}
	a.must(t, "node-create -n cli-allocated -d "+openstacktest.IronicDriver+" --resource-class cli-allocated -c "+chassis)
	if got := a.must(t, "--format csv node-list --fields name --chassis "+chassis); got != "name\ncli-allocated\n" {
		t.Error(got)
	}
	for _, line := range []string{"node-trait-add cli-allocated CUSTOM_CLI", "node-provision cli-allocated manage --wait 60", "node-power cli-allocated on --wait 60", "node-provision cli-allocated provide --wait 60"} {
		a.must(t, line)
	}
	a.must(t, "allocation-create -n cli-wanted --resource-class cli-allocated --trait CUSTOM_CLI --candidate-node cli-allocated -e for=tests --wait 60")
	if got := a.must(t, "--format csv allocation-list --fields name state --resource-class cli-allocated"); got != "name,state\ncli-wanted,active\n" {
		t.Error(got)
	}
	a.must(t, "allocation-update cli-wanted name=cli-given extra/for=")
	if got := a.must(t, "--format csv allocation-show cli-given --fields extra traits node_uuid"); !strings.HasPrefix(got, "extra,node_uuid,traits\n{},") || !strings.Contains(got, "CUSTOM_CLI") {
		t.Error(got)
	}
	for line, want := range map[string]string{
		"allocation-list --iotronic-api-version 1.51":                   "allocations (since 1.52)",
		"allocation-update x name=y --iotronic-api-version 1.56":        "changes of allocations (since 1.57)",
		"allocation-create -n x":                                        "400 Bad Request: ",
		"allocation-create -n x --resource-class x --wait -1":           "Invalid wait specified.",
		"allocation-create -n cli-none --resource-class none --wait 60": "no available nodes ... none",
		"allocation-delete nothing":                                     "Failed to delete allocation nothing: ",
		"chassis-show 00000031-0000-4000-8000-000000000030":             "could not be found",
	} {
		if got := a.fails(t, line); !wording.Has(got, want) {
			t.Errorf("%s:\n%s\nwant %s", line, got, want)
		}
	}
	a.must(t, "allocation-delete cli-given cli-none")
	a.must(t, "node-delete cli-allocated")
	if got := a.must(t, "chassis-delete "+chassis); got != "Chassis "+chassis+" was successfully deleted.\n" {
		t.Error(got)
	}
}

// TestIronicParts: what a node has beside ports: port groups, volumes, virtual interfaces, BIOS settings and history;
// and what Ironic keeps of steps.
func TestIronicParts(t *testing.T) {
	t.Parallel()
	a, _ := onIronic(t)
	const name = "cli-parts"
	a.must(t, "node-create -n "+name+" -d "+openstacktest.IronicDriver)
	node := strings.TrimSpace(strings.TrimPrefix(a.must(t, "--format csv node-show "+name+" --fields uuid"), "uuid\n"))
	const group, connector, target = "00000060-0000-4000-8000-000000000001", "00000060-0000-4000-8000-000000000002", "00000060-0000-4000-8000-000000000003"
	settings := `[{"interface": "bios", "step": "apply_configuration", "args": {"settings": [{"name": "boot", "value": "uefi"}, {"name": "sriov", "value": "on"}]}}]`
	for _, c := range []struct{ line, want string }{
		{"portgroup-create --node NAME -a 52:54:00:60:00:01 --name cli-bond --mode 802.3ad -p miimon=100 --standalone-ports-supported false -u " + group, ""},
		{"--format csv portgroup-list --node NAME", "uuid,address,name\n" + group + ",52:54:00:60:00:01,cli-bond\n"},
		{"--format csv portgroup-show cli-bond --fields mode properties standalone_ports_supported node_uuid", "mode,node_uuid,properties,standalone_ports_supported\n802.3ad,UUID,\"{\"\"miimon\"\":100}\",false\n"},
		{"portgroup-update cli-bond properties/miimon=50 name=cli-bond-2", ""},
		{"--format csv portgroup-list --address 52:54:00:60:00:01 --fields name properties", "name,properties\ncli-bond-2,\"{\"\"miimon\"\":50}\"\n"},
		{"port-create -n NAME -a 52:54:00:60:00:02 --portgroup " + group, ""},
		{"--format csv port-list --portgroup cli-bond-2 --fields address", "address\n52:54:00:60:00:02\n"},
		{"port-delete 52:54:00:60:00:02", "Port 52:54:00:60:00:02 was successfully deleted.\n"},
		{"portgroup-delete cli-bond-2", "Portgroup cli-bond-2 was successfully deleted.\n"},
		{"volume-connector-create --node NAME --type iqn --connector-id iqn.2017-07.org.example:cli -u " + connector, ""},
		{"--format csv volume-connector-list --node NAME", "uuid,node_uuid,type,connector_id\n" + connector + ",UUID,iqn,iqn.2017-07.org.example:cli\n"},
		{"volume-target-create --node NAME --volume-type iscsi --volume-id v1 --boot-index 0 -p target_portal=192.0.2.9:3260 -u " + target, ""},
		{"--format csv volume-target-list --node NAME", "uuid,node_uuid,volume_type,boot_index,volume_id\n" + target + ",UUID,iscsi,0,v1\n"},
		{"node-power NAME off --wait 60", ""}, // else Ironic changes none
		{"volume-target-update " + target + " extra/a=b", ""},
		{"--format csv volume-target-show " + target + " --fields extra properties", "extra,properties\n\"{\"\"a\"\":\"\"b\"\"}\",\"{\"\"target_portal\"\":\"\"192.0.2.9:3260\"\"}\"\n"},
		{"volume-target-delete " + target, "Volume target " + target + " was successfully deleted.\n"},
		{"volume-connector-delete " + connector, "Volume connector " + connector + " was successfully deleted.\n"},
		{"node-vif-attach NAME vif-1 --vif-info network=n1", "Node NAME: virtual interface attached.\n"},
		{"--format csv node-vif-list NAME", "id\n"}, // the network of the fake hardware forgets it
		{"node-vif-detach NAME vif-1", "Node NAME: virtual interface detached.\n"},
		{"node-provision NAME manage --wait 60", "Node NAME: now \"manageable\".\n"},
		{"node-provision NAME clean --wait 60 --clean-steps '" + settings + "'", "Node NAME: now \"manageable\".\n"},
		{"--format csv node-bios-setting-list NAME", "name,value\nboot,uefi\nsriov,on\n"},
		{"--format csv node-bios-setting-list NAME --detail", "name,value,attribute_type,allowable_values,lower_bound,min_length,max_length,read_only,reset_required,unique,upper_bound\nboot,uefi,,[],,,,,,,\nsriov,on,,[],,,,,,,\n"},
		{"deploy-template-create --name CUSTOM_CLI_PARTS --steps '[{\"interface\": \"bios\", \"step\": \"factory_reset\", \"args\": {}, \"priority\": 50}]'", ""},
		{"--format csv deploy-template-show CUSTOM_CLI_PARTS --fields name steps", "name,steps\nCUSTOM_CLI_PARTS,\"[{\"\"interface\"\":\"\"bios\"\",\"\"step\"\":\"\"factory_reset\"\",\"\"args\"\":{},\"\"priority\"\":50}]\"\n"},
		{"deploy-template-delete CUSTOM_CLI_PARTS", "Deploy template CUSTOM_CLI_PARTS was successfully deleted.\n"},
	} {
		line, want := strings.ReplaceAll(c.line, "NAME", name), strings.NewReplacer("NAME", name, "UUID", node).Replace(c.want)
		if got := a.must(t, line); c.want != "" && got != want {
			t.Errorf("%s:\n%s\nwant %s", line, got, want)
		}
	}
	if got := a.must(t, "node-bios-setting-show "+name+" boot"); !strings.Contains(got, "| value ") || !strings.Contains(got, "| uefi") {
		t.Error(got)
	}
	a.fails(t, "node-provision "+name+" clean --wait 60 --clean-steps '[{\"interface\": \"bios\", \"step\": \"nonsense\"}]'")
	header, row, _ := strings.Cut(a.must(t, "--format csv node-history-list "+name), "\n")
	if header != "uuid,created_at,severity,event" || !strings.Contains(row, ",ERROR,") || !strings.Contains(row, "nonsense") {
		t.Errorf("%s\n%s", header, row)
	}
	event, _, _ := strings.Cut(row, ",")
	if got := a.must(t, "--format json node-history-get "+name+" "+event); !strings.Contains(got, `"event_type": "`) || !strings.Contains(got, `"conductor": "localhost"`) {
		t.Error(got)
	}
	if got := a.must(t, "--format csv node-history-list "+name+" --detail"); !strings.HasPrefix(got, "uuid,created_at,severity,event_type,event,conductor,user,") || !strings.Contains(got, "localhost") {
		t.Error(got)
	}
	for line, want := range map[string]string{
		"node-bios-setting-show NAME nothing":                               "404 Not Found: ",
		"node-history-show NAME " + group:                                   "404 Not Found: ",
		"node-history-list NAME --iotronic-api-version 1.77":                "the history of nodes (since 1.78)",
		"node-vif-list NAME --iotronic-api-version 1.27":                    "virtual interfaces of nodes (since 1.28)",
		"node-vif-attach NAME v --port-uuid x --iotronic-api-version 1.66":  "port_uuid (since 1.67)",
		"portgroup-list --iotronic-api-version 1.22":                        "portgroups (since 1.23)",
		"portgroup-create --node NAME --mode x --iotronic-api-version 1.25": "mode (since 1.26)",
		"deploy-template-create --name CUSTOM_X --steps {}":                 "argument --steps: ... JSON list ... file",
		"volume-connector-show 00000061-0000-4000-8000-000000000001":        "404 Not Found: ",
	} {
		line = strings.ReplaceAll(line, "NAME", name)
		if got := a.fails(t, line); !wording.Has(got, want) {
			t.Errorf("%s:\n%s\nwant %s", line, got, want)
		}
	}
	a.must(t, "node-provision "+name+" manage --wait 60")
	a.must(t, "node-delete "+name)
}

// TestIronicRedfish: a machine that is managed by Redfish on the command line; after each step the machine itself is
// asked.
func TestIronicRedfish(t *testing.T) {
	t.Parallel()
	m := openstacktest.NewRedfish(t)
	a := endpoint{openstacktest.NewIronic(t, openstacktest.IronicRedfish()).URL, ""}
	a.must(t, "node-create -n machine -d redfish -i redfish_address="+m.URL+" -i redfish_system_id="+m.System+" -i redfish_username="+m.User+" -i redfish_password="+m.Password)
	for _, c := range []struct{ line, want, power, device, enabled, mode string }{
		{"node-provision machine manage --wait 60", "Node machine: now \"manageable\".\n", "Off", "Hdd", "Continuous", "UEFI"},
		{"node-provision machine provide --wait 60", "Node machine: now \"available\".\n", "Off", "Hdd", "Continuous", "UEFI"},
		{"node-power machine on --wait 60", "Node machine: now \"power on\".\n", "On", "Hdd", "Continuous", "UEFI"},
		{"node-boot-device-set machine pxe", "Node machine: boot device set.\n", "On", "Pxe", "Once", "UEFI"},
		{"--format csv node-boot-device-show machine", "boot_device,persistent\npxe,false\n", "On", "Pxe", "Once", "UEFI"},
		{"node-power machine reboot --wait 60", "Node machine: now \"power on\".\n", "On", "None", "Disabled", "UEFI"},
		{"node-boot-device-set machine cdrom --persistent", "Node machine: boot device set.\n", "On", "Cd", "Continuous", "UEFI"},
		{"--format csv node-boot-device-show machine", "boot_device,persistent\ncdrom,true\n", "On", "Cd", "Continuous", "UEFI"},
		{"node-power machine off --soft --wait 60", "Node machine: now \"power off\".\n", "Off", "Cd", "Continuous", "UEFI"},
		{"node-delete --yes machine", "Node machine was successfully deleted.\n", "Off", "Cd", "Continuous", "UEFI"},
	} {
		if got := a.must(t, c.line); got != c.want {
			t.Errorf("%s:\n%s", c.line, got)
		}
		state, err := m.State(t.Context())
		if want := (openstacktest.RedfishState{Power: c.power, Device: c.device, Enabled: c.enabled, BootMode: c.mode}); err != nil || state != want {
			t.Errorf("%s: the machine is %v (%v)", c.line, state, err)
		}
	}
}
