package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// prunedRows is the number of rows of the log that [Store.Prune] processes per write.
const prunedRows = 200

// Prune moves the horizon of the change log to a time, and deletes the changes before it, except for the creation and
// the last change of each object. It uses small writes with pauses, so that other writes do not have to wait. It can be
// stopped and repeated at any time, and run in several processes concurrently.
func (s *Store) Prune(ctx context.Context, before time.Time) error {
	var horizon, pruned int64
	var change string
	err := s.View(ctx, false, func(ctx context.Context, v *View) error {
		if err := v.q.row(ctx, "SELECT horizon, pruned FROM log", nil, &horizon, &pruned); err != nil {
			return err
		}
		last, err := v.RevisionAt(ctx, Micros(before.UnixMicro())-1)
		if err != nil || last <= horizon {
			return err
		}
		horizon = last
		return v.q.row(ctx, "SELECT change FROM changes WHERE revision = ? ORDER BY n LIMIT 1", []any{last}, &change)
	})
	if err != nil {
		return err
	}
	if change != "" {
		err := s.write(ctx, func(ctx context.Context, q *session) error {
			return q.exec(ctx, "UPDATE log SET horizon = ?, horizon_change = ? WHERE horizon < ?", []any{horizon, change, horizon})
		})
		if err != nil {
			return err
		}
	}
	at := Cursor{Revision: pruned + 1}
	for more := pruned < horizon; more; {
		began := time.Now()
		from := at
		err := s.write(ctx, func(ctx context.Context, q *session) (err error) {
			at, more, err = q.prune(ctx, from, horizon)
			return err
		})
		if err != nil {
			return err
		}
		if more {
			if err := pauseFor(ctx, time.Since(began)); err != nil {
				return err
			}
		}
	}
	return nil
}

// pauseFor waits for the given time, or until ctx is done.
func pauseFor(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// prune processes a piece of the log before the horizon. For each row of the piece, it deletes the earlier changes of
// the row's object, except for the creation.
//
// If several servers prune concurrently, only one continues: a server stops if another one is ahead of it.
func (q *session) prune(ctx context.Context, from Cursor, horizon int64) (at Cursor, more bool, err error) {
	var before int64
	if err := q.row(ctx, "SELECT pruned FROM log", nil, &before); err != nil || before >= from.Revision {
		return from, false, err
	}
	type row struct {
		revision, n  int64
		kind, object string
	}
	var rows []row
	var r row
	err = q.each(ctx, "SELECT revision, n, kind, object_id FROM changes WHERE (revision, n) > (?, ?) AND revision <= ? ORDER BY revision, n LIMIT ?",
		[]any{from.Revision, from.N, horizon, prunedRows}, []any{&r.revision, &r.n, &r.kind, &r.object}, func() { rows = append(rows, r) })
	if err != nil {
		return from, false, err
	}
	done := horizon
	if more = len(rows) == prunedRows; more {
		last := rows[len(rows)-1]
		at, done = Cursor{Revision: last.revision, N: last.n}, last.revision-1
	}
	for _, r := range rows {
		if err := q.exec(ctx, "DELETE FROM changes WHERE kind = ? AND object_id = ? AND revision < ? AND action <> ?", []any{r.kind, r.object, r.revision, Created}); err != nil {
			return from, false, err
		}
	}
	err = q.row(ctx, "UPDATE log SET pruned = ? WHERE pruned < ? RETURNING pruned", []any{done, done}, &done)
	if errors.Is(err, sql.ErrNoRows) {
		return at, more && done == before, nil // the piece ended within the same revision
	}
	return at, more, err
}
