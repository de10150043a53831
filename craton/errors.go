package craton

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// Error is every failure that the API answered with: the HTTP status and the server's own words.
// Failures to reach the API at all are *ConnectionError.
type Error struct {
	Status    int    // HTTP status, such as 404
	Message   string // the server's message (v1 contract §4), or the start of a body that is none of its own
	Method    string // of the request
	Path      string // of the request, without its query
	RequestID string // x-openstack-request-id of the answer, to be found in the server's log
}

// Error names what was asked, of whom, and what the server said.
func (e *Error) Error() string {
	msg := strings.TrimSpace(e.Message)
	if msg == "" {
		msg = "the server gave no reason"
	}
	s := fmt.Sprintf("%s %s: %d %s: %s", e.Method, e.Path, e.Status, http.StatusText(e.Status), msg)
	if e.Status >= 500 && e.RequestID != "" {
		s += " (request id " + e.RequestID + ")"
	}
	return s
}

// ConnectionError is a request that got no answer: refused, timed out, cut, or not verified.
type ConnectionError struct {
	Method string
	URL    string // without query and credentials
	Err    error
}

// Error says where the connection was meant to go and why it failed.
func (e *ConnectionError) Error() string {
	return fmt.Sprintf("cannot reach the Craton API: %s %s: %v", e.Method, e.URL, e.Err)
}

// Unwrap gives the cause, such as context.DeadlineExceeded or a *tls.CertificateVerificationError.
func (e *ConnectionError) Unwrap() error { return e.Err }

// ResponseError is an answer that is not what the v1 contract promises: not JSON, cut short,
// without the expected member, or a listing whose links go in a circle.
type ResponseError struct {
	Method string
	Path   string
	Err    error
}

// Error says which answer could not be understood and why.
func (e *ResponseError) Error() string {
	return fmt.Sprintf("%s %s: the answer is not a Craton v1 answer: %v", e.Method, e.Path, e.Err)
}

// Unwrap gives the cause.
func (e *ResponseError) Unwrap() error { return e.Err }

// StatusOf is the HTTP status of err when the API answered with one, else 0.
func StatusOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

// IsNotFound tells that the object does not exist, or is not visible to the caller.
func IsNotFound(err error) bool { return StatusOf(err) == http.StatusNotFound }

// IsConflict tells that the name is taken, or that something still depends on the object.
func IsConflict(err error) bool { return StatusOf(err) == http.StatusConflict }

// IsBadRequest tells that the API refused what was sent.
func IsBadRequest(err error) bool { return StatusOf(err) == http.StatusBadRequest }

// IsUnauthenticated tells that the credentials were refused.
// Craton answers 401 for a missing role too (Q19); that is IsForbidden.
func IsUnauthenticated(err error) bool {
	return StatusOf(err) == http.StatusUnauthorized && !IsForbidden(err)
}

// IsForbidden tells that the credentials are good but the role does not suffice.
// Fresh credentials would not help (Q19).
func IsForbidden(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Status == http.StatusForbidden ||
		e.Status == http.StatusUnauthorized && strings.Contains(e.Message, "requires the 'admin' role"))
}

// IsMarkerGone tells that a page walk cannot go on because the row it stood on was deleted meanwhile
// (v1 contract §3.3). Begin the walk anew.
func IsMarkerGone(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status == http.StatusBadRequest &&
		strings.HasPrefix(e.Message, "Marker ") && strings.HasSuffix(e.Message, "does not exist")
}

// errorOf makes the typed error of a response with a failure status. The content type is looked at first:
// proxies and the original's own last resort answer in HTML or plain text.
func errorOf(resp *Response, method, path string) *Error {
	e := &Error{Status: resp.Status, Method: method, Path: path, RequestID: resp.Header.Get("X-Openstack-Request-Id")}
	if mt, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); mt == "application/json" {
		var body struct {
			Message string `json:"message"`
		}
		if json.Unmarshal(resp.Body, &body) == nil && body.Message != "" {
			e.Message = body.Message
			return e
		}
	}
	const most = 200
	text := strings.Join(strings.Fields(string(resp.Body)), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	e.Message = text
	return e
}

// connectionError strips what url.Error repeats: the query may hold values, the URL a password.
func connectionError(method string, u *url.URL, err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	bare := *u
	bare.User, bare.RawQuery = nil, ""
	return &ConnectionError{Method: method, URL: bare.String(), Err: err}
}
