package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
)

// pageKeyBytes is how long a key is that seals cookies.
const pageKeyBytes = 32

// PageKey is the key with which the servers of this database seal the cookies of
// the page: random bytes, which the first server that asks has made. It is in no
// backup, as whoever has it can make cookies; a restored database makes another one.
func (s *Store) PageKey(ctx context.Context) ([]byte, error) {
	offered := make([]byte, pageKeyBytes)
	_, _ = rand.Read(offered) // it never fails
	var text string
	err := s.write(ctx, func(ctx context.Context, q *session) error {
		err := q.row(ctx, "SELECT secret FROM page_keys WHERE id = 1", nil, &text)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		text = hex.EncodeToString(offered)
		return q.exec(ctx, "INSERT INTO page_keys (id, secret, created_at) VALUES (1, ?, ?)", []any{text, s.now().Unix()})
	})
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(text)
	if err == nil && len(key) != pageKeyBytes {
		err = errors.New("the page's key in the database is not as long as it was made")
	}
	return key, err
}
