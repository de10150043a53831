package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/server/internal/enginetest"
	"github.com/craton-fleet/craton/server/store/engine"
	"github.com/craton-fleet/craton/server/store/sqlite"
)

func look(t testing.TB, s *Store, fn func(ctx context.Context, v *View) error) {
	t.Helper()
	if err := s.View(t.Context(), true, fn); err != nil {
		t.Fatal(err)
	}
}

// all returns the entire log.
func (s *Store) all(t testing.TB) []Change {
	t.Helper()
	log, _, err := readLog(t.Context(), s, Scope{All: true}, Cursor{})
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// TestNewest compares the newest changes that views return with a random log.
func TestNewest(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	tick := time.Unix(1e9, 0)
	s.now = func() time.Time { tick = tick.Add(time.Second); return tick } // there are no concurrent writes
	randomWrites(t, s, 1, 1, 400)
	log := s.all(t)
	newest := func(of func(c Change) bool) (at Cursor) {
		for _, c := range log {
			if of(c) {
				at = Cursor{Revision: c.Revision, Change: c.ID}
			}
		}
		return at
	}
	look(t, s, func(ctx context.Context, v *View) error {
		for _, project := range append([]string{"none"}, projectsOf(log)...) {
			for _, kinds := range [][]string{nil, {"host"}, {"cloud", "user"}, {"project"}, kindNames()} {
				for _, sc := range []Scope{{Project: project}, {All: true}} {
					want := newest(func(c Change) bool {
						return slices.Contains(kinds, c.Kind) && (sc.All || c.Project == project)
					})
					if got, err := v.Newest(ctx, sc, kinds...); err != nil || got != want {
						t.Errorf("Newest(%v, %v) = %v, %v, want %v", sc, kinds, got, err, want)
					}
				}
			}
		}
		for i, c := range log {
			other := log[len(log)/2]
			want := newest(func(x Change) bool {
				return x.Kind == c.Kind && x.Object == c.Object || x.Kind == other.Kind && x.Object == other.Object
			})
			if got, err := v.NewestOf(ctx, Object{c.Kind, c.Object}, Object{other.Kind, other.Object}, Object{"host", "none"}); err != nil || got != want {
				t.Errorf("NewestOf(%s %s) = %v, %v, want %v", c.Kind, c.Object, got, err, want)
			}
			for _, at := range []Micros{c.At - 1, c.At, c.At + 1} {
				want := int64(0)
				for _, x := range log {
					if x.At <= at {
						want = x.Revision
					}
				}
				if got, err := v.RevisionAt(ctx, at); err != nil || got != want {
					t.Errorf("change %d: RevisionAt(%d) = %d, %v, want %d", i, at, got, err, want)
				}
			}
		}
		return nil
	})
}

func projectsOf(log []Change) (ids []string) {
	for _, c := range log {
		ids = append(ids, c.Project)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// TestTimeNeverGoesBack: times in the log do not decrease, even if the clock goes back.
func TestTimeNeverGoesBack(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	var at int64
	s.now = func() time.Time { return time.Unix(at, 0) }
	for i, clock := range []int64{1000, 2000, 1500, 500, 2500} {
		at = clock
		id, err := s.EnsureProject(t.Context(), "p", "")
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			create(t, s, Clouds, Scope{Project: id}, CreateParams{Values: Values{"name": fmt.Sprint(i)}})
		}
	}
	var times []int64
	for _, c := range s.all(t) {
		times = append(times, int64(c.At)/1e6)
	}
	if d := cmp.Diff([]int64{1000, 2000, 2000, 2000, 2500}, times); d != "" {
		t.Error(d)
	}
}

// TestClockBehind: if the newest change is far ahead of this machine's clock, this is reported once, on opening or with
// a write.
func TestClockBehind(t *testing.T) {
	t.Parallel()
	database := enginetest.Database(t)
	var told []time.Duration
	open := func() *Store {
		s, err := Open(t.Context(), database, Options{Create: true, ClockBehind: func(by time.Duration) { told = append(told, by) }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	here, ahead := open(), open()
	id, err := here.EnsureProject(t.Context(), "p", "")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	write := func(s *Store) {
		t.Helper()
		n++
		create(t, s, Clouds, Scope{Project: id}, CreateParams{Values: Values{"name": fmt.Sprint(n)}})
	}
	expect := func(what string, times int) {
		t.Helper()
		if len(told) != times {
			t.Fatalf("%s: it was told %v, want %d times", what, told, times)
		}
		for _, by := range told {
			if by < 58*time.Minute || by > time.Hour {
				t.Errorf("%s: by %s", what, by)
			}
		}
	}
	ahead.now = func() time.Time { return time.Now().Add(30 * time.Second) }
	write(ahead)
	write(here)
	expect("half a minute", 0)
	ahead.now = func() time.Time { return time.Now().Add(time.Hour) }
	write(ahead)
	expect("it is ahead itself", 0)
	write(here)
	write(here)
	expect("two writes", 1)
	open()
	expect("the start", 2)
}

// TestNothingChanged: a write that changes nothing, or is refused, has no revision.
func TestNothingChanged(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	ctx := t.Context()
	n := host("h", Values{"note": "n"})
	n.Labels, n.Variables = []string{"b", "a", "b"}, []Variable{{Name: "k", Value: "1"}, {Name: "k", Value: "2"}}
	create(t, s, Hosts, sc, n)
	before := s.all(t)
	if last := before[len(before)-1]; !strings.Contains(last.After, `"labels":["a","b"]`) || !strings.Contains(last.After, `"variables":{"k":2}`) {
		t.Errorf("%s", last.After)
	}
	_, err := s.Update(ctx, Hosts, sc, "1", Values{"note": "n", "name": "h"})
	errs := []error{err, s.SetVariables(ctx, Hosts, sc, "1", []Variable{{Name: "k", Value: "2"}}), s.SetVariables(ctx, Hosts, sc, "1", nil),
		s.DeleteVariables(ctx, Hosts, sc, "1", []string{"none"}), s.RemoveLabels(ctx, Hosts, sc, "1", []string{"none"}), s.KeepProject(ctx, sc.Project, "p", true)}
	_, err = s.AddLabels(ctx, Hosts, sc, "1", []string{"a"})
	_, moved := s.Move(ctx, Hosts, sc, "1", Place{})
	if err := errors.Join(append(errs, err, moved)...); err != nil {
		t.Fatal(err)
	}
	for _, refused := range []error{
		s.Delete(ctx, Hosts, sc, "9"),
		s.SetVariables(ctx, Hosts, sc, "1", []Variable{{Name: "large", Value: strings.Repeat("1", DefaultLimits.Variables)}}),
	} {
		if !errors.As(refused, new(*Error)) {
			t.Errorf("%v", refused)
		}
	}
	if d := cmp.Diff(before, s.all(t)); d != "" {
		t.Error(d)
	}
}

// TestHashedValues: for some keys, the log only shows that their values changed.
func TestHashedValues(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	s.ConcealKeys([]string{"*password*", "exact", "a*b*c"})
	sc := fleet(t, s)
	set := func(id string, v ...Variable) {
		if err := s.SetVariables(t.Context(), Hosts, sc, id, v); err != nil {
			t.Fatal(err)
		}
	}
	create(t, s, Hosts, sc, host("h", nil))
	create(t, s, Hosts, sc, host("i", nil))
	set("1", Variable{Name: "DB_Password", Value: `"hunter2"`}, Variable{Name: "exactly", Value: "1"}, Variable{Name: "exact", Value: "1"}, Variable{Name: "a-b-c", Value: "1"}, Variable{Name: "a-c-b", Value: "1"})
	set("1", Variable{Name: "DB_Password", Value: `"hunter3"`})
	set("1", Variable{Name: "DB_Password", Value: `"hunter2"`})
	set("2", Variable{Name: "DB_Password", Value: `"hunter2"`})
	if err := s.Delete(t.Context(), Clouds, sc, "1"); err != nil {
		t.Fatal(err)
	}
	type side struct{ Hashed, Variables map[string]any }
	var sides []side
	for _, c := range s.all(t) {
		if strings.Contains(c.Before+c.After, "hunter") {
			t.Errorf("%+v", c)
		}
		if c.Kind == "host" && c.Action == Updated {
			var one side
			if err := json.Unmarshal([]byte(c.After), &one); err != nil {
				t.Fatal(err)
			}
			sides = append(sides, one)
		}
	}
	if d := cmp.Diff(map[string]any{"exactly": 1.0, "a-c-b": 1.0}, sides[0].Variables); d != "" || len(sides[0].Hashed) != 3 {
		t.Errorf("%v\n%s", sides[0].Hashed, d)
	}
	hash := func(i int) any { return sides[i].Hashed["DB_Password"] }
	if hash(0) == hash(1) || hash(0) != hash(2) || hash(0) == hash(3) {
		t.Error("a hash must tell whether the value of one object is another one, and nothing else:", sides)
	}
}

// TestPrune: changes before the horizon are deleted, except for the creation and last change of each object. All later
// changes remain.
func TestPrune(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	tick := time.Unix(1e9, 0)
	s.now = func() time.Time { tick = tick.Add(time.Second); return tick }
	sc := fleet(t, s)
	for i := range 3 * prunedRows / 2 { // a write with more rows than a piece
		create(t, s, Hosts, sc, host(fmt.Sprint("h", i), Values{"cell_id": int64(1)}))
	}
	if _, err := s.Move(t.Context(), Cells, sc, "1", Place{Region: new(create(t, s, Regions, sc, CreateParams{Values: Values{"name": "r2", "cloud_id": int64(1)}}))}); err != nil {
		t.Fatal(err)
	}
	randomWrites(t, s, 2, 1, 200)
	log := s.all(t)
	kept := func(horizon int64) (want []Change) {
		last := map[Object]int64{}
		for _, c := range log {
			if c.Revision <= horizon {
				last[Object{c.Kind, c.Object}] = c.Revision
			}
		}
		for _, c := range log {
			if c.Action == Created || c.Revision >= last[Object{c.Kind, c.Object}] {
				want = append(want, c)
			}
		}
		return want
	}
	newest := func() (at Cursor) {
		look(t, s, func(ctx context.Context, v *View) (err error) {
			at, err = v.Newest(ctx, sc, "host", "cell")
			return err
		})
		return at
	}
	before := newest()
	revision := log[len(log)-1].Revision
	horizon := int64(0)
	for _, at := range []int64{1, 5, 30, 29, revision - 60, revision - 20, revision} {
		horizon = max(horizon, at) // the horizon never goes back
		for _, c := range log {
			if c.Revision == at {
				if err := s.Prune(t.Context(), time.UnixMicro(int64(c.At)+1)); err != nil {
					t.Fatal(err)
				}
				break
			}
		}
		look(t, s, func(ctx context.Context, v *View) error {
			l, err := v.Log(ctx)
			if err != nil || l.Horizon != horizon || l.Newest.Revision != revision {
				t.Errorf("pruned to %d: %+v, %v", at, l, err)
			}
			for _, c := range log {
				err := v.CheckCursor(ctx, Cursor{Revision: c.Revision, Change: c.ID, N: c.N})
				if known := err == nil; known != (c.Revision > horizon) {
					t.Errorf("pruned to %d, revision %d within: %v", at, c.Revision, err)
				}
				err = v.CheckCursor(ctx, Cursor{Revision: c.Revision, Change: c.ID})
				if known := err == nil; known != (c.Revision >= horizon) {
					t.Errorf("pruned to %d, revision %d: %v", at, c.Revision, err)
				}
			}
			return v.CheckCursor(ctx, Cursor{})
		})
		if d := cmp.Diff(kept(horizon), s.all(t)); d != "" {
			t.Fatalf("pruned to %d (-want +got):\n%s", at, d)
		}
	}
	if got := newest(); got != before {
		t.Errorf("the newest change was %v, and is %v", before, got)
	}
}

// TestLogBegins: a database from before the change log has a horizon, and all later positions are valid.
func TestLogBegins(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fleet.db")
	e, err := sqlite.Open(t.Context(), path, migrations[:1], engine.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	old := newStore(e)
	old.fence.Store(0) // the old schema has no fence to read
	err = old.write(t.Context(), func(ctx context.Context, q *session) error {
		return q.exec(ctx, "INSERT INTO projects (id, name, created_at) VALUES ('5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c', 'p', 1)", nil)
	})
	if err := errors.Join(err, old.Close()); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), "sqlite:"+path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var begin Cursor
	look(t, s, func(ctx context.Context, v *View) error {
		l, err := v.Log(ctx)
		begin = l.Newest
		if l.Horizon != 1 || begin.Revision != 1 || begin.Change == "" {
			t.Errorf("%+v", l)
		}
		return errors.Join(err, v.CheckCursor(ctx, begin))
	})
	sc := Scope{Project: "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c"}
	create(t, s, Clouds, sc, CreateParams{Values: Values{"name": "c"}})
	log, next, err := readLog(t.Context(), s, sc, begin)
	if err != nil || len(log) != 1 || next.Revision != 2 {
		t.Errorf("%+v %v %v", log, next, err)
	}
	other := fresh(t)
	look(t, other, func(ctx context.Context, v *View) error {
		l, err := v.Log(ctx)
		if l.Horizon != 0 || l.Newest.Revision != 0 || l.Newest.Change == begin.Change {
			t.Errorf("%+v", l)
		}
		return errors.Join(err, v.CheckCursor(ctx, l.Newest))
	})
}

// TestDeleteInPieces deletes objects with much more data than may be in memory, in one revision.
func TestDeleteInPieces(t *testing.T) { //nolint:paralleltest // it measures the memory of the process
	enginetest.Only(t, enginetest.SQLite, enginetest.Postgres) // takes long
	defer debug.SetGCPercent(debug.SetGCPercent(20))           // makes the measurements more precise
	s := fresh(t)
	sc := fleet(t, s)
	const hosts, large = 3 * pieceRows / 2, 200 << 10
	for i := range hosts {
		n := host(fmt.Sprint("h", i), Values{"cell_id": int64(1)})
		n.Variables = []Variable{{Name: "large", Value: `"` + strings.Repeat("x", large) + `"`}}
		id := create(t, s, Hosts, sc, n)
		create(t, s, NetworkInterfaces, sc, CreateParams{Values: Values{"name": "i", "device_id": id, "interface_type": "x", "ip_address": "10.0.0.1"}})
	}
	var newest int64
	look(t, s, func(ctx context.Context, v *View) error {
		l, err := v.Log(ctx)
		newest = l.Newest.Revision
		return err
	})
	stop, most := make(chan struct{}), make(chan uint64)
	held := func() uint64 { // live memory only: garbage depends on when the collector runs
		m := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(m)
		return m[0].Value.Uint64()
	}
	runtime.GC()
	base := held()
	go func() {
		var peak uint64
		for {
			select {
			case <-stop:
				most <- peak
				return
			case <-time.After(5 * time.Millisecond):
				peak = max(peak, held())
			}
		}
	}()
	if err := s.Delete(t.Context(), Clouds, sc, "1"); err != nil {
		t.Fatal(err)
	}
	close(stop)
	peak := <-most
	t.Logf("%d MB of variables took %d MB of memory", hosts*large>>20, (peak-base)>>20)
	if peak > base+3*fullViewBytes {
		t.Errorf("%d MB of variables took %d MB of memory", hosts*large>>20, (peak-base)>>20)
	}
	gone := map[string]int{}
	look(t, s, func(ctx context.Context, v *View) error {
		_, _, err := v.Changes(ctx, sc, ChangesParams{Kinds: kindNames(), Limit: 10 * hosts}, func(c *Change) error {
			if c.Action == Deleted {
				gone[c.Kind]++
				if c.Revision != newest+1 || c.Kind == "host" && len(c.Before) < large {
					t.Errorf("revision %d: %s %s with %d bytes", c.Revision, c.Kind, c.Path, len(c.Before))
				}
			}
			return nil
		})
		return err
	})
	if d := cmp.Diff(map[string]int{"host": hosts, "network-interface": hosts, "cell": 1, "region": 1, "cloud": 1}, gone); d != "" {
		t.Error(d)
	}
}
