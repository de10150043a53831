package keystone

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/craton-fleet/craton/internal/rest"
)

// tokenHeader is the header with the token for services.
const tokenHeader = "X-Auth-Token" //nolint:gosec // the name of a header

// refusedAgain is how long a token is kept that replaced a refused one: if it is refused as well, the service does not
// accept this Keystone's tokens, and further ones do not help.
const refusedAgain = time.Minute

// Auth signs in, and adds a token to requests. It is safe for concurrent use, and concurrent requests wait for the same
// token. Nothing is sent before the first request.
type Auth struct {
	config  rest.Hidden[*Config]
	url     rest.Hidden[string] // of Keystone, ends in /v3/; "" with only a token that is used unchanged
	request rest.Hidden[*request]
	http    *http.Client
	hint    string // of WithRefusalHint
	cache   *cache // nil: none
	now     func() time.Time

	turn    chan struct{} // full while a token is being obtained
	current atomic.Pointer[token]
}

// Option changes how an Auth connects to Keystone, or where it caches tokens.
type Option func(*options)

type options struct {
	rest  rest.Config
	cache string
	hint  string
}

// WithTimeout limits each attempt of a request to Keystone, 60 seconds by default; 0 means no limit except the
// context's.
func WithTimeout(d time.Duration) Option { return func(o *options) { o.rest.Timeout = max(d, 0) } }

// WithRetries sets how often a request to Keystone is retried after a transient failure, 4 by default.
func WithRetries(n int) Option { return func(o *options) { o.rest.Retries = max(n, 0) } }

// WithUserAgent replaces the User-Agent header.
func WithUserAgent(s string) Option { return func(o *options) { o.rest.UserAgent = s } }

// WithTransport replaces the transport of requests to Keystone. It must then handle the Config's TLS options itself.
func WithTransport(rt http.RoundTripper) Option { return func(o *options) { o.rest.Transport = rt } }

// WithCache caches tokens in files of a directory, see [CacheDir], for other processes of the same user. "" turns that
// off.
func WithCache(folder string) Option { return func(o *options) { o.cache = folder } }

// WithRefusalHint sets the text that ends the error for refused credentials: as whom the program tried to sign in, and
// what to do. It must not contain secrets.
func WithRefusalHint(text string) Option { return func(o *options) { o.hint = text } }

// New returns an Auth. It fails if parameters are missing or contradictory; whether they are correct shows with the
// first request.
func New(c Config, opts ...Option) (*Auth, error) {
	r, err := c.request()
	if err != nil {
		return nil, err
	}
	url := ""
	if c.AuthURL != "" || !r.usesTokenAsIs() {
		if url, err = c.endpoint(); err != nil {
			return nil, err
		}
	}
	for _, k := range serviceKeys {
		field := k.field(&c)
		*field = maps.Clone(*field)
	}
	a := &Auth{config: rest.Hide(&c), url: rest.Hide(url), request: rest.Hide(r), now: time.Now, turn: make(chan struct{}, 1)}
	o := options{rest: rest.Config{
		Service: service, Timeout: time.Minute, Retries: 4, MinWait: 200 * time.Millisecond, MaxWait: 10 * time.Second,
		UserAgent: "craton-go", TLS: func() (*tls.Config, error) { return rest.TLS(c.CACert, c.Cert, c.Key, c.Insecure) },
		// Under load, Keystone sometimes responds to valid requests with 500.
		Policy: func(_ *rest.Request, resp *http.Response) bool {
			return resp.StatusCode == http.StatusInternalServerError
		},
	}}
	for _, opt := range opts {
		opt(&o)
	}
	if a.http, err = o.rest.HTTPClient(); err != nil {
		return nil, err
	}
	a.hint = o.hint
	if o.cache != "" && !r.usesTokenAsIs() {
		a.cache = newCache(o.cache, url, r)
	}
	return a, nil
}

// String identifies the Auth by its Keystone; credentials are never shown.
func (a *Auth) String() string { return fmt.Sprint(a.config()) }

// GoString hides the credentials from %#v.
func (a *Auth) GoString() string { return a.String() }

// Authenticate sets a request's X-Auth-Token; it may have to wait for Keystone.
func (a *Auth) Authenticate(ctx context.Context, r *http.Request) error {
	t, err := a.token(ctx)
	if err != nil {
		return err
	}
	r.Header.Set(tokenHeader, t.ID)
	return nil
}

// CloseIdleConnections closes idle connections to Keystone. Clients of packages craton and iotronic with this Auth do
// that with their own.
func (a *Auth) CloseIdleConnections() { a.http.CloseIdleConnections() }

// Renew replaces the token of a request that a service refused, and reports whether there is another one now. A cached
// token is always replaced; the Auth's own is not with Config.Once, and neither is one that has just replaced a refused
// one: then the service does not accept this Keystone's tokens. refused may be nil, and means the current token.
func (a *Auth) Renew(ctx context.Context, refused *http.Request) (bool, error) {
	t := a.current.Load()
	if t == nil {
		return false, nil
	}
	if refused != nil && refused.Header.Get(tokenHeader) != t.ID {
		return true, nil // another request has renewed it
	}
	if a.request().usesTokenAsIs() || !t.cached && a.config().Once || t.replaces && a.now().Sub(t.got) < refusedAgain {
		return false, nil
	}
	_, err := a.obtain(ctx, t.ID)
	return err == nil, err
}

