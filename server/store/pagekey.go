package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// pageKeyBytes is the length of a key, in bytes.
const pageKeyBytes = 32

// PageKey is a random key with which the servers of a database seal the cookies of the page.
type PageKey struct {
	Number int64
	Secret []byte
	made   int64 // time of creation, in seconds since 1970
}

// PageKeys returns the keys of the page, newest first. Cookies are sealed with the first key, and opened with any of
// them. If the newest key is older than age, PageKeys creates another one. It deletes a key when the next newer one is
// older than kept, because all cookies of the key have expired by then. Backups do not contain the keys, because anyone
// who has one can forge cookies; new keys are created in a restored database.
func (s *Store) PageKeys(ctx context.Context, age, kept time.Duration) (keys []PageKey, err error) {
	err = s.read(ctx, func(ctx context.Context, q *session) (err error) {
		keys, err = q.pageKeys(ctx)
		return err
	})
	now := s.now().Unix()
	if err != nil || !stalePageKeys(keys, now, age, kept) {
		return keys, err
	}
	offered := make([]byte, pageKeyBytes)
	_, _ = rand.Read(offered) // never returns an error
	err = s.write(ctx, func(ctx context.Context, q *session) (err error) {
		if err = q.lockExclusively(ctx); err != nil {
			return err
		}
		if keys, err = q.pageKeys(ctx); err != nil {
			return err
		}
		if len(keys) == 0 || keys[0].age(now) >= age {
			next := PageKey{Number: 1, Secret: offered, made: now}
			if len(keys) > 0 {
				next.Number = keys[0].Number + 1
			}
			if err := q.exec(ctx, "INSERT INTO page_keys (id, secret, created_at) VALUES (?, ?, ?)", []any{next.Number, hex.EncodeToString(next.Secret), next.made}); err != nil {
				return err
			}
			keys = slices.Insert(keys, 0, next)
		}
		if i := ended(keys, now, kept); i > 0 {
			if err := q.exec(ctx, "DELETE FROM page_keys WHERE id <= ?", []any{keys[i].Number}); err != nil {
				return err
			}
			keys = keys[:i]
		}
		return nil
	})
	return keys, err
}

// pageKeys reads the keys, newest first.
func (q *session) pageKeys(ctx context.Context) (keys []PageKey, err error) {
	var k PageKey
	var text string
	err = q.eachUntil(ctx, "SELECT id, secret, created_at FROM page_keys ORDER BY id DESC", nil, []any{&k.Number, &text, &k.made}, func() (err error) {
		if k.Secret, err = hex.DecodeString(text); err != nil || len(k.Secret) != pageKeyBytes {
			return fmt.Errorf("the page's key %d in the database is not as it was made", k.Number)
		}
		keys = append(keys, k)
		return nil
	})
	return keys, err
}

func (k *PageKey) age(now int64) time.Duration { return time.Duration(now-k.made) * time.Second }

// ended returns the index of the first key whose cookies have all expired, or 0 if there is none.
func ended(keys []PageKey, now int64, kept time.Duration) int {
	for i := 1; i < len(keys); i++ {
		if keys[i-1].age(now) > kept {
			return i
		}
	}
	return 0
}

// stalePageKeys reports whether a key has to be created or deleted.
func stalePageKeys(keys []PageKey, now int64, age, kept time.Duration) bool {
	return len(keys) == 0 || keys[0].age(now) >= age || ended(keys, now, kept) > 0
}
