package iotronic

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/rest"
)

// Defaults of a Client; each can be changed with an option.
const (
	// DefaultTimeout limits each attempt of a request.
	DefaultTimeout = 60 * time.Second
	// DefaultRetries is how often a request is retried; with the pauses, that takes about as long as the Python client
	// tries.
	DefaultRetries = 5
)

const library = "iotronic"

var service = rest.Service{Library: library, Example: "https://ironic.example:6385", Version: "/v1"}

// Client is a client of one Ironic or Iotronic server. It is safe for concurrent use. Each field is a collection of the
// API; which of them a server has depends on its dialect.
type Client struct {
	Nodes              *NodeService
	Drivers            *DriverService
	Boards             *BoardService
	Fleets             *FleetService
	Plugins            *PluginService
	Services           *ServiceService
	Ports              *PortService
	Chassis            *ChassisService
	Allocations        *AllocationService
	Portgroups         *PlainService   // ports that work as one, from 1.23 on
	VolumeConnectors   *PlainService   // how nodes reach their volumes, from 1.32 on
	VolumeTargets      *PlainService   // volumes of nodes, from 1.32 on
	DeployTemplates    *PlainService   // steps of deployments, from 1.55 on
	Runbooks           *RunbookService // steps to clean and service nodes, from 1.92 on
	Webservices        *WebserviceService
	EnabledWebservices *EnabledWebserviceService

	config config
	busy   chan struct{} // held by who connects
	found  atomic.Pointer[session]
}

// config is what the options set.
type config struct {
	rest.Config
	endpoint rest.Hidden[string] // it may contain a password
	types    []string            // of the service in the catalogue, in the order in which they are tried
	dialect  Dialect
	version  Version // set by the user
	pinned   bool    // version was asked for
	tls      bool    // TLS was set for the API itself
	problem  error   // of an option
}

// New returns a Client for the API at endpoint, with or without the final /v1, such as "http://ironic.example:6385".
// With Keystone credentials endpoint may be empty: then it comes from Keystone's catalogue. Without an authentication
// option, requests have no credentials, as for a standalone Ironic. Nothing is sent before the first call.
func New(endpoint string, options ...Option) (*Client, error) {
	c := &Client{busy: make(chan struct{}, 1), config: config{
		endpoint: rest.Hide(endpoint),
		types:    ServiceTypes(),
		Config: rest.Config{
			Service:   service,
			Timeout:   DefaultTimeout,
			Retries:   DefaultRetries,
			MinWait:   500 * time.Millisecond,
			MaxWait:   8 * time.Second,
			UserAgent: "craton-iotronic-go",
			Policy:    repeatLocked,
			Redirects: true,
		},
	}}
	for _, o := range options {
		o(&c.config)
	}
	switch {
	case c.config.problem != nil:
		return nil, c.config.problem
	case len(c.config.types) == 0:
		return nil, invalid("there is no type of service to look for in the catalogue")
	case c.config.dialect < 0 || int(c.config.dialect) >= len(dialects):
		return nil, invalid("there is no dialect %d", c.config.dialect)
	}
	if endpoint != "" {
		if _, err := rest.New(endpoint, &c.config.Config); err != nil {
			return nil, &EndpointError{err}
		}
	} else if _, ok := c.config.Auth.(catalogue); !ok {
		return nil, &AmbiguousAuthSystemError{}
	}
	c.Nodes = newNodeService(c)
	c.Drivers = newDriverService(c)
	c.Boards = newBoardService(c)
	c.Fleets = newFleetService(c)
	c.Plugins = newPluginService(c)
	c.Services = newServiceService(c)
	c.Ports = newPortService(c)
	c.Chassis = newPlainService(c, "chassis", "chassis")
	c.Allocations = newAllocationService(c)
	c.Portgroups = newPlainService(c, "portgroups", "port group")
	c.VolumeConnectors = newPlainService(c, "volume/connectors", "volume connector")
	c.VolumeTargets = newPlainService(c, "volume/targets", "volume target")
	c.DeployTemplates = newPlainService(c, "deploy_templates", "deploy template")
	c.Runbooks = &RunbookService{newPlainService(c, "runbooks", "runbook")}
	c.Webservices = newWebserviceService(c)
	c.EnabledWebservices = newEnabledWebserviceService(c)
	return c, nil
}

