package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
)

// Session holds what a command that talks to a fleet needs while it runs.
type Session struct {
	show.Printer
	Settings *settings.Values
	Client   *craton.Client
	Project  func(context.Context) (string, error) // the caller's project; "" where only the server knows
}

// AddFleetFlags declares the flags of the settings that a session is made of.
func AddFleetFlags(cmd *cobra.Command) {
	settings.AddFlags(cmd.Flags(), settings.Connection, settings.CLI, settings.Screen)
}

// OnFleet makes the RunE of a command with addFleetFlags: it reads the settings, connects, runs, and ends the
// connection.
func OnFleet(s output.Streams, mode connect.Mode, run func(context.Context, *Session, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) (err error) {
		if err := CheckFlags(cmd); err != nil {
			return err
		}
		v, err := settings.Load(cmd.Flags(), settings.Connection, settings.CLI)
		if err != nil {
			return err
		}
		if n := v.Int("cli.craton_version"); n != 1 {
			return fmt.Errorf("the Craton API has no version %d; set the version to 1 (%s)", n, v.Source("cli.craton_version"))
		}
		ctx, err := WithMessage(cmd.Context(), v)
		if err != nil {
			return err
		}
		c, err := connect.Open(ctx, v, mode)
		if err != nil {
			return err
		}
		defer func() {
			PrintCreated(s, c)
			err = errors.Join(err, c.Close())
		}()
		return run(ctx, NewSession(s, v, c), args)
	}
}

// PrintCreated says that the database was created: a mistake in its name may be the reason.
func PrintCreated(s output.Streams, c *connect.Connection) {
	if file := c.Created(); file != "" {
		_, _ = fmt.Fprintf(s.Err, "created the database %s\n", show.Clean(file))
	}
}

// WithMessage returns a context whose writes say why, as the setting message does.
func WithMessage(ctx context.Context, v *settings.Values) (context.Context, error) {
	text := v.String("cli.message")
	if err := craton.CheckMessage(text); err != nil {
		return nil, fmt.Errorf("%w (%s)", err, v.Source("cli.message"))
	}
	return craton.ContextWithMessage(ctx, text), nil
}

// NewSession returns the session of a connection.
func NewSession(s output.Streams, v *settings.Values, c *connect.Connection) *Session {
	return &Session{Printer: show.Printer{Streams: s, Format: v.String("cli.format")}, Settings: v, Client: c.Client, Project: c.Project}
}

// CheckFlags finds mistakes in the values of CLI's own flags, which settings would report in other words than argparse.
func CheckFlags(cmd *cobra.Command) error {
	for i := range settings.CLI.Settings {
		setting := &settings.CLI.Settings[i]
		f := cmd.Flags().Lookup(setting.FlagName())
		if f == nil || !f.Changed || !settings.IsFlag(f) {
			continue
		}
		text := f.Value.String()
		if setting.Choices != nil && !slices.Contains(setting.Choices, text) {
			return argparse.Mistake(argparse.RootOf(cmd), "argument --%s: %s", f.Name, argparse.InvalidChoice(text, setting.Choices))
		}
		if _, err := strconv.Atoi(text); setting.Kind == settings.Int && err != nil {
			return argparse.Mistake(argparse.RootOf(cmd), "argument --%s: invalid int value: %s", f.Name, argparse.Quoted(text))
		}
	}
	return nil
}
