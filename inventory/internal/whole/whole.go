// Package whole reads what counts only whole: what breaks or changes while it is read is read again from its beginning.
package whole

import (
	"context"
	"fmt"
	"time"

	"github.com/craton-fleet/craton/internal/retry"
)

// tries is how often something is read in all.
const tries = 3

// pauses are the waits before the others.
var pauses = retry.Pauses{First: 400 * time.Millisecond, Most: time.Second}

// Read runs a read until it succeeds, fails for good, or was tried often enough. passing tells the failures that
// another try may not have. what is read is named in the last error.
func Read[T any](ctx context.Context, what string, read func(context.Context) (got T, passing bool, err error)) (got T, err error) {
	err = pauses.Do(ctx, func(n int) (again bool, err error) {
		var passing bool
		got, passing, err = read(ctx)
		if err == nil || !passing || ctx.Err() != nil {
			return false, err
		}
		if n == tries-1 {
			return false, fmt.Errorf("%s could not be read whole in %d tries: %w", what, tries, err)
		}
		return true, err
	})
	return got, err
}

// Enough finds that an inventory has fewer hosts than it must have.
func Enough(hosts, least int) error {
	if hosts >= least {
		return nil
	}
	return fmt.Errorf("the inventory has %d hosts, and expect_at_least says %d: see whether the API gives all of them, and the filters let them through, or set it lower", hosts, least)
}
