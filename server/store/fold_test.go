package store

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestFold writes much while views overlap all the time, so that no moment
// comes of itself at which nobody reads the log, and checks that the log stays
// bounded.
func TestFold(t *testing.T) {
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
	var largest int64
	for i := range 80 {
		if err := s.SetVariables(t.Context(), Clouds, sc, "1", []Variable{{"v", `"` + strings.Repeat(strconv.Itoa(i%10), 900_000) + `"`}}); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(s.path + "-wal"); err == nil {
			largest = max(largest, info.Size())
		}
	}
	if largest > 2*foldSize {
		t.Errorf("the log grew to %d MB", largest>>20)
	}
	t.Logf("the log grew to %d MB", largest>>20)
}

// TestViewPanics checks that a view that panics leaves no transaction behind.
func TestViewPanics(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	for range 2 * readers() {
		err := s.View(t.Context(), false, func(context.Context, *View) error { panic("on purpose") })
		if err == nil || !strings.Contains(err.Error(), "on purpose") {
			t.Fatal(err)
		}
		if _, err := s.List(t.Context(), Clouds, sc, List{Sort: []string{"id"}, Limit: 10}); err != nil {
			t.Fatal(err)
		}
	}
}
