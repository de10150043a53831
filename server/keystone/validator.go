package keystone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/hashicorp/go-cleanhttp"
	"golang.org/x/sync/singleflight"

	"github.com/craton-fleet/craton/internal/rest"
)

// Config is the configuration of a [Validator].
type Config struct {
	URL         string       // of Keystone, with or without /v3 at its end
	CAPath      string       // PEM file or directory of certificates trusted instead of the system's; may be empty
	Credentials *Credentials // of the service itself; nil if tokens validate themselves
	CacheTime   time.Duration
}

// Credentials are the service's own login to Keystone: as a user, or with an application credential.
type Credentials struct {
	Username, Password, Project string
	Domain                      string // name of the user's and the project's domain

	ApplicationCredentialID, ApplicationCredentialSecret string
}

// ErrInvalid is the error of an invalid token: unknown, expired, revoked, or missing.
var ErrInvalid = errors.New("the token is not valid")

// ErrCredentials is wrapped by errors about the service's own credentials, which only its administrator can correct.
var ErrCredentials = errors.New("the server's own credentials for Keystone")

// unavailable is the error if Keystone is unavailable.
type unavailable struct {
	url string
	err error
}

// Error includes only the status of a response: its body may contain the token.
func (u *unavailable) Error() string {
	if status := statusOf(u.err); status != 0 {
		return fmt.Sprintf("status %d from Keystone at %s, which says nothing about the token", status, u.url)
	}
	return fmt.Sprintf("no answer from Keystone at %s: %v", u.url, u.err)
}

const (
	askTimeout  = 10 * time.Second // for Keystone's response, including a login
	maxRequests = 32               // concurrent requests to Keystone; others wait
	maxToken    = 8 << 10          // bytes; no real token is as long
)

// Validator validates tokens. It is safe for concurrent use.
type Validator struct {
	url       string // of Keystone's v3 API, with a trailing slash
	provider  *gophercloud.ProviderClient
	secrets   rest.Hidden[[]string] // of the service itself
	service   bool                  // the provider logs in with its own credentials
	cacheTime time.Duration
	flight    singleflight.Group
	valid     cache[*Token]
	invalid   cache[struct{}]
	hits      atomic.Int64
	misses    atomic.Int64
}

// New returns a validator after checking its configuration. It does not contact Keystone; [Validator.Check] does.
func New(c Config) (*Validator, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("the URL of Keystone must be http(s)://HOST[:PORT][/PATH], without user, password and query")
	}
	tlsConfig, err := rest.TLS(c.CAPath, "", "", false)
	if err != nil {
		return nil, fmt.Errorf("certificates of Keystone: %w", err)
	}
	provider, err := openstack.NewClient(c.URL)
	if err != nil {
		return nil, err
	}
	transport := cleanhttp.DefaultPooledTransport()
	transport.TLSClientConfig = tlsConfig
	transport.MaxConnsPerHost, transport.MaxIdleConnsPerHost = maxRequests, maxRequests
	client, err := (&rest.Config{
		Transport: transport, UserAgent: "craton-server", Timeout: askTimeout,
		Retries: 2, MinWait: 100 * time.Millisecond, MaxWait: time.Second,
		// Under load, Keystone sometimes answers valid requests with 500.
		Policy: func(_ *rest.Request, resp *http.Response) bool {
			return resp.StatusCode == http.StatusInternalServerError
		},
	}).HTTPClient()
	if err != nil {
		return nil, err
	}
	provider.HTTPClient = *client
	v := &Validator{url: provider.IdentityBase + "v3/", provider: provider, cacheTime: c.CacheTime, secrets: rest.Hide[[]string](nil)}
	if c.Credentials != nil {
		v.service = true
		v.secrets = rest.Hide([]string{c.Credentials.Password, c.Credentials.ApplicationCredentialSecret})
		provider.ReauthFunc = v.signIn(c.Credentials.options())
	}
	return v, nil
}

// Asked returns how often Validate had a cached result, and how often not.
func (v *Validator) Asked() (hits, misses int64) { return v.hits.Load(), v.misses.Load() }

// URL returns the URL of Keystone's v3 API.
func (v *Validator) URL() string { return strings.TrimSuffix(v.url, "/") }

func (c *Credentials) options() gophercloud.AuthOptions {
	if c.ApplicationCredentialID != "" {
		return gophercloud.AuthOptions{ApplicationCredentialID: c.ApplicationCredentialID, ApplicationCredentialSecret: c.ApplicationCredentialSecret}
	}
	return gophercloud.AuthOptions{
		Username: c.Username, Password: c.Password, DomainName: c.Domain,
		Scope: &gophercloud.AuthScope{ProjectName: c.Project, DomainName: c.Domain},
	}
}

// signIn returns the function that gets the provider a new token of its own.
func (v *Validator) signIn(options gophercloud.AuthOptions) func(context.Context) error {
	return func(ctx context.Context) error {
		fresh := &gophercloud.ProviderClient{IdentityBase: v.provider.IdentityBase, IdentityEndpoint: v.provider.IdentityEndpoint, HTTPClient: v.provider.HTTPClient}
		fresh.UseTokenLock()
		o := options
		err := openstack.AuthenticateV3(ctx, fresh, &o, gophercloud.EndpointOpts{})
		switch {
		case refusal(err) == http.StatusUnauthorized:
			return v.refused()
		case err != nil:
			return v.failure(err)
		}
		v.provider.CopyTokenFrom(fresh)
		return nil
	}
}

