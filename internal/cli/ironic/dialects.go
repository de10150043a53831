package ironic

import (
	"slices"
	"strings"

	"github.com/craton-fleet/craton/iotronic"
)

// Dialects that share what they have.
var (
	onIronic = []iotronic.Dialect{iotronic.DialectIronic}
	onBoards = []iotronic.Dialect{iotronic.DialectBoards}
)

// titles say what a server is.
var titles = map[iotronic.Dialect]string{
	iotronic.DialectIronic:    "Ironic",
	iotronic.DialectNodes2016: "Iotronic of 2016",
	iotronic.DialectNodes:     "Iotronic of early 2017",
	iotronic.DialectBoards:    "Iotronic since March 2017",
}

// counterparts are the kinds that are called otherwise elsewhere.
var counterparts = map[string]string{"node": "board", "board": "node"}

// instead says what to use in the place of a command that a dialect does not have: the same verb for what its machines
// are called, or what else there is.
func instead(c *verb, d iotronic.Dialect) string {
	verb, _ := strings.CutPrefix(c.Name, c.kind.Name)
	var nouns []string
	for _, k := range kinds() {
		if !slices.Contains(k.dialects(), d) {
			continue
		}
		nouns = append(nouns, k.Name+"-*")
		for _, other := range k.commands() {
			if other.Name == counterparts[c.kind.Name]+verb && slices.Contains(other.dialects(), d) {
				return "use " + other.Name
			}
		}
	}
	if slices.Contains(c.kind.dialects(), d) {
		return "it does not support this for its " + c.kind.plural()
	}
	return "it has " + strings.Join(nouns, ", ")
}
