package schema

import "slices"

// Role defines what a user may do in its project. Each role includes the narrower ones.
type Role uint8

// The roles. The zero Role is none.
const (
	Reader Role = iota + 1 // reads what belongs to the project
	Member                 // changes it
	Admin                  // reads the project itself, changes its variables, and manages its users
	Root                   // does everything in every project
)

var roleNames = []string{"reader", "member", "admin", "root"}

// Roles returns the names of all roles, the narrowest first.
func Roles() []string { return slices.Clone(roleNames) }

// ParseRole returns the role with a name.
func ParseRole(name string) (role Role, ok bool) {
	i := slices.Index(roleNames, name)
	return Role(i + 1), i >= 0 //nolint:gosec // there are four
}

// String returns the role's name; "" for the zero Role.
func (r Role) String() string {
	if r == 0 {
		return ""
	}
	return roleNames[r-1]
}
