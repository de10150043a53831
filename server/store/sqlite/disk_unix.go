//go:build unix

package sqlite

import "golang.org/x/sys/unix"

// freeBytes returns the number of bytes that this user can still write to the file system of a directory.
func freeBytes(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil
}

// writable returns why this process may not write to a file or directory.
func writable(name string) error { return unix.Access(name, unix.W_OK) }
