package collection_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
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

type inventory map[string]struct {
	Hosts, Children []string
}

// list runs ansible-inventory --list, and returns groups and the variables of hosts.
func (h *home) list(t *testing.T, files []string, env ...string) (inventory, map[string]map[string]any) {
	t.Helper()
	args := []string{"--list"}
	for _, file := range files {
		args = append(args, "-i", file)
	}
	text := h.runWith(t, env, "ansible-inventory", args...)
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
	withAnsible(t, func(t *testing.T, h *home) {
		h.load(t, fleetFile)
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
			groups, hosts := h.list(t, []string{file})
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

// TestPlainStrings: what holds no template is plain in what ansible-inventory writes, which AWX and jq read, by plugin
// and script, in every release, whether templates are trusted or not; and from 2.19 on, where no keys are executed, a
// dictionary is one.
func TestPlainStrings(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		craton, err := program()
		if err != nil {
			t.Fatal(err)
		}
		load := func(name, more string) string {
			url := "sqlite:" + filepath.Join(h.dir, name+".db")
			h.runWith(t, []string{"CRATON_URL=" + url}, craton, "apply", h.write(t, name+".yml", `
project: {variables: {text: plain, list: [a, {b: "c }}"}], number: 1, comment: "# jinja2: no"`+more+`}}
clouds: [{name: east, regions: [{name: dfw, hosts: [{name: web1, ip_address: 10.0.0.1, device_type: server, labels: [web], note: a note}]}]}]
`))
			return url
		}
		plain := load("plain", "")
		braces := load("braces", `, brace: "${HOME}", template: "{{ 1 }}", keys: {"{{ k }}": "v"}`)
		script := h.write(t, "script", "#!/bin/sh\nexec "+craton+" inventory \"$@\"\n")
		if err := os.Chmod(script, 0o755); err != nil {
			t.Fatal(err)
		}
		raw := func(url, source string, env ...string) string {
			return h.runWith(t, append(env, "CRATON_URL="+url), "ansible-inventory", "-i", source, "--list")
		}
		for _, form := range []string{"merged", "layered"} {
			vars := "CRATON_INVENTORY_VARS=" + form
			for _, trust := range []string{"false", "true"} {
				file := h.write(t, "p.craton.yml", "plugin: craton.fleet.craton\ntrust_templates: "+trust+"\nstrict: true\n"+
					"compose: {composed: \"text ~ '!'\", composed_list: \"[text ~ '!', {'a': text ~ 1}]\", composed_name: 'text'}\n")
				if out := raw(plain, file, vars); strings.Contains(out, "__ansible_") {
					t.Errorf("plugin, %s, trust %s: marks in\n%s", form, trust, out)
				}
				out := raw(braces, file, vars)
				marked := strings.Count(out, "__ansible_unsafe")
				want := 1 // the template
				if old(h.release) {
					want = 3 // and the brace, and the text of the dictionary
				}
				if trust == "true" {
					want = 0
				}
				if marked != want || strings.Contains(out, `u007b`) != (want == 3) {
					t.Errorf("plugin, %s, trust %s: %d marks, want %d, in\n%s", form, trust, marked, want, out)
				}
			}
			if out := raw(plain, script, vars); strings.Contains(out, "__ansible_") {
				t.Errorf("script, %s: marks in\n%s", form, out)
			}
		}
	})
}

// TestTrust: no release executes the API's templates unless it is told to, in either form; then every release does.
func TestTrust(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.load(t, fleetFile)
		distrusted := []any{"{{ lookup('pipe', 'echo pwned') }}", "{{ 40 + 2 }}", "{% raw %}x{% endraw %}", "{{ 40 + 2 }}"}
		trusted := []any{"pwned", "42", "x", "42"}
		for env, cases := range map[string]map[string][]any{ // by what the inventory's file says of trust
			"":    {"": distrusted, "trust_templates: true": trusted},
			"yes": {"": trusted, "trust_templates: false": distrusted},
		} {
			// One run reads an inventory after the other, each in the place of the one before.
			file := filepath.Join(h.dir, "trust.craton.yml")
			var plays strings.Builder
			want, got := map[string][]any{}, map[string][]any{}
			for _, form := range []string{"merged", "layered"} {
				for line, values := range cases {
					name := fmt.Sprintf("case%d", len(want))
					want[name] = values
					next := h.write(t, name, "plugin: craton.fleet.craton\nurl: "+h.fleet+"\nvars: "+form+"\n"+line+"\n")
					fmt.Fprintf(&plays, `
- hosts: web1
  gather_facts: false
  tasks:
    - ansible.builtin.debug: {msg: "{{ lookup('ansible.builtin.pipe', 'cp %s %s') }}"}
    - ansible.builtin.meta: refresh_inventory
- hosts: web1
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "seen %s {{ [mine, from_project | string, list[1], hostvars.web2.from_project | string] | to_json }}"
`, next, file, name)
				}
			}
			h.write(t, filepath.Base(file), "plugin: craton.fleet.craton\nurl: "+h.fleet+"\n")
			out := h.runWith(t, []string{"CRATON_INVENTORY_TRUST_TEMPLATES=" + env}, "ansible-playbook", "-i", file, h.write(t, "trust.yml", plays.String()))
			for name := range want {
				var values []any
				seen(t, out, name, &values)
				got[name] = values
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("CRATON_INVENTORY_TRUST_TEMPLATES=%s:\n%s", env, diff)
			}
		}
	})
}

