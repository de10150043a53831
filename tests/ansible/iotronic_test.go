package ansible_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
)

// iotronicInventory returns the program under its name as the inventory of Ironic and Iotronic.
func iotronicInventory(t *testing.T) string {
	t.Helper()
	return link(t, t.TempDir(), "iotronic-inventory")
}

// link creates another name of the program.
func link(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.Symlink(filepath.Join(program(t), "craton"), path); err != nil {
		t.Fatal(err)
	}
	return path
}

// marker is a file that a template in the API's data would create if Ansible executed it.
const marker = "executed"

// iotronics starts a server for every dialect of Iotronic.
func iotronics(t *testing.T, dir string) map[string]*iotronictest.Server {
	t.Helper()
	evil := "{{ lookup('pipe', 'touch " + filepath.Join(dir, marker) + "') }}"
	all := map[string]*iotronictest.Server{}
	for name, era := range map[string]iotronictest.Era{
		"boards": iotronictest.Boards2019, "nodes of 2017": iotronictest.Nodes2017, "nodes of 2016": iotronictest.Nodes2016,
	} {
		s := iotronictest.Start(t, era, iotronictest.NoAuth(), iotronictest.MaxLimit(3))
		collection, more := "nodes", iotronictest.Object{}
		if era == iotronictest.Boards2019 {
			collection, more["fleet"] = "boards", s.Add("fleets", iotronictest.Object{"name": "roofs of town"})
		}
		for n := range 7 {
			o := iotronictest.Object{"name": fmt.Sprintf("pi-%d", n), "code": fmt.Sprint(n), "status": []string{"online", "offline"}[n%2], "mobile": n == 0,
				"extra": iotronictest.Object{"ansible_host": "127.0.0.1", "rack": n, "motd": evil, "deep": []any{iotronictest.Object{"x": evil}}}}
			maps.Copy(o, more)
			s.Add(collection, o)
		}
		all[name] = s
	}
	return all
}

const iotronicPlay = `
- hosts: status_online
  gather_facts: false
  connection: local
  tasks:
    - ansible.builtin.assert:
        that:
          - groups['all'] | length == 7
          - groups['mobile'] == ['pi-0']
          - inventory_hostname == iotronic.name
          - ansible_host == '127.0.0.1'
          - iotronic.extra.rack == (inventory_hostname | replace('pi-', '') | int)
          - rack == iotronic.extra.rack
          - "'lookup' in iotronic.extra.motd"
          - "'lookup' in motd"
          - "'lookup' in deep[0].x"
`

// TestIotronic: a play over hosts of every dialect of Iotronic. Nothing that the API says is executed.
func TestIotronic(t *testing.T) {
	t.Parallel()
	inventory, dir := iotronicInventory(t), t.TempDir()
	play := filepath.Join(dir, "play.yml")
	if err := os.WriteFile(play, []byte(iotronicPlay), 0o600); err != nil {
		t.Fatal(err)
	}
	servers := iotronics(t, dir)
	withAnsible(t, func(t *testing.T, r release) {
		for name, server := range servers {
			env := environment(t, r, "IOTRONIC_URL="+server.URL, "CRATON_IOTRONIC_INVENTORY_EXTRA_VARIABLES=*")
			out := mustRun(t, env, "ansible-playbook", "-i", inventory, play)
			if n := strings.Count(out, "ok=1 "); n != 4 {
				t.Errorf("%s: %d hosts of 4 finished well:\n%s", name, n, out)
			}
			want := decode(t, mustRun(t, env, inventory, "--list")).hostvars(t)
			got := decode(t, mustRun(t, env, "ansible-inventory", "-i", inventory, "--list")).hostvars(t)
			if diff := cmp.Diff(unmarked(want), unmarked(got)); diff != "" {
				t.Errorf("%s: Ansible reads something else (-written +read):\n%s", name, shorten(diff))
			}
		}
		if _, err := os.Stat(filepath.Join(dir, marker)); err == nil {
			t.Error("Ansible has executed a template of the API")
		}
	})
}

// TestIronic: plays over a real Ironic, without and behind a real Keystone.
func TestIronic(t *testing.T) {
	t.Parallel()
	inventory := iotronicInventory(t)
	alone := openstacktest.StartIronic(t)
	behind, k := openstacktest.StartIronicBehindKeystone(t)
	user, project := k.AdminUser(t), k.AdminProject(t)
	class, names := alone.Nodes(t, 3, "")
	otherClass, otherNames := behind.Nodes(t, 3, k.Token(t, user, project))
	region := k.Service(t, "baremetal", behind.URL)
	withAnsible(t, func(t *testing.T, r release) {
		for _, c := range []struct {
			class string
			names []string
			env   []string
		}{
			{class, names, []string{"IRONIC_URL=" + alone.URL}},
			{otherClass, otherNames, []string{"OS_AUTH_URL=" + k.URL, "OS_USERNAME=" + user.Name, "OS_PASSWORD=" + user.Password,
				"OS_PROJECT_NAME=" + project.Name, "OS_REGION_NAME=" + region, "CRATON_NO_TOKEN_CACHE=yes"}},
		} {
			env := environment(t, r, append(c.env, "CRATON_IOTRONIC_MAX_RETRIES=20", "CRATON_IOTRONIC_INVENTORY_FILTERS=resource_class="+c.class)...)
			out := mustRun(t, env, "ansible", "-i", inventory, "-c", "local", "driver_fake_hardware:&provision_enroll",
				"-m", "ansible.builtin.debug", "-a", "msg={{ iotronic.resource_class }}/{{ iotronic.name }}")
			for _, name := range c.names {
				if !strings.Contains(out, c.class+"/"+name) {
					t.Errorf("%s is not there:\n%s", name, out)
				}
			}
		}
	})
}

