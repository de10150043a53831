package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Fill implements [engine.Filler]. Rows are sent to the server as a stream, and indexes and foreign keys are created
// afterwards, for all rows at once. Otherwise each row would change a dozen random index pages, which are written to
// the write-ahead log.
func (t *tx) Fill(ctx context.Context, tables []string, run func() error) error {
	type piece struct{ drop, make string }
	var beside []piece
	var one piece
	marks := "(" + strings.Repeat("?, ", len(tables)-1) + "?)"
	names := make([]any, len(tables))
	for i, name := range tables {
		names[i] = name
	}
	ours := "c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('" + versionTable + "')) AND c.relname IN " + marks
	for _, text := range []string{
		// Foreign keys are dropped first and created last: they need the index of the table they refer to.
		"SELECT 'ALTER TABLE ' || k.conrelid::regclass || ' DROP CONSTRAINT ' || quote_ident(k.conname), 'ALTER TABLE ' || k.conrelid::regclass || ' ADD CONSTRAINT ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid)" +
			" FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype = 'f' AND " + ours + " ORDER BY k.oid",
		"SELECT 'DROP INDEX ' || i.indexrelid::regclass, pg_get_indexdef(i.indexrelid)" +
			" FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid) AND " + ours + " ORDER BY i.indexrelid",
	} {
		if err := t.Each(ctx, text, names, []any{&one.drop, &one.make}, func() error {
			beside = append(beside, one)
			return nil
		}); err != nil {
			return err
		}
	}
	for _, p := range beside {
		if err := t.Exec(ctx, p.drop, nil); err != nil {
			return err
		}
	}
	if err := run(); err != nil {
		return err
	}
	for i := len(beside) - 1; i >= 0; i-- {
		if err := t.Exec(ctx, beside[i].make, nil); err != nil {
			return err
		}
	}
	return nil
}

// Load implements [engine.Filler].
func (t *tx) Load(ctx context.Context, table string, columns []string, next func() ([]any, error)) error {
	if t.queue.Len() > 0 {
		if _, err := t.flush(ctx); err != nil {
			return t.note(err)
		}
	}
	source := &rowsOf{next: next}
	_, err := t.conn.Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, source)
	if source.err != nil {
		return source.err // rather than the server's error about the interrupted stream
	}
	if err != nil {
		err = fmt.Errorf("table %s: %w", table, err)
	}
	return t.note(err)
}

// rowsOf is a pgx.CopyFromSource.
type rowsOf struct {
	next func() ([]any, error)
	row  []any
	err  error
}

func (r *rowsOf) Next() bool {
	r.row, r.err = r.next()
	return r.row != nil && r.err == nil
}

func (r *rowsOf) Values() ([]any, error) { return r.row, nil }

func (r *rowsOf) Err() error { return r.err }
