package inventory

import "github.com/craton-fleet/craton/inventory/internal/ansible"

// GroupName returns the name of a group with the default settings: of a place by the names of what it is in and its
// own, of a label or a device type by its one.
func GroupName(kind GroupKind, names ...string) string {
	return ansible.GroupName(Readable, string(kind), names...)
}

// CheckHostName returns why a host may not have a name in an inventory; what is wrong follows the name.
func CheckHostName(name string) error { return ansible.CheckHostName(name, ByName.parts()) }

// IsInert reports whether nothing of a text can become a part of a template in Ansible. Keys of dictionaries and names
// of variables have to be.
func IsInert(text string) bool { return ansible.IsInert(text) }
