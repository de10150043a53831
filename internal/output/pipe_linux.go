package output

import (
	"io"

	"golang.org/x/sys/unix"
)

// pipeSize is the size that WidenPipe requests: the largest that Linux allows any user.
const pipeSize = 1 << 20

// WidenPipe enlarges the buffer of w if it is a pipe, so that a large document does not wait for its reader every 64
// kB. If that is not possible, nothing happens.
func WidenPipe(w io.Writer) {
	if f, ok := w.(Descriptor); ok {
		_, _ = unix.FcntlInt(f.Fd(), unix.F_SETPIPE_SZ, pipeSize)
	}
}