func (v *Validator) refused() error {
	return fmt.Errorf("%w are not accepted by %s", ErrCredentials, v.URL())
}

// Check returns an error if Keystone does not answer, or [ErrCredentials] if it does not accept the service's
// credentials.
func (v *Validator) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if v.service {
		return v.provider.Reauthenticate(ctx, "")
	}
	anonymous := &gophercloud.ProviderClient{HTTPClient: v.provider.HTTPClient}
	_, err := anonymous.Request(ctx, http.MethodGet, v.url, &gophercloud.RequestOpts{}) //nolint:bodyclose // Gophercloud does
	if err != nil {
		return v.failure(err)
	}
	return nil
}

// Validate returns a token as Keystone describes it. fresh reports whether Keystone was asked for this request, rather
// than up to [Config.CacheTime] earlier.
//
// Errors are [ErrInvalid], that of ctx, or that Keystone is unavailable.
func (v *Validator) Validate(ctx context.Context, token string) (t *Token, fresh bool, err error) {
	if !plain(token) {
		return nil, false, ErrInvalid
	}
	k := keyOf(token)
	if t, ok := v.valid.get(k); ok {
		v.hits.Add(1)
		return t, false, nil
	}
	if _, ok := v.invalid.get(k); ok {
		v.hits.Add(1)
		return nil, false, ErrInvalid
	}
	v.misses.Add(1)
	// Others may wait for the same response: it must not end with this request.
	detached := context.WithoutCancel(ctx)
	answer := v.flight.DoChan(string(k[:]), func() (any, error) {
		ctx, cancel := context.WithTimeout(detached, askTimeout)
		defer cancel()
		return v.ask(ctx, k, token)
	})
	select {
	case a := <-answer:
		if a.Err != nil {
			return nil, false, a.Err
		}
		return a.Val.(*Token), true, nil
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
}

// ask asks Keystone, and caches the result.
func (v *Validator) ask(ctx context.Context, k key, token string) (*Token, error) {
	asked := time.Now() // a revocation during the request counts from here
	var body answer
	err := rest.ConcealError(v.get(ctx, token, &body), token) // such errors quote invalid responses
	switch status := refusal(err); {
	case err == nil && body.Token.User.ID == "":
		return nil, v.failure(errors.New("the answer is not about a token"))
	case err == nil:
		t := body.token()
		until := asked.Add(v.cacheTime)
		if t.ExpiresAt.Before(until) {
			until = t.ExpiresAt
		}
		v.valid.put(k, t, until)
		return t, nil
	case status == http.StatusNotFound, status == http.StatusUnauthorized && !v.service:
		v.invalid.put(k, struct{}{}, asked.Add(v.cacheTime/6))
		return nil, ErrInvalid
	case status == http.StatusUnauthorized:
		return nil, v.refused()
	case status == http.StatusForbidden && v.service:
		return nil, fmt.Errorf("%w lack a role by which Keystone's policy (identity:validate_token) allows to validate tokens, such as service", ErrCredentials)
	case status == http.StatusForbidden:
		return nil, fmt.Errorf("%w are missing: Keystone's policy (identity:validate_token) does not allow tokens to validate themselves", ErrCredentials)
	}
	return nil, v.failure(err)
}

// get sends the request.
func (v *Validator) get(ctx context.Context, token string, body *answer) error {
	provider := v.provider
	switch {
	case !v.service:
		provider = &gophercloud.ProviderClient{HTTPClient: v.provider.HTTPClient, TokenID: token}
	case provider.Token() == "":
		if err := provider.Reauthenticate(ctx, ""); err != nil {
			return err
		}
	}
	_, err := provider.Request(ctx, http.MethodGet, v.url+"auth/tokens?nocatalog", &gophercloud.RequestOpts{ //nolint:bodyclose // Gophercloud does
		JSONResponse: body, MoreHeaders: map[string]string{"X-Subject-Token": token},
	})
	// Gophercloud does not unwrap this error, whose cause says why the login failed.
	var again *gophercloud.ErrUnableToReauthenticate
	if errors.As(err, &again) {
		return again.ErrReauth
	}
	return err
}

// statusOf returns the status of an unexpected response, or 0.
func statusOf(err error) int {
	var unexpected gophercloud.ErrUnexpectedResponseCode
	if errors.As(err, &unexpected) {
		return unexpected.Actual
	}
	return 0
}

// refusal returns the status of a refusal by Keystone itself, or 0. Keystone's bodies repeat the status. Those of
// another service at a wrong URL do not: otherwise every token would appear invalid.
func refusal(err error) int {
	var unexpected gophercloud.ErrUnexpectedResponseCode
	var body struct {
		Error struct {
			Code int `json:"code"`
		} `json:"error"`
	}
	if !errors.As(err, &unexpected) || json.Unmarshal(unexpected.Body, &body) != nil || body.Error.Code != unexpected.Actual {
		return 0
	}
	return unexpected.Actual
}

// failure returns the error if Keystone is unavailable.
func (v *Validator) failure(err error) error {
	var known *unavailable
	if errors.As(err, &known) || errors.Is(err, ErrCredentials) {
		return err
	}
	return &unavailable{v.URL(), rest.ConcealError(err, append([]string{v.provider.Token()}, v.secrets()...)...)}
}

// plain reports whether a token can be sent in a header: Keystone's tokens are printable ASCII.
func plain(token string) bool {
	return token != "" && len(token) <= maxToken && strings.IndexFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
