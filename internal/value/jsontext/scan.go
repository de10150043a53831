package jsontext

import (
	"strconv"
	"strings"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/value"
)

// Scanner reads JSON that is known to be valid, once, from front to back, and keeps the text of what is kept: numbers
// with their digits, objects with their order. It is for the pages of a listing, which are large, and of which little
// is kept: a page of hosts nests four levels deep, and readers that look for the end of a value before they look into
// it would read most of it four times.
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

// NewScanner returns a Scanner of JSON that is known to be valid.
func NewScanner(s string) *Scanner { return &Scanner{s: s, whole: value.IsDecodable(s)} }

// NewSkimmer returns a Scanner that knows nothing of Altered: for who wants little of a text, and no strings.
func NewSkimmer(s string) *Scanner { return &Scanner{s: s, whole: true} }

// Altered reports whether a string or a key that was read since the last call is not what the JSON says: it is not
// UTF-8, or holds half a surrogate pair.
func (x *Scanner) Altered() bool {
	altered := x.altered
	x.altered = false
	return altered
}

// Misfit reports whether Str, ID or Bool met something else since the last call; null is none.
func (x *Scanner) Misfit() bool {
	misfit := x.misfit
	x.misfit = false
	return misfit
}

// Text returns body as a string without a copy. Bodies are never written to.
func Text(body []byte) string { return unsafe.String(unsafe.SliceData(body), len(body)) }

// Peek returns the next byte that is no white space.
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

// Str reads a string; of anything else, such as null, it is "".
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

// ID reads an integer; of anything else, such as null, it is 0.
func (x *Scanner) ID() int {
	text := x.Skip()
	n, err := strconv.Atoi(text)
	if err != nil {
		x.misfit = text != "null" || x.misfit
		return 0
	}
	return n
}

// Bool reads true or false; of anything else, such as null, it is false.
func (x *Scanner) Bool() bool {
	text := x.Skip()
	x.misfit = text != "true" && text != "false" && text != "null" || x.misfit
	return text == "true"
}

// Skip reads any value and gives its text.
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

// structure marks the bytes that begin and end what is more than a word.
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

// Clean reads any value and appends it without the space around its parts, otherwise as it is: also what is no
// character, which value.CheckJSON finds.
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
