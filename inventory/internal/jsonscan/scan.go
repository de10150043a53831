package jsonscan

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"github.com/tidwall/gjson"
)

// Scanner reads JSON that is known to be valid, once, from front to back: a page of hosts nests four levels deep, and
// readers that look for the end of a value before they look into it would read most of it four times.
type Scanner struct {
	s string
	i int
}

// New makes a Scanner of JSON that is known to be valid.
func New(s string) *Scanner { return &Scanner{s: s} }

// Text is body as a string without a copy. Bodies are never written to.
func Text(body []byte) string { return unsafe.String(unsafe.SliceData(body), len(body)) }

// Peek is the next byte that is no white space.
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
		x.Skip()
		return ""
	}
	from, escaped := x.i, false
	for x.i++; x.s[x.i] != '"'; x.i++ {
		if x.s[x.i] == '\\' {
			escaped = true
			x.i++
		}
	}
	x.i++
	if escaped {
		return gjson.Parse(x.s[from:x.i]).Str
	}
	return x.s[from+1 : x.i-1]
}

// ID reads an integer; of anything else, such as null, it is 0.
func (x *Scanner) ID() int {
	n, err := strconv.Atoi(x.Skip())
	if err != nil {
		return 0
	}
	return n
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
	for depth := 0; x.i < len(x.s); x.i++ {
		switch x.s[x.i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			for x.i++; x.s[x.i] != '"'; x.i++ {
				if x.s[x.i] == '\\' {
					x.i++
				}
			}
		default:
			continue
		}
		if depth == 0 {
			x.i++
			break
		}
	}
	return x.s[from:x.i]
}

// delimiter tells what ends a number or a word.
func delimiter(c byte) bool {
	switch c {
	case ',', '}', ']', ' ', '\n', '\t', '\r':
		return true
	}
	return false
}

// AppendClean appends a value as Scanner.Clean does.
func AppendClean(dst []byte, raw string) []byte { return (&Scanner{s: raw}).Clean(dst) }

// Clean reads any value and appends it without the space around its parts, and with what is no character replaced by
// U+FFFD, as JSON readers do: bytes that are not UTF-8, and halves of surrogate pairs. ansible-core 2.19 and later
// refuse a whole inventory for one such half.
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
			dst = x.cleanString(dst)
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

// cleanString is Clean for a string.
func (x *Scanner) cleanString(dst []byte) []byte {
	from := x.i // of what was not appended yet
	for x.i++; x.s[x.i] != '"'; {
		switch c := x.s[x.i]; {
		case c == '\\':
			n := escape(x.s[x.i:])
			if n == 0 {
				dst = append(append(dst, x.s[from:x.i]...), `\ufffd`...)
				x.i += 6
				from = x.i
				continue
			}
			x.i += n
		case c < utf8.RuneSelf:
			x.i++
		default:
			r, n := utf8.DecodeRuneInString(x.s[x.i:])
			if r == utf8.RuneError && n == 1 {
				dst = utf8.AppendRune(append(dst, x.s[from:x.i]...), r)
				from = x.i + 1
			}
			x.i += n
		}
	}
	x.i++
	return append(dst, x.s[from:x.i]...)
}

// escape is the length of the escape sequence that s begins with, 12 for a surrogate pair, 0 for half of one.
func escape(s string) int {
	if s[1] != 'u' {
		return 2
	}
	r := hex4(s[2:])
	if !utf16.IsSurrogate(r) {
		return 6
	}
	if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' && utf16.DecodeRune(r, hex4(s[8:])) != utf8.RuneError {
		return 12
	}
	return 0
}

// hex4 reads the four digits of \uXXXX; the JSON is known to be well formed.
func hex4(s string) rune {
	var r rune
	for i := range 4 {
		c := rune(s[i])
		switch {
		case c <= '9':
			c -= '0'
		case c <= 'F':
			c -= 'A' - 10
		default:
			c -= 'a' - 10
		}
		r = r<<4 | c
	}
	return r
}
