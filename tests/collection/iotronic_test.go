package collection_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
)

// TestIotronicInventory: the plugin of Ironic and Iotronic, with its options from the file, with what the user
// composes, and beside that of Craton. Templates of the API are not executed unless it is told to.
func TestIotronicInventory(t *testing.T) {
	api := iotronictest.Start(t, iotronictest.Boards2019)
	roofs := api.Add("fleets", iotronictest.Object{"name": "roofs"})
	api.Add("boards", iotronictest.Object{"name": "web1", "code": "c1", "fleet": roofs, "status": "online", "type": "yun",
		"extra": iotronictest.Object{"ip": "192.0.2.1", "rack": "{{ 40 + 2 }}", "ansible_connection": "local"}})
	api.Add("boards", iotronictest.Object{"name": "pi-02", "code": "c2", "status": "offline", "type": "pi"})
	withAnsible(t, func(t *testing.T, h *home) {
		file := h.write(t, "town.iotronic.yml", `
plugin: craton.fleet.iotronic
url: `+api.URL+`
token: `+iotronictest.Admin.Token+`
iotronic_groups: [status, fleet]
address_from: [extra.ansible_host, extra.ip]
extra_variables: ["*"]
compose: {kind: iotronic.type | upper}
keyed_groups: [{key: iotronic.status, prefix: is}]
`)
		groups, hosts := h.list(t, []string{file})
		for group, want := range map[string][]string{
			"status_online": {"web1"}, "status_offline": {"pi-02"}, "fleet_roofs": {"web1"}, "is_online": {"web1"}, "type_yun": nil,
		} {
			if diff := cmp.Diff(want, groups[group].Hosts); diff != "" {
				t.Errorf("group %s: %s", group, diff)
			}
		}
		if w := hosts["web1"]; w["ansible_host"] != "192.0.2.1" || w["kind"] != "YUN" || w["rack"] != "{{ 40 + 2 }}" || w["ansible_connection"] != nil {
			t.Errorf("%v", w)
		}
		out := h.run(t, "ansible", "-i", file, "all", "-c", "local", "-m", "ansible.builtin.debug", "-a", "msg={{ iotronic.extra.rack | default('none') }}")
		if strings.Contains(out, `"42"`) || !strings.Contains(out, "40 + 2") {
			t.Errorf("a template of the API was executed:\n%s", out)
		}
		// A key that is no option, such as a misspelt filter, is an error; no groups are a choice; a machine cannot
		// take the place of the one that Ansible runs on.
		wrong := h.write(t, "wrong.iotronic.yml", "plugin: craton.fleet.iotronic\nurl: "+api.URL+"\ntoken: "+iotronictest.Admin.Token+"\nfiltres: [status=online]\n")
		_, stderr, code := h.try(t, nil, "ansible-inventory", "-i", wrong, "--list")
		if text := strings.Join(strings.Fields(stderr), " "); code == 0 || !strings.Contains(text, "unknown option filtres. Did you mean filters?") {
			t.Errorf("exit %d: %s", code, stderr)
		}
		bare := h.write(t, "bare.iotronic.yml", "plugin: craton.fleet.iotronic\nurl: "+api.URL+"\ntoken: "+iotronictest.Admin.Token+"\niotronic_groups: []\n")
		if groups, _ := h.list(t, []string{bare}); len(groups["ungrouped"].Hosts) != 2 {
			t.Errorf("without groups: %v", groups)
		}
		hijack := iotronictest.Start(t, iotronictest.Boards2019)
		hijack.Add("boards", iotronictest.Object{"name": "localhost", "code": "c9", "extra": iotronictest.Object{"ansible_host": "192.0.2.66"}})
		taken := h.write(t, "taken.iotronic.yml", "plugin: craton.fleet.iotronic\nurl: "+hijack.URL+"\ntoken: "+iotronictest.Admin.Token+"\n")
		_, stderr, code = h.try(t, nil, "ansible-inventory", "-i", taken, "--list")
		if text := strings.Join(strings.Fields(stderr), " "); code == 0 || !strings.Contains(text, `cannot be in the inventory: its name there is "localhost", which is Ansible's name`) {
			t.Errorf("exit %d: %s", code, stderr)
		}
		if !h.newest {
			return
		}
		trusting := h.write(t, "trust.iotronic.yml", "plugin: craton.fleet.iotronic\ntrust_templates: true\nfilters: [status=online]\n")
		out = h.runWith(t, []string{"IOTRONIC_URL=" + api.URL, "OS_AUTH_TOKEN=" + iotronictest.Admin.Token}, "ansible", "-i", trusting, "all", "-c", "local",
			"-m", "ansible.builtin.debug", "-a", "msg={{ iotronic.extra.rack }}")
		if !strings.Contains(out, "42") || strings.Contains(out, "pi-02") {
			t.Errorf("a trusted template, and a filter:\n%s", out)
		}
		h.load(t, fleetFile)
		both := filepath.Dir(h.write(t, "both/1.craton.yml", "plugin: craton.fleet.craton\nurl: "+h.fleet+"\n"))
		h.write(t, "both/2.iotronic.yml", "plugin: craton.fleet.iotronic\nurl: "+api.URL+"\ntoken: "+iotronictest.Admin.Token+"\n")
		_, hosts = h.list(t, []string{both})
		if w := hosts["web1"]; len(hosts) != 3 || w["craton"] == nil || w["iotronic"] == nil || w["rack"] != "r7" {
			t.Errorf("both: %d hosts, %v", len(hosts), w)
		}
		bad := h.write(t, "bad.iotronic.yml", "plugin: craton.fleet.iotronic\nurl: "+api.URL+"\ntoken: wrong\n")
		_, stderr, code = h.try(t, nil, "ansible-inventory", "-i", bad, "--list")
		if text := strings.Join(strings.Fields(stderr), " "); code == 0 || !strings.Contains(text, "iotronic: GET /v1/boards/detail: 401") || !strings.Contains(text, " Set token (OS_TOKEN) to a valid one") {
			t.Errorf("exit %d: %s", code, stderr)
		}
		if doc := h.run(t, "ansible-doc", "-t", "inventory", "craton.fleet.iotronic"); !strings.Contains(doc, "iotronic_groups") || !strings.Contains(doc, "CRATON_IOTRONIC_URL") {
			t.Errorf("ansible-doc:\n%s", doc)
		}
	})
}

