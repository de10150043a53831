// Package marks defines what Ansible cannot take as data, in an inventory or in a module's result: objects that its
// JSON readers treat as marks of their own, and values that they cannot load. Everything that writes either of them
// follows it.
//
// Which keys are marks depends on the reader: for an inventory script, __ansible_unsafe and __ansible_vault in every
// release, and __ansible_type from ansible-core 2.19 on; for a module's result, __ansible_type from 2.19 on, which
// either creates an object of Ansible's or refuses the complete result. Stored parts of a result, such as cached facts,
// are read with all three. So all three are avoided everywhere.
package marks

import "github.com/craton-fleet/craton/internal/value"

// The keys with which an object is not an object but an untrusted string, a vault, or an object of Ansible's.
const (
	Unsafe = "__ansible_unsafe"
	Vault  = "__ansible_vault"
	Type   = "__ansible_type"
)

// Is reports whether a key is such a mark.
func Is(name string) bool { return name == Unsafe || name == Vault || name == Type }

// Limits of what Ansible can load. It refuses everything that comes with a value beyond them.
const (
	MaxDepth  = 100             // ansible-core 2.21 recurses; it takes 150 levels and not 200
	MaxDigits = value.MaxDigits // of an integer
)

// AppendObjectText appends the text of an object's JSON, as which it is written if it cannot be an object; the text is
// not a JSON string yet. Even if Ansible treats the text as a template, nothing in it is executed: an opening brace
// within a string is escaped. The space at its beginning keeps ansible-core before 2.19 from converting it back to an
// object, including keys, when a play passes it on.
func AppendObjectText(dst []byte, object string) []byte {
	dst = append(dst, ' ')
	inString := false
	for i := 0; i < len(object); i++ {
		c := object[i]
		switch {
		case !inString:
			inString = c == '"'
		case c == '"':
			inString = false
		case c == '\\':
			dst = append(dst, c)
			i++
			c = object[i]
		case c == '{':
			dst = append(dst, `\u007b`...)
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
