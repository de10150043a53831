package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/craton-fleet/craton/server/store/engine"
)

// tx is a running transaction, an [engine.Tx]. To save round trips, which can take a millisecond each, the statements
// that begin it are sent with its first statement, queued statements with the next one, and the commit with the last
// one.
type tx struct {
	conn      *pgxpool.Conn
	queue     *pgx.Batch // sent with the next statement
	questions []question // the statements in queue whose results are needed
	begins    int        // number of statements that begin the transaction
	size      int        // bytes of text in queue
	begun     bool       // the server has begun the transaction
	failed    error      // the error of a statement, after which the transaction can only be rolled back

	// renew, if not nil, replaces a connection that turns out to be broken by the first statement. It is for
	// transactions that are not retried.
	renew func(ctx context.Context, broken *pgxpool.Conn) (*pgxpool.Conn, error)
}

// question is a queued statement whose result is needed.
type question struct {
	at     int // index in the queue
	answer *engine.RowState
	dest   []any
}

// read reads the result of the statement, which must be the next one.
func (q *question) read(results pgx.BatchResults) error {
	err := results.QueryRow().Scan(q.dest...)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		*q.answer, err = engine.RowMissing, nil
	case err == nil:
		*q.answer = engine.RowFound
	}
	return err
}

// Limits of the queue, in statements and bytes.
const (
	maxQueued     = 64
	maxQueuedSize = 1 << 20
)

// newTx returns a transaction that begins with the given statements.
func newTx(conn *pgxpool.Conn, begin ...string) *tx {
	t := &tx{conn: conn, queue: &pgx.Batch{}, begins: len(begin)}
	for _, text := range begin {
		t.queue.Queue(text)
	}
	return t
}

func (t *tx) Exec(ctx context.Context, text string, args []any) error {
	t.queue.Queue(numbered(text), args...)
	_, err := t.flush(ctx)
	return t.note(err)
}

func (t *tx) QueueExec(ctx context.Context, text string, args []any) error {
	t.queue.Queue(numbered(text), args...)
	for _, arg := range args {
		if text, ok := arg.(string); ok {
			t.size += len(text)
		}
	}
	if t.queue.Len() < maxQueued && t.size < maxQueuedSize {
		return nil
	}
	_, err := t.flush(ctx)
	return t.note(err)
}

func (t *tx) QueueRow(_ context.Context, text string, args []any, answer *engine.RowState, dest ...any) error {
	t.questions = append(t.questions, question{t.queue.Len(), answer, dest})
	t.queue.Queue(numbered(text), queryArgs(args)...)
	return nil
}

func (t *tx) Row(ctx context.Context, text string, args []any, dest ...any) error {
	rest, err := t.send(ctx, text, args)
	if err != nil {
		return t.note(err)
	}
	err = rest.QueryRow().Scan(dest...)
	if end := rest.Close(); err == nil {
		err = end
	}
	if errors.Is(err, pgx.ErrNoRows) { // errors.Is(err, sql.ErrNoRows) holds for it too
		return err
	}
	return t.note(err)
}

func (t *tx) Each(ctx context.Context, text string, args, dest []any, fn func() error) error {
	rest, err := t.send(ctx, text, args)
	if err != nil {
		return t.note(err)
	}
	var stopped error
	rows, err := rest.Query()
	for err == nil && stopped == nil && rows.Next() {
		if err = rows.Scan(dest...); err == nil {
			stopped = fn()
		}
	}
	rows.Close()
	if err == nil {
		err = rows.Err()
	}
	if end := rest.Close(); err == nil {
		err = end
	}
	if err != nil {
		return t.note(err)
	}
	return stopped
}

// flush sends the queue, and returns the command tag of its last statement.
func (t *tx) flush(ctx context.Context) (tag pgconn.CommandTag, err error) {
	n := t.queue.Len()
	rest, err := t.results(ctx, n-1)
	if err != nil {
		return tag, err
	}
	tag, err = rest.Exec()
	if end := rest.Close(); err == nil {
		err = end
	}
	return tag, err
}

