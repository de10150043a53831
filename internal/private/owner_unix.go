//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package private

import (
	"io/fs"
	"os"
	"syscall"
)

// noFollow refuses links, and does not block on a pipe.
const noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// isOwn reports whether a file belongs to the user.
func isOwn(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
