package cli_test

import (
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/internal/skip"
	"github.com/craton-fleet/craton/internal/wording"
)

// exchange is a command line and what it prints, with ... for what differs; "" where that does not matter.
type exchange struct{ line, want string }

// all runs command lines, with NAME for a node, and compares what they print.
func (a endpoint) all(t *testing.T, name string, lines []exchange) {
	t.Helper()
	for _, e := range lines {
		line, want := strings.ReplaceAll(e.line, "NAME", name), strings.ReplaceAll(e.want, "NAME", name)
		if got := a.must(t, line); want != "" && got != want {
			t.Errorf("%s:\n%swant:\n%s", line, got, want)
		}
	}
}

// refused runs command lines that fail, and looks for words in their errors.
func (a endpoint) refused(t *testing.T, name string, lines []exchange) {
	t.Helper()
	for _, e := range lines {
		line := strings.ReplaceAll(e.line, "NAME", name)
		if got := a.fails(t, line); !wording.Has(got, e.want) {
			t.Errorf("%s:\n%s\nwant %s", line, got, e.want)
		}
	}
}

// TestIronicLacks: what a version of Ironic does not have is named, with the version that has it.
func TestIronicLacks(t *testing.T) {
	t.Parallel()
	a, _ := onIronic(t)
	const uuid, step = "00000062-0000-4000-8000-000000000001", ` --steps '[{"interface": "bios", "step": "factory_reset", "args": {}, "order": 1}]'`
	a.must(t, "node-create -n cli-lacks -d "+openstacktest.IronicDriver)
	a.refused(t, "cli-lacks", []exchange{
		{"node-create -d fake-hardware --parent-node " + uuid + " --disable-power-off true --iotronic-api-version 1.82", "API version 1.82 ... disable_power_off (since 1.95), parent_node (since 1.83);"},
		{"node-update NAME --parent-node " + uuid + " --iotronic-api-version 1.82", "parent_node (since 1.83)"},
		{"node-update NAME --disable-power-off false --iotronic-api-version 1.82", "disable_power_off (since 1.95)"},
		{"node-update NAME parent_node=x --parent-node " + uuid, "parent_node is changed twice"},
		{"node-update NAME --parent-node cli-lack", "Node cli-lack could not be found"},
		{"runbook-list --iotronic-api-version 1.82", "runbooks (since 1.92)"},
		{"runbook-show CUSTOM_A --iotronic-api-version 1.82", "runbooks (since 1.92)"},
		{"runbook-delete CUSTOM_A --iotronic-api-version 1.82", "runbooks (since 1.92)"},
		{"runbook-create --name CUSTOM_A --description d --iotronic-api-version 1.111" + step, "description (since 1.112)"},
		{"runbook-create --name nightly --iotronic-api-version 1.111" + step, "runbook names ... traits (since 1.112)"},
		{"runbook-update CUSTOM_A name=nightly --iotronic-api-version 1.111", "runbook names ... traits (since 1.112)"},
		{"runbook-list --fields traits --iotronic-api-version 1.111", "traits (since 1.112)"},
		{"runbook-trait-list CUSTOM_A --iotronic-api-version 1.111", "traits of runbooks (since 1.112)"},
		{"runbook-trait-add CUSTOM_A CUSTOM_B --iotronic-api-version 1.111", "traits of runbooks (since 1.112)"},
		{"runbook-trait-remove CUSTOM_A --all --iotronic-api-version 1.111", "traits of runbooks (since 1.112)"},
		{"node-provision NAME service --runbook x --iotronic-api-version 1.86", "runbook (since 1.92), service (since 1.87)"},
		{"node-provision NAME service --service-steps [] --disable-ramdisk --iotronic-api-version 1.107", "disable_ramdisk (since 1.108)"},
		{"node-provision NAME active --runbook x", "--runbook is only valid with clean and service"},
		{"portgroup-create --node NAME --json '{\"category\": \"x\"}' --iotronic-api-version 1.35", "category (since 1.103)"},
		{"node-list --sort-key shard --iotronic-api-version 1.81", "shard (since 1.82)"},
		{"node-firmware-list NAME --iotronic-api-version 1.85", "the firmware of nodes (since 1.86)"},
	})
	if openstacktest.NewestIronic() {
		return
	}
	// Where nobody has set the version, a later one is none that could be set.
	a.refused(t, "cli-lacks", []exchange{{"runbook-list", "API version 1.82 ... runbooks (since 1.92) ... leave ... out ... an Ironic that has it"}})
	a.must(t, "node-delete cli-lacks")
}

