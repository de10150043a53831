package yaml11

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Style is how JSON becomes YAML.
type Style struct {
	// Tagged, when not nil, is asked for each object, with its JSON. A text that it gives is written in the object's
	// place, with the tag before it: `!unsafe "{{ x }}"`.
	Tagged func(object string) (tag, text string, ok bool)
	// Key, when not nil, is asked for each key within a value. A text that it gives is written in the key's place, with
	// the tag before it: `!!int "10"`.
	Key func(key string) (tag, text string, ok bool)
}

// Indent is how many columns a level of nesting takes.
const Indent = 2

// AppendMember appends a member of a mapping whose keys begin in a column: the key, and the valid JSON of its value.
func (s Style) AppendMember(dst []byte, column int, key, json string) []byte {
	return s.value(AppendKey(spaces(dst, column), column, key), column, jsontext.NewSkimmer(json))
}

// AppendItem appends an item of a list whose dashes stand in a column.
func (s Style) AppendItem(dst []byte, column int, json string) []byte {
	return s.item(spaces(dst, column), column, jsontext.NewSkimmer(json))
}

// AppendKey appends a key with its colon, without a line break. The column is the key's.
//
// A key that is longer than YAML bears on one line stands behind a question mark.
func AppendKey(dst []byte, column int, key string) []byte {
	const longest = 500 // bytes; a reader gives up after 1024 characters
	from := len(dst)
	if dst = appendScalar(dst, key, true); len(dst)-from <= longest {
		return append(dst, ':')
	}
	long := string(dst[from:])
	dst = append(append(append(dst[:from], "? "...), long...), '\n')
	return append(spaces(dst, column), ':')
}

// AppendText appends a text as a scalar of one line that every reader of YAML takes for that text, whichever version it
// follows. What says nothing else without them has no quotes. What is not shown on a screen, or turns the direction of
// writing, is escaped.
func AppendText(dst []byte, text string) []byte { return appendScalar(dst, text, false) }

// AppendNumber appends a JSON number as YAML 1.1 takes it for the same: before an exponent there is a point, and the
// exponent has a sign.
func AppendNumber(dst []byte, json string) []byte {
	at := strings.IndexAny(json, "eE")
	if at < 0 {
		return append(dst, json...)
	}
	digits, exponent := json[:at], json[at+1:]
	dst = append(dst, digits...)
	if !strings.Contains(digits, ".") {
		dst = append(dst, ".0"...)
	}
	dst = append(dst, json[at])
	if exponent[0] != '+' && exponent[0] != '-' {
		dst = append(dst, '+')
	}
	return append(dst, exponent...)
}

// key appends a key within a value.
func (s Style) key(dst []byte, column int, key string) []byte {
	if s.Key != nil {
		if tag, text, ok := s.Key(key); ok {
			return append(appendQuoted(append(append(dst, tag...), ' '), text), ':')
		}
	}
	return AppendKey(dst, column, key)
}

// value appends what stands behind a key: on its line, or in lines below it. The column is the key's.
func (s Style) value(dst []byte, column int, x *jsontext.Scanner) []byte {
	switch x.Peek() {
	case '{':
		if tagged, ok := s.tagged(append(dst, ' '), x); ok {
			return append(tagged, '\n')
		}
		first := true
		x.Members(func(key string) {
			if first {
				dst, first = append(dst, '\n'), false
			}
			dst = s.value(s.key(spaces(dst, column+Indent), column+Indent, key), column+Indent, x)
		})
		if first {
			return append(dst, " {}\n"...)
		}
		return dst
	case '[':
		first := true
		x.Elements(func() {
			if first {
				dst, first = append(dst, '\n'), false
			}
			dst = s.item(spaces(dst, column+Indent), column+Indent, x)
		})
		if first {
			return append(dst, " []\n"...)
		}
		return dst
	case '"':
		return s.text(append(dst, ' '), column, x.Str())
	}
	return append(appendRest(append(dst, ' '), x.Skip()), '\n')
}

// item appends an item of a list behind its indentation. What it holds begins on its line.
func (s Style) item(dst []byte, column int, x *jsontext.Scanner) []byte {
	dst = append(dst, "- "...)
	inner := column + Indent
	switch x.Peek() {
	case '{':
		if tagged, ok := s.tagged(dst, x); ok {
			return append(tagged, '\n')
		}
		first := true
		x.Members(func(key string) {
			if !first {
				dst = spaces(dst, inner)
			}
			first = false
			dst = s.value(s.key(dst, inner, key), inner, x)
		})
		if first {
			return append(dst, "{}\n"...)
		}
		return dst
	case '[':
		first := true
		x.Elements(func() {
			if !first {
				dst = spaces(dst, inner)
			}
			first = false
			dst = s.item(dst, inner, x)
		})
		if first {
			return append(dst, "[]\n"...)
		}
		return dst
	case '"':
		return s.text(dst, column, x.Str())
	}
	return append(appendRest(dst, x.Skip()), '\n')
}

