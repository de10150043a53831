package store

import (
	"context"
	"errors"

	"github.com/craton-fleet/craton/server/store/engine"
)

// session is a running transaction.
type session struct {
	store *Store
	tx    engine.Tx
	log   *recorder // changes of a write; nil in a read

	checked map[referentKey]*scanner // cached results of foreign key checks, for writes that check thousands; nil if not cached
	salt    []byte                   // salt of hashes, after the first use
}

func (q *session) dialect() *engine.Dialect { return q.store.engine.Dialect() }

func (q *session) exec(ctx context.Context, text string, args []any) error {
	q.store.statements.Add(1)
	return q.tx.Exec(ctx, text, args)
}

// queueExec is exec for a statement whose result is not needed: see [engine.Tx].
func (q *session) queueExec(ctx context.Context, text string, args []any) error {
	q.store.statements.Add(1)
	return q.tx.QueueExec(ctx, text, args)
}

// row reads one row into dest. It returns [sql.ErrNoRows] if there is none.
func (q *session) row(ctx context.Context, text string, args []any, dest ...any) error {
	q.store.statements.Add(1)
	return q.tx.Row(ctx, text, args, dest...)
}

// queueRow is row for a result that is not needed until the next statement: see [engine.Tx].
func (q *session) queueRow(ctx context.Context, text string, args []any, answer *engine.RowState, dest ...any) error {
	q.store.statements.Add(1)
	return q.tx.QueueRow(ctx, text, args, answer, dest...)
}

// each scans each row into dest and calls fn for it.
func (q *session) each(ctx context.Context, text string, args, dest []any, fn func()) error {
	return q.eachUntil(ctx, text, args, dest, func() error {
		fn()
		return nil
	})
}

// eachUntil is each, but stops at the first error of fn and returns it.
func (q *session) eachUntil(ctx context.Context, text string, args, dest []any, fn func() error) error {
	q.store.statements.Add(1)
	return q.tx.Each(ctx, text, args, dest, fn)
}

// read runs fn in a read-only transaction, which sees one snapshot.
func (s *Store) read(ctx context.Context, fn func(ctx context.Context, q *session) error) error {
	return s.engine.Read(ctx, func(ctx context.Context, tx engine.Tx) error {
		return fn(ctx, &session{store: s, tx: tx})
	})
}

// readOne is read for a single statement.
func (s *Store) readOne(ctx context.Context, fn func(ctx context.Context, q *session) error) error {
	return s.engine.Peek(ctx, func(ctx context.Context, tx engine.Tx) error {
		return fn(ctx, &session{store: s, tx: tx})
	})
}

// write runs fn in a transaction, stores its changes in the change log, and returns when everything is durable. A write
// that changes nothing has no revision. fn may be called several times, so it must not keep state between calls. It
// must lock the rows that its decisions depend on: see lockMode.
func (s *Store) write(ctx context.Context, fn func(ctx context.Context, q *session) error) error {
	return s.writeAs(ctx, engine.Work{}, fn)
}

// writeLong is write without a limit on its duration.
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
	if errors.Is(err, engine.ErrReference) {
		err = s.explainReference(ctx, log.into, err)
	}
	if err == nil && log.change != "" {
		s.bell.ring()
		s.countChanges(log.n)
		s.checkClock(Micros(log.at))
		if o, ok := ctx.Value(outcomeKey{}).(*Outcome); ok {
			o.Revision, o.Change = log.revision, log.change
		}
	}
	return err
}

// explainReference returns the error for a write that failed because it refers to a missing object. Writes lock the
// objects they refer to, except for the project of a new object, which may have been deleted since the request was
// authorized.
func (s *Store) explainReference(ctx context.Context, project any, cause error) error {
	if project == nil {
		return errLost
	}
	err := s.readOne(ctx, func(ctx context.Context, q *session) error {
		_, err := q.get(ctx, Projects, Scope{All: true}, project, unlocked)
		return err
	})
	switch {
	case IsCode(err, NotFound):
		return errNoProject(project)
	case err != nil:
		return cause
	}
	return errLost
}

// lockMode is the kind of lock on a row that the decisions of a write depend on. The lock lasts until the commit.
// Databases that only allow one write at a time do not need locks.
type lockMode uint8

const (
	unlocked lockMode = iota
	shared            // other writes can refer to the row, but not delete it
	changing          // other writes cannot change it either
	removing          // other writes cannot refer to it either
)

// lockClause returns the clause to append to a SELECT from a table t.
func (q *session) lockClause(h lockMode) string {
	d := q.dialect()
	return [...]string{unlocked: "", shared: d.Shared, changing: d.Changing, removing: d.Removing}[h]
}

// lockTree locks a project, and by that the parents of its devices and its sets against concurrent changes. It returns
// [sql.ErrNoRows] if there is no such project.
func (q *session) lockTree(ctx context.Context, project any) error {
	var seq int64
	return q.row(ctx, "SELECT t.seq FROM projects t WHERE t.id = ?"+q.lockClause(changing), []any{project}, &seq)
}

// lockExclusively serializes the writes that call it: the few that depend on more rows than they can lock.
func (q *session) lockExclusively(ctx context.Context) error {
	text := q.dialect().Alone
	if text == "" {
		return nil
	}
	var n int64
	return q.row(ctx, text, nil, &n)
}
