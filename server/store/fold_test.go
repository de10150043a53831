package store

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/craton-fleet/craton/server/internal/enginetest"
	"github.com/craton-fleet/craton/server/store/sqlite"
)

// TestFold writes much data while views always overlap, so that SQLite could never restart the write-ahead log itself,
// and checks that the log is emptied nevertheless.
func TestFold(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite)
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var views sync.WaitGroup
	defer views.Wait()
	defer cancel()
	for range 2 {
		views.Go(func() {
			for ctx.Err() == nil {
				_ = s.View(ctx, false, func(ctx context.Context, v *View) error {
					_, err := v.List(ctx, Clouds, sc, List{Sort: []string{"id"}, Limit: 10})
					time.Sleep(50 * time.Millisecond)
					return err
				})
			}
		})
	}
	grown := false
	for i := range 1500 {
		if err := s.SetVariables(t.Context(), Clouds, sc, "1", []Variable{{Name: "v", Value: `"` + strings.Repeat(strconv.Itoa(i%10), 900_000) + `"`}}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(s.Name() + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		grown = grown || info.Size() >= (32<<20)-(2<<20)
		if grown && info.Size() < (32<<20)/2 {
			return
		}
	}
	t.Errorf("grown: %v; the log was never emptied", grown)
}

// TestViewPanics checks that a view that panics ends its transaction.
func TestViewPanics(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	for range 2 * max(sqlite.Readers(), 16) { // more often than there are connections
		err := s.View(t.Context(), false, func(context.Context, *View) error { panic("on purpose") })
		if err == nil || !strings.Contains(err.Error(), "on purpose") {
			t.Fatal(err)
		}
		if _, err := s.List(t.Context(), Clouds, sc, List{Sort: []string{"id"}, Limit: 10}); err != nil {
			t.Fatal(err)
		}
	}
}
