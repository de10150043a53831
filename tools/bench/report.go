package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// The targets at 10,000 hosts, and those of the modules and of the binary.
const (
	targetSize     = 10000
	targetFloor    = 1.5
	targetPeak     = 3.0
	targetGrowth   = 11.0
	targetCopied   = 1.0 / 5
	targetHere     = 1.0 / 20
	targetFleet    = 1.0 / 50
	targetBareMB   = 28.0
	targetBinaryMB = 35.0 // html/template and Prometheus' library make the linker keep all exported methods
	targetEngines  = 2.0
	targetApply    = 1.3
	targetPlan     = 2.0
	targetLazy     = 1.4
	targetLazyHuge = 1.6
	targetLimit    = 1.5
	targetLazyMB   = 400.0
	targetLazyAll  = 1.0
	targetMerged   = 0.6
	targetLayered  = 0.7
	targetPeer     = 1.0 / 10
	targetWrite    = 1.25
	// A 50th of python-cratonclient's 0.7 s and 0.9 s, as measured on a machine like the one of docs/performance.md.
	targetVersion  = 14.0
	targetHostShow = 18.0
)

// verdict is one measurement with its limit; 0 for no limit.
type verdict struct {
	what     string
	got, max float64
	unit     string
}

func reportVerdicts(w io.Writer, all []verdict) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, v := range all {
		switch {
		case v.max == 0:
			fmt.Fprintf(t, "%s\t%.3g%s\t\treported\n", v.what, v.got, v.unit)
		case v.got <= v.max:
			fmt.Fprintf(t, "%s\t%.3g%s\tat most %g%s\tmet\n", v.what, v.got, v.unit, v.max, v.unit)
		default:
			fmt.Fprintf(t, "%s\t%.3g%s\tat most %g%s\tMISSED by %.0f %%\n", v.what, v.got, v.unit, v.max, v.unit, 100*(v.got/v.max-1))
		}
	}
	_ = t.Flush()
}

// table prints rows with one cell for each of all.
func table[T any](w io.Writer, all []T) (row func(name string, cell func(T) string), flush func()) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	return func(name string, cell func(T) string) {
		fmt.Fprint(t, name)
		for _, one := range all {
			fmt.Fprint(t, "\t", cell(one))
		}
		fmt.Fprint(t, "\t\n")
	}, func() { _ = t.Flush() }
}

// reportInventory prints the measurements at each size.
func reportInventory(w io.Writer, figures []figure) {
	row, flush := table(w, figures)
	row("hosts", func(f figure) string { return fmt.Sprint(f.objects) })
	reportListing("merged", row, func(f figure) listing { return f.listing })
	row("--list layered", func(f figure) string { return seconds(f.layered.wall) })
	row("output", func(f figure) string { return mb(f.layered.bytes) })
	row("peak memory", func(f figure) string { return mb(f.layered.peak) })
	row("requests", func(f figure) string { return fmt.Sprint(f.requests) })
	row("beyond pages of 100", func(f figure) string { return fmt.Sprint(f.beyondHost) })
	row("server: resolved hosts a second", func(f figure) string { return fmt.Sprintf("%.0f", f.resolved) })
	row("server: hosts created a second", func(f figure) string { return fmt.Sprintf("%.0f", float64(f.objects)/f.seeded.Seconds()) })
	flush()
}

// reportIronic prints what was measured of iotronic-inventory at each size.
func reportIronic(w io.Writer, figures []listing) {
	row, flush := table(w, figures)
	row("nodes of a real Ironic", func(l listing) string { return fmt.Sprint(l.objects) })
	reportListing("", row, func(l listing) listing { return l })
	row("requests", func(l listing) string { return fmt.Sprint(l.requests) })
	flush()
}

// reportListing prints the rows that both inventories have.
func reportListing[T any](way string, row func(string, func(T) string), of func(T) listing) {
	row("floor: same pages, thrown away", func(f T) string { return seconds(of(f).floor) })
	row(strings.TrimSpace("--list "+way), func(f T) string { return seconds(of(f).wall) })
	row("over the floor", func(f T) string { return ratio(of(f).overFloor()) })
	row("CPU time of it", func(f T) string { return seconds(of(f).cpu) })
	row("output", func(f T) string { return mb(of(f).bytes) })
	row("peak memory", func(f T) string { return mb(of(f).peak) })
	row("over the output", func(f T) string { return ratio(of(f).overOutput()) })
}

func (l listing) overFloor() float64 { return l.wall.Seconds() / l.floor.Seconds() }

func (l listing) overOutput() float64 { return float64(l.peak) / float64(l.bytes) }

// verdicts are about one size.
func (l listing) verdicts(what string) []verdict {
	return []verdict{
		{what: fmt.Sprintf("time of %s over the floor", what), got: l.overFloor(), max: targetFloor},
		{what: fmt.Sprintf("peak memory of %s over its output", what), got: l.overOutput(), max: targetPeak},
	}
}

func inventoryVerdicts(figures []figure) (all []verdict) {
	at := map[int]figure{}
	for _, f := range figures {
		at[f.objects] = f
	}
	f, ok := at[targetSize]
	if !ok {
		return nil
	}
	all = f.verdicts("craton-inventory --list, 10,000 hosts")
	if big, ok := at[10*targetSize]; ok {
		all = append(all, verdict{what: "growth of the time from 10,000 to 100,000 hosts", got: big.wall.Seconds() / f.wall.Seconds(), max: targetGrowth})
	}
	return all
}

func ironicVerdicts(figures []listing) (all []verdict) {
	for _, l := range figures {
		if l.objects == targetSize {
			all = l.verdicts("iotronic-inventory --list, 10,000 nodes")
		}
	}
	return all
}

