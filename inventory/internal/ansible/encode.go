package ansible

import (
	"iter"
	"unicode/utf8"
)

// AppendQuoted appends a JSON string. Only what JSON demands is escaped; bytes that are not UTF-8 become U+FFFD.
func AppendQuoted(dst []byte, s string) []byte {
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

// AppendText appends a string of the API as a value: marked like a variable's.
func AppendText(dst []byte, s string, trust Trust) []byte {
	if trust == Trusted || IsInert(s) {
		return AppendQuoted(dst, s)
	}
	dst = append(dst, `{"`+MarkUnsafe+`":`...)
	return append(AppendQuoted(dst, s), '}')
}

// AppendTextOrNull is AppendText with null for "".
func AppendTextOrNull(dst []byte, s string, trust Trust) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return AppendText(dst, s, trust)
}

// AppendNames appends a list of strings that need no marks, such as names of hosts and groups.
func AppendNames(dst []byte, names []string) []byte {
	dst = append(dst, '[')
	for i, n := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendQuoted(dst, n)
	}
	return append(dst, ']')
}

// AppendVariables appends the object of names and the JSON of their values.
func AppendVariables(dst []byte, all iter.Seq2[string, string], trust Trust) []byte {
	dst = append(dst, '{')
	begin := len(dst)
	for name, value := range all {
		if len(dst) > begin {
			dst = append(dst, ',')
		}
		dst = append(AppendQuoted(dst, name), ':')
		dst = AppendValue(dst, value, trust)
	}
	return append(dst, '}')
}
