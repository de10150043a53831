package ansible

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/marks"
	rules "github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Keys that Ansible's JSON readers treat as their own marks. Data from the API must not be able to create them.
const (
	MarkUnsafe = marks.Unsafe
	MarkVault  = marks.Vault
	MarkType   = marks.Type
)

// IsMark reports whether a key is such a mark.
func IsMark(name string) bool { return marks.Is(name) }

// Loadable finds values with which Ansible could not load the inventory.
func Loadable(value string) error {
	if len(value) <= 2*marks.MaxDepth {
		return nil
	}
	depth, digits := 0, 0
	for i := 0; i < len(value); i++ {
		c := value[i]
		if '0' <= c && c <= '9' {
			if digits++; digits > marks.MaxDigits {
				return fmt.Errorf("contains a number with more than %d digits", marks.MaxDigits)
			}
			continue
		}
		digits = 0
		switch c {
		case '"':
			i += rules.StringEnd(value[i:], 0) - 1
		case '{', '[':
			if depth++; depth > marks.MaxDepth {
				return fmt.Errorf("is nested more than %d deep", marks.MaxDepth)
			}
		case '}', ']':
			depth--
		}
	}
	return nil
}

// Trust determines what Ansible may execute in data from the API.
type Trust uint8

const (
	// Untrusted means that nothing is executed by any release of ansible-core. This is the default.
	Untrusted Trust = iota
	// UntrustedValues means that nothing is executed by a reader that does not execute keys, such as ansible-core 2.19
	// and later: objects stay objects, whatever their keys.
	UntrustedValues
	// Trusted means that templates are executed, and vaults are decrypted.
	Trusted
)

// TrustOf returns the trust for an inventory's options.
func TrustOf(trustTemplates, keepMappings bool) Trust {
	switch {
	case trustTemplates:
		return Trusted
	case keepMappings:
		return UntrustedValues
	}
	return Untrusted
}

// IsTemplate reports whether Ansible would execute a string: it contains the start of a Jinja2 block, expression or
// comment, or selects other delimiters in its first line.
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

// IsInert reports whether Ansible does not treat a string as a template, neither alone nor after a play joins, cuts or
// trims it: it contains no opening brace, and no selection of delimiters or part of one. With its own delimiters, a
// template needs no brace in ansible-core 2.15 to 2.18.
func IsInert(s string) bool {
	return strings.IndexByte(s, '{') < 0 && !holdsHeader(s)
}

// header begins the line with which a template selects its delimiters.
const header = "#jinja2:"

// holdsHeader reports whether a play could turn a string into one that begins with a header: it contains the beginning
// of one, ends with a part of that, or only lacks the #; or it contains all characters of a setting in the header,
// whatever is between them.
func holdsHeader(s string) bool {
	word := strings.TrimSpace(s)
	if n := len(header) - 1; len(word) >= n && strings.EqualFold(word[:n], header[1:]) {
		return true
	}
	first := strings.IndexByte(s, '#')
	if first < 0 {
		return false
	}
	low := strings.ToLower(s[first:])
	if strings.Contains(low, header[:len(header)-1]) || strings.HasPrefix(header, strings.TrimSpace(low[strings.LastIndexByte(low, '#'):])) {
		return true
	}
	wanted := header + "_:" // all delimiters have an underscore in their names
	for i := 0; i < len(low) && wanted != ""; i++ {
		if low[i] == wanted[0] {
			wanted = wanted[1:]
		}
	}
	return wanted == ""
}

// isInertLiteral is like IsInert, for a JSON string with its quotes and escapes.
func isInertLiteral(raw string) bool {
	if strings.IndexByte(raw, '\\') < 0 {
		return IsInert(raw[1 : len(raw)-1])
	}
	return IsInert(gjson.Parse(raw).Str)
}

