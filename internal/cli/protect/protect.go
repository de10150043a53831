// Package protect implements `craton protect` and `craton unprotect`, which protect an object from deletion, or end
// that. [New] and [NewUnprotect] return the commands.
package protect

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
)

// New returns the command `craton protect`.
func New(s output.Streams) *cobra.Command {
	return command(s, true, &cobra.Command{
		Use:   "protect KIND OBJECT",
		Short: "Protect an object from deletion, by itself or together with what contains it",
		Long: `Protect an object: until craton unprotect, no command, task or fleet file can delete it, neither alone nor with the project,
cloud, region, cell or device that contains it. It can still be changed in every other way.

KIND is project, cloud, region, cell, host, network-device, network or network-interface. The server must support this:
craton server and CRATON_URL=sqlite:PATH do.`,
		Example: `  craton protect region dfw
  craton protect host east/dfw/db-01`,
	})
}

// NewUnprotect returns the command `craton unprotect`.
func NewUnprotect(s output.Streams) *cobra.Command {
	return command(s, false, &cobra.Command{
		Use:     "unprotect KIND OBJECT",
		Short:   "Allow a protected object to be deleted again",
		Long:    "Reverse craton protect: the object can be deleted again, by itself or together with what contains it.",
		Example: `  craton unprotect region dfw`,
	})
}

func command(s output.Streams, on bool, cmd *cobra.Command) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := argparse.ExactArgs("KIND", "OBJECT")(cmd, args); err != nil {
			return err
		}
		if !slices.Contains(kinds(), args[0]) {
			return argparse.Mistake(cmd, "argument KIND: %s", argparse.InvalidChoice(args[0], kinds()))
		}
		return nil
	}
	cmd.RunE = object.OnFleet(s, connect.ReadOnly, func(ctx context.Context, s *object.Session, args []string) error {
		return protect(ctx, s, args[0], args[1], on)
	})
	run.AddFleetFlags(cmd)
	run.RefuseAt(cmd.Flags(), cmd.Name()+" makes changes, and the past cannot be changed")
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return kinds(), cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// kinds returns the names of the kinds whose objects can be protected.
func kinds() (names []string) {
	for _, k := range schema.All() {
		if k.Protects() {
			names = append(names, k.Name)
		}
	}
	slices.Sort(names)
	return names
}

func protect(ctx context.Context, s *object.Session, kind, word string, on bool) error {
	i := slices.IndexFunc(object.Resources(), func(r *object.Resource) bool { return r.Name == kind }) // it is one: see command
	if err := (&reconcile.Fleet{Client: s.Client}).CheckProtect(ctx); err != nil {
		return err
	}
	found, err := s.Find(ctx, word, object.Resources()[i])
	if err != nil {
		return err
	}
	c := s.Client.Collection(craton.Kind(kind))
	was, err := c.Protected(ctx, found.ID)
	if err != nil {
		return err
	}
	if was != on {
		if err := c.Protect(ctx, found.ID, on); err != nil {
			return err
		}
	}
	return printResult(s, found, on, was)
}

// document is the commands' output for programs.
type document struct {
	Kind      string `json:"kind"`
	ID        string `json:"id"`
	Name      string `json:"name"`
	Protected bool   `json:"protected"`
	Changed   bool   `json:"changed"`
}

func printResult(s *object.Session, found object.Found, on, was bool) error {
	state := "is protected"
	if !on {
		state = "is not protected"
	}
	switch s.Format {
	case show.FormatJSON, show.FormatYAML:
		return show.WriteDocument(s.Out, s.Format, document{found.Kind, found.ID, found.Name, on, on != was})
	case show.FormatCSV:
		return show.WriteCSV(s.Out, [][]string{{"kind", "id", "name", "protected", "changed"},
			{found.Kind, found.ID, found.Name, fmt.Sprint(on), fmt.Sprint(on != was)}})
	}
	also := " now"
	if on == was {
		also = " already"
	}
	_, err := fmt.Fprintf(s.Out, "%s (id %s) %s%s\n", show.Object(schema.Noun(found.Kind), found.Name), found.ID, state, also)
	return err
}
