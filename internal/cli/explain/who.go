package explain

import (
	"strings"

	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/when"
)

// unknownSetter stands for who set what is older than the change log.
const unknownSetter = "before the change log"

// sentence says who set a variable of a level, when and why.
func (e *explanation) sentence(level int, name string) string {
	c := e.SetBy(level, name)
	switch {
	case c == nil && e.Unknown(level):
		return "-"
	case c == nil:
		return unknownSetter
	}
	parts := []string{c.User, when.Format(c.Time.Local())}
	if c.Message != "" {
		parts = append(parts, `"`+c.Message+`"`)
	}
	return show.Clean(strings.Join(parts, ", "))
}
