package ansible

import (
	"iter"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// AppendText appends a string of the API as a value, marked like that of a variable.
func AppendText(dst []byte, s string, trust Trust) []byte {
	if trust == Trusted || IsInert(s) {
		return jsontext.AppendUTF8(dst, s)
	}
	dst = append(dst, `{"`+MarkUnsafe+`":`...)
	return append(jsontext.AppendUTF8(dst, s), '}')
}

// AppendTextOrNull is like AppendText, with null for "".
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
		dst = jsontext.AppendUTF8(dst, n)
	}
	return append(dst, ']')
}

// AppendVariables appends an object of names and JSON values.
func AppendVariables(dst []byte, all iter.Seq2[string, string], trust Trust) []byte {
	dst = append(dst, '{')
	begin := len(dst)
	for name, value := range all {
		if len(dst) > begin {
			dst = append(dst, ',')
		}
		dst = append(jsontext.AppendUTF8(dst, name), ':')
		dst = AppendValue(dst, value, trust)
	}
	return append(dst, '}')
}