// appendRest appends what is no text, list or object.
func appendRest(dst []byte, json string) []byte {
	if c := json[0]; c == '-' || c >= '0' && c <= '9' {
		return AppendNumber(dst, json)
	}
	return append(dst, json...) // true, false, null
}

// tagged appends the text that stands for an object, if one does.
func (s Style) tagged(dst []byte, x *jsontext.Scanner) ([]byte, bool) {
	if s.Tagged == nil {
		return dst, false
	}
	ahead := *x
	tag, text, ok := s.Tagged(ahead.Skip())
	if !ok {
		return dst, false
	}
	*x = ahead
	return appendQuoted(append(append(dst, tag...), ' '), text), true
}

// text appends a text with its line break; one of several lines as a block, where that is the same text.
func (s Style) text(dst []byte, column int, text string) []byte {
	if !isBlock(text) {
		return append(AppendText(dst, text), '\n')
	}
	dst = append(dst, '|')
	lines, ends := strings.CutSuffix(text, "\n")
	switch {
	case !ends:
		dst = append(dst, '-')
	case strings.HasSuffix(lines, "\n"):
		dst = append(dst, '+')
	}
	dst = append(dst, '\n')
	for line := range strings.SplitSeq(lines, "\n") {
		if line != "" {
			dst = append(spaces(dst, column+Indent), line...)
		}
		dst = append(dst, '\n')
	}
	return dst
}

// isBlock reports whether a text is written as a block of lines. That it cannot be if its first line begins with space,
// which would count as indentation, or if it holds what must be escaped. Nor is it if a line ends with space, which
// editors take away.
func isBlock(text string) bool {
	if !strings.Contains(strings.TrimRight(text, "\n"), "\n") {
		return false
	}
	before := '\n'
	for i, r := range text {
		switch {
		case r == '\n':
			if i == 0 || before == ' ' || before == '\t' {
				return false
			}
		case r == '\t':
			if before == '\n' {
				return false
			}
		case r == ' ' && i == 0, !isShown(r):
			return false
		}
		before = r
	}
	return before != ' ' && before != '\t'
}

// appendScalar appends a text in the plainest form that is the same to everybody.
func appendScalar(dst []byte, text string, key bool) []byte {
	if isPlain(text, key) {
		return append(dst, text...)
	}
	return appendQuoted(dst, text)
}

// isPlain reports whether a text needs no quotes. Many more would not, but it takes a second look to see it.
func isPlain(text string, key bool) bool {
	if text == "" {
		return false
	}
	switch c := text[0]; {
	case c == '/' || c == '_' || c == '$':
	case c >= '0' && c <= '9':
		if key || !isDotted(text) {
			return false
		}
	default:
		if r, _ := utf8.DecodeRuneInString(text); !unicode.IsLetter(r) {
			return false
		}
	}
	before := ' '
	for _, r := range text {
		switch {
		case r == '#' && before == ' ', before == ':' && r == ' ', key && !isKeyRune(r), !isShown(r):
			return false
		}
		before = r
	}
	return before != ' ' && before != ':' && !isWord(text) && Read(text).Kind == Text
}

// isKeyRune reports whether a key may hold a character without quotes.
func isKeyRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-./ ", r)
}

// isDotted reports whether a text is an address or a version: it begins with a digit, and no reader takes it for a
// number.
func isDotted(text string) bool {
	if strings.Count(text, ".") < 2 {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r == '.' || r == '-' || r == '/')
	})
}

// isWord reports whether some reader takes a word for something other than text, in any spelling.
func isWord(text string) bool {
	switch strings.ToLower(text) {
	case "y", "yes", "n", "no", "on", "off", "true", "false", "null", "nan", "inf":
		return true
	}
	return false
}

// appendQuoted appends a text in quotes: double ones, but single ones around what would need escapes in them.
func appendQuoted(dst []byte, text string) []byte {
	escape := strings.ContainsFunc(text, func(r rune) bool { return !isShown(r) })
	if !escape && strings.ContainsAny(text, `"\`) {
		return append(append(append(dst, '\''), strings.ReplaceAll(text, "'", "''")...), '\'')
	}
	dst = append(dst, '"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case isShown(r):
			dst = utf8.AppendRune(dst, r)
		case r <= 0xff:
			dst = append(dst, '\\', 'x', hexadecimal[r>>4], hexadecimal[r&15])
		default:
			digits := 4
			dst = append(dst, '\\', 'u')
			if r > 0xffff {
				digits = 8
				dst[len(dst)-1] = 'U'
			}
			for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
				dst = append(dst, hexadecimal[r>>shift&15])
			}
		}
	}
	return append(dst, '"')
}

// isShown reports whether a screen shows a character as it is.
func isShown(r rune) bool { return unicode.IsPrint(r) && !value.Hidden(r) }

const hexadecimal = "0123456789abcdef"

func spaces(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	return dst
}