// TestIronicNewest: what Debian's Ironic does not have yet.
func TestIronicNewest(t *testing.T) {
	t.Parallel()
	if !openstacktest.NewestIronic() {
		skip.Target(t, "newest-ironic", "an Ironic that has all of this")
	}
	i := openstacktest.NewIronic(t)
	a := endpoint{i.URL, ""}
	const name, steps = "cli-newest", `'[{"interface": "bios", "step": "factory_reset", "args": {}, "order": 1}]'`
	a.all(t, name, []exchange{
		// Nodes that are parts of others, and whose power stays on.
		{"node-create -n NAME -d " + openstacktest.IronicDriver, ""},
		{"node-create -n NAME-part -d " + openstacktest.IronicDriver + " --parent-node NAME --disable-power-off true", ""},
		{"--format csv node-list --parent-node NAME --fields name disable_power_off", "name,disable_power_off\nNAME-part,true\n"},
		{"node-update NAME-part --disable-power-off false description=part", ""},
		{"--format csv node-show NAME-part --fields description disable_power_off", "description,disable_power_off\npart,false\n"},
		{"node-update NAME-part parent_node=", ""},
		{"--format csv node-show NAME-part --fields parent_node", "parent_node\n\n"},
		{"node-update NAME-part --parent-node NAME", ""},
		{"--format csv node-list --parent-node NAME --fields name", "name\nNAME-part\n"},
		{"node-delete NAME-part", "Node NAME-part was successfully deleted.\n"},
		{"--format csv node-firmware-list NAME", "component,initial_version,current_version,last_version_flashed,vendor,model,serial_number,created_at,updated_at\n"},
	})
	for _, c := range [][]string{{"bios", "1.0", "2.3", "Example"}, {"bmc", "4.0", "4.1", ""}} {
		if err := i.Firmware(t.Context(), name, c[0], c[1], c[2], c[3]); err != nil {
			t.Fatal(err)
		}
	}
	firmware := a.must(t, "--format json node-firmware-list "+name)
	for _, want := range []string{`"component": "bios"`, `"initial_version": "1.0"`, `"current_version": "2.3"`, `"vendor": "Example"`, `"component": "bmc"`} {
		if !strings.Contains(firmware, want) {
			t.Errorf("no %s in %s", want, firmware)
		}
	}
	if old := a.must(t, "--format json node-firmware-list "+name+" --iotronic-api-version 1.113"); strings.Contains(old, "Example") || !strings.Contains(old, `"current_version": "2.3"`) {
		t.Error(old)
	}
	a.all(t, name, []exchange{
		// Runbooks: named and found by their traits, changed, run, and gone.
		{"runbook-create --name nightly --steps " + steps + " --description 'each night' -e team=metal", ""},
		{"--format csv runbook-show nightly --fields name description disable_ramdisk public owner traits", "description,disable_ramdisk,name,owner,public,traits\neach night,false,nightly,,false,[]\n"},
		{"runbook-trait-add nightly CUSTOM_B CUSTOM_A", "Runbook nightly: traits added.\n"},
		{"--format csv runbook-trait-list nightly", "traits\nCUSTOM_A\nCUSTOM_B\n"},
		{"runbook-trait-remove nightly CUSTOM_B", "Runbook nightly: traits removed.\n"},
		{"runbook-trait-remove nightly CUSTOM_B", "Runbook nightly: traits removed.\n"}, // Ironic calls that done
		{"--format csv runbook-list --fields name traits", "name,traits\nnightly,\"[\"\"CUSTOM_A\"\"]\"\n"},
		{"runbook-update nightly description=weekly extra/team=bmc public=true", ""},
		{"--format csv runbook-show nightly --fields description extra public", "description,extra,public\nweekly,\"{\"\"team\"\":\"\"bmc\"\"}\",true\n"},
		{"node-provision NAME manage --wait 60", "Node NAME: now \"manageable\".\n"},
	})
	a.refused(t, name, []exchange{
		{"node-provision NAME clean --runbook nightly", "does not have any of the runbook's traits"},
		{"node-provision NAME clean --runbook nothing", "404 Not Found"},
		{"runbook-create --name nightly --steps " + steps, "409 Conflict"},
		{"runbook-create --name other --steps []", "400 Bad Request"},
		{"runbook-show nigthly", "did you mean \"nightly\"?"},
	})
	a.all(t, name, []exchange{
		{"node-trait-add NAME CUSTOM_A", ""},
		{"node-provision NAME clean --runbook nightly --wait 60", "Node NAME: now \"manageable\".\n"},
		{"runbook-trait-remove nightly --all", "Runbook nightly: traits removed.\n"},
		{"--format csv runbook-trait-list nightly", "traits\n"},
		// Before 1.112 the name is the trait.
		{"runbook-create --name CUSTOM_A --steps " + steps + " --iotronic-api-version 1.111", ""},
		{"node-provision NAME clean --runbook CUSTOM_A --wait 60 --iotronic-api-version 1.111", "Node NAME: now \"manageable\".\n"},
		{"--format csv runbook-list --fields name --sort-key name", "name\nCUSTOM_A\nnightly\n"},
		{"runbook-delete nightly CUSTOM_A", "Runbook nightly was successfully deleted.\nRunbook CUSTOM_A was successfully deleted.\n"},
		{"--format csv runbook-list", "uuid,name\n"},
		{"node-delete NAME", ""},
	})
}
