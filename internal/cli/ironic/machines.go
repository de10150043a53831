package ironic

import (
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/iotronic"
)

// placeOptions returns options for the location of a node or board of Iotronic.
func placeOptions() []argparse.Option {
	return []argparse.Option{
		{Long: "latitude", Meta: "<latitude>", Help: "position in degrees, such as 38.1"},
		{Long: "longitude", Meta: "<longitude>", Help: "position in degrees, such as 15.5"},
		{Long: "altitude", Meta: "<altitude>", Help: "position in meters"},
	}
}

// hardwareOptions returns options that describe a node or board of Iotronic.
func hardwareOptions() []argparse.Option {
	return []argparse.Option{object.Textual("code", "unique code that the board signs in with"), object.Textual("type", "type of the hardware"),
		flag("mobile", "the board moves around")}
}

func extraOption() argparse.Option {
	return pairs("extra", "e", "extra", "extra metadata")
}

// nodeColumns returns the columns of nodes in the three dialects that have them.
func nodeColumns() []columns {
	ironicNode := columns{
		in:    onIronic,
		short: []string{keyUUID, "name", "instance_uuid", "power_state", "provision_state", "maintenance"},
		more: strings.Fields(`allocation_uuid automated_clean bios_interface boot_interface boot_mode chassis_uuid clean_step conductor conductor_group
			console_enabled console_interface created_at deploy_interface deploy_step description disable_power_off driver driver_info
			driver_internal_info extra fault firmware_interface health inspect_interface inspection_finished_at inspection_started_at instance_info instance_name
			last_error lessee maintenance_reason management_interface network_data network_interface owner parent_node power_interface
			properties protected protected_reason provision_updated_at raid_config raid_interface rescue_interface reservation resource_class
			retired retired_reason secure_boot service_step shard storage_interface target_power_state target_provision_state
			target_raid_config traits updated_at vendor_interface`),
	}
	iotronicNode := columns{
		in:    []iotronic.Dialect{iotronic.DialectNodes},
		short: strings.Fields("uuid name code type status session"),
		more:  strings.Fields("owner project mobile location extra created_at updated_at"),
	}
	iotronicNode2016 := columns{
		in:    []iotronic.Dialect{iotronic.DialectNodes2016},
		short: strings.Fields("uuid name code status session"),
		more:  strings.Fields("device mobile location extra created_at updated_at"),
	}
	return []columns{ironicNode, iotronicNode, iotronicNode2016}
}

