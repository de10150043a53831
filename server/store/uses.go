package store

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// useUnit is the precision of a key's last use.
const useUnit = time.Hour

// maxUses is the maximum number of keys in uses.
const maxUses = 10_000

// uses collects the hours in which keys were used, until [Store.RecordUses] stores them, so that requests need not
// write anything. A crash loses them.
type uses struct {
	mu      sync.Mutex
	pending map[int64]int64 // by the key's id: the hour, in seconds since 1970
}

// note records that a key is used now. recorded is the last use in the key's row.
func (u *uses) note(key int64, recorded *int64, now time.Time) {
	hour := now.Truncate(useUnit).Unix()
	if recorded != nil && *recorded >= hour {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pending == nil {
		u.pending = map[int64]int64{}
	}
	if _, known := u.pending[key]; known || len(u.pending) < maxUses {
		u.pending[key] = hour
	}
}

// of returns the last use of a key that is not stored yet, or 0 if there is none.
func (u *uses) of(key int64) Micros {
	u.mu.Lock()
	defer u.mu.Unlock()
	return Micros(u.pending[key] * 1e6)
}

// RecordUses stores the uses of keys by [Store.Authenticate] since the last call. Several servers may call it. These
// writes are not changes of the fleet and not in the change log. If it fails, the uses are lost.
func (s *Store) RecordUses(ctx context.Context) error {
	s.uses.mu.Lock()
	pending := s.uses.pending
	s.uses.pending = nil
	s.uses.mu.Unlock()
	if len(pending) == 0 {
		return nil
	}
	return s.write(ctx, func(ctx context.Context, q *session) error {
		for _, key := range slices.Sorted(maps.Keys(pending)) { // always in the same order, to avoid deadlocks
			err := q.queueExec(ctx, "UPDATE user_keys SET used_at = ? WHERE id = ? AND (used_at IS NULL OR used_at < ?)", []any{pending[key], key, pending[key]})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
