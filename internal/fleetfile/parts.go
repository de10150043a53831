package fleetfile

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"sort"
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// A large YAML file is read in parts, because the library keeps all nodes of a document in memory, 20 times the size of
// the text. The lists of clouds, regions, cells, hosts and so on are cut out between two items, parsed a few items at a
// time, and the rest of the document is parsed with a marker in place of each list.
//
// The cuts are guessed from the indentation, and verified by the library: a marker must come back as the value that it
// was inserted for, and each part must parse as a list of its own. A list inside a text, quotes or brackets that are
// open at the end of a part, and all other wrong guesses violate one of these, because the library's scanner has no
// state between two items except the indentation. The file is then read as a whole. So are files with anchors, which
// may be referenced anywhere, or merge keys, and files with an error, so that the error is about the complete file.

// partSize is the number of bytes that are parsed at once.
const partSize = 128 << 10

// parts reads a document in parts.
type parts struct {
	size, least int               // lists worth reading in parts
	lines       [][]byte          // as yamlReader has them
	left        int               // lists that were cut out and not read yet
	failed      bool              // a guess was wrong
	keys        map[string]string // as plainReader has them
}

// isComplete reports whether the document was read to its end without a wrong guess.
func (p *parts) isComplete() bool { return p.left == 0 && !p.failed }

// inParts begins to read a document; nil if it should be read as a whole. The tree is valid only if isComplete returns
// true at the end.
func inParts(data []byte, size int) (*parts, *tree) {
	if len(data) <= size || unprintable(data) != nil || oddBreaks(data) || bytes.HasPrefix(data, []byte("%")) || bytes.Contains(data, []byte("\n%")) {
		return nil, nil
	}
	p := &parts{size: size, least: max(size/8, 1), keys: map[string]string{}}
	if bareTag().Match(data) {
		p.lines = bytes.Split(data, []byte("\n"))
	}
	t := p.read(data, 0, 0)
	if t == nil || p.left == 0 {
		return nil, nil
	}
	return p, t
}

// oddBreaks reports whether there are characters that YAML 1.1 treats as line breaks and we do not.
func oddBreaks(data []byte) bool {
	for rest := data; ; {
		i := bytes.IndexByte(rest, '\r')
		if i < 0 {
			break
		}
		if rest = rest[i+1:]; len(rest) == 0 || rest[0] != '\n' {
			return true
		}
	}
	for _, c := range []string{"\u0085", "\u2028", "\u2029"} {
		if bytes.Contains(data, []byte(c)) {
			return true
		}
	}
	return false
}

// list is a list that was cut out.
type list struct {
	items   [][]byte // the text of each part: some items, complete lines
	lines   []int    // the number of lines of the file before each
	mark    string   // the marker that replaces it
	at      int      // the line of the marker in the rest, from 1
	removed int      // the number of lines that this list and those before it have removed
}

// read parses a text, possibly in parts, to a tree. before is the number of lines of the file before it, depth its
// nesting. It returns nil if a guess was wrong.
func (p *parts) read(text []byte, before, depth int) *tree {
	var lists []*list
	if len(text) > p.size {
		text, lists = p.cut(text, before)
	}
	if lists == nil {
		if t := plainTree(jsontext.Text(text), before, p.keys); t != nil {
			return t
		}
	}
	y := &yamlReader{lines: p.lines, cut: map[*yaml.Node]func(depth int) *tree{}}
	var doc, more yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	if d.Decode(&doc) != nil || !errors.Is(d.Decode(&more), io.EOF) || len(doc.Content) == 0 {
		p.failed = true
		return nil
	}
	for n := range nodes(&doc) {
		if n.Anchor != "" || n.Kind == yaml.AliasNode || n.Value == "<<" && lists != nil {
			p.failed = true
			return nil
		}
		i := sort.Search(len(lists), func(i int) bool { return lists[i].at >= n.Line })
		if i < len(lists) && lists[i].at == n.Line && n.Kind == yaml.ScalarNode && n.Style == yaml.DoubleQuotedStyle && n.Value == lists[i].mark {
			l := lists[i]
			y.cut[n] = func(depth int) *tree {
				return &tree{shape: sequence, size: 1, height: 1, parts: p.each(l, depth), line: l.lines[0] + 1}
			}
		}
		n.Line += before
		if i > 0 {
			n.Line += lists[i-1].removed
		}
	}
	if len(y.cut) != len(lists) {
		p.failed = true
		return nil
	}
	y.depth, y.limit = depth, maxSize+maxPerValue*len(text)
	p.left += len(lists)
	return y.read(doc.Content[0])
}

