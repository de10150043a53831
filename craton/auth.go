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

// Renewer is an Auth whose credentials end before their user does, as tokens do.
type Renewer interface {
	Auth
	// Renew renews the credentials, once for a request that the API answered with 401, unless it says that the user
	// lacks a role (Q19). refused is the request with the credentials that were refused; it is nil if a transport of
	// the caller's hides it. Renew reports whether there are others now, and the request is sent once more with them;
	// it has not been carried out, so that holds for a create too. An error of Renew ends the call.
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

// Secrets returns what errors must not repeat.
func (a *localAuth) Secrets() []string { return []string{a.apiKey()} }
