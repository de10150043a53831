// Package whole reads what counts only whole: what breaks or changes while it is read is read again from its beginning.
package whole

import (
	"context"
	"fmt"
	"time"
)

const (
	// tries is how often something is read in all.
	tries = 3
	// pause is the wait before the second try; it doubles.
	pause = 400 * time.Millisecond
)

// Read runs a read until it succeeds, fails for good, or was tried often enough. passing tells the failures that
// another try may not have. what is read is named in the last error.
func Read[T any](ctx context.Context, what string, read func(context.Context) (got T, passing bool, err error)) (T, error) {
	wait := pause
	for try := 1; ; try++ {
		got, passing, err := read(ctx)
		if err == nil || !passing || ctx.Err() != nil {
			return got, err
		}
		if try == tries {
			return got, fmt.Errorf("%s could not be read whole in %d tries: %w", what, tries, err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return got, ctx.Err()
		case <-timer.C:
		}
		wait *= 2
	}
}

// Enough finds that an inventory has fewer hosts than it must have.
func Enough(hosts, least int) error {
	if hosts >= least {
		return nil
	}
	return fmt.Errorf("the inventory has %d hosts, and expect_at_least says %d: see whether the API gives all of them, and the filters let them through, or set it lower", hosts, least)
}
