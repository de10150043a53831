package ansible_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSite runs the example playbook, which asserts what it shows: no failure, no warning, nothing on stderr.
func TestSite(t *testing.T) {
	t.Parallel()
	url := example(t)
	inventory := filepath.Join(program(t), "craton-inventory")
	withAnsible(t, func(t *testing.T, r release) {
		for _, layout := range []string{"merged", "layered"} {
			env := environment(t, r, "CRATON_URL="+url, "CRATON_INVENTORY_VARS="+layout)
			out := mustRun(t, env, "ansible-playbook", "-i", inventory, filepath.Join(root, "examples", "site.yml"))
			if m := regexp.MustCompile(`(?i)warning|deprecat|\[error\]`).FindString(out); m != "" {
				t.Errorf("%s: there is %q in the output:\n%s", layout, m, out)
			}
			recap := regexp.MustCompile(`(?m)^(\S+) +: ok=\d+ +changed=0 +unreachable=0 +failed=0 `).FindAllString(out, -1)
			if len(recap) != 24 {
				t.Errorf("%s: %d hosts of 24 finished well:\n%s", layout, len(recap), out)
			}
		}
	})
}

// TestServer: craton server, its API over HTTP, the inventory paging through it, and Ansible give the same document as
// the file without a server.
func TestServer(t *testing.T) {
	t.Parallel()
	server := serve(t)
	if out := run(t, environment(t, release{}, server.env()...), filepath.Join(program(t), "craton"),
		"apply", filepath.Join(root, "examples", "fleet.yml")); out.code != 0 || out.stderr != "" {
		t.Fatalf("craton apply over HTTP: exit %d\n%s", out.code, out.stderr)
	}
	inventory := filepath.Join(program(t), "craton-inventory")
	list := func(t *testing.T, env ...string) map[string]any {
		doc := unmarked(map[string]any(decode(t, mustRun(t, environment(t, release{}, env...), inventory, "--list"))))
		for _, vars := range document(doc.(map[string]any)).hostvars(t) {
			facts := vars.(map[string]any)["craton"].(map[string]any)
			maps.DeleteFunc(facts, func(key string, _ any) bool { // each database has its own
				return key == "id" || strings.HasSuffix(key, "_id")
			})
		}
		return doc.(map[string]any)
	}
	if diff := cmp.Diff(list(t, "CRATON_URL="+example(t)), list(t, server.env()...)); diff != "" {
		t.Errorf("the file and the server give different inventories (-file +server):\n%s", shorten(diff))
	}
	withAnsible(t, func(t *testing.T, r release) {
		mustRun(t, environment(t, r, server.env()...), "ansible-playbook", "-i", inventory, filepath.Join(root, "examples", "site.yml"))
	})
}

// TestGraph: Ansible sees cells in regions in clouds.
func TestGraph(t *testing.T) {
	t.Parallel()
	url := example(t)
	inventory := filepath.Join(program(t), "craton-inventory")
	// The path of names from @all down to each line, so that the order of groups does not matter.
	paths := func(graph string) map[string]bool {
		found, above := map[string]bool{}, []string{}
		for line := range strings.Lines(graph) {
			name := strings.TrimLeft(strings.TrimRight(line, ":\n"), " |-")
			depth := (strings.Index(line, name) - 1) / 3
			above = append(above[:min(depth, len(above))], name)
			found[strings.Join(above, " ")] = true
		}
		return found
	}
	withAnsible(t, func(t *testing.T, r release) {
		graph := mustRun(t, environment(t, r, "CRATON_URL="+url), "ansible-inventory", "-i", inventory, "--graph")
		got := paths(graph)
		for _, want := range []string{
			"@all @craton @cloud_prod @region_prod_ams @cell_prod_ams_a1 web-ams1",
			"@all @craton @cloud_prod @region_prod_ams @cell_prod_ams_a2 web-ams3",
			"@all @craton @cloud_prod @region_prod_ams bastion-ams",
			"@all @craton @cloud_prod @region_prod_fra @cell_prod_fra_f2 queue-fra1",
			"@all @craton @cloud_lab @region_lab_lon @cell_lab_lon_l1 old-lon1",
			"@all @label_database db-ams1",
			"@all @type_virtual web-fra3",
		} {
			if !got[want] {
				t.Errorf("the graph lacks %q:\n%s", want, graph)
			}
		}
		if strings.Contains(graph, "sw-ams-a1") {
			t.Errorf("a switch is in the graph without being asked for:\n%s", graph)
		}
	})
}

// TestHost: --host returns for one host what --list returns for it, with less to read.
func TestHost(t *testing.T) {
	t.Parallel()
	env := environment(t, release{}, "CRATON_URL="+example(t))
	inventory := filepath.Join(program(t), "craton-inventory")
	list := decode(t, mustRun(t, env, inventory, "--list")).hostvars(t)
	if len(list) != 24 {
		t.Errorf("the example has %d hosts, not 24", len(list))
	}
	for name, want := range list {
		got := map[string]any(decode(t, mustRun(t, env, inventory, "--host", name)))
		if diff := cmp.Diff(want, any(got)); diff != "" {
			t.Errorf("%s (-list +host):\n%s", name, diff)
		}
	}
}

// TestDirectory: the inventory is one file of a directory, and constructed groups build on its variables.
func TestDirectory(t *testing.T) {
	t.Parallel()
	url := example(t)
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(program(t), "craton-inventory"), filepath.Join(dir, "10-craton")); err != nil {
		t.Fatal(err)
	}
	constructed := `plugin: ansible.builtin.constructed
compose:
  fqdn: inventory_hostname + '.' + domain
groups:
  primaries: db_role | default('') == 'primary'
keyed_groups:
  - key: craton.region
    prefix: place
  - key: room
    prefix: room
    default_value: none
`
	if err := os.WriteFile(filepath.Join(dir, "20-constructed.yml"), []byte(constructed), 0o600); err != nil {
		t.Fatal(err)
	}
	withAnsible(t, func(t *testing.T, r release) {
		for _, layout := range []string{"merged", "layered"} {
			env := environment(t, r, "CRATON_URL="+url, "CRATON_INVENTORY_VARS="+layout)
			doc := decode(t, mustRun(t, env, "ansible-inventory", "-i", dir, "--list"))
			for group, want := range map[string]int{"primaries": 2, "place_ams": 11, "room_2": 5} {
				members, _ := doc[group].(map[string]any)
				if hosts, _ := members["hosts"].([]any); len(hosts) != want {
					t.Errorf("%s: %s has %d hosts, not %d: %v", layout, group, len(hosts), want, hosts)
				}
			}
			vars, _ := unmarked(doc.hostvars(t)["web-fra1"]).(map[string]any)
			if vars["fqdn"] != "web-fra1.shop.example" {
				t.Errorf("%s: fqdn is %v", layout, vars["fqdn"])
			}
		}
	})
}
