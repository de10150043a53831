//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package private

import "io/fs"

// noFollow refuses links on systems that support that.
const noFollow = 0

// isOwn reports whether a file belongs to the user. On systems without owners of files it is always false, so that
// nothing is stored.
func isOwn(fs.FileInfo) bool { return false }
