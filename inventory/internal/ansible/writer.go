package ansible

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// writer writes nested objects member by member.
type writer struct {
	w      *bufio.Writer
	pretty bool
	depth  int  // of objects that are open, the outermost not counted
	filled bool // the innermost open object has a member
	buf    bytes.Buffer
	any    bool // something was written
}

func newWriter(w io.Writer, pretty bool) *writer {
	return &writer{w: bufio.NewWriterSize(w, 1<<16), pretty: pretty}
}

// begin writes what stands before a member, and its name.
func (w *writer) begin(name string) {
	switch {
	case !w.any:
		_ = w.w.WriteByte('{')
	case w.filled:
		_ = w.w.WriteByte(',')
	}
	if w.pretty || w.filled || w.depth > 1 {
		w.newline(w.depth + 1)
	}
	w.any, w.filled = true, true
	_, _ = w.w.Write(append(jsontext.AppendUTF8(nil, name), ':'))
	if w.pretty {
		_ = w.w.WriteByte(' ')
	}
}

// newline begins a line; pretty ones are indented.
func (w *writer) newline(depth int) {
	_ = w.w.WriteByte('\n')
	if w.pretty {
		for range depth {
			_, _ = w.w.WriteString("  ")
		}
	}
}

func (w *writer) open(name string) {
	w.begin(name)
	_ = w.w.WriteByte('{')
	w.depth, w.filled = w.depth+1, false
}

// close closes the innermost object. After hosts, each on a line, it begins a line, which no host's is (see plugins/plugin_utils/lazy.py).
func (w *writer) close() {
	if w.filled && (w.pretty || w.depth > 1) {
		w.newline(w.depth)
	}
	_ = w.w.WriteByte('}')
	w.depth, w.filled = w.depth-1, true
}

// member writes a member whose value is compact JSON.
func (w *writer) member(name string, value []byte) {
	w.begin(name)
	if !w.pretty {
		_, _ = w.w.Write(value)
		return
	}
	w.buf.Reset()
	_ = json.Indent(&w.buf, value, strings.Repeat("  ", w.depth+1), "  ") // the value is well formed
	_, _ = w.w.Write(w.buf.Bytes())
}

// end closes the outermost object. Errors of all writes come out here.
func (w *writer) end() error {
	if w.pretty {
		w.newline(0)
	}
	_, _ = w.w.WriteString("}\n")
	return w.w.Flush()
}