// send sends the queue and a statement. In the results that it returns, only those of that statement are left to read.
func (t *tx) send(ctx context.Context, text string, args []any) (pgx.BatchResults, error) {
	t.queue.Queue(numbered(text), queryArgs(args)...)
	return t.results(ctx, t.queue.Len()-1)
}

// queryArgs returns the arguments of a query. PostgreSQL does not accept text with a NUL. Such an argument cannot match
// any stored text, so it is replaced with null, which does not match anything either.
func queryArgs(args []any) []any {
	for i, arg := range args {
		if text, ok := arg.(string); ok && strings.Contains(text, "\x00") {
			args = slices.Clone(args)
			args[i] = nil
		}
	}
	return args
}

// results sends the queue, and reads the results of its first statements.
func (t *tx) results(ctx context.Context, read int) (pgx.BatchResults, error) {
	queue, questions := t.queue, t.questions
	t.queue, t.questions, t.size = &pgx.Batch{}, nil, 0
	for {
		rest := t.conn.SendBatch(ctx, queue)
		var err error
		for i, asked := 0, questions; i < read && err == nil; i++ {
			if len(asked) > 0 && asked[0].at == i {
				err, asked = asked[0].read(rest), asked[1:]
			} else {
				_, err = rest.Exec()
			}
		}
		if err == nil {
			t.begun = true
			return rest, nil
		}
		_ = rest.Close() // returns the same error
		if t.begun || t.renew == nil || reason(err) != engine.Unreachable {
			t.begun = true
			return nil, err
		}
		if t.conn, err = t.renew(ctx, t.conn); err != nil {
			return nil, err
		}
		// The batch cannot be sent again: it refers to statements that were prepared on the broken connection.
		anew := &pgx.Batch{}
		for _, q := range queue.QueuedQueries {
			anew.Queue(q.SQL, q.Arguments...)
		}
		queue = anew
	}
}

// commit sends the queue and a COMMIT, and reports whether the transaction was committed. If lazy, it is not durable
// until settle has returned.
func (t *tx) commit(ctx context.Context, lazy bool) (done bool, err error) {
	if !t.begun && t.queue.Len() == t.begins {
		return true, nil // nothing was sent, so there is nothing to commit
	}
	if lazy {
		t.queue.Queue(lazily)
	}
	t.queue.Queue("COMMIT")
	tag, err := t.flush(ctx)
	return err == nil && tag.String() == "COMMIT", err
}

// note records the error of a statement, to distinguish it from errors of the code that uses the transaction.
func (t *tx) note(err error) error {
	if err == nil {
		return nil
	}
	switch code(err) {
	case uniqueViolation:
		err = fmt.Errorf("%w: %w", engine.ErrUnique, err)
	case foreignKeyViolation:
		err = fmt.Errorf("%w: %w", engine.ErrReference, err)
	}
	t.failed = err
	return err
}

// SQLSTATE codes that the package handles (PostgreSQL's documentation, appendix A).
const (
	uniqueViolation      = "23505"
	foreignKeyViolation  = "23503"
	readOnlyTransaction  = "25006"
	serializationFailure = "40001"
	deadlock             = "40P01"
	cancelled            = "57014" // by a timeout of the server, or a conflict on a standby
	unknownStatement     = "26000" // a prepared statement that no longer exists
	fenced               = "22012" // division by zero, which only the fence of the change log causes: it was raised after the transaction began
)

// code returns the SQLSTATE of an error from the server, or "" for any other error.
func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// statements caches statements with numbered placeholders, by their text with question marks. Requests can combine
// filters and sort keys in many ways, so the cache is cleared when it reaches its maximum size.
var (
	statements sync.Map // string -> string
	kept       atomic.Int64
)

const maxStatements = 2000

// numbered replaces each ? outside quotes with $1, $2, ...
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
