// Package iotronic writes an Ansible dynamic inventory of the nodes of Ironic, or of the nodes or boards of Iotronic.
// It implements the command iotronic-inventory; docs/iotronic.md is the guide for its users.
//
//	o := iotronic.DefaultOptions()
//	listing, err := iotronic.Load(ctx, client, o) // all requests
//	doc, err := iotronic.Build(listing, o)        // all decisions
//	err = doc.Write(os.Stdout, false)             // {"_meta": {"hostvars": {...}}, "driver_ipmi": {...}, ...}
//
// # Load
//
// [Load] reads one listing with all fields, and the names of fleets separately. The server applies the filters that it
// supports, and Load applies every filter again, so that all servers and API versions give the same hosts. A value in a
// filter that matches nothing is an error, unless it is a valid state. If a listing breaks, it is read again, at most
// three times in total. A listing that cannot be read completely is an error, never a smaller inventory.
//
// # Build
//
// [Build] sends no requests. All checks are made here, so that nothing is written of a document that cannot be
// completed. Two hosts with the same name are an error, because a host's name does not depend on other hosts.
//
// The address that Ansible connects to is always the value of a field whose path the user set. Neither service has a
// field for this address, and the addresses that Ironic does have are those of management controllers.
//
// # Data is not trusted
//
// Strings that look like templates are marked, as in every inventory of this program. In addition, names and addresses
// that Ansible would connect to must look like names or addresses, because ssh could read other text as options, and
// shells as commands. Keys of extra that begin with ansible_ become variables only if a pattern in the settings begins
// with ansible_ too.
package iotronic
