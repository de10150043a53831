package iotronic

import (
	"context"
	"errors"
	"fmt"
	"iter"

	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
)

// kinds are what is read.
var kinds = []*kind{node, port, chassis, allocation, driver, board, fleet}

var (
	onIronic = []api.Dialect{api.DialectIronic}
	onNodes  = []api.Dialect{api.DialectNodes2016, api.DialectNodes}
	onBoards = []api.Dialect{api.DialectBoards}
)

var node = &kind{
	name: "node", plural: "nodes", identity: keyUUID, detailed: true, fielded: true,
	dialects: append(onNodes[:len(onNodes):len(onNodes)], api.DialectIronic),
	filters: []filter{
		{option: "instance_uuid", doc: "Only the node with this instance, of Ironic."},
		{option: "associated", flag: true, doc: "Only nodes of Ironic that have an instance, or that have none."},
		{option: "maintenance", flag: true, doc: "Only nodes of Ironic that are in maintenance, or that are not."},
		{option: "provision_state", doc: "Only nodes of Ironic in this provision state, such as V(active)."},
		{option: "driver", doc: "Only nodes of Ironic with this driver."},
		{option: "resource_class", doc: "Only nodes of Ironic of this resource class."},
		{option: "fault", doc: "Only nodes of Ironic with this fault, such as V(power failure)."},
		{option: "conductor_group", doc: "Only nodes of Ironic of this group of conductors."},
		{option: "conductor", doc: "Only nodes of Ironic that this conductor works on."},
		{option: "chassis_uuid", doc: "Only nodes of Ironic in this chassis, by its UUID."},
		{option: "retired", flag: true, doc: "Only nodes of Ironic that are retired, or that are not. It needs O(api_version=1.61) or a later one."},
		{option: "description_contains", doc: "Only nodes of Ironic with this in their description. It needs O(api_version=1.51) or a later one."},
		{option: "instance_name", doc: "Only nodes of Ironic on which an instance with this name runs. It needs O(api_version=1.104) or a later one."},
		{option: "owner", doc: "Only nodes of Ironic that belong to this owner."},
		{option: "lessee", doc: "Only nodes of Ironic that this project may use."},
		{option: "shard", doc: "Only nodes of Ironic in this shard."},
		{option: "sharded", flag: true, doc: "Only nodes of Ironic that are in a shard, or that are in none."},
		{option: keyParent, doc: "Only the children of this node of Ironic, by its UUID. It needs O(api_version=1.83) or a later one."},
		{option: "include_children", flag: true, doc: "Nodes of Ironic that are children of others, too. It needs O(api_version=1.83) or a later one."},
		{option: "project", doc: "Only nodes of this project, of Iotronic of early 2017, for admins. Without it Iotronic lists the nodes of one's own project, for admins too."},
	},
	more: []ansible.Option{
		{Name: optInventory, Type: ansible.Bool, Default: false, Description: []string{
			"Whether to read what the last inspection has found out about each node. That takes one more request for each. Of Ironic, from API version 1.81 on."}},
		{Name: optConsole, Type: ansible.Bool, Default: false, Description: []string{
			"Whether to read where the console of each node is. That takes one more request for each. Of Ironic."}},
	},
	complete: nodeDetails,
	returns: []ansible.Return{
		always(keyUUID, ansible.Str, "1be26c0b-03f2-4d2e-ae87-c02d7f33c123", "The UUID."),
		{Name: optInventory, Type: ansible.Dict, Returned: "when inventory was asked for", Sample: map[string]any{"inventory": map[string]any{"cpu": map[string]any{"count": 8}}, "plugin_data": map[string]any{}},
			Description: []string{"What the last inspection has found out: C(inventory), and C(plugin_data). Null for none."}},
		{Name: optConsole, Type: ansible.Dict, Returned: "when O(console=true)", Sample: map[string]any{"console_enabled": true, "console_info": map[string]any{"type": "socat", "url": "tcp://192.0.2.1:8023"}},
			Description: []string{"Where the console is: C(console_enabled), and C(console_info) if it is enabled."}},
		always(keyName, ansible.Str, "metal-01", "The name, which is unique on Ironic only. Null for none."),
		always("extra", ansible.Dict, map[string]any{"rack": "b7"}, "What users keep there."),
		onlyOn("Ironic", keyDriver, ansible.Str, "ipmi", "The driver."),
		onlyOn("Ironic", "driver_info", ansible.Dict, map[string]any{"ipmi_address": "192.0.2.7", "ipmi_password": stars}, "What the driver needs to know. Ironic shows C(******) for secrets."),
		onlyOn("Ironic", "properties", ansible.Dict, map[string]any{"cpu_arch": "x86_64"}, "What the hardware is."),
		onlyOn("Ironic", keyPower, ansible.Str, "power on", "The state of the power. Null while it is not known."),
		onlyOn("Ironic", keyProvision, ansible.Str, "active", "The provision state."),
		onlyOn("Ironic", keyMaintenance, ansible.Bool, false, "Whether it is in maintenance."),
		onlyOn("Ironic", keyReason, ansible.Str, "a new fan", "Why it is in maintenance. Null for none."),
		onlyOn("Ironic", "instance_uuid", ansible.Str, "5344a3e2-978a-444e-990a-cbf47c62ef88", "The instance that runs on it. Null for none."),
		onlyOn("Ironic", "resource_class", ansible.Str, "large", "The resource class. Null for none."),
		onlyOn("Ironic", keyError, ansible.Str, "Failed to power on", "What went wrong last. Null for nothing."),
		onlyOn("Iotronic", "code", ansible.Str, "c-0017", "The code that the machine has on it."),
		onlyOn("Iotronic", "status", ansible.Str, "online", "V(registered), V(offline) or V(online)."),
		onlyOn("Iotronic", "type", ansible.Str, "raspberry", "The sort of hardware. Iotronic of 2016 calls it C(device)."),
		onlyOn("Iotronic", "location", ansible.List, []any{map[string]any{"longitude": "15.5", "latitude": "38.1", "altitude": "10"}}, "Where it stands; coordinates are text."),
		onlyOn("Iotronic", "mobile", ansible.Bool, false, "Whether it moves."),
		onlyOn("Iotronic", "project", ansible.Str, "b9f10eca66ac4c279c139d01e65f96b4", "The project that it belongs to."),
	},
	doc: docs{
		is: "A node is a machine: a bare metal server of Ironic, or a small computer of Iotronic before that called them boards.",
		notes: []string{
			"Iotronic of 2016 neither filters nodes nor selects fields. There all details take one more request for each node.",
			"Boards of Iotronic are read by M(craton.fleet.iotronic_board_info).",
		},
		examples: `
- name: All nodes
  craton.fleet.iotronic_node_info:
  register: found

- name: Their names and states
  ansible.builtin.debug:
    msg: "{{ found.nodes | items2dict(key_name='name', value_name='provision_state') }}"

- name: Two nodes, by name
  craton.fleet.iotronic_node_info:
    name: [metal-01, metal-02]

- name: What Ironic can give away, and no more of it than the name
  craton.fleet.iotronic_node_info:
    provision_state: available
    maintenance: false
    fields: [name]
`},
	list: walking(func(c *api.Client) func(context.Context, api.NodeListOptions) iter.Seq2[*api.Node, error] {
		return c.Nodes.All
	},
		func(n *api.Node) api.Object { return n.Fields }),
	get: getting(func(c *api.Client) func(context.Context, string, ...string) (*api.Node, error) { return c.Nodes.Get },
		func(n *api.Node) api.Object { return n.Fields }),
}

