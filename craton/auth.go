package craton

import (
	"context"
	"net/http"

	"github.com/craton-fleet/craton/internal/rest"
)

// Auth adds credentials to a request. Implementations are safe for concurrent use.
type Auth interface {
	// Authenticate sets the request's credentials; it may wait on ctx.
	Authenticate(ctx context.Context, r *http.Request) error
}

// Renewer is an Auth whose credentials expire before their user does, such as tokens.
type Renewer interface {
	Auth
	// Renew renews the credentials, once for a request to which the API responded with 401, unless the response says
	// that the user lacks a role (Q19). refused is the request with the refused credentials; it is nil if a transport
	// of the caller hides it. Renew reports whether there are new ones; the request, which was not executed, is then
	// sent once more with them, even if it is a create. An error of Renew ends the call.
	Renew(ctx context.Context, refused *http.Request) (bool, error)
}

// WithLocalAuth authenticates as a Craton user: the name, its API key, and the
// UUID of the project it belongs to (v1 contract §1.2).
func WithLocalAuth(username, apiKey, projectID string) Option {
	return WithAuth(&localAuth{username, rest.Hide(apiKey), projectID})
}

type localAuth struct {
	username  string
	apiKey    rest.Hidden[string]
	projectID string
}

func (a *localAuth) Authenticate(_ context.Context, r *http.Request) error {
	r.Header.Set("X-Auth-User", a.username)
	r.Header.Set("X-Auth-Token", a.apiKey())
	r.Header.Set("X-Auth-Project", a.projectID)
	return nil
}

// Secrets returns texts that errors must not contain.
func (a *localAuth) Secrets() []string { return []string{a.apiKey()} }
