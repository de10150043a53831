package main

import (
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"
	"time"
)

// The targets at 10,000 hosts, and those of the binary.
const (
	targetSize     = 10000
	targetFloor    = 1.5
	targetPeak     = 3.0
	targetGrowth   = 11.0
	targetBinaryMB = 20.0
)

// report prints the tables: what was measured at each size, then each target and how far it is met.
func report(w io.Writer, figures []figure, binarySize int64, start time.Duration) {
	fmt.Fprintf(w, "craton bench on %s/%s, %d CPUs, %s; craton server on SQLite over loopback\n\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, cell func(figure) string) {
		fmt.Fprint(t, name)
		for _, f := range figures {
			fmt.Fprint(t, "\t", cell(f))
		}
		fmt.Fprint(t, "\t\n")
	}
	row("hosts", func(f figure) string { return fmt.Sprint(f.hosts) })
	row("floor: same pages, thrown away", func(f figure) string { return seconds(f.floor) })
	row("--list merged", func(f figure) string { return seconds(f.merged) })
	row("over the floor", func(f figure) string { return ratio(f.merged.Seconds() / f.floor.Seconds()) })
	row("CPU time of it", func(f figure) string { return seconds(f.mergedCPU) })
	row("output", func(f figure) string { return mb(f.mergedBytes) })
	row("peak memory", func(f figure) string { return mb(f.peak) })
	row("over the output", func(f figure) string { return ratio(float64(f.peak) / float64(f.mergedBytes)) })
	row("--list layered", func(f figure) string { return seconds(f.layered) })
	row("output", func(f figure) string { return mb(f.layeredBytes) })
	row("peak memory", func(f figure) string { return mb(f.peakLayered) })
	row("requests", func(f figure) string { return fmt.Sprint(f.requests) })
	row("beyond pages of 100", func(f figure) string { return fmt.Sprint(f.requestsConstant) })
	row("server: resolved hosts a second", func(f figure) string { return fmt.Sprintf("%.0f", f.listed) })
	row("server: hosts created a second", func(f figure) string { return fmt.Sprintf("%.0f", float64(f.hosts)/f.seeded.Seconds()) })
	_ = t.Flush()
	fmt.Fprintln(w)

	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	target := func(name string, got, most float64, unit string) {
		verdict := "met"
		if got > most {
			verdict = fmt.Sprintf("MISSED by %.0f %%", 100*(got/most-1))
		}
		fmt.Fprintf(t, "%s\t%.2f%s\tat most %g%s\t%s\n", name, got, unit, most, unit, verdict)
	}
	at := map[int]figure{}
	for _, f := range figures {
		at[f.hosts] = f
	}
	if f, ok := at[targetSize]; ok {
		target("time of --list over the floor, 10,000 hosts", f.merged.Seconds()/f.floor.Seconds(), targetFloor, "")
		target("peak memory over the merged output, 10,000 hosts", float64(f.peak)/float64(f.mergedBytes), targetPeak, "")
		if big, ok := at[10*targetSize]; ok {
			target("growth of the time from 10,000 to 100,000 hosts", big.merged.Seconds()/f.merged.Seconds(), targetGrowth, "")
		}
	}
	target("binary", float64(binarySize)/1e6, targetBinaryMB, " MB")
	fmt.Fprintf(t, "start-up of craton --version\t%.1f ms\t\treported\n", start.Seconds()*1000)
	_ = t.Flush()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

func mb(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

func ratio(r float64) string { return fmt.Sprintf("%.2f x", r) }
