// Command bench measures this program on this machine and prints ratios: the inventories of Craton and of a real Ironic
// against a floor (the same pages fetched and thrown away) and against themselves at other sizes, the modules against a
// Python module and against one task for a whole fleet. `make bench` builds the binary and runs it, at the root of the
// repository; docs/performance.md explains how to read the tables.
//
// Everything is measured from outside: the binary in bin/ runs as its users run it, against `craton server` on
// SQLite and Debian's Ironic over loopback, and by real Ansible. Times are medians of several runs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/tools/compile"
)

func main() {
	var b bench
	flag.StringVar(&b.binary, "binary", "bin/craton", "the program to measure")
	flag.StringVar(&b.only, "only", "", "measure only the inventory, loading (what Ansible takes for it), peers (another plugin's), ironic (its inventory), apply, the modules, the engines, the page, the load (clients that do everything at once), or million (a fleet of that size on PostgreSQL, and the load on it)")
	flag.StringVar(&b.sizes, "sizes", "1000,10000,100000", "inventory, loading, apply and page: numbers of hosts")
	flag.StringVar(&b.nodes, "nodes", "1000,10000", "ironic: numbers of nodes")
	flag.StringVar(&b.before, "before", "", "engines: the program of an earlier commit, to be measured beside this one")
	flag.IntVar(&b.engineHosts, "hosts", 2000, "engines: number of hosts in the fleet that is read")
	flag.IntVar(&b.load.hosts, "load-hosts", 10000, "load: number of hosts")
	flag.IntVar(&b.load.clients, "clients", 50, "load: number of clients")
	flag.IntVar(&b.million, "million-hosts", 1000000, "million: number of hosts, in thousands")
	flag.DurationVar(&b.load.duration, "duration", 3*time.Minute, "load: for how long")
	floor := flag.String("floor", "", "be what apply is compared with: decode --file, create --hosts, or read; bench itself calls it")
	file := flag.String("file", "", "a fleet file, with --floor decode")
	flag.IntVar(&b.runs, "runs", 5, "runs of each measurement, of which the median counts (3 at 100,000 hosts)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := b.run
	if *floor != "" {
		run = func(ctx context.Context) error { return runFloor(ctx, *floor, b.engineHosts, *file) }
	}
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // there is nothing left to stop
	}
}

// bench are the options.
type bench struct {
	binary, only, sizes, nodes, before string
	runs, engineHosts, million         int
	load                               pressure
}

