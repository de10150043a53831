package modules

import (
	"github.com/craton-fleet/craton/craton"
)

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

// Names of resources that code knows.
const (
	nameProject       = "project"
	nameUser          = "user"
	nameHost          = "host"
	nameNetworkDevice = "network_device"
	nameNetwork       = "network"
	nameDevice        = "device"
)

// Fields that mean the same everywhere.
var (
	devices = []string{nameHost, nameNetworkDevice}

	inCloud = field{option: optCloud, form: formReference, kinds: []string{optCloud}, required: true, fixed: true, sample: 1,
		doc: []string{"The cloud, by name or id."}}
	inRegion = field{option: optRegion, form: formReference, kinds: []string{optRegion}, required: true, fixed: true, sample: 1,
		doc: []string{"The region, by name or id."}}
	inCell = field{option: optCell, form: formReference, kinds: []string{optCell}, fixed: true, sample: 1,
		doc: []string{"The cell of the region, by name or id. An empty string means none."}}
	parentField = field{option: optParent, form: formReference, kinds: devices, sample: nil,
		doc: []string{
			"The host or network device that this one is a part of or hangs on, by name or id. Its variables are inherited.",
			"An empty string takes the parent away. Without the option the parent stays as it is.",
		}}
	noteField = field{option: "note", unbound: true, sample: "bought in spring",
		doc: []string{"A text for people. An empty string takes it away."}}
	ipField = field{option: "ip_address", form: formAddress, required: true, sample: "10.20.0.11",
		doc: []string{"The IPv4 or IPv6 address. Different spellings of one address are the same."}}
	typeField = field{option: "device_type", required: true, sample: "server",
		doc: []string{"What sort of device it is. A free text."}}
)

func fixed(f field) field { f.fixed = true; return f }

func optional(f field) field { f.required = false; return f }

func text(option, sample, doc string) field {
	return field{option: option, sample: sample, doc: []string{doc}}
}

func required(f field) field { f.required = true; return f }

