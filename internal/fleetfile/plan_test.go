package fleetfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/fleettest"
	"github.com/craton-fleet/craton/internal/reconcile"
)

// TestPlans checks the promises of plans with random fleets on top of random fleets: what a plan says is what becomes
// of the fleet, and behind it there is nothing to do; a plan that was kept in a file does the same, and if anything of
// it was changed meanwhile, nothing.
func TestPlans(t *testing.T) {
	t.Parallel()
	t.Run("original", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			s := &original{}
			c, err := craton.New("http://embedded", craton.WithTransport(inProcess{s}), craton.WithRetries(0))
			if err != nil {
				t.Fatal(err)
			}
			checkPlans(t, api{Client: c, writes: s.writes})
		})
	})
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		if testing.Short() {
			t.Skip("opens many databases")
		}
		dir := t.TempDir()
		most := size(80)
		runs, failed := 0, false
		rapid.Check(t, func(t *rapid.T) {
			if runs++; runs > most && !failed { // once one failed, rapid repeats it to make it small
				return
			}
			failed = true // until it is known to have passed
			d, err := os.MkdirTemp(dir, "")
			if err != nil {
				t.Fatal(err)
			}
			s, others := oneOfSeveral(t, d)
			checkPlans(t, s)
			others()
			failed = false
		})
	})
}

// applied applies a random fleet, if it is a good one.
func applied(t *rapid.T, s api, label string) {
	data := fleettest.Small().Draw(t, label)
	if s.moves {
		fleettest.Protect(t, data)
	}
	file, err := FromValue(data)
	if err != nil {
		return
	}
	_, err = s.apply(t.Context(), file, Options{AllowDuplicates: true, Move: rapid.Bool().Draw(t, "moves")})
	if _, refused := errors.AsType[*Error](err); err != nil && !refused {
		t.Fatal(err)
	}
}

