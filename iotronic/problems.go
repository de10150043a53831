package iotronic

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/rest"
)

// ValidationError is the error for a call that cannot be sent: with an empty id, or an invalid path.
type ValidationError struct {
	Err error // what is wrong
}

// Error says what is wrong with the call.
func (e *ValidationError) Error() string { return library + ": " + e.plain() }

func (e *ValidationError) plain() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ValidationError) Unwrap() error { return e.Err }

func (e *ValidationError) ofIotronic() {}

func invalid(format string, args ...any) error { return &ValidationError{fmt.Errorf(format, args...)} }

// InvalidAttributeError is the error for a field, filter or option that cannot be set: the dialect does not have it, or
// another one excludes it.
type InvalidAttributeError struct {
	Attribute string // its name in the API
	Reason    string
}

// Error says which attribute cannot be set, and why.
func (e *InvalidAttributeError) Error() string { return library + ": " + e.plain() }

func (e *InvalidAttributeError) plain() string {
	return fmt.Sprintf("%s cannot be given: %s", e.Attribute, e.Reason)
}

func (e *InvalidAttributeError) ofIotronic() {}

// DialectError is the error for something that the server's dialect does not have at all, for a server with no known
// dialect, or with another one than the configured one.
type DialectError struct {
	Dialect   Dialect // the server's, or the configured one; DialectAuto if the server has none that is known
	Operation string  // the operation, such as "list boards"; "" if that does not matter
	Err       error   // why no dialect was detected, or what the server is; nil otherwise
}

// Error says which servers do not support it, and what to do.
func (e *DialectError) Error() string { return library + ": " + e.plain() }

func (e *DialectError) plain() string {
	if e.Dialect == DialectAuto {
		return fmt.Sprintf("cannot detect the API: %v; check the URL, or set the dialect", e.Err)
	}
	if e.Err != nil {
		return fmt.Sprintf("the dialect is set to %s, and %v; set the dialect to what it is, or to auto", e.Dialect, e.Err)
	}
	return fmt.Sprintf("cannot %s: %s does not have that", e.Operation, e.Dialect.traits().title)
}

// Unwrap returns the cause.
func (e *DialectError) Unwrap() error { return e.Err }

func (e *DialectError) ofIotronic() {}

// UnsupportedVersionError is the error for a version of the API that the server does not support, or a request that
// needs a later one than the negotiated one. The [*NotAcceptableError] in it has status, message and request id.
type UnsupportedVersionError struct {
	Requested Version // the zero Version is "latest"
	Min, Max  Version // the server's; zero if unknown
	// Missing is what the version does not have, each with the version that introduced it, such as "runbooks (since
	// 1.92)"; nil if the server refused the request without details.
	Missing []string
	Err     error // the response, or what is missing
}

// Error says which version was requested and which are supported.
func (e *UnsupportedVersionError) Error() string { return library + ": " + e.plain() }

func (e *UnsupportedVersionError) plain() string {
	if e.Missing != nil {
		return e.Err.Error()
	}
	s := fmt.Sprintf("the server refuses this in API version %s", e.Requested)
	if e.Max != (Version{}) {
		s += fmt.Sprintf(" (it speaks %s to %s)", e.Min, e.Max)
	}
	return s + ": " + e.Err.Error()
}

// Unwrap returns the response.
func (e *UnsupportedVersionError) Unwrap() error { return e.Err }

func (e *UnsupportedVersionError) ofIotronic() {}

// NoUniqueMatchError is the error for a name that several objects have: names of boards need not be unique (reference
// §6, 8).
type NoUniqueMatchError struct {
	Name string
	// Candidates are the UUIDs of the objects with the name, sorted, as far as the caller can see them: boards of other
	// projects are not in lists, but count too.
	Candidates []string
	Err        error // the server's response; nil if the client has found out itself
}

// Error lists the candidates.
func (e *NoUniqueMatchError) Error() string { return library + ": " + e.plain() }

func (e *NoUniqueMatchError) plain() string {
	s := fmt.Sprintf("several objects are called %q", e.Name)
	if len(e.Candidates) > 0 {
		s += ": " + strings.Join(e.Candidates, ", ")
	}
	return s + "; use the UUID"
}

// Unwrap returns the server's response.
func (e *NoUniqueMatchError) Unwrap() error { return e.Err }

func (e *NoUniqueMatchError) ofIotronic() {}

// AmbiguousAuthSystemError is the error for a client without an endpoint and without a way to find one.
type AmbiguousAuthSystemError struct{}

// Error says what is missing.
func (e *AmbiguousAuthSystemError) Error() string { return library + ": " + e.plain() }

func (e *AmbiguousAuthSystemError) plain() string {
	return "must provide Keystone credentials or user-defined endpoint and token"
}

func (e *AmbiguousAuthSystemError) ofIotronic() {}

// AuthorizationFailureError is the error for a request that was not sent because it had no credentials.
type AuthorizationFailureError struct {
	Err error // what Keystone said
}

// Error states why.
func (e *AuthorizationFailureError) Error() string { return library + ": " + e.plain() }

func (e *AuthorizationFailureError) plain() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *AuthorizationFailureError) Unwrap() error { return e.Err }

func (e *AuthorizationFailureError) ofIotronic() {}

// EndpointError is the error for an API endpoint that cannot be used or found.
type EndpointError struct {
	Err error // what is wrong with it
}

// Error says what is wrong.
func (e *EndpointError) Error() string { return e.Err.Error() }

