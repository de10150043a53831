package iotronic

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/value"
)

// Error is implemented by every error of this package, and is the root of the hierarchy (reference §3): errors.As with
// a variable of this type distinguishes them from others.
type Error interface {
	error
	ofIotronic()
}

// HTTPError is an error response of a server. Only statuses without a type of their own have exactly this type;
// errors.As finds it in the others too, as well as the classes between them: [HTTPRedirectionError], [HTTPClientError],
// [HTTPServerError].
type HTTPError struct {
	Status     int           // HTTP status, such as 404
	Message    string        // the server's complete message; it may contain templates that the server failed to fill in (reference §2.7)
	Details    string        // the server's details for debugging; often empty
	Method     string        // of the request
	Path       string        // of the request, without its query
	RequestID  string        // also in the server's log
	RetryAfter time.Duration // how long the server asks to wait; 0 if it does not
	Hint       string        // what this client knows about the cause and what to do next; often empty
	// Foreign is set if the response is not about an object: there is no such route, or it came from a proxy or another
	// server. A 404 of that kind is not IsNotFound, so that a wrong dialect never looks like an empty fleet (reference
	// §6, 6).
	Foreign bool

	markerGone bool
	lost       bool // an earlier attempt of the delete may have been executed
	basic      bool // the server requires a name and a password
	refused    string
	scope      string // the scope that the server requires, such as system
}

// Error returns the request, the server's message, and what to do next.
func (e *HTTPError) Error() string { return advice.Join(e.Summary(), e.Hint) }

// Advice returns the Hint.
func (e *HTTPError) Advice() string { return e.Hint }

// Summary returns the message without the Hint.
func (e *HTTPError) Summary() string {
	s := fmt.Sprintf("%s %s: %d %s", e.Method, e.Path, e.Status, http.StatusText(e.Status))
	if msg := strings.TrimSpace(e.Message); msg != "" && msg != http.StatusText(e.Status) {
		s += ": " + msg
	}
	if e.Status >= 500 && e.RequestID != "" {
		s += " (request id " + e.RequestID + ")"
	}
	return s
}

func (e *HTTPError) ofIotronic() {}

func (e *HTTPError) base() *HTTPError { return e }

// As finds HTTPError and the class of the status in the types below.
func (e *HTTPError) As(target any) bool {
	switch t := target.(type) {
	case **HTTPError:
		*t = e
		return true
	case **HTTPRedirectionError:
		if e.Status/100 == 3 {
			*t = &HTTPRedirectionError{*e}
			return true
		}
	case **HTTPClientError:
		if e.Status/100 == 4 {
			*t = &HTTPClientError{*e}
			return true
		}
	case **HTTPServerError:
		if e.Status >= 500 {
			*t = &HTTPServerError{*e}
			return true
		}
	}
	return false
}

// httpErrorIn returns the HTTPError of any type in err, nil if there is none.
func httpErrorIn(err error) *HTTPError {
	if e, ok := errors.AsType[interface {
		error
		base() *HTTPError
	}](err); ok {
		return e.base()
	}
	return nil
}

// StatusOf returns the HTTP status of err if a server responded with one, or else 0.
func StatusOf(err error) int {
	if e := httpErrorIn(err); e != nil {
		return e.Status
	}
	return 0
}

// IsNotFound reports whether the object does not exist, or is not visible to the caller. It is false for the 404 of a
// route that does not exist ([IsWrongDialect]) and of a listing whose marker was deleted ([IsMarkerGone]).
func IsNotFound(err error) bool {
	e := httpErrorIn(err)
	return e != nil && e.Status == http.StatusNotFound && !e.Foreign && !e.markerGone
}

// IsMarkerGone reports whether a listing cannot continue because the object at its marker was deleted meanwhile. Start
// the listing again.
func IsMarkerGone(err error) bool {
	e := httpErrorIn(err)
	return e != nil && e.markerGone
}

// IsWrongDialect reports whether the server does not support the request at all: its dialect lacks it, or it has
// another dialect than the configured one.
func IsWrongDialect(err error) bool {
	if _, ok := errors.AsType[*DialectError](err); ok {
		return true
	}
	e := httpErrorIn(err)
	return e != nil && e.Status == http.StatusNotFound && e.Foreign
}

// IsConflict reports whether a name is taken, or the object's state or a lock prevents the request.
func IsConflict(err error) bool { return StatusOf(err) == http.StatusConflict }

// IsLocked reports whether another operation locks the object; the client has retried already.
func IsLocked(err error) bool {
	e := httpErrorIn(err)
	return e != nil && e.Status == http.StatusConflict && isLocked(e.Message)
}

func isLocked(message string) bool { return strings.Contains(message, "is locked by host") }

// isNotLocked reports whether the request was executed, but its lock was gone: in an Ironic on SQLite, a new node gets
// the number of a node that was just deleted, and the lock is released by number.
func isNotLocked(err error) bool {
	e := httpErrorIn(err)
	return e != nil && e.Status == http.StatusBadRequest && strings.Contains(e.Message, "found not to be locked on release")
}

// IsBadRequest reports whether the server refused the contents of the request.
func IsBadRequest(err error) bool { return StatusOf(err) == http.StatusBadRequest }

// IsUnauthenticated reports whether the API or Keystone refused the credentials.
func IsUnauthenticated(err error) bool {
	return refusedByKeystone(err) || StatusOf(err) == http.StatusUnauthorized
}

