package api

import (
	"errors"
	"net/http"

	"github.com/craton-fleet/craton/server/keystone"
	"github.com/craton-fleet/craton/server/store"
)

// Keystone is authentication by a token of Keystone in X-Auth-Token, for the
// project that the token is for. X-Auth-User and -Project mean nothing, as in
// the original (contract §1.3). A project is made in the store, with its name
// in Keystone, by the first request in it.
func Keystone(s *store.Store, v *keystone.Validator, roles keystone.Roles) Authenticator {
	return func(r *http.Request) (Caller, error) {
		ctx := r.Context()
		token, fresh, err := v.Validate(ctx, r.Header.Get("X-Auth-Token"))
		switch {
		case errors.Is(err, keystone.ErrInvalid):
			return Caller{}, fail(http.StatusUnauthorized, msgUnauthorized)
		case err != nil && ctx.Err() != nil:
			return Caller{}, err
		case err != nil:
			// The original says 503 here, of which its own client dies (see [statusOf]).
			return Caller{}, &httpError{status: http.StatusInternalServerError, message: msgDatabaseFailed, cause: err}
		}
		role, err := roles.Role(token)
		if err != nil {
			return Caller{}, fail(http.StatusForbidden, "%s", err.Error())
		}
		project := keystone.ProjectUUID(token.ProjectID)
		// An answer that was kept may have the name of before a change, and must
		// not undo it.
		ctx = store.WithActor(ctx, actor(r, token.UserName, project))
		if err := s.KeepProject(ctx, project, token.ProjectName, fresh); err != nil {
			return Caller{}, err
		}
		return Caller{User: token.UserName, Project: project, Role: role, External: true}, nil
	}
}
