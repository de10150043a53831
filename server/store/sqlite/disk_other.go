//go:build !unix

package sqlite

import "errors"

// freeBytes is not known on this system.
func freeBytes(string) (uint64, error) { return 0, errors.ErrUnsupported }

// writable reports nothing on this system.
func writable(string) error { return nil }
