package iotronic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/rest"
)

// session is a detected server: its URL, its dialect, and the version.
type session struct {
	rest    *rest.Client
	dialect Dialect
	pinned  bool // the version was set by the user

	mu         sync.Mutex
	version    Version
	negotiated bool // the version from a 406 response
}

// session detects the server, once. After a failure, the next call tries again.
func (c *Client) session(ctx context.Context) (*session, error) {
	if s := c.found.Load(); s != nil {
		return s, nil
	}
	select {
	case c.busy <- struct{}{}:
		defer func() { <-c.busy }()
	case <-ctx.Done():
		return nil, &ConnectionError{Method: http.MethodGet, URL: c.config.address(), Err: ctx.Err()}
	}
	if s := c.found.Load(); s != nil {
		return s, nil
	}
	s, err := c.connect(ctx)
	if err == nil {
		c.found.Store(s)
	}
	return s, err
}

func (c *Client) connect(ctx context.Context) (*session, error) {
	endpoint, err := c.config.where(ctx)
	if err != nil {
		return nil, err
	}
	rc, err := rest.New(endpoint, &c.config.Config)
	if err != nil {
		return nil, &EndpointError{err}
	}
	s := &session{rest: rc, dialect: c.config.dialect, pinned: c.config.pinned, version: c.config.version}
	var v1 *rest.Response
	if s.dialect == DialectAuto {
		if s.dialect, v1, err = detect(ctx, rc); err != nil {
			rc.CloseIdleConnections() // the next call begins again
			return nil, err
		}
	}
	if s.pinned {
		return s, nil
	}
	s.version = s.dialect.traits().wanted
	if v1 != nil {
		if least, most, ok := s.dialect.traits().versionRange(v1.Header); ok {
			s.version = clamp(s.version, least, most)
		}
	}
	return s, nil
}

// where returns the endpoint: the configured one, or else the first of the service's types that the catalogue has.
func (c *config) where(ctx context.Context) (string, error) {
	if url := c.endpoint(); url != "" {
		return url, nil
	}
	var problem error
	for _, serviceType := range c.types {
		endpoint, err := c.Auth.(catalogue).Endpoint(ctx, serviceType) //nolint:forcetypeassert // New looked
		if err == nil {
			return endpoint, nil
		}
		if !absent(err) {
			return "", &AuthorizationFailureError{err}
		}
		problem = err
	}
	return "", &EndpointNotFoundError{ServiceTypes: c.types, Err: problem}
}

// clamp returns the version to use with a server that supports those from least to most (reference §1.5).
func clamp(wanted, least, most Version) Version {
	if wanted.Compare(most) > 0 {
		wanted = most
	}
	if wanted.Compare(least) < 0 {
		wanted = least
	}
	return wanted
}

// call is one request of the API. adapt, if set, completes it for the negotiated version. needs are the versions of
// Ironic's API that introduced each part of it.
type call struct {
	rest.Request
	adapt func(r *rest.Request, v Version)
	needs map[string]Version
}

// send sends a request with the negotiated version, and once more with another if the server requires that. A response
// outside 200 to 299 is an error.
func (s *session) send(ctx context.Context, c *call) (*rest.Response, error) {
	version := s.now()
	for negotiations := 0; ; negotiations++ {
		if err := s.require(version, c.needs); err != nil {
			return nil, err
		}
		r := c.Request
		r.Header = http.Header{}
		r.Header.Set(s.dialect.traits().versionHeader(), version.String())
		if c.adapt != nil {
			r.Query = maps.Clone(r.Query) // one version may refuse what another needs
			c.adapt(&r, version)
		}
		resp, err := s.rest.Do(ctx, &r)
		if err != nil {
			return nil, sendError(err)
		}
		if other := s.dialect.traits().foreign(resp.Header); other != "" {
			return nil, &DialectError{Dialect: s.dialect, Err: fmt.Errorf("the server is %s", other)}
		}
		if resp.OK() {
			return resp, nil
		}
		err = errorOf(resp, r.Method, r.Body)
		if resp.Status != http.StatusNotAcceptable {
			return nil, err
		}
		next, refused := s.negotiate(ctx, version, resp, err)
		if refused != nil {
			return nil, refused
		}
		if negotiations == 2 { // another server responds each time
			return nil, err
		}
		version = next
	}
}

