package module

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Values become text in Ansible by Python's str() and repr(). What users know,
// compare with and grep for is that text, so it is made here exactly.

// pyStr is str(v) of a JSON value.
func pyStr(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return pyRepr(v)
}

// pyRepr is repr(v) of a JSON value.
func pyRepr(v any) string { return string(appendRepr(nil, v)) }

func appendRepr(b []byte, v any) []byte { return pyNotation.append(b, v) }

// notation is a way to write a value; Python's repr and its json.dumps differ in nothing else.
type notation struct {
	null, yes, no string
	text          func(b []byte, s string) []byte
}

var (
	pyNotation   = notation{"None", "True", "False", appendPyString}
	jsonNotation = notation{"null", "true", "false", appendASCII}
)

func (n notation) append(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, n.null...)
	case bool:
		if v {
			return append(b, n.yes...)
		}
		return append(b, n.no...)
	case json.Number:
		return append(b, pyNumber(v)...)
	case string:
		return n.text(b, v)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = n.append(b, e)
		}
		return append(b, ']')
	case *dict:
		b = append(b, '{')
		for i, k := range v.keys {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = n.text(b, k)
			b = append(b, ": "...)
			b = n.append(b, v.values[k])
		}
		return append(b, '}')
	}
	panic(fmt.Sprintf("module: %T is not a JSON value", v))
}

// appendPyString is repr of a str: single quotes unless the text has some and
// no double ones, and escapes for what cannot be printed.
func appendPyString(b []byte, s string) []byte {
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

// pyNumber is the text of a JSON number after Python has read it.
func pyNumber(n json.Number) string {
	if isInt(n) {
		return pyInt(n)
	}
	f, _ := strconv.ParseFloat(string(n), 64) // out of range is infinite, as in Python
	return pyFloat(f)
}

// pyInt is an int's text: JSON's own, but for -0.
func pyInt(n json.Number) string {
	if n == "-0" {
		return "0"
	}
	return string(n)
}

// pyFloat is repr of a float: the shortest text that reads back the same, with
// an exponent from 1e16 and below 1e-4, and always a point or an exponent.
func pyFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// pyType is the name of the type that a JSON value has in Python.
func pyType(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case string:
		return "str"
	case json.Number:
		if isInt(v) {
			return "int"
		}
		return "float"
	case []any:
		return "list"
	}
	return "dict"
}

// pyClass is str(type(v)).
func pyClass(v any) string { return "<class '" + pyType(v) + "'>" }

// pySpace tells the characters that Python's strip removes: Unicode's spaces
// and the four information separators.
func pySpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

func pyStrip(s string) string { return strings.TrimFunc(s, pySpace) }

// appendPyJSON writes a value as json.dumps does: a space after , and :, and
// everything that is not ASCII escaped.
func appendPyJSON(b []byte, v any) []byte { return jsonNotation.append(b, v) }

func appendASCII(b []byte, s string) []byte {
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
