package ansible_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// openstackDeploy is what openstack-ansible keeps in /etc/openstack_deploy, by its documentation: the file of its
// inventory script, with containers on hosts, groups of components that contain each other, and what a host is besides;
// and the variables beside it.
var openstackDeploy = map[string]string{
	"deploy/openstack_inventory.json": `{
 "_meta": {"hostvars": {
  "infra1": {"ansible_host": "172.29.236.11", "container_name": "infra1", "is_metal": true, "physical_host": "infra1", "physical_host_group": "shared-infra_hosts", "management_address": "172.29.236.11",
   "properties": {"is_metal": true}, "container_types": "infra1-host_containers",
   "container_networks": {"management_address": {"address": "172.29.236.11", "bridge": "br-mgmt", "netmask": null, "type": "veth"}}},
  "infra2": {"ansible_host": "172.29.236.12", "container_name": "infra2", "is_metal": true, "physical_host": "infra2", "physical_host_group": "shared-infra_hosts", "properties": {"is_metal": true}, "container_networks": {}},
  "infra1-keystone-container-1a2b3c4d": {"ansible_host": "172.29.239.20", "component": "keystone", "container_name": "infra1-keystone-container-1a2b3c4d", "physical_host": "infra1", "is_nest": false,
   "physical_host_group": "identity_hosts", "management_address": "172.29.239.20", "properties": {"service_name": "keystone", "container_release": "jammy", "log_directory": "keystone_logs"},
   "container_networks": {
    "management_address": {"address": "172.29.239.20", "bridge": "br-mgmt", "interface": "eth1", "netmask": "255.255.252.0", "type": "veth", "static_routes": [{"cidr": "10.0.0.0/8", "gateway": "172.29.236.1"}]},
    "storage_address": {"address": "172.29.244.20", "bridge": "br-storage", "interface": "eth2", "netmask": "255.255.252.0", "type": "veth", "container_mtu": "9000"}}},
  "infra2-keystone-container-5e6f7a8b": {"ansible_host": "172.29.239.21", "component": "keystone", "container_name": "infra2-keystone-container-5e6f7a8b", "physical_host": "infra2",
   "physical_host_group": "identity_hosts", "properties": {"service_name": "keystone"}, "container_networks": {"management_address": {"address": "172.29.239.21", "bridge": "br-mgmt", "interface": "eth1", "netmask": "255.255.252.0", "type": "veth"}}},
  "infra1-galera-container-9c0d1e2f": {"ansible_host": "172.29.239.30", "component": "galera", "container_name": "infra1-galera-container-9c0d1e2f", "physical_host": "infra1", "physical_host_group": "shared-infra_hosts",
   "properties": {}, "container_networks": {"management_address": {"address": "172.29.239.30", "bridge": "br-mgmt", "interface": "eth1", "netmask": "255.255.252.0", "type": "veth"}}},
  "compute1": {"ansible_host": "172.29.236.13", "ansible_ssh_host": "172.29.236.13", "container_name": "compute1", "is_metal": true, "physical_host": "compute1", "component": "nova_compute", "properties": {"is_metal": true, "nova_virt_type": "kvm"}, "container_vars": {"limit_container_types": "nova"}}}},
 "all": {"vars": {"container_cidr": "172.29.236.0/22", "tunnel_cidr": "172.29.240.0/22", "management_bridge": "br-mgmt", "internal_lb_vip_address": "172.29.236.9", "external_lb_vip_address": "openstack.example.net",
   "provider_networks": [{"network": {"container_bridge": "br-mgmt", "container_interface": "eth1", "container_type": "veth", "group_binds": ["all_containers", "hosts"], "ip_from_q": "container", "is_container_address": true}},
    {"network": {"container_bridge": "br-vlan", "net_name": "physnet1", "range": "101:200,301:400", "type": "vlan", "host_bind_override": "eth12"}}]}},
 "all_containers": {"children": ["identity_containers", "shared-infra_containers"], "hosts": []}, "all_lxc_containers": {"hosts": ["infra1-keystone-container-1a2b3c4d", "infra2-keystone-container-5e6f7a8b", "infra1-galera-container-9c0d1e2f"]},
 "lxc_hosts": {"hosts": ["infra1", "infra2"]}, "hosts": {"children": ["shared-infra_hosts", "identity_hosts", "compute_hosts"], "hosts": []},
 "shared-infra_hosts": {"children": [], "hosts": ["infra1", "infra2"]}, "identity_hosts": {"children": [], "hosts": ["infra1", "infra2"]}, "compute_hosts": {"children": [], "hosts": ["compute1"]},
 "shared-infra_all": {"children": ["galera"], "hosts": []}, "identity_all": {"children": ["keystone"], "hosts": []}, "compute_all": {"children": ["nova_compute"], "hosts": []},
 "identity_containers": {"children": ["infra1-host_containers", "infra2-host_containers"], "hosts": []}, "shared-infra_containers": {"children": ["infra1-host_containers"], "hosts": []},
 "infra1-host_containers": {"hosts": ["infra1-keystone-container-1a2b3c4d", "infra1-galera-container-9c0d1e2f"]}, "infra2-host_containers": {"hosts": ["infra2-keystone-container-5e6f7a8b"]},
 "galera": {"children": ["galera_all"], "hosts": []}, "galera_all": {"children": ["galera_container"], "hosts": []}, "galera_container": {"hosts": ["infra1-galera-container-9c0d1e2f"]},
 "keystone": {"children": ["keystone_all"], "hosts": []}, "keystone_all": {"children": ["keystone_container"], "hosts": []},
 "keystone_container": {"hosts": ["infra1-keystone-container-1a2b3c4d", "infra2-keystone-container-5e6f7a8b"]},
 "nova_all": {"children": ["nova_compute"], "hosts": []}, "nova_compute": {"children": ["nova_compute_container"], "hosts": []}, "nova_compute_container": {"hosts": ["compute1"]},
 "component_hosts": {"children": ["keystone_container", "galera_container", "nova_compute_container"], "hosts": []}, "log_all": {"hosts": []}, "unbound": {"children": [], "hosts": []}
}`,
	"deploy/group_vars/keystone_all.yml":     "keystone_debug: true\nkeystone_uri: \"https://{{ internal_lb_vip_address }}:5000\"\n",
	"deploy/group_vars/shared-infra_all.yml": "galera_root: here\n",
	"deploy/group_vars/hosts.yml":            "openstack_host_sysctl: [{key: fs.inotify.max_user_watches, value: 36864}]\n",
	"deploy/host_vars/compute1.yml":          "nova_reserved_mb: 2048\n",
	"bad.json":                               "{}",
	"broken/openstack_inventory.json":        `{"_meta": {"hostvars": {"h1": {}}}, "g1": {"hosts": ["h1"], "vars": 7}}`,
}

