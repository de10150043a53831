package ansible_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// findings returns the result of each check of craton doctor: "status: message -> advice".
func findings(t *testing.T, env []string) map[string]string {
	t.Helper()
	out := run(t, env, filepath.Join(program(t), "craton"), "doctor", "--format", "json")
	var doc struct {
		Problems int
		Checks   []struct{ Check, Status, Message, Advice string }
	}
	if err := json.Unmarshal([]byte(out.stdout), &doc); err != nil {
		t.Fatalf("%v\n%s%s", err, out.stdout, out.stderr)
	}
	if (doc.Problems > 0) != (out.code == 1) {
		t.Errorf("%d problems, exit %d", doc.Problems, out.code)
	}
	found := map[string]string{}
	for _, c := range doc.Checks {
		found[c.Check] = strings.TrimSuffix(c.Status+": "+c.Message+" -> "+c.Advice, " -> ")
	}
	return found
}

// installed creates a directory of collections with a manifest of craton.fleet, as ansible-galaxy does.
func installed(t *testing.T, version string) (collections string) {
	t.Helper()
	collections = t.TempDir()
	place := filepath.Join(collections, "ansible_collections", "craton", "fleet")
	if err := os.MkdirAll(place, 0o700); err != nil {
		t.Fatal(err)
	}
	manifest := `{"collection_info": {"namespace": "craton", "name": "fleet", "version": "` + version + `"}, "format": 1}`
	if err := os.WriteFile(filepath.Join(place, "MANIFEST.json"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	return collections
}

// TestDoctor: the doctor reads the configuration that Ansible itself would use, and says whether a failed inventory
// would end the run, which is confirmed by a play.
func TestDoctor(t *testing.T) {
	t.Parallel()
	withAnsible(t, func(t *testing.T, r release) {
		url := "CRATON_URL=" + example(t)
		config := func(text string) string {
			path := filepath.Join(t.TempDir(), "ansible.cfg")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return "ANSIBLE_CONFIG=" + path
		}
		for name, c := range map[string]struct {
			env  []string
			play string // how a play ends whose inventory fails, if that is tried
			want map[string]string
		}{
			"the example, and a collection of this version": {
				[]string{"ANSIBLE_COLLECTIONS_PATH=" + t.TempDir() + ":" + installed(t, version)}, "", // its play is TestFailures'
				map[string]string{
					"ansible":           `ok: ansible-core ` + regexp.QuoteMeta(r.version) + ` \(` + regexp.QuoteMeta(filepath.Join(r.bin, "ansible-playbook")) + `\)$`,
					"ansible.cfg":       "ok: .*/examples/ansible.cfg$",
					"failed inventory":  `ok: ends the run \(any_unparsed_is_failed, .*/examples/ansible.cfg\)$`,
					"inventory plugins": `ok: script is enabled \(.*/examples/ansible.cfg\)$`,
					"collection":        `ok: craton.fleet ` + version + ` \(/.*/ansible_collections/craton/fleet\)$`,
					"inventory":         "ok: ",
				},
			},
			"nothing": {
				[]string{config("")}, "exits 0",
				map[string]string{
					"failed inventory":  "problem: does not end the run: Ansible continues without hosts, and exits with 0 -> write any_unparsed_is_failed = true under .inventory. in /.*/ansible.cfg$",
					"inventory plugins": `ok: script is enabled \(default\)$`,
					"collection":        "warning: craton.fleet is not installed; looked in .* -> `ansible-galaxy collection install",
				},
			},
			"half, and a collection of another version": {
				[]string{config("[inventory]\nunparsed_is_failed = true\n"), "ANSIBLE_COLLECTIONS_PATH=" + installed(t, "0.0.7")}, "fails",
				map[string]string{
					"failed inventory": "warning: ends the run only if every inventory source fails .* -> write any_unparsed_is_failed",
					"collection":       `warning: craton.fleet 0.0.7 \(.*\) and this program \(` + version + `\) have different versions -> install the collection and the program from the same release`,
				},
			},
			"the environment, no script, and mixed dictionaries": {
				[]string{config("[defaults]\nhash_behaviour = merge\n[inventory]\nenable_plugins = auto\n"), "CRATON_INVENTORY_VARS=layered",
					"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=yes"}, "",
				map[string]string{
					"ansible.cfg":       "warning: hash_behaviour is merge .* -> set hash_behaviour to replace, or inventory.vars to merged",
					"failed inventory":  `ok: ends the run \(any_unparsed_is_failed, environment ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED\)$`,
					"inventory plugins": `warning: script is not enabled \(.*\): craton-inventory is not run; only .* -> add script to enable_plugins`,
				},
			},
			"a broken configuration": {
				[]string{config("[inventory\n")}, "",
				map[string]string{"ansible": "problem: .* fails .* -> check that the command works when run by hand", "failed inventory": "skipped: Ansible does not run$"},
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				got := findings(t, environment(t, r, append([]string{url}, c.env...)...))
				for check, pattern := range c.want {
					if !regexp.MustCompile(`(?s)^` + pattern).MatchString(got[check]) {
						t.Errorf("%s: %s\nwant %s", check, got[check], pattern)
					}
				}
				if c.play == "" {
					return
				}
				env := environment(t, r, append([]string{"CRATON_URL=sqlite:/nonexistent/fleet.db"}, c.env...)...)
				out := run(t, env, "ansible-playbook", "-i", filepath.Join(program(t), "craton-inventory"), filepath.Join(root, "examples", "site.yml"))
				if (out.code != 0) != (c.play == "fails") {
					t.Errorf("a play whose inventory fails exits %d\n%s%s", out.code, out.stdout, out.stderr)
				}
			})
		}
	})
}

// TestDoctorTemplates: the doctor counts the templates in a fleet, and warns of releases of Ansible that execute them
// when a play reads them from hostvars.
func TestDoctorTemplates(t *testing.T) {
	t.Parallel()
	fleet := filepath.Join(t.TempDir(), "fleet.yml")
	if err := os.WriteFile(fleet, []byte(`
clouds: [{name: east, variables: {motd: "{{ 1 }}", half: "x{", brace: "${HOME}"}, regions: [{name: dfw, hosts: [
  {name: web1, ip_address: 10.0.0.1, device_type: server, variables: {a: [{"{{ k }}": "{{ v }}"}, {"{": {"}": 1}}]}}]}]}]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	url := "CRATON_URL=" + load(t, fleet)
	withAnsible(t, func(t *testing.T, r release) {
		want := `^ok: 2 strings of the fleet are templates, which Ansible does not execute; 2 dictionaries are written as text, because ansible-core before 2.19 executes keys$`
		if regexp.MustCompile(`^2\.1[4-8]\.`).MatchString(r.version) {
			want = `^warning: 2 strings of the fleet are templates; ansible-core ` + regexp.QuoteMeta(r.version) + ` executes them if a play takes them from hostvars .*; 2 dictionaries are .*` +
				` -> run plays with ansible-core 2.19 or later, or change cloud "east" \(id 1\), variable half and the others`
		}
		if got := findings(t, environment(t, r, url))["templates"]; !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s\nwant %s", got, want)
		}
		for _, quiet := range []string{"CRATON_INVENTORY_TRUST_TEMPLATES=true", "CRATON_INVENTORY_EXCLUDE_VARIABLES=*"} {
			if got := findings(t, environment(t, r, url, quiet))["templates"]; got != "" {
				t.Errorf("%s: %s", quiet, got)
			}
		}
	})
}

// TestDoctorLargeFleet: if Ansible is configured to load a large fleet from the script, the doctor says what the plugin
// would save.
func TestDoctorLargeFleet(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("clouds: [{name: east, regions: [{name: dfw, hosts: [")
	for i := range 2500 {
		fmt.Fprintf(&text, "{name: h%d, ip_address: 10.0.%d.%d, device_type: server},\n", i, i>>8, i&255)
	}
	text.WriteString("]}]}]\n")
	fleet := filepath.Join(t.TempDir(), "fleet.yml")
	if err := os.WriteFile(fleet, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	url := "CRATON_URL=" + load(t, fleet)
	withAnsible(t, func(t *testing.T, r release) {
		directory := t.TempDir()
		for name, to := range map[string]string{"10-fleet": filepath.Join(program(t), "craton-inventory"), "01-iotronic": filepath.Join(program(t), "craton")} {
			if err := os.Symlink(to, filepath.Join(directory, name)); err != nil {
				t.Fatal(err)
			}
		}
		status := map[bool]string{true: "ok", false: "warning"}[regexp.MustCompile(`^2\.1[4-8]\.`).MatchString(r.version)]
		for inventory, want := range map[string]string{
			directory: `^` + status + `: .*the script ` + regexp.QuoteMeta(filepath.Join(directory, "10-fleet")) + `; .* save about `,
			filepath.Join(directory, "fleet.craton.yml"): `^ok: 2500 hosts; the collection's plugin reads .*, which saves about [0-9.]+ s compared with a script$`,
		} {
			if got := findings(t, environment(t, r, url, "ANSIBLE_INVENTORY="+inventory))["large fleet"]; !regexp.MustCompile(want).MatchString(got) {
				t.Errorf("%s\nwant %s", got, want)
			}
		}
		if got := findings(t, environment(t, r, "CRATON_URL="+example(t)))["large fleet"]; got != "" {
			t.Errorf("of a small fleet: %s", got)
		}
	})
}
