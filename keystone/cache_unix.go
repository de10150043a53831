//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package keystone

import (
	"io"
	"io/fs"
	"os"
	"syscall"
)

// noFollow refuses links.
const noFollow = syscall.O_NOFOLLOW

// mostCached bounds what is read of a file: a token and a large catalogue.
const mostCached = 16 << 20

// private makes the folder if it is not there, and tells whether nobody but the user can have put anything into it.
func private(folder string) bool {
	info, err := os.Stat(folder)
	if os.IsNotExist(err) {
		if os.MkdirAll(folder, 0o700) != nil {
			return false
		}
		info, err = os.Stat(folder)
	}
	return err == nil && info.IsDir() && own(info)
}

// own tells a file that belongs to the user and that is nobody else's business.
func own(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid() && info.Mode().Perm()&0o077 == 0
}

// readPrivate reads a file; nil if there is none, or if others could have.
func readPrivate(path string) []byte {
	f, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return nil
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || !own(info) {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(f, mostCached))
	if err != nil {
		return nil
	}
	return data
}

// tryLock locks a file until it is closed, unless another process has locked it. Where locks do not work it is locked.
func tryLock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != syscall.EWOULDBLOCK
}
