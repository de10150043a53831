package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/craton-fleet/craton/server/store/engine"
)

// conn is a connection with its prepared statements and its running transaction. Only one goroutine may use it at a
// time.
type conn struct {
	engine *Engine
	sql    *sql.Conn // nil until opened
	stmts  map[string]*sql.Stmt
	failed error // error of the last failed statement; reset before each function runs
}

// maxStatements is the maximum number of prepared statements per connection. Requests can combine filters and sort keys
// in so many ways that their number would grow without a limit.
const maxStatements = 200

func (s *Engine) conn() *conn {
	return &conn{engine: s, stmts: map[string]*sql.Stmt{}}
}

// open returns a new open connection.
func (s *Engine) open(ctx context.Context) (*conn, error) {
	q := s.conn()
	return q, q.connect(ctx)
}

// connect opens the connection if it is not open. It first checks that the path still leads to the original file,
// because SQLite would apply the write-ahead log to any other file.
func (q *conn) connect(ctx context.Context) (err error) {
	if q.sql == nil {
		if err := q.engine.guard.check(); err != nil {
			return err
		}
		q.sql, err = q.engine.db.Conn(ctx)
	}
	return err
}

// close closes the connection if it is open.
func (q *conn) close() {
	if q.sql == nil {
		return
	}
	q.closeStatements()
	_ = q.sql.Close() // the connection is discarded in any case
	q.sql = nil
}

// closeStatements closes all prepared statements.
func (q *conn) closeStatements() {
	for _, stmt := range q.stmts {
		_ = stmt.Close()
	}
	clear(q.stmts)
}

func (q *conn) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt := q.stmts[text]; stmt != nil {
		return stmt, nil
	}
	if len(q.stmts) >= maxStatements {
		q.closeStatements()
	}
	stmt, err := q.sql.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	q.stmts[text] = stmt
	return stmt, nil
}

// Exec, QueueExec, Row, QueueRow and Each implement [engine.Tx].
func (q *conn) Exec(ctx context.Context, text string, args []any) error {
	stmt, err := q.prepare(ctx, text)
	if err == nil {
		_, err = stmt.ExecContext(ctx, args...)
	}
	return q.note(err)
}

func (q *conn) QueueExec(ctx context.Context, text string, args []any) error {
	return q.Exec(ctx, text, args)
}

func (q *conn) Row(ctx context.Context, text string, args []any, dest ...any) error {
	stmt, err := q.prepare(ctx, text)
	if err == nil {
		err = stmt.QueryRowContext(ctx, args...).Scan(dest...)
	}
	return q.note(err)
}

func (q *conn) QueueRow(ctx context.Context, text string, args []any, answer *engine.RowState, dest ...any) error {
	err := q.Row(ctx, text, args, dest...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		*answer, err = engine.RowMissing, nil
	case err == nil:
		*answer = engine.RowFound
	}
	return err
}

func (q *conn) Each(ctx context.Context, text string, args, dest []any, fn func() error) error {
	stmt, err := q.prepare(ctx, text)
	if err != nil {
		return q.note(err)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return q.note(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return q.note(err)
		}
		if err := fn(); err != nil {
			return err
		}
	}
	return q.note(rows.Err())
}

// note records the error of a statement, to distinguish errors of SQLite from refusals by the code that uses the
// transaction.
func (q *conn) note(err error) error {
	switch {
	case err == nil, errors.Is(err, sql.ErrNoRows):
		return err
	case isUnique(err):
		err = fmt.Errorf("%w: %w", engine.ErrUnique, err)
	case isReference(err):
		err = fmt.Errorf("%w: %w", engine.ErrReference, err)
	}
	q.failed = err
	return err
}

// rollback rolls back a transaction, even if ctx is done.
func (q *conn) rollback(ctx context.Context) error {
	_, err := q.sql.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	return err
}

// Read implements [engine.Engine].
func (s *Engine) Read(ctx context.Context, run func(ctx context.Context, tx engine.Tx) error) error {
	q, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer s.release(q)
	// The first statement that reads takes the snapshot. It has to wait for locks of other processes; later statements
	// do not.
	err = s.retryBusy(ctx, func() error {
		if err := q.connect(ctx); err != nil {
			return err
		}
		err := q.Exec(ctx, "BEGIN", nil)
		if err == nil {
			var version int
			err = q.Row(ctx, "PRAGMA schema_version", nil, &version)
		}
		if err != nil {
			_ = q.rollback(ctx) // if ctx is done, BEGIN may or may not have taken effect
		}
		return err
	})
	failed := err != nil
	if err == nil {
		if err = s.guard.checkContents(); err == nil {
			q.failed = nil
			err = run(ctx, q)
			failed = q.failed != nil
		}
		if end := q.rollback(ctx); end != nil {
			err, failed = errors.Join(err, end), true
		}
	}
	return s.end(q, failed, err)
}

// Peek implements [engine.Engine]. Each statement is a separate transaction. Peek checks after the read that the file
// is still the same.
func (s *Engine) Peek(ctx context.Context, run func(ctx context.Context, tx engine.Tx) error) error {
	q, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer s.release(q)
	err = s.retryBusy(ctx, func() error {
		if err := q.connect(ctx); err != nil {
			q.failed = err
			return err
		}
		q.failed = nil
		return run(ctx, q)
	})
	if q.failed == nil {
		if lost := s.guard.checkContents(); lost != nil {
			return lost
		}
	}
	return s.end(q, q.failed != nil, err)
}

// end returns the error for the caller of a transaction that ended with err. failed reports whether SQLite failed.
func (s *Engine) end(q *conn, failed bool, err error) error {
	if !failed {
		return err
	}
	if !s.scratch { // a scratch file has no name and cannot be opened again
		q.close() // its state is uncertain, and nothing is lost with it
	}
	return s.outcome(err)
}

// outcome converts SQLite's error to one with the reason, such as a replaced file.
func (s *Engine) outcome(err error) error {
	if lost := s.guard.checkContents(); lost != nil {
		return lost
	}
	return fault(s.path, err)
}

// acquire waits for a connection for reading. It prefers an open one, because opening takes longer than most requests,
// and a process that runs one task does not need a second connection.
func (s *Engine) acquire(ctx context.Context) (*conn, error) {
	select {
	case q := <-s.idle:
		return q, nil
	default:
	}
	select {
	case q := <-s.unopened:
		return q, nil
	default:
	}
	s.waits.Add(1)
	defer func(begin time.Time) { s.waited.Add(int64(time.Since(begin))) }(time.Now())
	select {
	case q := <-s.idle:
		return q, nil
	case q := <-s.unopened:
		return q, nil
	case <-s.writer.quit:
		return nil, engine.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// release ends the use of a connection.
func (s *Engine) release(q *conn) {
	if q.sql == nil {
		s.unopened <- q
	} else {
		s.idle <- q
	}
}
