package craton

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Response is an answer of the API as it came.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends one request and returns its answer; the typed methods of the resources are made of it.
// path is relative to /v1 and starts with a slash; each of its elements is escaped already.
// A body that is not nil is sent as JSON. An answer of 400 and above is an *Error.
func (c *Client) Do(ctx context.Context, method, path string, query url.Values, body any) (*Response, error) {
	u, err := c.resolve(path)
	if err != nil {
		return nil, err
	}
	u.RawQuery = query.Encode()
	var payload []byte
	if body != nil {
		if payload, err = encodeBody(body); err != nil {
			return nil, fmt.Errorf("craton: %s %s: cannot encode the body: %w", method, path, err)
		}
	}
	req, err := http.NewRequestWithContext(withMethod(ctx, method), method, u.String(), bytes.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("craton: %s %s: %w", method, path, err)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		// The original ignores a body without this type (Q17).
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, connectionError(method, u, err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end below
	data, err := readBody(resp)
	if err != nil {
		return nil, connectionError(method, u, fmt.Errorf("the answer was cut: %w", err))
	}
	r := &Response{Status: resp.StatusCode, Header: resp.Header, Body: data}
	if r.Status >= 400 {
		return nil, errorOf(r, method, u.Path)
	}
	return r, nil
}

// readBody reads an answer into one allocation when its length is announced.
func readBody(resp *http.Response) ([]byte, error) {
	if resp.ContentLength > 0 && resp.ContentLength < 1<<26 {
		data := make([]byte, resp.ContentLength)
		_, err := io.ReadFull(resp.Body, data)
		return data, err
	}
	return io.ReadAll(resp.Body)
}

// resolve joins a path of the API to the base URL. Path elements that climb are refused:
// an id of ".." must never reach another resource.
func (c *Client) resolve(path string) (*url.URL, error) {
	for el := range strings.SplitSeq(path, "/") {
		if el == ".." || el == "." {
			return nil, fmt.Errorf("craton: the path %q climbs", path)
		}
	}
	u := *c.base
	u.RawPath = c.base.EscapedPath() + path
	p, err := url.PathUnescape(u.RawPath)
	if err != nil {
		return nil, fmt.Errorf("craton: the path %q is not well escaped", path)
	}
	u.Path = p
	return &u, nil
}

// encodeBody writes JSON without HTML escapes, so that variables travel as they are.
func encodeBody(body any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// call sends a request and decodes its JSON answer into out, which may be nil.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body, out any) error {
	resp, err := c.Do(ctx, method, path, query, body)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(resp.Body, out); err != nil {
		return &ResponseError{Method: method, Path: path, Err: err}
	}
	return nil
}

// errNoMember is the cause of a ResponseError whose body lacks what it must have.
func errNoMember(name string) error { return errors.New("it has no member \"" + name + "\"") }
