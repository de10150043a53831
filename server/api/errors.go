package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store"
)

// Messages of the original server (contract §4).
const (
	msgNotFound     = "Not Found"
	msgNoURL        = "The requested URL was not found on the server.  If you entered the URL manually please check your spelling and try again."
	msgMethod       = "The method is not allowed for the requested URL."
	msgBadJSON      = "The browser (or proxy) sent a request that this server could not understand."
	msgUnauthorized = "The request could not be authenticated."
	msgAdmin        = "This action requires the 'admin' role"
	msgUnknown      = "An unknown exception occurred"
)

// Messages of our own.
const (
	msgReadOnly            = "Your role in this project is read-only."
	msgNoUsers             = "This server takes its users from Keystone: create them there."
	msgKeystoneUnavailable = "The token could not be checked, because Keystone is unavailable. Try again; if the problem persists, tell the administrator of this server: its log has the reason."
)

// httpError is an error with a status and a message for the client.
type httpError struct {
	status  int
	message string
	cause   error  // the cause, if it is a fault of the server: for the log, not for the client
	again   string // Retry-After, in seconds; "" for none
}

// Refusal marks the error as one that is not a failure of the database.
func (e *httpError) Refusal() {}

func (e *httpError) Error() string { return e.message }

func fail(status int, format string, args ...any) error {
	return &httpError{status: status, message: fmt.Sprintf(format, args...)}
}

// noTemporary returns the error for a large answer that cannot be written to the directory for temporary files.
func noTemporary(err error) error {
	return &httpError{
		status: http.StatusInternalServerError, again: retryAfter, cause: fmt.Errorf("a large response needs a temporary file (in TMPDIR): %w", err),
		message: "The server cannot write a temporary file for a response of this size. Request less at once, such as with a smaller limit, or tell the administrator of this server: its log has the reason.",
	}
}

var (
	errNotFound = fail(http.StatusNotFound, msgNotFound)
	errBadJSON  = fail(http.StatusBadRequest, msgBadJSON)
	errAdmin    = fail(http.StatusUnauthorized, msgAdmin) // never 403 (contract §1.5)
	// Errors that the original server does not have get the status that fits. 401 would make Keystone clients get a new
	// token and retry.
	errReadOnly = fail(http.StatusForbidden, msgReadOnly)
	errNoUsers  = fail(http.StatusForbidden, msgNoUsers)
)

// invalid returns the error for a request that violates its schema, with all messages, sorted.
func invalid(messages []string) error {
	if len(messages) == 0 {
		return nil
	}
	slices.Sort(messages)
	return fail(http.StatusBadRequest, "The request included the following errors:\n- %s", strings.Join(messages, "\n- "))
}

// statusOf maps the store's errors to a status. Statuses that the python client has no class for (408, 429, 501 to 504,
// ...) make it fail with a recursion (contract §9.5), so none of them is used.
var statusOf = map[store.Code]int{
	store.NotFound:           http.StatusNotFound,
	store.Conflict:           http.StatusConflict,
	store.InUse:              http.StatusConflict,
	store.Invalid:            http.StatusBadRequest,
	store.Forbidden:          http.StatusUnauthorized,
	store.TimedOut:           http.StatusInternalServerError,
	store.PreconditionFailed: http.StatusPreconditionFailed,

	store.BeforeHorizon: http.StatusGone,
	store.NotRetained:   http.StatusConflict,

	// As for readers: 401 would mean that another login could succeed.
	store.ExceedsGrant: http.StatusForbidden,
}

// explain converts an error to the status and message for the client. A fault of the server is logged and not shown.
func (a *API) explain(ctx context.Context, err error) (int, string) {
	var h *httpError
	var s *store.Error
	var key *store.InvalidSortKeyError
	var marker *store.MarkerNotFoundError
	var failed *store.DatabaseError
	switch {
	case errors.As(err, &failed):
		a.report(ctx, err)
		if a.embedded {
			return http.StatusInternalServerError, failed.Error()
		}
		return http.StatusInternalServerError, failed.Public()
	case errors.As(err, &h):
		if h.cause != nil {
			a.report(ctx, h.cause)
			if a.embedded {
				return h.status, h.message + " (" + h.cause.Error() + ")"
			}
		}
		return h.status, h.message
	case errors.As(err, &s) && s.Code == store.Forbidden:
		return http.StatusUnauthorized, msgAdmin
	case errors.As(err, &s):
		return statusOf[s.Code], s.Message
	case errors.As(err, &key), errors.As(err, &marker):
		return http.StatusBadRequest, err.Error()
	}
	a.report(ctx, err)
	return http.StatusInternalServerError, msgUnknown
}

// report logs a fault of the server, unless the client has disconnected.
func (a *API) report(ctx context.Context, err error) {
	if ctx.Err() == nil {
		a.log.ErrorContext(ctx, "request failed", slog.String("error", err.Error()), slog.String("request_id", traceOf(ctx).RequestID))
	}
}

// appendError appends the body of every error: exactly two members.
func appendError(dst []byte, status int, message string) []byte {
	dst = append(dst, "{\n  \"message\": "...)
	dst = jsontext.AppendString(dst, message)
	return fmt.Appendf(dst, ",\n  \"status\": %d\n}\n", status)
}

// Overloaded responds with status 500, because old clients cannot handle 503 and 429, and with Retry-After.
func Overloaded(w http.ResponseWriter, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Retry-After", retryAfter)
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = w.Write(appendError(nil, http.StatusInternalServerError, message)) // the client may be gone
}
