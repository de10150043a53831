package find

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
	"github.com/craton-fleet/craton/internal/table"
)

// New returns the command `craton find`.
func New(s output.Streams) *cobra.Command {
	var limit int
	var at string
	var omitHashed bool
	cmd := &cobra.Command{
		Use:   "find TEXT",
		Short: "Search the fleet for text: names, addresses, labels, notes, variables",
		Long: `Search all objects for text: in names, addresses, notes and other fields, in labels, and in the keys and values of variables.
A variable is found at the object that sets it. Case is ignored. To find objects by their properties, use --where with the
list commands.`,
		Example: `  craton find 10.20.0.11
  craton find ntp.example.net --format json
  craton find web-01 --at yesterday`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := argparse.ExactArgs("TEXT")(cmd, args); err != nil {
				return err
			}
			switch {
			case strings.TrimSpace(args[0]) == "":
				return argparse.Mistake(cmd, "argument TEXT: must not be empty, because every object would match")
			case limit < 0:
				return argparse.Mistake(cmd, "argument --limit: must not be negative; 0 shows all")
			}
			return nil
		},
		RunE: object.OnFleet(s, connect.ReadOnly, func(ctx context.Context, on *object.Session, args []string) error {
			if err := on.ReadPast(ctx, at, omitHashed); err != nil {
				return err
			}
			fleet, err := snapshot.Read(ctx, on.Client, snapshot.Options{Networks: true, Labels: true, Text: args[0]})
			if err != nil {
				return run.PastError(err)
			}
			can, err := on.Client.Capabilities(ctx)
			if err != nil {
				return err
			}
			f := snapshot.Find(fleet, args[0], limit, can.Hashes)
			if err := write(f, on.Out, on.Format); err != nil {
				return err
			}
			if f.More > 0 && on.Format != show.FormatJSON && on.Format != show.FormatYAML {
				_, err = fmt.Fprintf(on.Err, "%d shown, %d more match: --limit 0 shows all\n", len(f.Objects), f.More)
			}
			return err
		}),
	}
	run.AddFleetFlags(cmd)
	cmd.Flags().IntVar(&limit, "limit", 100, "show at most `N` objects; 0 for all")
	run.TimeVar(cmd.Flags(), &at, "at", "search the state at a time, such as yesterday, 2h or 2026-11-20, or at a revision of the change log")
	cmd.Flags().BoolVar(&omitHashed, "omit-hashed", false, "with --at: omit variables that the change log keeps only as a hash")
	return cmd
}

func write(f *snapshot.Found, w io.Writer, format string) error {
	switch format {
	case show.FormatCSV:
		rows := [][]string{{"kind", "id", "path", "what", "name", "text"}}
		for _, m := range f.Objects {
			for _, p := range m.Where {
				rows = append(rows, []string{m.Kind, fmt.Sprint(m.ID), m.Path, p.What, p.Name, p.Text})
			}
		}
		return show.WriteCSV(w, rows)
	case show.FormatTable:
		_, err := io.WriteString(w, overview(f, show.AppearanceOf(w)))
		return err
	}
	return show.WriteDocument(w, format, f)
}

// overview returns the results for people: by kind, a line for each place.
func overview(f *snapshot.Found, look show.Appearance) string {
	if len(f.Objects) == 0 {
		return fmt.Sprintf("Nothing contains %s.\n", strconv.Quote(f.Text))
	}
	var b strings.Builder
	wide, last := 0, ""
	for _, m := range f.Objects {
		wide = max(wide, min(table.Width(show.Path(m.Path)), 60))
	}
	for _, m := range f.Objects {
		if m.Kind != last {
			if last != "" {
				b.WriteByte('\n')
			}
			last = m.Kind
			b.WriteString(look.Bold(schema.Noun(m.Kind)+"s") + "\n")
		}
		path := show.Path(m.Path)
		for _, p := range m.Where {
			line := show.Clean(p.Sentence())
			if room := look.Width - wide - 4; look.Width > 0 {
				line = table.Shorten(line, max(room, 20))
			}
			b.WriteString("  " + look.Cyan(table.Pad(path, wide)) + "  " + line + "\n")
			path = ""
		}
	}
	return b.String()
}
