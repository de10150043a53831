package rest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/craton-fleet/craton/internal/value"
)

// Config configures a Client.
type Config struct {
	Service       Service
	Auth          Auth          // nil: no credentials
	Timeout       time.Duration // of one attempt, including the response's body; 0: no limit except the context's
	Retries       int           // how often a request is retried
	MinWait       time.Duration // before the first retry; twice as long before each further one
	MaxWait       time.Duration
	UserAgent     string
	TLS           func() (*tls.Config, error) // nil: the system's certificates
	Transport     http.RoundTripper           // nil: a transport with TLS
	Policy        Policy
	NoCompression bool                 // responses are requested uncompressed
	Redirects     bool                 // GET follows redirects on the same server, others are returned; false: a redirect is an error
	HideURL       bool                 // errors show only paths, because the URL does not say where the transport leads
	Refused       string               // for errors about refused credentials: as whom the program tried to sign in, and what to do
	Forbidden     func(*Response) bool // which 401 mean a missing role, so that other credentials of the same user do not help; nil: none

	// Connections is the maximum number of concurrent requests; 0: as many as the API accepts, see [gate].
	Connections int
}

// Client sends requests to one API. It is safe for concurrent use.
type Client struct {
	base    *url.URL // ends in the service's version, without a trailing slash
	library string
	version string
	hidden  bool // [Config.HideURL]
	http    *retryablehttp.Client

	auth      Auth
	refused   string
	gate      *gate   // nil: there is no network in between
	renewer   Renewer // nil: credentials do not change
	forbidden func(*Response) bool
}

// New returns a Client for the API at rawURL, with or without the final version. Nothing is sent.
func New(rawURL string, cfg *Config) (*Client, error) {
	base, err := cfg.Service.Base(rawURL)
	if err != nil {
		return nil, err
	}
	hc, err := cfg.httpClient()
	if err != nil {
		return nil, err
	}
	c := &Client{base: base, library: cfg.Service.Library, version: cfg.Service.Version, hidden: cfg.HideURL, http: hc, auth: cfg.Auth, refused: cfg.Refused, forbidden: cfg.Forbidden}
	if cfg.Transport == nil || cfg.Connections > 0 {
		c.gate = newGate(cfg.Connections)
	}
	c.renewer, _ = cfg.Auth.(Renewer)
	return c, nil
}

// URL returns the API's base URL, ending in its version, without credentials.
func (c *Client) URL() string { return BareURL(c.base) }

// Shown returns the destination of a request for errors.
func (c *Client) Shown(path string) string {
	if c.hidden {
		return path
	}
	return c.URL() + path
}

// CloseIdleConnections closes idle connections.
func (c *Client) CloseIdleConnections() { c.http.HTTPClient.CloseIdleConnections() }

// Request is a request for [Client.Do].
type Request struct {
	Method string
	Path   string // relative to the base URL, begins with a slash; its elements must be escaped; "" is the base itself
	Above  bool   // the request is for the root above the version; Path is ignored
	Query  url.Values
	Header http.Header // in addition to those that every request has
	Body   any         // sent as JSON; nil for none
	Packed bool        // request the response as Stream does, because its tag depends on the compression
	Once   bool        // may have been executed, whatever its method, if its response is missing
	// Guarded is set for a request with Once that the service refuses if it is repeated after it was executed, so that
	// an error response may be retried.
	Guarded bool
	Into    []byte // the response is read into it if it fits
	// Check checks a successful response to a read, which is JSON; if it returns an error, the request is retried. nil:
	// all are accepted.
	Check func(*Response) error

	lost bool // see Response
}

// Response is a response of any status, as received.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	Path   string // of the request, including the path of the base URL
	// Refused is that of the Config.
	Refused string
	Lost    bool // the response to an earlier attempt was lost; it may have been executed

	sent    *http.Request // with its credentials; nil if the transport hides them
	secrets []string      // secrets that the response may repeat, in addition to those of sent
}

// OK reports whether the status is one of success.
func (r *Response) OK() bool { return r.Status >= 200 && r.Status <= 299 }

// Do sends one request, retries it according to the policy, and once with new credentials if the previous ones are no
// longer valid. Its errors are a *TransportError, a *BadResponseError for a read, or describe what is wrong with the
// request itself.
func (c *Client) Do(ctx context.Context, r *Request) (*Response, error) {
	resp, err := c.send(ctx, r)
	if err != nil || !c.needsRenewal(resp) {
		return resp, err
	}
	again, err := c.renewer.Renew(ctx, resp.sent)
	if err != nil {
		return nil, &TransportError{Method: r.Method, URL: c.Shown(r.Path), Err: &AuthError{err}}
	}
	if !again {
		return resp, nil
	}
	return c.send(ctx, r)
}

// needsRenewal reports whether a response requires other credentials, and they can be renewed. The request was not
// executed, whatever its method.
func (c *Client) needsRenewal(resp *Response) bool {
	return c.renewer != nil && resp.Status == http.StatusUnauthorized && (c.forbidden == nil || !c.forbidden(resp))
}

