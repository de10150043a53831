package value

import (
	"strconv"
	"strings"
	"unicode"
)

// A path is the names of what holds an object, the outermost first, and its own, with slashes between: east/dfw/web-01.
// A name that would be misread there stands in quotes, as in JSON: east/"rack 1/2"/web-01. Where a path is asked for,
// both forms of a name are taken.

// Path returns the path of names. In quotes are those that have a slash, and those that begin with a quote.
func Path(names ...string) string {
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = name
		if strings.Contains(name, "/") || strings.HasPrefix(name, `"`) {
			parts[i] = strconv.Quote(name)
		}
	}
	return strings.Join(parts, "/")
}

// PathNames returns the names of a path. Of one that [Path] did not make, in which names have slashes of their own,
// they are parts of names.
func PathNames(path string) (names []string) {
	for _, part := range pathParts(path) {
		names = append(names, nameOf(part))
	}
	return names
}

// LastName returns the object's own name of a path.
func LastName(path string) string {
	names := PathNames(path)
	return names[len(names)-1]
}

// Container returns the path of what holds the object; "" of what nothing holds.
func Container(path string) string {
	parts := pathParts(path)
	return strings.Join(parts[:len(parts)-1], "/")
}

// RawPath returns a path without quotes around its names, as the change log of a server has it.
func RawPath(path string) string { return strings.Join(PathNames(path), "/") }

// Unquoted returns the name that a text in quotes means; ok is false of a text without, and of one that is not in
// quotes as a whole.
func Unquoted(text string) (name string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		return "", false
	}
	name, err := strconv.Unquote(text)
	return name, err == nil
}

func nameOf(part string) string {
	if name, ok := Unquoted(part); ok {
		return name
	}
	return part
}

// pathParts returns the names of a path as they stand in it.
func pathParts(path string) (parts []string) {
	for {
		end := strings.IndexByte(path, '/')
		if quoted, err := strconv.QuotedPrefix(path); err == nil && quoted[0] == '"' && (len(quoted) == len(path) || path[len(quoted)] == '/') {
			if end = len(quoted); end == len(path) {
				end = -1
			}
		}
		if end < 0 {
			return append(parts, path)
		}
		parts, path = append(parts, path[:end]), path[end+1:]
	}
}

// ShownPath returns a path as it stands in a line for people: in quotes are also names with white space, so that nobody
// takes them for two words.
func ShownPath(path string) string {
	parts := pathParts(path)
	for i, part := range parts {
		if _, ok := Unquoted(part); !ok && (part == "" || part[0] == '"' || strings.ContainsFunc(part, unicode.IsSpace)) {
			parts[i] = strconv.Quote(part)
		}
	}
	return strings.Join(parts, "/")
}