func checkPlans(t *rapid.T, s api) {
	ctx := t.Context()
	for i := range rapid.IntRange(0, 2).Draw(t, "earlier states") {
		applied(t, s, fmt.Sprint("state ", i))
		renameSome(t, s)
	}
	data := fleettest.Small().Draw(t, "fleet")
	if s.moves {
		fleettest.Protect(t, data)
	}
	file, err := FromValue(data)
	if err != nil {
		return
	}
	before := snapshot(t, s)
	s.writes()
	fl := s.fleet()
	o := Options{AllowDuplicates: true, Move: rapid.Bool().Draw(t, "move"), Effects: true, Brief: rapid.Bool().Draw(t, "brief"), Parallel: rapid.IntRange(1, 4).Draw(t, "parallel")}
	can, err := s.Client.Capabilities(ctx)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := fl.PlanTree(ctx, file.Tree(), o)
	if w := s.writes(); len(w) > 0 {
		t.Fatalf("a plan wrote %v", w)
	}
	if err != nil {
		if _, ok := errors.AsType[*Error](err); !ok {
			t.Fatal(err)
		}
		return
	}
	plan.Revision = can.Revision
	want := slices.Collect(plan.Changes())
	if again := slices.Collect(plan.Changes()); cmp.Diff(want, again) != "" {
		t.Fatal("a plan says one thing now and another then")
	}
	resolvedBefore := resolved(t, s)
	saved := rapid.Bool().Draw(t, "saved")
	if saved {
		var b bytes.Buffer
		if err := fl.Save(ctx, plan, &b, o); err != nil {
			t.Fatal(err)
		}
		if !reconcile.IsPlan(b.Bytes()) || !json.Valid(b.Bytes()) {
			t.Fatalf("no plan: %s", b.Bytes())
		}
		if f, err := Parse("plan", bytes.NewReader(b.Bytes())); err == nil {
			t.Fatalf("a plan is a fleet file: %+v", f)
		}
		counts, effects := plan.Counts(), plan.Effects
		if plan, err = reconcile.ReadPlan(&b); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, slices.Collect(plan.Changes())); d != "" {
			t.Fatalf("read from a file (-made +read):\n%s", d)
		}
		if d := cmp.Diff(effects, plan.Effects); d != "" || plan.Counts() != counts {
			t.Fatalf("%v %v\n%s", plan.Counts(), counts, d)
		}
	}
	meanwhile := before
	var names map[string]string // of devices, where somebody has renamed some
	if saved && rapid.Bool().Draw(t, "somebody else writes") {
		names = somebodyElse(t, s)
		meanwhile = snapshot(t, s)
	}
	s.writes()
	got, err := fl.ApplyPlan(ctx, plan, o)
	writes, after := s.writes(), snapshot(t, s)
	touched := touchedBy(before.named(names), meanwhile, want)
	if stale, ok := errors.AsType[*reconcile.StaleError](err); ok {
		if d := cmp.Diff(meanwhile, after); d != "" || len(writes) > 0 {
			t.Fatalf("refused, and yet something was written: %v\n%s", writes, d)
		}
		if maps.EqualFunc(before, meanwhile, func(a, b map[string]any) bool { return maps.Equal(a, b) }) && !s.moves {
			t.Fatalf("refused, and nothing was changed: %v", stale)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(touched) > 0 {
		t.Fatalf("carried out, although %v were changed meanwhile", touched)
	}
	if got.Counts != plan.Counts() {
		t.Fatalf("did %v, of %v", got.Counts, plan.Counts())
	}
	become := moved(meanwhile, want)
	planned := overlay(moved(before, want), data).named(names)
	for _, c := range want {
		path := modelPath(c.Kind, c.Name)
		become[path] = planned[path]
	}
	if d := cmp.Diff(become, after); d != "" {
		t.Fatalf("the fleet (-want +got):\n%s", d)
	}
	if cmp.Diff(before, meanwhile) != "" {
		return
	}
	if s.moves {
		n, now := [2]int{}, resolved(t, s)
		for of, was := range resolvedBefore {
			is, there := now[of]
			if there && cmp.Diff(was, is) != "" {
				n[of.kind]++
			}
		}
		if e := plan.Effects; n != [2]int{e.Hosts, e.NetworkDevices} {
			t.Fatalf("%v hosts and network devices have other values, the plan says %+v", n, e)
		}
	}
	again, err := fl.PlanTree(ctx, file.Tree(), o)
	if err != nil {
		t.Fatal(err)
	}
	if n := again.Counts(); n.Changed() {
		t.Fatalf("there is something to do yet: %+v", slices.Collect(again.Changes()))
	}
}

// placeOf returns a device's path as the model has it: without the cell.
func placeOf(path string) string {
	if parts := strings.Split(path, "/"); len(parts) == 4 {
		return parts[0] + "/" + parts[1] + "/" + parts[3]
	}
	return path
}

// modelPath returns where the model has what a change is about.
func modelPath(kind, name string) string {
	switch kind {
	case "host", "network-device":
		return "device " + placeOf(name)
	case "network-interface":
		i := strings.LastIndexByte(name, '/')
		return "interface " + placeOf(name[:i]) + name[i:]
	}
	return strings.TrimSpace(kind + " " + name)
}

// moved returns a fleet whose devices stand where changes put them.
func moved(before model, changes []Change) model {
	after := maps.Clone(before)
	for _, c := range changes {
		if c.Action != Moved {
			continue
		}
		from, to := placeOf(c.From), placeOf(c.Name)
		for path := range before {
			if path == "device "+from {
				o := maps.Clone(before[path])
				o["cell"] = ""
				if parts := strings.Split(c.Name, "/"); len(parts) == 4 {
					o["cell"] = parts[2]
				}
				delete(after, path)
				after["device "+to] = o
			}
			if rest, ok := strings.CutPrefix(path, "interface "+from+"/"); ok {
				delete(after, path)
				after["interface "+to+"/"+rest] = before[path]
			}
		}
	}
	for path, o := range after { // parents are told by their places
		for _, c := range changes {
			if c.Action == Moved && o["parent"] == placeOf(c.From) {
				o = maps.Clone(o)
				o["parent"] = placeOf(c.Name)
				after[path] = o
				break
			}
		}
	}
	return after
}

// touchedBy returns the objects of a plan that are not what they were.
func touchedBy(before, now model, changes []Change) (touched []string) {
	for _, c := range changes {
		for _, name := range []string{c.Name, c.From} {
			if name == "" && c.Kind != "project" {
				continue
			}
			if path := modelPath(c.Kind, name); cmp.Diff(before[path], now[path]) != "" {
				touched = append(touched, path)
			}
		}
	}
	return touched
}

// somebodyElse changes something, and returns what devices were called and are now.
func somebodyElse(t *rapid.T, s api) (names map[string]string) {
	ctx := t.Context()
	switch rapid.SampledFrom([]string{"apply", "rename", "delete", "variable", "label", "protect"}).Draw(t, "what") {
	case "apply":
		applied(t, s, "meanwhile")
		return nil
	case "rename":
		return renameSome(t, s)
	case "delete":
		for h, err := range s.Hosts.All(ctx, craton.HostListOptions{}) {
			if err == nil && rapid.Bool().Draw(t, "delete") {
				_ = s.Hosts.Delete(ctx, h.ID) // it may be a parent
			}
		}
	case "variable":
		for c, err := range s.Cells.All(ctx, craton.CellListOptions{}) {
			if err == nil && rapid.Bool().Draw(t, "cell") {
				_, _ = s.Cells.SetVariables(ctx, c.ID, craton.Vars(map[string]any{"a": rapid.IntRange(0, 3).Draw(t, "value")}))
			}
		}
	case "label":
		for h, err := range s.Hosts.All(ctx, craton.HostListOptions{}) {
			if err == nil && rapid.Bool().Draw(t, "label") {
				_, _ = s.Hosts.AddLabels(ctx, h.ID, "l9")
			}
		}
	case "protect":
		if !s.moves {
			return nil
		}
		for c, err := range s.Cells.All(ctx, craton.CellListOptions{}) {
			if err == nil {
				_ = s.Collection(craton.KindCell).Protect(ctx, strconv.Itoa(c.ID), rapid.Bool().Draw(t, "cell"))
			}
		}
	}
	return nil
}

// device is a host, of kind 0, or a network device, of kind 1.
type device struct{ kind, id int }

// resolved returns the resolved variables of all devices.
func resolved(t *rapid.T, s api) map[device]map[string]any {
	all := map[device]map[string]any{}
	add := func(d device, v craton.Variables, err error) {
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]any{}
		for key, raw := range v {
			m[key] = normal(raw)
		}
		all[d] = m
	}
	if !s.moves { // the stand-in knows nothing of them
		return nil
	}
	for h, err := range s.Hosts.All(t.Context(), craton.HostListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		v, err := s.Hosts.ResolvedVariables(t.Context(), h.ID)
		add(device{0, h.ID}, v, err)
	}
	for d, err := range s.NetworkDevices.All(t.Context(), craton.NetworkDeviceListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		v, err := s.NetworkDevices.ResolvedVariables(t.Context(), d.ID)
		add(device{1, d.ID}, v, err)
	}
	return all
}