func (b bench) run(ctx context.Context) error {
	wanted := func(part string) bool { return b.only == "" || b.only == part }
	if !slices.Contains([]string{"", "inventory", "loading", "peers", "ironic", "apply", "modules", "engines", "page", "load", "million"}, b.only) {
		return fmt.Errorf("--only %s: there are inventory, loading, peers, ironic, apply, modules, engines, page, load and million", b.only)
	}
	var err error
	if b.binary, err = filepath.Abs(b.binary); err != nil {
		return err
	}
	if _, err := os.Stat(b.binary); err != nil {
		return fmt.Errorf("%w; run make build first", err)
	}
	if b.only == "load" { // which passes or fails
		fmt.Printf("craton bench on %s/%s, %d CPUs, %s\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
		return measureLoad(ctx, os.Stdout, b.binary, b.load)
	}
	if b.only == "million" {
		fmt.Printf("craton bench on %s/%s, %d CPUs, %s\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
		return measureMillion(ctx, os.Stdout, b.binary, b.million, b.runs, b.load)
	}
	var inventory []figure
	if wanted("inventory") {
		inventory, err = perSize("--sizes", b.sizes, func(hosts int) (figure, error) {
			n := b.runs
			if hosts >= 100000 {
				n = min(n, 3)
			}
			return measure(ctx, b.binary, hosts, n)
		})
		if err != nil {
			return err
		}
	}
	var loadings [][]loading
	if wanted("loading") {
		loadings, err = perSize("--sizes", b.sizes, func(hosts int) ([]loading, error) { return measureLoading(ctx, b.binary, hosts, b.runs) })
		if err != nil {
			return err
		}
	}
	var peer *peers
	if b.only == "peers" { // which are not available on every machine
		if peer, err = measurePeers(ctx, b.binary, b.runs); err != nil {
			return err
		}
	}
	var ironic []listing
	if wanted("ironic") {
		ironic, err = perSize("--nodes", b.nodes, func(nodes int) (listing, error) { return measureIronic(ctx, b.binary, nodes, b.runs) })
		switch {
		case b.only == "" && errors.Is(err, openstacktest.ErrMissing):
			fmt.Fprintln(os.Stderr, "not measured:", err)
		case err != nil:
			return err
		}
	}
	var files []applied
	if wanted("apply") {
		files, err = perSize("--sizes", b.sizes, func(hosts int) (applied, error) { return measureApply(ctx, b.binary, hosts) })
		if err != nil {
			return err
		}
	}
	var tasks []perTask
	var fleets []perFleet
	if wanted("modules") {
		if tasks, fleets, err = measureModules(ctx, b.binary, b.runs); err != nil {
			return err
		}
	}
	var engines []engineFigure
	if wanted("engines") {
		if engines, err = measureEngines(ctx, b.binary, b.before, b.engineHosts, b.runs); err != nil {
			return err
		}
	}
	var pages [][]pageFigure
	if wanted("page") {
		if pages, err = perSize("--sizes", b.sizes, func(hosts int) ([]pageFigure, error) { return measurePages(ctx, b.binary, hosts, b.runs) }); err != nil {
			return err
		}
	}
	fmt.Printf("craton bench on %s/%s, %d CPUs, %s; craton server on SQLite over loopback\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	var all []verdict
	if inventory != nil {
		fmt.Println()
		reportInventory(os.Stdout, inventory)
		fmt.Println()
		reportKept(os.Stdout, inventory)
		all = append(append(all, inventoryVerdicts(inventory)...), keptVerdicts(inventory)...)
	}
	for _, one := range loadings {
		fmt.Println()
		reportLoading(os.Stdout, one)
		all = append(all, loadingVerdicts(one)...)
	}
	if peer != nil {
		fmt.Println()
		reportPeers(os.Stdout, peer)
		all = append(all, peer.verdict())
	}
	if ironic != nil {
		fmt.Println()
		reportIronic(os.Stdout, ironic)
		all = append(all, ironicVerdicts(ironic)...)
	}
	if files != nil {
		fmt.Println()
		reportApply(os.Stdout, files)
		all = append(all, applyVerdicts(files)...)
	}
	if tasks != nil {
		fmt.Println()
		reportModules(os.Stdout, tasks, fleets)
		all = append(all, moduleVerdicts(tasks, fleets)...)
	}
	if engines != nil {
		fmt.Println()
		reportEngines(os.Stdout, engines, b.engineHosts)
		all = append(all, engineVerdicts(engines)...)
	}
	for _, one := range pages {
		fmt.Println()
		reportPages(os.Stdout, one)
		all = append(all, pageVerdicts(one)...)
	}
	binaries, err := binaryVerdicts(ctx, b.binary, b.only == "")
	if err != nil {
		return err
	}
	fmt.Println()
	reportVerdicts(os.Stdout, append(all, binaries...))
	return nil
}

// perSize measures at each of the sizes that a flag lists.
func perSize[T any](flag, sizes string, take func(size int) (T, error)) ([]T, error) {
	var all []T
	for text := range strings.SplitSeq(sizes, ",") {
		size, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
		one, err := take(size)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", size, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// measureModules measures with each available release of ansible-core.
func measureModules(ctx context.Context, binary string, runs int) (tasks []perTask, fleets []perFleet, err error) {
	bins, err := releases(ctx)
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "craton-bench")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	tarball, err := packCollection(ctx, binary, dir)
	if err != nil {
		return nil, nil, err
	}
	s, err := serve(ctx, binary, "sqlite:"+filepath.Join(dir, "server.db"))
	if err != nil {
		return nil, nil, err
	}
	defer s.stop()
	for i, bin := range bins {
		a, err := newAnsible(ctx, bin, tarball, filepath.Join(dir, strconv.Itoa(i)))
		if err != nil {
			return nil, nil, err
		}
		t, err := measureTasks(ctx, a, s, runs)
		if err != nil {
			return nil, nil, err
		}
		tasks = append(tasks, t)
		for _, file := range []bool{false, true} {
			f, err := measureFleet(ctx, a, s, file, runs)
			if err != nil {
				return nil, nil, err
			}
			fleets = append(fleets, f)
		}
	}
	return tasks, fleets, nil
}

// binaryVerdicts returns the verdicts for the program itself; with bare also for one built without page and metrics.
func binaryVerdicts(ctx context.Context, binary string, bare bool) ([]verdict, error) {
	info, err := os.Stat(binary)
	if err != nil {
		return nil, err
	}
	version, show, err := commands(ctx, binary, 20)
	if err != nil {
		return nil, err
	}
	all := []verdict{
		{what: "binary", got: float64(info.Size()) / 1e6, max: targetBinaryMB, unit: " MB"},
		{what: "craton --version", got: version.Seconds() * 1000, max: targetVersion, unit: " ms"},
		{what: "craton host-show ID, on the server", got: show.Seconds() * 1000, max: targetHostShow, unit: " ms"},
	}
	if bare {
		size, err := sizeOfBare(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, verdict{what: "binary without page and metrics (-tags nopage,nometrics)", got: size / 1e6, max: targetBareMB, unit: " MB"})
	}
	return all, nil
}

// sizeOfBare builds the program without page and metrics, and returns its size in bytes.
func sizeOfBare(ctx context.Context) (float64, error) {
	dir, err := os.MkdirTemp("", "craton-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is temporary anyway
	file := filepath.Join(dir, "craton")
	if err := (compile.Program{Tags: "nopage,nometrics"}).Build(ctx, file); err != nil {
		return 0, fmt.Errorf("building without page and metrics: %w", err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return float64(info.Size()), nil
}