// TestBothInventories: Craton's and Iotronic's inventories in one directory. A host in both is one host, with the facts
// of both; if they contradict each other, the file that is read later wins.
func TestBothInventories(t *testing.T) {
	t.Parallel()
	url := example(t)
	server := iotronictest.Start(t, iotronictest.Boards2019, iotronictest.NoAuth())
	server.Add("boards", iotronictest.Object{"name": "web-ams1", "code": "c1", "type": "virtual", "status": "online",
		"extra": iotronictest.Object{"ansible_host": "192.0.2.99", "room": "of the board"}})
	server.Add("boards", iotronictest.Object{"name": "pi-01", "code": "c2", "type": "raspberry", "status": "offline"})
	directory := func(craton, iotronic string) string {
		dir := t.TempDir()
		link(t, dir, craton)
		link(t, dir, iotronic)
		constructed := "plugin: ansible.builtin.constructed\nkeyed_groups:\n  - {key: iotronic.status, prefix: is}\ngroups:\n  known_to_both: craton is defined and iotronic is defined\n"
		if err := os.WriteFile(filepath.Join(dir, "30-constructed.yml"), []byte(constructed), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	cratonFirst, iotronicFirst := directory("10-craton", "20-iotronic"), directory("20-craton", "10-ironic")
	withAnsible(t, func(t *testing.T, r release) {
		for _, c := range []struct{ dir, layout, address, room string }{
			{cratonFirst, "merged", "192.0.2.99", "of the board"},
			{iotronicFirst, "merged", "10.10.10.21", "1"},
			{iotronicFirst, "layered", "10.10.10.21", "of the board"}, // a host's own counts for more than a group's
		} {
			env := environment(t, r, "CRATON_URL="+url, "CRATON_INVENTORY_VARS="+c.layout, "IOTRONIC_URL="+server.URL,
				"CRATON_IOTRONIC_INVENTORY_EXTRA_VARIABLES=room")
			doc := decode(t, mustRun(t, env, "ansible-inventory", "-i", c.dir, "--list"))
			vars := doc.hostvars(t)
			if len(vars) != 25 {
				t.Errorf("%d hosts, not 25", len(vars))
			}
			both, _ := unmarked(vars["web-ams1"]).(map[string]any)
			if both["ansible_host"] != c.address || both["room"] != c.room {
				t.Errorf("%s: address %v, room %v; want %s, %s", c.layout, both["ansible_host"], both["room"], c.address, c.room)
			}
			if both["craton"].(map[string]any)["region"] != "ams" || both["iotronic"].(map[string]any)["code"] != "c1" {
				t.Errorf("the facts of both: %v", both)
			}
			if pi := vars["pi-01"].(map[string]any); pi["craton"] != nil || pi["ansible_host"] != nil {
				t.Errorf("a board that Craton does not know: %v", pi)
			}
			members := func(group string) []any {
				g, _ := doc[group].(map[string]any)
				hosts, _ := g["hosts"].([]any)
				return hosts
			}
			if !slices.Contains(members("cell_prod_ams_a1"), any("web-ams1")) || !slices.Contains(members("status_online"), any("web-ams1")) ||
				!slices.Contains(members("type_virtual"), any("web-ams1")) {
				t.Errorf("web-ams1 is not in the groups of both")
			}
			for group, hosts := range map[string][]any{"known_to_both": {"web-ams1"}, "is_offline": {"pi-01"}, "status_offline": {"pi-01"}} {
				if diff := cmp.Diff(hosts, members(group)); diff != "" {
					t.Errorf("%s: %s", group, diff)
				}
			}
		}
		// If one of the two fails, the run ends with its message, and nothing of the other's.
		broken := iotronictest.Start(t, iotronictest.Boards2019, iotronictest.NoAuth())
		broken.Answer(func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusForbidden)
			return true
		})
		env := environment(t, r, "CRATON_URL="+url, "IOTRONIC_URL="+broken.URL)
		out := run(t, env, "ansible-inventory", "-i", cratonFirst, "--list")
		if out.code == 0 || !strings.Contains(out.stderr, "20-iotronic: GET /v1: 403") || strings.Contains(out.stdout, "hostvars") {
			t.Errorf("exit %d\n%s\n%s", out.code, out.stderr, shorten(out.stdout))
		}
	})
}
