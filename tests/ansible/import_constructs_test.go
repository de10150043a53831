package ansible_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/skip"
)

// forms are ways to write inventories that the other tests do not have.
var forms = map[string]string{
	"inv/hosts": `ungrouped-1 empty='' quoted="a b" list="[1, 2]" dict="{'a': 1, 2: 3}" hash="#no" yes=yes none=None octal=0644

[web-front]
w[1:9:4].example.net
n-[a:e:2]
p1:2222
p2:2222 ansible_port=22

[größe]
n-a
w1.example.net

[d]
n-c
p1
[b:children]
d
[c:children]
d
[a:children]
b
c

[b:vars]
diamond=b
[c:vars]
diamond=c
[d:vars]
own=d

[many_1]
p1
[many_2]
p1
[many_3]
p1
[many_4]
p1
[many_1:vars]
m=1
[many_2:vars]
m=2
ansible_group_priority=9
[many_3:vars]
m=3
ansible_group_priority=9
[many_4:vars]
m=4
[nobody]
[nobody:vars]
x=1
`,
	"inv/group_vars/all": `block: |
  two
   lines
folded: >-
  one
  line
spaces: "  x  "
long: "` + strings.Repeat("0123456789", 3000) + `"
vlans: {10: mgmt, 20: {true: yes, null: nothing, 1.5: half, "30": text}}
since: 2024-01-02
at: 2024-01-02 03:04:05
said: "2024-01-02"
octal: 0644
sexagesimal: 1:30
exponent: 1e3
infinite: [.inf, -.inf]
minus: -0.0
word: yes
empty:
nested: {a: {b: {c: [{d: [[]]}]}}}
`,
	"inv/group_vars/web-front/deep/er/vars.yml": "deep: true\nport: 80\n",
	"inv/group_vars/web-front/deep/vault.yml":   "password: deep-secret\n",
	"inv/group_vars/web-front/.hidden.yml":      "hidden: true\n",
	"inv/group_vars/web-front/old.yml~":         "hidden: true\n",
	"inv/group_vars/größe.json":                 `{"size": {"w": 1, "h": [null]}}`,
	"inv/host_vars/w1.example.net.yml":          "dotted: 1\nport: 81\n",
	"inv/host_vars/w5.example.net/x/main.yml":   "dotted: 5\n",
	"inv/host_vars/w5.example.net/y.json":       `{"more": 1.0}`,
	"plays/group_vars/all/beside.yaml":          "beside: true\nword: no\n",
	"plays/host_vars/n-a":                       "port: 8080\n",
}

