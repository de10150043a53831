package value

import (
	"regexp"
	"sync"
)

// LazyPattern returns a pattern that is compiled when it is first needed. Each start of the program, and so each task
// of a module, initializes the variables of all packages, but uses few.
func LazyPattern(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}
