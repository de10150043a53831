package craton

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/rest"
)

// Error is an error response of the API: the HTTP status and the server's message. It may have any status, even one
// that Craton never sends (Q29). Failures to reach the API are *ConnectionError, successful responses with an unusable
// body *ResponseError.
type Error struct {
	Status int // HTTP status, such as 404
	// Message is the server's complete message (v1 contract §4): validation errors have a line for each fault, without
	// the name of the field (Q18). For a response that is not Craton's, it is the beginning of the body.
	Message   string
	Method    string // of the request
	Path      string // of the request, without its query
	RequestID string // x-openstack-request-id of the response, which is also in the server's log
	Hint      string // what this client knows about the cause and what to do next; often empty
	// Foreign is set if the response is not about an object: it does not have the form of Craton's errors (a proxy,
	// another server), or says that there is no such route. A 404 of that kind is not IsNotFound, so that a mistyped
	// URL never looks like an empty fleet.
	Foreign bool

	noRole bool // the server's message says that the role does not suffice
}

// Error returns the request, the server's message, and what to do next.
func (e *Error) Error() string { return advice.Join(e.Summary(), e.Hint) }

// Advice returns the Hint.
func (e *Error) Advice() string { return e.Hint }

// Summary returns the message without the Hint.
func (e *Error) Summary() string {
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

// ConnectionError reports a request without a response: the connection was refused, timed out, was cut, or could not be
// verified.
type ConnectionError struct {
	Method string // of the request
	URL    string // of the request, without query and credentials
	Err    error  // the cause
}

// Error returns the destination of the connection and why it failed.
func (e *ConnectionError) Error() string { return advice.Join(e.Summary(), e.Advice()) }

// Summary returns the message without the advice.
func (e *ConnectionError) Summary() string {
	return fmt.Sprintf("cannot reach the Craton API: %s %s: %v", e.Method, e.URL, e.Err)
}

// Advice returns what to check if a create may have been executed; "" otherwise.
func (e *ConnectionError) Advice() string {
	if e.Method == http.MethodPost && rest.MaybeExecuted(e.Err) {
		return "it may have been carried out, so check before sending it again"
	}
	return ""
}

// Unwrap returns the cause, such as context.DeadlineExceeded or a *tls.CertificateVerificationError.
func (e *ConnectionError) Unwrap() error { return e.Err }

// AuthError reports a request that was not sent, or not sent again, because its [Auth] could not get credentials for
// it.
type AuthError struct {
	Err error // of the Auth
}

// Error returns why there are no credentials.
func (e *AuthError) Error() string { return (*rest.AuthError)(e).Error() }

// Unwrap returns the Auth's error, such as a *keystone.Error.
func (e *AuthError) Unwrap() error { return e.Err }

// ResponseError reports a response that violates the v1 contract: not JSON, truncated, without a required member, or a
// listing whose links form a loop.
type ResponseError struct {
	Method string // of the request
	Path   string // of the request, relative to /v1
	Err    error  // what is wrong with the response
}

// Error returns which response could not be understood, and why.
func (e *ResponseError) Error() string {
	return fmt.Sprintf("%s %s: the response is not a Craton v1 response: %v", e.Method, e.Path, e.Err)
}

// Unwrap returns the cause.
func (e *ResponseError) Unwrap() error { return e.Err }

// StatusOf returns the HTTP status of err if the API responded with one, or else 0.
func StatusOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

// IsNotFound reports whether the object does not exist, or is not visible to the caller.
// It is false for the 404 of a route that does not exist (Error.Foreign).
func IsNotFound(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status == http.StatusNotFound && !e.Foreign
}

// IsConflict reports whether the name is taken, or something else depends on the object.
func IsConflict(err error) bool { return StatusOf(err) == http.StatusConflict }

// IsBadRequest reports whether the API refused what was sent.
func IsBadRequest(err error) bool { return StatusOf(err) == http.StatusBadRequest }

// IsUnauthenticated reports whether the API or Keystone refused the credentials. Craton returns 401 for a missing role
// too (Q19); that is IsForbidden.
func IsUnauthenticated(err error) bool {
	refused, ok := errors.AsType[interface {
		error
		Unauthorized() bool // of keystone.Error, which this package does not import
	}](err)
	return ok && refused.Unauthorized() || StatusOf(err) == http.StatusUnauthorized && !IsForbidden(err)
}

// IsForbidden reports whether the credentials are valid but the role is not sufficient. New credentials would not help
// (Q19).
func IsForbidden(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Status == http.StatusForbidden ||
		e.Status == http.StatusUnauthorized && (e.noRole || strings.Contains(e.Message, wantsAdmin)))
}

// IsUnexplained reports whether err is a 500 without a reason, which is the original server's response to a request
// that it did not foresee (v1 contract §4). A 500 that says why is a failure of the server, such as a full disk:
// nothing about the request explains it.
func IsUnexplained(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status == http.StatusInternalServerError &&
		(e.Foreign || e.Message == "" || strings.HasPrefix(e.Message, "An unknown exception occurred"))
}

// wantsAdmin is the server's message for a role that does not suffice.
const wantsAdmin = "requires the 'admin' role"

// roleMissing reports whether a 401 means a missing role, which other credentials of the same user do not change,
// rather than an expired token (Q19).
func roleMissing(resp *rest.Response) bool {
	return IsForbidden(newError(&Response{Status: resp.Status, Header: resp.Header, Body: resp.Body}, "", resp.Path))
}

// IsMarkerGone reports whether a listing cannot continue because the object at its marker was deleted meanwhile (v1
// contract §3.3). Start the listing again.
func IsMarkerGone(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status == http.StatusBadRequest &&
		strings.HasPrefix(e.Message, "Marker ") && strings.HasSuffix(e.Message, "does not exist")
}

// newError returns the typed error for a response with an error status. The content type is checked first: proxies, and
// the original itself in some cases, respond with HTML or plain text.
func newError(resp *Response, method, path string) *Error {
	conceal := func(text string) string { return text }
	if resp.of != nil { // a server may repeat the credentials
		conceal = resp.of.Conceal
	}
	e := &Error{Status: resp.Status, Method: method, Path: path, RequestID: conceal(resp.Header.Get("X-Openstack-Request-Id"))}
	defer func() {
		if e.Status == http.StatusUnauthorized && !e.noRole && e.Hint == "" && resp.of != nil {
			e.Hint = resp.of.Refused
		}
	}()
	if rest.IsJSON(resp.Header) {
		var body struct {
			Message string `json:"message"`
		}
		if json.Unmarshal(resp.Body, &body) == nil && body.Message != "" {
			e.Message, e.noRole = conceal(body.Message), strings.Contains(body.Message, wantsAdmin)
			if e.Status == http.StatusNotFound && strings.HasPrefix(e.Message, "The requested URL was not found") {
				e.Foreign, e.Hint = true, hintURL
			}
			return e
		}
	}
	e.Foreign = true
	if e.Status == http.StatusNotFound {
		e.Hint = hintURL
	}
	e.Message = rest.Excerpt([]byte(conceal(string(rest.Start(resp.Body)))))
	return e
}

const hintURL = "check that the configured URL is that of a Craton v1 API"
