package value

import (
	"encoding/hex"
	"strings"

	"github.com/google/uuid"
)

// NewUUID returns a random UUID (version 4): 122 random bits.
func NewUUID() string { return uuid.NewString() }

// NamedUUID returns the UUID of a name in a namespace (version 5): always the same one, and a different one for each
// name.
func NamedUUID(namespace [16]byte, name string) string {
	return uuid.NewSHA1(namespace, []byte(name)).String()
}

// ParseUUID parses a UUID in any of the spellings that Python's uuid.UUID, and so the original Craton, accepts: with or
// without dashes, in upper case, in braces, as a URN. It returns the canonical one: with dashes, in lower case.
func ParseUUID(text string) (string, bool) {
	t := strings.ReplaceAll(strings.ReplaceAll(text, "urn:", ""), "uuid:", "")
	return canonicalUUID(strings.Trim(t, "{}"))
}

// canonicalUUID parses 32 hexadecimal digits, with dashes anywhere.
func canonicalUUID(text string) (string, bool) {
	var id uuid.UUID
	digits := strings.ReplaceAll(text, "-", "")
	if len(digits) != hex.EncodedLen(len(id)) {
		return "", false
	}
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil {
		return "", false
	}
	return id.String(), true
}

// IsUUID reports whether a text is a UUID as people and OpenStack's services write it: with or without its dashes, in
// any case. It accepts less than [ParseUUID], because any other word may be a name.
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

// CanonicalUUID returns a UUID as the APIs write it, in lower case and with dashes. A text that [IsUUID] does not
// accept is returned unchanged.
func CanonicalUUID(s string) string {
	if IsUUID(s) {
		s, _ = canonicalUUID(s)
	}
	return s
}

// SameUUID compares UUIDs in any spelling: the original responds to a create with the caller's own (Q2). Other texts
// are compared as they are.
func SameUUID(a, b string) bool {
	if a == b {
		return true
	}
	x, okX := ParseUUID(a)
	y, okY := ParseUUID(b)
	return okX && okY && x == y
}
