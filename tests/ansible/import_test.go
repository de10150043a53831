package ansible_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// importing is a directory with inventories, in which craton import runs.
type importing struct {
	dir string
	env []string
}

func newImporting(t *testing.T, r release, files map[string]string) *importing {
	t.Helper()
	i := &importing{dir: t.TempDir(), env: environment(t, r)}
	program(t)
	for name, text := range files {
		i.write(t, name, text)
	}
	i.env = append(i.env, "ANSIBLE_CONFIG="+filepath.Join(i.dir, "ansible.cfg"), "ANSIBLE_VAULT_PASSWORD_FILE="+filepath.Join(i.dir, "password"))
	i.write(t, "ansible.cfg", "[defaults]\n")
	i.write(t, "password", "not so secret\n")
	return i
}

func (i *importing) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(i.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (i *importing) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(i.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (i *importing) exists(name string) bool {
	_, err := os.Lstat(filepath.Join(i.dir, name))
	return err == nil
}

// run runs a program in the directory.
func (i *importing) run(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	path := filepath.Join(program(t), name)
	if !strings.HasPrefix(name, "craton") {
		path = name
		for _, e := range i.env {
			if dirs, ok := strings.CutPrefix(e, "PATH="); ok && !strings.Contains(name, "/") {
				path = filepath.Join(filepath.SplitList(dirs)[0], name)
			}
		}
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir, cmd.Env = i.dir, i.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// craton imports, and expects a proof without differences.
func (i *importing) craton(t *testing.T, args ...string) string {
	t.Helper()
	out, err := i.run(t, "craton", append([]string{"import", "ansible"}, args...)...)
	if err != nil || !strings.Contains(out, "differences  none") {
		t.Fatalf("craton import %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func wantIn(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in\n%s", p, text)
		}
	}
}

// constructs are two inventories, one of them a directory, with everything that an inventory can have.
var constructs = map[string]string{
	"prod/01-hosts": `lonely ansible_host=192.0.2.77
localhost ansible_connection=local
jump ansible_ssh_host=192.0.2.78 ansible_port=2222

[atlanta]
a[01:03].example.net
db-a ansible_host=10.1.0.9 ntp=own

[raleigh]
r1 ansible_host=10.2.0.1
r2 ansible_host=10.2.0.2 color=blue

[boston]
b1 ansible_host=10.3.0.1 color=red
10.3.0.2 color=red

[southeast:children]
atlanta
raleigh

[northeast:children]
boston

[usa:children]
southeast
northeast

[web]
a[01:02].example.net
r1
b1

[db]
db-a
r2

[empty]

[web:vars]
port=8080
ntp=web-ntp
ansible_group_priority=3

[db:vars]
port=5432
tier=data

[southeast:vars]
dns=10.1.0.53
tier=se

[usa:vars]
country=us
`,
	"prod/02-more.yml": `all:
  children:
    web-servers: {hosts: {b1: , r2: }}
    label_db: {hosts: {r1: }, vars: {tier: confusing}}
    web: {children: {web_servers: }}
    web_servers: {hosts: {r2: {extra: [1, "{{ port }}"]}}, vars: {tier: alias, port: 9090}}
    empty: {vars: {nobody: has it}}
    boston: {hosts: {"2001:db8::7": }}
`,
	"prod/03-constructed.yml": `plugin: constructed
strict: false
compose: {fqdn: inventory_hostname ~ '.internal'}
groups: {colored: color is defined}
keyed_groups: [{key: color, prefix: color}]
`,
	"prod/group_vars/all.yml":          "ntp: pool\ndomain: example.net\ntmpl: x-{{ domain }}\nnothing: null\nbig: 12345678901234567890123\nfloat: 1.0e+16\nport: 1\n",
	"prod/group_vars/atlanta/a.yml":    "ntp: atl-ntp\nrack: 4\n",
	"prod/group_vars/atlanta/b.yml":    "rack: 5\nlist: [yes, 0644, 1.10, '1.10', 2024-01-02]\n",
	"prod/group_vars/web":              "u: !unsafe \"{{ raw }}\"\nt: \"{{ port }}\"\nmixed: {a: [\"{{ b }}\", !unsafe \"{% c %}\", \"{\", \"#\"], d: .inf}\n",
	"prod/group_vars/ungrouped.yml":    "alone: true\n",
	"prod/group_vars/raleigh/main.yml": "secret: shadowed\n",
	"prod/host_vars/r2.yml":            "special: {a: [1, 2.5, null, true], \"{{ k }}\": 1}\ncraton: mine\n",
	"prod/host_vars/10.3.0.2.yml":      "ansible_host: \"{{ domain }}\"\n",
	"other.yml":                        "atlanta: {hosts: {db-a: {second: source}}}\n",
	"plays/group_vars/db.yml":          "from_plays: 1\nport: 5433\n",
	"plays/host_vars/r1.yml":           "from_plays: 2\n",
	"plays/group_vars/northeast.json":  `{"json": {"a": "b"}}`,
}

// TestImport: every construct of an inventory, imported and proved, with the oldest and the newest Ansible.
func TestImport(t *testing.T) {
	t.Parallel()
	withAnsible(t, func(t *testing.T, r release) {
		i := newImporting(t, r, constructs)
		i.write(t, "prod/group_vars/raleigh/vault.yml", "secret: raleigh-secret\n")
		i.write(t, "prod/host_vars/b1.yml", "password: b1-secret\n")
		for _, f := range []string{"prod/group_vars/raleigh/vault.yml", "prod/host_vars/b1.yml"} {
			if out, err := i.run(t, "ansible-vault", "encrypt", f); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		inline, err := i.run(t, "ansible-vault", "encrypt_string", "inline-secret", "--name", "token")
		if err != nil {
			t.Fatalf("%v\n%s", err, inline)
		}
		i.write(t, "prod/group_vars/db.yml", inline[strings.Index(inline, "token:"):])
		from := []string{"-i", "prod", "-i", "other.yml", "--playbook-dir", "plays"}

		out, err := i.run(t, "craton", append([]string{"import", "ansible"}, from...)...)
		if err == nil || i.exists("imported") {
			t.Fatalf("%v: no decision was wanted\n%s", err, out)
		}
		wantIn(t, out, "--templates to keep or leave", "--vault to keep or leave", "--unsafe to keep or leave", "nothing was written")

		keep := []string{"--templates", "keep", "--vault", "keep", "--unsafe", "keep"}
		out = i.craton(t, slices.Concat(from, keep)...)
		wantIn(t, out, "cloud: usa, because", "localhost stays in Ansible")
		fleet := i.read(t, "imported/fleet.yml")
		wantIn(t, fleet, "country: us", "big: 12345678901234567890123")
		for _, secret := range []string{"raleigh-secret", "b1-secret", "inline-secret"} {
			if grep, err := i.run(t, "/bin/grep", "-r", secret, "imported"); err == nil || strings.Contains(out, secret) {
				t.Errorf("%s is written in clear\n%s", secret, grep)
			}
		}
		if info, err := os.Stat(filepath.Join(i.dir, "imported/fleet.yml")); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
		if out, err := i.run(t, "craton", slices.Concat([]string{"import", "ansible"}, from, keep)...); err == nil || !strings.Contains(out, "--force") {
			t.Errorf("overwritten: %v\n%s", err, out)
		}
		variants := [][]string{
			{"--map", "region=atlanta,raleigh,boston"},
			{"--map", "none", "--every-host"},
			{"--map", "cloud=usa", "--map", "cell=color_*", "--all", "group_vars"},
		}
		if os.Getenv("CRATON_TEST_PROOF") == "" {
			variants = variants[:1]
		}
		for _, more := range variants {
			i.craton(t, slices.Concat([]string{"--force"}, from, keep, more)...)
		}

		// What is left out is explained, and nothing else differs.
		out, err = i.run(t, "craton", slices.Concat([]string{"import", "ansible", "--output", "less", "--templates", "leave", "--vault", "leave", "--unsafe", "leave"}, from)...)
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		wantIn(t, out, " 0 unexplained", "omitted from group web: it is a template", `before  !unsafe "{{ raw }}"`, "it is in an encrypted file (--vault leave)", "not shown")
		if strings.Contains(out, "-secret") {
			t.Errorf("a secret is shown\n%s", out)
		}

		// A manual change is found, and reported as the reason for the difference.
		i.write(t, "imported/fleet.yml", strings.Replace(i.read(t, "imported/fleet.yml"), "domain: example.net", "domain: example.org", 1))
		out, err = i.run(t, "craton", "import", "--verify")
		if err == nil {
			t.Error("a difference without a reason is none")
		}
		wantIn(t, out, "UNEXPLAINED", `before  "example.net"`, `after   "example.org"`, "the import differs from the inventory")
	})
}

// TestImportedPlays: a playbook prints the same with the imported fleet.
func TestImportedPlays(t *testing.T) {
	t.Parallel()
	withAnsible(t, func(t *testing.T, r release) {
		r.onlyNewest(t)
		i := newImporting(t, r, map[string]string{
			"hosts.ini":              "[site_a]\nh1 ansible_connection=local\n[site_b]\nh2 ansible_connection=local gate=81\nh3 ansible_connection=local\n[web]\nh1\nh2\n[db]\nh3\n",
			"group_vars/all.yml":     "greeting: \"hello {{ inventory_hostname }}\"\ngate: 80\n",
			"group_vars/web.yml":     "raw: !unsafe \"{{ no }}\"\n",
			"group_vars/site_b.yml":  "where: b\n",
			"site.yml":               "- hosts: web:db:&site_*\n  gather_facts: false\n  tasks:\n    - debug: {msg: \"{{ greeting }} {{ gate }} {{ where | default('a') }} {{ raw | default('-') }} {{ group_names | select('in', ['web', 'db', 'site_a', 'site_b']) | join(',') }}\"}\n    - debug: {msg: \"{{ groups.web | join(',') }}\"}\n",
			"group_vars/nowhere.yml": "x: 1\n",
		})
		i.craton(t, "-i", "hosts.ini", "--templates", "keep", "--unsafe", "keep")
		i.env = append(i.env, "CRATON_URL=sqlite:fleet.db", "ANSIBLE_FORKS=1", "ANSIBLE_STDOUT_CALLBACK=minimal")
		for n, e := range i.env {
			if path, ok := strings.CutPrefix(e, "PATH="); ok {
				first := filepath.SplitList(path)[0]
				i.env[n] = "PATH=" + first + string(os.PathListSeparator) + program(t) + strings.TrimPrefix(path, first)
			}
		}
		if out, err := i.run(t, "craton", "apply", "imported/fleet.yml"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		before, err := i.run(t, "ansible-playbook", "-i", "hosts.ini", "site.yml")
		if err != nil {
			t.Fatalf("%v\n%s", err, before)
		}
		if err := os.Rename(filepath.Join(i.dir, "group_vars"), filepath.Join(i.dir, "before")); err != nil { // it would count beside the play
			t.Fatal(err)
		}
		after, err := i.run(t, "ansible-playbook", "-i", "imported/inventory", "site.yml")
		if err != nil || sortedLines(before) != sortedLines(after) {
			t.Errorf("%v\n%s\nafter:\n%s", err, before, after)
		}
		wantIn(t, after, "hello h2 81 b {{ no }} site_b,web")
	})
}

func sortedLines(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// hostile is an inventory script whose names and values try to escape from directories, files and terminals.
const hostile = `#!/bin/sh
cat <<'END'
{"_meta": {"hostvars": {
 "h1": {"k: v\n- x": "a\n---\nb", "esc": "\u001b[31m\u0085\u2028", "x": "!unsafe y", "yes": "no", "1": "012"}, "../../escape": {"a": 1},
 "x/y": {"b": "{{ c }}"}, "z.yml": {"c": 2}, "-o": {}, "a b": {"q": 1}}},
 "../../up": {"hosts": ["h1", "../../escape"], "vars": {"v": "1"}}, "sp ace'; rm": {"hosts": ["h1", "x/y"], "vars": {"w": "$(id)"}}, "..": {"hosts": ["h1"], "vars": {"dots": 1}},
 "\u001b[31m": {"hosts": ["h1", "z.yml"], "vars": {"r": "x"}}, "all": {"hosts": ["-o", "a b"], "vars": {"esc2": "\u0007"}}, "a-b": {"hosts": ["h1"], "vars": {"n": 1}}, "a_b": {"hosts": ["h1"], "vars": {"n": 2}}}
END
`

// TestImportHostile: names and values cannot escape.
func TestImportHostile(t *testing.T) {
	t.Parallel()
	withAnsible(t, func(t *testing.T, r release) {
		i := newImporting(t, r, map[string]string{"hosts": hostile})
		if err := os.Chmod(filepath.Join(i.dir, "hosts"), 0o700); err != nil { //nolint:gosec // a script
			t.Fatal(err)
		}
		before := i.tree(t)
		out, err := i.run(t, "craton", "import", "ansible", "-i", "hosts", "--templates", "keep", "--output", "deep/er/out")
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		wantIn(t, out, " 0 unexplained", "its name is a path")
		if strings.ContainsAny(out, "\x1b\x07") {
			t.Errorf("what the inventory says reaches the terminal: %q", out)
		}
		if after := i.tree(t); after != before {
			t.Errorf("before\n%s\nafter\n%s", before, after)
		}
	})
}

// tree returns all files except those of the import.
func (i *importing) tree(t *testing.T) string {
	t.Helper()
	out, err := i.run(t, "/usr/bin/find", "..", "-not", "-path", "*/deep*", "-not", "-path", "../002*")
	if err != nil {
		t.Fatal(err)
	}
	return sortedLines(out)
}

// TestImportSpeed: a thousand hosts take seconds.
func TestImportSpeed(t *testing.T) {
	if os.Getenv("CRATON_TEST_PROOF") == "" {
		t.Skip("make proof runs it")
	}
	withAnsible(t, func(t *testing.T, r release) {
		i := newImporting(t, r, nil)
		var b strings.Builder
		for n := range 1000 {
			fmt.Fprintf(&b, "h%04d ansible_host=10.0.%d.%d serial=%d\n", n, n/250, n%250, n)
		}
		for n := range 1000 {
			fmt.Fprintf(&b, "[rack_%02d]\nh%04d\n[role_%d]\nh%04d\n", n/50, n, n%7, n)
		}
		i.write(t, "hosts.ini", b.String())
		vars := map[string]any{}
		for n := range 100 {
			vars[fmt.Sprintf("v%03d", n)] = []any{n, "text"}
		}
		raw, err := json.Marshal(vars)
		if err != nil {
			t.Fatal(err)
		}
		i.write(t, "group_vars/all.json", string(raw))
		i.write(t, "group_vars/role_1.json", string(raw[:len(raw)-1])+`,"v001":1}`)
		t.Log(i.craton(t, "-i", "hosts.ini"))
	})
}
