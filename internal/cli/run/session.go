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

// Session is what a command with a fleet needs while it runs.
type Session struct {
	show.Printer
	Settings *settings.Values
	Client   *craton.Client
	Project  func(context.Context) (string, error) // the caller's project; "" if only the server knows it
}

// AddFleetFlags declares the flags of the settings for a session.
func AddFleetFlags(cmd *cobra.Command) {
	settings.AddFlags(cmd.Flags(), settings.Connection, settings.CLI, settings.Screen)
}

// OnFleet returns the RunE of a command with these flags: it reads the settings, connects, runs the command, and closes
// the connection.
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

// PrintCreated says that the database was created: its name may be a typing error.
func PrintCreated(s output.Streams, c *connect.Connection) {
	if file := c.Created(); file != "" {
		_, _ = fmt.Fprintf(s.Err, "created the database %s\n", show.Clean(file))
	}
}

// WithMessage returns a context whose writes have the message in the settings.
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

// CheckFlags returns an error for invalid values of CLI's own flags, which settings would word differently from
// argparse.
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