func (s *session) now() Version {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// negotiate returns the version with which to repeat a request that failed with 406. There is none if the user has set
// the version, if the server was asked for another one before, or if the request needs a later version: then the
// response has the version in which it was handled (reference §1.5).
func (s *session) negotiate(ctx context.Context, sent Version, resp *rest.Response, err error) (Version, error) {
	t := s.dialect.traits()
	least, most, ok := t.versionRange(resp.Header)
	if !ok {
		v1, err := s.rest.Do(ctx, &rest.Request{Method: http.MethodGet})
		switch {
		case err == nil:
			least, most, _ = t.versionRange(v1.Header)
		case ctx.Err() != nil:
			return sent, sendError(err)
		}
	}
	refused := &UnsupportedVersionError{Requested: sent, Min: least, Max: most, Err: err}
	if s.pinned || most == (Version{}) || resp.Header.Get(t.versionHeader()) != "" {
		return sent, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version != sent { // another request has done it
		return s.version, nil
	}
	if s.negotiated {
		return sent, refused
	}
	s.version, s.negotiated = clamp(sent, least, most), true
	return s.version, nil
}

// repeatLocked retries, in addition to harmless requests (reference §1.6):
//
//   - any request after a 503: no worker was free, so nothing was done;
//   - any request after a 409 that says that somebody else works on the object;
//   - after any other 409 all but creates and changes to a name that is taken;
//   - after a 500 of an Ironic on SQLite, which rolled back because two wrote at once: what may be carried out twice, such as
//     reads, patches and power on, and what Ironic would refuse a second time, such as a deployment. A create, a reboot, a cleaning
//     and what else would happen twice is left to the caller.
func repeatLocked(r *rest.Request, resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusServiceUnavailable:
		return true
	case http.StatusConflict:
		text := peek(resp)
		return isLocked(text) || r.Method != http.MethodPost && !strings.Contains(text, "already exists")
	case http.StatusInternalServerError:
		return r.Method != http.MethodPost && (!r.Once || r.Guarded) && strings.Contains(peek(resp), "database is locked")
	}
	return false
}

// peek reads a body, and makes it readable again.
func peek(resp *http.Response) string {
	const most = 1 << 16
	start, _ := io.ReadAll(io.LimitReader(resp.Body, most)) // if it is truncated, so it is for the next reader
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), resp.Body), resp.Body}
	return string(start)
}

// Response is a response of the API as received.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends one request with the negotiated version, and returns its response, for what the typed methods do not cover.
// path is relative to /v1 and starts with a slash; its elements must be escaped. A body that is not nil is sent as
// JSON. A response outside 200 to 299 is an [*HTTPError] of its type, a missing response a [*ConnectionError].
func (c *Client) Do(ctx context.Context, method, path string, query url.Values, body any) (*Response, error) {
	s, err := c.session(ctx)
	if err != nil {
		return nil, err
	}
	once := method == http.MethodPut // some GETs of Ironic are commands
	resp, err := s.send(ctx, &call{Request: rest.Request{Method: method, Path: path, Query: query, Body: body, Once: once}})
	if err != nil {
		return nil, err
	}
	return &Response{Status: resp.Status, Header: resp.Header, Body: resp.Body}, nil
}

// do sends a request to a resource that the dialect must have; operation describes it in an error.
func (c *Client) do(ctx context.Context, resource, operation string, r *call) (*rest.Response, error) {
	s, err := c.session(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.dialect.need(resource, operation); err != nil {
		return nil, err
	}
	return s.send(ctx, r)
}

// unusable returns the typed error for a successful response that violates the API's contract.
func unusable(resp *rest.Response, method string, err error) error {
	if !rest.IsJSON(resp.Header) || !gjson.ValidBytes(resp.Body) {
		err = errors.New(resp.NotJSON())
	}
	err = resp.ConcealError(err)
	return &ResponseError{Method: method, Path: resp.Path, Status: resp.Status, RequestID: resp.Conceal(requestID(resp.Header)), Err: err}
}
