package collection_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// vaultPassword is the home's file with the password of its vaults.
func (h *home) vaultPassword(t *testing.T) string {
	t.Helper()
	return h.write(t, "vault-password", "open sesame\n")
}

// TestVault: vaulted values are arguments like others: written into the task, as a variable, and deep in a value;
// what Ansible would hide, the result hides.
func TestVault(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		s := h.serve(t)
		vaulted := h.run(t, "ansible-vault", "encrypt_string", "--vault-password-file", h.vaultPassword(t),
			"-n", "password", "-n", "snmp", "--", s.password, "community-zq4711")
		blocks := map[string]string{}
		for _, m := range regexp.MustCompile(`(?m)^(\w+):( !vault \|\n(?:  +.+\n?)+)`).FindAllStringSubmatch(vaulted, -1) {
			blocks[m[1]] = strings.ReplaceAll(strings.TrimSpace(m[2]), "\n", "\n    ") // deeper than any key below
		}
		if len(blocks) != 2 {
			t.Fatal(vaulted)
		}
		out := h.runWith(t, nil, "ansible-playbook", "-i", "localhost,", "-c", "local", "--vault-password-file", h.vaultPassword(t), "-v", h.write(t, "vault.yml", fmt.Sprintf(`
- hosts: localhost
  gather_facts: false
  vars:
    snmp: %s
  tasks:
    - craton.fleet.craton_cloud:
        name: east
        url: %s
        username: %s
        project_id: %s
        password: %s
        variables: {plain: "{{ snmp }}", deep: {list: ["{{ snmp }}"]}}
      register: made
      no_log: true
    - craton.fleet.craton_cloud:
        name: east
        url: %[2]s
        username: %[3]s
        project_id: %[4]s
        password: %[5]s
        variables:
          literal: %[1]s
      register: literal
      no_log: true
    - ansible.builtin.debug:
        msg: "seen results {{ [made.changed, literal.changed, literal.cloud.variables.plain == snmp, literal.cloud.variables.literal == snmp, literal.cloud.variables.deep.list[0] == snmp] | to_json }}"
`, blocks["snmp"], s.url, s.username, s.project, blocks["password"])))
		if strings.Contains(out, s.password) || strings.Contains(out, "zq4711") {
			t.Errorf("a secret is shown:\n%s", out)
		}
		var results []bool
		seen(t, out, "results", &results)
		for i, r := range results {
			if !r {
				t.Errorf("%d is false:\n%s", i, out)
			}
		}
	})
}
