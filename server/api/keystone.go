package api

import (
	"errors"
	"net/http"

	"github.com/craton-fleet/craton/server/keystone"
	"github.com/craton-fleet/craton/server/store"
)

// Keystone returns authentication by a Keystone token in X-Auth-Token, for the token's project. X-Auth-User and
// -Project are ignored, as in the original server (contract §1.3). The first request in a project creates it in the
// store, with its name in Keystone.
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
			// The original server responds with 503, which its own client cannot handle (see [statusOf]).
			return Caller{}, &httpError{status: http.StatusInternalServerError, message: msgKeystoneUnavailable, cause: err}
		}
		role, err := roles.Role(token)
		if err != nil {
			return Caller{}, fail(http.StatusForbidden, "%s", err.Error())
		}
		project := keystone.ProjectUUID(token.ProjectID)
		// A cached token may have the project's old name, and must not undo a rename.
		ctx = store.WithActor(ctx, actor(r, token.UserName, project))
		if err := s.KeepProject(ctx, project, token.ProjectName, fresh); err != nil {
			return Caller{}, err
		}
		return Caller{User: token.UserName, Project: project, Role: role, External: true}, nil
	}
}
