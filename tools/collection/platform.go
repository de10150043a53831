package collection

import (
	"fmt"
	"strings"
)

// ParsePlatform parses OS/ARCH.
func ParsePlatform(name string) (Platform, error) {
	goos, goarch, ok := strings.Cut(name, "/")
	if !ok {
		return Platform{}, fmt.Errorf("%q is not OS/ARCH", name)
	}
	return Platform{OS: goos, Arch: goarch}, nil
}
