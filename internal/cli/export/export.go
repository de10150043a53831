package export

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/prometheus"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/internal/when"
	"github.com/craton-fleet/craton/internal/where"
	"github.com/craton-fleet/craton/inventory"
)

// past are the settings of the inventory that select the state to export.
var past = settings.Inventory.Only("at", "omit_hashed")

// format is one output format of the fleet.
type format struct {
	name  string
	about string
	flags []string    // options for this format only
	perm  fs.FileMode // of the file: variables may be secrets
	make  func(ctx context.Context, e *exporter) (write func(io.Writer) error, err error)
}

var formats = []format{
	{"fleet", "a fleet file, for craton apply", nil, 0o600, fleet},
	{"ansible", "a static inventory", nil, 0o600, static},
	{"csv", "one row per host", []string{"columns", "raw"}, 0o600, hostList(writeCSV)},
	{"ssh-config", "for ~/.ssh/config", nil, 0o600, hostList(writeSSH)},
	{"hosts", "lines for /etc/hosts", nil, 0o644, hostList(writeEtcHosts)},
	{"prometheus", "targets for file_sd_configs", []string{"port", "port-variable", "path-variable", "scheme-variable", "address-variable", "labels"}, 0o644, hostList(writeTargets)},
}

// options are the command's own.
type options struct {
	format  string
	output  string
	columns []string
	raw     bool
	targets prometheus.Options
	labels  []string
	terms   string
}

// exporter is one run of the command.
type exporter struct {
	*object.Session
	options
	inventory inventory.Options
	terms     *where.Where
}

