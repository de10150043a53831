package api

import (
	"net/http"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/store"
)

// Caller is the authenticated sender of a request.
type Caller struct {
	User    string
	Project string      // canonical UUID
	Role    schema.Role // in the project; root applies everywhere

	ID      int64       // of the user in the store; 0 if it is not a user of the store
	Key     int64       // of the API key; 0 for none
	MaxRole schema.Role // the highest role that the key allows; 0 for no limit

	Expires store.Micros // when the key expires; 0 for never

	External bool // users come from elsewhere and cannot be created here

	Log store.Cursor // end of the change log at authentication; zero if not read
}

// scope returns what the caller may see and change. Only root sees other projects; in the original server every
// project's admin does (contract §1.5, hole 1).
func (c Caller) scope() store.Scope {
	return store.Scope{Project: c.Project, All: c.Role == schema.Root}
}

// require returns an error if the caller's role is lower than r. A reader gets the message that it may only read,
// wherever a member may do more; a caller who may write, but not this, gets the message of v1.
func (c Caller) require(r schema.Role) error {
	switch {
	case c.Role >= r:
		return nil
	case r == schema.Member:
		return errReadOnly
	}
	return errAdmin
}

// manager returns the caller as the one who changes a user's role or keys.
func (c Caller) manager() store.Manager {
	return store.Manager{Scope: c.scope(), User: c.ID, Role: c.Role, MaxRole: c.MaxRole, Expires: c.Expires}
}

// Authenticator authenticates a request. Its errors are sent to the client.
type Authenticator func(r *http.Request) (Caller, error)

// Fixed treats every request as one caller's: for the embedded server, which is protected by the file's permissions.
func Fixed(c Caller) Authenticator {
	return func(*http.Request) (Caller, error) { return c, nil }
}

// Local returns local authentication (contract §1.2): X-Auth-User and -Token are a user's name and one of its API keys,
// X-Auth-Project is the id of its project.
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
