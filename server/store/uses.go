package store

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// useUnit is how exactly it is kept when a key was last used.
const useUnit = time.Hour

// maxUses is how many keys are remembered at once; of more it is not kept.
const maxUses = 10_000

// uses remembers which keys were used in which hour, until [Store.RecordUses]
// stores it: a request writes nothing. What is lost is lost.
type uses struct {
	mu      sync.Mutex
	pending map[int64]int64 // by id of the key: the hour, in seconds since 1970
}

// note remembers that a key is used now; recorded is what its row says.
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

// of is when a key was used that is not stored yet; 0 if there is nothing.
func (u *uses) of(key int64) Micros {
	u.mu.Lock()
	defer u.mu.Unlock()
	return Micros(u.pending[key] * 1e6)
}

// RecordUses stores when keys were used, as far as [Store.Authenticate] has seen
// it since the last call. Any number of servers may do it. It is no change of
// the fleet, and not in its log; if it fails it is not tried again.
func (s *Store) RecordUses(ctx context.Context) error {
	s.uses.mu.Lock()
	pending := s.uses.pending
	s.uses.pending = nil
	s.uses.mu.Unlock()
	if len(pending) == 0 {
		return nil
	}
	return s.write(ctx, func(ctx context.Context, q *session) error {
		for _, key := range slices.Sorted(maps.Keys(pending)) { // in one order, whoever else does it
			err := q.queueExec(ctx, "UPDATE user_keys SET used_at = ? WHERE id = ? AND (used_at IS NULL OR used_at < ?)", []any{pending[key], key, pending[key]})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
