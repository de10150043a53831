package keystone

import (
	"fmt"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
)

// Roles maps Keystone's roles to Craton's. Names are compared exactly; "*" stands for any role.
type Roles struct {
	Admin  []string // manages the project it is held in
	Member []string // reads and changes what belongs to the project
	Reader []string // only reads it
	Root   []string // may do everything in every project; best left empty
	// RootProject is the id of a project, in Keystone's or this server's form, whose admins are root, in addition to
	// those of Keystone's admin project. "" for none.
	RootProject string
}

// ForbiddenError is the error of a valid token that allows nothing. The message is for the token's owner.
type ForbiddenError struct{ Message string }

func (d *ForbiddenError) Error() string { return d.Message }

// Role returns the highest role that a token has, or a [*ForbiddenError].
func (r Roles) Role(t *Token) (schema.Role, error) {
	if t.ProjectID == "" {
		return 0, &ForbiddenError{"The token is not for a project: it is unscoped, or for a domain or the system. " +
			"Get one for the project to work in, for example by setting OS_PROJECT_ID or OS_PROJECT_NAME."}
	}
	admin := holds(t, r.Admin)
	switch {
	case holds(t, r.Root), admin && (t.AdminProject || r.isRootProject(t.ProjectID)):
		return schema.Root, nil
	case admin:
		return schema.Admin, nil
	case holds(t, r.Member):
		return schema.Member, nil
	case holds(t, r.Reader):
		return schema.Reader, nil
	}
	wanted := slices.Concat(r.Admin, r.Member, r.Reader)
	return 0, &ForbiddenError{fmt.Sprintf("None of your roles in project %s allows to use this server. It takes one of: %s.",
		t.ProjectName, strings.Join(wanted, ", "))}
}

func (r Roles) isRootProject(id string) bool {
	return r.RootProject != "" && (r.RootProject == id || r.RootProject == ProjectUUID(id))
}

// holds reports whether the token has one of the roles.
func holds(t *Token, roles []string) bool {
	return slices.ContainsFunc(t.Roles, func(role string) bool {
		return slices.Contains(roles, role) || slices.Contains(roles, "*")
	})
}
