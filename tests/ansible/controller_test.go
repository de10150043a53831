package ansible_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write creates a file.
func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// controllerFleet is a fleet whose variables would each break or take over the machine that Ansible runs on, at every
// level that a group can have. WITNESS is a program that creates a file when it runs.
const controllerFleet = `
project:
  variables: {ansible_become: true, ansible_become_exe: WITNESS, ansible_connection: nonesuch, ansible_python_interpreter: WITNESS, ansible_shell_executable: WITNESS, leaked: project, depth: project}
clouds:
  - name: east
    variables: {ansible_become: true, leaked_by_cloud: cloud, depth: cloud}
    regions:
      - name: dfw
        variables: {depth: region}
        hosts:
          - {name: web, ip_address: 127.0.0.2, device_type: server, variables: {ansible_connection: local, ansible_become: false, ansible_python_interpreter: PYTHON, ansible_shell_executable: /bin/sh}}
        cells:
          - name: c1
            variables: {depth: cell}
            hosts:
              - {name: db, ip_address: 127.0.0.3, device_type: server, labels: [zzz], variables: {ansible_connection: local, ansible_become: false, ansible_python_interpreter: PYTHON, ansible_shell_executable: /bin/sh}}
`

const controllerPlay = `
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.command: "true"
    - ansible.builtin.assert:
        that:
          - leaked is not defined
          - leaked_by_cloud is not defined
          - ansible_become is not defined
          - ansible_become_exe is not defined
    - ansible.builtin.set_fact:
        seen: "{{ hostvars['db'].depth }} {{ hostvars['web'].depth }} {{ hostvars['db'].leaked }} {{ hostvars['db'].leaked_by_cloud }}"
    - ansible.builtin.assert:
        that: seen == 'cell region project cloud'
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.command: "true"
      delegate_to: localhost
    - ansible.builtin.command: "true"
`

// TestController: no variable of the fleet reaches the machine that Ansible runs on, as localhost or by delegation, in
// any form and with any groups; and every host keeps its own.
func TestController(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mark := filepath.Join(dir, "executed")
	witness := filepath.Join(dir, "witness")
	if err := os.WriteFile(witness, []byte("#!/bin/sh\ntouch "+mark+"\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	play := write(t, filepath.Join(dir, "play.yml"), controllerPlay)
	inventory := filepath.Join(program(t), "craton-inventory")
	withAnsible(t, func(t *testing.T, r release) {
		fleet := strings.NewReplacer("WITNESS", witness, "PYTHON", filepath.Join(r.bin, "python")).Replace(controllerFleet)
		url := load(t, write(t, filepath.Join(t.TempDir(), "fleet.yml"), fleet))
		for _, settings := range [][]string{
			{"VARS=merged"}, {"VARS=layered"}, {"VARS=layered", "GROUPS=label,region"}, {"VARS=layered", "PROJECT_GROUP=the_fleet"},
		} {
			env := environment(t, r, "CRATON_URL="+url)
			for _, s := range settings {
				env = append(env, "CRATON_INVENTORY_"+s)
			}
			if out := run(t, env, "ansible-playbook", "-i", inventory, play); out.code != 0 {
				t.Errorf("%v: exit %d\n%s%s", settings, out.code, out.stdout, out.stderr)
			}
			if _, err := os.Stat(mark); err == nil {
				t.Fatalf("%v: a program of the fleet's choosing ran on the controller", settings)
			}
			doc := decode(t, mustRun(t, env, inventory, "--list"))
			all := doc["all"].(map[string]any)
			if len(all) != 1 || len(all["children"].([]any)) == 0 {
				t.Errorf("%v: all is %v", settings, all)
			}
		}
	})
}

// TestGroupVarsForConstructed: group_vars/all applies to the sources after ours, in both forms and with any data.
func TestGroupVarsForConstructed(t *testing.T) {
	t.Parallel()
	host := "{name: web, ip_address: 127.0.0.2, device_type: server}"
	fleets := map[string]string{
		"with variables":    "project: {variables: {a: 1}}\nclouds: [{name: east, regions: [{name: dfw, hosts: [" + host + "]}]}]\n",
		"without variables": "clouds: [{name: east, regions: [{name: dfw, hosts: [" + host + "]}]}]\n",
	}
	withAnsible(t, func(t *testing.T, r release) {
		for name, fleet := range fleets {
			dir := t.TempDir()
			url := load(t, write(t, filepath.Join(t.TempDir(), "fleet.yml"), fleet))
			if err := os.Symlink(filepath.Join(program(t), "craton-inventory"), filepath.Join(dir, "10-craton")); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "20-constructed.yml"), "plugin: ansible.builtin.constructed\nstrict: true\nuse_vars_plugins: true\nkeyed_groups: [{key: site, prefix: site}]\n")
			write(t, filepath.Join(dir, "group_vars", "all.yml"), "site: here\n")
			for _, settings := range [][]string{{"VARS=merged"}, {"VARS=layered"}, {"VARS=layered", "GROUPS=none"}, {"VARS=merged", "PROJECT_GROUP=none"}, {"VARS=merged", "GROUPS=label"}} {
				env := environment(t, r, "CRATON_URL="+url)
				for _, s := range settings {
					env = append(env, "CRATON_INVENTORY_"+s)
				}
				out := run(t, env, "ansible", "-i", dir, "site_here", "--list-hosts")
				if out.code != 0 || !strings.Contains(out.stdout, "hosts (1):\n    web\n") {
					t.Errorf("%s, %v: exit %d\n%s%s", name, settings, out.code, out.stdout, out.stderr)
				}
			}
		}
	})
}

