package value

import (
	"slices"
	"strings"
)

// MatchesKey reports whether the key of a variable matches one of some patterns, in which * stands for any text; case
// does not matter.
func MatchesKey(patterns []string, key string) bool {
	if len(patterns) == 0 {
		return false
	}
	key = strings.ToLower(key)
	return slices.ContainsFunc(patterns, func(p string) bool { return Glob(strings.ToLower(p), key) })
}

// Glob reports whether a text matches a pattern, in which * stands for any text.
func Glob(pattern, text string) bool {
	first, rest, more := strings.Cut(pattern, "*")
	if !more {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	for {
		first, rest, more = strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(text, first)
		}
		at := strings.Index(text, first)
		if at < 0 {
			return false
		}
		text = text[at+len(first):]
	}
}
