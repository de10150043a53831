// Package set implements `craton set-list`, which lists the sets that `craton apply --set` has created. [New] returns
// the command, and [Complete] completes their names.
package set

import (
	"context"
	"encoding/json"

	"github.com/spf13/cobra"
	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/reconcile"
)

// New returns the command `craton set-list`.
func New(s output.Streams) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "set-list",
		Short: "List the sets created by apply --set",
		Long: `List the sets of the project, each with its number of objects. craton apply --set NAME creates a set; --prune deletes the
objects of a set that are no longer in any file. A set without objects does not exist.`,
		Example: `  craton set-list
  craton --format json set-list`,
		Args: argparse.ExactArgs(),
		RunE: object.OnFleet(s, connect.ReadOnly, func(ctx context.Context, s *object.Session, _ []string) error {
			project, err := s.Project(ctx)
			if err != nil {
				return err
			}
			sets, err := (&reconcile.Fleet{Client: s.Client, Project: project}).Sets(ctx, file)
			if err != nil {
				return err
			}
			rows := make([]gjson.Result, len(sets))
			for i, set := range sets {
				text, err := json.Marshal(set)
				if err != nil {
					return err
				}
				rows[i] = gjson.ParseBytes(text)
			}
			return s.PrintList(rows, []string{"name", "members"})
		}),
	}
	run.AddFleetFlags(cmd)
	run.RefuseAt(cmd.Flags(), "past sets cannot be listed: set-list shows only the current ones")
	cmd.Flags().StringVar(&file, "set-file", "", "the `FILE` that stores sets if the server cannot; by default in ~/.local/share/craton")
	return cmd
}

// Complete completes the name of a set.
func Complete(s output.Streams) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		by := object.Completer{Command: &object.Command{}, Streams: s}
		return by.Ask(cmd, func(ctx context.Context, s *object.Session) (names []string) {
			project, err := s.Project(ctx)
			if err != nil {
				return nil
			}
			sets, _ := (&reconcile.Fleet{Client: s.Client, Project: project}).Sets(ctx, "") // without sets there is nothing to complete
			for _, set := range sets {
				if argparse.Typeable(set.Name) {
					names = append(names, set.Name)
				}
			}
			return names
		}), cobra.ShellCompDirectiveNoFileComp
	}
}
