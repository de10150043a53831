//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package keystone

import (
	"os"
	"syscall"
)

// tryLock locks a file until it is closed, unless another process has locked it. If locks do not work, it reports
// success.
func tryLock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != syscall.EWOULDBLOCK
}
