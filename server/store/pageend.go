package store

import (
	"context"
	"time"
)

// A sign-out from the page stores a mark for its cookie until the cookie would expire. The number of marks is limited:
// at the limit, one mark revokes all cookies issued until then.
const (
	maxPageEnds = 100_000
	allPageEnds = "*" // the mark for all cookies
)

// EndPage revokes the page's cookie with an id, for all servers of the database. It deletes marks older than kept,
// because all cookies have expired by then.
func (s *Store) EndPage(ctx context.Context, id string, kept time.Duration) error {
	return s.endPage(ctx, id, kept, maxPageEnds)
}

func (s *Store) endPage(ctx context.Context, id string, kept time.Duration, most int) error {
	now := s.now().Unix()
	return s.write(ctx, func(ctx context.Context, q *session) error {
		if err := q.lockExclusively(ctx); err != nil {
			return err
		}
		if err := q.exec(ctx, "DELETE FROM page_ends WHERE ended_at < ? OR id = ?", []any{now - int64(kept/time.Second), id}); err != nil {
			return err
		}
		var count int
		if err := q.eachUntil(ctx, "SELECT COUNT(*) FROM page_ends", nil, []any{&count}, func() error { return nil }); err != nil {
			return err
		}
		if count >= most {
			if err := q.exec(ctx, "DELETE FROM page_ends", nil); err != nil {
				return err
			}
			id = allPageEnds
		}
		return q.exec(ctx, "INSERT INTO page_ends (id, ended_at) VALUES (?, ?)", []any{id, now})
	})
}

// PageEnded reports whether the page's cookie with an id, which was issued at the time made, was revoked.
func (s *Store) PageEnded(ctx context.Context, id string, made time.Time) (ended bool, err error) {
	err = s.readOne(ctx, func(ctx context.Context, q *session) error {
		var found string
		var at int64
		ended = false
		return q.eachUntil(ctx, "SELECT id, ended_at FROM page_ends WHERE id IN (?, ?)", []any{id, allPageEnds}, []any{&found, &at}, func() error {
			ended = ended || found == id || at >= made.Unix()
			return nil
		})
	})
	return ended, err
}
