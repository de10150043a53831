package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/craton-fleet/craton/server/store/engine"
)

// conn is one connection with its prepared statements, and the transaction
// that runs on it. It is used by one goroutine at a time.
type conn struct {
	engine *Engine
	sql    *sql.Conn // nil until opened
	stmts  map[string]*sql.Stmt
	failed error // the last error of a statement since it was cleared
}

// maxStatements bounds the prepared statements kept by a connection. Requests
// combine filters and sort keys freely, so their number has no bound of its own.
const maxStatements = 200

func (s *Engine) conn() *conn {
	return &conn{engine: s, stmts: map[string]*sql.Stmt{}}
}

// open returns a connection that is open.
func (s *Engine) open(ctx context.Context) (*conn, error) {
	q := s.conn()
	return q, q.connect(ctx)
}

// connect opens the connection, if it is not open. SQLite must not open another file under the same path: it would
// apply our log to it.
func (q *conn) connect(ctx context.Context) (err error) {
	if q.sql == nil {
		if err := q.engine.guard.check(); err != nil {
			return err
		}
		q.sql, err = q.engine.db.Conn(ctx)
	}
	return err
}

// close gives the connection back, if it is open.
func (q *conn) close() {
	if q.sql == nil {
		return
	}
	q.closeStatements()
	_ = q.sql.Close() // it is done with, whatever it says
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

// note records that a statement failed: the error comes from SQLite, and is not a refusal by the user of the
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

// rollback ends a transaction whatever became of ctx.
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
	// The first statement that reads takes the snapshot. It waits for whatever is in the way; after it nothing can be.
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
			_ = q.rollback(ctx) // who went away meanwhile may have begun one, and may not
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

// Peek implements [engine.Engine]: each statement is its own transaction. Whether the file is still the same is checked
// after the read.
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

// end returns the error of a transaction that ended with err, on a connection that may have failed.
func (s *Engine) end(q *conn, failed bool, err error) error {
	if !failed {
		return err
	}
	if !s.scratch { // whose file has no name to be opened by once more
		q.close() // nothing was written; a connection in doubt is not worth keeping
	}
	return s.outcome(err)
}

// outcome returns the error for the caller of a failed transaction: with the reason behind SQLite's error.
func (s *Engine) outcome(err error) error {
	if lost := s.guard.checkContents(); lost != nil {
		return lost
	}
	return fault(s.path, err)
}

// acquire waits for a connection for reading, and prefers an open one: opening takes longer than most requests, and a
// process that runs one task needs no second connection.
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