func nodeKind() *kind {
	node := &kind{
		Resource: object.Resource{
			Name: "node",
			Create: slices.Concat([]argparse.Option{
				short("d", object.Textual("driver", "Ironic: the driver, such as ipmi")), short("n", object.Textual("name", "name")),
				pairs("driver-info", "i", "driver_info", "Ironic: driver information, such as ipmi_address=192.0.2.1"),
				pairs("properties", "p", "properties", "Ironic: properties of the hardware, such as cpus=8"), extraOption(),
				short("u", object.Textual(keyUUID, "Ironic: UUID of the node; by default a new one")),
				{Long: "chassis", Short: "c", Meta: "<chassis>", Key: "chassis_uuid", Help: "Ironic: UUID of its chassis"},
				object.Textual("resource_class", "Ironic: resource class, used by schedulers"), object.Textual("conductor_group", "Ironic: conductor group that manages it"),
				object.Textual("owner", "Ironic: project that owns it"), object.Textual("lessee", "Ironic: project that may use it"), object.Textual("description", "Ironic: description"),
				truth("automated_clean", "Ironic: whether to clean it automatically between deployments"),
			}, memberOptions(), interfaceOptions(), hardwareOptions(), placeOptions()),
			List: listOptions(
				object.Textual("instance_uuid", "Ironic: only the node that this instance runs on"),
				truth("associated", "Ironic: only those with an instance (true), or without (false)"),
				truth("maintenance", "Ironic: only those in maintenance (true), or not (false)"),
				object.Textual("provision_state", "Ironic: only those in this state, such as active"),
				object.Textual("driver", "Ironic: only those with this driver"), object.Textual("resource_class", "Ironic: only those of this class"),
				object.Textual("fault", "Ironic: only those with this fault, such as power failure"),
				object.Textual("conductor_group", "Ironic: only those of this group"), object.Textual("conductor", "Ironic: only those that this conductor manages"),
				object.Textual("owner", "Ironic: only those of this owner"), object.Textual("lessee", "Ironic: only those of this lessee"),
				argparse.Option{Long: "chassis", Meta: "<chassis>", Key: "chassis_uuid", Help: "Ironic: only those in this chassis, by UUID"},
				truth("retired", "Ironic: only those that are retired (true), or not (false)"),
				object.Textual("description_contains", "Ironic: only those with this in their description"),
				object.Textual("instance_name", "Ironic: only the one on which an instance of this name runs"),
				object.Textual("shard", "Ironic: only those in these shards, separated by commas"),
				truth("sharded", "Ironic: only those in a shard (true), or in none (false)"),
				argparse.Option{Long: "parent-node", Meta: "<node>", Kind: argparse.ReferenceOption, Key: keyParent, Of: []argparse.Kind{&object.Resource{Name: "node"}},
					Help: "Ironic: only children of this node, by name or UUID"}, flag("include_children", "Ironic: include child nodes"),
				object.Textual("project", "Iotronic: those of another project, for admins"),
			),
		},
		columns: nodeColumns(),
		extra:   nodeCommands,
	}
	nodes := func(c *iotronic.Client) *iotronic.NodeService { return c.Nodes }
	nodeFields := func(n *iotronic.Node) iotronic.Object { return n.Fields }
	node.api = writing(reading(nodes, nodeFields), nodes, nodeFields, func(n *iotronic.NodeCreate) *iotronic.Object { return &n.More })
	return node
}

// memberOptions are options of nodes that are parts of others; node-update accepts them too.
func memberOptions() []argparse.Option {
	return []argparse.Option{
		{Long: "parent-node", Meta: "<node>", Kind: argparse.ReferenceOption, Key: keyParent, Of: []argparse.Kind{&object.Resource{Name: "node"}},
			Help: "Ironic: node that this one is part of, by name or UUID"},
		truth("disable_power_off", "Ironic: whether Ironic must never power it off"),
	}
}

func boardKind(fleet *kind) *kind {
	place, hardware := placeOptions(), hardwareOptions()
	board := &kind{
		Resource: object.Resource{
			Name: "board",
			Create: slices.Concat([]argparse.Option{
				object.Required(short("n", object.Textual("name", "name, a host name in lower case"))), object.Required(hardware[0]), hardware[1], hardware[2],
				object.Required(place[0]), object.Required(place[1]), object.Required(place[2]), object.Reference("fleet", "", keyFleet, &fleet.Resource), extraOption(),
			}),
			List: listOptions(
				argparse.Option{Long: "status", Meta: "<status>", Key: "status", Choices: []string{"registered", "offline", "online"}, Help: "only those with this status: registered, offline or online"},
				object.Textual("project", "those of another project, for admins"),
			),
		},
		columns: []columns{{
			in: onBoards, short: boardColumns(),
			more: strings.Fields("code mobile connectivity mac_addr agent wstun_ip config extra location project owner created_at updated_at"),
		}},
		extra: boardCommands,
	}
	boards := func(c *iotronic.Client) *iotronic.BoardService { return c.Boards }
	board.api = writing(reading(boards, boardFields), boards, boardFields, func(b *iotronic.BoardCreate) *iotronic.Object { return &b.More })
	return board
}

// boardColumns returns the columns of short lists of boards.
func boardColumns() []string { return strings.Fields("uuid name type lr_version fleet status session") }

func boardFields(b *iotronic.Board) iotronic.Object { return b.Fields }
