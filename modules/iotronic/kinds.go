package iotronic

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
)

// kinds are all kinds that info modules read.
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
		{option: "instance_uuid", doc: "Only the node of Ironic with this instance."},
		{option: "associated", flag: true, doc: "Only nodes of Ironic that have an instance, or that have none."},
		{option: "maintenance", flag: true, doc: "Only nodes of Ironic that are in maintenance, or that are not."},
		{option: "provision_state", doc: "Only nodes of Ironic in this provision state, such as V(active)."},
		{option: "driver", doc: "Only nodes of Ironic with this driver."},
		{option: "resource_class", doc: "Only nodes of Ironic in this resource class."},
		{option: "fault", doc: "Only nodes of Ironic with this fault, such as V(power failure)."},
		{option: "conductor_group", doc: "Only nodes of Ironic in this conductor group."},
		{option: "conductor", doc: "Only nodes of Ironic that this conductor manages."},
		{option: "chassis_uuid", doc: "Only nodes of Ironic in the chassis with this UUID."},
		{option: "retired", flag: true, doc: "Only nodes of Ironic that are retired, or that are not. Requires O(api_version=1.61) or later."},
		{option: "description_contains", doc: "Only nodes of Ironic whose description contains this text. Requires O(api_version=1.51) or later."},
		{option: "instance_name", doc: "Only nodes of Ironic with an instance of this name. Requires O(api_version=1.104) or later."},
		{option: "owner", doc: "Only nodes of Ironic that belong to this owner."},
		{option: "lessee", doc: "Only nodes of Ironic with this lessee."},
		{option: "shard", doc: "Only nodes of Ironic in this shard."},
		{option: "sharded", flag: true, doc: "Only nodes of Ironic that are in a shard, or that are in none."},
		{option: keyParent, doc: "Only the child nodes of the node of Ironic with this UUID. Requires O(api_version=1.83) or later."},
		{option: "include_children", flag: true, doc: "Whether to list child nodes of Ironic too. Requires O(api_version=1.83) or later."},
		{option: "project", doc: "Only nodes of this project. Only for Iotronic of early 2017, and only for admins. Without it, Iotronic lists the nodes of your own project, even for admins."},
	},
	more: []ansible.Option{
		{Name: optInventory, Type: ansible.Bool, Default: false, Description: []string{
			"Whether to read what the last inspection of each node has found. Takes one more request per node. Only for nodes of Ironic. Requires API version 1.81 or later."}},
		{Name: optConsole, Type: ansible.Bool, Default: false, Description: []string{
			"Whether to read the address of the console of each node. Takes one more request per node. Only for nodes of Ironic."}},
	},
	complete: nodeDetails,
	returns: []ansible.Return{
		always(keyUUID, ansible.Str, "1be26c0b-03f2-4d2e-ae87-c02d7f33c123", "The UUID."),
		{Name: optInventory, Type: ansible.Dict, Returned: "when O(inventory=true)", Sample: map[string]any{"inventory": map[string]any{"cpu": map[string]any{"count": 8}}, "plugin_data": map[string]any{}},
			Description: []string{"What the last inspection has found: C(inventory) and C(plugin_data). Null if there is nothing."}},
		{Name: optConsole, Type: ansible.Dict, Returned: "when O(console=true)", Sample: map[string]any{"console_enabled": true, "console_info": map[string]any{"type": "socat", "url": "tcp://192.0.2.1:8023"}},
			Description: []string{"The console: C(console_enabled), and C(console_info) with its address if it is enabled."}},
		always(keyName, ansible.Str, "metal-01", "The name, or null. It is unique only in Ironic."),
		always("extra", ansible.Dict, map[string]any{"rack": "b7"}, "The data stored there by users."),
		onlyOn("Ironic", keyDriver, ansible.Str, "ipmi", "The driver."),
		onlyOn("Ironic", "driver_info", ansible.Dict, map[string]any{"ipmi_address": "192.0.2.7", "ipmi_password": stars}, "What the driver needs to reach the hardware. Ironic shows C(******) in place of secrets."),
		onlyOn("Ironic", "properties", ansible.Dict, map[string]any{"cpu_arch": "x86_64"}, "The properties of the hardware."),
		onlyOn("Ironic", keyPower, ansible.Str, "power on", "The power state; null while it is unknown."),
		onlyOn("Ironic", keyProvision, ansible.Str, "active", "The provision state."),
		onlyOn("Ironic", keyMaintenance, ansible.Bool, false, "Whether it is in maintenance."),
		onlyOn("Ironic", keyReason, ansible.Str, "a new fan", "The reason for the maintenance, or null."),
		onlyOn("Ironic", "instance_uuid", ansible.Str, "5344a3e2-978a-444e-990a-cbf47c62ef88", "The UUID of the instance that runs on it, or null."),
		onlyOn("Ironic", "resource_class", ansible.Str, "large", "The resource class, or null."),
		onlyOn("Ironic", keyError, ansible.Str, "Failed to power on", "The last error, or null."),
		onlyOn("Iotronic", "code", ansible.Str, "c-0017", "The registration code of the machine."),
		onlyOn("Iotronic", "status", ansible.Str, "online", "V(registered), V(offline) or V(online)."),
		onlyOn("Iotronic", "type", ansible.Str, "raspberry", "The type of hardware. Iotronic of 2016 calls it C(device)."),
		onlyOn("Iotronic", "location", ansible.List, []any{map[string]any{"longitude": "15.5", "latitude": "38.1", "altitude": "10"}}, "Its location; the coordinates are text."),
		onlyOn("Iotronic", "mobile", ansible.Bool, false, "Whether it is mobile."),
		onlyOn("Iotronic", "project", ansible.Str, "b9f10eca66ac4c279c139d01e65f96b4", "The project that it belongs to."),
	},
	doc: docs{
		is: "A node is a machine: a bare metal server in Ironic, or a small computer in early releases of Iotronic, which later came to call them boards.",
		notes: []string{
			"Iotronic of 2016 can neither filter nodes nor select fields, and reading all details takes one more request per node.",
			"Boards of Iotronic are read with M(craton.fleet.iotronic_board_info).",
		},
		examples: `
- name: Read all nodes
  craton.fleet.iotronic_node_info:
  register: found

- name: Print their names and states
  ansible.builtin.debug:
    msg: "{{ found.nodes | items2dict(key_name='name', value_name='provision_state') }}"

- name: Read two nodes by name
  craton.fleet.iotronic_node_info:
    name: [metal-01, metal-02]

- name: Read only the names of the nodes that can be deployed
  craton.fleet.iotronic_node_info:
    provision_state: available
    maintenance: false
    fields: [name]

- name: Read what the last inspection of a node has found
  craton.fleet.iotronic_node_info:
    name: metal-01
    inventory: true
`},
	list: walking(func(c *api.Client) func(context.Context, api.NodeListOptions) iter.Seq2[*api.Node, error] {
		return c.Nodes.All
	},
		func(n *api.Node) api.Object { return n.Fields }),
	get: getting(func(c *api.Client) func(context.Context, string, ...string) (*api.Node, error) { return c.Nodes.Get },
		func(n *api.Node) api.Object { return n.Fields }),
}

