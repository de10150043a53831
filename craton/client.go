package craton

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Defaults of a Client; each has an option of the same name.
const (
	// DefaultTimeout bounds one try of a request.
	DefaultTimeout = 60 * time.Second
	// DefaultRetries is how often an idempotent request is repeated after it failed.
	DefaultRetries = 4
	// MaxLimit and MinLimit are the page sizes that the API accepts (v1 contract §3.1).
	MaxLimit = 100
	MinLimit = 10

	defaultLimit = 30 // of the server
)

// Client speaks to one Craton v1 API. It is safe for concurrent use.
// Each field is one of the API's ten resources.
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

	base *url.URL // ends in /v1, no trailing slash
	http *retryablehttp.Client
}

// New makes a Client for the API at rawURL, with or without the final /v1,
// such as "https://craton.example:7780". Nothing is sent before the first call.
// Without an authentication option requests carry no credentials.
func New(rawURL string, options ...Option) (*Client, error) {
	base, err := baseURL(rawURL)
	if err != nil {
		return nil, err
	}
	cfg := config{
		timeout:   DefaultTimeout,
		retries:   DefaultRetries,
		waitLeast: 200 * time.Millisecond,
		waitMost:  10 * time.Second,
		userAgent: "craton-go",
	}
	for _, o := range options {
		o(&cfg)
	}
	hc, err := cfg.httpClient()
	if err != nil {
		return nil, err
	}
	c := &Client{base: base, http: hc}
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
	return c, nil
}

// URL is the API's base address, ending in /v1, without credentials.
func (c *Client) URL() string { return bareURL(c.base) }

// String names the client by its URL; credentials are never shown.
func (c *Client) String() string { return "craton client of " + c.URL() }

// GoString hides the credentials from %#v.
func (c *Client) GoString() string { return fmt.Sprintf("craton.Client(%q)", c.URL()) }

// CloseIdleConnections closes the connections that wait for a next request.
// Clients need not be closed; a program that makes many of them may want to.
func (c *Client) CloseIdleConnections() { c.http.HTTPClient.CloseIdleConnections() }

// bareURL is an address without credentials, query and fragment: each may hold what belongs in no message.
func bareURL(u *url.URL) string {
	bare := *u
	bare.User, bare.RawQuery, bare.Fragment, bare.RawFragment, bare.ForceQuery = nil, "", "", "", false
	return bare.String()
}

// baseURL normalises what users write: with or without /v1, with or without
// trailing slashes (the original client turned "…/v1/" into "…/v1//v1", contract §8.1).
func baseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		// url.Error repeats the text, which may hold a password.
		return nil, errors.New("craton: the API's URL cannot be parsed; write it like https://craton.example:7780")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		shown := ""
		if !strings.Contains(raw, "@") { // "user:password@host" parses as scheme "user"
			shown = fmt.Sprintf(" %q", raw)
		}
		return nil, fmt.Errorf("craton: the API's URL%s must begin with http:// or https://; write it like https://craton.example:7780", shown)
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("craton: the API's URL %s must have no query and no fragment", bareURL(u))
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.Path = strings.TrimSuffix(u.Path, "/v1") + "/v1"
	u.RawPath = ""
	return u, nil
}

// config is what the options fill.
type config struct {
	auth      Auth
	timeout   time.Duration
	retries   int
	waitLeast time.Duration
	waitMost  time.Duration
	userAgent string
	tls       TLS
	transport http.RoundTripper
}

// Option changes how a Client connects.
type Option func(*config)

// WithAuth sets how requests are authenticated.
func WithAuth(a Auth) Option { return func(c *config) { c.auth = a } }

// WithTimeout bounds each single try of a request, its answer's body included; 0 means no bound but the context's.
func WithTimeout(d time.Duration) Option { return func(c *config) { c.timeout = max(d, 0) } }

// WithRetries sets how often an idempotent request is repeated; 0 turns retries off.
func WithRetries(n int) Option { return func(c *config) { c.retries = max(n, 0) } }

// WithRetryWait sets how long the client waits before it repeats a request: least before the first repetition
// (200ms by default), twice as long before each further one, up to most (10s), less up to half by chance.
// A server's Retry-After counts for more, up to a minute.
func WithRetryWait(least, most time.Duration) Option {
	return func(c *config) { c.waitLeast, c.waitMost = max(least, 0), max(least, most, 0) }
}

// WithUserAgent replaces the User-Agent header.
func WithUserAgent(s string) Option { return func(c *config) { c.userAgent = s } }

// WithTLS sets certificates and verification for https URLs.
func WithTLS(t TLS) Option { return func(c *config) { c.tls = t } }

// WithTransport replaces what carries the requests, for tests and for servers
// that run in the same process. TLS options are then the transport's own affair.
func WithTransport(rt http.RoundTripper) Option { return func(c *config) { c.transport = rt } }
