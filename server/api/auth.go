package api

import (
	"net/http"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/store"
)

// Caller is who sent a request.
type Caller struct {
	User    string
	Project string      // canonical UUID
	Role    schema.Role // in the project; root is it everywhere

	ID      int64       // of the user in the store; 0 if it is none of it
	Key     int64       // of the API key; 0 for none
	MaxRole schema.Role // the most that the key may do; 0: what the user may

	Expires store.Micros // of the key; 0: never

	External bool // users come from elsewhere: none is made here

	Log store.Cursor // where the change log ended when that was found out; nothing where nobody has looked
}

// scope is what the caller may see and change. Only root sees other projects;
// in the original every project's admin does (contract §1.5, hole 1).
func (c Caller) scope() store.Scope {
	return store.Scope{Project: c.Project, All: c.Role == schema.Root}
}

// require refuses who may do less than a role. A reader hears that they may only
// read, wherever a member may do more; whoever may change things, and not these,
// hears what v1 says.
func (c Caller) require(r schema.Role) error {
	switch {
	case c.Role >= r:
		return nil
	case r == schema.Member:
		return errReadOnly
	}
	return errAdmin
}

// manager is the caller as who changes a user's role or keys.
func (c Caller) manager() store.Manager {
	return store.Manager{Scope: c.scope(), User: c.ID, Role: c.Role, MaxRole: c.MaxRole, Expires: c.Expires}
}

// Authenticator finds out who sent a request. Its errors are answered to the
// client.
type Authenticator func(r *http.Request) (Caller, error)

// Fixed takes every request for one caller's: the embedded server, whose
// guard is the file's permissions.
func Fixed(c Caller) Authenticator {
	return func(*http.Request) (Caller, error) { return c, nil }
}

// Local is local authentication (contract §1.2): X-Auth-User and -Token are
// a user's name and one of its API keys, X-Auth-Project is the id of its project.
func Local(s *store.Store) Authenticator {
	return func(r *http.Request) (Caller, error) {
		given := "None"
		if all := r.Header.Values("X-Auth-Project"); len(all) > 0 {
			given = all[0]
		}
		project, ok := value.ParseUUID(given)
		if !ok {
			return Caller{}, fail(http.StatusUnauthorized, "Project ID ('%s') is not a valid UUID", given)
		}
		account, ok, err := s.Authenticate(r.Context(), r.Header.Get("X-Auth-User"), project, r.Header.Get("X-Auth-Token"))
		if err != nil {
			return Caller{}, err
		}
		if !ok {
			return Caller{}, fail(http.StatusUnauthorized, msgUnauthorized)
		}
		return Caller{User: account.Username, Project: account.Project, Role: account.Role, ID: account.ID, Key: account.Key, MaxRole: account.MaxRole, Expires: account.Expires, Log: account.Log}, nil
	}
}
