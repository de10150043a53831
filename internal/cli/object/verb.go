package object

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/when"
)

// Command is a verb for a resource.
type Command struct {
	argparse.Command
	resource *Resource
	creates  bool // may create the database of a sqlite: URL
	reads    bool // shows objects, also in the past if there is a change log with them
	run      func(context.Context, *Session, *argparse.Call) error
}

// Define completes the command; completing is set while a shell requests completions.
func (c *Command) Define(cmd *cobra.Command, s output.Streams, completing bool) {
	called := c.Declare(cmd)
	if called.Values[atOption] == nil {
		run.RefuseAt(cmd.Flags(), c.noPast())
	}
	run.AddFleetFlags(cmd)
	mode := connect.ReadOnly
	if c.creates {
		mode = connect.Create
	}
	checked := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := checked(cmd, args); err != nil {
			return err
		}
		if called.Given(WhereOption.Long) {
			if _, err := c.resource.terms(called); err != nil {
				return argparse.Mistake(cmd, "argument --%s: %v", WhereOption.Long, err)
			}
		}
		return nil
	}
	cmd.RunE = OnFleet(s, mode, func(ctx context.Context, s *Session, _ []string) error {
		if !called.Given(atOption) {
			if called.Given(omitOption) {
				return argparse.Mistake(cmd, "argument --%s: only allowed with argument --%s", omitOption, atOption)
			}
			return c.run(ctx, s, called)
		}
		if err := when.CheckGiven(called.Text(atOption)); err != nil {
			return argparse.Mistake(cmd, "argument --%s: %v", atOption, err)
		}
		if err := s.ReadPast(ctx, called.Text(atOption), called.Given(omitOption)); err != nil {
			return err
		}
		return run.PastError(c.run(ctx, s, called))
	})
	if completing {
		c.complete(cmd, called, s)
	}
}

// The options of commands that can show the past.
const (
	atOption   = "at"
	omitOption = "omit-hashed"
)

var pastOptions = []argparse.Option{
	{Long: atOption, Meta: "<time>", Help: `show the state at a time, such as yesterday, 2h or 2026-11-20, or at a revision of the change log`},
	{Long: omitOption, Kind: argparse.SwitchOption, Help: "with --at: omit variables that the change log keeps only as a hash"},
}

// noPast returns why a command has no --at.
func (c *Command) noPast() string {
	if c.reads {
		return "past users cannot be listed: " + c.Name + " shows only the current ones"
	}
	return c.Name + " makes changes, and the past cannot be changed; only commands that show objects accept this option"
}

// Session is a [run.Session], with what is needed to find, show and change objects.
type Session struct{ run.Session }

// OnFleet is like the function [OnFleet], with a session for objects.
func OnFleet(s output.Streams, mode connect.Mode, do func(context.Context, *Session, []string) error) func(*cobra.Command, []string) error {
	return run.OnFleet(s, mode, func(ctx context.Context, base *run.Session, args []string) error {
		return do(ctx, &Session{*base}, args)
	})
}
