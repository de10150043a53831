package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// load is an inventory that Ansible loads before a play.
type load int

const (
	loadNothing load = iota
	loadNames
	loadLazy
	loadOnly
	loadOnlySome
	loadLayered
	loadMerged
	loadScriptLayered
	loadScriptMerged
	loads
)

var loadWords = [loads]string{
	loadNothing: "floor: no inventory", loadNames: "floor: a file of the same names and groups",
	loadLazy: "plugin, lazy", loadOnly: "plugin, limit only, -l NAME", loadOnlySome: "plugin, limit only, -l of a wildcard", loadLayered: "plugin, layered", loadMerged: "plugin, merged",
	loadScriptLayered: "script, layered", loadScriptMerged: "script, merged",
}

// used is the cost of one run of ansible-playbook, over all of its processes.
type used struct {
	cpu  time.Duration // user and system
	peak int64         // of the largest process
}

// loading are the costs of plays with each inventory.
type loading struct {
	release string
	hosts   int
	one     [loads]used // a play over one host
	all     [loads]used // one over all hosts; at allHosts only
}

// allHosts is the size at which a play over all hosts is measured, and hugeHosts the one at which inventories that load
// all variables are left out, because they take minutes.
const (
	allHosts  = 1000
	hugeHosts = 100000
)

// fleetForAnsible is a served fleet, and the collection to read it with.
type fleetForAnsible struct {
	*served
	dir, tarball string
}

func serveToAnsible(ctx context.Context, binary string, hosts int) (_ *fleetForAnsible, err error) {
	f := new(fleetForAnsible)
	if f.dir, err = os.MkdirTemp("", "craton-bench"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.stop()
		}
	}()
	if f.served, err = serve(ctx, binary, "sqlite:"+filepath.Join(f.dir, "fleet.db")); err != nil {
		return nil, err
	}
	if err := seed(ctx, f.client, f.projectID, hosts); err != nil {
		return nil, err
	}
	f.tarball, err = packCollection(ctx, binary, f.dir)
	return f, err
}

// stop ends the server, and removes the fleet.
func (f *fleetForAnsible) stop() {
	if f.served != nil {
		f.served.stop()
	}
	_ = os.RemoveAll(f.dir) // a temporary directory
}

// playOver returns a play with one task over some hosts.
func playOver(hosts string) string {
	return fmt.Sprintf("- hosts: %s\n  gather_facts: false\n  tasks: [ansible.builtin.debug: {msg: \"{{ inventory_hostname }}\"}]\n", hosts)
}

