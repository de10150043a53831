//go:build !unix

package sqlite

import "errors"

// freeBytes is not supported on this system.
func freeBytes(string) (uint64, error) { return 0, errors.ErrUnsupported }

// writable cannot check anything on this system, and returns nil.
func writable(string) error { return nil }
