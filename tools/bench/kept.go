package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/craton-fleet/craton/craton"
)

// keptWay is the state of a fleet relative to its cached inventory.
type keptWay int

const (
	keptFull    keptWay = iota // nothing is cached: the whole fleet is read
	keptSame                   // the fleet is unchanged
	keptChanged                // some hosts have changed
	keptWays
)

// changedHosts is the number of changed hosts in keptChanged.
const changedHosts = 100

// kept is the cost of --list with a cached inventory. Times are medians.
type kept struct {
	objects     int
	cpu, server [keptWays]time.Duration // of the program, and of the server meanwhile; 0 where that cannot be told
	peak        [keptWays]int64
}

// measureKept takes the measurements, in turn.
func (s *served) measureKept(ctx context.Context, l lister, hosts, runs int) (kept, error) {
	k := kept{objects: hosts}
	dir, err := os.MkdirTemp("", "craton-bench")
	if err != nil {
		return k, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	keep := []string{"CRATON_INVENTORY_CACHE=auto", "CRATON_INVENTORY_CACHE_DIR=" + filepath.Join(dir, "kept")}
	if _, err := l.list(ctx, keep...); err != nil {
		return k, err
	}
	var cpus, servers [keptWays][]time.Duration
	for round := range runs {
		for way := range keptWays {
			how := keep
			switch way {
			case keptFull:
				how = []string{"CRATON_INVENTORY_CACHE=off"}
			case keptChanged:
				if err := s.touch(ctx, hosts, round); err != nil {
					return k, err
				}
			}
			before := s.cpu()
			r, err := l.list(ctx, how...)
			if err != nil {
				return k, err
			}
			cpus[way], servers[way] = append(cpus[way], r.cpu), append(servers[way], s.cpu()-before)
			k.peak[way] = max(k.peak[way], r.peak)
		}
	}
	for way := range keptWays {
		k.cpu[way], k.server[way] = median(cpus[way]), median(servers[way])
	}
	return k, nil
}

// touch changes a variable of some hosts all over the fleet.
func (s *served) touch(ctx context.Context, hosts, round int) error {
	n := min(changedHosts, hosts/10)
	for i := range n {
		id := 1 + i*(hosts/n) + round
		if _, err := s.client.Hosts.SetVariables(ctx, id, craton.Vars(map[string]any{"bay": 1000 + round})); err != nil {
			return err
		}
	}
	return nil
}

// cpu returns the processor time of the server so far, from Linux, in hundredths of a second; 0 elsewhere.
func (s *served) cpu() (total time.Duration) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	for _, field := range strings.Fields(rest)[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0
		}
		total += time.Duration(n) * 10 * time.Millisecond
	}
	return total
}

// reportKept prints what was measured at each size.
func reportKept(w io.Writer, figures []figure) {
	row, flush := table(w, figures)
	row("hosts", func(f figure) string { return fmt.Sprint(f.objects) })
	for way, name := range [keptWays]string{"the whole fleet is read", "nothing has changed", fmt.Sprintf("%d hosts have changed", changedHosts)} {
		row(name+": CPU time", func(f figure) string { return seconds(f.kept.cpu[way]) })
		row("of the server", func(f figure) string { return seconds(f.kept.server[way]) })
		row("peak memory", func(f figure) string { return mb(f.kept.peak[way]) })
	}
	flush()
}

// The targets for a cached inventory at 100,000 hosts.
const (
	targetSame    = 0.15
	targetSameMB  = 60.0
	targetChanged = 0.3
)

func keptVerdicts(figures []figure) (all []verdict) {
	for _, f := range figures {
		if f.objects < 100000 {
			continue
		}
		k := f.kept
		whole := func(way keptWay) float64 { return (k.cpu[way] + k.server[way]).Seconds() }
		name := fmt.Sprintf("an inventory that is kept, %d hosts: ", f.objects)
		all = append(all,
			verdict{name + "CPU time where nothing has changed", k.cpu[keptSame].Seconds(), targetSame, " s"},
			verdict{name + "peak memory of it", float64(k.peak[keptSame]) / 1e6, targetSameMB, " MB"},
			verdict{name + "100 hosts changed, of a full read", whole(keptChanged) / whole(keptFull), targetChanged, ""})
	}
	return all
}
