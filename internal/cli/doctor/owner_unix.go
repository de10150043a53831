//go:build unix

package doctor

import (
	"io/fs"
	"os"
	"syscall"
)

// ownedByOther reports whether a file belongs to a user other than root and the current one, and that user's id.
func ownedByOther(info fs.FileInfo) (owner int, is bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	owner = int(stat.Uid)
	return owner, owner != 0 && owner != os.Geteuid()
}