// TestCache: with a cache the fleet is read once, for each set of settings; and no secret is in it.
func TestCache(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.load(t, fleetFile)
		file := h.write(t, "c.craton.yml", "plugin: craton.fleet.craton\ncache: true\ncache_plugin: ansible.builtin.jsonfile\ncache_connection: "+filepath.Join(h.dir, "cache")+"\n")
		url, secret := "CRATON_URL="+h.fleet, "OS_PASSWORD=hunter2hunter2"
		_, before := h.list(t, []string{file}, url, secret)
		if err := os.Remove(strings.TrimPrefix(h.fleet, "sqlite:")); err != nil {
			t.Fatal(err)
		}
		_, after := h.list(t, []string{file}, url, secret)
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
	withAnsible(t, func(t *testing.T, h *home) {
		h.load(t, fleetFile)
		for name, c := range map[string]struct {
			lines, env, want string
		}{
			"no fleet":     {"", "CRATON_X=", "CRATON_URL"},
			"empty URL":    {"", "CRATON_URL=", "CRATON_URL"},
			"wrong choice": {"url: " + h.fleet + "\nvars: both", "CRATON_X=", "vars"},
		} {
			file := h.write(t, "e.craton.yml", "plugin: craton.fleet.craton\n"+c.lines+"\n")
			stdout, stderr, code := h.try(t, []string{c.env}, "ansible-inventory", "-i", file, "--list")
			if all := oneLine(stdout + stderr); code == 0 || !strings.Contains(all, c.want) || !clearError(all) {
				t.Errorf("%s: exit %d, want %q\n%s%s", name, code, c.want, stdout, stderr)
			}
		}
		// The others are told in one run, which goes on after each.
		cases := map[string]struct{ lines, want string }{
			"filter":  {"url: " + h.fleet + "\nregions: [dwf]", "similar names: dfw"},
			"comma":   {"url: " + h.fleet + "\nregions: ['a,b']", "regions: a value contains a comma"},
			"secret":  {"url: http://127.0.0.1:1\nretries: 0\nusername: u\nproject_id: 5d1b7c0e-0000-4000-8000-000000000000\npassword: hunter2hunter2", "127.0.0.1:1"},
			"strict":  {"url: " + h.fleet + "\nstrict: true\ncompose: {x: nothing_of_that_name}", "nothing_of_that_name"},
			"missing": {"url: " + h.fleet + "\nbinary: /nowhere/craton", "cannot run /nowhere/craton"},
			"other":   {"url: " + h.fleet + "\nbinary: /bin/echo", "Is it the craton program?"},
		}
		args := []string{"--list"}
		for name, c := range cases {
			args = append(args, "-i", h.write(t, name+".craton.yml", "plugin: craton.fleet.craton\n"+c.lines+"\n"))
		}
		stdout, stderr, _ := h.try(t, []string{"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=0"}, "ansible-inventory", args...)
		all := oneLine(stdout + stderr)
		if !clearError(all) {
			t.Errorf("the errors show too much:\n%s%s", stdout, stderr)
		}
		for name, c := range cases {
			if !strings.Contains(all, c.want) {
				t.Errorf("%s: %q is not told in\n%s%s", name, c.want, stdout, stderr)
			}
		}
	})
}

