package plan

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/set"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/private"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/settings"
)

// statusChanges is the exit status of `craton plan` if there are changes: not 2, which means a mistake in the
// arguments.
const statusChanges = 3

// choices are the options that both commands have.
type choices struct {
	move, duplicates bool
	set              reconcile.SetOptions
	allow            int
}

func (c *choices) declare(s output.Streams, cmd *cobra.Command, whyNow string) {
	run.AddFleetFlags(cmd)
	run.RefuseAt(cmd.Flags(), whyNow)
	cmd.Flags().BoolVar(&c.move, "move", false, "move hosts, network devices and cells that are elsewhere; without it, they are an error")
	cmd.Flags().StringVar(&c.set.Name, "set", "", "put the objects of the files into the set `NAME`, which the server stores")
	_ = cmd.RegisterFlagCompletionFunc("set", set.Complete(s))
	cmd.Flags().BoolVar(&c.set.Prune, "prune", false, "delete objects of the set that are no longer in any file")
	cmd.Flags().BoolVar(&c.set.Adopt, "adopt", false, "take over objects that belong to another set")
	cmd.Flags().IntVar(&c.allow, flagAllowDeletes, 0, "allow `N` deletions, if the plan has exactly that many; without it, many deletions are refused")
	cmd.Flags().StringVar(&c.set.File, "set-file", "", "store sets in `FILE` if the server cannot; by default in ~/.local/share/craton")
	cmd.Flags().BoolVar(&c.duplicates, "allow-duplicates", false, "allow two hosts with the same name, for which the inventory needs hostname: qualified")
}

// flagAllowDeletes is the flag for set.AllowDeletes.
const flagAllowDeletes = "allow-deletes"

// any reports whether any option is set.
func (c *choices) any() bool { return c.move || c.duplicates || c.set != reconcile.SetOptions{} }

// errPlanned is the error for options that cannot be combined with a saved plan.
var errPlanned = argparse.Misused("a saved plan is applied as it is: give --move, --allow-duplicates, --set and its options to the command that makes the plan")

// check returns an error for options that cannot be combined: a mistake in the arguments.
func (c *choices) check(cmd *cobra.Command, args []string) error {
	if cmd.Flags().Changed(flagAllowDeletes) {
		c.set.AllowDeletes = &c.allow
	}
	if c.any() && len(args) == 1 && isPlan(args[0]) {
		return errPlanned
	}
	if c.set.Name == "" && cmd.Flags().Changed("set") { // from an unset variable of the shell
		return argparse.Mistake(cmd, "argument --set: the name must not be empty")
	}
	if err := c.set.Check(); err != nil {
		return argparse.Mistake(cmd, "%s", err)
	}
	return nil
}

// New returns the command `craton plan`.
func New(s output.Streams) *cobra.Command {
	var c choices
	var out string
	cmd := &cobra.Command{
		Use:   "plan FILE...",
		Short: "Show what a fleet file would change, and save that as a plan",
		Long: `Compare fleet files, or directories of them, with the fleet, and show what craton apply would do: + marks what is created,
~ what is updated, with the old and new value of each field and variable, > what is moved, - what is deleted. Below that is
the effect on inherited variables: how many hosts get another value, and how many keep theirs because a nearer place
overrides it. Nothing is written to the fleet.

With --out, the plan is saved to a file that only you can read, because it contains values of variables. craton apply FILE
applies exactly that plan, or nothing if anything in it has changed since. craton plan FILE shows it again.

The exit status is 0 if there is nothing to do, 3 if there are changes, 2 for invalid arguments and 1 for all other errors.`,
		Example: `  craton plan fleet.yml                    what would change
  craton plan fleet/ --move                a directory; hosts found elsewhere are moved
  craton plan fleet.yml --out change.plan  save it
  craton apply change.plan                 apply it`,
		Args: atLeast("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.check(cmd, args); err != nil {
				return err
			}
			v, ctx, err := load(cmd)
			if err != nil {
				return err
			}
			return plan(ctx, s, v, args, out, c)
		},
	}
	c.declare(s, cmd, "a plan is for the current fleet, and the past cannot be changed")
	cmd.Flags().StringVar(&out, "out", "", "save the plan to `FILE`")
	return cmd
}

// atLeast requires one argument or more.
func atLeast(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		return argparse.ExactArgs(name)(cmd, args[:min(len(args), 1)])
	}
}

