package store

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// TestPruneAtOnce: if several servers prune concurrently, one of them does; the others only process one piece.
func TestPruneAtOnce(t *testing.T) {
	t.Parallel()
	enginetest.Only(t, enginetest.SQLite) // the test itself also uses PostgreSQL
	const pieces = 4
	for i, database := range targets(t) {
		t.Run([]string{"sqlite", "postgres"}[i], func(t *testing.T) {
			t.Parallel()
			var all []*Store
			for i := range 3 {
				s, err := Open(t.Context(), database, Options{Create: i == 0})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				all = append(all, s)
			}
			sc := fleet(t, all[0])
			for n := range pieces * prunedRows {
				if _, err := all[0].Update(t.Context(), Clouds, sc, "1", Values{"note": fmt.Sprint(n)}); err != nil {
					t.Fatal(err)
				}
			}
			before := time.Now()
			var began int64
			for _, s := range all {
				began += s.statements.Load()
			}
			var wg sync.WaitGroup
			for _, s := range all {
				wg.Go(func() {
					if err := s.Prune(t.Context(), before); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			ran := -began
			for _, s := range all {
				ran += s.statements.Load()
			}
			if most := int64((pieces + len(all)) * (prunedRows + 10)); ran > most {
				t.Errorf("%d statements, want at most %d: each server did it", ran, most)
			}
			if left := len(all[0].all(t)); left > 20 {
				t.Errorf("%d changes are left", left)
			}
		})
	}
}
