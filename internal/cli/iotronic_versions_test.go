package cli_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/openstacktest"
)

// TestIronicVersions: in the first version of the API, two of old releases, the last of Debian's Ironic and that of the
// newest, a machine is enrolled, led, listed and removed, and what the version does not have is refused by name.
func TestIronicVersions(t *testing.T) {
	t.Parallel()
	a, _ := onIronic(t)
	minors := []int{1, 35, 43, 82}
	if openstacktest.NewestIronic() {
		minors = append(minors, 115)
	}
	for _, minor := range minors {
		t.Run(fmt.Sprintf("1.%d", minor), func(t *testing.T) {
			t.Parallel()
			uuid, mac, name := fmt.Sprintf("00000000-0000-4000-8001-%012d", minor), fmt.Sprintf("52:54:00:83:00:%02x", minor), fmt.Sprintf("cli-version-%d", minor)
			words := strings.NewReplacer("UUID", uuid, "MAC", mac, "NAME", name)
			line := func(text string) string {
				return words.Replace(text) + fmt.Sprintf(" --iotronic-api-version 1.%d", minor)
			}
			a.must(t, line("node-create -d "+openstacktest.IronicDriver+" -u UUID -i a=1 -p cpus=4 -e rack=b7"))
			a.must(t, line("port-create -n UUID -a MAC -e cable=c9"))
			for _, c := range [][2]string{
				{"node-show UUID", openstacktest.IronicDriver},
				{"node-port-list UUID", mac},
				{"port-show MAC", "c9"},
				{"node-update UUID extra/rack=b8", "b8"},
				{"node-power UUID on --wait 60", `now "power on".`},
				{"node-power UUID reboot --wait 60", `now "power on".`},
				{"node-maintenance UUID true", "in maintenance."},
				{"node-list --all --maintenance true", uuid},
				{"node-maintenance UUID false", "no longer in maintenance."},
				{"node-validate UUID", "power"},
				{"node-boot-device-show UUID", "pxe"},
				{"node-console-show UUID", "console_enabled"},
				{"driver-properties " + openstacktest.IronicDriver, "B1"},
				{"driver-list", openstacktest.IronicDriver},
				{"node-list --all", uuid},
				{"node-list --all --associated false", uuid},
			} {
				if got := a.must(t, line(c[0])); !strings.Contains(got, c[1]) {
					t.Errorf("%s:\n%s\nwant %s", line(c[0]), got, c[1])
				}
			}
			walk := []string{"active", "deleted"}
			if minor >= 11 {
				walk = []string{"manage", "inspect", "provide", "active", "deleted", "manage"}
			}
			for _, target := range walk {
				a.must(t, line("node-provision UUID "+target+" --wait 60"))
			}
			for text, since := range map[string]int{
				"node-update UUID name=NAME":                     5,
				"node-list --fields uuid":                        8,
				"node-provision UUID manage":                     4,
				"node-provision UUID clean --clean-steps []":     15,
				"node-list --driver d":                           16,
				"node-list --resource-class r":                   21,
				"node-power UUID off --soft":                     27,
				"node-trait-add UUID CUSTOM_A":                   37,
				"node-update UUID automated_clean=false":         47,
				"node-update UUID owner=o":                       50,
				"node-update UUID description=d":                 51,
				"node-update UUID retired=true":                  61,
				"node-update UUID lessee=l":                      65,
				"node-update UUID shard=s":                       82,
				"node-list --parent-node UUID":                   83,
				"node-provision UUID service --service-steps []": 87,
				"port-update MAC name=NAME":                      88,
				"node-update UUID disable_power_off=false":       95,
				"port-update MAC description=d":                  97,
				"port-update MAC vendor=v":                       100,
				"port-update MAC category=c":                     101,
				"node-update UUID instance_name=web":             104,
			} {
				if minor >= since {
					if strings.HasPrefix(text, "node-provision") {
						continue
					}
					a.must(t, line(text))
					continue
				}
				if got := a.fails(t, line(text)); !strings.Contains(got, fmt.Sprintf("API version 1.%d", minor)) {
					t.Errorf("%s:\n%s", line(text), got)
				}
			}
			a.must(t, line("port-delete MAC"))
			a.must(t, line("node-delete UUID"))
		})
	}
}