// load reads the settings of a command, and its message.
func load(cmd *cobra.Command) (*settings.Values, context.Context, error) {
	if err := run.CheckFlags(cmd); err != nil {
		return nil, nil, err
	}
	v, err := settings.Load(cmd.Flags(), settings.Connection, settings.CLI)
	if err != nil {
		return nil, nil, err
	}
	ctx, err := run.WithMessage(cmd.Context(), v)
	return v, ctx, err
}

// source is the files in the arguments: fleet files, or one plan.
type source struct {
	file  *fleetfile.File
	names []string
	plan  *reconcile.Plan // nil: fleet files
}

// standardInput is the argument for standard input.
const standardInput = "-"

// open opens the files in the arguments.
func open(s output.Streams, args []string) (*source, error) {
	var list []fleetfile.Source
	seen := map[string]bool{} // both a file and its directory may be given
	for _, arg := range args {
		if arg == standardInput {
			if !seen[arg] {
				list = append(list, fleetfile.Source{Name: "standard input", Open: func() (io.ReadCloser, error) { return io.NopCloser(s.In), nil }})
			}
			seen[arg] = true
			continue
		}
		for _, one := range fleetfile.Files(arg) {
			if !seen[one.Name] {
				list = append(list, one)
			}
			seen[one.Name] = true
		}
	}
	out := &source{}
	for i := range list {
		out.names = append(out.names, list[i].Name)
	}
	if len(list) != 1 {
	} else if f, err := list[0].Open(); err == nil { // else ParseAll tells
		b := bufio.NewReader(f)
		if head, _ := b.Peek(beginning); reconcile.IsPlan(head) {
			defer f.Close() //nolint:errcheck // only read
			if out.plan, err = reconcile.ReadPlan(b); err != nil {
				err = fmt.Errorf("%s: %w", list[0].Name, err)
			}
			return out, err
		}
		list[0].Open = func() (io.ReadCloser, error) { return readCloser{b, f}, nil }
	}
	var err error
	out.file, err = fleetfile.ParseAll(list)
	return out, err
}

// isPlan reports whether a file is a plan, without waiting if it is not a regular file.
func isPlan(path string) bool {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // only read
	head := make([]byte, beginning)
	n, _ := io.ReadFull(f, head) // what it is tells
	return reconcile.IsPlan(head[:n])
}

// beginning is the number of bytes of a file that show whether it is a plan.
const beginning = 128

type readCloser struct {
	io.Reader
	io.Closer
}

// warn prints the warnings about fleet files.
func (f *source) warn(s output.Streams) {
	if f.file == nil {
		return
	}
	for _, warning := range f.file.Warnings() {
		_, _ = fmt.Fprintf(s.Err, "WARNING: %s\n", show.Clean(warning))
	}
}

// gcPercent is how much garbage the heap may contain, in percent of what is in use. The process exists for one file,
// and most of what it reads and sends is garbage at once: fewer collections save a tenth of its processor time with
// 100,000 hosts, and cost a third more memory, of which it uses little.
const gcPercent = 200

// job is one run of a command.
type job struct {
	output.Streams
	settings *settings.Values
	source   *source
	options  reconcile.Options
	progress *output.Progress

	connection *connect.Connection
	fleet      *reconcile.Fleet
}

// newJob reads the files. done releases it.
func newJob(s output.Streams, v *settings.Values, args []string, c choices) (*job, error) {
	from, err := open(s, args)
	if err != nil {
		return nil, err
	}
	debug.SetGCPercent(gcPercent) // not before: a file with anchors has all its nodes in memory until here
	inventory, err := v.More(settings.Inventory.Only("hostname", "network_devices"))
	if err != nil {
		return nil, err
	}
	j := &job{Streams: s, settings: v, source: from, progress: output.NewProgress(s.Err)}
	j.options = reconcile.Options{Brief: true, Move: c.move, AllowDuplicates: c.duplicates, Progress: j.progress.Show,
		Inventory: reconcile.Naming{Hostname: inventory.String("inventory.hostname"), NetworkDevices: inventory.Bool("inventory.network_devices")}}
	j.options.Set = c.set
	if from.plan != nil && c.any() {
		return nil, errPlanned
	}
	return j, nil
}

