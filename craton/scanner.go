package craton

import (
	"bytes"
	"encoding/json"
)

// scanner reads JSON that is known to be valid, once, from front to back, and copies nothing: of a page of megabytes only
// the ids are wanted.
type scanner struct {
	b []byte
	i int
}

// peek is the next byte that is no white space.
func (x *scanner) peek() byte {
	for x.i < len(x.b) {
		switch c := x.b[x.i]; c {
		case ' ', '\n', '\t', '\r':
			x.i++
		default:
			return c
		}
	}
	return 0
}

// members calls fn with each key of an object, unescaped; fn skips the value.
func (x *scanner) members(fn func(key []byte)) {
	x.i++
	for x.peek() == '"' {
		key := x.skip()
		if bytes.IndexByte(key, '\\') >= 0 {
			var text string
			_ = json.Unmarshal(key, &text) // it is valid
			key = []byte(text)
		} else {
			key = key[1 : len(key)-1]
		}
		x.peek()
		x.i++ // the colon
		x.peek()
		fn(key)
		if x.peek() == ',' {
			x.i++
		}
	}
	x.i++ // the brace
}

// elements calls fn for each element of an array; fn skips it.
func (x *scanner) elements(fn func()) {
	x.i++
	for c := x.peek(); c != ']' && c != 0; c = x.peek() {
		fn()
		if x.peek() == ',' {
			x.i++
		}
	}
	x.i++ // the bracket
}

// skip reads any value and gives its text.
func (x *scanner) skip() []byte {
	c := x.peek()
	from := x.i
	switch c {
	case '"':
		x.text()
	case '{', '[':
		for depth := 0; ; {
			switch x.b[x.i] {
			case '"':
				x.text()
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			if x.i++; depth == 0 {
				break
			}
		}
	default:
		for x.i < len(x.b) && bytes.IndexByte([]byte(",]} \n\t\r"), x.b[x.i]) < 0 {
			x.i++
		}
	}
	return x.b[from:x.i]
}

// text reads a string.
func (x *scanner) text() {
	for x.i++; ; {
		end := x.i + bytes.IndexByte(x.b[x.i:], '"')
		escapes := 0
		for x.b[end-1-escapes] == '\\' {
			escapes++
		}
		x.i = end + 1
		if escapes%2 == 0 {
			return
		}
	}
}
