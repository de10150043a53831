package craton

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/tidwall/gjson"
)

// Response is an answer of the API as it came.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends one request and returns its answer; the typed methods of the resources are made of it.
// path is relative to /v1 and starts with a slash; each of its elements is escaped already.
// A body that is not nil is sent as JSON. An answer outside 200 to 299 is an *Error, no answer a *ConnectionError.
func (c *Client) Do(ctx context.Context, method, path string, query url.Values, body any) (*Response, error) {
	return c.do(ctx, method, path, query, body, nil)
}

// do is Do; the answer is read into buf if it has room for it.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, body any, buf []byte) (*Response, error) {
	u, err := c.resolve(path)
	if err != nil {
		return nil, err
	}
	u.RawQuery = query.Encode()
	var payload any // nil or []byte: retryablehttp sends it anew with each try
	if body != nil {
		if payload, err = encodeBody(body); err != nil {
			return nil, fmt.Errorf("craton: %s %s: cannot encode the body: %w", method, path, err)
		}
	}
	req, err := retryablehttp.NewRequestWithContext(withMethod(ctx, method), method, u.String(), payload)
	if err != nil {
		return nil, fmt.Errorf("craton: %s %s: %w", method, path, err)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		// The original ignores a body without this type (Q17).
		req.Header.Set("Content-Type", "application/json")
	}

	// Answers are read inside the retry loop, so that one that is cut short is asked for again.
	var read *http.Response
	var data []byte
	req.SetResponseHandler(func(resp *http.Response) (err error) {
		read = resp
		data, err = readBody(resp, buf)
		return err
	})
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.connectionError(ctx, method, u, err)
	}
	if read != resp { // the last try's status asked for one more, so nothing has read it yet
		data, _ = readBody(resp, buf) // a cut message still is one
	}
	r := &Response{Status: resp.StatusCode, Header: resp.Header, Body: data}
	if r.Status < 200 || r.Status > 299 {
		return nil, errorOf(r, method, u.Path)
	}
	return r, nil
}

// readBody reads an answer to its end and closes it: when its length is announced into buf, or if it does not fit
// into one allocation with some room for the next.
func readBody(resp *http.Response, buf []byte) (data []byte, err error) {
	defer resp.Body.Close() //nolint:errcheck // it was read, or it is broken
	if resp.ContentLength > 0 && resp.ContentLength < 1<<26 {
		length := int(resp.ContentLength)
		if cap(buf) < length {
			buf = make([]byte, length+length/8)
		}
		data = buf[:length]
		var n int
		n, err = io.ReadFull(resp.Body, data)
		data = data[:n]
	} else {
		data, err = io.ReadAll(resp.Body)
	}
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return data, fmt.Errorf("%w after %d bytes", errCut, len(data))
		}
		return data, fmt.Errorf("%w after %d bytes: %w", errCut, len(data), err)
	}
	// An answer of HTTP/1.0 without a length ends where the connection does, broken or not (Q31).
	// Every body of the API is an object, so its last byte tells.
	if resp.ContentLength < 0 && isJSON(resp.Header) && len(data) > 0 && !bytes.HasSuffix(bytes.TrimRight(data, " \t\r\n"), []byte("}")) {
		return data, fmt.Errorf("%w after %d bytes", errCut, len(data))
	}
	return data, nil
}

// isJSON tells the API's own answers from those of proxies and of the original's last resort,
// which are HTML or plain text.
func isJSON(h http.Header) bool {
	mt, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return mt == "application/json"
}

// connectionError makes the typed error of a request without an answer.
func (c *Client) connectionError(ctx context.Context, method string, u *url.URL, err error) error {
	var timeout interface{ Timeout() bool }
	if ctx.Err() == nil && !neverSent(err) && (errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()) {
		err = &timeoutError{c.http.HTTPClient.Timeout, err}
	}
	return &ConnectionError{Method: method, URL: bareURL(u), Err: err}
}

// timeoutError puts into words what net/http calls "Client.Timeout exceeded while awaiting headers".
type timeoutError struct {
	after time.Duration
	err   error
}

func (e *timeoutError) Error() string {
	if e.after <= 0 {
		return "timed out: " + e.err.Error()
	}
	text := fmt.Sprintf("no complete answer within %v", e.after)
	if _, tries, ok := strings.Cut(e.err.Error(), " (tried "); ok {
		text += " (tried " + tries
	}
	return text
}

func (e *timeoutError) Unwrap() error { return e.err }
func (e *timeoutError) Timeout() bool { return true }

// resolve joins a path of the API to the base URL. Path elements that are empty or that climb are refused:
// an id of "" or ".." must never reach another resource.
func (c *Client) resolve(path string) (*url.URL, error) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return nil, fmt.Errorf("craton: the path %q does not begin with a slash", path)
	}
	for el := range strings.SplitSeq(rest, "/") {
		plain, err := url.PathUnescape(el)
		if err != nil {
			return nil, fmt.Errorf("craton: the path %q is not well escaped", path)
		}
		if plain == "" || plain == "." || plain == ".." {
			return nil, fmt.Errorf("craton: the path %q has an element that is empty, \".\" or \"..\"", path)
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

// call sends a request and decodes its JSON answer into out, which may be nil. need, when not empty,
// is the member that the answer must have.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body, out any, need string) error {
	resp, err := c.Do(ctx, method, path, query, body)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(resp.Body, out); err != nil {
		return notV1(resp, method, path, err)
	}
	if need != "" && !gjson.GetBytes(resp.Body, need).Exists() {
		return notV1(resp, method, path, errNoMember(need))
	}
	return nil
}

// notV1 makes the typed error of an answer with a good status that is not what the contract promises.
func notV1(resp *Response, method, path string, err error) error {
	if !isJSON(resp.Header) {
		err = fmt.Errorf("its content type is %q, not JSON; check that the URL is that of a Craton API", resp.Header.Get("Content-Type"))
	}
	return &ResponseError{Method: method, Path: path, Err: err}
}

// errNoMember is the cause of a ResponseError whose body lacks what it must have.
func errNoMember(name string) error { return errors.New("it has no member \"" + name + "\"") }
