// Command bench measures this program on this machine and prints ratios: the inventory against a floor (the same pages
// fetched and thrown away) and against itself at other sizes, the modules against a Python module and against one task
// for a whole fleet. `make bench` builds the binary and runs it, at the root of the repository; docs/performance.md
// explains how to read the tables.
//
// Everything is measured from outside: the binary in bin/ runs as its users run it, against `craton server` on
// SQLite over loopback, and by real Ansible. Times are medians of several runs.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

func main() {
	binary := flag.String("binary", "bin/craton", "the program to measure")
	only := flag.String("only", "", "measure only the inventory, or only the modules")
	sizes := flag.String("sizes", "1000,10000,100000", "inventory: numbers of hosts")
	runs := flag.Int("runs", 5, "runs of each measurement, of which the median counts (3 at 100,000 hosts)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *binary, *only, *sizes, *runs); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to be stopped
	}
}

func run(ctx context.Context, binary, only, sizes string, runs int) error {
	switch only {
	case "", "inventory", "modules":
	default:
		return fmt.Errorf("--only %s: there are inventory and modules", only)
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	if _, err := os.Stat(binary); err != nil {
		return fmt.Errorf("%w; run make build first", err)
	}
	var inventory []figure
	if only != "modules" {
		if inventory, err = measureInventory(ctx, binary, sizes, runs); err != nil {
			return err
		}
	}
	var tasks []perTask
	var fleets []perFleet
	if only != "inventory" {
		if tasks, fleets, err = measureModules(ctx, binary, runs); err != nil {
			return err
		}
	}
	fmt.Printf("craton bench on %s/%s, %d CPUs, %s; craton server on SQLite over loopback\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	var all []verdict
	if inventory != nil {
		fmt.Println()
		reportInventory(os.Stdout, inventory)
		all = append(all, inventoryVerdicts(inventory)...)
	}
	if tasks != nil {
		fmt.Println()
		reportModules(os.Stdout, tasks, fleets)
		all = append(all, moduleVerdicts(tasks, fleets)...)
	}
	binaries, err := binaryVerdicts(ctx, binary)
	if err != nil {
		return err
	}
	fmt.Println()
	reportVerdicts(os.Stdout, append(all, binaries...))
	return nil
}

func measureInventory(ctx context.Context, binary, sizes string, runs int) ([]figure, error) {
	var figures []figure
	for size := range strings.SplitSeq(sizes, ",") {
		hosts, err := strconv.Atoi(size)
		if err != nil {
			return nil, fmt.Errorf("--sizes: %w", err)
		}
		n := runs
		if hosts >= 100000 {
			n = min(runs, 3)
		}
		f, err := measure(ctx, binary, hosts, n)
		if err != nil {
			return nil, fmt.Errorf("%d hosts: %w", hosts, err)
		}
		figures = append(figures, f)
	}
	return figures, nil
}

// measureModules measures with every release of ansible-core at hand.
func measureModules(ctx context.Context, binary string, runs int) (tasks []perTask, fleets []perFleet, err error) {
	bins, err := releases(ctx)
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "craton-bench")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	tarball, err := packCollection(ctx, binary, dir)
	if err != nil {
		return nil, nil, err
	}
	s, err := serve(ctx, binary, filepath.Join(dir, "server.db"))
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

// binaryVerdicts are about the program as such.
func binaryVerdicts(ctx context.Context, binary string) ([]verdict, error) {
	info, err := os.Stat(binary)
	if err != nil {
		return nil, err
	}
	version, show, err := commands(ctx, binary, 20)
	if err != nil {
		return nil, err
	}
	return []verdict{
		{what: "binary", got: float64(info.Size()) / 1e6, most: targetBinaryMB, unit: " MB"},
		{what: "craton --version", got: version.Seconds() * 1000, most: targetVersion, unit: " ms"},
		{what: "craton host-show ID, on the server", got: show.Seconds() * 1000, most: targetHostShow, unit: " ms"},
	}, nil
}
