package api

import (
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/server/store"
)

// kind is the JSON type of a field.
type kind uint8

const (
	integer  kind = iota
	str           // a string of up to 255 characters
	longText      // a string of any length
	address       // a string that is an IP address
	uuid          // a string that is a UUID
	boolean       //
	stamp         // a timestamp
	object        // variables
	strs          // an array of strings; "labels" are shown in lists with details only
	noItems       // an array that must be empty
	linkList      // an array of {href, rel}
	roleName      // a role; the store has this column, and v1 does not
)

// use says where a field is accepted and shown.
type use uint8

const (
	inCreate use = 1 << iota // accepted by POST
	inUpdate                 // accepted by PUT
	required                 // demanded by POST
	nullable                 // PUT accepts null
	echo                     // not a column: shown once, in the POST response, if it was sent
)

// field is one member of a resource's representations. Without a use it is read-only.
type field struct {
	name string
	kind kind
	use  use
}

// param is a query parameter of a GET.
type param struct {
	name     string
	kind     kind   // integer, str, address or boolean
	column   string // the column to filter by; "" if the handler processes it
	fallback string // default as links show it; "" for none

	min, max int64 // range of an integer, if max is set
}

// resource describes everything specific to one of the collections.
type resource struct {
	*schema.Kind
	entity *store.Entity
	// fields are the members of its representations, sorted by name: those of the kind, and of the literals here those
	// that exist only in the API, or differ there.
	fields    []field
	params    []param // of the list, in the order of its links; paging comes after
	resolves  bool    // its /variables route resolves by default, as GET and lists do where it inherits (contract §2.3)
	duplicate string  // message for a name that is taken

	listRole, itemRole, createRole, deleteRole schema.Role // in addition to the method's

	// lookup answers a list request that asks for one object; see lookup.go.
	lookup func(c *call, r *resource, q query) (handled bool, err error)
	// make stores a new object where more than the generic create is needed.
	make func(c *call, r *resource, n store.CreateParams) (row store.Row, apiKey string, err error)
}

// routed reports whether there is a /variables route; the response to a POST then has variables (contract §2.3).
func (r *resource) routed() bool { return r.Variables == schema.Route }

// inherits reports whether GET and lists accept resolved-values: they resolve variables by default.
func (r *resource) inherits() bool { return r.Inherits != nil }