// TestImportOpenStackAnsible: the inventory of openstack-ansible, with the group_vars and host_vars beside it.
func TestImportOpenStackAnsible(t *testing.T) {
	t.Parallel()
	withAnsible(t, func(t *testing.T, r release) {
		r.onlyNewest(t)
		i := newImporting(t, r, openstackDeploy)
		out, err := i.run(t, "craton", "import", "openstack-ansible", "deploy/openstack_inventory.json", "--templates", "keep")
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		wantIn(t, out, "6 hosts", "differences  none", "3 files of group_vars", "1 in Ansible, which executes them")
		wantIn(t, i.read(t, "imported/fleet.yml"), "device_type: container", "container_cidr: 172.29.236.0/22", "- keystone_all", "- component_hosts", "physical_host: infra1", `range: "101:200,301:400"`, "nova_reserved_mb: 2048", "container_mtu: \"9000\"")
		if out, err := i.run(t, "craton", "import", "--verify"); err != nil || !strings.Contains(out, "differences  none") {
			t.Errorf("%v\n%s", err, out)
		}
		for file, want := range map[string]string{"bad.json": "ERROR: bad.json is not an inventory of openstack-ansible: it has no _meta", "broken/openstack_inventory.json": "ERROR: ansible-inventory -i broken/openstack_inventory.json "} {
			out, err := i.run(t, "craton", "import", "openstack-ansible", file, "--output", "other")
			if err == nil || strings.Contains(out, "/craton-import-") {
				t.Errorf("%v\n%s", err, out)
			}
			wantIn(t, out, want)
		}
	})
}

// debops is a project of DebOps, by its documentation: folders of variables for every group and host, whose lists for
// all, for groups and for hosts the roles put together, and passwords that a lookup makes.
var debops = map[string]string{
	"ansible.cfg": "[defaults]\ninventory = ansible/inventory\nhash_behaviour = replace\nroles_path = ansible/roles\n",
	"ansible/inventory/hosts": `# hosts of the project
controller ansible_connection=local

[debops_all_hosts]
web[1:2].example.org
db1.example.org ansible_host=192.0.2.31
mail ansible_host=mail.example.org

[debops_service_nginx]
web[1:2].example.org

[debops_service_postgresql_server]
db1.example.org

[debops_service_postgresql]
web1.example.org postgresql__role=client

[debops_no_common:children]
debops_service_mailman

[debops_service_mailman]
mail

[sites:children]
site_ams
site_fra
[site_ams]
web1.example.org
db1.example.org
[site_fra]
web2.example.org
mail
`,
	"ansible/inventory/group_vars/all/users.yml": `---
users__groups: []
users__accounts:
  - name: ann
    group: ann
    sshkeys: ["ssh-ed25519 AAAA ann@example.org"]
  - {name: old, state: absent}
`,
	"ansible/inventory/group_vars/all/secret.yml": `---
secret: "{{ inventory_dir | dirname }}/secret"
postgresql__password: '{{ lookup("password", secret + "/credentials/" + inventory_hostname + "/password length=20") }}'
`,
	"ansible/inventory/group_vars/all/netbase.yml":                          "netbase__domain: example.org\nnetbase__hosts: [{name: 192.0.2.9, value: [ldap.example.org, ldap]}]\n",
	"ansible/inventory/group_vars/debops_all_hosts/apt.yml":                 "apt__security: True\napt__conditional_whitelist:\n  - name: \"{{ ansible_distribution }}\"\n    state: present\n",
	"ansible/inventory/group_vars/debops_all_hosts/ntp.yml":                 "ntp__servers: [ntp1.example.org, ntp2.example.org]\n",
	"ansible/inventory/group_vars/debops_service_nginx/users.yml":           "users__group_accounts:\n  - name: deploy\n    append: True\n",
	"ansible/inventory/group_vars/debops_service_nginx/nginx.yml":           "nginx__servers:\n  - name: [\"{{ inventory_hostname }}\"]\n    by_role: debops.php\nnginx__upstreams: []\n",
	"ansible/inventory/group_vars/site_ams/ntp.yml":                         "ntp__servers: [ntp.ams.example.org]\n",
	"ansible/inventory/host_vars/web1.example.org/users.yml":                "users__host_accounts:\n  - name: ann\n    shell: /bin/zsh\n",
	"ansible/inventory/host_vars/web1.example.org/nginx.yml":                "nginx__upstreams: [{name: php, type: php}]\n",
	"ansible/inventory/host_vars/db1.example.org/postgresql.yml":            "postgresql_server__clusters:\n  - name: main\n    port: 5432\n    options: {max_connections: 100, shared_buffers: \"{{ (ansible_memtotal_mb / 4) | int }}MB\"}\n",
	"ansible/inventory/host_vars/db1.example.org/nested/more/listeners.yml": "postgresql_server__listen: ['*']\n",
	"ansible/secret/credentials/README":                                     "not read\n",
	"ansible/playbooks/site.yml":                                            "- hosts: all\n",
}