// connect opens the fleet.
func (j *job) connect(ctx context.Context, mode connect.Mode) (err error) {
	if j.connection, err = connect.Open(ctx, j.settings, mode); err != nil {
		return j.earlyError(ctx, err)
	}
	project, err := j.connection.Project(ctx)
	if err != nil {
		return errors.Join(j.earlyError(ctx, err), j.connection.Close())
	}
	j.fleet = &reconcile.Fleet{Client: j.connection.Client, Project: project}
	return nil
}

// earlyError returns an error from before anything was written.
func (j *job) earlyError(ctx context.Context, err error) error {
	return cmp.Or(run.Interrupted(ctx, "nothing was written; apply the file again"), err)
}

// make plans the fleet files.
func (j *job) make(ctx context.Context) (*reconcile.Plan, error) {
	can := &craton.Capabilities{}
	if j.options.Effects { // it is shown or kept
		if known, err := j.fleet.Client.Capabilities(ctx); err == nil { // otherwise reading returns a better error
			can = known
		}
	}
	p, err := j.fleet.PlanTree(ctx, j.source.file.Tree(), j.options)
	if err != nil {
		return nil, err
	}
	p.Made, p.Names, p.URL, p.Project, p.Hashed = time.Now(), j.source.names, j.connection.Where, j.fleet.Project, can.HashedKeys
	if p.New = j.connection.New; !p.New {
		p.Revision = can.Revision
	}
	return p, nil
}

func plan(ctx context.Context, s output.Streams, v *settings.Values, args []string, out string, c choices) (err error) {
	format := v.String("cli.format")
	j, err := newJob(s, v, args, c)
	if err != nil {
		return writeRefused(s.Out, format, err, nil)
	}
	j.source.warn(s)
	if p := j.source.plan; p != nil {
		if out != "" {
			return argparse.Misused("a plan cannot be made from a plan: --out is only for fleet files")
		}
		if err := printPlan(s.Out, format, p); err != nil {
			return err
		}
		return status(p)
	}
	ctx, stop := run.Interruptible(ctx)
	defer stop()
	if err := j.connect(ctx, connect.Predict); err != nil {
		return err
	}
	defer func() {
		if closed := j.connection.Close(); closed != nil {
			err = errors.Join(err, closed)
		}
	}()
	j.options.Effects = true
	p, err := j.make(ctx)
	j.progress.Done()
	if err != nil {
		return writeRefused(s.Out, format, run.Verbatim(err), nil)
	}
	var kept error
	if out != "" { // before it is shown: quitting the pager early interrupts what is in progress
		kept = j.keep(ctx, p, out)
	}
	if err := printPlan(s.Out, format, p); err != nil {
		return errors.Join(kept, err)
	}
	if p.Set != nil && p.Set.Refused != nil && out == "" {
		_, _ = fmt.Fprintf(s.Err, "WARNING: craton apply will refuse this: %s\n", show.Clean(p.Set.Refused.Message))
	}
	if kept != nil {
		return kept
	}
	if out != "" {
		if format == show.FormatTable {
			_, _ = fmt.Fprintf(s.Out, "\nSaved to %s: craton apply %s does exactly this.\n", show.Clean(out), show.Clean(out))
		}
	}
	return status(p)
}

// status returns the exit status as an error.
func status(p *reconcile.Plan) error {
	if p.Changed() {
		return &run.ExitError{Status: statusChanges}
	}
	return nil
}

// keep writes the plan to a file, atomically.
func (j *job) keep(ctx context.Context, p *reconcile.Plan, path string) error {
	if err := replaceable(path); err != nil {
		return err
	}
	f, err := private.Create(path)
	if err != nil {
		return fmt.Errorf("the plan cannot be saved: %w", err)
	}
	err = j.fleet.Save(ctx, p, f, j.options)
	if err == nil {
		err = f.Sync()
	}
	if err := private.Keep(f, path, err); err != nil {
		return fmt.Errorf("the plan cannot be saved: %w", err)
	}
	return nil
}

// replaceable refuses to overwrite anything but a plan, such as a fleet file.
func replaceable(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the plan cannot be saved: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	head := make([]byte, beginning)
	n, _ := io.ReadFull(f, head) // what it is tells
	if n == 0 || !reconcile.IsPlan(head[:n]) {
		return fmt.Errorf("the plan cannot be saved: %s already exists and is not a plan; remove it, or choose another name", path)
	}
	return nil
}
