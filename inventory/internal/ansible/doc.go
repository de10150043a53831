// Package ansible knows what an inventory is to Ansible, and nothing of where its hosts come from. The inventories of
// Craton and of Ironic and Iotronic are both made with it. "contract" in comments is Ansible's behaviour as it was
// observed of its oldest and newest releases.
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
// [GroupName] makes names that Ansible takes without a warning, and that depend on nothing but what the group stands
// for. A [Grouper] refuses two groups of one name, and hosts that are called like a group; [CheckHostName] refuses
// names that Ansible could not address. No name is ever changed to make it fit.
//
// # Values
//
// A [Variable]'s value is the text of its JSON, compact. Data is not trusted: whoever may write to an API must not
// thereby execute templates on the machine that runs Ansible. So [AppendValue] writes strings of which a template could
// be made, alone or joined, as {"__ansible_unsafe": "..."}, and objects with such keys, or that Ansible would take for
// marks of its own, as the text of their JSON. Values that would make it refuse the whole inventory are found by
// [Variables.Check], before anything is written.
//
// # The document
//
// A [Document] has its hosts, sorted, and makes the text of each one's variables only when it is written: several at a
// time, in order, never the document as a whole. [Document.WriteGraph] writes the tree of groups for people.
package ansible
