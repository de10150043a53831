package plan

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/internal/value"
)

// NewApply returns the command `craton apply`.
func NewApply(s output.Streams) *cobra.Command {
	var c choices
	var check, diff bool
	cmd := &cobra.Command{
		Use:   "apply FILE...",
		Short: "Apply a fleet file: create what is missing, update what differs",
		Long: `Read fleet files (YAML; - for standard input; in a directory, all files ending in .yml, .yaml or .json), and make the fleet
match them: missing objects are created, and objects that differ are updated. Objects and variables that no file mentions
stay as they are, except that --prune deletes objects of the set that are in no file. All files are checked before anything
is written. A second run changes nothing.

A plan saved by craton plan --out is applied exactly as it is. If anything in it has changed since, nothing is written.`,
		Example: `  CRATON_URL=sqlite:fleet.db craton apply fleet.yml
  craton apply --check --diff fleet.yml    show what it would do
  craton apply fleet/                      all files in a directory
  craton apply change.plan                 apply a saved plan
  craton --format json apply fleet.yml`,
		Args: atLeast("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.check(cmd, args); err != nil {
				return err
			}
			v, ctx, err := load(cmd)
			if err != nil {
				return err
			}
			return apply(ctx, s, v, args, c, check, diff)
		},
	}
	c.declare(s, cmd, "apply makes changes, and the past cannot be changed")
	cmd.Flags().BoolVar(&check, "check", false, "report what would be done without doing it")
	cmd.Flags().BoolVar(&diff, "diff", false, "show the differences, as craton plan does")
	return cmd
}

func apply(ctx context.Context, s output.Streams, v *settings.Values, args []string, c choices, check, diff bool) error {
	format := v.String("cli.format")
	var doc *applyDocument
	if !check || !diff { // otherwise it is that of a plan
		doc = &applyDocument{Check: check, Sets: []craton.SetSize{}}
	}
	j, err := newJob(s, v, args, c)
	if err != nil {
		return writeRefused(s.Out, format, err, doc)
	}
	ctx, stop := run.Interruptible(ctx)
	defer stop()
	j.source.warn(s)
	p, mode := j.source.plan, connect.Create
	switch {
	case check:
		mode = connect.Predict
	case p != nil && !p.New:
		mode = connect.ReadOnly // it makes no file
	}
	if err := j.connect(ctx, mode); err != nil {
		return err
	}
	tell, err := j.apply(ctx, p, doc, check, diff)
	j.progress.Done()
	run.PrintCreated(s, j.connection)
	err = errors.Join(run.Verbatim(err), j.connection.Close())
	if tell == nil {
		return writeRefused(s.Out, format, err, doc)
	}
	return errors.Join(tell(), err)
}

// apply applies the saved plan, or the plan of the fleet files. tell prints what was done, or would be; it is nil after
// an early error.
func (j *job) apply(ctx context.Context, p *reconcile.Plan, doc *applyDocument, check, diff bool) (tell func() error, err error) {
	j.options.Check, j.options.Effects = check, diff
	if p == nil {
		if p, err = j.make(ctx); err != nil {
			return nil, err
		}
	} else if err := j.checkFleet(p); err != nil {
		return nil, err
	}
	if doc != nil {
		doc.Set, doc.Sets = setOf(p.Set), orEmpty(p.Belongs)
	}
	format := j.settings.String("cli.format")
	if check && diff {
		_, err := j.fleet.ApplyPlan(ctx, p, j.options)
		j.progress.Done()
		if _, guarded := errors.AsType[*reconcile.RefusedError](err); err != nil && !guarded {
			return nil, err
		}
		return func() error { return printPlan(j.Out, format, p) }, err
	}
	if !diff {
		for _, line := range p.SetNotes() {
			j.progress.Done()
			_, _ = fmt.Fprintln(j.Err, show.Clean(line))
		}
	} else {
		out, as := j.Out, format
		if format != show.FormatTable { // if a program expects one document
			out, as = j.Err, show.FormatTable
		}
		j.progress.Done()
		if err := printPlan(out, as, p); err != nil {
			return nil, err
		}
		if as == format {
			_, _ = fmt.Fprintln(out)
		}
	}
	result, err := j.fleet.ApplyPlan(ctx, p, j.options)
	j.progress.Done()
	if result == nil {
		return nil, err
	}
	return func() error { return printResult(j.Out, format, p, result, check) }, err
}

// checkFleet refuses a plan for another fleet.
func (j *job) checkFleet(p *reconcile.Plan) error {
	switch {
	case p.URL != j.connection.Where:
		return otherFleet("the plan is for %s, but this is %s", show.Clean(p.URL), j.connection.Where)
	case p.Project != j.fleet.Project && !value.SameUUID(p.Project, j.fleet.Project):
		return otherFleet("the plan is for the project %q, but this is the project %q", p.Project, j.fleet.Project)
	}
	return nil
}

func otherFleet(format string, args ...any) error {
	const do = "make a plan for this fleet, or set CRATON_URL and OS_PROJECT_ID to the fleet of the plan"
	return &reconcile.RefusedError{Problem: reconcile.Problem{Reason: reconcile.ReasonOtherFleet, Do: do, Message: advice.Join(fmt.Sprintf(format, args...), do)}}
}
