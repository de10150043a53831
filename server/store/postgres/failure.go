package postgres

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/craton-fleet/craton/server/store/engine"
)

// reasons map error codes of the server to reasons, more specific codes first.
var reasons = []struct {
	code   string // or the first two characters of a class of codes
	reason engine.Reason
}{
	{"53100", engine.DiskFull},
	{readOnlyTransaction, engine.ReadOnly},
	{"57P", engine.Unreachable}, // shut down, crashed, starting up, database dropped
	{"08", engine.Unreachable},
	{"53", engine.Busy}, // too many connections, out of memory
	{"55P03", engine.Busy},
	{cancelled, engine.Busy},
	{serializationFailure, engine.Busy},
	{deadlock, engine.Busy},
	{fenced, engine.Busy},
	{"28", engine.NoAccess},
	{"3D000", engine.NoAccess},
	{"3F000", engine.NoAccess},
	{"42501", engine.NoAccess},
	{"58", engine.DiskError},
	{"XX001", engine.Damaged},
	{"XX002", engine.Damaged},
}

// reason returns the reason for an error. It is 0 if the error is a bug in this program, or due to the context.
func reason(err error) engine.Reason {
	if c := code(err); c != "" {
		for _, r := range reasons {
			if strings.HasPrefix(c, r.code) {
				return r.reason
			}
		}
		return 0
	}
	var network net.Error
	var connect *pgconn.ConnectError
	var file *fs.PathError // such as from the backup before a migration; its errno implements net.Error too
	switch {
	case errors.As(err, &file):
		return 0
	case errors.As(err, &connect):
		return engine.Unreachable
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return 0
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, pgconn.ErrConnClosed), pgconn.SafeToRetry(err):
		return engine.Unreachable
	}
	return 0
}

// fault converts an error of the server or the connection to an [engine.DatabaseError]. It returns other errors
// unchanged.
func (s *Engine) fault(err error) error {
	var known *engine.DatabaseError
	if err == nil || errors.As(err, &known) {
		return err
	}
	r := reason(err)
	if r == 0 {
		return err
	}
	return s.failure(r, err)
}

func (s *Engine) failure(r engine.Reason, err error) *engine.DatabaseError {
	return &engine.DatabaseError{Database: s.name, Server: true, Reason: r, Detail: detail(err), Err: err}
}

// detail returns the text of an error in one line.
func detail(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Message
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// isTransient reports whether an error justifies a retry, because its cause is temporary.
func isTransient(err error) bool {
	switch code(err) {
	case serializationFailure, deadlock, foreignKeyViolation, readOnlyTransaction, unknownStatement:
		return true
	}
	if errors.Is(err, errPooler) {
		return true
	}
	r := reason(err)
	return r == engine.Unreachable || r == engine.Busy
}
