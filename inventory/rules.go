package inventory

import "github.com/craton-fleet/craton/inventory/internal/ansible"

// GroupName returns the name of a group with the default settings: of a place from the names of its outer places and
// its own, of a label or a device type from that word.
func GroupName(kind GroupKind, names ...string) string {
	return ansible.GroupName(Readable, string(kind), names...)
}

// CheckHostName returns why a host cannot have a name in an inventory, as a text that follows the name.
func CheckHostName(name string) error { return ansible.CheckHostName(name, ByName.parts()) }

// IsInert reports whether no part of a text can become a part of a template in Ansible. Keys of dictionaries and names
// of variables must be inert.
func IsInert(text string) bool { return ansible.IsInert(text) }
