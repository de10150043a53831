package fleetfile

import (
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/yaml11"
)

// Most of a large file is very simple YAML: keys and dashes at the beginning of lines, followed by one word or text.
// The library takes most of the time for such a file, so simple parts are read here. Anything else (characters outside
// ASCII, texts of several lines, tags, anchors, escapes, mappings in braces, duplicate keys, inconsistent indentation)
// is left to the library, which reads the complete part and reports errors. The meaning of a word, such as a number or
// true, is determined by the same code for both.

// plainReader reads a part in simple YAML. It gives up at anything else.
type plainReader struct {
	rest   string // the text after the line
	number int    // of the line in the file
	column int    // the start of the line, or of its rest
	line   string // the rest of it; "" at the end of the text
	depth  int    // of the current value
	failed bool
	keys   map[string]string // shared copies of the texts
}

// plainTree returns the value of a text in simple YAML, or nil if it is not simple. before is the number of lines of
// the file before it.
func plainTree(text string, before int, keys map[string]string) *tree {
	r := &plainReader{rest: text, number: before, keys: keys}
	r.next()
	if r.line == "" || r.failed {
		return nil
	}
	t := r.block()
	if r.failed || r.line != "" {
		return nil
	}
	return t
}

// next moves to the next line with content.
func (r *plainReader) next() {
	for r.line = ""; r.rest != "" && r.line == "" && !r.failed; r.number++ {
		var line string
		line, r.rest, _ = strings.Cut(r.rest, "\n")
		text := strings.TrimLeft(line, " ")
		if text == "" || text[0] == '#' && isASCII(text) {
			continue
		}
		r.column, r.line = len(line)-len(text), text
		r.failed = text[len(text)-1] == ' ' || !isASCII(text)
	}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func (r *plainReader) fail() *tree {
	r.failed = true
	return brokenTree(r.number, "")
}

func isDash(line string) bool { return strings.HasPrefix(line, "- ") }

// block reads the list or the mapping that begins here.
func (r *plainReader) block() *tree {
	if r.depth == maxHeight {
		return r.fail()
	}
	r.depth++
	defer func() { r.depth-- }()
	if isDash(r.line) {
		return r.sequence()
	}
	return r.mapping()
}

func (r *plainReader) sequence() *tree {
	column := r.column
	t := &tree{line: r.number, shape: sequence}
	for r.column == column && isDash(r.line) && !r.failed {
		item := strings.TrimLeft(r.line[1:], " ")
		r.column, r.line = r.column+len(r.line)-len(item), item
		if _, _, isMapping := r.key(); isMapping || isDash(item) {
			t.items = append(t.items, r.block())
		} else {
			t.items = append(t.items, r.value(item))
			r.next()
		}
	}
	return r.endBlock(t, column)
}

func (r *plainReader) mapping() *tree {
	column := r.column
	t := &tree{line: r.number, shape: mapping}
	var seen keyLines
	for r.line != "" && r.column == column && !isDash(r.line) && !r.failed {
		key, value, ok := r.key()
		if _, twice := seen.of(key); twice || !ok {
			return r.fail()
		}
		e := entry{key: key, line: r.number}
		seen.set(key, r.number)
		if value != "" {
			e.value = r.value(value)
			r.next()
		} else if r.next(); r.line != "" && (r.column > column || r.column == column && isDash(r.line)) {
			e.value = r.block()
		} else {
			e.value = scalarAt(e.line, "")
		}
		t.entries = append(t.entries, e)
	}
	return r.endBlock(t, column)
}

// endBlock returns a list or a mapping, unless it is followed by a line with deeper indentation.
func (r *plainReader) endBlock(t *tree, column int) *tree {
	if r.failed || r.line != "" && r.column > column {
		return r.fail()
	}
	return t.measure()
}

// key returns the key that begins here, and the rest of the line.
func (r *plainReader) key() (key, value string, ok bool) {
	const longest = 100
	n := 0
	for n < len(r.line) && n < longest && isWord(r.line[n]) {
		n++
	}
	if n == 0 || n == len(r.line) || r.line[n] != ':' || !isLetter(r.line[0]) {
		return "", "", false
	}
	if value = r.line[n+1:]; value != "" && value[0] != ' ' {
		return "", "", false
	}
	if key, ok = r.keys[r.line[:n]]; !ok {
		key = strings.Clone(r.line[:n])
		if yaml11.Read(key).Kind != yaml11.Text {
			return "", "", false
		}
		if len(r.keys) < maxTexts {
			r.keys[key] = key
		}
	}
	return key, strings.TrimLeft(value, " "), true
}

// value reads a value that is alone on its line, or follows a key.
func (r *plainReader) value(s string) *tree {
	switch last := len(s) - 1; {
	case (s[0] == '"' || s[0] == '\'') && last > 0 && s[last] == s[0] && strings.IndexByte(s[1:last], s[0]) < 0 && (s[0] == '\'' || strings.IndexByte(s, '\\') < 0):
		return leaf(r.number, text, strings.Clone(s[1:last]))
	case s[0] == '[' && s[last] == ']':
		return r.flow(strings.TrimSpace(s[1:last]))
	case isPlain(s):
		return scalarAt(r.number, s)
	}
	return r.fail()
}

// flow reads a list of words in brackets.
func (r *plainReader) flow(s string) *tree {
	t := &tree{line: r.number, shape: sequence}
	for more := s != ""; more; {
		var item string
		item, s, more = strings.Cut(s, ",")
		item = strings.TrimSpace(item)
		if item == "" || !isLetter(item[0]) {
			return r.fail()
		}
		for i := range len(item) {
			if !isWord(item[i]) {
				return r.fail()
			}
		}
		t.items = append(t.items, scalarAt(r.number, item))
	}
	return t.measure()
}

// scalarAt returns the value of a text without quotes.
func scalarAt(line int, s string) *tree {
	s = strings.Clone(s) // releases the text around it
	t := scalarTree(&yaml.Node{Kind: yaml.ScalarNode, Value: s, Line: line}, yaml11.Read(s))
	t.plain, t.written = true, s
	return t
}

// isPlain reports whether a text is a value that needs no quotes, whatever its type.
func isPlain(s string) bool {
	if first := s[0]; !isLetter(first) && !isDigit(first) && first != '.' && first != '/' && (first != '-' || len(s) == 1 || !isDigit(s[1])) {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case isWord(c), c == ' ', strings.IndexByte("/+@%=,()", c) >= 0:
		case c == ':' && i+1 < len(s) && (isWord(s[i+1]) || s[i+1] == '/'):
		default:
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isWord(c byte) bool   { return isLetter(c) || isDigit(c) || c == '-' || c == '.' }
