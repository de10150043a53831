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

// maxUses is the number of keys whose last use is remembered at once.
const maxUses = 10_000

// uses remembers which keys were used in which hour, until [Store.RecordUses] stores it, so that a request writes
// nothing. A crash loses it.
type uses struct {
	mu      sync.Mutex
	pending map[int64]int64 // by id of the key: the hour, in seconds since 1970
}

// note records that a key is used now; recorded is what its row has.
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

// of returns the last use of a key that is not yet stored; 0 if there is none.
func (u *uses) of(key int64) Micros {
	u.mu.Lock()
	defer u.mu.Unlock()
	return Micros(u.pending[key] * 1e6)
}

// RecordUses stores when keys were used, as seen by [Store.Authenticate] since the last call. Any number of servers may
// call it. It is not a change of the fleet and not in the change log; if it fails, it is not retried.
func (s *Store) RecordUses(ctx context.Context) error {
	s.uses.mu.Lock()
	pending := s.uses.pending
	s.uses.pending = nil
	s.uses.mu.Unlock()
	if len(pending) == 0 {
		return nil
	}
	return s.write(ctx, func(ctx context.Context, q *session) error {
		for _, key := range slices.Sorted(maps.Keys(pending)) { // always in the same order, against deadlocks
			err := q.queueExec(ctx, "UPDATE user_keys SET used_at = ? WHERE id = ? AND (used_at IS NULL OR used_at < ?)", []any{pending[key], key, pending[key]})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
