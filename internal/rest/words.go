package rest

import (
	"strings"

	"github.com/tidwall/gjson"
)

// IsUUID tells a UUID, with or without its dashes, in any case.
func IsUUID(s string) bool {
	digits, places := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f', 'A' <= c && c <= 'F':
			digits++
			places = 0
		case c == '-' && places == 0 && (digits == 8 || digits == 12 || digits == 16 || digits == 20):
			places++
		default:
			return false
		}
	}
	return digits == 32
}

// CanonicalUUID is a UUID as the APIs write them, in lower case and with dashes. What is no UUID stays what it is.
func CanonicalUUID(s string) string {
	if !IsUUID(s) {
		return s
	}
	h := strings.ToLower(strings.ReplaceAll(s, "-", ""))
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// IsLinks tells a list that only leads to other addresses of an API: of objects that have a href, and a rel or nothing
// beside it.
func IsLinks(v gjson.Result) bool {
	if !v.IsArray() {
		return false
	}
	links, only := 0, true
	v.ForEach(func(_, link gjson.Result) bool {
		links++
		only = link.IsObject() && link.Get("href").Exists()
		link.ForEach(func(key, _ gjson.Result) bool {
			only = only && (key.Str == "href" || key.Str == "rel")
			return only
		})
		return only
	})
	return only && links > 0
}
