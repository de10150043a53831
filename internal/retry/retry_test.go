package retry_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/retry"
)

func TestDo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		err := retry.Pauses{First: time.Second, Max: 3 * time.Second}.Do(t.Context(), func(n int) (bool, error) {
			if n != len(at) {
				t.Errorf("try %d is called %d", len(at), n)
			}
			at = append(at, time.Since(start))
			return n < 4, io.EOF
		})
		want := []time.Duration{0, time.Second, 3 * time.Second, 6 * time.Second, 9 * time.Second}
		if diff := cmp.Diff(want, at); diff != "" || !errors.Is(err, io.EOF) {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}

// TestEnd: nobody waits longer than the context lasts, and what has ended does not wait at all; a try is made in any
// case.
func TestEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start, tries := time.Now(), 0
		again := func(int) (bool, error) { tries++; return true, io.EOF }
		if err := retry.Every(2*time.Second).Do(ctx, again); !errors.Is(err, context.DeadlineExceeded) || tries != 3 || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %d tries and %v", err, tries, time.Since(start))
		}
		if err := retry.Every(0).Do(ctx, again); !errors.Is(err, context.DeadlineExceeded) || tries != 4 {
			t.Errorf("%v after %d tries", err, tries)
		}
	})
}

func TestPauses(t *testing.T) {
	t.Parallel()
	p := retry.Pauses{First: time.Millisecond, Max: time.Minute}
	for n, want := range map[int]time.Duration{0: time.Millisecond, 3: 8 * time.Millisecond, 20: time.Minute, 64: time.Minute, 1 << 20: time.Minute} {
		if got := p.After(n); got != want {
			t.Errorf("after %d: %v, want %v", n, got, want)
		}
		for range 20 {
			if got := p.Jitter(n); got < want/2 || got > want {
				t.Errorf("after %d: %v of %v", n, got, want)
			}
		}
	}
	if got := (retry.Pauses{}).Jitter(5); got != 0 {
		t.Errorf("no pauses: %v", got)
	}
}
