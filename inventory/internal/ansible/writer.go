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
	depth  int   // of open objects, without the outermost
	filled bool  // the innermost open object has a member
	at     int64 // number of bytes written
	buf    bytes.Buffer
	any    bool // something was written
}

func newWriter(w io.Writer, pretty bool) *writer {
	return &writer{w: bufio.NewWriterSize(w, 1<<16), pretty: pretty}
}

func (w *writer) put(text []byte) {
	n, _ := w.w.Write(text)
	w.at += int64(n)
}

func (w *writer) puts(text string) {
	n, _ := w.w.WriteString(text)
	w.at += int64(n)
}

// begin writes the separator before a member, and its name.
func (w *writer) begin(name string) {
	w.next()
	w.put(append(jsontext.AppendUTF8(nil, name), ':'))
	if w.pretty {
		w.puts(" ")
	}
}

// next writes the separator before a member.
func (w *writer) next() {
	switch {
	case !w.any:
		w.puts("{")
	case w.filled:
		w.puts(",")
	}
	if w.pretty || w.filled || w.depth > 1 {
		w.newline(w.depth + 1)
	}
	w.any, w.filled = true, true
}

// newline begins a line; it is indented if pretty.
func (w *writer) newline(depth int) {
	w.puts("\n")
	if w.pretty {
		for range depth {
			w.puts("  ")
		}
	}
}

func (w *writer) open(name string) {
	w.begin(name)
	w.puts("{")
	w.depth, w.filled = w.depth+1, false
}

// close closes the innermost object. After hosts, each on its own line, it begins a new line, which no host's line
// looks like (see plugins/plugin_utils/lazy.py).
func (w *writer) close() {
	if w.filled && (w.pretty || w.depth > 1) {
		w.newline(w.depth)
	}
	w.puts("}")
	w.depth, w.filled = w.depth-1, true
}

// member writes a member whose value is compact JSON.
func (w *writer) member(name string, value []byte) {
	w.begin(name)
	if !w.pretty {
		w.put(value)
		return
	}
	w.buf.Reset()
	_ = json.Indent(&w.buf, value, strings.Repeat("  ", w.depth+1), "  ") // the value is well-formed
	w.put(w.buf.Bytes())
}

// copied writes hosts, most of which are copied from another document.
func (w *writer) copied(hosts Copier, note func(Place)) error {
	var buf []byte
	for i := 0; i < hosts.Len(); {
		lines, places := hosts.Copied(i)
		if len(places) == 0 {
			buf = hosts.AppendVariables(buf[:0], i)
			w.member(hosts.Name(i), buf)
			note(Place{w.at, len(buf)})
			i++
			continue
		}
		w.next()
		begin := w.at
		n, err := w.w.ReadFrom(lines)
		if w.at += n; err == nil && n != places[len(places)-1].End {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		for _, p := range places {
			note(Place{begin + p.End, p.Size})
		}
		i += len(places)
	}
	return nil
}

// end closes the outermost object. It returns the error of any write.
func (w *writer) end() error {
	if w.pretty {
		w.newline(0)
	}
	w.puts("}\n")
	return w.w.Flush()
}
