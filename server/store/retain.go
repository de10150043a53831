package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// prunedRows is how many rows of the log one write of [Store.Prune] looks at.
const prunedRows = 200

// Prune moves the horizon of the change log to a time, and removes what was
// before it, but the creation of each object and its last change. It does so in
// small writes with pauses, so that others do not wait, and can be stopped and
// begun again at any point, also by several processes at once.
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
			if err := rest(ctx, time.Since(began)); err != nil {
				return err
			}
		}
	}
	return nil
}

// rest leaves the database to others for as long as it was kept from them.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// prune looks at a piece of the log up to the horizon. What each row makes the
// last change of its object no more goes, be it in this piece or from before.
//
// Of several servers that do it at once, one goes on: who finds that another
// one has got as far meanwhile leaves the rest to that.
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
		return at, more && done == before, nil // still in one revision
	}
	return at, more, err
}
