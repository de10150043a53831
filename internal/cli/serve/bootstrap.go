package serve

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/server"
)

func newBootstrap(s output.Streams) *cobra.Command {
	var newKey bool
	cmd := &cobra.Command{
		Use:   "bootstrap",
		Short: "Make the first project and its root user, and print the user's API key",
		Long: `Makes a project and a root user, both named "bootstrap", in a database whose file or tables are made if need be, and prints
the project's id, the user's name and API key. The key is shown this once: the database holds only its hash.
Run again, it finds them; --new-key then replaces the key, and makes the user
root again, with no other key, if somebody has taken that away.

With --auth keystone it makes the database only: users come from Keystone.`,
		Example: `  craton server bootstrap --database sqlite:/var/lib/craton/fleet.db`,
		Args:    argparse.ExactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := settings.Load(cmd.Flags(), settings.Server)
			if err != nil {
				return err
			}
			return bootstrap(cmd.Context(), s, v, newKey)
		},
	}
	settings.AddFlags(cmd.Flags(), settings.Server)
	cmd.Flags().BoolVar(&newKey, "new-key", false, "replace the API key of the bootstrap user")
	return cmd
}

func bootstrap(ctx context.Context, s output.Streams, v *settings.Values, newKey bool) error {
	srv, err := open(ctx, v, server.Options{Create: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer srv.Close() //nolint:errcheck // committed already
	if v.String("server.auth") == authKeystone {
		_, err = fmt.Fprintf(s.Out, "%s is ready; its users come from Keystone.\n", srv.Database())
		return err
	}
	find := srv.Bootstrap
	if newKey {
		find = srv.ResetBootstrap
	}
	b, err := find(ctx)
	if err != nil {
		return err
	}
	if b.APIKey == "" {
		b.APIKey = "(set already, kept only as a hash; for a new one: craton server bootstrap --new-key --database " + srv.Database() + ")"
	}
	_, err = fmt.Fprintf(s.Out, "ProjectId: %s\nUsername: %s\nAPIKey: %s\n", b.ProjectID, b.Username, b.APIKey)
	return err
}