// TestPluginPast: the option at gives the inventory as it was, however YAML reads it, and says why it cannot.
func TestPluginPast(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.load(t, fleetFile)
		file := func(name, at string) string {
			return h.write(t, name+".craton.yml", "plugin: craton.fleet.craton\nurl: "+h.fleet+"\n"+at)
		}
		zone := "TZ=Asia/Kolkata"
		groups, hosts := h.list(t, []string{file("now", "")}, zone)
		moment := time.Now().Add(time.Millisecond).In(time.FixedZone("", 7200))
		time.Sleep(10 * time.Millisecond)
		craton, err := program()
		if err != nil {
			t.Fatal(err)
		}
		url := "CRATON_URL=" + h.fleet
		h.runWith(t, []string{url}, craton, "host-delete", "web2", "--yes")
		h.runWith(t, []string{url}, craton, "cell-vars-set", "c1", "rack=r8")
		_, said, _ := h.try(t, []string{url}, craton, "host-list", "--at", moment.Format(time.RFC3339Nano))
		revision := regexp.MustCompile(`revision ([0-9]+)-`).FindStringSubmatch(said)
		if revision == nil {
			t.Fatal(said)
		}
		for _, at := range []string{
			"at: " + revision[1], `at: "` + revision[1] + `"`,
			"at: " + moment.Format("2006-01-02T15:04:05.000000-07:00"), "at: " + moment.Format("2006-01-02 15:04:05.000000 -07:00"),
			`at: "` + moment.Format(time.RFC3339Nano) + `"`, `at: "` + moment.UTC().Format("2006-01-02T15:04:05.000000") + `"`,
		} {
			gotGroups, gotHosts := h.list(t, []string{file("then", at)}, zone)
			if diff := cmp.Diff(hosts, gotHosts) + cmp.Diff(groups, gotGroups); diff != "" {
				t.Errorf("%s (-then +asked now):\n%s", at, diff)
			}
		}
		args := []string{"--list"}
		cases := map[string]string{ // told in one run, which goes on after each
			"at: 1999-12-31":          "as of 1999-12-31 00:00:00 IST: The change log begins at ",
			"at: 1999-12-31 09:30":    "as of 1999-12-31 09:30:00 IST: The change log begins at ",
			"at: 1999-12-31 09:30:00": `at: a time must be in quotes, because YAML may drop its time zone. Write at: "1999-12-31 09:30:00"`,
			"at: last-week":           `"last-week" is not a time: write 2h, 3d`,
			"at: 4711":                "There is no revision 4711 yet",
		}
		for at := range cases {
			args = append(args, "-i", file(strconv.Itoa(len(args)), at))
		}
		stdout, stderr, _ := h.try(t, []string{"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=0", zone}, "ansible-inventory", args...)
		for at, want := range cases {
			if all := oneLine(stdout + stderr); !strings.Contains(all, want) || !clearError(all) {
				t.Errorf("%s: %q is not told in\n%s%s", at, want, stdout, stderr)
			}
		}
	})
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// clearError reports whether a text shows neither secrets nor anything unreadable for a user.
func clearError(s string) bool {
	return !strings.Contains(s, "hunter2") && !strings.Contains(s, "Traceback") && !strings.Contains(s, "ELF")
}

// TestOptions: an option comes from the file, or else from the environment, or else from ansible.cfg, or else from the
// program's own configuration file; an empty variable counts as unset.
func TestOptions(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.load(t, fleetFile)
		h.write(t, ".config/craton/config.yml", "url: "+h.fleet+"\nvalidate_certs: true\ninventory: {hostname: qualified}\n")
		cfg := "ANSIBLE_CONFIG=" + h.write(t, "own.cfg", "[inventory]\nany_unparsed_is_failed = true\n[inventory_plugin_craton]\nhostname = ip_address\n")
		const name = "CRATON_INVENTORY_HOSTNAME"
		plain := h.write(t, "plain.craton.yaml", "plugin: craton.fleet.craton\n")
		says := h.write(t, "says.craton.yaml", `{plugin: craton.fleet.craton, hostname: "name", labels: [web], streams: 2, active_only: true, timeout: 5}`)
		for _, c := range []struct {
			env  []string
			want []string
		}{
			{[]string{name + "=qualified", cfg}, []string{"east/dfw/web1", "east/dfw/web2", "web1"}},
			{[]string{cfg}, []string{"10.0.0.1", "10.0.0.2", "web1"}},
			{[]string{name + "=", "CRATON_VALIDATE_CERTS=", "CRATON_INVENTORY_STREAMS="}, []string{"east/dfw/web1", "east/dfw/web2", "web1"}},
		} {
			_, hosts := h.list(t, []string{plain, says}, c.env...)
			if diff := cmp.Diff(c.want, slices.Sorted(maps.Keys(hosts))); diff != "" {
				t.Errorf("%v: %s", c.env, diff)
			}
		}
	})
}

