package plan

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/internal/value"
)

// NewApply makes the command `craton apply`.
func NewApply(s output.Streams) *cobra.Command {
	var c choices
	var check, diff bool
	cmd := &cobra.Command{
		Use:   "apply FILE...",
		Short: "Make a fleet file true: create what is missing, update what differs",
		Long: `Reads fleet files (YAML; - is standard input; of a folder all that end in .yml, .yaml or .json), and makes the fleet hold
what they say: missing objects are created, changed ones updated, equal ones left alone. What no file mentions stays
as it is, unless --prune has what belongs to the set deleted. All files are checked before anything is written. A second run changes nothing.

A plan that craton plan --out has kept is carried out as it is. If anything in it was changed since, nothing is written.`,
		Example: `  CRATON_URL=sqlite:fleet.db craton apply fleet.yml
  craton apply --check --diff fleet.yml    show what it would do
  craton apply fleet/                      of all files in a folder
  craton apply change.plan                 carry out a plan
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
	c.declare(cmd, "apply writes, and what was cannot be changed")
	cmd.Flags().BoolVar(&check, "check", false, "say what would be done, and do nothing")
	cmd.Flags().BoolVar(&diff, "diff", false, "show what is changed, as craton plan does")
	return cmd
}

func apply(ctx context.Context, s output.Streams, v *settings.Values, args []string, c choices, check, diff bool) error {
	j, err := newJob(s, v, args, c)
	if err != nil {
		return err
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
	result, err := j.apply(ctx, p, check, diff)
	j.progress.Done()
	run.TellMade(s, j.connection)
	err = errors.Join(run.Verbatim(err), j.connection.Close())
	if result != nil && !(check && diff) {
		err = errors.Join(printResult(s.Out, v.String("cli.format"), result, check), err)
	}
	return err
}

// apply carries out the plan, or what is planned of the fleet files.
func (j *job) apply(ctx context.Context, p *reconcile.Plan, check, diff bool) (_ *reconcile.Result, err error) {
	j.options.Check, j.options.Effects = check, diff
	if p == nil {
		if p, err = j.make(ctx); err != nil {
			return nil, err
		}
	} else if err := j.fits(p); err != nil {
		return nil, err
	}
	if !diff {
		if p.Set != nil && p.Set.Others > 0 {
			j.progress.Done()
			_, _ = fmt.Fprintln(j.Err, staying(p.Set.Others))
		}
		return j.fleet.ApplyPlan(ctx, p, j.options)
	}
	format := j.settings.String("cli.format")
	if check {
		r, err := j.fleet.ApplyPlan(ctx, p, j.options)
		j.progress.Done()
		if err != nil {
			return r, err
		}
		return r, printPlan(j.Out, format, p)
	}
	out := j.Out
	if format != show.FormatTable { // where a program expects one document
		out, format = j.Err, show.FormatTable
	}
	j.progress.Done()
	if err := printPlan(out, format, p); err != nil {
		return nil, err
	}
	if format == show.FormatTable {
		_, _ = fmt.Fprintln(out)
	}
	return j.fleet.ApplyPlan(ctx, p, j.options)
}

// fits refuses a plan that is for another fleet.
func (j *job) fits(p *reconcile.Plan) error {
	switch {
	case p.URL != j.connection.Where:
		return fmt.Errorf("the plan is for %s, and this is %s: nothing was written", show.Clean(p.URL), j.connection.Where)
	case p.Project != j.fleet.Project && !value.SameUUID(p.Project, j.fleet.Project):
		return fmt.Errorf("the plan is for the project %q, and this is the project %q: nothing was written", p.Project, j.fleet.Project)
	}
	return nil
}
