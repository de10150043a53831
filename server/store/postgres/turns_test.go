package postgres

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestTurns takes all turns for a server with a certain round-trip time. Another turn is available when one is given
// back, or lasts too long.
func TestTurns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		all   int
		learn func(*turns)
		want  int
	}{
		{"near", 12, func(t *turns) { t.learn("a", 40*time.Microsecond) }, 4},
		{"not measured", 12, func(*turns) {}, 12},
		{"in the next building", 12, func(t *turns) { t.learn("a", 210*time.Microsecond) }, 8},
		{"far", 12, func(t *turns) { t.learn("a", 2*time.Millisecond) }, 12},
		{"far while it was busy", 12, func(t *turns) { t.learn("a", 2*time.Millisecond); t.learn("a", 40*time.Microsecond) }, 4},
		{"busy now", 12, func(t *turns) { t.learn("a", 40*time.Microsecond); t.learn("a", 2*time.Millisecond) }, 4},
		{"another one, which is far", 12, func(t *turns) { t.learn("a", 40*time.Microsecond); t.learn("b", 2*time.Millisecond) }, 12},
		{"few connections", 2, func(t *turns) { t.learn("a", 40*time.Microsecond) }, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				turns := newTurns(test.all)
				test.learn(turns)
				synctest.Wait()
				var all []func()
				for {
					ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
					done, err := turns.take(ctx)
					cancel()
					if err != nil {
						break
					}
					all = append(all, done)
				}
				if len(all) != test.want {
					t.Fatalf("%d at once, want %d", len(all), test.want)
				}
				all[0]()
				all[0]()
				begun := time.Now()
				for range 2 {
					done, err := turns.take(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					defer done()
				}
				if waited := time.Since(begun); waited > longestTurn {
					t.Errorf("the second one waited %s", waited)
				}
				for _, done := range all {
					done()
				}
			})
		})
	}
}
