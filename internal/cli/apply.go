package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
)

func newApply(s output.Streams) *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "apply FILE",
		Short: "Make a fleet file true: create what is missing, update what differs",
		Long: `Reads a fleet file (YAML; - is standard input), and makes the fleet hold what it says: missing objects are
created, changed ones updated, equal ones left alone. Nothing is deleted, and what the file does not mention stays
as it is. The whole file is checked before anything is written. A second run changes nothing.`,
		Example: `  CRATON_URL=sqlite:fleet.db craton apply fleet.yml
  craton apply --check fleet.yml    say what it would do`,
		Args: exactArgs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := settings.Load(cmd.Flags(), settings.Connection)
			if err != nil {
				return err
			}
			return apply(cmd.Context(), s, v, args[0], check)
		},
	}
	settings.AddFlags(cmd.Flags(), settings.Connection)
	cmd.Flags().BoolVar(&check, "check", false, "say what would be done, and do nothing")
	return cmd
}

func apply(ctx context.Context, s output.Streams, v *settings.Values, path string, check bool) error {
	file, err := parseFleetFile(s, path)
	if err != nil {
		return err
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	for _, warning := range file.Warnings() {
		fmt.Fprintf(s.Err, "WARNING: %s\n", clean(warning))
	}
	mode := connect.Create
	if check {
		mode = connect.ReadOnly
	}
	unlessInterrupted := func(err error) error {
		if i, ok := errors.AsType[*interruption](context.Cause(ctx)); ok {
			return fmt.Errorf("interrupted: %w\nnothing was written; apply the file again", i)
		}
		return err
	}
	c, err := connect.Open(ctx, v, mode)
	if err != nil {
		return unlessInterrupted(err)
	}
	project, err := c.Project(ctx)
	if err != nil {
		return errors.Join(unlessInterrupted(err), c.Close())
	}
	progress := output.NewProgress(s.Err)
	result, err := fleetfile.Apply(ctx, c.Client, file, fleetfile.Options{
		Check: check, ProjectID: project, Progress: progress.Show,
	})
	progress.Done()
	if err != nil {
		// Its words say how far it came, of which the original's sentence for an answer would leave nothing.
		err = &worded{exception{"", err.Error()}, "", err}
	}
	err = errors.Join(err, c.Close())
	if result != nil {
		err = errors.Join(printResult(s.Out, result, check), err)
	}
	return err
}

// parseFleetFile reads a fleet file, or standard input for "-".
func parseFleetFile(s output.Streams, path string) (*fleetfile.File, error) {
	if path == "-" {
		return fleetfile.Parse("standard input", s.In)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	return fleetfile.Parse(path, f)
}

// printResult prints a line for each object that was not equal already, then the summary.
func printResult(w io.Writer, r *fleetfile.Result, check bool) error {
	var b strings.Builder
	for _, c := range r.Changes {
		if c.Action == fleetfile.Unchanged {
			continue
		}
		fmt.Fprintf(&b, "%s %s", c.Action, c.Kind)
		if c.Name != "" { // the project is the one there is
			b.WriteString(" " + c.Name)
		}
		if c.Action == fleetfile.Updated {
			fmt.Fprintf(&b, " (%s)", strings.Join(c.Fields, ", "))
		}
		b.WriteByte('\n')
	}
	if check {
		fmt.Fprintf(&b, "check: would create %d, update %d, leave %d unchanged\n", r.Created, r.Updated, r.Unchanged)
	} else {
		fmt.Fprintf(&b, "created %d, updated %d, unchanged %d\n", r.Created, r.Updated, r.Unchanged)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
