package object

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
)

// Command is a verb with a resource.
type Command struct {
	argparse.Command
	resource *Resource
	creates  bool // may make the database of a sqlite: URL
	run      func(context.Context, *Session, *argparse.Call) error
}

// Define makes the command complete; completing tells that a shell asks for words.
func (c *Command) Define(cmd *cobra.Command, s output.Streams, completing bool) {
	called := c.Declare(cmd)
	run.AddFleetFlags(cmd)
	mode := connect.ReadOnly
	if c.creates {
		mode = connect.Create
	}
	cmd.RunE = OnFleet(s, mode, func(ctx context.Context, run *Session, _ []string) error { return c.run(ctx, run, called) })
	if completing {
		c.complete(cmd, called, s)
	}
}

// Session is a [Session], with what objects are found, shown and changed by.
type Session struct{ run.Session }

// OnFleet is [OnFleet] with a session for objects.
func OnFleet(s output.Streams, mode connect.Mode, do func(context.Context, *Session, []string) error) func(*cobra.Command, []string) error {
	return run.OnFleet(s, mode, func(ctx context.Context, base *run.Session, args []string) error {
		return do(ctx, &Session{*base}, args)
	})
}
