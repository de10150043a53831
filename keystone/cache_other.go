//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package keystone

import "os"

// tryLock locks nothing where there are no locks.
func tryLock(*os.File) bool { return true }
