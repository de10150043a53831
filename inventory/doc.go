// Package inventory makes an Ansible dynamic inventory of a fleet that a Craton v1 API holds. It is the command
// `craton inventory`, which also runs as craton-inventory; docs/inventory.md is the guide for its users.
//
// # Use
//
//	o := inventory.DefaultOptions()
//	fleet, err := inventory.Load(ctx, client, o)  // all requests
//	doc, err := inventory.Build(fleet, o)         // all decisions
//	err = doc.Write(os.Stdout, false)             // {"_meta": {"hostvars": {...}}, "cloud_east": {...}, ...}
//
//	doc, why, err := inventory.Read(ctx, client, o) // both, and with o.Limit no more than what Ansible's --limit selects
//
//	variables, err := inventory.Host(ctx, client, o, "web-01") // one host, without reading the fleet
//
//	in, err := inventory.MembershipOf(ctx, client, o, device, "east", "dfw", "c1") // the groups of one device
//
// # Three steps
//
// [Load] reads: clouds, regions, cells, the hosts that the filters let through, their ancestors and projects, each with
// its own variables only. From craton server that is one answer; from the original, hosts come in listings that run
// side by side. Nothing is resolved by the server, which is where the original is slow and fails now and then (Q8).
//
// [Build] decides, without a network: what hosts and groups are called, which collide, who is in which group, and who
// carries which variable. Every refusal is here, so that nothing is written of a document that cannot be whole.
//
// [Document.Write] writes, one host after the other, from lists that the hosts of a cell share. The document is never
// in memory as a whole. [Document.WriteGraph] writes the tree of groups for people.
//
// # What a host has
//
// Its variables are its own, over those of its parents (the nearest first), its cell, region, cloud and project: whole
// key by key, and a key that is present wins whatever its value, null included (the v1 contract §5). [Fleet.Chain]
// gives these levels one by one. To them come ansible_host, unless a variable is called so, and the facts: one
// dictionary of what Craton knows of the host itself.
//
// In [Merged] form every host carries all of it. In [Layered] form the group of each place carries the place's own
// variables, the project's are on the group all, and hosts carry the rest. Groups nest as places do, and for Ansible a
// deeper group wins, so the result is the same for each host. Where nesting cannot express what the API says, variables
// stay with hosts: those of several projects, of levels without groups, of parents, and ansible_group_priority, which
// Ansible would take off a group. A device whose region or cell is elsewhere than the device says, which the original
// server allows, is in groups of its own that say the same as the device.
//
// # Data is not trusted
//
// Whoever may write a variable must not thereby execute templates on the machine that runs Ansible. Strings of which a
// template could be made are written {"__ansible_unsafe": "..."}; objects with such keys, and objects that Ansible
// would take for marks of its own, become the text of their JSON; values that would make it refuse the whole inventory
// are errors that name them. See internal/ansible.
//
// # Failures
//
// A walk that breaks, or a fleet that does not fit together because it changed while it was read, is read again,
// three times in all. What cannot be read whole is an error, never a smaller inventory.
//
// One thing cannot be seen page by page: a host in a region that the caller may not list is missing, because hosts are
// read region by region. No server lets its users make such a host but the original (the v1 contract §1.5, hole 7).
package inventory
