package schema

// Names of kinds to which references refer.
const (
	project       = "project"
	cloud         = "cloud"
	region        = "region"
	cell          = "cell"
	host          = "host"
	networkDevice = "network-device"
	network       = "network"
)

// Fields that several kinds have.
var (
	inCloud    = Field{Key: "cloud_id", Type: Reference, To: []string{cloud}, Required: true, Fixed: true}
	inRegion   = Field{Key: "region_id", Type: Reference, To: []string{region}, Required: true, Fixed: true}
	inCell     = Field{Key: "cell_id", Type: Reference, To: []string{cell}, Fixed: true}
	parent     = Field{Key: "parent_id", Type: Reference, To: []string{host, networkDevice}, Nullable: true}
	note       = Field{Key: "note", Type: LongText}
	address    = Field{Key: "ip_address", Type: Address, Required: true}
	deviceType = Field{Key: "device_type", Required: true}
	active     = Field{Key: "active", Type: Flag}
)

func fixed(f Field) Field    { f.Fixed = true; return f }
func optional(f Field) Field { f.Required = false; return f }

// The kinds.
var (
	// Project is a tenant: every other object belongs to one.
	Project = &Kind{
		Name: project, Path: "projects", List: "projects", Title: "name", UUID: true,
		FixedTitle: true, Variables: Route, Details: true,
	}
	// User acts in one project.
	User = &Kind{
		Name: "user", Path: "users", List: "users", Title: "username",
		Fields: []Field{
			{Key: "project_id", Type: Reference, To: []string{project}, Required: true, Fixed: true},
			{Key: "is_admin", Type: Flag, Fixed: true},
		},
		Scope: [][]string{{project}}, FixedTitle: true,
	}
	// Cloud is the topmost level of a fleet. It does not inherit from its project (v1 contract §5.2).
	Cloud = &Kind{
		Name: cloud, Path: "clouds", List: "clouds", Title: "name",
		Fields: []Field{note}, Variables: Route, Details: true,
	}
	// Region is a part of a cloud.
	Region = &Kind{
		Name: region, Path: "regions", List: "regions", Title: "name",
		Fields: []Field{inCloud, note}, Scope: [][]string{{cloud}},
		Variables: Route, Inherits: []string{"cloud_id"}, Details: true,
	}
	// Cell is a part of a region, such as a row or a rack.
	Cell = &Kind{
		Name: cell, Path: "cells", List: "cells", Title: "name",
		Fields: []Field{inCloud, inRegion, note}, Scope: [][]string{{cloud}, {region}},
		Variables: Route, Inherits: []string{"region_id", "cloud_id"}, Details: true, Moves: []string{"region_id"},
	}
	// Host is a machine.
	Host = &Kind{
		Name: host, Path: "hosts", List: "hosts", Title: "name",
		Fields: []Field{inCloud, inRegion, inCell, address, deviceType, parent, active, note},
		Scope:  [][]string{{cloud}, {region}}, Rivals: []string{networkDevice},
		Variables: Route, Labels: MakeLabels, Inherits: deviceInherits, Details: true, Moves: deviceMoves,
	}
	// NetworkDevice is a switch, a router, a firewall or the like.
	NetworkDevice = &Kind{
		Name: networkDevice, Path: "network-devices", List: "network_devices", Title: "name",
		Fields: []Field{inCloud, inRegion, inCell, address, deviceType, parent, fixed(active),
			{Key: "model_name"}, {Key: "os_version"}, {Key: "vlans"}},
		Scope: [][]string{{cloud}, {region}}, Rivals: []string{host},
		Variables: Route, Labels: AddLabels, Inherits: deviceInherits, Details: true, Moves: deviceMoves,
	}
	// Network is a range of addresses in a region. It inherits nothing.
	Network = &Kind{
		Name: network, Path: "networks", List: "networks", Title: "name",
		Fields: []Field{inCloud, inRegion, inCell, {Key: "cidr", Type: Prefix, Required: true},
			{Key: "gateway", Type: Address, Required: true}, {Key: "netmask", Required: true}, {Key: "ip_block_type"}, {Key: "nss"}},
		Scope: [][]string{{cloud}, {region}}, Variables: Route, Details: true,
	}
	// NetworkInterface belongs to a device, and may be on a network.
	NetworkInterface = &Kind{
		Name: "network-interface", Path: "network-interfaces", List: "network_interfaces", Title: "name",
		Fields: []Field{
			{Key: "device_id", Type: Reference, To: []string{host, networkDevice}, Required: true, Fixed: true},
			{Key: "network_id", Type: Reference, To: []string{network}, Fixed: true},
			{Key: "interface_type", Required: true}, fixed(address),
			{Key: "vlan_id", Type: Integer, Fixed: true},
			{Key: "vlan"}, {Key: "duplex"}, {Key: "link"}, {Key: "cdp"}, {Key: "security"},
			{Key: "port", Type: Integer}, {Key: "speed", Type: Integer},
		},
		Scope: [][]string{{host, networkDevice}}, Variables: AtCreate,
	}
	// Device combines hosts and network devices.
	Device = &Kind{
		Name: "device", Path: "devices", List: "devices", Title: "name",
		Fields: []Field{inCloud, inRegion, inCell, optional(address), optional(deviceType), parent, active, note},
		Scope:  [][]string{{cloud}, {region}}, Variables: Route, Labels: AddLabels, Inherits: deviceInherits, Details: true, View: true,
	}

	deviceMoves    = []string{"region_id", "cell_id"}
	deviceInherits = []string{"parent_id", "cell_id", "region_id", "cloud_id"}

	kinds = []*Kind{Project, User, Cloud, Region, Cell, Host, NetworkDevice, Network, NetworkInterface, Device}
)
