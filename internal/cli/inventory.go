package cli

import (
	"context"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/settings"
)

// Inventory is what the command line asks of the inventory. The two faces do not import each other: cmd/craton joins
// them, so that there is one place that knows what a host's variables are.
type Inventory interface {
	// Levels reads the objects whose variables a device has, the nearest first, each with its own variables.
	Levels(ctx context.Context, c *craton.Client, kind craton.Kind, id int) ([]hierarchy.Level, error)
	// Check says what is wrong with the settings of the inventory. Of the settings it gives back, excludes tells the
	// variables that they leave out.
	Check(v *settings.Values) (excludes func(variable string) bool, err error)
	// Try makes the inventory that the settings ask for, and throws it away.
	Try(ctx context.Context, c *craton.Client, v *settings.Values) (*Trial, error)
}

// Trial is what came of making an inventory.
type Trial struct {
	Hosts, Groups int
	// Templates are how many strings Ansible would execute that were not marked, and Template is where the first one is. Texts
	// are how many dictionaries are written as text, because Ansible would execute their keys. Trusted tells that it may.
	Templates, Texts int
	Template         string
	Trusted          bool
	// Shared are addresses that several of its hosts have, with the names of these hosts, both sorted.
	Shared []SharedAddress
}

// SharedAddress is an address that several hosts have.
type SharedAddress struct {
	Address string
	Hosts   []string
}