// reportApply prints what `craton apply` takes at each size.
func reportApply(w io.Writer, files []applied) {
	row, flush := table(w, files)
	row("hosts in a YAML file", func(a applied) string { return fmt.Sprint(a.hosts) })
	for _, line := range []struct {
		name string
		of   func(applied) ran
	}{
		{"floor: decode the file into plain values", func(a applied) ran { return a.decode }},
		{"floor: the requests that create the hosts", func(a applied) ran { return a.create }},
		{"craton apply, everything is missing", func(a applied) ran { return a.createAll }},
		{"floor: read GET /v1/fleet", func(a applied) ran { return a.read }},
		{"craton apply again, nothing to do", func(a applied) ran { return a.again }},
		{"craton inventory --list", func(a applied) ran { return a.list }},
		{"craton plan, every host changes", func(a applied) ran { return a.plan }},
		{"the same with --format json", func(a applied) ran { return a.json }},
		{"the same with --out", func(a applied) ran { return a.keep }},
	} {
		row(line.name, func(a applied) string { return seconds(line.of(a).cpu) + ", " + mb(line.of(a).peak) })
	}
	flush()
}

// applyVerdicts are about the part of apply that is not the requests'.
func applyVerdicts(files []applied) (all []verdict) {
	a := files[len(files)-1]
	for _, run := range []struct {
		what         string
		all, request ran
	}{{"everything is missing", a.createAll, a.create}, {"nothing to do", a.again, a.read}} {
		all = append(all,
			verdict{what: fmt.Sprintf("craton apply, %d hosts, %s: time without the requests', over decoding the file", a.hosts, run.what),
				got: (run.all.cpu - run.request.cpu).Seconds() / a.decode.cpu.Seconds(), max: targetApply},
			verdict{what: fmt.Sprintf("craton apply, %d hosts, %s: memory without the requests', over decoding the file", a.hosts, run.what),
				got: float64(run.all.peak-run.request.peak) / float64(a.decode.peak), max: targetApply})
	}
	for _, run := range []struct {
		what string
		ran
	}{{"every host changes", a.plan}, {"--format json", a.json}, {"--out", a.keep}} {
		all = append(all, verdict{what: fmt.Sprintf("craton plan, %d hosts, %s: time over decoding the file and --list", a.hosts, run.what),
			got: run.cpu.Seconds() / (a.decode.cpu + a.list.cpu).Seconds(), max: targetPlan})
	}
	return all
}

// column is one release of ansible-core with one way to repeat a task.
type column struct {
	head  string
	times [ways]time.Duration
}

// share is what a task takes of the Python module's time.
func (c column) share(w way) string {
	return fmt.Sprintf("1/%.1f", c.times[python].Seconds()/c.times[w].Seconds())
}

// reportModules prints what a task takes, and what 1,000 hosts do.
func reportModules(w io.Writer, tasks []perTask, fleets []perFleet) {
	var columns []column
	for _, t := range tasks {
		columns = append(columns, column{t.release + " loop", t.item}, column{t.release + " tasks", t.own})
	}
	row, flush := table(w, columns)
	row("ansible-core", func(c column) string { return c.head })
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }
	for w := range ways {
		row(wayNames[w], func(c column) string { return ms(c.times[w]) })
	}
	module := func(c column, w, floor way) string { // what is left of a task without what no module could save
		return fmt.Sprintf("1/%.1f", (c.times[python]-c.times[floorCopied]).Seconds()/(c.times[w]-c.times[floor]).Seconds())
	}
	row("of the Python module: on the controller", func(c column) string { return c.share(here) })
	row("copied", func(c column) string { return c.share(copied) })
	row("less the floors: on the controller", func(c column) string { return module(c, here, floorHere) })
	row("copied", func(c column) string { return module(c, copied, floorCopied) })
	flush()
	fmt.Fprintln(w)

	rowOf, flush := table(w, fleets)
	rowOf("1,000 hosts, ansible-core", func(f perFleet) string { return f.release + " " + f.where() })
	rowOf("one task craton_fleet, the hosts in a file", func(f perFleet) string { return seconds(f.src) })
	rowOf("one task craton_fleet, the hosts in a variable", func(f perFleet) string { return seconds(f.task) })
	rowOf("a loop of craton_host on the controller", func(f perFleet) string { return seconds(f.loop) })
	rowOf("times as fast: a file", func(f perFleet) string { return ratio(f.loop.Seconds() / f.src.Seconds()) })
	rowOf("a variable", func(f perFleet) string { return ratio(f.loop.Seconds() / f.task.Seconds()) })
	flush()
}

func moduleVerdicts(tasks []perTask, fleets []perFleet) (all []verdict) {
	for _, t := range tasks {
		of := func(w way, times [ways]time.Duration) float64 { return times[w].Seconds() / times[python].Seconds() }
		all = append(all,
			verdict{what: "craton_host copied, of the Python module, " + t.release, got: of(copied, t.item), max: targetCopied},
			verdict{what: "craton_host on the controller, of the Python module, " + t.release, got: of(here, t.item), max: targetHere})
	}
	for _, f := range fleets {
		all = append(all,
			verdict{what: "craton_fleet with a file, of a loop, 1,000 hosts, " + f.release + " " + f.where(), got: f.src.Seconds() / f.loop.Seconds(), max: targetFleet},
			verdict{what: "craton_fleet with a variable, of a loop, 1,000 hosts, " + f.release + " " + f.where(), got: f.task.Seconds() / f.loop.Seconds(), max: targetFleet})
	}
	return all
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

func mb(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

func ratio(r float64) string { return fmt.Sprintf("%.2f x", r) }
