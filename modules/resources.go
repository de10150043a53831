package modules

import "github.com/craton-fleet/craton/internal/schema"

// Options that name other objects.
const (
	optProject = "project"
	optCloud   = "cloud"
	optRegion  = "region"
	optCell    = "cell"
	optParent  = "parent"
	optDevice  = "device"
	optNetwork = "network"
)

// Texts of fields with the same meaning everywhere.
var (
	inCloud  = fieldDoc{optCloud, 1, []string{"The cloud, by name or id."}}
	inRegion = fieldDoc{optRegion, 1, []string{"The region, by name or id."}}
	inCell   = fieldDoc{optCell, 1, []string{"The cell of the region, by name or id. An empty string means none."}}
	parent   = fieldDoc{optParent, nil, []string{
		"The host or network device that this one is part of or attached to, by name or id. Its variables are inherited.",
		"An empty string removes the parent. Without this option the parent stays as it is.",
	}}
	note       = text("note", "bought in spring", "A note for people. An empty string removes it.")
	address    = text("ip_address", "10.20.0.11", "The IPv4 or IPv6 address. Different spellings of one address are the same.")
	deviceType = text("device_type", "server", "The type of device, as free text.")
)

func text(option string, sample any, doc string) fieldDoc {
	return fieldDoc{option, sample, []string{doc}}
}

