package jsontext

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/value"
)

const hexDigits = "0123456789abcdef"

// plain marks the bytes that need no escape in a JSON string.
var plain = func() (t [256]bool) {
	for c := ' '; c < 0x7F; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// AppendString appends s as a JSON string whose non-ASCII characters are
// escaped as \uXXXX in lower case, as the v1 API writes them (contract §0.3).
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		if plain[s[i]] {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		n := 1
		half, isHalf := value.SurrogateHalf(s[i:])
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c == '\b':
			dst = append(dst, '\\', 'b')
		case c == '\f':
			dst = append(dst, '\\', 'f')
		case isHalf:
			n = 3
			dst = appendEscape(dst, half)
		default:
			var r rune
			if r, n = utf8.DecodeRuneInString(s[i:]); r >= 0x10000 {
				dst = appendEscape(dst, 0xD800+(r-0x10000)>>10)
				r = 0xDC00 + (r-0x10000)&0x3FF
			}
			dst = appendEscape(dst, r)
		}
		i += n
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// AppendUTF8 appends s as a JSON string with only the escapes that JSON requires; invalid UTF-8 becomes U+FFFD.
func AppendUTF8(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		from := i
		for len(s)-i >= 8 && allPlain(s[i:i+8]) {
			i += 8
		}
		for i < len(s) && plain[s[i]] {
			i++
		}
		if dst = append(dst, s[from:i]...); i == len(s) {
			break
		}
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
			i++
		case c == '\n':
			dst = append(dst, `\n`...)
			i++
		case c == '\t':
			dst = append(dst, `\t`...)
			i++
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			i++
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
		}
	}
	return append(dst, '"')
}

// allPlain reports whether none of eight bytes needs an escape in a JSON string: they are ASCII, and not control
// characters, " or \\.
func allPlain(s string) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	quote, slash := w^'"'*ones, w^'\\'*ones
	// Each term has the high bit set for a byte that does not qualify. A byte next to one may be reported too, in which
	// case the eight bytes are not plain either way.
	return (w|(w+ones)|(w-' '*ones)|((quote-ones)&^quote)|((slash-ones)&^slash))&high == 0
}

func appendEscape(dst []byte, r rune) []byte {
	return append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// AppendCompact appends v in canonical form: no whitespace, keys sorted by code point, numbers as written, strings in
// ASCII.
func (v Value) AppendCompact(dst []byte) []byte {
	switch v.Kind {
	case Null:
		return append(dst, "null"...)
	case False:
		return append(dst, "false"...)
	case True:
		return append(dst, "true"...)
	case Integer, Float:
		return append(dst, v.Text...)
	case String:
		return AppendString(dst, v.Text)
	case Array:
		dst = append(dst, '[')
		for i, item := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = item.AppendCompact(dst)
		}
		return append(dst, ']')
	default:
		dst = append(dst, '{')
		for i, m := range v.sorted() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendString(dst, m.Key)
			dst = append(dst, ':')
			dst = m.Value.AppendCompact(dst)
		}
		return append(dst, '}')
	}
}

// Compact is like [Value.AppendCompact], but returns a string.
func (v Value) Compact() string { return string(v.AppendCompact(nil)) }

func (v Value) sorted() []Member {
	byKey := func(a, b Member) int { return strings.Compare(a.Key, b.Key) }
	if slices.IsSortedFunc(v.Members, byKey) {
		return v.Members
	}
	return slices.SortedFunc(slices.Values(v.Members), byKey)
}

// AppendIndented appends canonical text src (from [Value.AppendCompact]) with
// line breaks and two spaces for each level, starting at level depth.
//
// The result may be many times as long as src. Each time dst reaches the length full, room is called with it, and
// returns the buffer to continue with; room may be nil.
func AppendIndented(dst []byte, src string, depth, full int, room func(dst []byte) []byte) []byte {
	if src == "" || src[0] != '{' && src[0] != '[' {
		return append(dst, src...)
	}
	for i := 0; i < len(src); {
		if len(dst) >= full && room != nil {
			dst = room(dst)
		}
		switch c := src[i]; c {
		case '{', '[':
			if src[i+1] == c+2 { // "{}" and "[]" stay on one line
				dst = append(dst, c, c+2)
				i += 2
				continue
			}
			depth++
			dst = AppendNewline(append(dst, c), depth)
		case '}', ']':
			depth--
			dst = append(AppendNewline(dst, depth), c)
		case ',':
			dst = AppendNewline(append(dst, c), depth)
		case ':':
			dst = append(dst, ':', ' ')
		case '"':
			end := value.StringEnd(src, i)
			dst = append(dst, src[i:end]...)
			i = end - 1
		default:
			dst = append(dst, c)
		}
		i++
	}
	return dst
}

// Piece is the best size in bytes for writing large documents in pieces.
const Piece = 64 << 10

// IndentedLen returns how many bytes [AppendIndented] appends.
func IndentedLen(src string, depth int) int {
	if src == "" || src[0] != '{' && src[0] != '[' {
		return len(src)
	}
	n := len(src)
	for i := 0; i < len(src); i++ {
		switch c := src[i]; c {
		case '{', '[':
			if src[i+1] == c+2 {
				i++
				continue
			}
			depth++
			n += 1 + 2*depth
		case '}', ']':
			depth--
			n += 1 + 2*depth
		case ',':
			n += 1 + 2*depth
		case ':':
			n++
		case '"':
			i = value.StringEnd(src, i) - 1
		}
	}
	return n
}

const spaces = "\n                                                                "

// AppendNewline appends a line break and the indentation of level depth.
func AppendNewline(dst []byte, depth int) []byte {
	if n := 1 + 2*depth; n <= len(spaces) {
		return append(dst, spaces[:n]...)
	}
	dst = append(dst, '\n')
	for range depth {
		dst = append(dst, ' ', ' ')
	}
	return dst
}
