package inventory

import (
	"strconv"
	"unicode/utf8"
)

// appendQuoted appends a JSON string. Only what JSON demands is escaped; bytes that are not UTF-8 become U+FFFD.
func appendQuoted(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		plain := i
		for i < len(s) && s[i] >= ' ' && s[i] < utf8.RuneSelf && s[i] != '"' && s[i] != '\\' {
			i++
		}
		if dst = append(dst, s[plain:i]...); i == len(s) {
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
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
			i++
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
		}
	}
	return append(dst, '"')
}

// appendText appends a string of the API as a value: marked like a variable's.
func appendText(dst []byte, s string, trust bool) []byte {
	if trust || !isTemplate(s) {
		return appendQuoted(dst, s)
	}
	dst = append(dst, `{"`+markUnsafe+`":`...)
	return append(appendQuoted(dst, s), '}')
}

// appendTextOrNull is appendText with null for "".
func appendTextOrNull(dst []byte, s string, trust bool) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return appendText(dst, s, trust)
}

// appendID appends an id, null for 0.
func appendID(dst []byte, id int) []byte {
	if id == 0 {
		return append(dst, "null"...)
	}
	return strconv.AppendInt(dst, int64(id), 10)
}

// appendNames appends a list of strings that need no marks, such as names of hosts and groups.
func appendNames(dst []byte, names []string) []byte {
	dst = append(dst, '[')
	for i, n := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, n)
	}
	return append(dst, ']')
}
