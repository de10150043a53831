package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/reconcile"
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
  craton apply --check fleet.yml    say what it would do
  craton --format json apply fleet.yml`,
		Args: argparse.ExactArgs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := run.CheckFlags(cmd); err != nil {
				return err
			}
			v, err := settings.Load(cmd.Flags(), settings.Connection, settings.CLI)
			if err != nil {
				return err
			}
			ctx, err := run.WithMessage(cmd.Context(), v)
			if err != nil {
				return err
			}
			return apply(ctx, s, v, args[0], check)
		},
	}
	run.AddFleetFlags(cmd)
	run.RefuseAt(cmd.Flags(), "apply writes, and what was cannot be changed")
	cmd.Flags().BoolVar(&check, "check", false, "say what would be done, and do nothing")
	return cmd
}

// gcPercent is how much of what is kept may be garbage beside it. The process lives for one file, and what it reads and sends is garbage
// at once: collecting seldom saves a tenth of its processor time at 100,000 hosts, and costs a third more of little memory.
const gcPercent = 200

func apply(ctx context.Context, s output.Streams, v *settings.Values, path string, check bool) error {
	file, err := parseFleetFile(s, path)
	if err != nil {
		return err
	}
	debug.SetGCPercent(gcPercent) // not before: a file with anchors has all its nodes in memory until here
	ctx, stop := run.Interruptible(ctx)
	defer stop()
	for _, warning := range file.Warnings() {
		fmt.Fprintf(s.Err, "WARNING: %s\n", show.Clean(warning))
	}
	mode := connect.Create
	if check {
		mode = connect.Predict
	}
	unlessInterrupted := func(err error) error {
		if i, ok := errors.AsType[*run.Interruption](context.Cause(ctx)); ok {
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
	fl := &reconcile.Fleet{Client: c.Client, Project: project}
	result, err := fl.ApplyTree(ctx, file.Tree(), reconcile.Options{Check: check, Brief: true, Progress: progress.Show})
	progress.Done()
	if err != nil {
		// Its words say how far it came, of which the original's sentence for an answer would leave nothing.
		err = run.InTheWords("", err.Error(), "", err)
	}
	err = errors.Join(err, c.Close())
	if result != nil {
		err = errors.Join(printResult(s.Out, v.String("cli.format"), result, check), err)
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

// The document of --format json and yaml.
type (
	applyDocument struct {
		Check     bool             `json:"check"` // nothing was done
		Created   int              `json:"created"`
		Updated   int              `json:"updated"`
		Unchanged int              `json:"unchanged"`
		Changes   []changeDocument `json:"changes"` // of objects that were not equal already
	}
	changeDocument struct {
		Action string   `json:"action"`
		Kind   string   `json:"kind"`
		Name   string   `json:"name"`   // "" for the project
		Fields []string `json:"fields"` // of an update
	}
)

// printResult prints a line for each object that was not equal already, then the summary; or that as a document.
func printResult(w io.Writer, format string, r *fleetfile.Result, check bool) error {
	doc := applyDocument{Check: check, Created: r.Created, Updated: r.Updated, Unchanged: r.Unchanged, Changes: []changeDocument{}}
	for _, c := range r.Changes {
		if c.Action != fleetfile.Unchanged {
			doc.Changes = append(doc.Changes, changeDocument{string(c.Action), c.Kind, c.Name, append([]string{}, c.Fields...)})
		}
	}
	switch format {
	case show.FormatJSON, show.FormatYAML:
		return show.WriteDocument(w, format, doc)
	case show.FormatCSV:
		rows := [][]string{{"action", "kind", "name", "fields"}}
		for _, c := range doc.Changes {
			rows = append(rows, []string{c.Action, c.Kind, c.Name, strings.Join(c.Fields, " ")})
		}
		return show.WriteCSV(w, rows)
	}
	var b strings.Builder
	for _, c := range doc.Changes {
		fmt.Fprintf(&b, "%s %s", c.Action, c.Kind)
		if c.Name != "" { // the project is the one there is
			b.WriteString(" " + c.Name)
		}
		if c.Action == string(fleetfile.Updated) {
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
