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

// tokenHeader carries a token to the services.
const tokenHeader = "X-Auth-Token" //nolint:gosec // the name of a header

// refusedAgain is how long a token is kept that was made because another was refused: if it is refused as well, the
// service does not take this Keystone's tokens, and more of them do not help.
const refusedAgain = time.Minute

// Auth signs in, and gives requests a token. It is safe for concurrent use, and makes one token for all who wait for
// one. Nothing is sent before the first request.
type Auth struct {
	config  rest.Hidden[*Config]
	url     rest.Hidden[string] // of Keystone, ends in /v3/; "" with a token that is used as it is and nothing else
	request rest.Hidden[*request]
	http    *http.Client
	hint    string // of WithRefusalHint
	cache   *cache // nil: none
	now     func() time.Time

	turn    chan struct{} // full while somebody gets a token
	current atomic.Pointer[token]
}

// Option changes how an Auth reaches Keystone, or where it keeps tokens.
type Option func(*options)

type options struct {
	rest  rest.Config
	cache string
	hint  string
}

// WithTimeout bounds each single try of a request to Keystone, 60 seconds by default; 0 is no bound but the context's.
func WithTimeout(d time.Duration) Option { return func(o *options) { o.rest.Timeout = max(d, 0) } }

// WithRetries sets how often a request to Keystone is repeated after it failed for reasons that may pass, 4 by default.
func WithRetries(n int) Option { return func(o *options) { o.rest.Retries = max(n, 0) } }

// WithUserAgent replaces the User-Agent header.
func WithUserAgent(s string) Option { return func(o *options) { o.rest.UserAgent = s } }

// WithTransport replaces what carries the requests to Keystone. The Config's TLS is then the transport's own affair.
func WithTransport(rt http.RoundTripper) Option { return func(o *options) { o.rest.Transport = rt } }

// WithCache keeps tokens in files of a folder, see [CacheDir], for other processes of the same user. "" keeps none.
func WithCache(folder string) Option { return func(o *options) { o.cache = folder } }

// WithRefusalHint sets the text that ends the error of credentials that Keystone refuses: whom the program tried to
// sign in as, and what to do. It must hold no secret.
func WithRefusalHint(text string) Option { return func(o *options) { o.hint = text } }

// New returns an Auth. It fails when parameters are missing or make no sense; whether they are right shows with the
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
		// Keystone answers good requests with 500 now and then, when many come at once.
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

// String names whom the Auth asks; credentials are never shown.
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

// CloseIdleConnections closes the connections to Keystone that wait for a next request. A client of package craton or
// iotronic that has this Auth does it with its own.
func (a *Auth) CloseIdleConnections() { a.http.CloseIdleConnections() }

// Renew replaces the token of a request that a service refused, and reports whether there is another now. A token of
// the cache is replaced always, one's own not with Config.Once, and one that was made just now in place of a refused
// one is not either: then the service does not take this Keystone's tokens. refused may be nil, and means the current
// token.
func (a *Auth) Renew(ctx context.Context, refused *http.Request) (bool, error) {
	t := a.current.Load()
	if t == nil {
		return false, nil
	}
	if refused != nil && refused.Header.Get(tokenHeader) != t.ID {
		return true, nil // somebody else has renewed it
	}
	if a.request().usesTokenAsIs() || !t.cached && a.config().Once || t.replaces && a.now().Sub(t.got) < refusedAgain {
		return false, nil
	}
	_, err := a.obtain(ctx, t.ID)
	return err == nil, err
}

// token returns the current one, or a new one if that ends soon.
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

// obtain gets a token that is not the refused one, from whoever has one first: another goroutine, the cache, Keystone.
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
		// A token that ends soon is still one.
		if old != nil && old.ID != refused && a.now().Before(old.Expires) && ctx.Err() == nil {
			return old, nil
		}
		return nil, err
	}
	t.got, t.replaces = a.now(), refused != "" && !t.cached
	a.current.Store(t)
	return t, nil
}

// sharedToken takes a token from the cache or makes one. Of all processes that want the same one makes it, while
// the others wait.
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

// cached returns the cache's token, unless it ends soon or is the refused one.
func (a *Auth) cached(refused string) *token {
	t := a.cache.load()
	if t == nil || t.ID == refused || !a.now().Before(t.Renew) {
		return nil
	}
	t.cached = true
	return t
}

// Identity is who signed in, and for what.
type Identity struct {
	User, UserID       string
	Project, ProjectID string // "" for a domain or the system
	Roles              []string
	Expires            time.Time `json:"-"` // when the token ends, by this machine's clock
}

// Identity signs in if need be, and returns who that is.
func (a *Auth) Identity(ctx context.Context) (*Identity, error) {
	t, err := a.describedToken(ctx)
	if err != nil {
		return nil, err
	}
	id := t.Identity
	id.Expires = t.Expires
	return &id, nil
}

// Endpoint returns a service's address: the one of the Config's Endpoints, or else, signing in if need be, that of the
// catalogue, by its type, such as "fleet_management", and the Config's region and interface for it. It ends without a
// slash. That nothing was found is a *[EndpointNotFoundError].
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

// describedToken returns a token of which everything is known.
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

// interfaces returns those that a text names, the preferred first, without the URL that older variables have behind
// them.
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
