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
		Short: "Create the first project and its root user, and print the user's API key",
		Long: `Create a project and a root user, both named "bootstrap", and print the project's id, the user's name and its API key.
The database file or the tables are created if they do not exist. The key is shown only once: the database stores its hash.
If the project and user exist, only their id and name are printed; --new-key then replaces the key and, if the user has lost
the role root, makes it root again and deletes all its other keys.

With --auth keystone only the database is created: users come from Keystone.`,
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
	addDatabaseFlags(cmd.Flags(), "auth")
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
		b.APIKey = "(already set, stored only as a hash; for a new key: craton server bootstrap --new-key --database " + srv.Database() + passwordFlag(v) + ")"
	}
	_, err = fmt.Fprintf(s.Out, "ProjectId: %s\nUsername: %s\nAPIKey: %s\n", b.ProjectID, b.Username, b.APIKey)
	return err
}

// passwordFlag returns the flag for the database's password file, as given, to be used once more.
func passwordFlag(v *settings.Values) string {
	if v.Source("server.database_password_file").From != settings.FromFlag {
		return ""
	}
	return " --database-password-file " + v.String("server.database_password_file")
}