// of completes a literal with what the schema defines for its kind.
func of(k *schema.Kind, r resource) *resource {
	r.Kind = k
	add := func(f field) {
		if !slices.ContainsFunc(r.fields, func(said field) bool { return said.name == f.name }) {
			r.fields = append(r.fields, f)
		}
	}
	for _, f := range k.Fields {
		add(fieldOf(f))
	}
	title := field{k.Title, str, inCreate | required | inUpdate}
	if k.FixedTitle {
		title.use &^= inUpdate
	}
	add(title)
	if k.Variables != schema.None {
		add(fVariables)
	}
	switch k.Labels {
	case schema.MakeLabels:
		add(field{"labels", strs, inCreate})
	case schema.AddLabels:
		add(field{name: "labels", kind: strs})
	}
	add(field{name: "id", kind: idKind(k)})
	if k != schema.Project {
		add(field{name: "project_id", kind: uuid})
	}
	add(field{name: "created_at", kind: stamp})
	add(field{name: "updated_at", kind: stamp})
	slices.SortFunc(r.fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return &r
}

// fieldOf returns the API's field for a field of the schema.
func fieldOf(f schema.Field) field {
	w := field{name: f.Key, use: inCreate}
	switch f.Type {
	case schema.Text, schema.Prefix: // the server takes any text for a range (contract §2.4.6)
		w.kind = str
	case schema.LongText:
		w.kind = longText
	case schema.Address:
		w.kind = address
	case schema.Integer:
		w.kind = integer
	case schema.Flag:
		w.kind = boolean
	case schema.Reference:
		w.kind = idKind(schema.ByName(f.To[0]))
	}
	if f.Required {
		w.use |= required
	}
	if !f.Fixed {
		w.use |= inUpdate
	}
	if f.Nullable {
		w.use |= nullable
	}
	return w
}

// idKind returns the type of the ids of a kind's objects.
func idKind(k *schema.Kind) kind {
	if k.UUID {
		return uuid
	}
	return integer
}

var fVariables = field{"variables", object, inCreate}

// Parameters with the same meaning everywhere.
var (
	pID             = param{name: "id", kind: integer, column: "id"}
	pName           = param{name: "name", kind: str, column: "name"}
	pVars           = param{name: "vars", kind: str}
	pDetails        = param{name: "details", kind: boolean}
	pDetailsDefault = param{name: "details", kind: boolean, fallback: "False"}
	pResolved       = param{name: "resolved-values", kind: boolean, fallback: "True"}
	pCloudID        = param{name: "cloud_id", kind: integer, column: "cloud_id"}
	pRegionID       = param{name: "region_id", kind: integer, column: "region_id"}
	pCellID         = param{name: "cell_id", kind: integer, column: "cell_id"}
	pRegionText     = param{name: "region_id", kind: str, column: "region_id"} // text that should be a number (contract §2.4.3)
	pCellText       = param{name: "cell_id", kind: str, column: "cell_id"}
	pDeviceType     = param{name: "device_type", kind: str, column: "device_type"}
	pAddress        = param{name: "ip_address", kind: address, column: "ip_address"}
	pWhere          = param{name: paramWhere, kind: str} // which the original does not have
)

var (
	clouds = of(schema.Cloud, resource{
		entity: store.Clouds,
		fields: []field{{"regions", noItems, inCreate | echo}},
		params: []param{pID, pName, pVars, pDetailsDefault, pWhere}, lookup: lookupOne,
		duplicate: "A cloud with the given name already exists.",
	})
	regions = of(schema.Region, resource{
		entity: store.Regions,
		fields: []field{{"cells", noItems, inCreate | echo}},
		params: []param{pID, pName, pCloudID, pVars, pDetails, pResolved, pWhere}, lookup: lookupOne,
		duplicate: "A region with the given name already exists.",
	})
	cells = of(schema.Cell, resource{
		entity:    store.Cells,
		params:    []param{pID, pName, pRegionText, pCloudID, pVars, pDetails, pResolved, pWhere},
		duplicate: "A cell with the given name already exists.",
	})
	hosts = of(schema.Host, resource{
		entity: store.Hosts,
		fields: []field{{"links", linkList, inCreate}},
		params: []param{pID, pName, pRegionID, pCloudID, pCellID, pDeviceType, {name: "label", kind: str}, pAddress,
			pVars, pDetails, pResolved, pWhere},
		resolves:  true,
		duplicate: "A device with the given name already exists.",
	})
	networkDevices = of(schema.NetworkDevice, resource{
		entity: store.NetworkDevices,
		fields: []field{{"access_secret_id", integer, inCreate | echo}, {"interface_id", integer, inCreate | echo}, {"links", linkList, inCreate},
			{"network_id", integer, inCreate | echo}},
		params:    []param{pID, pName, pRegionText, pCellText, pCloudID, pAddress, pDeviceType, pVars, pDetails, pResolved, pWhere},
		duplicate: "A device with the given name already exists.",
	})
	networks = of(schema.Network, resource{
		entity: store.Networks,
		fields: []field{{"gateway", str, inCreate | required | inUpdate}}, // any text, as in the original server
		// network_type is in the schema but is not a column: see lookup.go.
		params:    []param{pID, pName, pRegionText, pCellText, {name: "network_type", kind: str}, pVars, pResolved, pDetailsDefault, pWhere},
		lookup:    refuseNetworkType,
		duplicate: "Network with the given name already exists in this region.",
	})
	networkInterfaces = of(schema.NetworkInterface, resource{
		entity: store.NetworkInterfaces,
		params: []param{pID, {name: "device_id", kind: integer, column: "device_id"}, pAddress,
			{name: "interface_type", kind: str, column: "interface_type"}},
		duplicate: "A network interface with the given name already exists on this device.",
	})
	projects = of(schema.Project, resource{
		entity:   store.Projects,
		params:   []param{{name: "name", kind: str}, pVars, pDetailsDefault},
		listRole: schema.Root, itemRole: schema.Admin, createRole: schema.Root, deleteRole: schema.Root,
		make: makeProject,
	})
	users = of(schema.User, resource{
		entity:   store.Users,
		fields:   []field{{"api_key", str, inCreate}, {"role", roleName, inCreate | echo}, {"roles", strs, inCreate | echo}},
		params:   []param{{name: "id", kind: integer}, {name: "name", kind: str, column: "username"}},
		listRole: schema.Admin, itemRole: schema.Admin, createRole: schema.Admin, deleteRole: schema.Admin,
		lookup: checkUserID, make: makeUser,
		duplicate: "A user with the given username already exists in the project.",
	})

	resources = []*resource{clouds, regions, cells, hosts, networkDevices, networks, networkInterfaces, projects, users}
)
