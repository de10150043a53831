package value

import (
	"strconv"
	"strings"
	"unicode"
)

// A path is the names of an object's containers, outermost first, and its own, separated by slashes: east/dfw/web-01. A
// name that would be ambiguous in it is in quotes, as in JSON: east/"rack 1/2"/web-01. Both forms of a name are
// accepted in a path.

// Path returns the path of names. Names that contain a slash, or begin with a quote, are in quotes.
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

// PathNames returns the names in a path. If [Path] did not create it, and names contain slashes, they are split.
func PathNames(path string) (names []string) {
	for _, part := range pathParts(path) {
		names = append(names, nameOf(part))
	}
	return names
}

// LastName returns the object's own name from a path.
func LastName(path string) string {
	names := PathNames(path)
	return names[len(names)-1]
}

// Container returns the path of an object's container; "" if there is none.
func Container(path string) string {
	parts := pathParts(path)
	return strings.Join(parts[:len(parts)-1], "/")
}

// RawPath returns a path without quotes around its names, as in the change log of a server.
func RawPath(path string) string { return strings.Join(PathNames(path), "/") }

// Unquoted returns the name in a quoted text; ok is false if the text as a whole is not in quotes.
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

// pathParts returns the names of a path as written in it.
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

// ShownPath returns a path for people: names with whitespace are in quotes too, so that they do not look like two
// words.
func ShownPath(path string) string {
	parts := pathParts(path)
	for i, part := range parts {
		if _, ok := Unquoted(part); !ok && (part == "" || part[0] == '"' || strings.ContainsFunc(part, unicode.IsSpace)) {
			parts[i] = strconv.Quote(part)
		}
	}
	return strings.Join(parts, "/")
}
