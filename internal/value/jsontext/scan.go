package jsontext

import (
	"strconv"
	"strings"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/value"
)

// Scanner reads valid JSON once, from front to back, and keeps the text of values: numbers with their digits, objects
// with their order. It is for the pages of a listing, which are large, and of which little is kept: a page of hosts has
// four levels of nesting, and readers that search for the end of a value before they read it would read most of it four
// times.
//
//	x := jsontext.NewScanner(jsontext.Text(body)) // checked by gjson.ValidBytes
//	x.Members(func(key string) {
//		if key == "id" {
//			id = x.ID()
//		} else {
//			x.Skip()
//		}
//	})
type Scanner struct {
	s       string
	i       int
	whole   bool // no string of s can be altered
	altered bool
	misfit  bool
}

// NewScanner returns a Scanner for valid JSON.
func NewScanner(s string) *Scanner { return &Scanner{s: s, whole: value.IsDecodable(s)} }

// NewSkimmer returns a Scanner that does not support Altered, for callers that read little of a text, and no strings.
func NewSkimmer(s string) *Scanner { return &Scanner{s: s, whole: true} }

// Altered reports whether decoding has changed a string or a key that was read since the last call: it is not UTF-8, or
// contains an unpaired surrogate.
func (x *Scanner) Altered() bool {
	altered := x.altered
	x.altered = false
	return altered
}

// Misfit reports whether Str, ID or Bool found another type since the last call; null does not count.
func (x *Scanner) Misfit() bool {
	misfit := x.misfit
	x.misfit = false
	return misfit
}

// Text returns body as a string without a copy. Bodies are never modified.
func Text(body []byte) string { return unsafe.String(unsafe.SliceData(body), len(body)) }

// Peek returns the next byte that is not whitespace.
func (x *Scanner) Peek() byte {
	for x.i < len(x.s) {
		switch c := x.s[x.i]; c {
		case ' ', '\n', '\t', '\r':
			x.i++
		default:
			return c
		}
	}
	return 0
}

// Members calls fn with each key of an object; fn reads or skips the value. Anything else is skipped.
func (x *Scanner) Members(fn func(key string)) {
	if x.Peek() != '{' {
		x.Skip()
		return
	}
	x.i++
	for x.Peek() == '"' {
		key := x.Str()
		x.Peek()
		x.i++ // the colon
		x.Peek()
		fn(key)
		if x.Peek() == ',' {
			x.i++
		}
	}
	x.i++ // the brace
}

// Elements calls fn for each element of an array; fn reads or skips it. Anything else is skipped.
func (x *Scanner) Elements(fn func()) {
	if x.Peek() != '[' {
		x.Skip()
		return
	}
	x.i++
	for c := x.Peek(); c != ']' && c != 0; c = x.Peek() {
		fn()
		if x.Peek() == ',' {
			x.i++
		}
	}
	x.i++ // the bracket
}

// Str reads a string; for anything else, such as null, it returns "".
func (x *Scanner) Str() string {
	if x.Peek() != '"' {
		x.misfit = x.Skip() != "null" || x.misfit
		return ""
	}
	from := x.i
	x.i = value.StringEnd(x.s, x.i)
	escaped := strings.IndexByte(x.s[from:x.i], '\\') >= 0
	x.altered = x.altered || !x.whole && !value.IsDecodable(x.s[from:x.i])
	if escaped {
		return gjson.Parse(x.s[from:x.i]).Str
	}
	return x.s[from+1 : x.i-1]
}

// ID reads an integer; for anything else, such as null, it returns 0.
func (x *Scanner) ID() int {
	text := x.Skip()
	n, err := strconv.Atoi(text)
	if err != nil {
		x.misfit = text != "null" || x.misfit
		return 0
	}
	return n
}

// Bool reads true or false; for anything else, such as null, it returns false.
func (x *Scanner) Bool() bool {
	text := x.Skip()
	x.misfit = text != "true" && text != "false" && text != "null" || x.misfit
	return text == "true"
}

// Skip reads any value and returns its text.
func (x *Scanner) Skip() string {
	c := x.Peek()
	from := x.i
	if c != '{' && c != '[' && c != '"' {
		for x.i < len(x.s) && !delimiter(x.s[x.i]) {
			x.i++
		}
		return x.s[from:x.i]
	}
	i, depth := x.i, 0
	for i < len(x.s) {
		c := x.s[i]
		if !structure[c] {
			i++
			continue
		}
		switch c {
		case '"':
			i = value.StringEnd(x.s, i)
		case '{', '[':
			depth++
			i++
		default:
			depth--
			i++
		}
		if depth == 0 {
			break
		}
	}
	x.i = i
	return x.s[from:i]
}

// structure marks the bytes that begin and end strings, arrays and objects.
var structure = [256]bool{'{': true, '}': true, '[': true, ']': true, '"': true}

// delimiter reports whether a byte ends a number or a word.
func delimiter(c byte) bool {
	switch c {
	case ',', '}', ']', ' ', '\n', '\t', '\r':
		return true
	}
	return false
}

// AppendClean appends a value as Scanner.Clean does.
func AppendClean(dst []byte, raw string) []byte { return (&Scanner{s: raw}).Clean(dst) }

// Clean reads any value and appends it without whitespace between its parts, and otherwise unchanged: even invalid
// characters, which value.CheckJSON finds.
func (x *Scanner) Clean(dst []byte) []byte {
	if c := x.Peek(); c != '{' && c != '[' && c != '"' {
		return append(dst, x.Skip()...)
	}
	for depth := 0; x.i < len(x.s); {
		switch c := x.s[x.i]; c {
		case ' ', '\n', '\t', '\r':
			x.i++
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			dst = append(dst, x.Skip()...)
			if depth == 0 {
				return dst
			}
			continue
		}
		dst = append(dst, x.s[x.i])
		x.i++
		if depth == 0 {
			break
		}
	}
	return dst
}
