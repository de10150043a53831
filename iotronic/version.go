package iotronic

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Version is a version of the API, such as 1.82. The zero Version is the server's latest.
type Version struct{ Major, Minor int }

// latest is the name of the zero Version in requests.
const latest = "latest"

// ParseVersion parses "1.82", or "latest".
func ParseVersion(text string) (Version, error) {
	if text == latest {
		return Version{}, nil
	}
	if v, ok := parseVersion(text); ok {
		return v, nil
	}
	return Version{}, invalid("%q is not a version of the API; write it like 1.82, or latest", text)
}

func parseVersion(text string) (v Version, ok bool) {
	major, minor, _ := strings.Cut(text, ".")
	var err1, err2 error
	v.Major, err1 = strconv.Atoi(major)
	v.Minor, err2 = strconv.Atoi(minor)
	return v, err1 == nil && err2 == nil && v.Major > 0 && v.Minor >= 0
}

// String returns the version as in headers.
func (v Version) String() string {
	if v == (Version{}) {
		return latest
	}
	return fmt.Sprintf("%d.%d", v.Major, v.Minor)
}

// Compare compares by number: 1.9 comes before 1.10. The latest comes after all others.
func (v Version) Compare(other Version) int {
	if z := (Version{}); v == z || other == z {
		return cmp.Compare(b2i(v == z), b2i(other == z))
	}
	return cmp.Or(cmp.Compare(v.Major, other.Major), cmp.Compare(v.Minor, other.Minor))
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