// optInventory asks for what an inspection has found.
const optInventory = "inventory"

// nodeDetails reads what is asked for beside the node itself.
func nodeDetails(ctx context.Context, s *service, p ansible.Params, o api.Object) error {
	uuid := o.Text(keyUUID)
	if p.Bool(optInventory) {
		found, err := s.client.Nodes.Inventory(ctx, uuid)
		if err != nil && !api.IsNotFound(err) {
			return err
		}
		o[optInventory] = raw(found)
	}
	if p.Bool(optConsole) {
		found, err := s.client.Nodes.GetConsole(ctx, uuid)
		if err != nil {
			return err
		}
		o[optConsole] = raw(found.Fields)
	}
	return nil
}

var driver = &kind{
	name: "driver", plural: "drivers", identity: keyName, detailed: true, dialects: onIronic,
	filters: []filter{{option: "type", doc: "Only drivers of this type, V(dynamic) or V(classic). It needs API version 1.30."}},
	more: []ansible.Option{{Name: optProperties, Type: ansible.Bool, Default: false, Description: []string{
		"Whether to read what each driver needs to know of a node in its C(driver_info). That takes one more request for each driver."}}},
	returns: []ansible.Return{
		always(keyName, ansible.Str, "ipmi", "The name."),
		always("hosts", ansible.List, []string{"conductor-1"}, "The conductors that have it."),
		{Name: "type", Type: ansible.Str, Returned: "from API version 1.30 on", Sample: "dynamic", Description: []string{"V(dynamic) or V(classic)."}},
		{Name: "default_power_interface", Type: ansible.Str, Returned: "with details, from API version 1.30 on", Sample: "ipmitool",
			Description: []string{"What nodes get that do not say otherwise. The same is there of every interface."}},
		{Name: "enabled_power_interfaces", Type: ansible.List, Elements: ansible.Str, Returned: "with details, from API version 1.30 on", Sample: []string{"ipmitool"},
			Description: []string{"What nodes can have. The same is there of every interface."}},
		{Name: optProperties, Type: ansible.Dict, Returned: "when O(properties=true)", Sample: map[string]any{"ipmi_address": "IP address or hostname of the node. Required."},
			Description: []string{"What the driver needs to know: names, each with a sentence about it."}},
	},
	doc: docs{
		is: "A driver is a kind of hardware that Ironic can work with.",
		examples: `
- name: All drivers
  craton.fleet.iotronic_driver_info:
  register: found

- name: What the driver ipmi needs to know of a node
  craton.fleet.iotronic_driver_info:
    name: ipmi
    properties: true
`},
	list:     drivers,
	get:      getDriver,
	complete: driverProperties,
}

