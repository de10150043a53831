package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/importing"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/inventory"
)

// options are those of the command.
type options struct {
	inventory   []string
	playbookDir string
	maps        []string
	columns     []string
	output      string
	tool        string

	templates, vaults, unsafe string
	all                       string
	cloud, region, deviceType string
	resolve, plugin, force    bool
	verify, noVerify, each    bool
}

const (
	toProject     = "project"
	toGroupVars   = "group_vars"
	defaultOutput = "imported"
)

// New returns the command `craton import`.
func New(s output.Streams) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "import SOURCE [FILE]",
		Short: "Convert an Ansible inventory to a fleet file, and verify the result",
		Long: `Read an inventory with ansible-inventory, and write a directory with its equivalent in Craton: fleet.yml for "craton apply",
and an inventory for Ansible with the groups that playbooks name and the variables that stay in files. Nothing is written to
a server. SOURCE is ansible; openstack-ansible, with the openstack_inventory.json that its inventory script writes; or
csv, with a header line and one host per line.

Groups that represent places become clouds, regions and cells: the groups that --map names, or else groups that look like
places. All other groups become labels. Variables of places, hosts and the group all go into the fleet, at the outermost
place that leaves the variables of every host unchanged. Variables of other groups stay in group_vars. If the inventory has
templates, vaults or !unsafe values, --templates, --vault or --unsafe must specify what to do with them.

Afterwards the command loads the fleet into a temporary file, compares the output of ansible-inventory before and after the
import, and reports each difference with its reason. With --verify and no SOURCE, it only verifies an earlier import. The
exit status is 1 if there is a difference without a reason.`,
		Example: `  craton import ansible -i hosts.ini
  craton import ansible -i production/ --map cloud='*_dc' --map cell='rack*' --templates keep --vault keep
  craton import openstack-ansible /etc/openstack_deploy/openstack_inventory.json
  craton import csv hosts.csv --map name=Hostname --map region=Site --columns owner,serial
  craton import --verify --output imported`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && !o.verify:
				return argparse.Mistake(cmd, "the following arguments are required: SOURCE")
			case len(args) == 0:
				return nil
			case !slices.Contains(sources, args[0]):
				return argparse.Mistake(cmd, "argument SOURCE: %s", argparse.InvalidChoice(args[0], sources))
			case args[0] != importing.FromAnsible && len(args) == 1:
				return argparse.Mistake(cmd, "the following arguments are required: FILE")
			}
			if most := map[bool]int{true: 1, false: 2}[args[0] == importing.FromAnsible]; len(args) > most {
				return argparse.Unrecognized(cmd, args[most:]...)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := run.CheckFlags(cmd); err != nil {
				return err
			}
			v, err := settings.Load(cmd.Flags(), settings.CLI)
			if err != nil {
				return err
			}
			ctx, stop := run.Interruptible(cmd.Context())
			defer stop()
			c := &command{Streams: s, o: &o, format: v.String("cli.format")}
			if len(args) == 0 {
				return c.verify(ctx)
			}
			if err := importing.CheckFolder(o.output); err != nil {
				return err
			}
			wanted, err := o.wanted(ctx, cmd, args[0])
			if err != nil {
				return err
			}
			file := ""
			if len(args) > 1 {
				file = args[1]
			}
			if args[0] == importing.FromCSV {
				return c.csv(ctx, cmd, file, wanted)
			}
			return c.ansible(ctx, cmd, args[0], file, wanted)
		},
		ValidArgs: sources,
	}
	settings.AddFlags(cmd.Flags(), settings.CLI, settings.Screen)
	f := cmd.Flags()
	f.StringArrayVarP(&o.inventory, "inventory", "i", nil, "`INVENTORY` to read, as for ansible-inventory: a file, a directory, or a list of hosts; may be repeated; by default that of ansible.cfg or ANSIBLE_INVENTORY")
	f.StringVar(&o.playbookDir, "playbook-dir", "", "a `DIRECTORY` whose group_vars and host_vars are read too")
	f.StringArrayVar(&o.maps, "map", nil, "`PLACE=GROUP[,GROUP]`: groups, by name or pattern, that become clouds, regions or cells, such as cell=rack*; for csv, the column to use for a field, such as name=Hostname; none: do not guess from the names of groups")
	f.StringSliceVar(&o.columns, "columns", nil, "csv: the `COLUMNS` that become variables, separated by commas; by default all columns without another meaning")
	f.StringVar(&o.output, "output", defaultOutput, "the `DIRECTORY` to write to, or to verify")
	f.StringVar(&o.templates, "templates", "", "what to do with templates: `keep|leave`; keep stores them in Ansible's files, leave omits them")
	f.StringVar(&o.vaults, "vault", "", "what to do with vaults: `keep|leave`; keep stores them in Ansible's files, still encrypted, leave omits them")
	f.StringVar(&o.unsafe, "unsafe", "", "what to do with !unsafe values: `keep|leave`; keep stores them in the fleet, leave omits them")
	f.StringVar(&o.all, "all", toProject, "where to put the variables of the group all: `project|group_vars`")
	f.StringVar(&o.cloud, "cloud", "default", "`NAME` of the cloud for hosts that are in none")
	f.StringVar(&o.region, "region", "default", "`NAME` of the region for hosts that are in none")
	f.StringVar(&o.deviceType, "device-type", "server", "the device `TYPE` of all hosts")
	f.BoolVar(&o.resolve, "resolve", false, "look up hosts without an address in DNS")
	f.BoolVar(&o.plugin, "plugin", false, "use the collection's inventory plugin instead of the script")
	f.StringVar(&o.tool, "ansible-inventory", "", "`PATH` of ansible-inventory; by default it is searched in $PATH")
	f.BoolVar(&o.force, "force", false, "overwrite the contents of the directory")
	f.BoolVar(&o.verify, "verify", false, "verify the import; without SOURCE, an earlier one")
	f.BoolVar(&o.noVerify, "no-verify", false, "do not verify the import")
	f.BoolVar(&o.each, "every-host", false, "compare ansible-inventory --host of every host, not only of a sample")
	return cmd
}