// send sends one request, and retries it according to the policy.
func (c *Client) send(ctx context.Context, r *Request) (*Response, error) {
	u, err := c.locate(r)
	if err != nil {
		return nil, &CallError{c.library, err}
	}
	u.RawQuery = r.Query.Encode()
	var payload any // nil or []byte: retryablehttp sends it again with each attempt
	if r.Body != nil {
		if payload, err = value.Encode(r.Body); err != nil {
			return nil, &CallError{c.library, fmt.Errorf("%s %s: cannot encode the body: %w", r.Method, r.Path, err)}
		}
	}
	req, err := retryablehttp.NewRequestWithContext(context.WithValue(ctx, requestKey{}, r), r.Method, u.String(), payload)
	if err != nil {
		return nil, &CallError{c.library, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)}
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	req.Header.Set("Accept", "application/json")
	if r.Packed && c.gate != nil {
		req.Header.Set("Accept-Encoding", packed)
	}
	if r.Body != nil {
		// The original Craton ignores a body without this type (Q17).
		req.Header.Set("Content-Type", "application/json")
	}

	if c.gate != nil {
		if err := c.gate.enter(ctx); err != nil {
			return nil, c.transportError(ctx, r.Method, u, err)
		}
		defer c.gate.leave()
	}
	// Responses are read within the retry loop, so that an incomplete one, or one that is not from an API, is retried.
	var read *http.Response
	var data []byte
	req.SetResponseHandler(func(resp *http.Response) (err error) {
		if c.gate != nil {
			c.gate.learn(resp)
		}
		read = resp
		data, err = readBody(resp, r.Into)
		resp.Body = io.NopCloser(bytes.NewReader(data)) // the policy is called once more
		if err == nil {
			err = r.checkResponse(&Response{Status: resp.StatusCode, Header: resp.Header, Body: data, Path: u.Path, sent: resp.Request, secrets: c.secrets()})
		}
		return err
	})
	resp, err := c.http.Do(req)
	if bad, ok := errors.AsType[*BadResponseError](err); ok {
		if tried, ok := errors.AsType[*triedError](err); ok {
			bad.Tries = tried.times
		}
		return nil, bad
	}
	if err != nil {
		return nil, c.transportError(ctx, r.Method, u, err)
	}
	if read != resp { // the last attempt's status required another one, so the body has not been read yet
		data, _ = readBody(resp, r.Into) // an incomplete message is still one
	}
	return &Response{Status: resp.StatusCode, Header: resp.Header, Body: data, Path: u.Path, Lost: r.lost, sent: resp.Request, secrets: c.secrets(), Refused: c.refused}, nil
}

// locate returns the URL of a request, without its query.
func (c *Client) locate(r *Request) (*url.URL, error) {
	u := *c.base
	switch {
	case r.Above:
		u.Path, u.RawPath = strings.TrimSuffix(u.Path, c.version)+"/", ""
	case r.Path != "":
		return Join(c.base, r.Path)
	}
	return &u, nil
}

// TransportError reports a request without a response: the connection was refused, timed out, was cut, or could not be
// verified.
type TransportError struct {
	Method string
	URL    string // without query and credentials
	Err    error  // the cause
}

// Error returns the destination of the connection and why it failed.
func (e *TransportError) Error() string { return fmt.Sprintf("%s %s: %v", e.Method, e.URL, e.Err) }

// Unwrap returns the cause.
func (e *TransportError) Unwrap() error { return e.Err }

// MaybeExecuted reports whether a request that failed with err, the cause of a [TransportError], may have been executed
// nevertheless.
func MaybeExecuted(err error) bool { return !neverSent(err) && !permanent(err) }

func (c *Client) transportError(ctx context.Context, method string, u *url.URL, err error) error {
	var timeout interface{ Timeout() bool }
	if ctx.Err() == nil && !neverSent(err) && (errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()) {
		err = &timeoutError{c.http.HTTPClient.Timeout, err}
	}
	// A response that is not HTTP is quoted, and may repeat the request.
	return &TransportError{Method: method, URL: c.Shown(strings.TrimPrefix(u.EscapedPath(), c.base.EscapedPath())), Err: ConcealError(err, c.secrets()...)}
}

// timeoutError replaces net/http's "Client.Timeout exceeded while awaiting headers" by a clear message.
type timeoutError struct {
	after time.Duration
	err   error
}

func (e *timeoutError) Error() string {
	if e.after <= 0 {
		return "timed out: " + e.err.Error()
	}
	text := fmt.Sprintf("no complete response within %v", e.after)
	if tried, ok := errors.AsType[*triedError](e.err); ok {
		text += tried.often()
	}
	return text
}

func (e *timeoutError) Unwrap() error { return e.err }
func (e *timeoutError) Timeout() bool { return true }