// TestLimit: every host name in the inventory can be selected by ansible -l alone, in every form of names.
func TestLimit(t *testing.T) {
	t.Parallel()
	names := []string{"web", "web:22", "web.x", "2001:db8::7", "ü", "ü:22", "::ffff:192.0.2.9", "10.0.0.1:2222", "web:22:c"}
	var fleet strings.Builder
	fleet.WriteString("clouds: [{name: e, regions: [{name: r, hosts: [\n")
	for i, name := range names[:len(names)-1] {
		fmt.Fprintf(&fleet, "{name: %q, ip_address: '2001:db8::%x', device_type: server},\n", name, 0x100+i)
	}
	fleet.WriteString("{name: last, ip_address: '64:ff9b::192.0.2.1', device_type: server}]}]}]\n")
	url := load(t, write(t, filepath.Join(t.TempDir(), "fleet.yml"), fleet.String()))
	inventory := filepath.Join(program(t), "craton-inventory")
	withAnsible(t, func(t *testing.T, r release) {
		for _, form := range []string{"name", "ip_address"} {
			env := environment(t, r, "CRATON_URL="+url, "CRATON_INVENTORY_HOSTNAME="+form)
			hosts := decode(t, mustRun(t, env, inventory, "--list")).hostvars(t)
			if len(hosts) != len(names) {
				t.Fatalf("%s: %d hosts", form, len(hosts))
			}
			for name := range hosts {
				if form == "ip_address" && !strings.HasSuffix(name, "100") && !strings.HasPrefix(name, "64:") {
					continue // all are of one kind
				}
				out := mustRun(t, env, "ansible", "-i", inventory, "all", "-l", name, "--list-hosts")
				if out != "  hosts (1):\n    "+name+"\n" {
					t.Errorf("-l %s selects %s", name, out)
				}
			}
		}
		out := run(t, environment(t, r, "CRATON_URL="+url, "CRATON_INVENTORY_HOSTNAME=qualified"), inventory, "--list")
		if out.code == 0 || out.stdout != "" || !strings.Contains(out.stderr, "contains a colon, at which Ansible divides patterns; rename it, or set hostname to name") {
			t.Errorf("qualified names with colons: exit %d, %s%s", out.code, shorten(out.stdout), out.stderr)
		}
	})
}
