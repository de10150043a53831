// Package marks knows what Ansible cannot take as data, in an inventory or in a module's result: objects that its JSON
// readers take for marks of their own, and values that they cannot load. What writes either of them keeps to it.
//
// Which keys are marks, by reader: of an inventory script, __ansible_unsafe and __ansible_vault with every release, and
// __ansible_type from ansible-core 2.19 on; of a module's result, __ansible_type from 2.19 on, which either makes an
// object of Ansible's or refuses the whole result. What is kept of a result, such as facts in a cache, is read with all
// three. So all three count everywhere.
package marks

import "github.com/craton-fleet/craton/internal/value"

// The keys by which an object is not an object but a string that is not to be trusted, a vault, or an object of
// Ansible's.
const (
	Unsafe = "__ansible_unsafe"
	Vault  = "__ansible_vault"
	Type   = "__ansible_type"
)

// Is reports whether a key is such a mark.
func Is(name string) bool { return name == Unsafe || name == Vault || name == Type }

// Limits of what Ansible can load. A value beyond them, and it refuses all that came with it.
const (
	MaxDepth  = 100             // ansible-core 2.21 recurses; it takes 150 levels and not 200
	MaxDigits = value.MaxDigits // of an integer
)

// AppendObjectText appends the text of an object's JSON, by which it is written where it cannot be an object; it is no
// JSON string yet. Not even where Ansible takes the text for a template is anything of it executed: an opening brace in
// a string of it is written as an escape. The space before it keeps ansible-core before 2.19 from making an object of
// it again, keys and all, where a play passes it on.
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