// drivers lists drivers; they do not come in pages. Before 1.30 there are no details, which is no error unless the task
// asks for them.
func drivers(ctx context.Context, s *service, p ansible.Params, query map[string]any) iter.Seq2[api.Object, error] {
	kind, _ := query["type"].(string)
	detail, _ := query[optDetail].(bool)
	found, err := s.client.Drivers.List(ctx, api.DriverListOptions{Type: kind, Detail: detail})
	if _, old := errors.AsType[*api.UnsupportedVersionError](err); old && detail && p.Source(optDetail) != ansible.FromTask {
		found, err = s.client.Drivers.List(ctx, api.DriverListOptions{Type: kind})
	}
	return func(yield func(api.Object, error) bool) {
		if err != nil {
			yield(nil, err)
			return
		}
		for _, d := range found {
			if !yield(d.Fields, nil) {
				return
			}
		}
	}
}

func getDriver(ctx context.Context, s *service, name string, _ ...string) (api.Object, error) {
	d, err := s.client.Drivers.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	return d.Fields, nil
}

func driverProperties(ctx context.Context, s *service, p ansible.Params, o api.Object) error {
	if !p.Bool(optProperties) {
		return nil
	}
	properties, err := s.client.Drivers.Properties(ctx, o.Text(keyName))
	o[optProperties] = raw(properties)
	return err
}

var board = &kind{
	name: "board", plural: "boards", identity: keyUUID, detailed: true, fielded: true, dialects: onBoards,
	filters: []filter{
		{option: "status", doc: "Only boards with this status: V(registered), V(offline) or V(online)."},
		{option: "project", doc: "Only boards of this project, for admins. Without it Iotronic lists the boards of one's own project, for admins too."},
	},
	more: []ansible.Option{{Name: optFleet, Description: []string{"Only boards of this fleet, by its name or UUID. A name that several fleets have is an error."}}},
	keep: ofFleet,
	returns: []ansible.Return{
		always(keyUUID, ansible.Str, "00000002-0000-4000-8000-000000000002", "The UUID."),
		always(keyName, ansible.Str, "pi-01", "The name, which several boards may have."),
		always("code", ansible.Str, "c-0017", "The code that the board has on it."),
		always("status", ansible.Str, "online", "V(registered), V(offline) or V(online)."),
		always("type", ansible.Str, "raspberry", "The sort of hardware. Null for none."),
		always("session", ansible.Str, "6208153512351", "Its connection. Null for none; it is no proof that the board is online."),
		always("fleet", ansible.Str, "00000001-0000-4000-8000-000000000001", "The UUID of its fleet. Null for none."),
		always("location", ansible.List, []any{map[string]any{"longitude": "15.5", "latitude": "38.1", "altitude": "10"}}, "Where it stands; coordinates are text."),
		detailed("owner", ansible.Str, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "The user who made it."),
		detailed("project", ansible.Str, "11111111111111111111111111111111", "The project that it belongs to."),
		detailed("mobile", ansible.Bool, false, "Whether it moves."),
		detailed("extra", ansible.Dict, map[string]any{"rack": "b7"}, "What users keep there."),
	},
	doc: docs{
		is: "A board is a small computer that Iotronic reaches wherever it stands.",
		examples: `
- name: All boards of the project
  craton.fleet.iotronic_board_info:
  register: found

- name: The boards of a fleet that are online
  craton.fleet.iotronic_board_info:
    fleet: roofs
    status: online

- name: One board, wherever it belongs
  craton.fleet.iotronic_board_info:
    name: pi-01
`},
	list: walking(func(c *api.Client) func(context.Context, api.BoardListOptions) iter.Seq2[*api.Board, error] {
		return c.Boards.All
	},
		func(b *api.Board) api.Object { return b.Fields }),
	get: getting(func(c *api.Client) func(context.Context, string, ...string) (*api.Board, error) { return c.Boards.Get },
		func(b *api.Board) api.Object { return b.Fields }),
}