// New returns the command `craton export`.
func New(s output.Streams) *cobra.Command {
	o := options{targets: prometheus.DefaultOptions()}
	var names, lines []string
	for _, f := range formats {
		names = append(names, f.name)
		lines = append(lines, fmt.Sprintf("  %-11s %s", f.name, f.about))
	}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Export the fleet as a fleet file, or in a format for other programs",
		Long: `Write a consistent snapshot of the fleet to standard output, or atomically to a file.

` + strings.Join(lines, "\n") + `

craton apply finds nothing to change in an exported fleet file, and recreates the same fleet from it elsewhere. All other
formats contain the hosts of the inventory, with the names and resolved variables that its settings (CRATON_INVENTORY_...)
give them. What a format cannot express is an error, or is omitted with a warning on standard error.`,
		Example: `  craton export > fleet.yml
  craton export --at yesterday --output yesterday.yml
  craton export --format ansible --output inventory.yml
  craton export --format csv --columns name,ip_address,labels,vars.ntp
  craton export --format ssh-config --output ~/.ssh/fleet        then in ~/.ssh/config: Include fleet
  craton export --format prometheus --port 9100 --labels role --output /etc/prometheus/fleet.json`,
		Args: argparse.ExactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			i := slices.IndexFunc(formats, func(f format) bool { return f.name == o.format })
			if i < 0 {
				return argparse.Mistake(cmd, "argument --format: %s", argparse.InvalidChoice(o.format, names))
			}
			f := &formats[i]
			if err := f.check(cmd, &o); err != nil {
				return err
			}
			var terms *where.Where
			var err error
			if cmd.Flags().Changed("where") {
				if terms, err = where.Parse(schema.Host, o.terms); err != nil {
					return argparse.Mistake(cmd, "argument --where: %v", err)
				}
			}
			v, err := settings.Load(cmd.Flags(), settings.Inventory)
			if err != nil {
				return err
			}
			of, err := settings.Load(cmd.Flags(), past)
			if err != nil {
				return err
			}
			inv, err := inventory.FromSettings(v)
			if err != nil {
				return err
			}
			inv.At = when.At{} // ReadPast checks it
			return object.OnFleet(s, connect.ReadOnly, func(ctx context.Context, on *object.Session, _ []string) error {
				if err := on.ReadPast(ctx, of.String("inventory.at"), of.Bool("inventory.omit_hashed")); err != nil {
					return err
				}
				e := &exporter{Session: on, options: o, inventory: inv, terms: terms}
				ctx, stop := run.Interruptible(ctx)
				defer stop()
				write, err := f.make(ctx, e)
				if i := run.Interrupted(ctx, "nothing was written"); i != nil {
					return i
				}
				if err != nil {
					return run.PastError(err)
				}
				return e.write(ctx, f, write)
			})(cmd, nil)
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&o.format, "format", formats[0].name, "output `FORMAT`: "+strings.Join(names, ", "))
	fs.StringVar(&o.terms, "where", "", "only hosts that match all `TERMS`, such as 'label=web region=dfw ntp=10.*'; a fleet file also has the objects that they need")
	fs.StringVar(&o.output, "output", "", "write to `FILE` atomically instead of standard output")
	fs.StringSliceVar(&o.columns, "columns", []string{"name", "ip_address", "device_type", "cloud", "region", "cell", "labels"},
		"csv: the `COLUMNS`, separated by commas; vars.NAME is a variable")
	fs.BoolVar(&o.raw, "raw", false, "csv, for programs: do not escape text that a spreadsheet would read as a formula")
	fs.StringVar(&o.targets.Port, "port", "", "prometheus: the default `PORT`, for hosts whose variables set none")
	fs.StringVar(&o.targets.PortVariable, "port-variable", prometheus.PortVariable, "prometheus: the `VARIABLE` with a host's port")
	fs.StringVar(&o.targets.PathVariable, "path-variable", prometheus.PathVariable, "prometheus: the `VARIABLE` with a host's path")
	fs.StringVar(&o.targets.SchemeVariable, "scheme-variable", prometheus.SchemeVariable, "prometheus: the `VARIABLE` with a host's scheme, http or https")
	fs.StringVar(&o.targets.AddressVariable, "address-variable", "", "prometheus: the `VARIABLE` with the address to use instead of ip_address")
	fs.StringSliceVar(&o.labels, "labels", nil, "prometheus: `VARIABLES` to export as labels, separated by commas; LABEL=VARIABLE renames one")
	settings.AddFlags(fs, past, settings.Connection, settings.CLI.Only("craton_version"), settings.Screen)
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("columns", cobra.FixedCompletions(columnNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// check returns an error for options that cannot be combined.
func (f *format) check(cmd *cobra.Command, o *options) (err error) {
	for _, other := range formats {
		for _, flag := range other.flags {
			if other.name != f.name && cmd.Flags().Changed(flag) {
				return argparse.Mistake(cmd, "argument --%s: only allowed with --format %s", flag, other.name)
			}
		}
	}
	o.targets.Labels = prometheus.ParseLabels(o.labels)
	if err := o.targets.Check(); err != nil {
		return argparse.Mistake(cmd, "%s", err)
	}
	if err := checkColumns(o.columns); err != nil {
		return argparse.Mistake(cmd, "argument --columns: %s", err)
	}
	return nil
}

// write writes to the requested file, or to standard output. A signal stops it: then no file is written, and a message
// says that standard output is incomplete.
func (e *exporter) write(ctx context.Context, f *format, write func(io.Writer) error) error {
	out := &stoppable{ctx: ctx}
	through := func(w io.Writer) error {
		out.w = w
		return write(out)
	}
	if e.output != "" {
		err := output.WriteFile(e.output, f.perm, through)
		if err != nil {
			err = cmp.Or(run.Interrupted(ctx, "nothing was written to "+show.Clean(e.output)), err)
		}
		return err
	}
	output.WidenPipe(e.Out)
	written := make(chan error, 1)
	go func() { // the reader of a pipe may have stopped reading
		b := bufio.NewWriterSize(e.Out, 64<<10)
		err := through(b)
		if err == nil {
			err = b.Flush()
		}
		written <- err
	}()
	select {
	case err := <-written:
		if err == nil {
			return nil
		}
		return cmp.Or(run.Interrupted(ctx, partWritten), err)
	case <-ctx.Done():
	}
	select {
	case err := <-written:
		if err == nil { // it was complete already
			return nil
		}
	case <-time.After(stopTimeout):
	}
	return run.Interrupted(ctx, partWritten)
}

// partWritten is the message after an interruption of output to standard output.
const partWritten = "the output is incomplete: discard it, and export again"

// stopTimeout is how long an interrupted write may take.
const stopTimeout = time.Second

// stoppable writes until its context ends.
type stoppable struct {
	ctx context.Context //nolint:containedctx // a Writer is given none
	w   io.Writer
}

func (s *stoppable) Write(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, context.Cause(s.ctx)
	}
	return s.w.Write(b)
}

// shown returns a text for output: without control sequences if it is a terminal.
func (e *exporter) shown(text string) string {
	if e.output == "" && output.IsTerminal(e.Out) {
		return show.Clean(text)
	}
	return text
}

// warn writes a line to standard error.
func (e *exporter) warn(format string, args ...any) {
	fmt.Fprintf(e.Err, "WARNING: %s\n", show.Clean(fmt.Sprintf(format, args...)))
}

// fleet returns the format fleet.
func fleet(ctx context.Context, e *exporter) (func(io.Writer) error, error) {
	project, err := e.Project(ctx)
	if err != nil {
		return nil, err
	}
	meant, err := e.matchingIDs(ctx)
	if err != nil {
		return nil, err
	}
	whole, err := (&reconcile.Fleet{Client: e.Client, Project: project}).ReadTree(ctx, e.inventory.Streams)
	if err != nil {
		return nil, exportError(err)
	}
	if meant != nil {
		whole.Part(func(w *reconcile.Wanted) bool { return w.Kind == schema.Host && meant[w.ID] })
	}
	if whole.Unread {
		e.warn("the variables of the project are not included: only its admins can read them")
	}
	return func(w io.Writer) error { return exportError(fleetfile.Write(w, &whole.Tree, "")) }, nil
}

// matchingIDs returns the ids of the hosts that match the terms; nil for all.
func (e *exporter) matchingIDs(ctx context.Context) (map[string]bool, error) {
	if e.terms.IsAll() {
		return nil, nil
	}
	hosts, err := e.matching(ctx)
	if err != nil {
		return nil, err
	}
	if len(hosts) == 0 {
		e.warn("no host matches --where")
	}
	return hosts, nil
}

// load reads the inventory's fleet with only the selected hosts.
func (e *exporter) load(ctx context.Context, o *inventory.Options) (*inventory.Fleet, error) {
	meant, err := e.matchingIDs(ctx)
	if err != nil {
		return nil, err
	}
	f, err := inventory.Load(ctx, e.Client, *o)
	if err != nil || meant == nil {
		return f, err
	}
	return f.Only(func(d *inventory.Device) bool { return d.Kind == inventory.HostKind && meant[strconv.Itoa(d.ID)] }), nil
}

// exportError returns the error for a fleet that no file can represent.
func exportError(err error) error {
	if what, ok := errors.AsType[*fleetfile.Error](err); ok {
		return advice.With(fmt.Errorf("nothing was written, because a fleet file cannot express all of the fleet:\n%w", what), "correct that in the fleet")
	}
	return err
}

// static returns the format ansible.
func static(ctx context.Context, e *exporter) (func(io.Writer) error, error) {
	o := e.inventory
	if o.Vars == inventory.Lazy { // the default
		o.Vars = inventory.Layered
	}
	f, err := e.load(ctx, &o)
	if err != nil {
		return nil, err
	}
	doc, err := inventory.Build(f, o)
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error {
		return doc.WriteStatic(w, "Made by craton export: changes here are lost at the next export.\n")
	}, nil
}
