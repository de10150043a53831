package collection_test

import (
	"path/filepath"
	"regexp"
	"testing"
)

// TestExamples: the playbooks of examples/modules build a fleet, change it and remove it; each changes something the
// first time and nothing the second time.
func TestExamples(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		changed := regexp.MustCompile(`changed=([0-9]+)`)
		for _, name := range []string{"build", "change", "remove"} {
			for _, again := range []bool{false, true} {
				out := h.runWith(t, []string{"CRATON_URL=" + h.fleet}, "ansible-playbook", "-i", "localhost,",
					filepath.Join(root, "examples", "modules", name+".yml"))
				m := changed.FindStringSubmatch(out)
				if m == nil || (m[1] == "0") != again {
					t.Errorf("%s, a second time %v:\n%s", name, again, out)
				}
			}
		}
	})
}
