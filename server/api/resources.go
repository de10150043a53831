package api

import "github.com/craton-fleet/craton/server/store"

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

// field is one member of a resource's representations. Without a use it is
// read only.
type field struct {
	name string
	kind kind
	use  use
}

// param is a query parameter of a GET.
type param struct {
	name     string
	kind     kind   // integer, str, address or boolean
	column   string // the filter that it is; "" where the handler knows it
	fallback string // default as links show it; "" for none
}

// carries tells which representations have variables (contract §2.3). Where
// a resource inherits, GET and lists resolve them unless told not to.
type carries struct {
	create   bool // the POST response does
	route    bool // there is a /variables route
	resolves bool // that route resolves by default too
}

// resource describes everything that one of the collections has of its own.
type resource struct {
	path      string // in the URL
	key       string // in the body of a list
	entity    *store.Entity
	fields    []field // sorted by name
	params    []param // of the list, in the order of its links; paging comes after
	variables carries
	inherits  bool   // GET and lists know resolved-values
	duplicate string // message for a name that is taken

	listRole, itemRole, createRole, deleteRole role

	// lookup answers a list request that asks for one object; see lookup.go.
	lookup func(c *call, r *resource, q query) (handled bool, err error)
	// make stores a new object where more than the generic create is needed.
	make func(c *call, r *resource, n store.New) (row store.Row, apiKey string, err error)
}

func (r *resource) updatable() bool {
	for _, f := range r.fields {
		if f.use&inUpdate != 0 {
			return true
		}
	}
	return false
}

// Fields that mean the same everywhere.
var (
	fID        = field{name: "id", kind: integer}
	fProject   = field{name: "project_id", kind: uuid}
	fCreated   = field{name: "created_at", kind: stamp}
	fUpdated   = field{name: "updated_at", kind: stamp}
	fName      = field{"name", str, inCreate | required | inUpdate}
	fNote      = field{"note", longText, inCreate | inUpdate}
	fCloud     = field{"cloud_id", integer, inCreate | required}
	fRegion    = field{"region_id", integer, inCreate | required}
	fCell      = field{"cell_id", integer, inCreate}
	fVariables = field{"variables", object, inCreate}
)

// Parameters that mean the same everywhere.
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
)

// Paths that links to other objects need.
const (
	pathRegions        = "regions"
	pathCells          = "cells"
	pathHosts          = "hosts"
	pathNetworkDevices = "network-devices"
)

