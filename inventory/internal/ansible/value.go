package ansible

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// What Ansible's JSON readers take for their own marks: an object with one of these keys, at any depth, is not an
// object but a string that is not to be trusted, a vault, or (ansible-core 2.19 and later) an object of Ansible's
// that no inventory may hold. Data of the API must not make them by accident or on purpose.
const (
	MarkUnsafe = "__ansible_unsafe"
	MarkVault  = "__ansible_vault"
	MarkType   = "__ansible_type"
)

// IsMark tells the names of such keys.
func IsMark(name string) bool { return name == MarkUnsafe || name == MarkVault || name == MarkType }

// Limits of what Ansible can load. One value beyond them and it refuses the whole inventory.
const (
	maxDepth  = 100  // ansible-core 2.21 recurses; it takes 150 levels and not 200
	maxDigits = 4300 // of an integer, Python's own limit
)

// Loadable finds values that would keep Ansible from loading the inventory.
func Loadable(value string) error {
	if len(value) <= 2*maxDepth {
		return nil
	}
	depth, digits := 0, 0
	for i := 0; i < len(value); i++ {
		c := value[i]
		if '0' <= c && c <= '9' {
			if digits++; digits > maxDigits {
				return fmt.Errorf("holds a number of more than %d digits", maxDigits)
			}
			continue
		}
		digits = 0
		switch c {
		case '"':
			i += stringLen(value[i:]) - 1
		case '{', '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("is nested more than %d deep", maxDepth)
			}
		case '}', ']':
			depth--
		}
	}
	return nil
}

// IsTemplate tells the strings that Ansible would execute: those with a start of a Jinja2 block, expression or
// comment, and those that choose other delimiters in their first line.
func IsTemplate(s string) bool {
	if strings.HasPrefix(s, "#jinja2:") {
		return true
	}
	for i := strings.IndexByte(s, '{'); i >= 0 && i+1 < len(s); {
		if c := s[i+1]; c == '{' || c == '%' || c == '#' {
			return true
		}
		next := strings.IndexByte(s[i+1:], '{')
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}

// isTemplateLiteral is IsTemplate for a JSON string with its quotes and escapes.
func isTemplateLiteral(raw string) bool {
	if strings.IndexByte(raw, '\\') < 0 {
		return IsTemplate(raw[1 : len(raw)-1])
	}
	return IsTemplate(gjson.Parse(raw).Str)
}

// stringLen is the length of the JSON string that s begins with, its quotes included.
func stringLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

// AppendValue appends a compact JSON value as Ansible may read it: unless trust is set, strings that look like
// templates are marked; objects that look like marks become the text of their JSON.
func AppendValue(dst []byte, value string, trust bool) []byte {
	switch value[0] {
	case '"':
		return appendLiteral(dst, value, trust)
	case '{', '[':
		// A name with an escape may be a mark too: "\u005f_ansible_vault".
		if strings.Contains(value, "__ansible_") || strings.Contains(value, `\u`) {
			return appendNested(dst, gjson.Parse(value), trust)
		}
		if trust {
			return append(dst, value...)
		}
		return appendMarked(dst, value)
	}
	return append(dst, value...)
}

// appendLiteral appends a JSON string, marked if it must be.
func appendLiteral(dst []byte, raw string, trust bool) []byte {
	if trust || !isTemplateLiteral(raw) {
		return append(dst, raw...)
	}
	dst = append(dst, `{"`+MarkUnsafe+`":`...)
	dst = append(dst, raw...)
	return append(dst, '}')
}

// appendMarked appends an object or a list that holds no marks of its own; its strings that are values are marked
// if they must be.
func appendMarked(dst []byte, value string) []byte {
	done := 0
	for i := 0; i < len(value); {
		if value[i] != '"' {
			i++
			continue
		}
		n := stringLen(value[i:])
		isName := i+n < len(value) && value[i+n] == ':' // compact: nothing stands between
		if !isName && isTemplateLiteral(value[i:i+n]) {
			dst = append(dst, value[done:i]...)
			dst = appendLiteral(dst, value[i:i+n], false)
			done = i + n
		}
		i += n
	}
	return append(dst, value[done:]...)
}

// appendNested is AppendValue for values that may hold marks.
func appendNested(dst []byte, v gjson.Result, trust bool) []byte {
	switch {
	case v.IsObject():
		if !genuine(v, trust) {
			quoted := AppendQuoted(nil, v.Raw)
			// The text is data, whatever it says.
			return append(append(append(dst, `{"`+MarkUnsafe+`":`...), quoted...), '}')
		}
		dst = append(dst, '{')
		first := true
		mark := hasMark(v)
		v.ForEach(func(key, value gjson.Result) bool {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(append(dst, key.Raw...), ':')
			dst = appendNested(dst, value, trust || mark)
			return true
		})
		return append(dst, '}')
	case v.IsArray():
		dst = append(dst, '[')
		first := true
		v.ForEach(func(_, value gjson.Result) bool {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = appendNested(dst, value, trust)
			return true
		})
		return append(dst, ']')
	case v.Type == gjson.String:
		return appendLiteral(dst, v.Raw, trust)
	}
	return append(dst, v.Raw...)
}

func hasMark(object gjson.Result) bool {
	found := false
	object.ForEach(func(key, _ gjson.Result) bool {
		found = IsMark(key.Str)
		return !found
	})
	return found
}

// genuine tells objects that may be written as they are: those without marks, those that only take trust away, and
// with trust also vaults.
func genuine(object gjson.Result, trust bool) bool {
	if !hasMark(object) {
		return true
	}
	members, good := 0, false
	object.ForEach(func(key, value gjson.Result) bool {
		members++
		good = value.Type == gjson.String && (key.Str == MarkUnsafe || key.Str == MarkVault && trust)
		return true
	})
	return good && members == 1
}
