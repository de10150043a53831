// Package modules holds the Ansible modules of the collection craton.fleet: everything that a task can do to a fleet.
//
//	craton_project, craton_user, craton_cloud, craton_region,
//	craton_cell, craton_host, craton_network_device,
//	craton_network, craton_network_interface            make one object what the task says, or remove it
//	craton_..._info of each, and craton_device_info     read
//	craton_variables                                    change the variables of any object
//	craton_fleet                                        make a whole fleet what a document says
//
// All are one program. [Lookup] makes the module that runs, [Names] tells what there is, and [Specs] is what the
// collection's documentation is made of; package module runs them.
//
// # What a task may rely on
//
//   - A second run changes nothing and sends no request that writes. Values that the API rewrites are compared as what
//     they mean: addresses in any spelling, ids of projects in any form, numbers of variables as decimals (1 is 1.0). For
//     texts and numbers of the API's own fields "", 0 and null are one: not set.
//   - Check mode, the diff and the real run come from one plan. What the API would refuse is refused before anything is
//     written, so check mode tells the same errors: taken names, parents in a circle, deletes that something depends on,
//     texts that are too long.
//   - The object is returned under the resource's name, also when nothing changed, with its own variables and all
//     its labels. After state=absent it is the object that was there, or {}. In check mode an object that is to be created
//     has a null where only the server knows the value: id, created_at, and of clouds and projects what the server adds.
//   - diff has the whole object before and after, variables included, but not the times.
//
// # How objects are named
//
// An object is found by its natural key, name within its scope, or by id:
//
//	project            name; names repeat, and two of one name are an error that lists the ids
//	user               name within a project, the caller's if none is given
//	cloud              name
//	region             name within a cloud
//	cell, network      name within a region
//	host, network      name within a region; the two kinds share their names
//	device
//	network interface  name within a device
//
// Options that name other objects (cloud, region, cell, parent, device, network, project) take a name or an id. A text
// of digits is an id only where no object has exactly that name. Where several have the name, region/name or
// cloud/region/name says which one is meant, and cloud/name which region, as in a fleet file: parent: ams/web1. Names
// may hold slashes themselves, and every reading counts. Places may be left out where the rest says them: a region says
// its cloud, a cell its region. What names several objects is an error that lists them with their ids and where they
// stand. A network of an interface is looked for in the region of the device first.
//
// A place that does not exist is an error, in check mode too; only for state=absent it is not: where nothing can be,
// nothing is. Who sees several projects (root, and admins of the original server) finds by name only what is in
// the project of project_id; ids reach everywhere that the API lets them.
//
// With id, name is the new name.
//
// # Omitted, empty and null
//
// Ansible gives a module no way to tell null from an option that is left out, so both mean: leave it as it is. An
// empty string takes away: parent: "", note: "", cell: "" (which asserts that there is none, for the API cannot
// change it). Beware of ansible-core 2.14, where a template that yields none gives "": write default(omit).
//
// # What the API cannot change
//
// Cloud, region and cell of anything, active of a network device, address, network, vlan_id and variables of an
// interface, everything of a user. Another value is an error that names the option. recreate: true deletes the object
// and makes a new one in the same task; what the task does not mention is kept, the id is not. It is refused while the
// object holds others (a region its cells, a host its interfaces) or is needed by others (children, interfaces on a
// network).
//
// # Deleting
//
// The API deletes what a project, cloud, region or cell holds along with it (v1 contract §6.3). state=absent refuses
// that, and tells what is there, unless force: true. Interfaces of a host or network device are its parts and go with
// it. A device that is a parent, a network with interfaces on it, and a container of such with the other end outside,
// cannot be deleted at all; the error names what is in the way.
//
// # Secrets
//
// A user's API key is in the result of the task that creates the user, as user.api_key, keys that a task makes are in
// its result, as user.new_keys, and nowhere else: not in the diff, not in a later result, not in an info module's. The
// connection's password is masked in all that a module says, and in nothing that it returns: a variable that happens to
// be the same text comes back as it is.
//
// # Structure
//
// A [resource] literal (resources.go) says what there is to know of a kind of object; everything else is generic.
// service.go adapts the client's typed services, object.go holds the canonical form, find.go and present.go read the
// state, plan.go compares, contents.go guards deletes, apply.go writes, info.go lists, spec.go writes the
// documentation. variables.go and fleet.go stand beside; connection.go connects through the settings that every entry
// point shares.
//
// Quirks of the v1 contract (§10) that it answers to: Q1 times, Q2 ids of projects, Q3 addresses, Q4 speeds, Q5 and Q6
// by looking before writing, Q7 variables that listings leave out, Q12 and §6.4 by resolving parents first, Q14 in the
// client, Q15 labels, Q20 admins who see every tenant, Q32 by comparing variables and labels themselves.
package modules
