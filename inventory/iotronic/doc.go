// Package iotronic makes an Ansible dynamic inventory of the nodes of Ironic, or of the nodes or boards of Iotronic. It is
// the command iotronic-inventory; docs/iotronic.md is the guide for its users.
//
//	o := iotronic.DefaultOptions()
//	listing, err := iotronic.Load(ctx, client, o) // all requests
//	doc, err := iotronic.Build(listing, o)        // all decisions
//	err = doc.Write(os.Stdout, false)             // {"_meta": {"hostvars": {...}}, "driver_ipmi": {...}, ...}
//
// # Load
//
// One listing with all fields says everything but the names of fleets. The server filters where it can, and every filter
// is applied here as well, so that a server that cannot, or another version of it, gives the same hosts. A word of a filter
// that nothing has is an error, unless it is a state in which something might be. A listing that breaks is read again,
// three times in all. What cannot be read whole is an error, never a smaller inventory.
//
// # Build
//
// [Build] needs no network. Every refusal is in it, so that nothing is written of a document that cannot be whole. Two hosts
// of one name are an error: no form of names depends on what else there is. The address that Ansible connects to is
// only ever what the API says at a path that the user named; neither service has a field for it, and the addresses that
// Ironic does have are those of management controllers.
//
// # Data is not trusted
//
// Strings that look like templates are marked, as in every inventory of this program. Beyond that, addresses and names that
// Ansible would connect to must look like some, because ssh takes options and shells take commands for addresses; and keys
// of extra that begin with ansible_ become variables only where the user writes so much of their names.
package iotronic