// AppendValue appends a compact JSON value that is safe for Ansible. Strings that are not inert are marked, unless they
// are trusted. Objects that look like marks, or that have a key of their own that is not inert, become the text of
// their JSON: a key cannot be marked, ansible-core before 2.19 executes it when a play makes a value from it, and marks
// on the values do not prevent that. Objects that contain such objects stay objects.
func AppendValue(dst []byte, value string, trust Trust) []byte {
	switch value[0] {
	case '"':
		return appendLiteral(dst, value, trust)
	case '{', '[':
		// An escaped name can be a mark too: "\u005f_ansible_vault".
		if strings.Contains(value, "__ansible_") || strings.Contains(value, `\u`) {
			return appendNested(dst, gjson.Parse(value), trust)
		}
		if trust == Trusted {
			return append(dst, value...)
		}
		return appendMarked(dst, value, trust)
	}
	return append(dst, value...)
}

// appendLiteral appends a JSON string, marked if necessary.
func appendLiteral(dst []byte, raw string, trust Trust) []byte {
	if trust == Trusted || isInertLiteral(raw) {
		return append(dst, raw...)
	}
	dst = append(dst, `{"`+MarkUnsafe+`":`...)
	dst = append(dst, raw...)
	return append(dst, '}')
}

// appendMarked appends an object or a list without marks of its own; its string values are marked if necessary.
func appendMarked(dst []byte, value string, trust Trust) []byte {
	begin, done := len(dst), 0
	for i := 0; i < len(value); {
		if value[i] != '"' {
			i++
			continue
		}
		n := rules.StringEnd(value[i:], 0)
		if !isInertLiteral(value[i : i+n]) {
			if isName := i+n < len(value) && value[i+n] == ':'; !isName { // compact: there is no space between
				dst = append(dst, value[done:i]...)
				dst = appendLiteral(dst, value[i:i+n], trust)
				done = i + n
			} else if trust == Untrusted {
				return appendNested(dst[:begin], gjson.Parse(value), trust)
			}
		}
		i += n
	}
	return append(dst, value[done:]...)
}

// appendNested is like AppendValue, for values that may contain marks, or keys that must not be written.
func appendNested(dst []byte, v gjson.Result, trust Trust) []byte {
	switch {
	case v.IsObject():
		if isText(v, trust) {
			return appendAsText(dst, v.Raw)
		}
		inner := trust
		if hasMark(v) {
			inner = Trusted // nothing within a mark is marked
		}
		dst = append(dst, '{')
		first := true
		v.ForEach(func(key, value gjson.Result) bool {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(append(dst, key.Raw...), ':')
			dst = appendNested(dst, value, inner)
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

// isText reports whether an object must be written as the text of its JSON.
func isText(object gjson.Result, trust Trust) bool {
	if trust == Untrusted {
		inert := true
		object.ForEach(func(key, _ gjson.Result) bool {
			inert = IsInert(key.Str)
			return inert
		})
		if !inert {
			return true
		}
	}
	return !genuine(object, trust)
}

// appendAsText appends an object as the text of its JSON, marked.
func appendAsText(dst []byte, object string) []byte {
	dst = append(dst, `{"`+MarkUnsafe+`":`...)
	text := marks.AppendObjectText(make([]byte, 0, len(object)+len(object)/8+1), object)
	return append(jsontext.AppendUTF8(dst, string(text)), '}')
}

func hasMark(object gjson.Result) bool {
	found := false
	object.ForEach(func(key, _ gjson.Result) bool {
		found = IsMark(key.Str)
		return !found
	})
	return found
}

// genuine reports whether an object may be written as it is: objects without marks, or with marks that only remove
// trust and, if trusted, vaults.
func genuine(object gjson.Result, trust Trust) bool {
	if !hasMark(object) {
		return true
	}
	members, good := 0, false
	object.ForEach(func(key, value gjson.Result) bool {
		members++
		good = value.Type == gjson.String && (key.Str == MarkUnsafe || key.Str == MarkVault && trust == Trusted)
		return true
	})
	return good && members == 1
}
