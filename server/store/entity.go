package store

import "slices"

// Type is the type of a [Column]'s values in a [Row].
type Type uint8

// The types of columns and the Go values they have in a [Row]; every one may
// also be nil where the column admits it.
const (
	Int  Type = iota // int64
	Text             // string
	Bool             // bool
	Time             // Micros
	UUID             // string: canonical dashed form
)

// Column is one column of an [Entity].
type Column struct {
	Name     string // as in the table and in the API's JSON
	Type     Type
	Nullable bool
	expr     string // what to select where it is no plain column of the table
}

// ref is a foreign key that names another entity of the same project.
type ref struct {
	column string
	to     *Entity
	// agree lists columns that must be equal in both rows, so that a host
	// cannot name the region of one cloud and another cloud (contract §1.5,
	// hole 8).
	agree []string
}

// Entity describes one kind of stored object: the generic reads and writes
// need nothing else. Hosts and network devices share a table and an id
// sequence; Kind tells them apart.
type Entity struct {
	Name    string // what a message calls one: "host", "network device"
	Table   string
	Kind    string   // the table's type column must have this value; "" admits all
	Columns []Column // sorted by name

	key      string   // column of the API's id
	project  string   // column that holds the owning project
	owner    int      // owner_kind of its variables; 0: it has none
	ownerID  string   // column of owner_id; differs from key for projects only
	refs     []ref    // checked on create and update
	inherits []ref    // where variables come from after its own, nearest first
	quiet    []string // columns whose change does not touch updated_at
	drive    []string // filters that have an index, the most selective first
	sortable []string // sort keys beyond Columns
	anyRow   bool     // a marker or an update may name a row of another Kind
}

// IsDevice reports whether e's rows live in the devices table, and so have
// labels, a parent and the hidden columns "type" and "parent_type".
func (e *Entity) IsDevice() bool { return e.Table == "devices" }

// Index returns the position of a column in e's rows, or -1.
func (e *Entity) Index(column string) int {
	return slices.IndexFunc(e.Columns, func(c Column) bool { return c.Name == column })
}

func (e *Entity) column(name string) *Column {
	if i := e.Index(name); i >= 0 {
		return &e.Columns[i]
	}
	return nil
}

// Micros is a point in time: microseconds since 1970, UTC.
type Micros int64

// Row holds the values of an entity's columns, in the order of
// [Entity.Columns].
type Row []any

// The kinds of owners in the variables table. The numbers are stored.
const (
	ownProject = iota + 1
	ownUser
	ownCloud
	ownRegion
	ownCell
	ownDevice
	ownNetwork
	ownInterface
)

// The values of the devices table's type column.
const (
	KindHost          = "hosts"
	KindNetworkDevice = "network_devices"
)

// The entities.
var (
	Projects = &Entity{
		Name: "project", Table: "projects",
		Columns: cols(uuid("id"), text("name"), internal("seq", Int)),
		key:     "id", project: "id", owner: ownProject, ownerID: "seq",
	}
	Users = &Entity{
		Name: "user", Table: "users",
		Columns: cols(num("id"), uuid("project_id"), text("username"), flag("is_admin"), flag("is_root")),
		key:     "id", project: "project_id", owner: ownUser, ownerID: "id",
		drive: []string{"id", "username"},
	}
	Clouds = &Entity{
		Name: "cloud", Table: "clouds",
		Columns: cols(num("id"), text("name"), opt(text("note")), uuid("project_id")),
		key:     "id", project: "project_id", owner: ownCloud, ownerID: "id",
		inherits: nil, // a cloud does not inherit from its project (contract §5.2)
		drive:    []string{"id", "name"},
	}
	Regions = &Entity{
		Name: "region", Table: "regions",
		Columns: cols(num("id"), text("name"), opt(text("note")), num("cloud_id"), uuid("project_id")),
		key:     "id", project: "project_id", owner: ownRegion, ownerID: "id",
		refs:     []ref{toCloud},
		inherits: []ref{toCloud, toProject},
		drive:    []string{"id", "name", "cloud_id"},
	}
	Cells = &Entity{
		Name: "cell", Table: "cells",
		Columns: cols(num("id"), text("name"), opt(text("note")), num("cloud_id"), num("region_id"), uuid("project_id")),
		key:     "id", project: "project_id", owner: ownCell, ownerID: "id",
		refs:     []ref{toCloud, toRegion},
		inherits: []ref{toRegion, toCloud, toProject},
		drive:    []string{"id", "name", "region_id", "cloud_id"},
	}
	Hosts          = device("host", KindHost, false)
	NetworkDevices = device("network device", KindNetworkDevice, true)
	Devices        = device("device", "", true)
	Networks       = &Entity{
		Name: "network", Table: "networks",
		Columns: cols(num("id"), text("name"), text("cidr"), text("gateway"), text("netmask"), opt(text("ip_block_type")), opt(text("nss")),
			num("cloud_id"), num("region_id"), opt(num("cell_id")), uuid("project_id")),
		key: "id", project: "project_id", owner: ownNetwork, ownerID: "id",
		refs:  []ref{toCloud, toRegion, toCell},
		drive: []string{"id", "name", "cell_id", "region_id"},
	}
	NetworkInterfaces = &Entity{
		Name: "network interface", Table: "network_interfaces",
		Columns: cols(num("id"), text("name"), num("device_id"), text("interface_type"), text("ip_address"), opt(num("network_id")),
			opt(num("vlan_id")), opt(text("vlan")), opt(text("duplex")), opt(text("link")), opt(text("cdp")), opt(text("security")),
			opt(num("port")), opt(text("speed")), uuid("project_id")),
		key: "id", project: "project_id", owner: ownInterface, ownerID: "id",
		refs:  []ref{{column: "device_id", to: anyDevice}, {column: "network_id", to: Networks}},
		drive: []string{"id", "device_id", "ip_address", "interface_type"},
	}
)

