//go:build unix

package sqlite

import "golang.org/x/sys/unix"

// freeBytes returns the free space for this user in the file system of a directory, in bytes.
func freeBytes(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil
}

// writable returns an error if this process may not write to a file or directory.
func writable(name string) error { return unix.Access(name, unix.W_OK) }
