package value

import (
	"crypto/sha256"
	"net/netip"
)

// ParseAddress returns the canonical text of an IP address, as the API shows it: 2001:db8::1 for 2001:DB8:0::1 (Q3). It
// does not accept zones.
func ParseAddress(text string) (string, bool) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return "", false
	}
	return a.String(), true
}

// PlaceholderPrefix is the prefix of placeholder addresses, for hosts of which only a name is known: in the range for
// documentation (RFC 3849), which is not used on any network.
const PlaceholderPrefix = "2001:db8:ffff::/48"

var placeholders = netip.MustParsePrefix(PlaceholderPrefix)

// PlaceholderAddress returns the placeholder address of a host of which only a name is known: always the same for the
// same name.
func PlaceholderAddress(name string) string {
	a := placeholders.Addr().As16()
	sum := sha256.Sum256([]byte(name))
	copy(a[6:], sum[:10])
	return netip.AddrFrom16(a).String()
}

// IsPlaceholderAddress reports whether an address is a placeholder, to which nothing can connect.
func IsPlaceholderAddress(text string) bool {
	a, err := netip.ParseAddr(text)
	return err == nil && placeholders.Contains(a)
}

// EqualAddress compares addresses after normalising. Invalid addresses are compared as text.
func EqualAddress(a, b string) bool { return equalParsed(netip.ParseAddr, a, b) }

// EqualPrefix compares address ranges after normalising. Invalid ones are compared as text.
func EqualPrefix(a, b string) bool { return equalParsed(netip.ParsePrefix, a, b) }

func equalParsed[T comparable](parse func(string) (T, error), a, b string) bool {
	if a == b {
		return true
	}
	x, errX := parse(a)
	y, errY := parse(b)
	return errX == nil && errY == nil && x == y
}
