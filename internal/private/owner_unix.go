//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package private

import (
	"io/fs"
	"os"
	"syscall"
)

// noFollow refuses links.
const noFollow = syscall.O_NOFOLLOW

// own tells what belongs to the user.
func own(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
