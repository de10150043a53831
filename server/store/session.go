package store

import (
	"context"

	"github.com/craton-fleet/craton/server/store/engine"
)

// session is a transaction under way.
type session struct {
	store *Store
	tx    engine.Tx
	log   *recorder // of the write that it runs

	checked map[referentKey]*scanner // what foreign keys were checked by, for a write that checks thousands; nil: that is not kept
	salt    []byte                   // of hashes, once one was made
}

func (q *session) dialect() *engine.Dialect { return q.store.engine.Dialect() }

func (q *session) exec(ctx context.Context, text string, args []any) error {
	q.store.statements.Add(1)
	return q.tx.Exec(ctx, text, args)
}

// queueExec is exec for a statement from which nothing is to be learned: see
// [engine.Tx].
func (q *session) queueExec(ctx context.Context, text string, args []any) error {
	q.store.statements.Add(1)
	return q.tx.QueueExec(ctx, text, args)
}

// row reads one row into dest; [sql.ErrNoRows] if there is none.
func (q *session) row(ctx context.Context, text string, args []any, dest ...any) error {
	q.store.statements.Add(1)
	return q.tx.Row(ctx, text, args, dest...)
}

// queueRow is row for an answer that is there after the next statement: see
// [engine.Tx].
func (q *session) queueRow(ctx context.Context, text string, args []any, answer *engine.RowState, dest ...any) error {
	q.store.statements.Add(1)
	return q.tx.QueueRow(ctx, text, args, answer, dest...)
}

// each calls fn for every row, whose values are in dest by then.
func (q *session) each(ctx context.Context, text string, args, dest []any, fn func()) error {
	return q.eachUntil(ctx, text, args, dest, func() error {
		fn()
		return nil
	})
}

// eachUntil is each that ends with the first error of fn.
func (q *session) eachUntil(ctx context.Context, text string, args, dest []any, fn func() error) error {
	q.store.statements.Add(1)
	return q.tx.Each(ctx, text, args, dest, fn)
}

// read runs fn in a transaction that only reads: everything it sees is of one
// moment.
func (s *Store) read(ctx context.Context, fn func(ctx context.Context, q *session) error) error {
	return s.engine.Read(ctx, func(ctx context.Context, tx engine.Tx) error {
		return fn(ctx, &session{store: s, tx: tx})
	})
}

// peek is read for one statement.
func (s *Store) peek(ctx context.Context, fn func(ctx context.Context, q *session) error) error {
	return s.engine.Peek(ctx, func(ctx context.Context, tx engine.Tx) error {
		return fn(ctx, &session{store: s, tx: tx})
	})
}

// write runs fn in a transaction, stores what it did in the change log, and
// returns when it is durable. A write that does nothing has no revision. fn may be
// called several times, and keeps nothing from one call to the next. What it
// decides by it locks: see [session.lockMode].
func (s *Store) write(ctx context.Context, fn func(ctx context.Context, q *session) error) error {
	return s.writeAs(ctx, engine.Work{}, fn)
}

// writeLong is write for what may take as long as it takes.
func (s *Store) writeLong(ctx context.Context, fn func(ctx context.Context, q *session) error) error {
	return s.writeAs(ctx, engine.Work{Long: true}, fn)
}

func (s *Store) writeAs(ctx context.Context, work engine.Work, fn func(ctx context.Context, q *session) error) error {
	who := actorOf(ctx)
	expected, _ := ctx.Value(expectedKey{}).([]string)
	var log *recorder
	work.Run = func(ctx context.Context, tx engine.Tx) error {
		again := log != nil
		log = &recorder{actor: who, expected: expected, fence: s.fence.Load()}
		q := &session{store: s, tx: tx, log: log}
		if again || log.fence < 0 {
			if err := q.row(ctx, "SELECT fence FROM log", nil, &log.fence); err != nil {
				return err
			}
			s.fence.Store(log.fence)
		}
		if err := fn(ctx, q); err != nil {
			return err
		}
		return q.finish(ctx)
	}
	work.Committed = func(ctx context.Context, tx engine.Tx) (bool, error) {
		return (&session{store: s, tx: tx}).isStored(ctx, log)
	}
	err := s.engine.Write(ctx, work)
	if err == nil && log.change != "" {
		s.bell.ring()
		s.grown(log.n)
		if o, ok := ctx.Value(outcomeKey{}).(*Outcome); ok {
			o.Revision, o.Change = log.revision, log.change
		}
	}
	return err
}

// lockMode is what a write does to a row that it decides by, until it is
// committed. Where writes are one after another nothing needs to be held.
type lockMode uint8

const (
	unlocked lockMode = iota
	shared            // others may refer to it too, and nobody removes it
	changing          // nobody else changes it
	removing          // and nobody refers to it either
)

// lockClause is put behind a SELECT of a table t.
func (q *session) lockClause(h lockMode) string {
	d := q.dialect()
	return [...]string{unlocked: "", shared: d.Shared, changing: d.Changing, removing: d.Removing}[h]
}

// lockTree keeps the parents of a project's devices from being changed by
// others.
func (q *session) lockTree(ctx context.Context, project any) error {
	var seq int64
	return q.row(ctx, "SELECT t.seq FROM projects t WHERE t.id = ?"+q.lockClause(changing), []any{project}, &seq)
}

// lockExclusively waits until no other write is like this one: for the few that look at
// more than rows which they could hold.
func (q *session) lockExclusively(ctx context.Context) error {
	text := q.dialect().Alone
	if text == "" {
		return nil
	}
	var n int64
	return q.row(ctx, text, nil, &n)
}