// URL returns the API's base URL, which ends in /v1, without credentials. If it is not known yet, it is looked up in
// the catalogue.
func (c *Client) URL(ctx context.Context) (string, error) {
	s, err := c.session(ctx)
	if err != nil {
		return "", err
	}
	return s.rest.URL(), nil
}

// Dialect returns the API of the server, which is detected if it is not known yet.
func (c *Client) Dialect(ctx context.Context) (Dialect, error) {
	s, err := c.session(ctx)
	if err != nil {
		return DialectAuto, err
	}
	return s.dialect, nil
}

// Version returns the API version in use; the zero Version is the server's latest. It is negotiated if it is not known
// yet, and later calls may negotiate another one.
func (c *Client) Version(ctx context.Context) (Version, error) {
	s, err := c.session(ctx)
	if err != nil {
		return Version{}, err
	}
	return s.now(), nil
}

// Has reports whether the negotiated version of Ironic's API has an attribute of a resource, see [Since]; for another
// dialect it is false.
func (c *Client) Has(ctx context.Context, resource, attribute string) (bool, error) {
	d, err := c.Dialect(ctx)
	if err != nil || d != DialectIronic {
		return false, err
	}
	v, err := c.Version(ctx)
	return v.Compare(Since(resource, attribute)) >= 0, err
}

// String identifies the client by its endpoint; credentials are never shown.
func (c *Client) String() string { return "iotronic client of " + c.config.address() }

// address returns the configured endpoint, without credentials.
func (c *config) address() string {
	if c.endpoint() == "" {
		return "an endpoint from the catalogue"
	}
	u, err := service.Base(c.endpoint())
	if err != nil {
		return "an unusable endpoint"
	}
	return rest.BareURL(u)
}

// GoString hides the credentials from %#v.
func (c *Client) GoString() string { return fmt.Sprintf("iotronic.Client(%q)", c.String()) }

// CloseIdleConnections closes idle connections. Clients need not be closed; a program that creates many of them may
// want to.
func (c *Client) CloseIdleConnections() {
	if s := c.found.Load(); s != nil {
		s.rest.CloseIdleConnections()
	}
}

// Option changes how a Client connects.
type Option func(*config)

// Auth adds credentials to a request. Implementations are safe for concurrent use. If one also has the method Renew of
// craton.Renewer, it is called once when the server responds with 401; if one has
//
//	Endpoint(ctx context.Context, serviceType string) (string, error)
//
// it is called for the endpoint if the client was created without one. Those of package keystone have both.
type Auth interface {
	// Authenticate sets the request's credentials; it may wait on ctx.
	Authenticate(ctx context.Context, r *http.Request) error
}

// catalogue is an Auth that knows the endpoints of services.
type catalogue interface {
	Endpoint(ctx context.Context, serviceType string) (string, error)
}

// WithAuth sets how requests are authenticated.
func WithAuth(a Auth) Option { return func(c *config) { c.Auth = a } }

// WithToken authenticates with a Keystone token, which is sent unchanged except for surrounding space, such as a final
// newline in a file. It needs an endpoint, and cannot be renewed.
func WithToken(token string) Option {
	token = strings.TrimSpace(token)
	return func(c *config) {
		if strings.ContainsFunc(token, unicode.IsControl) {
			c.problem = invalid("the token has a control character in it, such as the end of a line; no token has")
		}
		c.Auth = &tokenAuth{rest.Hide(token)}
	}
}

