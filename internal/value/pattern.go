package value

import (
	"regexp"
	"sync"
)

// LazyPattern returns a pattern that is compiled when it is first needed. Each start of the program, so each task of a
// module, has every package's variables to make, and needs few.
func LazyPattern(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}
