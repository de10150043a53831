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
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// maxStatements bounds the prepared statements kept by a session. Requests
// combine filters and sort keys freely, so their number has no bound of its own.
const maxStatements = 200

func (s *Store) open(ctx context.Context) (*session, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &session{store: s, conn: conn, stmts: map[string]*sql.Stmt{}}, nil
}

func (q *session) close() {
	q.forget()
	_ = q.conn.Close() // it is done with, whatever it says
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
		fn()
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
	var q *session
	select {
	case q = <-s.idle:
	case <-s.writer.quit:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.idle <- q }()
	// The first statement that reads takes the snapshot. Whatever is in the
	// way of that is waited for; from there on nothing can be.
	err := retryBusy(ctx, func() error {
		if q == nil {
			c, err := s.open(ctx)
			if err != nil {
				return err
			}
			q = c
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
		err = fn(ctx, q)
		if end := q.rollback(ctx); end != nil {
			err = errors.Join(err, end)
		}
	}
	if err != nil && q != nil && !isRefusal(err) {
		// Nothing was written; a connection in doubt is not worth keeping.
		q.close()
		q = nil
	}
	return err
}

// isRefusal reports whether err says nothing about the connection.
func isRefusal(err error) bool {
	var e *Error
	var m *MarkerMissing
	return errors.As(err, &e) || errors.As(err, &m)
}
