package explain

import (
	"strings"

	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/when"
)

// unknownSetter is shown for variables that were set before the change log began.
const unknownSetter = "set before the change log began"

// setter describes who set a variable of a level, when and why.
func (e *explanation) setter(level int, name string) string {
	c := e.SetBy(level, name)
	switch {
	case c == nil && e.Unknown(level):
		return "your role may not see who set it"
	case c == nil:
		return unknownSetter
	}
	parts := []string{"set by " + c.User, when.Format(c.Time.Local())}
	if c.Message != "" {
		parts = append(parts, `"`+c.Message+`"`)
	}
	return show.Clean(strings.Join(parts, ", "))
}
