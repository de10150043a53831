package collection_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fleetFile has a template in a variable of each kind of place.
const fleetFile = `
project:
  variables: {ansible_connection: local, from_project: "{{ 40 + 2 }}"}
clouds:
  - name: east
    variables: {plain: cloud, list: [1, "{% raw %}x{% endraw %}"]}
    regions:
      - name: dfw
        cells:
          - name: c1
            variables: {rack: r7}
            hosts:
              - {name: web1, ip_address: 10.0.0.1, device_type: server, labels: [web], variables: {mine: "{{ lookup('pipe', 'echo pwned') }}"}}
              - {name: web2, ip_address: 10.0.0.2, device_type: virtual}
`

// load fills the home's fleet.
func (h *home) load(t *testing.T) {
	t.Helper()
	p, err := pack()
	if err != nil {
		t.Fatal(err)
	}
	h.runWith(t, []string{"CRATON_URL=" + h.fleet}, p.program, "apply", h.write(t, "fleet.yml", fleetFile))
}

type inventory map[string]struct {
	Hosts, Children []string
}

// list asks ansible-inventory for everything, and returns groups and the variables of hosts.
func (h *home) list(t *testing.T, file string, env ...string) (inventory, map[string]map[string]any) {
	t.Helper()
	text := h.runWith(t, env, "ansible-inventory", "-i", file, "--list")
	var meta struct {
		Meta struct{ Hostvars map[string]map[string]any } `json:"_meta"`
	}
	var groups inventory
	if err := json.Unmarshal([]byte(text), &meta); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &groups); err != nil {
		t.Fatal(err)
	}
	for host, variables := range meta.Meta.Hostvars {
		meta.Meta.Hostvars[host] = unmarked(variables).(map[string]any)
	}
	return groups, meta.Meta.Hostvars
}

// unmarked takes off the marks by which ansible-inventory of 2.19 and later tells strings that are no templates.
func unmarked(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if text, ok := v["__ansible_unsafe"]; ok && len(v) == 1 {
			return text
		}
		for key, value := range v {
			v[key] = unmarked(value)
		}
	case []any:
		for i, value := range v {
			v[i] = unmarked(value)
		}
	}
	return v
}

// TestInventory: the plugin gives the hosts, groups and variables of the fleet, in both forms the same, with what the
// user composes of them.
func TestInventory(t *testing.T) {
	withAnsible(t, first, func(t *testing.T, h *home) {
		h.load(t)
		var before map[string]map[string]any
		for _, form := range []string{"merged", "layered"} {
			file := h.write(t, form+".craton.yml", `
plugin: craton.fleet.craton
url: `+h.fleet+`
vars: `+form+`
craton_groups: [cloud, region, cell, label]
strict: true
compose: {shelf: "rack ~ '-' ~ plain"}
groups: {named_web: "'web' in craton.name", web_labelled: "craton.labels | length > 0"}
keyed_groups: [{key: craton.device_type, prefix: kind}, {key: shelf, prefix: shelf}]
`)
			groups, hosts := h.list(t, file)
			for group, want := range map[string][]string{
				"cell_east_dfw_c1": {"web1", "web2"}, "label_web": {"web1"}, "kind_virtual": {"web2"}, "named_web": {"web1", "web2"},
				"web_labelled": {"web1"}, "shelf_r7_cloud": {"web1", "web2"}, "type_server": nil,
			} {
				if diff := cmp.Diff(want, groups[group].Hosts); diff != "" {
					t.Errorf("%s: group %s: %s", form, group, diff)
				}
			}
			if hosts["web1"]["shelf"] != "r7-cloud" || hosts["web1"]["ansible_host"] != "10.0.0.1" {
				t.Errorf("%s: %v", form, hosts["web1"])
			}
			if before != nil {
				if diff := cmp.Diff(before, hosts); diff != "" {
					t.Errorf("merged and layered differ:\n%s", diff)
				}
			}
			before = hosts
		}
	})
}

// TestTrust: no release executes the API's templates unless it is told to, in either form; then every release does.
func TestTrust(t *testing.T) {
	withAnsible(t, first, func(t *testing.T, h *home) {
		h.load(t)
		play := h.write(t, "trust.yml", `
- hosts: web1
  gather_facts: false
  tasks:
    - ansible.builtin.copy:
        dest: "{{ playbook_dir }}/seen.json"
        content: "{{ [mine, from_project | string, list[1], hostvars.web2.from_project | string] | to_json }}"
`)
		for _, form := range []string{"merged", "layered"} {
			for _, c := range []struct {
				line, env string
				want      []any
			}{
				{"", "CRATON_X=", []any{"{{ lookup('pipe', 'echo pwned') }}", "{{ 40 + 2 }}", "{% raw %}x{% endraw %}", "{{ 40 + 2 }}"}},
				{"trust_templates: true", "CRATON_X=", []any{"pwned", "42", "x", "42"}},
				{"", "CRATON_INVENTORY_TRUST_TEMPLATES=yes", []any{"pwned", "42", "x", "42"}},
				{"trust_templates: false", "CRATON_INVENTORY_TRUST_TEMPLATES=yes", []any{"{{ lookup('pipe', 'echo pwned') }}", "{{ 40 + 2 }}", "{% raw %}x{% endraw %}", "{{ 40 + 2 }}"}},
			} {
				file := h.write(t, "t.craton.yml", "plugin: craton.fleet.craton\nurl: "+h.fleet+"\nvars: "+form+"\n"+c.line+"\n")
				h.runWith(t, []string{c.env}, "ansible-playbook", "-i", file, play)
				data, err := os.ReadFile(filepath.Join(h.dir, "seen.json"))
				if err != nil {
					t.Fatal(err)
				}
				var seen []any
				if err := json.Unmarshal(data, &seen); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, seen); diff != "" {
					t.Errorf("%s, %q, %s: %s", form, c.line, c.env, diff)
				}
			}
		}
	})
}

