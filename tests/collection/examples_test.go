package collection_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamples: the playbooks of examples/modules build a fleet, change it and remove it; each changes something the
// first time and nothing the second time: in a file, and on a server whose credentials come from the environment, with
// the oldest release, or from a vault by the module_defaults of the group, with the newest.
func TestExamples(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		s := h.serve(t)
		var plain, defaults []string
		for _, name := range []string{"build.yml", "change.yml", "remove.yml"} {
			file := filepath.Join(root, "examples", "modules", name)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			const last = "  gather_facts: false\n"
			if strings.Count(string(text), last) != 1 {
				t.Fatalf("%s is not one play", name)
			}
			told := h.write(t, name, strings.Replace(string(text), last, last+`  module_defaults:
    group/craton.fleet.craton: {url: "{{ url }}", username: "{{ username }}", password: "{{ password }}", project_id: "{{ project_id }}"}
`, 1))
			plain, defaults = append(plain, file, file), append(defaults, told, told)
		}
		vault := h.write(t, "connection.yml", s.vars())
		h.run(t, "ansible-vault", "encrypt", "--vault-password-file", h.vaultPassword(t), vault)

		for way, c := range map[string]struct {
			run       bool
			env, args []string
		}{
			"a file":          {true, []string{"CRATON_URL=" + h.fleet}, plain},
			"environment":     {h.oldest, s.env(), plain},
			"module_defaults": {h.newest, nil, append([]string{"-e", "@" + vault, "--vault-password-file", h.vaultPassword(t)}, defaults...)},
		} {
			if !c.run {
				continue
			}
			out := h.runWith(t, c.env, "ansible-playbook", append([]string{"-i", "localhost,"}, c.args...)...)
			if strings.Contains(out, s.password) {
				t.Errorf("%s: the password is shown", way)
			}
			plays := strings.Split(out, "\nPLAY [")[1:]
			if len(plays) != len(plain) {
				t.Fatalf("%s: %d plays:\n%s", way, len(plays), out)
			}
			for i, play := range plays {
				if again, changed := i%2 == 1, strings.Contains(play, "\nchanged: "); changed == again {
					t.Errorf("%s, %s, a second time %v:\n%s", way, filepath.Base(plain[i]), again, play)
				}
			}
		}
	})
}