func (e *EndpointError) plain() string { return Plain(e.Err) }

// Unwrap returns the cause.
func (e *EndpointError) Unwrap() error { return e.Err }

func (e *EndpointError) ofIotronic() {}

// EndpointNotFoundError is the error for a catalogue without the service; it is an EndpointError too.
type EndpointNotFoundError struct {
	ServiceTypes []string // that were looked up, in order
	Err          error    // the catalogue's error for the last one
}

// Error says what was looked up.
func (e *EndpointNotFoundError) Error() string { return library + ": " + e.plain() }

func (e *EndpointNotFoundError) plain() string {
	return fmt.Sprintf("the catalogue has no endpoint of type %s: %v", strings.Join(e.ServiceTypes, " or "), e.Err)
}

// Unwrap returns the class above.
func (e *EndpointNotFoundError) Unwrap() error { return &EndpointError{e.Err} }

func (e *EndpointNotFoundError) ofIotronic() {}

// ConnectionError is the error for a request without a response: refused, timed out, cut, or not verified.
type ConnectionError struct {
	Method string // of the request
	URL    string // of the request, without query and credentials
	Err    error  // the cause
}

// Error returns the destination of the connection and why it failed.
func (e *ConnectionError) Error() string { return advice.Join(e.Summary(), e.Advice()) }

// Summary returns the message without advice.
func (e *ConnectionError) Summary() string {
	return fmt.Sprintf("cannot reach the Ironic or Iotronic API: %s %s: %v", e.Method, e.URL, e.Err)
}

// Advice returns what to check if a change may have been executed; "" otherwise.
func (e *ConnectionError) Advice() string {
	if e.Method != http.MethodGet && rest.MaybeExecuted(e.Err) {
		return "it may have been carried out, so look before sending it again"
	}
	return ""
}

// Unwrap returns the cause, such as context.DeadlineExceeded or a *tls.CertificateVerificationError.
func (e *ConnectionError) Unwrap() error { return e.Err }

func (e *ConnectionError) ofIotronic() {}

// ResponseError is the error for a successful response that violates the API's contract: not JSON, without a required
// member, or a listing that goes round in circles.
type ResponseError struct {
	Method    string // of the request
	Path      string // of the request
	Status    int    // HTTP status of the response, from 200 to 299; 0 for a listing
	RequestID string // also in the server's log; "" for a listing
	Err       error  // what is wrong with the response
}

// Error says which response could not be understood, and why.
func (e *ResponseError) Error() string {
	return fmt.Sprintf("%s %s: the answer is not one of Ironic or Iotronic: %v", e.Method, e.Path, e.Err)
}

// Unwrap returns the cause.
func (e *ResponseError) Unwrap() error { return e.Err }

func (e *ResponseError) ofIotronic() {}

// StateTransitionFailedError is the error if a node, or an allocation, has reached another state than the expected one.
type StateTransitionFailedError struct {
	Node     string // as it was asked for
	Of       string // its noun if it is not a node: "allocation"
	Expected string // the state
	Actual   string // the state it is in
	Reason   string // its last error
}

// Error returns the expected and the actual state.
func (e *StateTransitionFailedError) Error() string { return library + ": " + e.plain() }

func (e *StateTransitionFailedError) plain() string {
	s := fmt.Sprintf("%s %s is %q and not on its way to %q", cmp.Or(e.Of, "node"), e.Node, e.Actual, e.Expected)
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}

func (e *StateTransitionFailedError) ofIotronic() {}

// StateTransitionTimeoutError is the error if a node, or an allocation, has not reached the expected state before the
// context ended.
type StateTransitionTimeoutError struct {
	Node     string // as it was asked for
	Of       string // its noun if it is not a node: "allocation"
	Expected string // the state
	Actual   string // its last state; "" if unknown
	Reason   string // its last error
	Err      error  // the context's
}

// Error returns the expected and the last state.
func (e *StateTransitionTimeoutError) Error() string { return library + ": " + e.plain() }

func (e *StateTransitionTimeoutError) plain() string {
	s := fmt.Sprintf("%s %s did not become %q in time", cmp.Or(e.Of, "node"), e.Node, e.Expected)
	if !errors.Is(e.Err, context.DeadlineExceeded) {
		s = fmt.Sprintf("stopped waiting for %s %s to become %q (%v)", cmp.Or(e.Of, "node"), e.Node, e.Expected, e.Err)
	}
	if e.Actual != "" {
		s += fmt.Sprintf("; it was %q last", e.Actual)
	}
	if e.Reason != "" {
		s += "; its last error: " + e.Reason
	}
	return s
}

// Unwrap returns the context's error.
func (e *StateTransitionTimeoutError) Unwrap() error { return e.Err }

func (e *StateTransitionTimeoutError) ofIotronic() {}

// sendError returns the typed error for a request without a response.
func sendError(err error) error {
	if bad, ok := errors.AsType[*rest.BadResponseError](err); ok {
		return &ResponseError{Method: http.MethodGet, Path: bad.Path, Status: bad.Status, RequestID: requestID(bad.Header), Err: bad}
	}
	none, ok := errors.AsType[*rest.TransportError](err)
	if !ok {
		if own, is := errors.AsType[*rest.CallError](err); is {
			err = own.Err
		}
		return &ValidationError{err}
	}
	if denied, ok := errors.AsType[*rest.AuthError](err); ok {
		return &AuthorizationFailureError{denied}
	}
	return (*ConnectionError)(none)
}