// The foreign keys that several entities share.
var (
	toProject = ref{column: "project_id", to: Projects}
	toCloud   = ref{column: "cloud_id", to: Clouds}
	toRegion  = ref{column: "region_id", to: Regions, agree: []string{"cloud_id"}}
	toCell    = ref{column: "cell_id", to: Cells, agree: []string{"cloud_id", "region_id"}}
	toParent  = ref{column: "parent_id", to: anyDevice}
)

// anyDevice is what a foreign key to a device is checked against. It is apart
// from [Devices] only because that one refers to itself by its parent.
var anyDevice = &Entity{
	Name: "device", Table: "devices", key: "id", project: "project_id", owner: ownDevice, ownerID: "id",
	Columns: cols(num("id"), text("name"), uuid("project_id"), internal("type", Text)),
}

func device(name, kind string, anyRow bool) *Entity {
	return &Entity{
		Name: name, Table: "devices", Kind: kind,
		Columns: cols(num("id"), text("name"), text("ip_address"), text("device_type"), opt(flag("active")), opt(text("note")),
			num("cloud_id"), num("region_id"), opt(num("cell_id")), opt(num("parent_id")),
			opt(text("model_name")), opt(text("os_version")), opt(text("vlans")), uuid("project_id"),
			internal("type", Text),
			Column{Name: "parent_type", Type: Text, Nullable: true, expr: "(SELECT p.type FROM devices p WHERE p.id = t.parent_id)"}),
		key: "id", project: "project_id", owner: ownDevice, ownerID: "id",
		refs:     []ref{toCloud, toRegion, toCell, toParent},
		inherits: []ref{toCell, toRegion, toCloud, toProject}, // after the chain of parents
		// The original keeps these in a table of their own, whose changes do
		// not reach updated_at (as recorded).
		quiet:    []string{"model_name", "os_version", "vlans"},
		drive:    []string{"id", "name", "ip_address", "parent_id", "cell_id", "region_id", "cloud_id", "device_type"},
		sortable: []string{"hostname"},
		anyRow:   anyRow,
	}
}

// cols adds the two timestamps that every table has and sorts by name, which
// is the order of a response's members.
func cols(c ...Column) []Column {
	c = append(c, Column{Name: "created_at", Type: Time}, Column{Name: "updated_at", Type: Time, Nullable: true})
	slices.SortFunc(c, func(a, b Column) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	return c
}

func num(name string) Column              { return Column{Name: name, Type: Int} }
func text(name string) Column             { return Column{Name: name, Type: Text} }
func flag(name string) Column             { return Column{Name: name, Type: Bool} }
func uuid(name string) Column             { return Column{Name: name, Type: UUID} }
func internal(name string, t Type) Column { return Column{Name: name, Type: t} }
func opt(c Column) Column                 { c.Nullable = true; return c }
