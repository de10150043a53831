package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/server"
)

func newBackup(s output.Streams) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "backup <file>",
		Short: "Back up a database into one file",
		Long: `Write a consistent copy of a whole database to one compressed file, which only its owner can read: projects, users with the
hashes of their keys, all objects, variables, labels, sets, and the change log. A server can keep running meanwhile. The file
has the same format for SQLite and PostgreSQL: "craton server restore" restores it into an empty database of either kind, so
this is also how to move from one to the other.

An existing file is not replaced without --force. "-" is standard output.`,
		Example: `  craton server backup --database sqlite:/var/lib/craton/fleet.db /var/backups/fleet-$(date +%F).backup`,
		Args:    argparse.ExactArgs("<file>"),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := settings.Load(cmd.Flags(), settings.Server)
			if err != nil {
				return err
			}
			return backup(cmd.Context(), s, v, args[0], force)
		},
	}
	addDatabaseFlags(cmd.Flags())
	cmd.Flags().BoolVar(&force, "force", false, "replace an existing file")
	return cmd
}

func backup(ctx context.Context, s output.Streams, v *settings.Values, file string, force bool) error {
	if file == "-" && output.IsTerminal(s.Out) {
		return errors.New("a backup cannot be written to a terminal: give a file, or redirect standard output to one")
	}
	if there, err := os.Stat(file); err == nil && file != "-" {
		if !force {
			return fmt.Errorf("%s exists: give another name, or --force to replace it", file)
		}
		path, _ := strings.CutPrefix(v.String("server.database"), "sqlite:")
		if db, err := os.Stat(path); err == nil && os.SameFile(db, there) {
			return fmt.Errorf("%s is the database itself: give another name", file)
		}
	}
	srv, err := open(ctx, v, server.Options{Version: connect.Version, Reading: true})
	if err != nil {
		return err
	}
	defer srv.Close() //nolint:errcheck // only read
	progress := output.NewProgress(s.Err)
	var rows int64
	write := func(w io.Writer) (err error) {
		rows, err = srv.Backup(ctx, w, shown(progress))
		progress.Done()
		return err
	}
	if file == "-" {
		return write(s.Out)
	}
	if err := output.WriteFile(file, 0o600, write); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "%s contains %d rows of %s.\n", file, rows, srv.Database())
	return err
}

// shown shows the steps of a long job.
func shown(p *output.Progress) func(server.BackupStep) {
	return func(step server.BackupStep) { p.Show(int(step.Rows), int(step.All), "rows, "+step.Table) }
}

func newRestore(s output.Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore <file>",
		Short: "Restore a backup into an empty database",
		Long: `Restore a backup made by "craton server backup" into an empty database, SQLite or PostgreSQL; the backup
can be of either. A missing SQLite file is created. A backup by an earlier version is migrated.

The whole file is checked before anything is stored. A truncated or altered file is refused, as is a database that already
contains a fleet. Either everything is restored, or nothing.`,
		Example: `  craton server restore /var/backups/fleet-2026-11-29.backup --database postgres://craton@db.example.org/fleet`,
		Args:    argparse.ExactArgs("<file>"),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := settings.Load(cmd.Flags(), settings.Server)
			if err != nil {
				return err
			}
			return restore(cmd.Context(), s, v, args[0])
		},
	}
	addDatabaseFlags(cmd.Flags())
	return cmd
}

func restore(ctx context.Context, s output.Streams, v *settings.Values, file string) error {
	db, o, err := database(v, server.Options{})
	if err != nil {
		return err
	}
	info, err := os.Stat(file)
	switch {
	case file == "-" && err != nil:
		return errors.New("standard input cannot be restored: a backup is read twice, first to check it; give a file")
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %s", file)
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: a backup is read twice, the first time to check it", file)
	}
	progress := output.NewProgress(s.Err)
	made, rows, err := server.Restore(ctx, db, o, file, func() (io.ReadCloser, error) { return os.Open(file) }, shown(progress))
	progress.Done()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "Restored %d rows, as of %s.\n", rows, made.Created.Format(time.RFC3339))
	return err
}