// TestImportForms: what people write, types that JSON lacks included, and a proof that tells them apart.
func TestImportForms(t *testing.T) {
	t.Parallel()
	withAnsible(t, func(t *testing.T, r release) {
		i := newImporting(t, r, forms)
		if out, err := i.run(t, "ansible-vault", "encrypt", "inv/group_vars/web-front/deep/vault.yml"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		out := i.craton(t, "-i", "inv", "--playbook-dir", "plays", "--vault", "keep")
		wantIn(t, out, "9 hosts", "group all  since is a date", "group all  vlans has keys that are not text")
		if grep, err := i.run(t, "/bin/grep", "-r", "deep-secret", "imported"); err == nil {
			t.Errorf("a secret is written in clear\n%s", grep)
		}
		all := i.read(t, "imported/inventory/group_vars/all.yml")
		wantIn(t, all, `!!int "10": mgmt`, `!!bool "true": true`, `!!null "null": nothing`, `!!float "1.5": half`, `"30": text`, `since: !!timestamp "2024-01-02"`)
		wantIn(t, i.read(t, "imported/fleet.yml"), `said: "2024-01-02"`, "octal: 420", "ansible_port: 2222")

		// A play sees what it saw: a number is a key, and a date is one.
		i.env = append(i.env, "CRATON_URL=sqlite:fleet.db", "PATH="+r.bin+string(os.PathListSeparator)+program(t)+string(os.PathListSeparator)+os.Getenv("PATH"))
		if out, err := i.run(t, "craton", "apply", "imported/fleet.yml"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if out, err := i.run(t, "ansible", "p1", "-i", "imported/inventory", "-m", "debug", "-a", "msg='{{ vlans[10] }} {{ vlans[20][true] }} {{ since.year + 1 }} {{ said[:4] }} {{ m }}'"); err != nil || !strings.Contains(out, "mgmt True 2025 2024 3") {
			t.Errorf("%v\n%s", err, out)
		}

		// As texts they have other values.
		i.write(t, "imported/inventory/group_vars/all.yml", strings.NewReplacer(`!!int "10"`, `"10"`, "!!timestamp ", "").Replace(all))
		out, err := i.run(t, "craton", "import", "--verify")
		if err == nil {
			t.Error("a number as a key and its text are the same")
		}
		wantIn(t, out, "variable vlans on 9 hosts", "variable since on 9 hosts", "the import differs from the inventory")
	})
}

// TestImportSources: lists of hosts with ranges and ports, and what Ansible itself does not accept.
func TestImportSources(t *testing.T) {
	t.Parallel()
	withAnsible(t, func(t *testing.T, r release) {
		i := newImporting(t, r, map[string]string{
			"circle.ini": "h\n[a:children]\nb\n[b:children]\na\n",
			"broken.yml": "all:\n  hosts: {a: [\n",
			"vars/hosts": "h1\n", "vars/group_vars/all.yml": "a: [1\n",
			"vault/hosts": "h1\n", "vault/group_vars/all.yml": "a: secret-value\n",
			"twice.yml": "all:\n  hosts:\n    h: {a: 1}\n    h: {a: 2}\n",
		})
		i.write(t, "ansible.cfg", "[inventory]\nenable_plugins = advanced_host_list, yaml, ini\n")
		out, err := i.run(t, "craton", "import", "ansible", "-i", "h1,")
		if err == nil {
			t.Error("a script is read without the plugin for scripts")
		}
		wantIn(t, out, "the import was written to imported, but could not be verified", "must enable the plugins script and yaml")
		i.write(t, "ansible.cfg", "[inventory]\nenable_plugins = script, advanced_host_list, yaml, ini\n")
		out = i.craton(t, "-i", "h[1:5:2],x:2222,10.0.0.9,", "--force")
		wantIn(t, out, "5 hosts")
		wantIn(t, i.read(t, "imported/fleet.yml"), "name: h3", "ansible_port: 2222", "ip_address: 10.0.0.9")
		if again, err := i.run(t, "craton", "import", "--verify"); err != nil || !strings.Contains(again, "differences  none") {
			t.Errorf("%v\n%s", err, again)
		}
		i.craton(t, "-i", "twice.yml", "--output", "twice") // the last one counts, with a word of Ansible's

		if out, err := i.run(t, "ansible-vault", "encrypt", "vault/group_vars/all.yml"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		i.write(t, "password", "another one\n")
		for _, c := range []struct {
			args  []string
			wants []string
		}{
			{[]string{"-i", "nowhere.ini"}, []string{"ansible-inventory -i nowhere.ini --list failed", "inventory not found: nowhere.ini"}},
			{[]string{"-i", "circle.ini"}, []string{"circle.ini"}},
			{[]string{"-i", "broken.yml"}, []string{"broken.yml"}},
			{[]string{"-i", "vars/hosts"}, []string{"vars/group_vars/all.yml"}},
			{[]string{"-i", "vault/hosts", "--vault", "keep"}, []string{"vault/group_vars/all.yml"}},
			{[]string{"-i", "h1,", "--output", "password/x"}, []string{"password"}},
		} {
			out, err := i.run(t, "craton", append([]string{"import", "ansible", "--output", "failed"}, c.args...)...)
			if err == nil || i.exists("failed") || !strings.Contains(out, "ERROR: ") || strings.Contains(out, "secret-value") {
				t.Errorf("%v: %v\n%s", c.args, err, out)
			}
			wantIn(t, out, c.wants...)
		}
		left, err := filepath.Glob(filepath.Join(i.dir, ".craton-import-*"))
		if err != nil || len(left) > 0 {
			t.Errorf("%v %v", left, err)
		}
	})
}

// TestExportThenImport: an exported static inventory is imported as the original fleet: the same hosts with the same
// addresses and variables, in places, and nothing else.
func TestExportThenImport(t *testing.T) {
	t.Parallel()
	withAnsible(t, func(t *testing.T, r release) {
		paths := map[string]string{"example": filepath.Join(root, "examples", "fleet.yml")}
		if found, err := releases(); err == nil && (r == found[len(found)-1] || os.Getenv("CRATON_TEST_PROOF") != "") { // one is enough for what takes long
			paths["fedora"] = skip.RealFleet(t)
		}
		for name, path := range paths {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				i := newImporting(t, r, nil)
				url := load(t, path)
				settings := []string{"CRATON_INVENTORY_FACTS=none"}
				export := func(url string, settings []string, args ...string) string {
					return mustRun(t, environment(t, release{}, append(settings, "CRATON_URL="+url)...), filepath.Join(program(t), "craton"), append([]string{"export"}, args...)...)
				}
				i.write(t, "static.yml", export(url, settings, "--format", "ansible"))
				out := i.craton(t, "-i", "static.yml", "--templates", "keep", "--unsafe", "keep")
				again := load(t, filepath.Join(i.dir, "imported", "fleet.yml"))
				columns := []string{"--format", "csv", "--raw", "--columns", "inventory_name,ip_address"}
				if got, want := export(again, nil, columns...), export(url, settings, columns...); got != want {
					t.Errorf("-before +after\n%s\n%s\n%s", want, got, out)
				}
				plan := run(t, environment(t, release{}, "CRATON_URL="+again), filepath.Join(program(t), "craton"), "plan", filepath.Join(i.dir, "imported", "fleet.yml"))
				if plan.code != 0 {
					t.Errorf("what was applied is not there: exit %d\n%s%s", plan.code, plan.stdout, plan.stderr)
				}
			})
		}
	})
}