// WithBasicAuth authenticates with a name and a password in each request, which a standalone Ironic may require (its
// auth_strategy http_basic).
func WithBasicAuth(username, password string) Option {
	return func(c *config) {
		switch {
		case username == "" || password == "":
			c.problem = invalid("a user's name and password are both needed for basic authentication")
		case strings.Contains(username, ":"):
			c.problem = invalid("the user's name has a colon in it, which basic authentication does not allow")
		}
		c.Auth = &basicAuth{username, rest.Hide(password)}
	}
}

type basicAuth struct {
	username string
	password rest.Hidden[string]
}

func (a *basicAuth) Authenticate(_ context.Context, r *http.Request) error {
	r.SetBasicAuth(a.username, a.password())
	return nil
}

// Secrets returns texts that errors must not contain.
func (a *basicAuth) Secrets() []string { return []string{a.password()} }

type tokenAuth struct{ token rest.Hidden[string] }

func (a *tokenAuth) Authenticate(_ context.Context, r *http.Request) error {
	r.Header.Set("X-Auth-Token", a.token())
	return nil
}

// Secrets returns texts that errors must not contain.
func (a *tokenAuth) Secrets() []string { return []string{a.token()} }

// ServiceTypes are the types of service that are looked up in the catalogue, unless [WithServiceType] sets others:
// "iot" and "baremetal".
func ServiceTypes() []string { return []string{"iot", "baremetal"} }

// WithServiceType sets the types of service to look up in the catalogue; the first that exists is used. It does not
// determine the dialect.
func WithServiceType(types ...string) Option { return func(c *config) { c.types = types } }

// WithDialect sets the server's dialect, so that it is not detected.
func WithDialect(d Dialect) Option { return func(c *config) { c.dialect = d } }

// WithVersion sets the version of the API; if the server does not support it, the error is an
// [*UnsupportedVersionError]. By default, it is the latest that both the server and this client support: up to 1.115
// for Ironic, 1.0 for Iotronic. The zero Version is the server's latest.
func WithVersion(v Version) Option { return func(c *config) { c.version, c.pinned = v, true } }

// WithTimeout limits each attempt of a request, including the body of its response; 0 means no limit except the
// context's.
func WithTimeout(d time.Duration) Option { return func(c *config) { c.Timeout = max(d, 0) } }

// WithMaxConnections limits the number of concurrent requests, including their retries; others wait. Without a limit,
// or with 0, it is 4 until the first response, and for servers that accept few connections: those with HTTP/1.0, and
// Python's wsgiref.
func WithMaxConnections(n int) Option { return func(c *config) { c.Connections = max(n, 0) } }

// WithRetries sets how often a request is retried; 0 turns retries off.
func WithRetries(n int) Option { return func(c *config) { c.Retries = max(n, 0) } }

// WithRetryWait sets how long the client waits before it retries a request: least before the first retry (500ms by
// default), twice as long before each further one, up to most (8s), minus a random part of up to half. A server's
// Retry-After of up to a minute is used instead if it is longer.
func WithRetryWait(least, most time.Duration) Option {
	return func(c *config) { c.MinWait, c.MaxWait = max(least, 0), max(least, most, 0) }
}

// WithUserAgent replaces the User-Agent header.
func WithUserAgent(s string) Option { return func(c *config) { c.UserAgent = s } }

// TLS determines how https connections are verified, as in package craton.
type TLS = craton.TLS

// WithTLS sets certificates and verification for https URLs of the API.
func WithTLS(t TLS) Option { return func(c *config) { c.TLS, c.tls = t.Config, true } }

// WithRefusalHint sets the [RefusalHint] of the error for a 401: as whom the program tried to sign in. It must not
// contain secrets.
func WithRefusalHint(text string) Option { return func(c *config) { c.Refused = text } }

// WithTransport replaces the transport of requests, for tests. The transport must then handle TLS options itself.
func WithTransport(rt http.RoundTripper) Option { return func(c *config) { c.Transport = rt } }