// TestCache: with a cache the fleet is read once, for each set of settings; and no secret is in it.
func TestCache(t *testing.T) {
	withAnsible(t, first, func(t *testing.T, h *home) {
		h.load(t)
		file := h.write(t, "c.craton.yml", "plugin: craton.fleet.craton\ncache: true\ncache_plugin: ansible.builtin.jsonfile\ncache_connection: "+filepath.Join(h.dir, "cache")+"\n")
		url, secret := "CRATON_URL="+h.fleet, "OS_PASSWORD=hunter2hunter2"
		_, before := h.list(t, file, url, secret)
		if err := os.Remove(strings.TrimPrefix(h.fleet, "sqlite:")); err != nil {
			t.Fatal(err)
		}
		_, after := h.list(t, file, url, secret)
		if diff := cmp.Diff(before, after); diff != "" || len(after) != 2 {
			t.Errorf("from the cache comes something else:\n%s", diff)
		}
		if before["web1"]["mine"] == "pwned" {
			t.Error("a template was executed")
		}
		if _, _, code := h.try(t, []string{"CRATON_URL=sqlite:" + filepath.Join(h.dir, "other.db")}, "ansible-inventory", "-i", file, "--list"); code == 0 {
			t.Error("another fleet, which does not exist, has hosts")
		}
		entries, err := os.ReadDir(filepath.Join(h.dir, "cache"))
		if err != nil || len(entries) != 1 {
			t.Fatal(entries, err)
		}
		for _, e := range entries {
			if data, err := os.ReadFile(filepath.Join(h.dir, "cache", e.Name())); err != nil || strings.Contains(string(data), "hunter2") {
				t.Errorf("%s: a password is in the cache, or %v", e.Name(), err)
			}
		}
	})
}

// TestInventoryErrors: every failure is one clear line of the program's, without secrets, and Ansible stops.
func TestInventoryErrors(t *testing.T) {
	withAnsible(t, first, func(t *testing.T, h *home) {
		h.load(t)
		for name, c := range map[string]struct {
			lines string
			env   []string
			want  string
		}{
			"no fleet":     {"", nil, "CRATON_URL"},
			"empty URL":    {"", []string{"CRATON_URL="}, "CRATON_URL"},
			"filter":       {"url: " + h.fleet + "\nregions: [dwf]", nil, "near matches are dfw"},
			"comma":        {"url: " + h.fleet + "\nregions: ['a,b']", nil, "regions has a word with a comma"},
			"secret":       {"url: http://127.0.0.1:1\nretries: 0\nusername: u\nproject_id: 5d1b7c0e-0000-4000-8000-000000000000\npassword: hunter2hunter2", nil, "127.0.0.1:1"},
			"strict":       {"url: " + h.fleet + "\nstrict: true\ncompose: {x: nothing_of_that_name}", nil, "nothing_of_that_name"},
			"no program":   {"url: " + h.fleet + "\nbinary: /nowhere/craton", nil, "cannot run /nowhere/craton"},
			"other":        {"url: " + h.fleet + "\nbinary: /bin/echo", nil, "Is it the craton program?"},
			"wrong choice": {"url: " + h.fleet + "\nvars: both", nil, "vars"},
		} {
			file := h.write(t, "e.craton.yml", "plugin: craton.fleet.craton\n"+c.lines+"\n")
			stdout, stderr, code := h.try(t, c.env, "ansible-inventory", "-i", file, "--list")
			all := strings.Join(strings.Fields(stdout+stderr), " ")
			if code == 0 || !strings.Contains(all, c.want) || strings.Contains(all, "hunter2") || strings.Contains(all, "Traceback") || strings.Contains(all, "ELF") {
				t.Errorf("%s: exit %d, want %q\n%s%s", name, code, c.want, stdout, stderr)
			}
		}
	})
}

// TestOptions: an option comes from the file, else from the environment, else from ansible.cfg, else from the
// program's own configuration file; an empty variable is none.
func TestOptions(t *testing.T) {
	withAnsible(t, first, func(t *testing.T, h *home) {
		h.load(t)
		h.write(t, ".config/craton/config.yml", "url: "+h.fleet+"\nvalidate_certs: true\ninventory: {hostname: qualified}\n")
		cfg := h.write(t, "own.cfg", "[inventory]\nany_unparsed_is_failed = true\n[inventory_plugin_craton]\nhostname = ip_address\n")
		const name = "CRATON_INVENTORY_HOSTNAME"
		for i, c := range []struct {
			line string
			env  []string
			want string
		}{
			{"hostname: name", []string{name + "=qualified", "ANSIBLE_CONFIG=" + cfg}, "web1"},
			{"", []string{name + "=name", "ANSIBLE_CONFIG=" + cfg}, "web1"},
			{"", []string{"ANSIBLE_CONFIG=" + cfg}, "10.0.0.1"},
			{"", nil, "east/dfw/web1"},
			{"", []string{name + "=", "CRATON_VALIDATE_CERTS=", "CRATON_INVENTORY_STREAMS="}, "east/dfw/web1"},
			{`hostname: "name"` + "\nlabels: [web]\nstreams: 2\nactive_only: true\ntimeout: 5", nil, "web1"},
		} {
			file := h.write(t, fmt.Sprintf("o%d.craton.yaml", i), "plugin: craton.fleet.craton\n"+c.line+"\n")
			if _, hosts := h.list(t, file, c.env...); hosts[c.want] == nil {
				t.Errorf("%d: %s is not among %v", i, c.want, hosts)
			}
		}
	})
}
