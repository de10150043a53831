package ansible_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scalars are values as people write them, without quotes unless shown.
var scalars = []string{
	"no", "yes", "On", "OFF", "y", "n", "true", "False", "tRUE", "~", "null", "Null", "none", "",
	"0", "5", "-5", "+5", "007", "0644", "0819", "08", "1_000", "0x1F", "0X1F", "0b11", "0o17", "123456789012345678901234567890", "_1",
	"1.5", "0.10", "5.", ".5", "-.5", "1e3", "1E3", "1.5e3", "1.5e+3", "12e4567", "1.0.0", "10.20.0.11", "1,000", "08:30", "1:60", "52:54:00:ab:cd:ef", "2001:db8::1",
	"2024-01-02", "2024-1-2", "20240102", "a b", "é", "'no'", `"0644"`, `"12:30"`, "'it''s'", `"\u263a \U0001F600"`, "[no, 0819, 0x10]", "{a: no, b: 1e3, c: }", "!!str 5", "!!float 5", "!!int 0x10",
	"|\n      one\n      0644\n", ">-\n      one\n      two\n", "&x {deep: [1e3, on]}", "{<<: *x, more: off}",
}

// TestScalarsEverywhere: the same text has the same value in group_vars, which Ansible reads itself, and in a fleet
// file, through the API and the inventory.
func TestScalarsEverywhere(t *testing.T) {
	t.Parallel()
	var variables strings.Builder
	for i, s := range scalars {
		fmt.Fprintf(&variables, "    v%02d: %s\n", i, s)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	url := load(t, write("fleet.yml", "project:\n  variables:\n"+variables.String()+
		"clouds:\n- name: c\n  regions:\n  - name: r\n    hosts:\n    - {name: web1, ip_address: 192.0.2.1, device_type: server}\n"))
	own := write("own/hosts.ini", "web1\n")
	write("own/group_vars/all.yml", strings.ReplaceAll(variables.String(), "    v", "v"))
	inventory := filepath.Join(program(t), "craton-inventory")
	withAnsible(t, func(t *testing.T, r release) {
		env := environment(t, r, "CRATON_URL="+url, "ANSIBLE_INVENTORY_ENABLED=script,ini")
		hostvars := func(source string) any {
			return unmarked(decode(t, mustRun(t, env, "ansible-inventory", "-i", source, "--list")).hostvars(t))
		}
		want := hostvars(own)
		if n := len(want.(map[string]any)["web1"].(map[string]any)); n != len(scalars) {
			t.Fatalf("Ansible has %d of %d variables", n, len(scalars))
		}
		if diff := cmp.Diff(want, hostvars(inventory), sameNumbers, without(added)); diff != "" {
			t.Errorf("(-group_vars +fleet file):\n%s", diff)
		}
	})
}