// WantsBasicAuth reports whether the credentials were refused by a server that only accepts a name and a password in
// each request ([WithBasicAuth]).
func WantsBasicAuth(err error) bool {
	e := httpErrorIn(err)
	return e != nil && e.basic
}

// RefusalHint returns the text of [WithRefusalHint] if a server refused the credentials; "" for other errors.
func RefusalHint(err error) string {
	if e := httpErrorIn(err); e != nil {
		return e.refused
	}
	return ""
}

// IsForbidden reports whether the credentials are valid but the role, or the scope, is not sufficient.
func IsForbidden(err error) bool {
	e := httpErrorIn(err)
	return e != nil && (e.Status == http.StatusForbidden || e.scope != "")
}

// wrongScope finds the scope that a policy requires and a token does not have. Ironic responds with 500 then.
var wrongScope = value.LazyPattern(`requires a scope of \['(\w+)'`)

// errorOf returns the typed error for an error response to a request with a body, whose secrets it must not contain.
func errorOf(resp *rest.Response, method string, sent any) error {
	e := HTTPError{Status: resp.Status, Method: method, Path: resp.Path, RequestID: resp.Conceal(requestID(resp.Header))}
	e.lost = resp.Lost && method == http.MethodDelete
	e.basic = resp.Status == http.StatusUnauthorized && strings.HasPrefix(strings.ToLower(resp.Header.Get("WWW-Authenticate")), "basic")
	e.RetryAfter, _ = rest.RetryAfter(resp.Header)
	body := concealing(sent)
	e.parse(resp, func(text string) string { return body(resp.Conceal(text)) })
	switch {
	case e.Foreign && e.Status == http.StatusNotFound:
		e.Hint = "the server has no such route: check that the URL is that of an Ironic or Iotronic API, and which dialect it speaks"
	case e.Status/100 == 3 && resp.Header.Get("Location") != "":
		e.Hint = "the redirect was not followed" + leading(resp)
	}
	if e.Status == http.StatusUnauthorized {
		e.refused = resp.Refused
	}
	if e.Status == http.StatusBadRequest && strings.HasPrefix(e.Message, "Unable to apply the requested parent_node") {
		e.Hint = "Ironic wants the parent to have the same owner as the node"
	}
	if found := wrongScope().FindStringSubmatch(e.Message); found != nil && (e.Status == http.StatusInternalServerError || e.Status == http.StatusForbidden) {
		if e.scope = found[1]; e.scope == "system" {
			e.Hint = "sign in to the system instead of a project, with system_scope: all (OS_SYSTEM_SCOPE=all)"
		}
	}
	if typed, ok := httpErrors[e.Status]; ok {
		return typed(e)
	}
	switch {
	case e.Status/100 == 3:
		return &HTTPRedirectionError{e}
	case e.Status/100 == 4:
		return &HTTPClientError{e}
	case e.Status >= 500:
		return &HTTPServerError{e}
	}
	return &e
}

// parse reads the message from a body of any of the kinds in reference §2.7, and conceals secrets in it.
func (e *HTTPError) parse(resp *rest.Response, conceal func(string) string) {
	excerpt := func() string { return rest.Excerpt([]byte(conceal(string(rest.Start(resp.Body))))) }
	if !rest.IsJSON(resp.Header) || !gjson.ValidBytes(resp.Body) {
		e.Foreign, e.Message = true, excerpt()
		return
	}
	defer func() { e.Message, e.Details = conceal(e.Message), conceal(e.Details) }()
	fault := gjson.GetBytes(resp.Body, "error_message")
	if fault.Type == gjson.String {
		if !gjson.Valid(fault.Str) || !gjson.Parse(fault.Str).IsObject() {
			e.Message = fault.Str
			return
		}
		fault = gjson.Parse(fault.Str) // JSON, as a string
	}
	e.Details = fault.Get("debuginfo").String()
	for _, at := range []string{"faultstring", "description", "title"} {
		if e.Message = fault.Get(at).String(); e.Message != "" {
			break
		}
	}
	// The router's own errors have a title and a description instead of a fault.
	e.Foreign = fault.IsObject() && !fault.Get("faultcode").Exists()
	if !fault.IsObject() {
		e.Message = gjson.GetBytes(resp.Body, "error.message").String() // Keystone's middleware
		e.Foreign = e.Message == "" || e.Status == http.StatusNotFound  // never set by the middleware
	}
	if e.Message == "" {
		e.Message = excerpt()
	}
}

// requestID returns the request's id in the server's log. Servers and clients disagree about the header's name
// (reference §1.4).
func requestID(h http.Header) string {
	for _, name := range []string{"Openstack-Request-Id", "X-Openstack-Request-Id", "X-Compute-Request-Id"} {
		if id := h.Get(name); id != "" {
			return id
		}
	}
	return ""
}

// leading returns where a redirect leads.
func leading(resp *rest.Response) string {
	to, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || to.Host == "" {
		return ""
	}
	return "; if the API is there, set the URL to where it leads: " + resp.Conceal(rest.BareURL(to))
}

// Plain returns the text of an error without the name of this package, with which all errors except responses begin.
func Plain(err error) string {
	switch e := err.(type) { //nolint:errorlint // what wraps it begins otherwise
	case interface{ plain() string }:
		return e.plain()
	case *rest.CallError:
		return e.Err.Error()
	}
	return err.Error()
}

// hinted adds what to do next to a server's error response.
func hinted(err error, text string) error {
	if e := httpErrorIn(err); e != nil && e.Hint == "" {
		e.Hint = text
	}
	return err
}