// optInventory requests the results of the last inspection.
const optInventory = "inventory"

// nodeDetails reads details that are not part of the node itself.
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
	filters: []filter{{option: "type", doc: "Only drivers of this type, V(dynamic) or V(classic). Requires API version 1.30 or later."}},
	more: []ansible.Option{{Name: optProperties, Type: ansible.Bool, Default: false, Description: []string{
		"Whether to read which keys each driver supports in the C(driver_info) of a node. Takes one more request per driver."}}},
	returns: []ansible.Return{
		always(keyName, ansible.Str, "ipmi", "The name."),
		always("hosts", ansible.List, []string{"conductor-1"}, "The conductors that support it."),
		{Name: "type", Type: ansible.Str, Returned: "from API version 1.30 on", Sample: "dynamic", Description: []string{"V(dynamic) or V(classic)."}},
		{Name: "default_power_interface", Type: ansible.Str, Returned: "with details, from API version 1.30 on", Sample: "ipmitool",
			Description: []string{"The power interface that nodes have by default. The other interfaces have such a field too."}},
		{Name: "enabled_power_interfaces", Type: ansible.List, Elements: ansible.Str, Returned: "with details, from API version 1.30 on", Sample: []string{"ipmitool"},
			Description: []string{"The power interfaces that nodes can have. The other interfaces have such a field too."}},
		{Name: optProperties, Type: ansible.Dict, Returned: "when O(properties=true)", Sample: map[string]any{"ipmi_address": "IP address or hostname of the node. Required."},
			Description: []string{"The keys of C(driver_info), each with its description."}},
	},
	doc: docs{
		is: "A driver is a type of hardware that Ironic can manage.",
		examples: `
- name: Read all drivers
  craton.fleet.iotronic_driver_info:
  register: found

- name: Read what the driver ipmi needs in driver_info
  craton.fleet.iotronic_driver_info:
    name: ipmi
    properties: true
`},
	list:     drivers,
	get:      getDriver,
	complete: driverProperties,
}

