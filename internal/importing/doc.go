// Package importing makes a Craton fleet of what Ansible makes of other inventories: a fleet file, and the files that
// stay Ansible's, so that every host has the variables and the groups that it had. It proves that by asking Ansible
// about both.
//
//	before, err := importing.Read(ctx, tool, sources)  // real ansible-inventory, and the files that it reads
//	result, err := importing.Plan(before, options)     // pure: places, labels, variables, and what stays in Ansible
//	err = result.Write(dir, force)                     // fleet.yml, inventory/..., import.json
//	differences := importing.Compare(before, after, result.Record)
//
// # Who has a variable
//
// What a host has in the end is Ansible's own answer, and nothing here computes it a second time. Where a value comes
// from is found by comparing: the host's own, else the group whose value it is. A variable of a place, of all, or of a
// host goes to Craton. A variable of another group, which is a role, stays in Ansible's group_vars, and so does what
// Craton would hand on as inert text: templates and vaults.
//
// In Ansible what Craton says counts as a variable of the host, so it wins over group_vars. So a place has a variable
// in Craton only if every host below has it from Craton; else it stays in group_vars, in the order that the groups had
// (priorities). What the order cannot express is set on hosts. Plan computes in the end what every host gets by these
// rules, and fixes what differs.
//
// # Secrets
//
// ansible-inventory decrypts files that are encrypted as a whole. Their keys are known by [Read], their files are
// copied as they are, and what is in them is written nowhere else. So are files of SOPS, in which the names of
// variables are in clear, and which a plugin decrypts.
package importing