// wanted returns the options of an import.
func (o *options) wanted(ctx context.Context, cmd *cobra.Command, source string) (importing.Options, error) {
	w := importing.Options{
		Cloud: o.cloud, Region: o.region, DeviceType: o.deviceType, Plugin: o.plugin, AllStays: o.all == toGroupVars, Infer: len(o.maps) == 0,
		Templates: importing.Choice(o.templates), Vaults: importing.Choice(o.vaults), Unsafe: importing.Choice(o.unsafe),
		Rules: rules,
	}
	for _, c := range []struct {
		flag, text string
		choices    []string
	}{
		{"templates", o.templates, []string{"", string(importing.Keep), string(importing.Leave)}},
		{"vault", o.vaults, []string{"", string(importing.Keep), string(importing.Leave)}},
		{"unsafe", o.unsafe, []string{"", string(importing.Keep), string(importing.Leave)}},
		{"all", o.all, []string{toProject, toGroupVars}},
	} {
		if !slices.Contains(c.choices, c.text) {
			return w, argparse.Mistake(cmd, "argument --%s: %s", c.flag, argparse.InvalidChoice(c.text, slices.DeleteFunc(c.choices, func(s string) bool { return s == "" })))
		}
	}
	if o.resolve {
		w.Address = func(name string) string { return lookUp(ctx, name) }
	}
	if source == importing.FromCSV {
		return w, nil
	}
	for _, m := range o.maps {
		if m == "none" {
			continue
		}
		name, groups, ok := strings.Cut(m, "=")
		level, known := importing.Levels[name]
		if !ok || !known || groups == "" {
			return w, argparse.Mistake(cmd, "argument --map: %s is not cloud=GROUP, region=GROUP, cell=GROUP or none", argparse.Quoted(m))
		}
		w.Map[level] = append(w.Map[level], strings.Split(groups, ",")...)
	}
	return w, nil
}

// rules are the rules of Craton's inventory.
var rules = importing.Rules{
	GroupName: func(kind string, names ...string) string {
		return inventory.GroupName(inventory.GroupKind(kind), names...)
	},
	CheckHostName: inventory.CheckHostName,
	Inert:         inventory.IsInert,
}

// lookUp looks up the address of a name in DNS: the lowest IPv4 address, if there is one.
func lookUp(ctx context.Context, name string) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for _, network := range []string{"ip4", "ip6"} {
		if found, err := net.DefaultResolver.LookupNetIP(ctx, network, name); err == nil && len(found) > 0 {
			slices.SortFunc(found, func(a, b netip.Addr) int { return a.Compare(b) })
			return found[0].Unmap().String()
		}
	}
	return ""
}

// command is one run.
type command struct {
	output.Streams
	o      *options
	format string
}

// sources are the kinds of sources that can be imported.
var sources = []string{importing.FromAnsible, importing.FromOpenStackAnsible, importing.FromCSV}

// asSources returns the sources for Ansible, and a function that removes temporary files.
func asSources(tool *importing.Tool, source string, s importing.Sources) (importing.Sources, func() error, error) {
	if source != importing.FromOpenStackAnsible {
		return s, func() error { return nil }, nil
	}
	return tool.OpenStackAnsible(s)
}

// configured returns the inventories that Ansible reads by default. tool is nil if it was not found.
func configured(ctx context.Context, cmd *cobra.Command, tool *importing.Tool) ([]string, error) {
	const needed = "the following arguments are required: -i/--inventory"
	if tool == nil {
		return nil, argparse.Mistake(cmd, needed)
	}
	inventory, from, err := tool.Configured(ctx)
	if err != nil {
		return nil, err
	}
	there := slices.ContainsFunc(inventory, exists)
	switch {
	case from != "default" && len(inventory) > 0, there:
		return inventory, nil
	case len(inventory) == 0:
		return nil, argparse.Mistake(cmd, needed)
	}
	return nil, argparse.Mistake(cmd, "%s; neither ansible.cfg nor ANSIBLE_INVENTORY sets one, and there is no %s", needed, strings.Join(inventory, ", "))
}

// ansible imports an inventory.
func (c *command) ansible(ctx context.Context, cmd *cobra.Command, source, file string, w importing.Options) (err error) {
	tool, err := importing.FindTool(c.o.tool)
	if source == importing.FromAnsible && len(c.o.inventory) == 0 {
		if c.o.inventory, err = configured(ctx, cmd, tool); err == nil && c.format == show.FormatTable {
			_, err = fmt.Fprintf(c.Err, "Reading %s, which Ansible reads without -i.\n", show.Clean(strings.Join(c.o.inventory, ", ")))
		}
	}
	if err != nil {
		return err
	}
	said := importing.Sources{Inventory: c.o.inventory, PlaybookDir: c.o.playbookDir}
	if file != "" {
		said.Inventory = append([]string{file}, said.Inventory...)
		if said.PlaybookDir == "" {
			said.PlaybookDir = filepath.Dir(file) // the directory of group_vars and host_vars
		}
	}
	sources, clean, err := asSources(tool, source, said)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, clean()) }()
	before, err := importing.Read(ctx, tool, sources, w.Rules.Inert)
	if err != nil {
		return err
	}
	if source == importing.FromOpenStackAnsible {
		w.Types = importing.ContainerTypes(before)
	}
	result, err := importing.Plan(before, w)
	if u, ok := errors.AsType[*importing.UndecidedError](err); ok {
		return advice.With(u, "nothing was written")
	}
	if err == nil && ctx.Err() != nil { // while names were looked up
		err = context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	result.Record.Source = source
	for _, i := range said.Inventory {
		result.Record.Inventory = append(result.Record.Inventory, absolute(i))
	}
	if said.PlaybookDir != "" {
		result.Record.PlaybookDir = absolute(said.PlaybookDir)
	}
	return c.finish(ctx, result, nil, func(l *loaded) (*proofOf, error) { return prove(ctx, tool, sources, before, result.Record, l, c.o) })
}

// finish loads the resulting fleet into a temporary database, writes the result, proves it, and prints both. If the
// fleet cannot be loaded, nothing is written. lines are those of a table, by host.
func (c *command) finish(ctx context.Context, result *importing.Result, lines map[string]int, prove func(*loaded) (*proofOf, error)) (err error) {
	file, err := fleetfile.Parse(importing.FleetFile, bytes.NewReader(result.Fleet()))
	var l *loaded
	if err == nil && !c.o.noVerify {
		l, err = loadImport(ctx, file)
	}
	if err != nil && ctx.Err() != nil {
		return err
	}
	if err != nil { // errors of a server are not problems of the file
		return fmt.Errorf("the fleet of this import cannot be stored in Craton, and nothing was written\n%s", ofLines(err, result, lines))
	}
	if l != nil {
		defer func() { err = errors.Join(err, l.remove()) }()
	}
	if err := result.Write(c.o.output, c.o.force); err != nil {
		return err
	}
	if c.format == show.FormatTable {
		if _, err := io.WriteString(c.Out, printStory(show.AppearanceOf(c.Out), result, c.o)); err != nil {
			return err
		}
	}
	if c.o.noVerify {
		return c.document(result.Report, nil)
	}
	proof, err := prove(l)
	if err != nil {
		return fmt.Errorf("the import was written to %s, but could not be verified: %w", c.o.output, err)
	}
	return c.conclude(result.Report, proof)
}

// ofLines describes problems of a fleet in terms of what was imported, because the fleet file does not exist: for a
// table, the lines.
func ofLines(err error, result *importing.Result, lines map[string]int) string {
	if w, ok := errors.AsType[*fleetfile.WriteError](err); ok { // whose advice is to continue with the file
		var all []string
		for _, err := range w.Errs {
			text := err.Error()
			name, _, _ := strings.Cut(text, ": ") // "host CLOUD/REGION/NAME"
			if line := lines[name[strings.LastIndex(name, "/")+1:]]; line > 0 {
				text = fmt.Sprintf("%s:%d: %s", result.Record.Inventory[0], line, text)
			}
			all = append(all, text)
		}
		return strings.Join(all, "\n")
	}
	e, ok := errors.AsType[*fleetfile.Error](err)
	if !ok {
		return err.Error()
	}
	told := &fleetfile.Error{Problems: slices.Clone(e.Problems), More: e.More}
	for i := range told.Problems {
		p := &told.Problems[i]
		p.Line = 0
		for h, line := range lines {
			if strings.Contains(p.Path, "hosts["+reconcile.PathName(h)+"]") {
				p.File, p.Line = result.Record.Inventory[0], line
			}
		}
	}
	return told.Error()
}

// conclude prints a proof, and returns an error if it fails.
func (c *command) conclude(r *importing.Report, p *proofOf) error {
	if err := c.printProof(p); err != nil {
		return err
	}
	if err := c.document(r, p); err != nil {
		return err
	}
	return checkProof(p)
}

// csv imports a table.
func (c *command) csv(ctx context.Context, cmd *cobra.Command, file string, w importing.Options) error {
	m := map[string]string{}
	for _, text := range c.o.maps {
		field, column, ok := strings.Cut(text, "=")
		if !ok || !slices.Contains(importing.CSVFields(), field) || column == "" {
			return argparse.Mistake(cmd, "argument --map: %s is not FIELD=COLUMN; fields are %s", argparse.Quoted(text), strings.Join(importing.CSVFields(), ", "))
		}
		m[field] = column
	}
	before, places, err := c.table(file, m, c.o.columns)
	if err != nil {
		return err
	}
	w.Map, w.Types, w.Table, w.Infer = places.Map, places.Types, true, false
	result, err := importing.Plan(before, w)
	if err != nil {
		return err
	}
	result.Record.Source = importing.FromCSV
	result.Record.Inventory, result.Record.Map, result.Record.Columns = []string{absolute(file)}, m, c.o.columns
	return c.finish(ctx, result, before.Lines, func(l *loaded) (*proofOf, error) { return proveTable(ctx, before, result.Record, l) })
}

// table reads a table.
func (c *command) table(file string, m map[string]string, columns []string) (*importing.Inventory, *importing.Options, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	return importing.ReadCSV(f, importing.CSV{Name: file, Map: m, Columns: columns, Rules: rules})
}

// absolute returns the absolute path of a source; a list of hosts is returned as it is.
func absolute(path string) string {
	if strings.Contains(path, ",") {
		return path
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// verify proves an earlier import.
func (c *command) verify(ctx context.Context) (err error) {
	record, err := importing.ReadRecord(c.o.output)
	if err != nil {
		return err
	}
	file, err := readFleet(filepath.Join(c.o.output, importing.FleetFile))
	if err != nil {
		return err
	}
	table := record.Source == importing.FromCSV && len(record.Inventory) == 1
	var tool *importing.Tool
	if !table {
		if tool, err = importing.FindTool(c.o.tool); err != nil {
			return err
		}
	}
	l, err := loadImport(ctx, file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.remove()) }()
	if table {
		before, _, err := c.table(record.Inventory[0], record.Map, record.Columns)
		if err != nil {
			return err
		}
		proof, err := proveTable(ctx, before, record, l)
		if err != nil {
			return err
		}
		return c.conclude(nil, proof)
	}
	said := importing.Sources{Inventory: record.Inventory, PlaybookDir: record.PlaybookDir}
	if len(c.o.inventory) > 0 {
		said = importing.Sources{Inventory: c.o.inventory, PlaybookDir: c.o.playbookDir}
	}
	sources, clean, err := asSources(tool, record.Source, said)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, clean()) }()
	before, err := importing.Read(ctx, tool, sources, rules.Inert)
	if err != nil {
		return err
	}
	proof, err := prove(ctx, tool, sources, before, record, l, c.o)
	if err != nil {
		return err
	}
	return c.conclude(nil, proof)
}

// printProof writes a proof for people.
func (c *command) printProof(p *proofOf) error {
	if c.format != show.FormatTable {
		return nil
	}
	_, err := io.WriteString(c.Out, p.text(show.AppearanceOf(c.Out)))
	return err
}

// document writes everything for programs.
func (c *command) document(r *importing.Report, p *proofOf) error {
	switch c.format {
	case show.FormatTable:
		return nil
	case show.FormatCSV:
		if p == nil {
			return nil
		}
		return show.WriteCSV(c.Out, p.rows())
	}
	return show.WriteDocument(c.Out, c.format, struct {
		Output string            `json:"output"`
		Report *importing.Report `json:"report"`
		Proof  *proofOf          `json:"proof"`
	}{c.o.output, r, p})
}

// checkProof returns an error if there is an unexplained difference.
func checkProof(p *proofOf) error {
	if p.Unexplained == 0 {
		return nil
	}
	return fmt.Errorf("the import differs from the inventory: %s", show.Count(p.Unexplained, "unexplained difference", "unexplained differences"))
}
