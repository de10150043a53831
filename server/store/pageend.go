package store

import (
	"context"
	"time"
)

// Sign-outs of the page are marks of cookies, as long as those would count. There
// are so many at most; one more ends all cookies that were made until then.
const (
	maxPageEnds = 100_000
	allPageEnds = "*" // the mark of all
)

// EndPage ends the cookie of the page that is called so for all servers of the
// database. Marks that are older than kept go: no cookie counts for longer.
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

// PageEnded reports whether the cookie of the page that is called so, and was made
// then, was ended.
func (s *Store) PageEnded(ctx context.Context, id string, made time.Time) (ended bool, err error) {
	err = s.peek(ctx, func(ctx context.Context, q *session) error {
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
