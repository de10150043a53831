package store

import (
	"context"
	"database/sql"
	"errors"
)

// session is one connection with its prepared statements. It is used by one
// goroutine at a time.
type session struct {
	store *Store
	conn  *sql.Conn // nil until it is opened
	stmts map[string]*sql.Stmt
}

// maxStatements bounds the prepared statements kept by a session. Requests
// combine filters and sort keys freely, so their number has no bound of its own.
const maxStatements = 200

func (s *Store) session() *session {
	return &session{store: s, stmts: map[string]*sql.Stmt{}}
}

// open returns a session that has its connection.
func (s *Store) open(ctx context.Context) (*session, error) {
	q := s.session()
	return q, q.connect(ctx)
}

// connect takes a connection, if the session has none. SQLite must not open
// a file that only has the name of ours: it would lay our log over it.
func (q *session) connect(ctx context.Context) (err error) {
	if q.conn == nil {
		if err := q.store.guard.check(); err != nil {
			return err
		}
		q.conn, err = q.store.db.Conn(ctx)
	}
	return err
}

// close gives the connection back, if the session has one.
func (q *session) close() {
	if q.conn == nil {
		return
	}
	q.forget()
	_ = q.conn.Close() // it is done with, whatever it says
	q.conn = nil
}

// forget closes all prepared statements.
func (q *session) forget() {
	for _, stmt := range q.stmts {
		_ = stmt.Close()
	}
	clear(q.stmts)
}

func (q *session) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	q.store.statements.Add(1)
	if stmt := q.stmts[text]; stmt != nil {
		return stmt, nil
	}
	if len(q.stmts) >= maxStatements {
		q.forget()
	}
	stmt, err := q.conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	q.stmts[text] = stmt
	return stmt, nil
}

func (q *session) exec(ctx context.Context, text string, args []any) error {
	stmt, err := q.prepare(ctx, text)
	if err == nil {
		_, err = stmt.ExecContext(ctx, args...)
	}
	return err
}

// row reads one row into dest; [sql.ErrNoRows] if there is none.
func (q *session) row(ctx context.Context, text string, args []any, dest ...any) error {
	stmt, err := q.prepare(ctx, text)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(ctx, args...).Scan(dest...)
}

// each calls fn for every row, whose values are in dest by then.
func (q *session) each(ctx context.Context, text string, args []any, dest []any, fn func()) error {
	return q.eachUntil(ctx, text, args, dest, func() error {
		fn()
		return nil
	})
}

// eachUntil is each that ends with the first error of fn.
func (q *session) eachUntil(ctx context.Context, text string, args []any, dest []any, fn func() error) error {
	stmt, err := q.prepare(ctx, text)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		if err := fn(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// rollback ends a transaction whatever became of ctx.
func (q *session) rollback(ctx context.Context) error {
	_, err := q.conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	return err
}

// read runs fn in a transaction that only reads: everything it sees is of one
// moment.
func (s *Store) read(ctx context.Context, fn func(ctx context.Context, q *session) error) error {
	q, err := s.take(ctx)
	if err != nil {
		return err
	}
	defer s.give(q)
	// The first statement that reads takes the snapshot. Whatever is in the
	// way of that is waited for; from there on nothing can be.
	err = retryBusy(ctx, func() error {
		if err := q.connect(ctx); err != nil {
			return err
		}
		err := q.exec(ctx, "BEGIN", nil)
		if err == nil {
			var version int
			if err = q.row(ctx, "PRAGMA schema_version", nil, &version); err != nil {
				err = errors.Join(err, q.rollback(ctx))
			}
		}
		return err
	})
	if err == nil {
		if err = s.guard.checkContents(); err == nil {
			err = fn(ctx, q)
		}
		if end := q.rollback(ctx); end != nil {
			err = errors.Join(err, end)
		}
	}
	if err != nil && !isRefusal(err) {
		q.close() // nothing was written; a connection in doubt is not worth keeping
	}
	return s.outcome(err)
}

// outcome is what the caller gets to know of a failed transaction: the reason
// behind what the engine says.
func (s *Store) outcome(err error) error {
	if err == nil || isRefusal(err) {
		return err
	}
	if lost := s.guard.checkContents(); lost != nil {
		return lost
	}
	return fault(s.path, err)
}

// take waits for a session for reading. One that is open comes first: opening
// takes longer than most requests, and a process that runs one task needs no
// second connection.
func (s *Store) take(ctx context.Context) (*session, error) {
	select {
	case q := <-s.idle:
		return q, nil
	default:
	}
	select {
	case q := <-s.idle:
		return q, nil
	case q := <-s.unopened:
		return q, nil
	case <-s.writer.quit:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// give is what ends the use of a session that was taken.
func (s *Store) give(q *session) {
	if q.conn == nil {
		s.unopened <- q
	} else {
		s.idle <- q
	}
}

// isRefusal reports whether err says nothing about the connection.
func isRefusal(err error) bool {
	var e *Error
	var m *MarkerMissing
	var k *SortKey
	var r interface{ Refusal() } // of what uses a view
	var f *Failure
	return errors.As(err, &f) && f.Reason == Detached || errors.As(err, &e) || errors.As(err, &m) || errors.As(err, &k) || errors.As(err, &r) || errors.Is(err, ErrTooMuch)
}