// token returns the current token, or a new one if that expires soon.
func (a *Auth) token(ctx context.Context) (*token, error) {
	if t := a.current.Load(); a.isUsable(t) {
		return t, nil
	}
	return a.obtain(ctx, "")
}

// isUsable reports whether a token may be used for now.
func (a *Auth) isUsable(t *token) bool {
	return t != nil && (a.config().Once || a.request().usesTokenAsIs() || a.now().Before(t.Renew))
}

// obtain gets a token other than the refused one, from whoever has one first: another goroutine, the cache, Keystone.
func (a *Auth) obtain(ctx context.Context, refused string) (*token, error) {
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	old := a.current.Load()
	if old != nil && old.ID != refused && a.isUsable(old) {
		return old, nil
	}
	t, err := a.sharedToken(ctx, refused)
	if err != nil {
		// A token that expires soon is still valid.
		if old != nil && old.ID != refused && a.now().Before(old.Expires) && ctx.Err() == nil {
			return old, nil
		}
		return nil, err
	}
	t.got, t.replaces = a.now(), refused != "" && !t.cached
	a.current.Store(t)
	return t, nil
}

// sharedToken takes a token from the cache or requests one. Of all processes that want the same one, one requests it,
// while the others wait.
func (a *Auth) sharedToken(ctx context.Context, refused string) (*token, error) {
	if a.request().usesTokenAsIs() {
		return &token{ID: a.request().secret}, nil
	}
	if a.cache == nil {
		return a.signIn(ctx)
	}
	if t := a.cached(refused); t != nil {
		return t, nil
	}
	unlock := a.cache.lock(ctx)
	defer unlock()
	if t := a.cached(refused); t != nil {
		return t, nil
	}
	t, err := a.signIn(ctx)
	if err != nil {
		if refused != "" {
			a.cache.remove() // it has the refused one
		}
		return nil, err
	}
	a.cache.store(t, a.now())
	return t, nil
}

// cached returns the cache's token, unless it expires soon or is the refused one.
func (a *Auth) cached(refused string) *token {
	t := a.cache.load()
	if t == nil || t.ID == refused || !a.now().Before(t.Renew) {
		return nil
	}
	t.cached = true
	return t
}

// Identity is the user who signed in, and the scope.
type Identity struct {
	User, UserID       string
	Project, ProjectID string // "" for a domain or the system
	Roles              []string
	Expires            time.Time `json:"-"` // when the token expires, by this machine's clock
}

// Identity signs in if necessary, and returns the identity.
func (a *Auth) Identity(ctx context.Context) (*Identity, error) {
	t, err := a.describedToken(ctx)
	if err != nil {
		return nil, err
	}
	id := t.Identity
	id.Expires = t.Expires
	return &id, nil
}

// Endpoint returns a service's URL: the one in the Config's Endpoints, or else, signing in if necessary, that in the
// catalogue, by its type, such as "fleet_management", and the Config's region and interface for it. It has no trailing
// slash. If there is none, the error is an *[EndpointNotFoundError].
func (a *Auth) Endpoint(ctx context.Context, serviceType string) (string, error) {
	if url := a.config().EndpointOf(serviceType); url != "" {
		return strings.TrimRight(url, "/"), nil
	}
	t, err := a.describedToken(ctx)
	if err != nil {
		return "", err
	}
	want := a.config().place(serviceType)
	for _, preferred := range interfaces(want.Interface) {
		for _, e := range t.Catalog {
			if e.Type == want.Type && e.Interface == preferred && (want.Region == "" || want.Region == e.Region) && (want.Name == "" || want.Name == e.Name) {
				return strings.TrimRight(e.URL, "/"), nil
			}
		}
	}
	return "", &EndpointNotFoundError{URL: redactURL(a.url()), Want: want, Catalog: t.Catalog}
}

// describedToken returns a token with a complete description.
func (a *Auth) describedToken(ctx context.Context) (*token, error) {
	t, err := a.token(ctx)
	if err != nil || !a.request().usesTokenAsIs() || !t.Expires.IsZero() {
		return t, err
	}
	if a.url() == "" {
		return nil, missingError{"auth_url (OS_AUTH_URL), to ask about the token"}
	}
	if t, err = a.describe(ctx, t.ID); err != nil {
		return nil, err
	}
	a.current.Store(t)
	return t, nil
}

// interfaces returns the interfaces in a text, the preferred one first, without the suffix URL of older variables.
func interfaces(text string) (all []string) {
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSuffix(strings.TrimSpace(name), "URL"); name != "" {
			all = append(all, name)
		}
	}
	if all == nil {
		return []string{"public"}
	}
	return all
}