// TestPluginController: no variable of the fleet reaches the machine that Ansible runs on, and group_vars/all counts
// for what is composed after the plugin, whatever the form.
func TestPluginController(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.load(t, `
project:
  variables: {ansible_become: true, ansible_become_exe: /nonexistent, ansible_connection: nonesuch, ansible_python_interpreter: /nonexistent, leaked: project}
clouds: [{name: east, regions: [{name: dfw, hosts: [{name: web, ip_address: 127.0.0.2, device_type: server}]}]}]
`)
		constructed := h.write(t, "zz.constructed.yml", "plugin: ansible.builtin.constructed\nstrict: true\nuse_vars_plugins: true\nkeyed_groups: [{key: site, prefix: site}]\n")
		h.write(t, "group_vars/all.yml", "site: here\n")
		play := h.write(t, "controller.yml", `
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.command: "true"
    - ansible.builtin.assert:
        that:
          - leaked is not defined
          - ansible_become is not defined
          - hostvars.web.leaked == 'project'
          - groups.the_fleet == ['web']
          - groups.site_here == ['web']
`)
		for _, form := range []string{"merged", "layered"} {
			file := h.write(t, form+".craton.yml", "plugin: craton.fleet.craton\nurl: "+h.fleet+"\nvars: "+form+"\nproject_group: the_fleet\n")
			h.run(t, "ansible-playbook", "-i", file, "-i", constructed, play)
		}
	})
}

// TestUnknownVariables: a misspelt environment variable of an inventory is an error of its plugin and script, and does
// not return the whole fleet; one of another inventory is ignored.
func TestUnknownVariables(t *testing.T) {
	api := iotronictest.Start(t, iotronictest.Boards2019)
	api.Add("boards", iotronictest.Object{"name": "pi-02", "code": "c2", "status": "offline", "type": "pi"})
	withAnsible(t, func(t *testing.T, h *home) {
		h.load(t, fleetFile)
		craton, err := program()
		if err != nil {
			t.Fatal(err)
		}
		fleet := h.write(t, "u.craton.yml", "plugin: craton.fleet.craton\nurl: "+h.fleet+"\n")
		boards := h.write(t, "u.iotronic.yml", "plugin: craton.fleet.iotronic\nurl: "+api.URL+"\ntoken: "+iotronictest.Admin.Token+"\n")
		scripts := filepath.Join(h.dir, "scripts")
		for _, name := range []string{"craton-inventory", "iotronic-inventory"} {
			h.write(t, filepath.Join("scripts", "hosts"), "") // makes the directory
			if err := os.Symlink(craton, filepath.Join(scripts, name)); err != nil {
				t.Fatal(err)
			}
		}
		known := []string{"CRATON_URL=" + h.fleet, "CRATON_IOTRONIC_URL=" + api.URL, "OS_TOKEN=" + iotronictest.Admin.Token}
		for _, c := range []struct{ source, variable, near string }{
			{fleet, "CRATON_INVENTORY_LABLES=web", "CRATON_INVENTORY_LABELS"},
			{boards, "IOTRONIC_INVENTORY_FILTRES=status=online", "IOTRONIC_INVENTORY_FILTERS"},
			{filepath.Join(scripts, "craton-inventory"), "CRATON_INVENTORY_LABLES=web", "CRATON_INVENTORY_LABELS"},
			{filepath.Join(scripts, "iotronic-inventory"), "IOTRONIC_INVENTORY_FILTRES=status=online", "IOTRONIC_INVENTORY_FILTERS"},
		} {
			name, _, _ := strings.Cut(c.variable, "=")
			stdout, stderr, code := h.try(t, append(known, c.variable, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=1"), "ansible-inventory", "-i", c.source, "--list")
			if all := oneLine(stdout + stderr); code == 0 || !strings.Contains(all, name+" is set, but there is no such setting") || !strings.Contains(all, c.near) {
				t.Errorf("%s: exit %d, want %q\n%s%s", c.source, code, c.near, stdout, stderr)
			}
		}
		for source, variable := range map[string]string{fleet: "IOTRONIC_INVENTORY_FILTRES=x", boards: "CRATON_INVENTORY_LABLES=x"} {
			if stdout, stderr, code := h.try(t, append(known, variable, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=1"), "ansible-inventory", "-i", source, "--list"); code != 0 {
				t.Errorf("%s with %s: exit %d\n%s%s", source, variable, code, stdout, stderr)
			}
		}
	})
}