// TestIotronicCache: whichever variable names another server, its hosts come, and not what the cache has of the first;
// and each variable counts for more than ansible.cfg.
func TestIotronicCache(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		var servers []*iotronictest.Server
		for _, name := range []string{"here", "there", "in-the-file"} {
			s := iotronictest.Start(t, iotronictest.Boards2019, iotronictest.NoAuth())
			s.Add("boards", iotronictest.Object{"name": name, "code": name})
			servers = append(servers, s)
		}
		file := h.write(t, "c.iotronic.yml", "plugin: craton.fleet.iotronic\ncache: true\ncache_plugin: ansible.builtin.jsonfile\ncache_connection: "+filepath.Join(h.dir, "cache")+"\n")
		config := "ANSIBLE_CONFIG=" + h.write(t, "with.cfg", "[inventory_plugin_iotronic]\nurl = "+servers[2].URL+"\n")
		for _, c := range []struct {
			server int
			env    []string
			want   string
		}{
			{0, []string{"IOTRONIC_URL=" + servers[0].URL}, "here"},
			{1, []string{"IOTRONIC_URL=" + servers[1].URL}, "there"},
			{1, []string{"IRONIC_URL=" + servers[0].URL, "IOTRONIC_URL=" + servers[1].URL, config}, "there"},
			{0, []string{"CRATON_IOTRONIC_URL=" + servers[0].URL, "IOTRONIC_URL=" + servers[1].URL, config}, "here"},
			{2, []string{"IOTRONIC_URL=", config}, "in-the-file"},
		} {
			read := 0
			for range 2 {
				read = len(servers[c.server].Requests())
				if _, hosts := h.list(t, []string{file}, c.env...); len(hosts) != 1 || hosts[c.want] == nil {
					t.Errorf("%q: %v", c.env, hosts)
				}
			}
			if len(servers[c.server].Requests()) != read {
				t.Errorf("%q: not from the cache", c.env)
			}
		}
	})
}

