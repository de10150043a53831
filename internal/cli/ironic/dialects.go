package ironic

import (
	"slices"
	"strings"

	"github.com/craton-fleet/craton/iotronic"
)

// Dialects with common features.
var (
	onIronic = []iotronic.Dialect{iotronic.DialectIronic}
	onBoards = []iotronic.Dialect{iotronic.DialectBoards}
)

// titles are descriptions of servers.
var titles = map[iotronic.Dialect]string{
	iotronic.DialectIronic:    "Ironic",
	iotronic.DialectNodes2016: "Iotronic of 2016",
	iotronic.DialectNodes:     "Iotronic of early 2017",
	iotronic.DialectBoards:    "Iotronic since March 2017",
}

// counterparts are kinds that have another name in other dialects.
var counterparts = map[string]string{"node": "board", "board": "node"}

// instead says what to use in place of a command that a dialect does not have: the same verb for its own kind, or
// whatever else there is.
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