// TestImportDebOps: a project of DebOps, whose inventory ansible.cfg names.
func TestImportDebOps(t *testing.T) {
	t.Parallel()
	withAnsible(t, func(t *testing.T, r release) {
		r.onlyNewest(t)
		i := newImporting(t, r, nil)
		for name, text := range debops {
			i.write(t, name, text)
		}
		out := i.craton(t, "--templates", "keep")
		wantIn(t, out, "Reading "+filepath.Join(i.dir, "ansible/inventory")+", which Ansible reads without -i.", "regions: site_ams, site_fra", "5 hosts")
		wantIn(t, i.read(t, "imported/fleet.yml"), "netbase__domain: example.org", "- debops_all_hosts", "- debops_service_nginx", "ip_address: 192.0.2.31", "users__accounts:", "users__host_accounts:", "postgresql_server__listen:")
		wantIn(t, i.read(t, "imported/inventory/group_vars/label_debops_service_nginx.yml"), "users__group_accounts:", `"{{ inventory_hostname }}"`)
		wantIn(t, i.read(t, "imported/inventory/group_vars/all.yml"), `lookup("password"`)
		if i.exists("ansible/secret/credentials/db1.example.org") {
			t.Error("a template was executed")
		}
	})
}

// TestImportConfigured: without -i the inventory is the one that Ansible reads, and missing files are reported.
func TestImportConfigured(t *testing.T) {
	t.Parallel()
	withAnsible(t, func(t *testing.T, r release) {
		r.onlyNewest(t)
		i := newImporting(t, r, map[string]string{"one.ini": "h1 ansible_host=192.0.2.1\n", "two/hosts": "h2 ansible_host=192.0.2.2\n", "two/group_vars/all.yml": "two: 2\n"})
		if _, err := os.Stat("/etc/ansible/hosts"); err != nil {
			out, err := i.run(t, "craton", "import", "ansible")
			if err == nil || i.exists("imported") {
				t.Errorf("%v\n%s", err, out)
			}
			wantIn(t, out, "the following arguments are required: -i/--inventory; neither ansible.cfg nor ANSIBLE_INVENTORY sets one, and there is no /etc/ansible/hosts")
		}
		i.env = append(i.env, "ANSIBLE_INVENTORY=one.ini,two")
		out, err := i.run(t, "craton", "import", "ansible", "--no-verify")
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		wantIn(t, out, "2 hosts")
		wantIn(t, i.read(t, "imported/fleet.yml"), "two: 2")
		wantIn(t, i.read(t, "imported/import.json"), filepath.Join(i.dir, "one.ini"), filepath.Join(i.dir, "two"))
		i.env = append(i.env, "ANSIBLE_INVENTORY=nowhere.ini")
		if out, err = i.run(t, "craton", "import", "ansible", "--no-verify", "--output", "other"); err == nil || i.exists("other") {
			t.Errorf("%v\n%s", err, out)
		}
		wantIn(t, out, "inventory not found: "+filepath.Join(i.dir, "nowhere.ini"))
		i.env = append(i.env, "ANSIBLE_INVENTORY=one.ini")
		if err := os.Chmod(filepath.Join(i.dir, "imported/inventory/10-craton"), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err = i.run(t, "craton", "import", "--verify"); err == nil {
			t.Error("what cannot be run is proved")
		}
		wantIn(t, out, "imported/inventory/10-craton must be executable (chmod u+x)")
	})
}
