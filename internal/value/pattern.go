package value

import (
	"regexp"
	"sync"
)

// Lazily returns a pattern that is compiled when it is first needed. Each start of the program, so each task of a
// module, has every package's variables to make, and needs few.
func Lazily(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}
