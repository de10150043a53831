package cli_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/openstacktest"
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
	for line, want := range map[string]string{
		"port-create -n cli-ports":                                  "a port of Ironic needs --address",
		"port-create -a 52:54:00:30:00:03":                          "a port of Ironic needs --node",
		"port-create -n cli-port -a 52:54:00:30:00:03":              `could not be found; did you mean "cli-ports"?`,
		"port-create -n cli-ports -a " + mac:                        "409 Conflict: ",
		"port-show 52:54:00:30:00:0f":                               "no port has the address 52:54:00:30:00:0f; did you mean ",
		"port-create -n cli-ports -a 52:54:00:30:00:03 --name eth0": "in API version 1.82: it does not have name (since 1.88)",
		"port-delete 52:54:00:30:00:0f":                             "Failed to delete port 52:54:00:30:00:0f: ",
		"port-list --fields name":                                   "it does not have name (since 1.88)",
	} {
		if got := a.fails(t, line); !strings.Contains(got, want) {
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