// each yields the items of a list, part by part.
func (p *parts) each(l *list, depth int) iter.Seq[*tree] {
	return func(yield func(*tree) bool) {
		p.left--
		for i, text := range l.items {
			if p.failed {
				return
			}
			t := p.read(text, l.lines[i], depth-1) // the part's own list replaces the one around it
			if t == nil || t.shape != sequence || t.parts != nil || depth+t.height > maxHeight {
				p.failed = true
				return
			}
			for _, item := range t.items {
				if !yield(item) {
					return
				}
			}
		}
	}
}

// cut removes the large lists from a text.
func (p *parts) cut(text []byte, before int) (rest []byte, lists []*list) {
	removed, kept := 0, 0 // total lines removed, total lines left
	copied := 0           // text up to here is in rest
	for at := 0; at < len(text); {
		end := lineEnd(text, at)
		kept++
		column, ok := listKey(text[at:end])
		if !ok {
			at = end
			continue
		}
		l := &list{}
		stop, lines := p.items(text, end, column, before+kept+removed, l)
		if stop-end < p.least {
			if stop > end { // nothing in it is larger
				kept += lines
				at = stop
				continue
			}
			at = end
			continue
		}
		l.mark = "@" + strconv.Itoa(len(lists))
		removed += lines
		l.at, l.removed = kept, removed
		rest = append(append(rest, bytes.TrimRight(text[copied:end], " \r\n")...), ` "`+l.mark+"\"\n"...)
		lists = append(lists, l)
		at, copied = stop, stop
	}
	if lists == nil {
		return text, nil
	}
	return append(rest, text[copied:]...), lists
}

// lineEnd returns the end of the line that begins at an offset, after its line break.
func lineEnd(text []byte, at int) int {
	if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(text)
}

// indentation returns the indentation of a line, and its text.
func indentation(line []byte) (n int, rest []byte) {
	for n < len(line) && line[n] == ' ' {
		n++
	}
	return n, line[n:]
}

// listKey returns the key of a list of objects, if a line has nothing else, and the column of the key.
func listKey(line []byte) (column int, ok bool) {
	column, rest := indentation(line)
	for len(rest) > 2 && rest[0] == '-' && rest[1] == ' ' {
		n, after := indentation(rest[1:])
		column, rest = column+1+n, after
	}
	rest = bytes.TrimRight(rest, " \r\n")
	if len(rest) < 2 || rest[len(rest)-1] != ':' {
		return 0, false
	}
	return column, listKeys[string(rest[:len(rest)-1])]
}

// listKeys are the keys of lists of objects.
var listKeys = func() map[string]bool {
	keys := map[string]bool{}
	var add func(s *kindSpec)
	add = func(s *kindSpec) {
		keys[s.list] = true
		for _, l := range s.lists {
			add(l)
		}
	}
	add(cloudSpec)
	return keys
}()

// items finds the items of the list after a key's line, and groups them into parts. stop is the end of the list, or the
// start if there is none that can be cut.
func (p *parts) items(text []byte, at, key, before int, l *list) (stop, lines int) {
	column, begun, starts := -1, at, before
	stop = at
	for at < len(text) {
		end := lineEnd(text, at)
		n, rest := indentation(text[at:end])
		rest = bytes.TrimRight(rest, " \r\n")
		switch {
		case len(rest) == 0 || rest[0] == '#':
		case column < 0 && (n < key || !isItem(rest)):
			return stop, 0
		case n < column, n == column && !isItem(rest):
			l.add(text[begun:at], starts)
			return at, lines
		case n == column && at-begun >= p.size || column < 0:
			if column >= 0 {
				l.add(text[begun:at], starts)
				begun, starts = at, before+lines
			}
			column = n
		}
		at = end
		lines++
	}
	if column < 0 {
		return stop, 0
	}
	l.add(text[begun:], starts)
	return len(text), lines
}

func (l *list) add(text []byte, before int) {
	l.items, l.lines = append(l.items, text), append(l.lines, before)
}

// isItem reports whether a line begins a list item.
func isItem(line []byte) bool { return line[0] == '-' && (len(line) == 1 || line[1] == ' ') }
