package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/craton-fleet/craton/server/store/engine"
)

// tx is a transaction under way: that of [engine.Tx].
type tx struct {
	conn   *pgx.Conn
	failed error // the error of a statement, after which the transaction is lost
}

func (t *tx) Exec(ctx context.Context, text string, args []any) error {
	_, err := t.conn.Exec(ctx, numbered(text), args...)
	return t.note(err)
}

func (t *tx) Row(ctx context.Context, text string, args []any, dest ...any) error {
	err := t.conn.QueryRow(ctx, numbered(text), args...).Scan(dest...)
	if errors.Is(err, pgx.ErrNoRows) { // it is sql.ErrNoRows too
		return err
	}
	return t.note(err)
}

func (t *tx) Each(ctx context.Context, text string, args, dest []any, fn func() error) error {
	rows, err := t.conn.Query(ctx, numbered(text), args...)
	if err != nil {
		return t.note(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return t.note(err)
		}
		if err := fn(); err != nil {
			return err
		}
	}
	return t.note(rows.Err())
}

// note remembers that a statement failed, which says that an error comes from
// here, and is no refusal of who uses the transaction.
func (t *tx) note(err error) error {
	if err == nil {
		return nil
	}
	if code(err) == uniqueViolation {
		err = fmt.Errorf("%w: %w", engine.ErrUnique, err)
	}
	t.failed = err
	return err
}

// The codes of errors that decide what is done about them (PostgreSQL's
// documentation, appendix A).
const (
	uniqueViolation      = "23505"
	foreignKeyViolation  = "23503"
	readOnlyTransaction  = "25006"
	serializationFailure = "40001"
	deadlock             = "40P01"
)

// code is the code of an error that the server sent; "" for any other.
func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Statements as PostgreSQL numbers their arguments, by how they are written.
// Requests combine filters and sort keys freely: the number of statements that
// are kept is bounded, and they are made anew then.
var (
	statements sync.Map // string -> string
	kept       atomic.Int64
)

const maxStatements = 2000

// numbered replaces every ? outside of quotes by $1, $2, ...
func numbered(text string) string {
	if known, ok := statements.Load(text); ok {
		return known.(string)
	}
	var b strings.Builder
	n, quoted := 0, false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\'':
			quoted = !quoted
			b.WriteByte(c)
		case c == '?' && !quoted:
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		default:
			b.WriteByte(c)
		}
	}
	if kept.Add(1) > maxStatements {
		statements.Clear()
		kept.Store(1)
	}
	statements.Store(text, b.String())
	return b.String()
}
