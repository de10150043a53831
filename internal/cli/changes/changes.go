package changes

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/inventory"
	"github.com/craton-fleet/craton/inventory/follow"
)

// longest is how long a server may hold back a response, if the request timeout allows that.
const longest = 50 * time.Second

// New returns the command `craton changes`.
func New(s output.Streams) *cobra.Command {
	var o follow.Options
	var attached bool
	cmd := &cobra.Command{
		Use:   "changes",
		Short: "Stream changes, with the hosts whose variables each change affects, to programs",
		Long: `Print changes to the fleet as they happen, from now on or from a cursor of the change log, as lines of JSON. Each change
lists the hosts whose resolved variables it altered. The command runs until it is stopped, and waits while the server is
unavailable. The event source craton.fleet.changes of Event-Driven Ansible runs it.

Each line has "resume", the cursor to continue from with --after. A line without "event" only reports how far the log has
been read. This requires a change log, which craton server and CRATON_URL=sqlite:PATH have.`,
		Example: `  craton changes                               from now on
  craton changes --after 4711-b9b5e7d6f5a1     from a cursor of the log
  craton changes --affecting --key 'ntp*'      only changes of ntp... that alter a host's variables`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := argparse.ExactArgs()(cmd, args); err != nil {
				return err
			}
			var kinds []string
			for _, k := range schema.All() {
				if !k.View {
					kinds = append(kinds, k.Name)
				}
			}
			for _, c := range []struct {
				option         string
				given, allowed []string
			}{{"kind", o.Kinds, kinds}, {"action", o.Actions, []string{"create", "update", "move", "delete"}}} {
				for _, word := range c.given {
					if !slices.Contains(c.allowed, word) {
						return argparse.Mistake(cmd, "argument --%s: %s", c.option, argparse.InvalidChoice(word, c.allowed))
					}
				}
			}
			if o.MaxHosts < 1 {
				return argparse.Mistake(cmd, "argument --most-hosts: must be at least 1")
			}
			return nil
		},
		RunE: run.OnFleet(s, connect.ReadOnly, func(ctx context.Context, on *run.Session, _ []string) error {
			ctx, stop := run.Interruptible(ctx)
			defer stop()
			if attached {
				var cancel context.CancelFunc
				ctx, cancel = context.WithCancel(ctx)
				defer cancel()
				go func() {
					_, _ = io.Copy(io.Discard, s.In)
					cancel()
				}()
			}
			return printLines(ctx, on, o)
		}),
	}
	run.AddFleetFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.After, "after", "", "start after `CURSOR`, the \"resume\" of an earlier line; by default from now on")
	f.StringSliceVar(&o.Kinds, "kind", nil, "only changes of objects of this `KIND`, such as host or region; may be repeated")
	f.StringSliceVar(&o.Actions, "action", nil, "only this `ACTION`: create, update, move or delete; may be repeated")
	f.StringSliceVar(&o.Keys, "key", nil, "only changes of variables whose names match this `PATTERN`; may be repeated")
	f.BoolVar(&o.Felt, "affecting", false, "only changes that alter the resolved variables of a host")
	f.BoolVar(&o.Values, "values", false, "include the values of variables, which may be secrets")
	f.IntVar(&o.MaxHosts, "most-hosts", 1000, "split a change that affects more than `N` hosts into several events")
	f.BoolVar(&attached, "attached", false, "exit when standard input closes, as it does when the parent process ends")
	return cmd
}

// printLines prints lines.
func printLines(ctx context.Context, on *run.Session, o follow.Options) error {
	v, err := on.Settings.More(settings.Inventory)
	if err != nil {
		return err
	}
	named, err := inventory.FromSettings(v)
	if err != nil {
		return err
	}
	o.Hostname, o.NetworkDevices = named.Hostname, named.NetworkDevices
	o.Wait = longest
	if timeout := on.Settings.Duration("timeout"); timeout > 0 {
		o.Wait = min(longest, timeout*3/4)
	}
	o.Log = func(text string) { _, _ = fmt.Fprintln(on.Err, show.Clean(text)) }
	return follow.Run(ctx, on.Client, o, func(line follow.Line) error {
		text, err := line.Encode()
		if err != nil {
			return err
		}
		_, err = on.Out.Write(text)
		return err
	})
}
