// Package ansible writes inventories for Ansible, independent of where their hosts come from. The inventories of Craton
// and of Ironic and Iotronic both use it. In comments, "contract" means Ansible's behaviour, as observed in its oldest
// and newest supported releases.
//
//	g := ansible.NewGrouper(ansible.Readable)
//	err := g.Join(0, "driver", "ipmi", func() (name, what string) {
//		return ansible.GroupName(ansible.Readable, "driver", "ipmi"), `driver "ipmi"`
//	})
//	groups, err := g.Groups(hosts, describe)
//	err = ansible.NewDocument(hosts, groups, nil, ansible.Untrusted).Write(os.Stdout, false)
//
// # Names
//
// [GroupName] returns names that Ansible accepts without a warning, and that depend only on what the group is made
// from. A [Grouper] refuses two groups with the same name, and hosts with the name of a group; [CheckHostName] refuses
// names that Ansible cannot address. No name is changed to resolve a conflict.
//
// # Values
//
// The value of a [Variable] is compact JSON text. Data is not trusted: permission to write to an API must not be enough
// to execute templates on the machine that runs Ansible. [AppendValue] therefore writes strings that could become part
// of a template as {"__ansible_unsafe": "..."}. Objects with such keys, and objects that look like Ansible's own
// markers, are written as their JSON text. [Variables.Check] finds values for which Ansible would refuse the complete
// inventory, before anything is written.
//
// # The document
//
// A [Document] has a sorted list of hosts, and creates the text of their variables while it is written: a few hosts at
// a time, in order, so that the complete document is never in memory. [Document.WriteGraph] writes the tree of groups
// for people.
package ansible