// measureLoading creates a fleet, and runs plays over it with each available release of ansible-core.
func measureLoading(ctx context.Context, binary string, hosts, runs int) ([]loading, error) {
	fmt.Fprintf(os.Stderr, "%d hosts: creating\n", hosts)
	f, err := serveToAnsible(ctx, binary, hosts)
	if err != nil {
		return nil, err
	}
	defer f.stop()
	bins, err := releases(ctx)
	if err != nil {
		return nil, err
	}
	var all []loading
	for i, bin := range bins {
		a, err := newAnsible(ctx, bin, f.tarball, filepath.Join(f.dir, strconv.Itoa(i)))
		if err != nil {
			return nil, err
		}
		l, err := a.measureLoading(ctx, f.served, hosts, runs)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

func (a *ansible) measureLoading(ctx context.Context, s *served, hosts, runs int) (loading, error) {
	fmt.Fprintf(os.Stderr, "%d hosts: measuring ansible-core %s\n", hosts, a.release)
	l := loading{release: a.release, hosts: hosts}
	one, err := namesFile(ctx, s, filepath.Join(a.home, "names.yml"))
	if err != nil {
		return l, err
	}
	for name, text := range map[string]string{"fleet.craton.yml": "plugin: craton.fleet.craton\n", "one.yml": playOver(one), "all.yml": playOver("all"), "localhost.yml": playOver("localhost")} {
		if err := os.WriteFile(filepath.Join(a.home, name), []byte(text), 0o600); err != nil {
			return l, err
		}
	}
	script := filepath.Join(filepath.Dir(s.binary), "craton-inventory")
	take := func(way load, play string) (used, error) {
		source := filepath.Join(a.home, "fleet.craton.yml")
		form := "merged"
		var args []string
		switch way {
		case loadNothing:
			source, play = os.DevNull, "localhost.yml"
		case loadNames:
			source = filepath.Join(a.home, "names.yml")
		case loadLazy:
			form = "lazy"
		case loadOnly:
			form, args = "lazy", []string{"-l", one}
		case loadOnlySome:
			form, args = "lazy", []string{"-l", "*" + one[1:]}
		case loadLayered:
			form = "layered"
		case loadScriptLayered:
			source, form = script, "layered"
		case loadScriptMerged:
			source = script
		}
		more := []string{"CRATON_INVENTORY_VARS=" + form}
		if args != nil {
			more = append(more, "CRATON_INVENTORY_LIMIT=only")
		}
		return a.use(ctx, append(s.environment(s.url), more...), source, filepath.Join(a.home, play), args...)
	}
	ways := []load{loadNothing, loadNames, loadLazy, loadOnly, loadOnlySome, loadLayered, loadMerged, loadScriptLayered, loadScriptMerged}
	if hosts >= hugeHosts {
		ways, runs = []load{loadNothing, loadNames, loadLazy, loadOnly, loadOnlySome}, min(runs, 3)
	}
	measure := func(ways []load, play string, into *[loads]used) error {
		taken := map[load][]used{}
		for range runs { // in turn
			for _, way := range ways {
				u, err := take(way, play)
				if err != nil {
					return err
				}
				taken[way] = append(taken[way], u)
			}
		}
		for way, all := range taken {
			into[way] = medianUse(all)
		}
		return nil
	}
	if err := measure(ways, "one.yml", &l.one); err != nil {
		return l, err
	}
	if hosts == allHosts {
		return l, measure([]load{loadLazy, loadLayered}, "all.yml", &l.all)
	}
	return l, nil
}

func medianUse(all []used) used {
	slices.SortFunc(all, func(a, b used) int { return int(a.cpu - b.cpu) })
	u := all[len(all)/2]
	for _, one := range all {
		u.peak = max(u.peak, one.peak)
	}
	return u
}

// meter is a small process that runs another: a direct child of this program would start with this program's memory as
// its peak.
const meter = `import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
took = resource.getrusage(resource.RUSAGE_CHILDREN)
sys.stdout.write(done.stdout.decode("utf-8", "replace") + "\n%f %d" % (took.ru_utime + took.ru_stime, took.ru_maxrss))
sys.exit(done.returncode)`

// use runs ansible-playbook.
func (a *ansible) use(ctx context.Context, environment []string, source, play string, args ...string) (used, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(a.bin, "python3"), "-c", meter, filepath.Join(a.bin, "ansible-playbook"), "-i", source, play)
	cmd.Args = append(cmd.Args, args...)
	cmd.Dir, cmd.Env = a.home, append(append(environment, a.env...), "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=1")
	if source == os.DevNull {
		cmd.Env = append(cmd.Env, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=0")
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return used{}, fmt.Errorf("ansible-playbook -i %s %s: %w\n%s", source, play, err, out)
	}
	var cpu float64
	var u used
	if _, err := fmt.Sscan(string(out[bytes.LastIndexByte(out, '\n')+1:]), &cpu, &u.peak); err != nil {
		return used{}, fmt.Errorf("ansible-playbook -i %s %s: %w\n%s", source, play, err, out)
	}
	u.cpu, u.peak = time.Duration(cpu*float64(time.Second)), u.peak*rssUnit
	return u, nil
}

// namesFile writes an inventory of the fleet's names and groups, and returns the name of a host. Ansible reads YAML
// fastest if it is written as JSON.
func namesFile(ctx context.Context, s *served, file string) (string, error) {
	cmd := exec.CommandContext(ctx, s.binary, "inventory", "--list", "--vars", "layered", "--exclude-variables", "*", "--facts", "none")
	cmd.Env = s.environment(s.url)
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("craton inventory --list: %w", err)
	}
	var document map[string]struct{ Hosts, Children []string }
	if err := json.Unmarshal(out, &document); err != nil {
		return "", err
	}
	delete(document, "_meta")
	one := ""
	groups := map[string]map[string]map[string]any{} // null for empty: ansible-core 2.21 is slow with empty dictionaries
	for name, group := range document {
		members := map[string]map[string]any{"hosts": {}, "children": {}}
		for _, host := range group.Hosts {
			members["hosts"][host] = nil
			one = max(one, host)
		}
		for _, child := range group.Children {
			members["children"][child] = nil
		}
		groups[name] = members
	}
	return one, writeJSON(file, groups)
}

// reportLoading prints what was measured at one size.
func reportLoading(w io.Writer, all []loading) {
	type column struct {
		head string
		used [loads]used
	}
	var columns []column
	for _, l := range all {
		columns = append(columns, column{l.release + " one", l.one})
		if l.hosts == allHosts {
			columns = append(columns, column{l.release + " all", l.all})
		}
	}
	row, flush := table(w, columns)
	row(fmt.Sprintf("%d hosts; a play over", all[0].hosts), func(c column) string { return c.head })
	for way, name := range loadWords {
		cell := func(text func(used) string) func(column) string {
			return func(c column) string {
				if c.used[way].cpu == 0 {
					return "-"
				}
				return text(c.used[way])
			}
		}
		row(name, cell(func(u used) string { return fmt.Sprintf("%.2f s", u.cpu.Seconds()) }))
		row("peak memory", cell(func(u used) string { return fmt.Sprintf("%.0f MB", float64(u.peak)/1e6) }))
	}
	flush()
}

// loadingVerdicts returns the verdicts for one size.
func loadingVerdicts(all []loading) (verdicts []verdict) {
	add := func(l loading, what string, of [loads]used, way, over load, most float64) {
		what = fmt.Sprintf("%s, %s over %s, %d hosts, ansible-core %s", what, loadWords[way], loadWords[over], l.hosts, l.release)
		verdicts = append(verdicts, verdict{what: what, got: of[way].cpu.Seconds() / of[over].cpu.Seconds(), max: most})
	}
	for i, l := range all {
		switch l.hosts {
		case allHosts:
			add(l, "a play over all", l.all, loadLazy, loadLayered, targetLazyAll)
		case targetSize:
			add(l, "a play over one", l.one, loadLazy, loadNames, targetLazy)
			if i == len(all)-1 { // the newest
				add(l, "a play over one", l.one, loadMerged, loadScriptMerged, targetMerged)
				add(l, "a play over one", l.one, loadLayered, loadScriptLayered, targetLayered)
			}
		case hugeHosts:
			add(l, "a play over one", l.one, loadLazy, loadNames, targetLazyHuge)
			add(l, "a play over one", l.one, loadOnly, loadNothing, targetLimit)
			verdicts = append(verdicts, verdict{what: fmt.Sprintf("peak memory of it, %d hosts, ansible-core %s", l.hosts, l.release),
				got: float64(l.one[loadLazy].peak) / 1e6, max: targetLazyMB, unit: " MB"})
		}
	}
	return verdicts
}
