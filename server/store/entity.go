package store

import (
	"cmp"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
)

// Type is the type of a [Column]'s values in a [Row].
type Type uint8

// The types of columns and the Go type of their values in a [Row]. A value may also be nil if the column is nullable.
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
	expr     string // expression to select, if this is not a plain column of the table
}

// ref is a foreign key to another entity of the same project.
type ref struct {
	column string
	to     *Entity
	// agree has the columns that must be equal in both rows, so that a host cannot refer to a cloud and to a region of
	// another cloud (contract §1.5, hole 8).
	agree []string
}

// Entity describes one kind of stored object, for the generic reads and writes. Hosts and network devices share a table
// and an id sequence; Kind distinguishes them.
type Entity struct {
	Name    string // name in messages: "host", "network device"
	Table   string
	Kind    string   // value of the table's type column; "" for any
	Columns []Column // sorted by name

	of       *schema.Kind
	key      string   // column of the API's id
	project  string   // column with the id of the owning project
	owner    int      // owner_kind of its variables; 0 if it has none
	ownerID  string   // column of owner_id; differs from key for projects only
	refs     []ref    // foreign keys that are checked on create and update
	inherits []ref    // places it inherits variables from, nearest first
	quiet    []string // columns whose changes do not set updated_at
	drive    []string // filters with an index, the most selective first
	sortable []string // sort keys in addition to Columns
	anyRow   bool     // a marker or an update may refer to a row of another Kind
	selected string   // expressions for all columns, see selectList
	returned string   // the same for RETURNING, in which the table has no alias

	// returnedTop is the variant of returned for a row without a parent. It has no subquery for the parent, which has a
	// cost even if it finds none.
	returnedTop string
}

// IsDevice reports whether e's rows are in the devices table, and therefore have labels, a parent and the hidden
// columns "type" and "parent_type".
func (e *Entity) IsDevice() bool { return e.Table == devicesTable }

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

// Row has the values of an entity's columns, in the order of [Entity.Columns].
type Row []any

// The kinds of owners in the variables table. The numbers are stored in databases.
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

// deviceKind returns the schema's name for the kind of a device, from the value of its type column.
func deviceKind(t any) string {
	if t == KindNetworkDevice {
		return schema.NetworkDevice.Name
	}
	return schema.Host.Name
}

// nounOf returns the noun for a row of a table, or for a type of device, in messages.
func nounOf(kind string) string {
	for _, e := range known {
		if e != Devices && (e.Kind == kind || e.Table == kind && e.Kind == "") {
			return e.Name
		}
	}
	return kind
}

// The entities. They only define what internal/schema does not.
var (
	Projects = entity(schema.Project, Entity{
		Columns: []Column{internal("seq", Int)},
		owner:   ownProject, key: "id", project: "id", ownerID: "seq",
	})
	Users = entity(schema.User, Entity{
		Columns: []Column{flag("is_admin"), flag("is_root"), text("role")},
		owner:   ownUser, drive: []string{"id", "username"},
	})
	Clouds            = entity(schema.Cloud, Entity{owner: ownCloud, drive: []string{"id", "name"}})
	Regions           = entity(schema.Region, Entity{owner: ownRegion, drive: []string{"id", "name", "cloud_id"}})
	Cells             = entity(schema.Cell, Entity{owner: ownCell, drive: []string{"id", "name", "region_id", "cloud_id"}})
	Hosts             = device(schema.Host, KindHost, false)
	NetworkDevices    = device(schema.NetworkDevice, KindNetworkDevice, true)
	Devices           = device(schema.Device, "", true)
	Networks          = entity(schema.Network, Entity{owner: ownNetwork, drive: []string{"id", "name", "cell_id", "region_id"}})
	NetworkInterfaces = entity(schema.NetworkInterface, Entity{
		Columns: []Column{opt(text("speed"))}, // see bind
		owner:   ownInterface, drive: []string{"id", "device_id", "ip_address", "interface_type"},
	})
)

// known maps kinds to entities. Places must be declared before the entities they contain.
var known = map[*schema.Kind]*Entity{}

