package fleetfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/fleettest"
	"github.com/craton-fleet/craton/internal/reconcile"
)

// plainServer is one that has nothing beside v1.
type plainServer struct{ http.Handler }

func (p plainServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, beside := range []string{"/v1/capabilities", "/v1/fleet", "/v1/sets"} {
		if strings.HasPrefix(r.URL.Path, beside) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"message": "Not Found", "status": 404}`))
			return
		}
	}
	p.Handler.ServeHTTP(w, r)
}

// keeper is a fleet with sets, which the server or a file remembers.
type keeper struct {
	*reconcile.Fleet
	file string // "" is the server
	peek *craton.Client
}

// newKeepers returns those of two projects of a server. Whose sets a file remembers sees one project alone, as the
// original's callers do.
func newKeepers(t fixture, dir string, file bool) (keepers [2]*keeper) {
	t.Helper()
	for i, p := range newProjects(t, dir) {
		k := &keeper{peek: p.asAdmin(t, straight)}
		if file {
			k.file = filepath.Join(dir, fmt.Sprint("sets", i, ".json"))
			k.Fleet = &reconcile.Fleet{Client: p.asAdmin(t, func(h http.Handler) http.Handler { return plainServer{h} }), Project: p.id}
		} else {
			k.Fleet = &reconcile.Fleet{Client: p.asRoot(t, straight), Project: p.id}
		}
		keepers[i] = k
	}
	return keepers
}

func newKeeper(t fixture, dir string, file bool) *keeper {
	t.Helper()
	return newKeepers(t, dir, file)[0]
}

func (k *keeper) options(o Options) Options {
	o.AllowDuplicates = true
	if o.Set.Name != "" {
		o.Set.File = k.file
	}
	return o
}

// owners returns all objects that there are, each with the set that it belongs to.
func (k *keeper) owners(t fixture) map[string]string {
	t.Helper()
	all := map[string]string{}
	s, err := k.peek.Fleet(t.Context(), craton.FleetOptions{Networks: true})
	if err != nil {
		t.Fatal(err)
	}
	for line, err := range s.All() {
		if err != nil {
			t.Fatal(err)
		}
		var o struct{ ID any }
		if err := json.Unmarshal(line.Object, &o); err != nil {
			t.Fatal(err)
		}
		if line.Kind != craton.KindProject {
			all[fmt.Sprint(line.Kind, o.ID)] = line.Set
		}
	}
	if k.file == "" {
		return all
	}
	text, err := os.ReadFile(k.file)
	if errors.Is(err, os.ErrNotExist) {
		return all
	}
	var remembered struct{ Sets map[string]craton.Members }
	if err := errors.Join(err, json.Unmarshal(text, &remembered)); err != nil {
		t.Fatal(err)
	}
	for name, members := range remembered.Sets {
		for kind, ids := range members {
			for _, id := range ids {
				key := fmt.Sprint(kind, id)
				if other, there := all[key]; there && other != "" {
					t.Fatal(key, " belongs to ", other, " and to ", name)
				} else if there {
					all[key] = name
				}
			}
		}
	}
	return all
}

// TestPruneKeepsWhatIsOthers applies random fleets under random sets. Nothing is deleted that did not belong to the
// set, or is in the file, or is protected, and never more than the plan says; behind it the set is what the file has.
func TestPruneKeepsWhatIsOthers(t *testing.T) {
	t.Parallel()
	for _, file := range []bool{false, true} {
		t.Run(map[bool]string{false: "server", true: "file"}[file], func(t *testing.T) {
			t.Parallel()
			if testing.Short() {
				t.Skip("opens many databases")
			}
			dir := t.TempDir()
			most := size(45)
			runs, failed, deleted := 0, false, 0
			rapid.Check(t, func(t *rapid.T) {
				if runs++; runs > most && !failed { // once one failed, rapid repeats it to make it small
					return
				}
				failed = true // until it is known to have passed
				d, err := os.MkdirTemp(dir, "")
				if err != nil {
					t.Fatal(err)
				}
				keepers := newKeepers(t, d, file)
				for range rapid.IntRange(2, 6).Draw(t, "steps") {
					turn := rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "project")
					k, other := keepers[turn], keepers[1-turn]
					before := other.owners(t)
					renameSome(t, api{Client: k.peek, moves: true})
					deleted += k.step(t)
					if d := cmp.Diff(before, other.owners(t)); d != "" {
						t.Fatalf("objects and sets of the other project (-was +is):\n%s", d)
					}
				}
				failed = false
			})
			t.Logf("%d objects were deleted", deleted)
			if deleted < most/10 {
				t.Errorf("only %d objects were deleted: that shows little", deleted)
			}
		})
	}
}

func (k *keeper) step(t *rapid.T) (deleted int) {
	file, err := FromValue(fleettest.Small().Draw(t, "fleet"))
	if err != nil {
		return 0
	}
	ctx := t.Context()
	before := k.owners(t)
	protected := map[string]bool{}
	if k.file == "" && rapid.IntRange(0, 3).Draw(t, "protects") == 0 {
		for key := range before {
			for _, kind := range []craton.Kind{craton.KindCloud, craton.KindHost, craton.KindNetworkInterface} {
				if id, ok := strings.CutPrefix(key, string(kind)); ok && len(protected) == 0 {
					protected[key] = true
					if err := k.peek.Collection(kind).Protect(ctx, id, true); err != nil {
						t.Fatal(err)
					}
					defer func() { _ = k.peek.Collection(kind).Protect(ctx, id, false) }()
				}
			}
		}
	}
	o := k.options(Options{Set: reconcile.SetOptions{Name: rapid.SampledFrom([]string{"a", "a", "a", "b", ""}).Draw(t, "set")}, Move: k.file == "" && rapid.Bool().Draw(t, "move")})
	if o.Set.Name != "" {
		o.Set.Prune, o.Set.Adopt = rapid.IntRange(0, 4).Draw(t, "prunes") > 0, rapid.IntRange(0, 3).Draw(t, "adopts") > 0
	}
	plan, err := k.PlanTree(ctx, file.Tree(), o)
	if _, ok := errors.AsType[*Error](err); ok {
		if after := k.owners(t); len(after) != len(before) {
			t.Fatalf("a plan that is refused changes something")
		}
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	n := plan.Counts().Deleted
	if plan.Set != nil && plan.Set.Refused != nil {
		o.Set.AllowDeletes = new(n + 1)
		if p, err := k.PlanTree(ctx, file.Tree(), o); err != nil || p.Set.Refused == nil {
			t.Fatalf("another number is taken: %v", err)
		}
		if _, err := k.ApplyPlan(ctx, plan, o); err == nil {
			t.Fatal("a plan that is refused is carried out")
		}
		o.Set.AllowDeletes = new(n)
		if plan, err = k.PlanTree(ctx, file.Tree(), o); err != nil || plan.Set.Refused != nil {
			t.Fatalf("the right number is not taken: %v", err)
		}
	}
	result, err := k.ApplyPlan(ctx, plan, o)
	if err != nil {
		t.Fatal(err)
	}
	after := k.owners(t)
	for key, set := range before {
		now, there := after[key]
		switch {
		case !there && (!o.Set.Prune || set != o.Set.Name || protected[key]):
			t.Fatalf("%s of the set %q is gone: %+v", key, set, o.Set)
		case !there:
			deleted++
		case now != set && (o.Set.Name == "" || now != o.Set.Name || set != "" && !o.Set.Adopt):
			t.Fatalf("%s belonged to %q, and belongs to %q: %+v", key, set, now, o.Set)
		}
	}
	if deleted != n || result.Deleted != n {
		t.Fatalf("%d were to be deleted, %d are said to be, and %d are gone", n, result.Deleted, deleted)
	}
	for key, set := range after {
		if _, was := before[key]; !was && set != o.Set.Name {
			t.Fatalf("%s is new and belongs to %q: %+v", key, set, o.Set)
		}
	}
	o.Set.AllowDeletes = nil
	again, err := k.PlanTree(ctx, file.Tree(), o)
	if err != nil {
		t.Fatal(err)
	}
	if c := again.Counts(); c.Changed() || again.Set != nil && len(again.Set.Joins) > 0 {
		t.Fatalf("a second plan has %+v %+v", c, again.Set)
	}
	return deleted
}

// TestEffectsWithoutDeleted: a host that goes does not count among those whose variables change.
func TestEffectsWithoutDeleted(t *testing.T) {
	t.Parallel()
	k := newKeeper(t, t.TempDir(), false)
	o := k.options(Options{Effects: true, Set: reconcile.SetOptions{Name: "s", Prune: true}})
	const fleet = "clouds: [{name: e, regions: [{name: d, variables: {a: %d}, hosts: [{name: h1, ip_address: 10.0.0.1, device_type: server}%s]}]}]"
	if _, err := k.ApplyTree(t.Context(), parse(t, fmt.Sprintf(fleet, 1, ", {name: h2, ip_address: 10.0.0.2, device_type: server}")).Tree(), o); err != nil {
		t.Fatal(err)
	}
	p, err := k.PlanTree(t.Context(), parse(t, fmt.Sprintf(fleet, 2, "")).Tree(), o)
	if err != nil {
		t.Fatal(err)
	}
	if n := p.Counts(); n.Deleted != 1 || p.Effects.Hosts != 1 || len(p.Effects.Causes) != 1 || p.Effects.Causes[0].Hosts != 1 {
		t.Errorf("%+v, %+v", n, p.Effects)
	}
}

// TestPruneInterrupted: deletions that are stopped in the middle say how far they came, and the next time the rest
// goes.
func TestPruneInterrupted(t *testing.T) {
	t.Parallel()
	for _, file := range []bool{false, true} {
		dir, err := os.MkdirTemp(t.TempDir(), "") // that nobody else can get at
		if err != nil {
			t.Fatal(err)
		}
		k := newKeeper(t, dir, file)
		o := k.options(Options{Parallel: 2, Set: reconcile.SetOptions{Name: "s", Prune: true}})
		var hosts []string
		for i := range 40 {
			hosts = append(hosts, fmt.Sprintf("{name: h%d, ip_address: 10.0.0.%d, device_type: server}", i, i))
		}
		tree := func(n int) *reconcile.Tree {
			return parse(t, "clouds: [{name: e, regions: [{name: d, hosts: ["+strings.Join(hosts[:n], ", ")+"]}]}]").Tree()
		}
		if _, err := k.ApplyTree(t.Context(), tree(40), o); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		interrupted := o
		interrupted.Set.AllowDeletes = new(30)
		interrupted.Progress = func(done, _ int, _ string) {
			if done == 10 {
				stop()
			}
		}
		r, err := k.ApplyTree(ctx, tree(10), interrupted)
		stopped, ok := errors.AsType[*WriteError](err)
		if !ok || stopped.Done < 10 || stopped.Done >= 30 || stopped.Total != 30 || r.Deleted != stopped.Done || !strings.Contains(err.Error(), "apply the file again") {
			t.Fatalf("%v %+v", err, r)
		}
		if n := len(k.owners(t)); n != 42-stopped.Done {
			t.Errorf("%d objects are left, and %d were deleted", n, stopped.Done)
		}
		o.Set.AllowDeletes = new(30 - stopped.Done)
		if r, err = k.ApplyTree(t.Context(), tree(10), o); err != nil || r.Deleted != 30-stopped.Done {
			t.Fatalf("%v %+v", err, r)
		}
		o.Set.AllowDeletes = nil
		if p, err := k.PlanTree(t.Context(), tree(10), o); err != nil || p.Set.Size != 12 {
			t.Errorf("%v %+v", err, p)
		} else if n := p.Counts(); n.Changed() {
			t.Errorf("%+v", n)
		}
	}
}
