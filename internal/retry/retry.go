// Package retry retries functions. The caller decides what is retried and how often; this package determines the waits
// in between, and never waits longer than the context lasts. Requests over HTTP use internal/rest, which uses these
// waits.
package retry

import (
	"context"
	"math/rand/v2"
	"time"
)

// Pauses are the waits between attempts: First before the second, twice as long before each further one, up to Max.
type Pauses struct{ First, Max time.Duration }

// Every returns the same pause each time.
func Every(d time.Duration) Pauses { return Pauses{d, d} }

// After returns the pause after the n'th try, from 0.
func (p Pauses) After(n int) time.Duration {
	if n >= 30 { // no overflow
		return p.Max
	}
	return min(p.First<<n, p.Max)
}

// Jitter is like After, minus a random part of up to a half, so that many clients that wait for the same thing do not
// return at the same time.
func (p Pauses) Jitter(n int) time.Duration {
	wait := p.After(n)
	return wait/2 + rand.N(wait/2+1) //nolint:gosec // not for secrets
}

// Do calls try, with the waits in between, until it requests no further attempt, and returns its error. If the context
// ends during a wait, it returns that error.
func (p Pauses) Do(ctx context.Context, try func(n int) (again bool, err error)) error {
	for n := 0; ; n++ {
		again, err := try(n)
		if !again {
			return err
		}
		if err := Wait(ctx, p.After(n)); err != nil {
			return err
		}
	}
}

// Wait waits. If the context ends before, or has ended, it returns that error.
func Wait(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
