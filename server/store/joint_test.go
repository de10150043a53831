package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestJoint makes calls while another one is running: they share one call, which begins later than they do.
func TestJoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j sharedCalls[string, int64]
		var value, calls atomic.Int64
		read := func(context.Context) (int64, error) {
			calls.Add(1)
			v := value.Load()
			time.Sleep(20 * time.Millisecond) // the response takes some time
			return v, nil
		}
		var wg sync.WaitGroup
		ask := func(key string, least int64) {
			wg.Go(func() {
				if got, err := j.do(t.Context(), key, read); err != nil || got < least {
					t.Errorf("%s: %d, %v; want at least %d", key, got, err, least)
				}
			})
		}
		ask("a", 0)
		time.Sleep(time.Millisecond)
		value.Store(1)
		for range 10 {
			ask("a", 1)
		}
		ask("b", 1)
		time.Sleep(21 * time.Millisecond) // the second call with the key a is running
		value.Store(2)
		ask("a", 2)
		wg.Wait()
		if n := calls.Load(); n != 4 {
			t.Errorf("%d questions, want 4", n)
		}
		synctest.Wait()
		j.mu.Lock()
		defer j.mu.Unlock()
		if len(j.next) != 0 {
			t.Errorf("%d are left", len(j.next))
		}
	})
}

// TestJointAlone: a call does not wait long for another one, and is not affected by its cancellation.
func TestJointAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j sharedCalls[string, int]
		slow, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := j.do(slow, "a", func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() })
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		begun := time.Now()
		got, err := j.do(t.Context(), "a", func(context.Context) (int, error) { return 7, nil })
		if waited := time.Since(begun); got != 7 || err != nil || waited != maxSharedWait {
			t.Errorf("%d, %v after %s", got, err, waited)
		}
		short, end := context.WithTimeout(t.Context(), time.Millisecond)
		defer end()
		if _, err := j.do(short, "a", func(context.Context) (int, error) { return 7, nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		cancel()
		wg.Wait()
		if got, err := j.do(t.Context(), "a", func(context.Context) (int, error) { return 8, nil }); got != 8 && got != 7 || err != nil {
			t.Errorf("%d, %v", got, err)
		}
		synctest.Wait()
		j.mu.Lock()
		defer j.mu.Unlock()
		if len(j.next) != 0 {
			t.Errorf("%d are left", len(j.next))
		}
	})
}
