package keystone

import (
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/keystone"
)

// Token is a valid token, as Keystone describes it.
type Token struct {
	UserID, UserName string
	// ProjectID is the token's project; "" if it has none: unscoped, or scoped to a domain or the system.
	ProjectID, ProjectName string
	// Roles are the user's roles in the project, implied ones included.
	Roles []string
	// AdminProject is true if Keystone has an admin project (its option admin_project_name) and the token is for it.
	AdminProject bool
	ExpiresAt    time.Time
}

// answer is the body of GET /v3/auth/tokens.
type answer struct {
	Token struct {
		ExpiresAt      string  `json:"expires_at"`
		IsAdminProject bool    `json:"is_admin_project"`
		Project        named   `json:"project"`
		User           named   `json:"user"`
		Roles          []named `json:"roles"`
	} `json:"token"`
}

type named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (a *answer) token() *Token {
	t := &Token{
		UserID: a.Token.User.ID, UserName: a.Token.User.Name,
		ProjectID: a.Token.Project.ID, ProjectName: a.Token.Project.Name,
		AdminProject: a.Token.IsAdminProject,
	}
	for _, r := range a.Token.Roles {
		t.Roles = append(t.Roles, r.Name)
	}
	// A time that cannot be parsed stays zero, which is in the past: the token is valid for one request.
	t.ExpiresAt, _ = keystone.ParseTime(a.Token.ExpiresAt)
	return t
}

// namespace is the namespace of name-based UUIDs. It must never change.
var namespace = [16]byte{0x6f, 0x1d, 0x4e, 0x8a, 0x0b, 0x57, 0x4c, 0x0e, 0x9c, 0x3a, 0x5d, 0x2e, 0x71, 0x88, 0x4b, 0xc6}

// ProjectUUID returns the UUID of a Keystone project, dashed and in lower case. Keystone's own ids are UUIDs without
// dashes. Others, such as "default" or ids from elsewhere, become a name-based UUID (version 5), always the same.
// Different ids never become the same UUID.
func ProjectUUID(id string) string {
	if len(id) == 32 && id == strings.ToLower(id) && value.IsUUID(id) {
		return value.CanonicalUUID(id)
	}
	return value.NamedUUID(namespace, id)
}