var (
	clouds = &resource{
		path: "clouds", key: "clouds", entity: store.Clouds,
		fields: []field{fCreated, fID, fName, fNote, fProject, {"regions", noItems, inCreate | echo}, fUpdated, fVariables},
		params: []param{pID, pName, pVars, pDetailsDefault}, lookup: lookupOne,
		variables: carries{create: true, route: true},
		duplicate: "A cloud with the given name already exists.",
	}
	regions = &resource{
		path: pathRegions, key: "regions", entity: store.Regions,
		fields: []field{{"cells", noItems, inCreate | echo}, fCloud, fCreated, fID, fName, fNote, fProject, fUpdated, fVariables},
		params: []param{pID, pName, pCloudID, pVars, pDetails, pResolved}, lookup: lookupOne,
		variables: carries{create: true, route: true}, inherits: true,
		duplicate: "A region with the given name already exists.",
	}
	cells = &resource{
		path: pathCells, key: "cells", entity: store.Cells,
		fields:    []field{fCloud, fCreated, fID, fName, fNote, fProject, fRegion, fUpdated, fVariables},
		params:    []param{pID, pName, pRegionText, pCloudID, pVars, pDetails, pResolved},
		variables: carries{create: true, route: true}, inherits: true,
		duplicate: "A cell with the given name already exists.",
	}
	hosts = &resource{
		path: pathHosts, key: "hosts", entity: store.Hosts,
		fields: []field{
			{"active", boolean, inCreate | inUpdate}, fCell, fCloud, fCreated,
			{"device_type", str, inCreate | required | inUpdate}, fID,
			{"ip_address", address, inCreate | required | inUpdate},
			{"labels", strs, inCreate}, {"links", linkList, inCreate}, fName, fNote,
			{"parent_id", integer, inCreate | inUpdate | nullable}, fProject, fRegion, fUpdated, fVariables,
		},
		params: []param{pID, pName, pRegionID, pCloudID, pCellID, pDeviceType, {name: "label", kind: str}, pAddress,
			pVars, pDetails, pResolved},
		variables: carries{create: true, route: true, resolves: true}, inherits: true,
		duplicate: "A device with the given name already exists.",
	}
	networkDevices = &resource{
		path: pathNetworkDevices, key: "network_devices", entity: store.NetworkDevices,
		fields: []field{
			{"access_secret_id", integer, inCreate | echo}, {"active", boolean, inCreate}, fCell, fCloud, fCreated,
			{"device_type", str, inCreate | required | inUpdate}, fID, {"interface_id", integer, inCreate | echo},
			{"ip_address", address, inCreate | required | inUpdate}, {name: "labels", kind: strs}, {"links", linkList, inCreate},
			{"model_name", str, inCreate | inUpdate}, fName, {"network_id", integer, inCreate | echo},
			{"os_version", str, inCreate | inUpdate}, {"parent_id", integer, inCreate | inUpdate | nullable},
			fProject, fRegion, fUpdated, fVariables, {"vlans", str, inCreate | inUpdate},
		},
		params:    []param{pID, pName, pRegionText, pCellText, pCloudID, pAddress, pDeviceType, pVars, pDetails, pResolved},
		variables: carries{create: true, route: true}, inherits: true,
		duplicate: "A device with the given name already exists.",
	}
	networks = &resource{
		path: "networks", key: "networks", entity: store.Networks,
		fields: []field{
			fCell, {"cidr", str, inCreate | required | inUpdate}, fCloud, fCreated,
			{"gateway", str, inCreate | required | inUpdate}, fID, {"ip_block_type", str, inCreate | inUpdate}, fName,
			{"netmask", str, inCreate | required | inUpdate}, {"nss", str, inCreate | inUpdate},
			fProject, fRegion, fUpdated, fVariables,
		},
		// network_type is in the schema but no column: see lookup.go.
		params: []param{pID, pName, pRegionText, pCellText, {name: "network_type", kind: str}, pVars, pResolved, pDetailsDefault},
		lookup: refuseNetworkType, variables: carries{create: true, route: true},
		duplicate: "Network with the given name already exists in this region.",
	}
	networkInterfaces = &resource{
		path: "network-interfaces", key: "network_interfaces", entity: store.NetworkInterfaces,
		fields: []field{
			{"cdp", str, inCreate | inUpdate}, fCreated, {"device_id", integer, inCreate | required},
			{"duplex", str, inCreate | inUpdate}, fID, {"interface_type", str, inCreate | required | inUpdate},
			{"ip_address", address, inCreate | required}, {"link", str, inCreate | inUpdate}, fName,
			{"network_id", integer, inCreate}, {"port", integer, inCreate | inUpdate}, fProject,
			{"security", str, inCreate | inUpdate}, {"speed", integer, inCreate | inUpdate}, fUpdated, fVariables,
			{"vlan", str, inCreate | inUpdate}, {"vlan_id", integer, inCreate},
		},
		params: []param{pID, {name: "device_id", kind: integer, column: "device_id"}, pAddress,
			{name: "interface_type", kind: str, column: "interface_type"}},
		duplicate: "A network interface with the given name already exists on this device.",
	}
	projects = &resource{
		path: "projects", key: "projects", entity: store.Projects,
		fields:   []field{fCreated, {name: "id", kind: uuid}, {"name", str, inCreate | required}, fUpdated, fVariables},
		params:   []param{{name: "name", kind: str}, pVars, pDetailsDefault},
		listRole: root, itemRole: admin, createRole: root, deleteRole: root,
		variables: carries{create: true, route: true}, make: makeProject,
	}
	users = &resource{
		path: "users", key: "users", entity: store.Users,
		fields: []field{
			{"api_key", str, inCreate}, fCreated, fID, {"is_admin", boolean, inCreate}, {"project_id", uuid, inCreate | required},
			{"roles", strs, inCreate | echo}, fUpdated, {"username", str, inCreate | required},
		},
		params:   []param{{name: "id", kind: integer}, {name: "name", kind: str, column: "username"}},
		listRole: admin, itemRole: admin, createRole: admin, deleteRole: admin,
		lookup: checkUserID, make: makeUser,
		duplicate: "A user with the given username already exists in the project.",
	}

	resources = []*resource{clouds, regions, cells, hosts, networkDevices, networks, networkInterfaces, projects, users}
)
