package ansible_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// random writes an inventory of groups, hosts and variables with every kind of conflict that Ansible resolves: by
// depth, priority, name, and position.
func random(t *rapid.T, dir string) (args []string) {
	groups := rapid.IntRange(1, 9).Draw(t, "groups")
	hosts := rapid.IntRange(1, 12).Draw(t, "hosts")
	name := func(i int) string {
		return []string{"site_a", "web", "db", "dc1", "east", "label_web", "rack-7", "z", "craton", "cloud_x"}[i]
	}
	host := func(i int) string {
		return []string{"h1", "h2", "h3.example.net", "10.0.0.4", "h5", "localhost", "web-7", "h8", "::8", "h9", "h10", "UPPER"}[i]
	}
	values := []string{"1", "2.5", "text", "\"{{ x }}\"", "!unsafe \"{{ u }}\"", "[1, two, null]", "{a: {b: yes}}", "null", "1e3", "1.0e+16", "\"{\"", ".nan", "\"#\"", "!unsafe plain", "{\"{{ k }}\": 1}", "\"é ☃\"", "\"0644\"", "9007199254740993"}
	vars := func(label string) string {
		var all []string
		for _, k := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "ntp", "ansible_host", "craton", "a-b"}), 0, 4, rapid.ID).Draw(t, label) {
			v := rapid.SampledFrom(values).Draw(t, label+k)
			if k == "ansible_host" {
				v = rapid.SampledFrom([]string{"10.9.9.9", "\"{{ x }}\"", "name.example.net", "\"2001:DB8::1\""}).Draw(t, label+k)
			}
			all = append(all, k+": "+v)
		}
		return "{" + strings.Join(all, ", ") + "}"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "all:\n  vars: %s\n  hosts:\n", vars("all"))
	for i := range hosts {
		fmt.Fprintf(&b, "    %q: %s\n", host(i), vars("host"))
	}
	b.WriteString("  children:\n")
	for g := range groups {
		own := vars("group")
		if rapid.Bool().Draw(t, "has priority") {
			own = strings.Replace(own, "{", fmt.Sprintf("{ansible_group_priority: %d, ", rapid.IntRange(1, 4).Draw(t, "priority")), 1)
		}
		fmt.Fprintf(&b, "    %s:\n      vars: %s\n      hosts:\n", name(g), own)
		for i := range hosts {
			if rapid.IntRange(0, 2).Draw(t, "in") == 0 {
				fmt.Fprintf(&b, "        %q: {}\n", host(i))
			}
		}
		b.WriteString("      children:\n")
		for c := g + 1; c < groups; c++ {
			if rapid.IntRange(0, 3).Draw(t, "child") == 0 {
				fmt.Fprintf(&b, "        %s: {}\n", name(c))
			}
		}
	}
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("hosts.yml", b.String())
	for g := range groups {
		if rapid.IntRange(0, 2).Draw(t, "group_vars") == 0 {
			write("group_vars/"+name(g)+".yml", vars("file")+"\n")
		}
	}
	if rapid.Bool().Draw(t, "all file") {
		write("group_vars/all.yml", vars("all file")+"\n")
	}
	if rapid.Bool().Draw(t, "host file") {
		write("host_vars/h1.yml", vars("host file")+"\n")
	}
	args = []string{"import", "ansible", "-i", "hosts.yml", "--templates", "keep", "--vault", "keep", "--unsafe", "keep", "--output", "out", "--force"}
	switch rapid.IntRange(0, 3).Draw(t, "map") {
	case 0:
		args = append(args, "--map", "none")
	case 1:
		args = append(args, "--map", "cloud="+name(rapid.IntRange(0, groups-1).Draw(t, "cloud")))
	case 2:
		args = append(args, "--map", "region="+name(rapid.IntRange(0, groups-1).Draw(t, "region")))
		if cell := name(rapid.IntRange(0, groups-1).Draw(t, "cell")); !strings.HasSuffix(args[len(args)-1], "="+cell) {
			args = append(args, "--map", "cell="+cell)
		}
	}
	if rapid.Bool().Draw(t, "all stays") {
		args = append(args, "--all", "group_vars")
	}
	return args
}

// TestImportRandom: after the import of any inventory, every host has the same variables as before, according to
// Ansible. CRATON_TEST_SEEDS=100-200 runs many seeds, so that a long run can be done in parts; with -v it reports the
// progress.
func TestImportRandom(t *testing.T) {
	t.Parallel()
	first, few := 0, 2 // each takes Ansible some seconds
	if os.Getenv("CRATON_TEST_PROOF") != "" {
		few = 200
	}
	if part := os.Getenv("CRATON_TEST_SEEDS"); part != "" {
		if _, err := fmt.Sscanf(part, "%d-%d", &first, &few); err != nil {
			t.Fatal(err)
		}
	}
	withAnsible(t, func(t *testing.T, r release) {
		for seed := first; seed < few; seed++ {
			if seed%10 == 0 {
				t.Logf("seed %d of %d", seed, few)
			}
			i := newImporting(t, r, nil)
			args := rapid.Custom(func(t *rapid.T) []string { return random(t, i.dir) }).Example(seed + len(r.version)*1000)
			if out, err := i.run(t, "craton", args...); err != nil || !strings.Contains(out, "differences  none") {
				t.Errorf("seed %d: craton %s: %v\n%s\n%s", seed, strings.Join(args, " "), err, out, i.read(t, "hosts.yml"))
			}
		}
	})
}
