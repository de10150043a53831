//go:build !linux

package output

import "io"

// WidenPipe makes room for more bytes in w if it is a pipe; only Linux can.
func WidenPipe(io.Writer) {}