// ofFleet keeps the boards of one fleet: each names its own. To ask for the boards of a fleet gives few fields only
// (reference §2.5), and to ask for a fleet is for admins (§3), so its name is looked for in the list.
func ofFleet(ctx context.Context, s *service, p ansible.Params) (func(api.Object) bool, []string, error) {
	text := p.String(optFleet)
	if text == "" {
		return func(api.Object) bool { return true }, nil, nil
	}
	var uuids []string
	for f, err := range s.client.Fleets.All(ctx, api.FleetListOptions{Fields: []string{keyName}}) {
		if err != nil {
			return nil, nil, err
		}
		if f.UUID == text {
			uuids = []string{text}
			break
		}
		if f.Name == text {
			uuids = append(uuids, f.UUID)
		}
	}
	if len(uuids) > 1 {
		return nil, nil, fmt.Errorf("fleet: %w", &api.NoUniqueMatchError{Name: text, Candidates: uuids})
	}
	return func(o api.Object) bool { return len(uuids) > 0 && o.Text("fleet") == uuids[0] }, []string{"fleet"}, nil
}

var fleet = &kind{
	name: "fleet", plural: "fleets", identity: keyUUID, fielded: true, dialects: onBoards,
	returns: []ansible.Return{
		always(keyUUID, ansible.Str, "00000001-0000-4000-8000-000000000001", "The UUID."),
		always(keyName, ansible.Str, "roofs", "The name, which several fleets may have."),
		always("description", ansible.Str, "all that is on a roof", "A text for people. Null for none."),
		always("project", ansible.Str, "11111111111111111111111111111111", "The project that it belongs to."),
		always("extra", ansible.Dict, map[string]any{"season": "summer"}, "What users keep there."),
	},
	doc: docs{
		is:    "A fleet is a group of boards of Iotronic.",
		notes: []string{"The fleets of all projects are listed, for everybody. Which boards a fleet has is read by M(craton.fleet.iotronic_board_info)."},
		examples: `
- name: All fleets
  craton.fleet.iotronic_fleet_info:
  register: found

- name: One of them
  craton.fleet.iotronic_fleet_info:
    name: roofs
`},
	list: walking(func(c *api.Client) func(context.Context, api.FleetListOptions) iter.Seq2[*api.Fleet, error] {
		return c.Fleets.All
	},
		func(f *api.Fleet) api.Object { return f.Fields }),
}

func always(name string, kind ansible.Type, sample any, doc string) ansible.Return {
	return returned("always", name, kind, sample, doc)
}

func onlyOn(service, name string, kind ansible.Type, sample any, doc string) ansible.Return {
	return returned("on "+service, name, kind, sample, doc)
}

func detailed(name string, kind ansible.Type, sample any, doc string) ansible.Return {
	return returned("with details", name, kind, sample, doc)
}

func returned(when, name string, kind ansible.Type, sample any, doc string) ansible.Return {
	r := ansible.Return{Name: name, Type: kind, Returned: when, Sample: sample, Description: []string{doc}}
	if kind == ansible.List {
		r.Elements = ansible.Str
		if list, ok := sample.([]any); ok && len(list) > 0 {
			r.Elements = ansible.Dict
		}
	}
	return r
}
