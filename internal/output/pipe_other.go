//go:build !linux

package output

import "io"

// WidenPipe enlarges the buffer of w if it is a pipe; only Linux supports that.
func WidenPipe(io.Writer) {}
