package craton

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/craton-fleet/craton/internal/rest"
)

// Defaults of a Client; each can be changed with an option.
const (
	// DefaultTimeout limits each attempt of a request.
	DefaultTimeout = 60 * time.Second
	// DefaultRetries is how often an idempotent request is retried.
	DefaultRetries = 4
	// MaxLimit and MinLimit are the page sizes that the API accepts (v1 contract §3.1).
	MaxLimit = 100
	MinLimit = 10

	defaultLimit = 30 // of the server
)

// Client is a client of one Craton v1 API. It is safe for concurrent use. Each field is one of the API's ten resources.
type Client struct {
	Clouds            *CloudService
	Regions           *RegionService
	Cells             *CellService
	Hosts             *HostService
	Devices           *DeviceService
	NetworkDevices    *NetworkDeviceService
	Networks          *NetworkService
	NetworkInterfaces *NetworkInterfaceService
	Projects          *ProjectService
	Users             *UserService

	rest    *rest.Client
	message string
	past    url.Values // the state that requests read; nil: the present
}

// New returns a Client for the API at rawURL, with or without the final /v1, such as "https://craton.example:7780".
// Nothing is sent before the first call. Without an authentication option requests carry no credentials.
func New(rawURL string, options ...Option) (*Client, error) {
	cfg := config{Config: rest.Config{
		Service:       rest.Service{Library: "craton", Example: "https://craton.example:7780", Version: "/v1"},
		Timeout:       DefaultTimeout,
		Retries:       DefaultRetries,
		MinWait:       200 * time.Millisecond,
		MaxWait:       10 * time.Second,
		UserAgent:     "craton-go",
		Policy:        repeatReads,
		NoCompression: true, // compressing a page takes longer than most networks save; requests for large responses ask for it
		Forbidden:     roleMissing,
	}}
	for _, o := range options {
		o(&cfg)
	}
	rc, err := rest.New(rawURL, &cfg.Config)
	if err != nil {
		return nil, err
	}
	c := &Client{rest: rc, message: cfg.message}
	c.initServices()
	return c, nil
}

// initServices creates the services.
func (c *Client) initServices() {
	c.Clouds = newCloudService(c)
	c.Regions = newRegionService(c)
	c.Cells = newCellService(c)
	c.Hosts = newHostService(c)
	c.Devices = newDeviceService(c)
	c.NetworkDevices = newNetworkDeviceService(c)
	c.Networks = newNetworkService(c)
	c.NetworkInterfaces = newNetworkInterfaceService(c)
	c.Projects = newProjectService(c)
	c.Users = newUserService(c)
}

// URL returns the API's base address, ending in /v1, without credentials.
func (c *Client) URL() string { return c.rest.URL() }

// String identifies the client by its URL; credentials are never shown.
func (c *Client) String() string { return "craton client of " + c.URL() }

// GoString hides the credentials from %#v.
func (c *Client) GoString() string { return fmt.Sprintf("craton.Client(%q)", c.URL()) }

// CloseIdleConnections closes idle connections. Clients need not be closed; a program that creates many of them may
// want to.
func (c *Client) CloseIdleConnections() { c.rest.CloseIdleConnections() }

// Option changes how a Client connects.
type Option func(*config)

// config holds what the options set.
type config struct {
	rest.Config
	message string
}

// WithAuth sets how requests are authenticated.
func WithAuth(a Auth) Option { return func(c *config) { c.Auth = a } }

// WithTimeout limits each attempt of a request, including the body of its response; 0 means no limit except the
// context's.
func WithTimeout(d time.Duration) Option { return func(c *config) { c.Timeout = max(d, 0) } }

// WithRetries sets how often an idempotent request is retried; 0 turns retries off.
func WithRetries(n int) Option { return func(c *config) { c.Retries = max(n, 0) } }

// WithRetryWait sets how long the client waits before it retries a request: least before the first retry (200ms by
// default), twice as long before each further one, up to most (10s), minus a random part of up to half. A server's
// Retry-After of up to a minute is used instead if it is longer.
func WithRetryWait(least, most time.Duration) Option {
	return func(c *config) { c.MinWait, c.MaxWait = max(least, 0), max(least, most, 0) }
}

// WithMaxConnections limits the number of concurrent requests, including their retries; others wait. Without a limit,
// or with 0, it is 4 until the first response, and for servers that accept few connections, which are those with
// HTTP/1.0 and Python's wsgiref, such as the original Craton: its queue holds five connections (Q31).
func WithMaxConnections(n int) Option { return func(c *config) { c.Connections = max(n, 0) } }

// WithUserAgent replaces the User-Agent header.
func WithUserAgent(s string) Option { return func(c *config) { c.UserAgent = s } }

// WithTLS sets certificates and verification for https URLs.
func WithTLS(t TLS) Option { return func(c *config) { c.TLS = t.Config } }

// WithRefusalHint sets the text that ends the error for a 401, unless it is about a role: as whom the program tried to
// sign in, and what to do. It must not contain secrets.
func WithRefusalHint(text string) Option { return func(c *config) { c.Refused = text } }

// WithHiddenURL makes errors show the path of a request without the API's URL, which may be meaningless with a custom
// transport.
func WithHiddenURL() Option { return func(c *config) { c.HideURL = true } }

// WithTransport replaces the transport of requests, for tests and for servers in the same process. The transport must
// then handle TLS options itself.
func WithTransport(rt http.RoundTripper) Option { return func(c *config) { c.Transport = rt } }
