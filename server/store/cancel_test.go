package store

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// TestCancelledReads: a read that is cancelled at any time does not affect the next read on its connection.
func TestCancelledReads(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	l := List{Sort: []string{"id"}, Limit: 10}
	rounds := 1500
	if enginetest.Now() != enginetest.SQLite {
		rounds = 50 // each round needs new connections
	}
	for range rounds {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(time.Duration(rand.IntN(100))*time.Microsecond, cancel)
				_, _ = s.List(ctx, Clouds, sc, l) // may or may not be cancelled in time
			})
		}
		wg.Wait()
		for range 4 {
			wg.Go(func() {
				if page, err := s.List(t.Context(), Clouds, sc, l); err != nil || len(page.Rows) != 1 {
					t.Errorf("after readers that went away: %v", err)
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
	}
}