var (
	project = &resource{
		name: nameProject, noun: "project", plural: "projects", nouns: "projects", key: "name", fixedName: true,
		variables: true, detailed: true, inside: keyProject, rootOnly: "Only root users may list, create and delete projects.",
		filters: []filter{varsFilter},
		doc: docs{
			is: "A project is a tenant: everything else belongs to one.", key: "which the API does not keep unique",
			notes: []string{
				"Two projects may have one name. Give C(id) then.",
				"In a file, C(url: sqlite:PATH), that has several projects, each task has to say by O(project_id) which one is its own.",
			},
			examples: `
- name: A project with variables
  craton.fleet.craton_project:
    name: retail
    variables:
      dns_domain: retail.example.net

- name: Remove it, if nothing is in it
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
		service: stores[string](newService(func(c *craton.Client) crud[craton.Project, string, craton.ProjectCreate, craton.ProjectListOptions] {
			return c.Projects
		}), func(c *craton.Client) variableStore[string] { return c.Projects }),
	}
	user = &resource{
		name: nameUser, noun: "user", plural: "users", nouns: "users", key: "username", fixedName: true,
		scope: []string{optProject}, rootOnly: "Only admins of a project, and root users, may manage users.",
		fields: []field{
			{option: optProject, form: formReference, kinds: []string{nameProject}, required: true, fixed: true, sample: "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c",
				doc: []string{"The project that the user belongs to, by name or id. The caller's own if it is not given."}},
			{option: "is_admin", form: formFlag, fixed: true, sample: false, doc: []string{"Whether the user is an admin of the project."}},
		},
		doc: docs{
			is: "A user acts in one project, with an API key that the server chooses.", key: "within its project",
			notes: []string{
				"The API key is in the result of the task that creates the user, as RV(user.api_key), and never again: no other task shows it. Use C(no_log: true) or store it at once.",
				"The API cannot change users. O(recreate) makes a new one with a new key.",
			},
			examples: `
- name: A user, whose key is kept in a file
  craton.fleet.craton_user:
    name: deploy
    is_admin: false
  register: made
  no_log: true

- name: Keep the key of a new user
  ansible.builtin.copy:
    content: "{{ made.user.api_key }}"
    dest: ~/.craton-deploy.key
    mode: "0600"
  when: made.user.api_key is defined

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
		service: newService(func(c *craton.Client) crud[craton.User, int, craton.UserCreate, craton.UserListOptions] {
			return c.Users
		}),
	}
	cloud = &resource{
		name: "cloud", noun: "cloud", plural: "clouds", nouns: "clouds", key: "name", variables: true, detailed: true,
		fields: []field{noteField}, inside: "cloud_id", filters: []filter{varsFilter},
		doc: docs{
			is: "A cloud is the topmost level of a fleet. It holds regions.", key: "within the project",
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
		service: stores[int](updates(newService(func(c *craton.Client) crud[craton.Cloud, int, craton.CloudCreate, craton.CloudListOptions] {
			return c.Clouds
		}), func(c *craton.Client) updater[craton.Cloud, craton.CloudUpdate] { return c.Clouds }), func(c *craton.Client) variableStore[int] { return c.Clouds }),
	}
	region = &resource{
		name: "region", noun: "region", plural: "regions", nouns: "regions", key: "name", scope: []string{optCloud}, variables: true,
		inherits: true, detailed: true, fields: []field{inCloud, noteField}, inside: "region_id", filters: []filter{varsFilter},
		doc: docs{
			is: "A region is a part of a cloud. It holds cells, hosts, network devices and networks.", key: "within its cloud",
			examples: `
- name: A region
  craton.fleet.craton_region:
    name: dfw
    cloud: east
    variables:
      timezone: America/Chicago

- name: Remove it, if nothing is in it
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
		service: stores[int](updates(newService(func(c *craton.Client) crud[craton.Region, int, craton.RegionCreate, craton.RegionListOptions] {
			return c.Regions
		}), func(c *craton.Client) updater[craton.Region, craton.RegionUpdate] { return c.Regions }), func(c *craton.Client) variableStore[int] { return c.Regions }),
	}
	cell = &resource{
		name: "cell", noun: "cell", plural: "cells", nouns: "cells", key: "name", scope: []string{optCloud, optRegion}, variables: true,
		inherits: true, detailed: true, fields: []field{inCloud, inRegion, noteField}, inside: "cell_id", filters: []filter{varsFilter},
		doc: docs{
			is: "A cell is a part of a region, such as a row or a rack. It holds hosts, network devices and networks.", key: "within its region",
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
		service: stores[int](updates(newService(func(c *craton.Client) crud[craton.Cell, int, craton.CellCreate, craton.CellListOptions] {
			return c.Cells
		}), func(c *craton.Client) updater[craton.Cell, craton.CellUpdate] { return c.Cells }), func(c *craton.Client) variableStore[int] { return c.Cells }),
	}
	host = &resource{
		name: nameHost, noun: "host", plural: "hosts", nouns: "hosts", key: "name", scope: []string{optCloud, optRegion}, rival: nameNetworkDevice,
		variables: true, labels: true, createLabels: true, inherits: true, detailed: true,
		fields: []field{inCloud, inRegion, inCell, ipField, typeField, parentField,
			{option: "active", form: formFlag, sample: true, doc: []string{"Whether the host is in use. A new host is, unless this says otherwise."}}, noteField},
		filters: []filter{textFilter("device_type", "device_type"), textFilter("label", "label"), addressFilter, varsFilter},
		doc: docs{
			is: "A host is a machine.", key: "within its region, shared with network devices",
			notes: []string{"The interfaces of a host go with it when it is removed."},
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

- name: Move it to another cell, which the API can only do by making it anew
  craton.fleet.craton_host:
    name: web1
    region: dfw
    cell: row-b
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
		service: labelled(stores[int](updates(newService(func(c *craton.Client) crud[craton.Host, int, craton.HostCreate, craton.HostListOptions] {
			return c.Hosts
		}), func(c *craton.Client) updater[craton.Host, craton.HostUpdate] { return c.Hosts }), func(c *craton.Client) variableStore[int] { return c.Hosts }),
			func(c *craton.Client) labelStore { return c.Hosts }),
	}
	networkDevice = &resource{
		name: nameNetworkDevice, noun: "network device", plural: "network_devices", nouns: "network devices", key: "name",
		scope: []string{optCloud, optRegion}, rival: nameHost, variables: true, labels: true, inherits: true, detailed: true,
		fields: []field{inCloud, inRegion, inCell, ipField, typeField, parentField,
			{option: "active", form: formFlag, fixed: true, sample: true, doc: []string{"Whether the device is in use. A new device is, unless this says otherwise."}},
			text("model_name", "ex4300", "The model. An empty string takes it away."),
			text("os_version", "21.4R3", "The version of the operating system. An empty string takes it away."),
			text("vlans", "100-120", "The VLANs, as a text. An empty string takes it away."),
		},
		filters: []filter{textFilter("device_type", "device_type"), addressFilter, varsFilter},
		doc: docs{
			is: "A network device is a switch, a router, a firewall.", key: "within its region, shared with hosts",
			notes: []string{"The interfaces of a network device go with it when it is removed."},
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
		service: labelled(stores[int](updates(newService(func(c *craton.Client) crud[craton.NetworkDevice, int, craton.NetworkDeviceCreate, craton.NetworkDeviceListOptions] {
			return c.NetworkDevices
		}), func(c *craton.Client) updater[craton.NetworkDevice, craton.NetworkDeviceUpdate] {
			return c.NetworkDevices
		}), func(c *craton.Client) variableStore[int] { return c.NetworkDevices }),
			func(c *craton.Client) labelStore { return c.NetworkDevices }),
	}
	network = &resource{
		name: nameNetwork, noun: "network", plural: "networks", nouns: "networks", key: "name", scope: []string{optCloud, optRegion},
		variables: true, detailed: true,
		fields: []field{inCloud, inRegion, inCell,
			{option: "cidr", form: formPrefix, required: true, sample: "10.20.0.0/24", doc: []string{"The range of addresses."}},
			{option: "gateway", form: formAddress, required: true, sample: "10.20.0.1", doc: []string{"The address of the gateway."}},
			required(text("netmask", "255.255.255.0", "The netmask.")),
			text("ip_block_type", "private", "The type of the address block. An empty string takes it away."),
			text("nss", "ns1.example.net", "The name servers, as a text. An empty string takes it away."),
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
		service: stores[int](updates(newService(func(c *craton.Client) crud[craton.Network, int, craton.NetworkCreate, craton.NetworkListOptions] {
			return c.Networks
		}), func(c *craton.Client) updater[craton.Network, craton.NetworkUpdate] { return c.Networks }), func(c *craton.Client) variableStore[int] { return c.Networks }),
	}
	networkInterface = &resource{
		name: "network_interface", noun: "network interface", plural: "network_interfaces", nouns: "network interfaces", key: "name",
		scope: []string{optDevice}, variables: true, fixedVariables: true,
		fields: []field{
			{option: optDevice, form: formReference, kinds: devices, required: true, fixed: true, sample: 7,
				doc: []string{"The host or network device, by name or id."}},
			{option: optNetwork, form: formReference, kinds: []string{nameNetwork}, fixed: true, sample: 3,
				doc: []string{"The network, by name or id. Of several networks of one name that of the device's region is meant. An empty string means none."}},
			required(text("interface_type", "ethernet", "What sort of interface it is. A free text.")),
			fixed(ipField),
			{option: "vlan_id", form: formInteger, fixed: true, sample: 100, doc: []string{"The number of the VLAN. 0 is none."}},
			text("vlan", "front", "The name of the VLAN. An empty string takes it away."),
			text("duplex", "full", "The duplex mode. An empty string takes it away."),
			text("link", "up", "The state of the link. An empty string takes it away."),
			text("cdp", "sw1", "What CDP tells. An empty string takes it away."),
			text("security", "none", "The security settings. An empty string takes them away."),
			{option: "port", form: formInteger, sample: 12, doc: []string{"The number of the port. 0 is none."}},
			{option: "speed", form: formInteger, sample: 1000, doc: []string{"The speed, in the unit of your choice. 0 is none."}},
		},
		filters: []filter{addressFilter, textFilter("interface_type", "interface_type")},
		doc: docs{
			is: "A network interface belongs to a host or a network device, and may be on a network.", key: "within its device",
			notes: []string{"The API sets the variables of an interface when it is made, and cannot change them later."},
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
		service: updates(newService(func(c *craton.Client) crud[craton.NetworkInterface, int, craton.NetworkInterfaceCreate, craton.NetworkInterfaceListOptions] {
			return c.NetworkInterfaces
		}), func(c *craton.Client) updater[craton.NetworkInterface, craton.NetworkInterfaceUpdate] {
			return c.NetworkInterfaces
		}),
	}
	// device is hosts and network devices together: it can only be listed.
	device = &resource{
		name: nameDevice, noun: "device", plural: "devices", nouns: "devices", key: "name", scope: []string{optCloud, optRegion},
		variables: true, labels: true, inherits: true, detailed: true,
		fields: []field{inCloud, inRegion, inCell, optional(ipField), optional(typeField), parentField,
			{option: "active", form: formFlag, sample: true, doc: []string{"Whether the device is in use."}}, noteField},
		filters: []filter{{option: "descendants", param: "descendants", form: formFlag, doc: "With O(parent): all devices below it, and not only its children."},
			{option: "active", param: "active", form: formFlag, doc: "Only devices that are in use, or only those that are not."}},
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
		service: service{list: listDevices},
	}
)

// resources are all kinds, from the outside in.
func resources() []*resource {
	return []*resource{project, user, cloud, region, cell, host, networkDevice, network, networkInterface, device}
}
