package collection_test

import (
	"strings"
	"testing"
)

// TestNonFiniteNumbers: a task whose argument holds NaN or Infinity fails, names the argument, and writes nothing.
func TestNonFiniteNumbers(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.load(t, "clouds: [{name: east}]\n")
		for number, want := range map[string]string{".nan": "NaN", ".inf": "Infinity", "-.inf": "-Infinity"} {
			file := h.write(t, "numbers.yml", `
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/craton.fleet.craton: {url: "{{ fleet }}"}
  tasks:
    - craton.fleet.craton_cloud: {name: east, variables: {ntp: [one, {share: `+number+`}], other: 1}}
`)
			stdout, stderr, code := h.try(t, nil, "ansible-playbook", "-i", "localhost,", "-c", "local", "-e", "fleet="+h.fleet, file)
			said := strings.Join(strings.Fields(stdout+stderr), " ")
			if wanted := "the argument variables.ntp[1].share is " + want + ","; code == 0 || !strings.Contains(said, wanted) {
				t.Errorf("%s: exit %d, want %q:\n%s%s", number, code, wanted, stdout, stderr)
			}
		}
		out := h.play(t, `
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/craton.fleet.craton: {url: "{{ fleet }}"}
  tasks:
    - craton.fleet.craton_cloud_info: {name: east}
      register: found
    - debug: {msg: "SEEN {{ found.clouds[0].variables | length }}"}
`)
		if !strings.Contains(out, "SEEN 0") {
			t.Errorf("something was written:\n%s", out)
		}
	})
}
