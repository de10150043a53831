package value

import "net/netip"

// ParseAddress is the canonical text of an IP address, as the API shows it: 2001:db8::1 of 2001:DB8:0::1 (Q3). One with a
// zone is none.
func ParseAddress(text string) (string, bool) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return "", false
	}
	return a.String(), true
}

// EqualAddress compares addresses after normalising. What is no address is compared as text.
func EqualAddress(a, b string) bool { return equalParsed(netip.ParseAddr, a, b) }

// EqualPrefix compares address ranges after normalising. What is none is compared as text.
func EqualPrefix(a, b string) bool { return equalParsed(netip.ParsePrefix, a, b) }

func equalParsed[T comparable](parse func(string) (T, error), a, b string) bool {
	if a == b {
		return true
	}
	x, errX := parse(a)
	y, errY := parse(b)
	return errX == nil && errY == nil && x == y
}