// TestCloudOfAFile: a cloud that the plugin's file names says all of Keystone, whatever the environment has for
// something else; and what clouds.yaml says anew is read anew.
func TestCloudOfAFile(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		metal, k := openstacktest.StartIronicBehindKeystone(t)
		user, project := k.AdminUser(t), k.AdminProject(t)
		region := k.Service(t, "baremetal", metal.URL)
		class, names := metal.Nodes(t, 2, k.Token(t, user, project))
		clouds := func(password string) string {
			return "clouds: {metal: {auth: {auth_url: " + k.URL + ", username: " + user.Name + ", password: " + password + ", project_name: " + project.Name +
				"}, region_name: " + region + "}}\n"
		}
		env := []string{"OS_CLIENT_CONFIG_FILE=" + h.write(t, "clouds.yaml", clouds(user.Password)), "OS_TOKEN=stale", "OS_USERNAME=nobody", "OS_PASSWORD=wrong",
			"OS_AUTH_URL=http://127.0.0.1:1", "CRATON_IOTRONIC_CLOUD=another", "IOTRONIC_MAX_RETRIES=20", "IRONIC_URL=" + metal.URL}
		file := h.write(t, "m.iotronic.yml", "plugin: craton.fleet.iotronic\nos_cloud: metal\nfilters: [resource_class="+class+"]\n"+
			"cache: true\ncache_plugin: ansible.builtin.jsonfile\ncache_connection: "+filepath.Join(h.dir, "cache")+"\n")
		_, hosts := h.list(t, []string{file}, env...)
		if diff := cmp.Diff(names, slices.Sorted(maps.Keys(hosts))); diff != "" {
			t.Errorf("(-nodes +hosts)\n%s", diff)
		}
		if _, stderr, code := h.try(t, append(env, "OS_CACERT=/nonexistent/ca.pem"), "ansible-inventory", "-i", file, "--list"); code == 0 || !strings.Contains(stderr, "/nonexistent/ca.pem") {
			t.Errorf("what is trusted counts beside a cloud: exit %d: %s", code, stderr)
		}
		h.write(t, "clouds.yaml", clouds("no-longer-good"))
		_, stderr, code := h.try(t, env, "ansible-inventory", "-i", file, "--list")
		if code == 0 || !strings.Contains(stderr, "401") || strings.Contains(stderr, "no-longer-good") {
			t.Errorf("another clouds.yaml: exit %d: %s", code, stderr)
		}
		alone := openstacktest.StartIronic(t)
		class, names = alone.Nodes(t, 1, "")
		h.write(t, "clouds.yaml", "clouds: {metal: {auth_type: none, endpoint: "+alone.URL+"}}\n")
		file = h.write(t, "a.iotronic.yml", "plugin: craton.fleet.iotronic\nos_cloud: metal\nfilters: [resource_class="+class+"]\n")
		_, hosts = h.list(t, []string{file}, env...)
		if diff := cmp.Diff(names, slices.Sorted(maps.Keys(hosts))); diff != "" {
			t.Errorf("a cloud without Keystone: (-nodes +hosts)\n%s", diff)
		}
		number := h.write(t, "n.iotronic.yml", "plugin: craton.fleet.iotronic\napi_version: 1.10\n")
		_, stderr, code = h.try(t, env, "ansible-inventory", "-i", number, "--list")
		if text := strings.Join(strings.Fields(stderr), " "); code == 0 || !strings.Contains(text, `api_version must be in quotes, such as "1.10"`) {
			t.Errorf("exit %d: %s", code, stderr)
		}
	})
}
