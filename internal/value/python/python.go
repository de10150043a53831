package python

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// Str is str(v): a string itself, of everything else its repr. What does not exist is "".
func Str(v gjson.Result) string {
	switch {
	case !v.Exists():
		return ""
	case v.Type == gjson.String:
		return v.Str
	}
	return string(appendRepr(nil, v))
}

// appendRepr appends repr(v); members of objects stay in their order.
func appendRepr(b []byte, v gjson.Result) []byte {
	switch v.Type {
	case gjson.Null:
		return append(b, "None"...)
	case gjson.True:
		return append(b, "True"...)
	case gjson.False:
		return append(b, "False"...)
	case gjson.Number:
		return append(b, number(v.Raw)...)
	case gjson.String:
		return AppendString(b, v.Str)
	}
	open, end := byte('{'), byte('}')
	if v.IsArray() {
		open, end = '[', ']'
	}
	b = append(b, open)
	first := true
	v.ForEach(func(key, value gjson.Result) bool {
		if !first {
			b = append(b, ", "...)
		}
		first = false
		if open == '{' {
			b = append(AppendString(b, key.Str), ": "...)
		}
		b = appendRepr(b, value)
		return true
	})
	return append(b, end)
}

// AppendString appends repr of a string: single quotes unless the text has some and no double ones, and escapes for
// what cannot be printed.
func AppendString(b []byte, s string) []byte {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b = append(b, quote)
	for _, r := range s {
		switch {
		case r == rune(quote) || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case unicode.IsPrint(r):
			b = utf8.AppendRune(b, r)
		case r < 0x100:
			b = fmt.Appendf(b, `\x%02x`, r)
		case r < 0x10000:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = fmt.Appendf(b, `\U%08x`, r)
		}
	}
	return append(b, quote)
}

// number is the text of a JSON number after Python has read it. One that Python cannot hold keeps its own.
func number(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		if text == "-0" {
			return "0"
		}
		return text
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	return Float(f)
}

// Float is repr of a float that is a number: the shortest text that reads back the same, with an exponent from 1e16 and
// below 1e-4, and always a point or an exponent.
func Float(f float64) string {
	if abs := math.Abs(f); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// indent is the indentation of Dumps.
const indent = "    "

// Dumps is json.dumps(v, indent=4, sort_keys=True), but that numbers keep their text.
func Dumps(v gjson.Result) []byte { return appendJSON(nil, v, "\n") }

// appendJSON appends v; newline is a line break and the indentation that v stands at.
func appendJSON(b []byte, v gjson.Result, newline string) []byte {
	switch {
	case v.Type == gjson.String:
		return AppendASCII(b, v.Str)
	case v.Type != gjson.JSON:
		return append(b, v.Raw...)
	}
	type member struct {
		key   string
		value gjson.Result
	}
	var members []member
	v.ForEach(func(key, value gjson.Result) bool {
		members = append(members, member{key.Str, value})
		return true
	})
	open, end := byte('['), byte(']')
	if v.IsObject() {
		open, end = '{', '}'
		slices.SortStableFunc(members, func(x, y member) int { return strings.Compare(x.key, y.key) })
	}
	b = append(b, open)
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, newline...), indent...)
		if open == '{' {
			b = append(AppendASCII(b, m.key), ": "...)
		}
		b = appendJSON(b, m.value, newline+indent)
	}
	if len(members) > 0 {
		b = append(b, newline...)
	}
	return append(b, end)
}

// AppendASCII appends a string as json.dumps writes it: everything that is not ASCII is escaped.
func AppendASCII(b []byte, s string) []byte {
	const short = "\b\f\n\r\t\"\\"
	const letters = "bfnrt\"\\"
	b = append(b, '"')
	for _, r := range s {
		if i := strings.IndexRune(short, r); i >= 0 {
			b = append(b, '\\', letters[i])
		} else if r >= 0x20 && r < 0x7f {
			b = append(b, byte(r))
		} else if r < 0x10000 {
			b = fmt.Appendf(b, `\u%04x`, r)
		} else {
			r -= 0x10000
			b = fmt.Appendf(b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		}
	}
	return append(b, '"')
}

// Space tells the characters that Python's strip removes: Unicode's spaces and the four information separators.
func Space(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }
