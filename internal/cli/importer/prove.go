package importer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/importing"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/internal/value"
)

// proofOf is a proof and its circumstances.
type proofOf struct {
	*importing.Proof
	Ansible string   `json:"ansible"` // the release of ansible-core
	Beside  []string `json:"beside"`  // previous directories of variables that playbooks still read
}

// fleetDatabase is the temporary database into which an import is loaded, in its directory.
const fleetDatabase = "fleet.db"

// sampled is the number of hosts that are read with --host if not all are.
const sampled = 2

// loaded is an import in a temporary database, and how programs access it.
type loaded struct {
	dir, program string
	env          []string
}

// without are the user's environment variables that would change what programs read.
var without = []string{"CRATON_", "OS_"}

// loadImport loads the fleet of an import.
func loadImport(ctx context.Context, file *fleetfile.File) (l *loaded, err error) {
	dir, err := os.MkdirTemp("", "craton-import-")
	if err != nil {
		return nil, err
	}
	made := &loaded{dir: dir} // l is nil if an error is returned
	defer func() {
		if err != nil {
			err = errors.Join(err, made.remove())
		}
	}()
	url, config := "sqlite:"+filepath.Join(dir, fleetDatabase), filepath.Join(dir, "config.yml")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		return nil, err
	}
	if err := load(ctx, url, config, file); err != nil {
		return nil, err
	}
	if made.program, err = os.Executable(); err != nil {
		return nil, err
	}
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		return nil, err
	}
	for _, name := range []string{"craton", "craton-inventory"} {
		if err := os.Symlink(made.program, filepath.Join(bin, name)); err != nil {
			return nil, err
		}
	}
	made.env = []string{"CRATON_URL=" + url, "CRATON_CONFIG=" + config, "CRATON_INVENTORY_CACHE=off", "PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH")}
	return made, nil
}

// exists reports whether there is a file.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// isExecutable reports whether a file is one that somebody may run.
func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&0o111 != 0
}

func (l *loaded) remove() error { return os.RemoveAll(l.dir) }

// proveTable compares the inventory that Craton makes of an import with the table.
func proveTable(ctx context.Context, before *importing.Inventory, record *importing.Record, l *loaded) (*proofOf, error) {
	cmd := exec.CommandContext(ctx, l.program, "inventory", "--list", "--facts", record.Facts)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return slices.ContainsFunc(without, func(prefix string) bool { return strings.HasPrefix(v, prefix) })
	}), append(l.env, "CRATON_INVENTORY_GROUP_NAMES=exact")...) // groups do not matter here
	list, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		err = errors.New(strings.TrimSpace(strings.ReplaceAll(string(failed.Stderr), "sqlite:"+filepath.Join(l.dir, fleetDatabase), importing.FleetFile)))
	}
	if err != nil {
		return nil, fmt.Errorf("craton inventory --list failed: %w", err)
	}
	compared, err := importing.Compare(before, list, nil, record)
	if err != nil {
		return nil, err
	}
	return &proofOf{Proof: compared}, nil
}

// prove reads an import with Ansible, and compares.
func prove(ctx context.Context, tool *importing.Tool, sources importing.Sources, before *importing.Inventory, record *importing.Record, l *loaded, o *options) (*proofOf, error) {
	after := *tool
	after.Without = without
	after.Env = append(slices.Clone(tool.Env), l.env...)
	// Previous variables must not apply any more: not even those that Ansible finds next to playbooks, which is the
	// working directory here.
	none := filepath.Join(l.dir, "none")
	if err := os.Mkdir(none, 0o700); err != nil {
		return nil, err
	}
	made := importing.Sources{Inventory: []string{filepath.Join(o.output, importing.InventoryDir)}, PlaybookDir: none}
	after.Shown = append(slices.Clone(tool.Shown), " --playbook-dir "+none, "", "sqlite:"+filepath.Join(l.dir, fleetDatabase), filepath.Join(o.output, importing.FleetFile))
	script := filepath.Join(o.output, importing.ScriptFile)
	list, err := after.List(ctx, made)
	switch {
	case err == nil || ctx.Err() != nil:
	case exists(filepath.Join(o.output, importing.PluginFile)):
		err = advice.With(err, "--plugin requires that this Ansible finds the collection craton.fleet: see ansible-galaxy collection list craton.fleet")
	case !isExecutable(script) || strings.Contains(err.Error(), "Permission denied"):
		err = advice.With(err, script+" must be executable (chmod u+x), in a directory from which this machine runs programs; or import with --plugin")
	case strings.Contains(err.Error(), "Completely failed to parse"):
		err = advice.With(err, "ansible.cfg must enable the plugins script and yaml (enable_plugins in [inventory]), as it does by default")
	}
	if err != nil {
		return nil, err
	}
	var types []byte
	if before.Typed {
		if types, err = after.List(ctx, made, "--yaml"); err != nil {
			return nil, err
		}
	}
	compared, err := importing.Compare(before, list, types, record)
	if err != nil {
		return nil, err
	}
	p := &proofOf{Proof: compared, Ansible: tool.Release(ctx)}
	var hosts []string // --host takes a pattern, which some names could be
	for _, h := range before.Hosts {
		if rules.CheckHostName(h) == nil {
			hosts = append(hosts, h)
		}
	}
	if !o.each && len(hosts) > sampled {
		hosts = []string{hosts[0], hosts[len(hosts)-1]}
	}
	for _, h := range hosts {
		old, err := tool.Host(ctx, sources, h)
		if err != nil {
			return nil, err
		}
		now, err := after.Host(ctx, made, h)
		if err != nil {
			return nil, err
		}
		if err := p.CompareHost(record, h, old, now); err != nil {
			return nil, err
		}
	}
	if !slices.Contains(before.Hosts, "localhost") {
		p.Controller = len(record.Project)
	}
	for _, name := range []string{"group_vars", "host_vars"} {
		path := filepath.Join(sources.PlaybookDir, name)
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			p.Beside = append(p.Beside, path)
		}
	}
	return p, nil
}

// readFleet reads the fleet file of an import.
func readFleet(path string) (*fleetfile.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	return fleetfile.Parse(path, f)
}

// load applies a fleet file to an empty fleet.
func load(ctx context.Context, url, config string, file *fleetfile.File) error {
	env := func(name string) (string, bool) {
		set := map[string]string{"CRATON_URL": url, settings.ConfigEnv: config}
		text, ok := set[name]
		return text, ok
	}
	v, err := settings.LoadEnv(nil, env, settings.Connection)
	if err != nil {
		return err
	}
	c, err := connect.Open(ctx, v, connect.Create)
	if err != nil {
		return err
	}
	_, err = fleetfile.Apply(ctx, c.Client, file, fleetfile.Options{Brief: true})
	return errors.Join(err, c.Close())
}

// text returns a proof for people.
func (p *proofOf) text(look show.Appearance) string {
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "  %-12s %s\n", what, fmt.Sprintf(format, args...))
	}
	title := "Proof: the table, and craton inventory --list of the fleet"
	if p.Ansible != "" {
		title = "Proof: ansible-inventory --list of the old and the new inventory, ansible-core " + p.Ansible
	}
	fmt.Fprintf(&b, "%s\n", look.Bold(title))
	line("hosts", "%d", p.Hosts)
	if p.Ansible == "" {
		line("places", "%d places and labels compared with the facts of each host", p.Memberships)
	}
	if p.Groups > 0 {
		line("groups", "%d, with %s", p.Groups, show.Count(p.Memberships, "host", "hosts in them"))
	}
	line("variables", "%d, %d of them unchanged", p.Variables, p.Same)
	if len(p.Sampled) > 0 {
		line("--host", "compared for %s", advice.Enumerate(p.Sampled, 3))
	}
	if p.Facts > 0 {
		line("added", "craton on %s", show.Count(p.Facts, "host", "hosts"))
	}
	if p.Addresses > 0 {
		line("added", "ansible_host on %s, with the name that Ansible connects to anyway", show.Count(p.Addresses, "host", "hosts"))
	}
	if p.Controller > 0 {
		line("localhost", "plays on the implicit localhost lose %s of the group all; --all group_vars keeps them", show.Count(p.Controller, "variable", "variables"))
	}
	if len(p.Beside) > 0 {
		line("playbooks", "Ansible still reads %s next to them, which can override imported variables: move it away", strings.Join(p.Beside, ", "))
	}
	if len(p.Differences) == 0 {
		line("differences", "none")
		return b.String()
	}
	line("differences", "%d: %d explained, %d unexplained", len(p.Differences), len(p.Differences)-p.Unexplained, p.Unexplained)
	b.WriteByte('\n')
	for _, d := range p.Differences {
		why := look.Red("UNEXPLAINED")
		if d.Why != "" {
			why = show.Clean(d.Why)
		}
		hosts := ""
		if len(d.Hosts) > 0 {
			clean := make([]string, len(d.Hosts))
			for i, h := range d.Hosts {
				clean[i] = show.Clean(h)
			}
			hosts = fmt.Sprintf(" on %s (%s)", show.Count(len(d.Hosts), "host", "hosts"), advice.Enumerate(clean, 5))
		}
		fmt.Fprintf(&b, "%s %s%s: %s\n", d.What, look.Bold(show.Clean(d.Key)), hosts, why)
		for _, side := range [][2]string{{"before", d.Before}, {"after", d.After}} {
			fmt.Fprintf(&b, "  %-6s  %s\n", side[0], sideOf(d, side[1]))
		}
	}
	return b.String()
}

// marked are texts with a tag, as ansible-inventory prints them.
var marked = value.LazyPattern(`\{"__ansible_(unsafe|vault)":("(?:[^"\\]|\\.)*")\}`)

func sideOf(d importing.Difference, text string) string {
	const most = 200
	switch {
	case d.Secret:
		return "(in an encrypted file, not shown)"
	case text == "":
		return "none"
	}
	text = marked().ReplaceAllString(text, "!$1 $2") // as in files of variables
	clean := []rune(show.Clean(text))
	if len(clean) > most {
		return string(clean[:most]) + "…"
	}
	return string(clean)
}

// rows returns a proof's differences as CSV.
func (p *proofOf) rows() [][]string {
	rows := [][]string{{"what", "key", "host", "before", "after", "why"}}
	for _, d := range p.Differences {
		for _, h := range append(d.Hosts, "")[:max(len(d.Hosts), 1)] {
			rows = append(rows, []string{d.What, d.Key, h, d.Before, d.After, d.Why})
		}
	}
	return rows
}
