package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"

	"github.com/hashicorp/go-cleanhttp"
	"github.com/hashicorp/go-retryablehttp"

	"github.com/craton-fleet/craton/internal/advice"
)

// Auth adds credentials to a request. Implementations are safe for concurrent use.
type Auth interface {
	// Authenticate sets the request's credentials; it may wait on ctx.
	Authenticate(ctx context.Context, r *http.Request) error
}

// Renewer is an Auth whose credentials expire, such as tokens.
type Renewer interface {
	Auth
	// Renew renews the credentials after the API refused those in these headers, which are nil if unknown. It reports
	// whether there are new ones, so that the request is to be sent once more.
	Renew(ctx context.Context, refused *http.Request) (bool, error)
}

// httpClient builds the chain of handlers for every request, outermost first: retries (including the reading of the
// response), the timeout of one attempt, then credentials (so that each attempt is authenticated again), then the
// connection.
func (c *Config) httpClient() (*retryablehttp.Client, error) {
	rt := c.Transport
	if rt == nil {
		t := cleanhttp.DefaultPooledTransport() // obeys HTTP_PROXY, HTTPS_PROXY and NO_PROXY
		t.MaxIdleConnsPerHost = 32
		t.DisableCompression = c.NoCompression
		read := c.TLS
		if read == nil {
			read = func() (*tls.Config, error) { return TLS("", "", "", false) }
		}
		tc, err := read()
		if err != nil {
			return nil, &CallError{c.Service.Library, err}
		}
		t.TLSClientConfig = tc
		rt = t
	}
	rt = &authTransport{next: rt, auth: c.Auth, userAgent: c.UserAgent}

	r := retryablehttp.NewClient()
	r.HTTPClient = &http.Client{Transport: rt, Timeout: c.Timeout, CheckRedirect: c.checkRedirect}
	r.Logger = nil // a library writes nothing
	r.RetryMax = c.Retries
	r.RetryWaitMin, r.RetryWaitMax = c.MinWait, c.MaxWait
	r.CheckRetry = c.Policy.check
	r.Backoff = backoff
	r.ErrorHandler = countTries
	return r, nil
}

// HTTPClient returns an http.Client according to the Config, for libraries that send requests themselves. All their
// requests count as harmless to repeat, whatever the method; the policy gets nil for each.
func (c *Config) HTTPClient() (*http.Client, error) {
	r, err := c.httpClient()
	if err != nil {
		return nil, err
	}
	client := r.StandardClient()
	client.Transport = &pooled{client.Transport, r.HTTPClient}
	return client, nil
}

// pooled gives http.Client access to the connection pool that retryablehttp hides.
type pooled struct {
	http.RoundTripper
	below *http.Client
}

func (p *pooled) CloseIdleConnections() { p.below.CloseIdleConnections() }

// authTransport adds credentials and the User-Agent.
type authTransport struct {
	next      http.RoundTripper
	auth      Auth
	userAgent string
}

func (t *authTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", t.userAgent)
	if t.auth != nil {
		if err := t.auth.Authenticate(r.Context(), r); err != nil {
			if r.Body != nil {
				r.Body.Close() //nolint:errcheck,gosec // a body in memory; RoundTrip must close it
			}
			return nil, &AuthError{err}
		}
	}
	return sendTraced(t.next, r)
}

// AuthError is the error for a request that was not sent because it has no credentials.
type AuthError struct{ Err error }

func (e *AuthError) Error() string { return "cannot authenticate: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *AuthError) Unwrap() error { return e.Err }

// CloseIdleConnections gives http.Client access to the connection pool below, and to that of the Auth.
func (t *authTransport) CloseIdleConnections() {
	for _, has := range []any{t.next, t.auth} {
		if c, ok := has.(interface{ CloseIdleConnections() }); ok {
			c.CloseIdleConnections()
		}
	}
}

// errRedirect is the error for a redirected request: the APIs never redirect to other servers. Such a redirect comes
// from a proxy, often to https, and following it would send the credentials along. For an API that redirects at all, it
// is an ordinary response.
var errRedirect = advice.With(errors.New("the server responded with a redirect, which is not followed because that would send the credentials along"), "set the URL to its target")

func (c *Config) checkRedirect(r *http.Request, via []*http.Request) error {
	const most = 5
	first := via[0]
	if c.Redirects && first.Method == http.MethodGet && len(via) <= most &&
		r.URL.Scheme == first.URL.Scheme && r.URL.Host == first.URL.Host {
		return nil
	}
	if c.Redirects {
		return http.ErrUseLastResponse
	}
	return fmt.Errorf("%w (%s)", errRedirect, BareURL(r.URL))
}