var (
	project = &resource{
		Kind:    schema.Project,
		filters: []filter{varsFilter}, rootOnly: "Only root users may list, create and delete projects.",
		doc: docs{
			is: "A project contains one fleet and its users.", key: "which the API does not keep unique",
			notes: []string{
				"Two projects can have the same name. To select one of them, use C(id).",
				"If a database C(url: sqlite:PATH) contains several projects, each task must select one with O(project_id).",
			},
			examples: `
- name: A project with variables
  craton.fleet.craton_project:
    name: retail
    variables:
      dns_domain: retail.example.net

- name: Remove it, if it is empty
  craton.fleet.craton_project:
    name: retail
    state: absent
`, info: `
- name: All projects
  craton.fleet.craton_project_info:
  register: found

- name: Their names
  ansible.builtin.debug:
    msg: "{{ found.projects | map(attribute='name') | list }}"
`},
	}
	user = &resource{
		Kind:     schema.User,
		rootOnly: "Only admins of a project and root users may manage users.",
		fields: []fieldDoc{
			text(optProject, "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c", "The project that the user belongs to, by name or id. By default the caller's own."),
			text("is_admin", false, "Whether the user is an admin of the project."),
		},
		doc: docs{
			is: "A user belongs to one project and has API keys, which the server generates.", key: "within its project",
			notes: []string{
				"The API key is in the result of the task that creates the user, as RV(user.api_key), and is never shown again. Use C(no_log: true), or store it at once.",
				"Only the role and the keys of a user can be changed. For other changes, O(recreate=true) replaces the user with a new one, which has a new key.",
			},
			examples: `
- name: A user
  craton.fleet.craton_user:
    name: deploy
    is_admin: false
  register: made
  no_log: true

- name: Store the key of the new user
  ansible.builtin.copy:
    content: "{{ made.user.api_key }}"
    dest: ~/.craton-deploy.key
    mode: "0600"
  when: made.user.api_key is defined

- name: A user that only reads, with one key, which is valid for three months
  craton.fleet.craton_user:
    name: dashboard
    role: reader
    keys:
      - name: panel
        expires: 90d
      - name: api_key
        state: absent
  register: dashboard
  no_log: true

- name: Store the new key
  ansible.builtin.copy:
    content: "{{ dashboard.user.new_keys.panel }}"
    dest: ~/.craton-dashboard.key
    mode: "0600"
  when: dashboard.user.new_keys is defined

- name: Remove the user
  craton.fleet.craton_user:
    name: deploy
    state: absent
`, info: `
- name: The users of the project
  craton.fleet.craton_user_info:
  register: found

- name: Is there a user deploy?
  craton.fleet.craton_user_info:
    name: deploy
  register: deploy
  failed_when: deploy.users | length == 0
`},
	}
	cloud = &resource{
		Kind:   schema.Cloud,
		fields: []fieldDoc{note}, filters: []filter{varsFilter},
		doc: docs{
			is: "A cloud is the outermost place in a project. It contains regions.", key: "within the project",
			examples: `
- name: A cloud
  craton.fleet.craton_cloud:
    name: east
    note: everything on the east coast
    variables:
      ntp: ntp1.example.net

- name: Take all its variables away but one
  craton.fleet.craton_cloud:
    name: east
    variables:
      ntp: ntp1.example.net
    variables_mode: replace

- name: Remove it with all that is in it
  craton.fleet.craton_cloud:
    name: east
    state: absent
    force: true
`, info: `
- name: All clouds
  craton.fleet.craton_cloud_info:
  register: found

- name: Two of them
  craton.fleet.craton_cloud_info:
    name: [east, west]
`},
	}
	region = &resource{
		Kind:   schema.Region,
		fields: []fieldDoc{inCloud, note}, filters: []filter{varsFilter},
		doc: docs{
			is: "A region is a part of a cloud. It contains cells, hosts, network devices and networks.", key: "within its cloud",
			examples: `
- name: A region
  craton.fleet.craton_region:
    name: dfw
    cloud: east
    variables:
      timezone: America/Chicago

- name: Remove it, if it is empty
  craton.fleet.craton_region:
    name: dfw
    cloud: east
    state: absent
`, info: `
- name: The regions of a cloud, with their own variables only
  craton.fleet.craton_region_info:
    cloud: east
    resolved: false
  register: found
`},
	}
	cell = &resource{
		Kind:   schema.Cell,
		fields: []fieldDoc{inCloud, inRegion, note}, filters: []filter{varsFilter},
		doc: docs{
			is: "A cell is a part of a region, such as a row or a rack. It contains hosts, network devices and networks.", key: "within its region",
			examples: `
- name: A cell
  craton.fleet.craton_cell:
    name: row-a
    region: dfw
    variables:
      rack: a1

- name: Remove it with the hosts in it
  craton.fleet.craton_cell:
    name: row-a
    region: dfw
    state: absent
    force: true
`, info: `
- name: The cells of a region
  craton.fleet.craton_cell_info:
    region: dfw
  register: found
`},
	}
	host = &resource{
		Kind: schema.Host,
		fields: []fieldDoc{inCloud, inRegion, inCell, address, deviceType, parent,
			text("active", true, "Whether the host is in use. By default, a new host is in use."), note},
		filters: []filter{textFilter("device_type"), textFilter("label"), addressFilter, varsFilter},
		doc: docs{
			is: "A host is a device, such as a server, that Ansible manages.", key: "among the hosts and network devices of its region",
			notes: []string{"Deleting a host deletes its interfaces."},
			examples: `
- name: A host
  craton.fleet.craton_host:
    name: web1
    region: dfw
    cell: row-a
    ip_address: 10.20.0.11
    device_type: server
    labels: [web, canary]
    variables:
      role: frontend

- name: Change a variable and nothing else
  craton.fleet.craton_host:
    name: web1
    region: dfw
    variables:
      role: backend

- name: Move it to another cell
  craton.fleet.craton_host:
    name: web1
    region: dfw
    cell: row-b
    move: true

- name: Move it back, also on the original server, which can only make it anew, with another id
  craton.fleet.craton_host:
    name: web1
    region: dfw
    cell: row-a
    recreate: true

- name: Remove it
  craton.fleet.craton_host:
    name: web1
    region: dfw
    state: absent
`, info: `
- name: The web hosts of a region, with all variables that they see
  craton.fleet.craton_host_info:
    region: dfw
    label: web
  register: found

- name: The hosts that a variable selects
  craton.fleet.craton_host_info:
    vars: 'role:"frontend"'
`},
	}
	networkDevice = &resource{
		Kind: schema.NetworkDevice,
		fields: []fieldDoc{inCloud, inRegion, inCell, address, deviceType, parent,
			text("active", true, "Whether the device is in use. By default, a new device is in use."),
			text("model_name", "ex4300", "The model. An empty string removes it."),
			text("os_version", "21.4R3", "The version of the operating system. An empty string removes it."),
			text("vlans", "100-120", "The VLANs, as free text. An empty string removes it."),
		},
		filters: []filter{textFilter("device_type"), addressFilter, varsFilter},
		doc: docs{
			is: "A network device is a switch, a router, a firewall or the like.", key: "among the hosts and network devices of its region",
			notes: []string{"Deleting a network device deletes its interfaces."},
			examples: `
- name: A switch
  craton.fleet.craton_network_device:
    name: sw1
    region: dfw
    ip_address: 10.20.0.2
    device_type: switch
    model_name: ex4300
    labels: [top-of-rack]

- name: Hang a host on it
  craton.fleet.craton_host:
    name: web1
    region: dfw
    parent: sw1

- name: Take the host off it
  craton.fleet.craton_host:
    name: web1
    region: dfw
    parent: ""
`, info: `
- name: All switches
  craton.fleet.craton_network_device_info:
    device_type: switch
  register: found
`},
	}
	network = &resource{
		Kind: schema.Network,
		fields: []fieldDoc{inCloud, inRegion, inCell,
			text("cidr", "10.20.0.0/24", "The range of addresses."),
			text("gateway", "10.20.0.1", "The address of the gateway."),
			text("netmask", "255.255.255.0", "The netmask."),
			text("ip_block_type", "private", "The type of the address block. An empty string removes it."),
			text("nss", "ns1.example.net", "The name servers, as free text. An empty string removes it."),
		},
		filters: []filter{varsFilter},
		doc: docs{
			is: "A network is a range of addresses in a region. It inherits no variables.", key: "within its region",
			examples: `
- name: A network
  craton.fleet.craton_network:
    name: front
    region: dfw
    cidr: 10.20.0.0/24
    gateway: 10.20.0.1
    netmask: 255.255.255.0

- name: Remove it
  craton.fleet.craton_network:
    name: front
    region: dfw
    state: absent
`, info: `
- name: The networks of a region
  craton.fleet.craton_network_info:
    region: dfw
  register: found
`},
	}
	networkInterface = &resource{
		Kind: schema.NetworkInterface,
		fields: []fieldDoc{
			text(optDevice, 7, "The host or network device, by name or id."),
			text(optNetwork, 3, "The network, by name or id. If several networks have the name, the one in the device's region is meant. An empty string means none."),
			text("interface_type", "ethernet", "The type of interface, as free text."),
			address,
			text("vlan_id", 100, "The VLAN number. 0 means none."),
			text("vlan", "front", "The name of the VLAN. An empty string removes it."),
			text("duplex", "full", "The duplex mode. An empty string removes it."),
			text("link", "up", "The state of the link. An empty string removes it."),
			text("cdp", "sw1", "What CDP reports. An empty string removes it."),
			text("security", "none", "The security settings. An empty string removes them."),
			text("port", 12, "The port number. 0 means none."),
			text("speed", 1000, "The speed, in a unit of your choice. 0 means none."),
		},
		filters: []filter{addressFilter, textFilter("interface_type")},
		doc: docs{
			is: "A network interface belongs to a host or a network device, and may be on a network.", key: "within its device",
			notes: []string{"The API sets the variables of an interface when it is created, and cannot change them later."},
			examples: `
- name: An interface
  craton.fleet.craton_network_interface:
    name: eth0
    device: web1
    region: dfw
    interface_type: ethernet
    ip_address: 10.20.0.11
    network: front
    speed: 1000

- name: Another address, which the API can only give to a new interface
  craton.fleet.craton_network_interface:
    name: eth0
    device: web1
    region: dfw
    ip_address: 10.20.0.12
    recreate: true

- name: Remove it
  craton.fleet.craton_network_interface:
    name: eth0
    device: web1
    region: dfw
    state: absent
`, info: `
- name: The interfaces of a host
  craton.fleet.craton_network_interface_info:
    device: web1
    region: dfw
  register: found
`},
	}
	// device is hosts and network devices together: it can only be listed.
	device = &resource{
		Kind: schema.Device,
		fields: []fieldDoc{inCloud, inRegion, inCell, address, deviceType, parent,
			text("active", true, "Whether the device is in use."), note},
		filters: []filter{{option: "descendants", of: schema.Flag, doc: "With O(parent): all devices below it, not only its children."},
			{option: "active", of: schema.Flag, doc: "Only devices that are in use, or only those that are not."}},
		doc: docs{
			is: "Hosts and network devices together.", key: "within its region",
			info: `
- name: All that hangs on a switch
  craton.fleet.craton_device_info:
    parent: sw1
    descendants: true
  register: found

- name: The devices that are not in use
  craton.fleet.craton_device_info:
    active: false
`},
	}
)

// resources returns all kinds, from the outside in.
func resources() []*resource {
	return []*resource{project, user, cloud, region, cell, host, networkDevice, network, networkInterface, device}
}
