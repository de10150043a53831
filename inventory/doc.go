// Package inventory reads a fleet through the Craton v1 API and writes it as an Ansible dynamic inventory. It
// implements the command `craton inventory`, which also runs as craton-inventory; docs/inventory.md is the guide for
// its users.
//
// # Use
//
//	o := inventory.DefaultOptions()
//	fleet, err := inventory.Load(ctx, client, o)  // all requests
//	doc, err := inventory.Build(fleet, o)         // all decisions
//	err = doc.Write(os.Stdout, false)             // {"_meta": {"hostvars": {...}}, "cloud_east": {...}, ...}
//
//	doc, why, err := inventory.Read(ctx, client, o) // both; with o.Limit, only what Ansible's --limit selects
//
//	variables, err := inventory.Host(ctx, client, o, "web-01") // one host, without reading the fleet
//
//	in, err := inventory.MembershipOf(ctx, client, o, device, "east", "dfw", "c1") // the groups of one device
//
// # Three steps
//
// [Load] reads clouds, regions, cells, the hosts that match the filters, and their ancestors and projects, each with
// its own variables only. From craton server, that is one response; from the original server, several listings of hosts
// are read in parallel. Variables are not resolved by the server, because that is slow and sometimes fails on the
// original (Q8).
//
// [Build] decides, without any requests, what hosts and groups are called, whether names collide, which groups a host
// is in, and which host or group gets which variable. All checks are made here, so that a document that
// cannot be completed is never started.
//
// [Document.Write] writes one host after the other, from lists that the hosts of a cell share. The complete document is
// never in memory. [Document.WriteGraph] writes the tree of groups for people.
//
// # What a host has
//
// A host's variables are its own, then those of its parents (the nearest first), its cell, region, cloud and project.
// For each key, the nearest place that has it wins: its complete value, even null (the v1 contract §5). [Fleet.Chain]
// returns these places one by one. In addition, each host has ansible_host, unless a variable has that name, and the
// facts: one dictionary with the host's own fields.
//
// In [Merged] form, each host has all of these variables. In [Layered] form, the group of each place has the place's
// own variables, the group all has the project's, and hosts have the rest. Groups are nested like places, and in
// Ansible the deeper group wins, so the result for each host is the same. Variables that nested groups cannot express
// stay on the hosts: those of several projects, of places without groups and of parents, and ansible_group_priority,
// which Ansible would remove from a group. The original server allows a device whose cell is not in the region that it
// names, or whose region is not in its cloud; such a device is in groups of its own, named after the places that it
// names.
//
// # Data is not trusted
//
// Permission to write a variable must not be enough to execute templates on the machine that runs Ansible. Strings that
// Ansible could take for a template are written as {"__ansible_unsafe": "..."}. Objects with such keys, and objects
// that look like Ansible's own markers, are written as their JSON text. Values for which Ansible would refuse the whole
// inventory are errors that name them. See internal/ansible.
//
// # Failures
//
// If a listing breaks, or the fleet is inconsistent because it changed while it was read, it is read again, at most
// three times in total. If it cannot be read completely, that is an error, never a smaller inventory.
//
// One case cannot be detected when the fleet is read page by page: a host in a region that the caller may not list is
// missing, because hosts are listed by region. Only the original server lets its users create such a host (the v1
// contract §1.5, hole 7).
package inventory
