package api

import (
	"net/http"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/store"
)

// Caller is who sent a request.
type Caller struct {
	User    string
	Project string // canonical UUID
	Admin   bool   // of the project
	Root    bool   // of every project

	ReadOnly bool // may change nothing
	External bool // is no user of the store, and can make none
}

// scope is what the caller may see and change. Only root sees other projects;
// in the original every project's admin does (contract §1.5, hole 1).
func (c Caller) scope() store.Scope {
	return store.Scope{Project: c.Project, All: c.Root}
}

// role is what an action demands of its caller.
type role uint8

const (
	member role = iota
	admin
	root
)

func (c Caller) require(r role) error {
	if r == root && !c.Root || r == admin && !c.Admin && !c.Root {
		return errAdmin
	}
	return nil
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
// a user's name and API key, X-Auth-Project is the id of its project.
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
		return Caller{User: account.Username, Project: account.Project, Admin: account.Admin, Root: account.Root}, nil
	}
}
