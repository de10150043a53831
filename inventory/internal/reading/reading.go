// Package reading reads data that is valid only if it is complete: if it breaks off or changes while it is read, it is
// read again from the beginning.
package reading

import (
	"context"
	"fmt"
	"time"

	"github.com/craton-fleet/craton/internal/retry"
)

// tries is the maximum number of attempts.
const tries = 3

// pauses are the waits before further attempts.
var pauses = retry.Pauses{First: 400 * time.Millisecond, Max: time.Second}

// Retry calls a read until it succeeds, fails permanently, or has been tried often enough. passing reports whether
// another attempt may succeed. what describes what is read, for the last error.
func Retry[T any](ctx context.Context, what string, read func(context.Context) (got T, passing bool, err error)) (got T, err error) {
	err = pauses.Do(ctx, func(n int) (again bool, err error) {
		var passing bool
		got, passing, err = read(ctx)
		if err == nil || !passing || ctx.Err() != nil {
			return false, err
		}
		if n == tries-1 {
			return false, fmt.Errorf("%s could not be read completely in %d tries: %w", what, tries, err)
		}
		return true, err
	})
	return got, err
}

// CheckHostCount returns an error if an inventory has fewer hosts than it must have.
func CheckHostCount(hosts, least int) error {
	if hosts >= least {
		return nil
	}
	return fmt.Errorf("the inventory has %d hosts, but expect_at_least is %d: check that the API returns all hosts and that no filter excludes them, or lower expect_at_least", hosts, least)
}
