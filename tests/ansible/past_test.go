package ansible_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestPast: a play runs on a past inventory, with hosts that no longer exist, and gets the variables of that time.
func TestPast(t *testing.T) {
	t.Parallel()
	url := load(t, filepath.Join(root, "examples", "fleet.yml"))
	inventory, craton := filepath.Join(program(t), "craton-inventory"), filepath.Join(program(t), "craton")
	now := environment(t, release{}, "CRATON_URL="+url, "TZ=Asia/Kolkata")
	then := mustRun(t, now, inventory, "--list")
	moment := time.Now().Format(time.RFC3339Nano)
	time.Sleep(10 * time.Millisecond) // the next change is of another time
	mustRun(t, now, craton, "project-vars-set", "default", "role=changed", "ansible_host=192.0.2.7")
	mustRun(t, now, craton, "host-move", "web-ams1", "--region", "fra")
	mustRun(t, now, craton, "cloud-delete", "lab", "--yes")
	told := run(t, now, craton, "host-list", "--at", moment).stderr
	revision := regexp.MustCompile(`^As of .* IST \(revision ([0-9]+-[0-9a-f]+)\):\n$`).FindStringSubmatch(told)
	if revision == nil {
		t.Fatalf("which revision it is was told so: %q", told)
	}
	for _, at := range []string{moment, revision[1], strings.Split(revision[1], "-")[0]} {
		if diff := cmp.Diff(then, mustRun(t, append(now, "CRATON_INVENTORY_AT="+at), inventory, "--list")); diff != "" {
			t.Errorf("as of %s (-then +asked now):\n%s", at, shorten(diff))
		}
	}
	withAnsible(t, func(t *testing.T, r release) {
		for _, layout := range []string{"merged", "layered"} {
			env := environment(t, r, "CRATON_URL="+url, "CRATON_INVENTORY_VARS="+layout, "CRATON_INVENTORY_AT="+revision[1])
			out := mustRun(t, env, "ansible-playbook", "-i", inventory, filepath.Join(root, "examples", "site.yml"))
			if recap := regexp.MustCompile(`(?m)^(\S+) +: ok=\d+ +changed=0 +unreachable=0 +failed=0 `).FindAllString(out, -1); len(recap) != 24 {
				t.Errorf("%s: %d hosts of 24 finished well:\n%s", layout, len(recap), out)
			}
		}
		out := run(t, environment(t, r, "CRATON_URL="+url, "CRATON_INVENTORY_AT=1999-12-31"), "ansible-playbook", "-i", inventory, filepath.Join(root, "examples", "site.yml"))
		if all := strings.Join(strings.Fields(out.stdout+out.stderr), " "); out.code == 0 || !strings.Contains(all, "the inventory as of 1999-12-31 00:00:00 UTC: The change log begins at ") {
			t.Errorf("before the log began: exit %d\n%s", out.code, all)
		}
	})
}
