package jsontext

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/value/python"
)

// maxRepr is the length in bytes from which on [Value.PythonRepr] stops: who
// reads the message knows what was sent.
const maxRepr = 2000

// PythonRepr renders v as the Python literal that the reference server's
// validation messages quote (contract §4): None, True, 'text', {'a': 1}. What
// is very long ends in "...".
func (v Value) PythonRepr() string {
	return string(v.appendRepr(nil))
}

func (v Value) appendRepr(dst []byte) []byte {
	if len(dst) > maxRepr {
		return dst
	}
	switch v.Kind {
	case Null:
		return append(dst, "None"...)
	case False:
		return append(dst, "False"...)
	case True:
		return append(dst, "True"...)
	case Integer:
		if len(v.Text) > maxRepr {
			return append(append(dst, v.Text[:maxRepr]...), "..."...)
		}
		if n, ok := new(big.Int).SetString(v.Text, 10); ok {
			return n.Append(dst, 10) // Python reads -0 as 0
		}
		return append(dst, v.Text...)
	case Float:
		return append(dst, pythonFloat(v.Text)...)
	case String:
		return append(dst, PythonShort(v.Text)...)
	case Array:
		dst = append(dst, '[')
		for i, item := range v.Items {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			if len(dst) > maxRepr {
				dst = append(dst, "..."...)
				break
			}
			dst = item.appendRepr(dst)
		}
		return append(dst, ']')
	default:
		dst = append(dst, '{')
		for i, m := range v.Members {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			if len(dst) > maxRepr {
				dst = append(dst, "..."...)
				break
			}
			dst = append(append(dst, PythonShort(m.Key)...), ": "...)
			dst = m.Value.appendRepr(dst)
		}
		return append(dst, '}')
	}
}

// PythonShort is [PythonString] for a text that may be very long.
func PythonShort(s string) string {
	if len(s) <= maxRepr {
		return PythonString(s)
	}
	n := maxRepr
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return PythonString(s[:n] + "...")
}

// PythonString renders s as a Python string literal: single quotes unless the
// text holds those and no double ones.
func PythonString(s string) string {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b := []byte{quote}
	for i := 0; i < len(s); {
		if surrogate(s[i:]) {
			b = append(b, `\u`...)
			b = append(b, fmt.Sprintf("%04x", rune(s[i]&0x0F)<<12|rune(s[i+1]&0x3F)<<6|rune(s[i+2]&0x3F))...)
			i += 3
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
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
	return string(append(b, quote))
}

// pythonFloat renders a JSON number as Python prints the float it reads.
func pythonFloat(text string) string {
	f, _ := strconv.ParseFloat(text, 64) // out of range yields the infinity that Python has too
	if math.IsInf(f, 0) {
		return strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(f, 'g', -1, 64)), "+")
	}
	return python.Float(f)
}
