// Command bench measures this program on this machine and prints ratios: against a floor (the same pages fetched
// and thrown away) and against itself at other sizes. `make bench` builds the binary and runs it;
// docs/performance.md explains how to read the table.
//
// Everything is measured from outside: the binary in bin/ runs as its users run it, against `craton server` on
// SQLite over loopback. Times are medians of several runs.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
)

func main() {
	binary := flag.String("binary", "bin/craton", "the program to measure")
	sizes := flag.String("sizes", "1000,10000,100000", "numbers of hosts")
	runs := flag.Int("runs", 5, "runs of each measurement, of which the median counts (3 at 100,000 hosts)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *binary, *sizes, *runs); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary, sizes string, runs int) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	info, err := os.Stat(binary)
	if err != nil {
		return fmt.Errorf("%w; run make build first", err)
	}
	start, err := startUp(ctx, binary, 20)
	if err != nil {
		return err
	}
	var figures []figure
	for size := range strings.SplitSeq(sizes, ",") {
		hosts, err := strconv.Atoi(size)
		if err != nil {
			return fmt.Errorf("--sizes: %w", err)
		}
		n := runs
		if hosts >= 100000 {
			n = min(runs, 3)
		}
		f, err := measure(ctx, binary, hosts, n)
		if err != nil {
			return fmt.Errorf("%d hosts: %w", hosts, err)
		}
		figures = append(figures, f)
	}
	report(os.Stdout, figures, info.Size(), start)
	return nil
}