// entity completes a literal with the schema's definitions for its kind. Columns in the literal do not exist in the
// schema, or differ from it.
func entity(k *schema.Kind, e Entity) *Entity {
	e.of, e.Name = k, k.Noun()
	e.Table = cmp.Or(e.Table, k.List)
	e.key, e.project, e.ownerID = cmp.Or(e.key, "id"), cmp.Or(e.project, "project_id"), cmp.Or(e.ownerID, "id")
	id := num("id")
	if k.UUID {
		id = uuid("id")
	}
	e.add(id, text(k.Title), Column{Name: "created_at", Type: Time}, Column{Name: "updated_at", Type: Time, Nullable: true})
	if k != schema.Project {
		e.add(uuid("project_id"))
	}
	// v1 does not have this column, so a change to it must not change v1's updated_at.
	if k.Protects() || k.View {
		e.add(opt(flag(protected)))
		e.quiet = append(e.quiet, protected)
	}
	if k.InSets() || k.View {
		e.add(opt(text(setName)))
		e.quiet = append(e.quiet, setName)
	}
	for _, f := range k.Fields {
		e.add(columnOf(f))
		if to := target(f); to != nil {
			agree := agreement(k, f)
			if to != anyDevice {
				to = to.narrow(agree)
			}
			e.refs = append(e.refs, ref{f.Key, to, agree})
		}
	}
	for _, key := range k.Inherits {
		if f := k.Field(key); f.Place() { // variables of parents are read in another way
			e.inherits = append(e.inherits, ref{key, target(*f), agreement(k, *f)})
		}
	}
	if k.Inherits != nil {
		e.inherits = append(e.inherits, ref{column: "project_id", to: known[schema.Project]})
	}
	slices.SortFunc(e.Columns, func(a, b Column) int { return strings.Compare(a.Name, b.Name) }) // responses have their members in this order
	e.selected = e.selectList()
	e.returned = strings.ReplaceAll(e.selected, "t.", e.Table+".")
	e.returnedTop = strings.ReplaceAll(strings.Replace(e.selected, parentType, "NULL", 1), "t.", e.Table+".")
	known[k] = &e
	return &e
}

// narrow returns a copy of e with only the columns that a foreign key check needs, because reading more columns takes
// longer.
func (e *Entity) narrow(agree []string) *Entity {
	n := *e
	n.Columns, n.selected = nil, ""
	for _, c := range e.Columns {
		if c.Name == e.key || c.Name == e.of.Title || slices.Contains(agree, c.Name) {
			n.Columns = append(n.Columns, c)
		}
	}
	n.selected = n.selectList()
	return &n
}

// add adds columns that e does not have yet.
func (e *Entity) add(columns ...Column) {
	for _, c := range columns {
		if e.Index(c.Name) < 0 {
			e.Columns = append(e.Columns, c)
		}
	}
}

// columnOf returns the column of a field.
func columnOf(f schema.Field) Column {
	c := Column{Name: f.Key, Nullable: !f.Required}
	switch f.Type {
	case schema.Text, schema.LongText, schema.Address, schema.Prefix:
		c.Type = Text
	case schema.Integer:
		c.Type = Int
	case schema.Flag:
		c.Type = Bool
	case schema.Reference:
		if c.Type = Int; schema.ByName(f.To[0]).UUID {
			c.Type = UUID
		}
	}
	return c
}

// target returns the entity that a foreign key is checked against. It is nil for projects, because the scope of the
// request determines the project, and for columns that are not foreign keys.
func target(f schema.Field) *Entity {
	switch {
	case f.Type != schema.Reference, f.To[0] == schema.Project.Name:
		return nil
	case len(f.To) > 1:
		return anyDevice
	}
	return known[schema.ByName(f.To[0])]
}

// agreement returns the columns that must be equal in an object and in the place that one of its fields refers to.
func agreement(k *schema.Kind, f schema.Field) (columns []string) {
	if !f.Place() || len(f.To) > 1 {
		return nil
	}
	for _, above := range schema.ByName(f.To[0]).Fields {
		if above.Place() && k.Field(above.Key) != nil {
			columns = append(columns, above.Key)
		}
	}
	return columns
}

// anyDevice is the entity that a foreign key to a device is checked against. [Devices] cannot be used, because its
// initialization would refer to itself.
var anyDevice = &Entity{
	Name: "device", Table: devicesTable, key: "id", project: "project_id", owner: ownDevice, ownerID: "id",
	Columns: []Column{num("id"), text("name"), uuid("project_id"), internal("type", Text)},
}

const devicesTable = "devices"

// parentType is the expression for the type of a device's parent.
const parentType = "(SELECT p.type FROM devices p WHERE p.id = t.parent_id)"

// device returns an entity of the devices table. The table has the columns of both kinds.
func device(k *schema.Kind, kind string, anyRow bool) *Entity {
	e := Entity{
		Table: devicesTable, Kind: kind, owner: ownDevice,
		Columns: []Column{
			internal("type", Text),
			{Name: "parent_type", Type: Text, Nullable: true, expr: parentType},
		},
		// The original server has these columns in a separate table, whose changes do not affect updated_at (as
		// recorded).
		quiet:    []string{"model_name", "os_version", "vlans"},
		drive:    []string{"id", "name", "ip_address", "parent_id", "cell_id", "region_id", "cloud_id", "device_type"},
		sortable: []string{"hostname"},
		anyRow:   anyRow,
	}
	for _, both := range []*schema.Kind{schema.Host, schema.NetworkDevice} {
		for _, f := range both.Fields {
			e.add(columnOf(f))
		}
	}
	return entity(k, e)
}

func num(name string) Column              { return Column{Name: name, Type: Int} }
func text(name string) Column             { return Column{Name: name, Type: Text} }
func flag(name string) Column             { return Column{Name: name, Type: Bool} }
func uuid(name string) Column             { return Column{Name: name, Type: UUID} }
func internal(name string, t Type) Column { return Column{Name: name, Type: t} }
func opt(c Column) Column                 { c.Nullable = true; return c }
