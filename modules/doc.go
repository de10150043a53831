// Package modules contains the Ansible modules of the collection craton.fleet that read and change a fleet.
//
//	craton_project, craton_user, craton_cloud, craton_region,
//	craton_cell, craton_host, craton_network_device,
//	craton_network, craton_network_interface            create, change or delete one object
//	craton_..._info of each, and craton_device_info     read objects
//	craton_variables                                    change the variables of any object
//	craton_fleet                                        make a fleet match a document
//
// All modules are one program. [Lookup] returns a module by its name, [Names] lists them, and [Specs] is the source of
// the collection's documentation; package ansible runs them.
//
// # What a task may rely on
//
//   - A second run changes nothing and sends no write requests. Values that the API rewrites are compared by their
//     meaning: addresses in any spelling, ids of projects in any form, numbers in variables as decimals (1 is 1.0). In
//     texts and numbers of the API's own fields, "", 0 and null all mean: not set.
//   - Check mode, the diff and the real run come from one plan. A change that the API would refuse is refused before
//     anything is written, so check mode reports the same errors: names that are taken, circular parents, deletes of
//     objects that others depend on, texts that are too long.
//   - The object is returned under the resource's name, even if nothing changed, with its own variables and all its
//     labels. After state=absent it is the object as it was, or {}. In check mode, an object that would be created has
//     null for values that the server would set, such as id and created_at.
//   - diff contains the complete object before and after, with its variables but without times.
//
// # How objects are named
//
// An object is found by id, or by its name within a scope:
//
//	project            name; not unique; if several have the name, the error lists their ids
//	user               name within a project, by default the caller's
//	cloud              name
//	region             name within a cloud
//	cell, network      name within a region
//	host, network      name within a region; the two kinds share one set of names
//	device
//	network interface  name within a device
//
// Options that name other objects (cloud, region, cell, parent, device, network, project) take a name or an id. A
// string of digits is taken as an id only if no object has that name. If several objects have the name, write
// region/name or cloud/region/name, and for a region cloud/name, as in a fleet file: parent: ams/web1. Names may
// contain slashes, so all ways to split the text are tried. Places may be omitted if the others identify them: a region
// implies its cloud, a cell its region. If several objects match, the error lists them with their ids and paths. The
// network of an interface is looked for in the region of its device first.
//
// A place that does not exist is an error, in check mode too. The exception is state=absent, because no object can
// exist there. Users who can see several projects (root, and admins of the original server) find by name only objects
// in the project of project_id, and by id every object that the API shows them.
//
// With id, name is the new name.
//
// # Omitted, empty and null
//
// A module cannot distinguish null from an omitted option, so both mean: leave the value unchanged. An empty string
// removes a value: parent: "", note: "". With ansible-core 2.14, a template whose result is none passes "": use
// default(omit).
//
// # What the API cannot change
//
// The API cannot change the cloud, region and cell of any object (craton server can move objects: option move); active
// of a network device; address, network, vlan_id and variables of an interface; and most fields of a user. Another
// value is an error that names the option. With recreate: true, the task deletes the object and creates a new one, with
// a new id; values that the task does not mention are kept. Interfaces and children of a device are carried over. For
// other kinds, recreate is refused while the object contains others or others depend on it.
//
// # Deleting
//
// The API deletes the contents of a project, cloud, region or cell with it (v1 contract §6.3). Unless force: true is
// set, state=absent refuses that and lists the contents. Interfaces of a host or network device are deleted with it. A
// device with children, a network with interfaces, and a place that contains one of these with the child or interface
// outside, cannot be deleted; the error names the objects that prevent it.
//
// # Secrets
//
// A user's API key is in the result of the task that creates the user, as user.api_key. Keys that a task creates are in
// its result, as user.new_keys. Neither is in the diff, in later results, or in results of info modules. The
// connection's password is masked in messages, but not in returned values: a variable with the same text is returned
// unchanged.
//
// # Structure
//
// A [resource] literal (resources.go) describes a kind of object; everything else is generic. present.go is the module
// that creates, changes and deletes an object, with the engine in internal/reconcile; info.go lists objects, and
// spec.go writes the documentation. access.go has the roles and keys of users, variables.go and fleet.go their own
// modules. connection.go connects, with the settings that all entry points share.
//
// Quirks of the v1 contract (§10) that the modules handle: Q1 times, Q2 ids of projects, Q3 addresses, Q4 speeds, Q5
// and Q6 by looking before writing, Q7 variables that listings leave out, Q12 and §6.4 by resolving parents first, Q14
// in the client, Q15 labels, Q20 admins who see every tenant, Q32 by comparing variables and labels themselves.
package modules
