package collection_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/openstacktest"
)

// TestKeystone: a server that real users of a real Keystone work with, through modules, the inventory script and the
// inventory plugin. Two projects never see each other, and a wrong password is told without it.
func TestKeystone(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		k := openstacktest.StartKeystone(t)
		craton, err := program()
		if err != nil {
			t.Fatal(err)
		}
		database := "sqlite:" + filepath.Join(h.dir, "server.db")
		h.run(t, craton, "server", "bootstrap", "--auth", "keystone", "--database", database)
		region := k.Service(t, "fleet_management", h.serveWith(t, "--database", database, "--auth", "keystone", "--keystone-url", k.URL))

		// member is a member of a project of its own; the catalogue says where the fleet is.
		member := func(name string) []string {
			user, project := k.User(t, name), k.Project(t, name)
			k.Grant(t, user, project, "member")
			return []string{"OS_AUTH_URL=" + k.URL, "OS_REGION_NAME=" + region, "OS_USERNAME=" + user.Name,
				"OS_PASSWORD=" + user.Password, "OS_PROJECT_NAME=" + project.Name}
		}
		hosts := h.write(t, "hosts", "localhost ansible_connection=local\n")
		build := h.write(t, "build.yml", `
- hosts: localhost
  gather_facts: false
  tasks:
    - craton.fleet.craton_cloud: {name: "{{ team }}"}
    - craton.fleet.craton_region: {name: dfw, cloud: "{{ team }}", variables: {owner: "{{ team }}"}}
    - craton.fleet.craton_host: {name: "{{ team }}-1", region: dfw, ip_address: 10.0.0.1, device_type: server}
    - craton.fleet.craton_host_info:
      register: found
    - debug: {msg: "seen found {{ found.hosts | map(attribute='name') | join(',') | to_json }}"}
`)
		plugin := h.write(t, "fleet.craton.yml", "plugin: craton.fleet.craton\n")
		script := filepath.Join(h.dir, "craton-inventory")
		if err := os.Symlink(craton, script); err != nil {
			t.Fatal(err)
		}
		teams := map[string][]string{"red": member("red"), "blue": member("blue")}
		for team, env := range teams {
			for _, want := range []string{"changed=3", "changed=0"} {
				out := h.runWith(t, env, "ansible-playbook", "-i", hosts, "-e", "team="+team, build)
				var names string
				if seen(t, out, "found", &names); names != team+"-1" || !strings.Contains(out, want) {
					t.Errorf("%s sees %q, and should have %s:\n%s", team, names, want, out)
				}
			}
		}
		for team, env := range teams {
			for how, source := range map[string]string{"plugin": plugin, "script": script} {
				inv, vars := h.list(t, []string{source}, env...)
				if len(vars) != 1 || vars[team+"-1"]["owner"] != team || inv["cloud_"+team].Children == nil {
					t.Errorf("%s of %s: %v %v", how, team, inv, vars)
				}
			}
		}

		// The region that stands beside the cloud in the plugin's file counts; one that is left in the environment is
		// an error.
		of := map[string]string{}
		for _, variable := range teams["red"] {
			name, value, _ := strings.Cut(variable, "=")
			of[name] = value
		}
		h.write(t, "clouds.yaml", "clouds: {red: {region_name: elsewhere, auth: {auth_url: "+k.URL+", username: "+of["OS_USERNAME"]+
			", password: "+of["OS_PASSWORD"]+", project_name: "+of["OS_PROJECT_NAME"]+"}}}\n")
		env := []string{"OS_CLIENT_CONFIG_FILE=" + filepath.Join(h.dir, "clouds.yaml"), "OS_REGION_NAME=" + region}
		said := h.write(t, "said.craton.yml", "plugin: craton.fleet.craton\nos_cloud: red\nos_region_name: "+region+"\n")
		if _, vars := h.list(t, []string{said}, env...); len(vars) != 1 {
			t.Errorf("a region beside the cloud: %v", vars)
		}
		left := h.write(t, "left.craton.yml", "plugin: craton.fleet.craton\nos_cloud: red\n")
		if _, stderr, _ := h.try(t, env, "ansible-inventory", "-i", left, "--list"); !strings.Contains(stderr, "Valid choices are elsewhere") {
			t.Errorf("a region of the environment: %s", stderr)
		}

		wrong := append(teams["red"], "OS_PASSWORD=not this one")
		stdout, stderr, code := h.try(t, wrong, "ansible-playbook", "-i", hosts, "-e", "team=red", build)
		if code == 0 || !strings.Contains(stdout, "Keystone at "+k.URL) || strings.Contains(stdout+stderr, "not this one") {
			t.Errorf("wrong password: exit %d\n%s%s", code, stdout, stderr)
		}
	})
}