// drivers lists drivers, which are not paged. Before 1.30 there are no details, which is an error only if the task
// requests them.
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
		{option: "project", doc: "Only boards of this project, for admins. Without it, Iotronic lists the boards of your own project, even for admins."},
	},
	more: []ansible.Option{{Name: optFleet, Description: []string{"Only boards of this fleet, by name or UUID. If several fleets have the name, the task fails."}}},
	keep: filterByFleet,
	returns: []ansible.Return{
		always(keyUUID, ansible.Str, "00000002-0000-4000-8000-000000000002", "The UUID."),
		always(keyName, ansible.Str, "pi-01", "The name, which several boards may have."),
		always("code", ansible.Str, "c-0017", "The registration code of the board."),
		always("status", ansible.Str, "online", "V(registered), V(offline) or V(online)."),
		always("type", ansible.Str, "raspberry", "The type of hardware, or null."),
		always("session", ansible.Str, "6208153512351", "The id of its WAMP session, or null. A board with a session is not necessarily online."),
		always("fleet", ansible.Str, "00000001-0000-4000-8000-000000000001", "The UUID of its fleet, or null."),
		always("location", ansible.List, []any{map[string]any{"longitude": "15.5", "latitude": "38.1", "altitude": "10"}}, "Its location; the coordinates are text."),
		detailed("owner", ansible.Str, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "The user who created it."),
		detailed("project", ansible.Str, "11111111111111111111111111111111", "The project that it belongs to."),
		detailed("mobile", ansible.Bool, false, "Whether it is mobile."),
		detailed("extra", ansible.Dict, map[string]any{"rack": "b7"}, "The data stored there by users."),
	},
	doc: docs{
		is: "A board is a small computer, such as a Raspberry Pi, that Iotronic manages remotely.",
		examples: `
- name: Read all boards of the project
  craton.fleet.iotronic_board_info:
  register: found

- name: Read the boards of a fleet that are online
  craton.fleet.iotronic_board_info:
    fleet: roofs
    status: online

- name: Read one board by name
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

// filterByFleet selects the boards of one fleet by the fleet in each board. The API's own listing of a fleet's boards
// has few fields (reference §2.5), and only admins can read a fleet (§3), so its name is looked up in the list.
func filterByFleet(ctx context.Context, s *service, p ansible.Params) (func(api.Object) bool, []string, error) {
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
		always("description", ansible.Str, "all that is on a roof", "The description, or null."),
		always("project", ansible.Str, "11111111111111111111111111111111", "The project that it belongs to."),
		always("extra", ansible.Dict, map[string]any{"season": "summer"}, "The data stored there by users."),
	},
	doc: docs{
		is:    "A fleet is a group of boards of Iotronic.",
		notes: []string{"The fleets of all projects are listed, for every user. To list the boards of a fleet, use M(craton.fleet.iotronic_board_info) with C(fleet)."},
		examples: `
- name: Read all fleets
  craton.fleet.iotronic_fleet_info:
  register: found

- name: Read one of them
  craton.fleet.iotronic_fleet_info:
    name: roofs
`},
	list: walking(func(c *api.Client) func(context.Context, api.FleetListOptions) iter.Seq2[*api.Fleet, error] {
		return c.Fleets.All
	},
		func(f *api.Fleet) api.Object { return f.Fields }),
}

// writtenFields returns the fields that a module which writes the kind returns: all details, except those that an info
// module reads only on request.
func (k *kind) writtenFields() (fields []ansible.Return) {
	for _, r := range k.returns {
		if strings.HasPrefix(r.Returned, "when ") {
			continue
		}
		if r.Returned == withDetails {
			r.Returned = "always"
		}
		fields = append(fields, r)
	}
	return fields
}

// withDetails is the condition under which an info module returns fields that short lists lack.
const withDetails = "with details"

func always(name string, kind ansible.Type, sample any, doc string) ansible.Return {
	return returned("always", name, kind, sample, doc)
}

func onlyOn(service, name string, kind ansible.Type, sample any, doc string) ansible.Return {
	return returned("on "+service, name, kind, sample, doc)
}

func detailed(name string, kind ansible.Type, sample any, doc string) ansible.Return {
	return returned(withDetails, name, kind, sample, doc)
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
