package run

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
)

// exception is an error of python-cratonclient: a class and a sentence (contract §9.5).
type exception struct{ class, text string }

// exceptions are the exceptions by status.
var exceptions = map[int]exception{
	http.StatusBadRequest: {"BadRequest", "The request sent to the server was invalid."},
	http.StatusUnauthorized: {"Unauthorized", "The user has either provided insufficient parameters for authentication or is not authorized to access this" +
		" resource."},
	http.StatusForbidden:                    {"Forbidden", "The user was unable to access the resource because they are forbidden."},
	http.StatusNotFound:                     {"NotFound", "The requested resource was not found."},
	http.StatusMethodNotAllowed:             {"MethodNotAllowed", "The method used in the request is not supported."},
	http.StatusNotAcceptable:                {"NotAcceptable", "The resource can not return acceptable content."},
	http.StatusProxyAuthRequired:            {"ProxyAuthenticationRequired", "The client must first authenticate itself with a proxy."},
	http.StatusConflict:                     {"Conflict", "The request could not be processed due to a conflict."},
	http.StatusGone:                         {"Gone", "The resource requested is no longer available and will not be available again."},
	http.StatusLengthRequired:               {"LengthRequired", "The request did not contain a Content-Length header but one was required by the resource."},
	http.StatusPreconditionFailed:           {"PreconditionFailed", "The server failed to meet one of the preconditions in the request."},
	http.StatusRequestEntityTooLarge:        {"RequestEntityTooLarge", "The request is larger than the server is willing or able to process."},
	http.StatusRequestURITooLong:            {"RequestUriTooLong", "The URI provided was too long for the server to process."},
	http.StatusUnsupportedMediaType:         {"UnsupportedMediaType", "The request entity has a media type which is unsupported by the server or resource."},
	http.StatusRequestedRangeNotSatisfiable: {"RequestedRangeNotSatisfiable", "The requestor wanted a range but the server was unable to provide it."},
	http.StatusUnprocessableEntity: {"UnprocessableEntity", "The request is of a valid content-type and structure but semantically" +
		" invalid."},
	http.StatusInternalServerError: {"InternalServerError", "There was an internal server error that could not be recovered from."},
}

// exceptionOf returns the exception for a status. The original crashed with most of those that are not listed.
func exceptionOf(status int) exception {
	e, ok := exceptions[status]
	switch {
	case !ok && status >= 500:
		e = exception{"HTTPServerError", "HTTP Server-side Error"}
	case !ok:
		e = exception{"HTTPClientError", "Something went wrong with the request."}
	}
	e.class = "cratonclient.exceptions." + e.class
	return e
}

// WordedError is an error in the original's words, followed by additional ones.
type WordedError struct {
	exception
	more string
	err  error // the cause; may be nil
}

// NewWordedError returns an error with a class and the original's words, if it had some, followed by additional words,
// on lines of their own if they begin with a line break, and the cause, which may be nil.
func NewWordedError(class, text, more string, err error) error {
	return &WordedError{exception{class, text}, more, err}
}

func (e *WordedError) Error() string {
	if strings.HasPrefix(e.more, "\n") { // lines of their own
		return e.text + e.more
	}
	return strings.TrimSuffix(e.text+" "+e.more, " ")
}
func (e *WordedError) Unwrap() error { return e.err }

// Verbatim returns an error that says how far a command got, which the original's sentence for a response would hide.
func Verbatim(err error) error {
	if err == nil {
		return nil
	}
	return NewWordedError("", err.Error(), "", err)
}

// CommandError returns an error of the original's class CommandError.
func CommandError(format string, args ...any) error {
	return &WordedError{exception: exception{"cratonclient.exceptions.CommandError", fmt.Sprintf(format, args...)}}
}

// NotFound returns the error for a name that does not exist.
func NotFound(more string) error {
	return &WordedError{exception: exceptionOf(http.StatusNotFound), more: more}
}

// IsNotFound reports whether err was returned by [NotFound].
func IsNotFound(err error) bool {
	e, ok := errors.AsType[*WordedError](err)
	return ok && e.err == nil && e.exception == exceptionOf(http.StatusNotFound)
}

// AsOriginal converts an error of the client to the original's words, if it had some for it.
func AsOriginal(err error) error {
	if _, ok := errors.AsType[*WordedError](err); ok {
		return err
	}
	if e, ok := errors.AsType[*craton.Error](err); ok {
		return &WordedError{exceptionOf(e.Status), serverMessage(e), err}
	}
	if e, ok := errors.AsType[*connect.TimeoutError](err); ok {
		return &WordedError{exception{"", e.Error()}, "", err}
	}
	if e, ok := errors.AsType[*craton.ConnectionError](err); ok {
		return &WordedError{exception{"", advice.Join(fmt.Sprintf("Unable to establish connection to %s: %v", e.URL, e.Err), e.Advice())}, "", err}
	}
	return err
}

// serverMessage returns the server's own message, and what the client knows about it; "" if it adds nothing.
func serverMessage(e *craton.Error) string {
	text := strings.TrimSpace(e.Message)
	if text == http.StatusText(e.Status) && !e.Foreign {
		text = ""
	}
	if e.Status >= 500 && e.RequestID != "" {
		text = strings.TrimSpace(text + " (request id " + e.RequestID + ")")
	}
	return advice.Join(text, e.Hint)
}

// message returns the printed text of a command's error.
func message(err error) string { return connect.Advised(AsOriginal(err)).Error() }

// Wrapped returns an error with what failed before it. The original put the name of a Python class there, which means
// nothing to users. Errors that were not exceptions in the original are returned unchanged. What failed may contain
// names that anybody may have chosen.
func Wrapped(err error, what string) error {
	if err == nil {
		return nil
	}
	e, ok := AsOriginal(err).(*WordedError) //nolint:errorlint // made just now
	if !ok || e.class == "" {
		return err
	}
	return &WordedError{exception{"cratonclient.exceptions.CommandError", show.Clean(what) + ": " + e.text}, e.more, err}
}
