package craton

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/value"
)

// Response is a response of the API as received.
type Response struct {
	Status int
	Header http.Header
	Body   []byte

	of *rest.Response // which has the secrets of the request
}

// Do sends one request and returns its response; the typed methods of the resources use it. path is relative to /v1 and
// starts with a slash; its elements must be escaped. A body that is not nil is sent as JSON, unless it contains a name,
// text or number that no fleet may contain, such as one with a NUL character or 1e400, which the original server
// accepts. A response with a status outside 200 to 299 is an *Error, a missing response a *ConnectionError, missing
// credentials an *AuthError, and a response to a GET that is repeatedly not JSON a *ResponseError.
func (c *Client) Do(ctx context.Context, method, path string, query url.Values, body any) (*Response, error) {
	if err := checkBody(method, path, body); err != nil {
		return nil, err
	}
	return c.do(ctx, method, path, query, body, nil)
}

// do is like Do, but reads the response into buf if it fits.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, body any, buf []byte) (*Response, error) {
	return c.send(ctx, path, &rest.Request{Method: method, Path: path, Query: query, Body: body, Into: buf})
}

// send sends one request about path, and returns its response.
func (c *Client) send(ctx context.Context, path string, r *rest.Request) (*Response, error) {
	if err := cmp.Or(c.addPast(r), c.addMessage(ctx, r)); err != nil {
		return nil, err
	}
	addCondition(ctx, r)
	resp, err := c.rest.Do(ctx, r)
	if err != nil {
		return nil, typedError(err, r.Method, path)
	}
	answer := &Response{Status: resp.Status, Header: resp.Header, Body: resp.Body, of: resp}
	if !resp.OK() {
		return nil, newError(answer, r.Method, resp.Path)
	}
	return answer, nil
}

// typedError returns this package's error for a request without a response, or without one from an API.
func typedError(err error, method, path string) error {
	if bad, ok := errors.AsType[*rest.BadResponseError](err); ok {
		return &ResponseError{Method: method, Path: path, Err: bad}
	}
	if none, ok := errors.AsType[*rest.AuthError](err); ok {
		return (*AuthError)(none)
	}
	if none, ok := errors.AsType[*rest.TransportError](err); ok {
		return (*ConnectionError)(none)
	}
	return err
}

// call sends a request and decodes its JSON response into out, which may be nil. need, if not empty, is a member that
// the response must have, and that must not be null.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body, out any, need string) error {
	resp, err := c.Do(ctx, method, path, query, body)
	if err != nil || out == nil {
		return err
	}
	return resp.decode(method, path, out, need)
}

// decode decodes the response's JSON into out, as call does.
func (resp *Response) decode(method, path string, out any, need string) error {
	if need != "" && gjson.ValidBytes(resp.Body) {
		if err := rest.Need(resp.Body, need); err != nil {
			return newResponseError(resp, method, path, err)
		}
	}
	if err := json.Unmarshal(resp.Body, out); err != nil {
		return newResponseError(resp, method, path, err)
	}
	if err := checkRow(gjson.ParseBytes(resp.Body), "name", value.IsDecodable(string(resp.Body))); err != nil {
		return newResponseError(resp, method, path, err)
	}
	return nil
}

// newResponseError returns the typed error for a successful response that violates the contract.
func newResponseError(resp *Response, method, path string, err error) error {
	if !rest.IsJSON(resp.Header) || !gjson.ValidBytes(resp.Body) {
		answer := resp.of
		if answer == nil {
			answer = &rest.Response{Header: resp.Header, Body: resp.Body}
		}
		err = errors.New(answer.NotJSON())
	}
	if resp.of != nil {
		err = resp.of.ConcealError(err)
	}
	return &ResponseError{Method: method, Path: path, Err: err}
}

// errNoMember returns the cause of a ResponseError whose body lacks a required member.
func errNoMember(name string) error { return rest.Need([]byte("{}"), name) }
