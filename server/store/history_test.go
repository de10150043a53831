package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// moment is the state of the fleet after one revision, read from the tables.
type moment struct {
	own      fleetState
	resolved map[string]map[string]string // values by object and key
}

// readMoment reads all objects and their resolved variables.
func readMoment(ctx context.Context, v *View) (m moment, err error) {
	m.resolved = map[string]map[string]string{}
	if m.own, err = readState(ctx, v, everything...); err != nil {
		return m, err
	}
	for _, e := range everything {
		err := v.Walk(ctx, e, Scope{All: true}, List{Sort: []string{"created_at"}, Limit: 100}, func(p *Page) error {
			return v.Sets(ctx, e, p.Rows, Resolved, func(i int, set Set) error {
				values := map[string]string{}
				for x, err := range set.All() {
					if err != nil {
						return err
					}
					values[x.Name] = x.Value
				}
				m.resolved[e.of.Name+" "+idText(p.Rows[i][e.Index(e.key)])] = values
				return nil
			})
		})
		if err != nil {
			return m, err
		}
	}
	return m, nil
}

// moments runs one random writer, and returns the states after all revisions. The first one is the state before the
// first revision.
func moments(t *testing.T, s *Store, steps int) []moment {
	t.Helper()
	seed := rand.Uint64()
	t.Log("seed", seed)
	all := []moment{{own: fleetState{}}}
	look := func() error {
		return s.View(t.Context(), true, func(ctx context.Context, v *View) error {
			l, err := v.Log(ctx)
			if err != nil || int(l.Newest.Revision) < len(all) {
				return err
			}
			if int(l.Newest.Revision) > len(all) {
				return fmt.Errorf("revision %d was not seen", len(all))
			}
			m, err := readMoment(ctx, v)
			all = append(all, m)
			return err
		})
	}
	randomWrites(t, s, seed, 1, steps, look)
	return all
}

// changed returns the differences of an object between two states, as lines.
func changed(was, is moment, object string) (lines []string) {
	a, b := was.own[object], is.own[object]
	none := &objectState{}
	if a == nil {
		a = none
	}
	if b == nil {
		b = none
	}
	lines = differing("field ", a.Columns, b.Columns)
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "field updated_at:") })
	if !slices.Equal(a.Labels, b.Labels) {
		lines = append(lines, fmt.Sprint("labels: ", a.Labels, b.Labels))
	}
	if lines = append(lines, differing("key ", was.resolved[object], is.resolved[object])...); len(lines) == 0 {
		return nil
	}
	return lines
}

// jsonOf returns a column's value in the form of [readState].
func jsonOf(v any) string {
	if m, ok := v.(Micros); ok {
		v = time.UnixMicro(int64(m)).UTC().Format("2006-01-02T15:04:05.000000")
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func differing(what string, was, is map[string]string) (lines []string) {
	names := maps.Clone(was)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, is)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if a, b := was[name], is[name]; a != b {
			lines = append(lines, what+name+": "+a+" > "+b)
		}
	}
	return lines
}

// ofKeys reports whether a field is about API keys, which states do not have.
func ofKeys(f Field) bool { return f.Name == memberNewKey || f.Name == memberKey }

// told returns the differences in an event, in the same form as changed. It checks that the objects that values come
// from have these values.
func told(t *testing.T, e *Event, was, is moment) (lines []string) {
	t.Helper()
	text := func(v any) string {
		if v == nil {
			return ""
		}
		return jsonOf(v)
	}
	for _, f := range e.Fields {
		if !ofKeys(f) {
			lines = append(lines, "field "+f.Name+": "+text(f.Before)+" > "+text(f.After))
		}
	}
	if e.Labelled {
		lines = append(lines, fmt.Sprint("labels: ", e.Labels[0], e.Labels[1]))
	}
	for _, k := range e.Keys {
		value := func(v *Value, at moment) string {
			if v == nil {
				return ""
			}
			from := at.own[v.From.Kind+" "+v.From.ID]
			if from == nil || from.Variables[k.Name] != v.Text {
				t.Errorf("%s is not from %+v", k.Name, v.From)
			} else if name := at.own.path(v.From.Kind, from); v.From.Name != name && !strings.HasSuffix(name, "/"+v.From.Name) {
				t.Errorf("%+v is called %s", v.From, name)
			}
			return v.Text
		}
		lines = append(lines, "key "+k.Name+": "+value(k.Before, was)+" > "+value(k.After, is))
	}
	return lines
}

// history reads the entire history of an object, in pages.
func history(t *testing.T, s *Store, l HistoryParams) (all []Event, end HistoryPage) {
	t.Helper()
	all = pages(t, s, l, func(_ int, of HistoryPage) { end = of })
	return all, end
}

// pages reads a history, and calls fn after each page.
func pages(t *testing.T, s *Store, l HistoryParams, fn func(n int, end HistoryPage)) (all []Event) {
	t.Helper()
	for n := 0; ; n++ {
		var end HistoryPage
		err := s.View(t.Context(), true, func(ctx context.Context, v *View) (err error) {
			end, err = v.History(ctx, Scope{All: true}, l, func(e *Event) error {
				all = append(all, *e)
				return nil
			})
			return err
		})
		if err != nil {
			t.Fatalf("%+v: %v", l, err)
		}
		if fn(n, end); !end.More {
			return all
		}
		l.Before = ParseCursor(end.Next.String())
	}
}

// TestHistoryAgreesWithStates: the history of every object that ever existed, in pages of any size, has the differences
// between the states at consecutive revisions. The difference between any two revisions agrees with the states too.
func TestHistoryAgreesWithStates(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	s.passed = 1 + rand.IntN(5)
	all := moments(t, s, enginetest.Size(200, 500))
	objects := map[string]bool{}
	for _, m := range all {
		for name := range m.own {
			objects[name] = true
		}
	}
	events := 0
	for _, name := range slices.Sorted(maps.Keys(objects)) {
		kind, id, _ := strings.Cut(name, " ")
		found, end := history(t, s, HistoryParams{Object: Object{kind, id}, Kinds: kindNames(), Limit: 1 + rand.IntN(9)})
		if !end.Complete {
			t.Errorf("the history of %s is not whole", name)
		}
		for at := len(all) - 1; at > 0; at-- {
			want := changed(all[at-1], all[at], name)
			if len(found) > 0 && found[0].Revision == int64(at) {
				e := found[0]
				found = found[1:]
				events++
				if want == nil && slices.ContainsFunc(e.Fields, ofKeys) {
					continue
				}
				if d := cmp.Diff(want, told(t, &e, all[at-1], all[at])); d != "" || want == nil {
					t.Errorf("%s at revision %d (-states +history): %s", name, at, d)
				}
			} else if want != nil {
				t.Errorf("%s at revision %d: there is no event of %q", name, at, want)
			}
		}
		if len(found) > 0 {
			t.Errorf("%s: events of no revision: %+v", name, found)
		}
	}
	t.Log(len(objects), "objects,", len(all), "revisions,", events, "events")
	keyHistories(t, s, slices.Sorted(maps.Keys(objects)))
	sum := 0
	for range 60 {
		from, to := rand.IntN(len(all)), rand.IntN(len(all))
		for _, name := range slices.Collect(maps.Keys(objects))[:min(10, len(objects))] {
			kind, id, _ := strings.Cut(name, " ")
			var got []string
			err := s.View(t.Context(), true, func(ctx context.Context, v *View) error {
				e, err := v.DiffObject(ctx, Scope{All: true}, Object{kind, id}, int64(from), int64(to))
				if e != nil {
					got = told(t, e, all[from], all[to])
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(changed(all[from], all[to], name), got); d != "" {
				t.Errorf("%s from %d to %d (-states +diff): %s", name, from, to, d)
			}
			sum += len(got)
		}
		differences(t, s, all, from, to)
	}
	t.Log(sum, "differences")
}

// keyHistories checks that the history of a single variable has exactly the object's events that affect the variable.
func keyHistories(t *testing.T, s *Store, objects []string) {
	t.Helper()
	type told struct {
		Revision int64
		Key      Key
	}
	flat := func(events []Event, into map[string][]told) {
		for _, e := range events {
			for _, k := range e.Keys {
				for _, v := range []*Value{k.Before, k.After} {
					if v != nil {
						v.of, v.held = nil, held{}
					}
				}
				into[k.Name] = append(into[k.Name], told{e.Revision, k})
			}
		}
	}
	compared := 0
	for _, name := range objects {
		kind, id, _ := strings.Cut(name, " ")
		l := HistoryParams{Object: Object{kind, id}, Kinds: kindNames(), Limit: 1 + rand.IntN(20)}
		all, _ := history(t, s, l)
		want := map[string][]told{"never": nil}
		flat(all, want)
		for key := range want {
			if key != "never" && rand.IntN(3) > 0 {
				continue
			}
			l.Key, l.Limit = key, 1+rand.IntN(5)
			some, end := history(t, s, l)
			got := map[string][]told{key: nil}
			flat(some, got)
			if d := cmp.Diff(want[key], got[key], cmp.AllowUnexported(Value{}, held{}), cmp.Comparer(func(a, b *timeline) bool { return a == b })); d != "" || len(got) > 1 || !end.Complete {
				t.Errorf("%s of %s (-all +only it): %s", key, name, d)
			}
			for _, e := range some {
				if len(e.Fields) > 0 || e.Labelled {
					t.Errorf("%s of %s: %+v", key, name, e)
				}
			}
			compared += len(some)
		}
	}
	t.Log(compared, "events of single variables")
}

// differences compares the difference of the fleet between two revisions with the states.
func differences(t *testing.T, s *Store, all []moment, from, to int) {
	t.Helper()
	got, want := map[string][]string{}, map[string][]string{}
	own := func(m moment) moment {
		m.resolved = map[string]map[string]string{}
		for name, o := range m.own {
			m.resolved[name] = o.Variables
		}
		return m
	}
	was, is := own(all[from]), own(all[to])
	objects := maps.Clone(was.own)
	maps.Copy(objects, is.own)
	for name := range objects {
		if lines := changed(was, is, name); lines != nil {
			what := Updated
			if was.own[name] == nil {
				what = Created
			} else if is.own[name] == nil {
				what = Deleted
			}
			want[name] = append([]string{what}, lines...)
		}
	}
	err := s.View(t.Context(), true, func(ctx context.Context, v *View) error {
		return v.Diff(ctx, Scope{All: true}, kindNames(), int64(from), int64(to), func(e *Event) error {
			name := e.Kind + " " + e.Object
			if got[name] != nil {
				t.Errorf("%s is there twice", name)
			}
			got[name] = append([]string{e.Action}, told(t, e, moment{own: renamed(was.own, e)}, moment{own: renamed(is.own, e)})...)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("from %d to %d (-states +diff): %s", from, to, d)
	}
}

// renamed returns a state in which an object has the name in the event's path. A difference has the name from the later
// revision.
func renamed(f fleetState, e *Event) fleetState {
	o := f[e.Kind+" "+e.Object]
	if o == nil {
		return f
	}
	c := *o
	c.Columns = maps.Clone(o.Columns)
	title := entityOf(e.Kind).of.Title
	name := e.Path[strings.LastIndexByte(e.Path, '/')+1:]
	c.Columns[title] = jsonOf(name)
	return fleetState{e.Kind + " " + e.Object: &c}
}

// TestHistoryCost: changes of unrelated objects do not affect the cost of a history, and many shadowed changes cost one
// statement.
func TestHistoryCost(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	project, _, err := s.Bootstrap(t.Context(), "bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	sc := Scope{Project: project}
	create := func(e *Entity, v Values) string {
		row, err := s.Create(t.Context(), e, sc, CreateParams{Values: v, Variables: []Variable{{Name: "own", Value: "1"}}})
		if err != nil {
			t.Fatal(err)
		}
		return idText(row[e.Index("id")])
	}
	cloud := create(Clouds, Values{"name": "c"})
	region := create(Regions, Values{"name": "r", "cloud_id": int64(1)})
	host := func(name string) string {
		return create(Hosts, Values{"name": name, "ip_address": "10.0.0.1", "device_type": "x", "cloud_id": int64(1), "region_id": int64(1)})
	}
	set := func(e *Entity, id, key string, times int) {
		for i := range times {
			if err := s.SetVariables(t.Context(), e, sc, id, []Variable{{Name: key, Value: fmt.Sprint(i + 10)}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	one, other := host("one"), host("other")
	set(Clouds, cloud, "seen", 20)
	cost := func() (statements int64, first Event) {
		before := s.statements.Load()
		err := s.View(t.Context(), false, func(ctx context.Context, v *View) error {
			_, err := v.History(ctx, sc, HistoryParams{Object: Object{"host", one}, Kinds: kindNames(), Limit: 10}, func(e *Event) error {
				if first.ID == "" {
					first = *e
				}
				return nil
			})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return s.statements.Load() - before, first
	}
	few, newest := cost()
	before := s.statements.Load()
	l := HistoryParams{Object: Object{"cloud", cloud}, Kinds: kindNames(), Limit: 2}
	pages(t, s, l, func(n int, _ HistoryPage) {
		now := s.statements.Load()
		if cost := now - before; n > 0 && cost > 10 {
			t.Errorf("page %d took %d statements", n, cost)
		}
		before = now
	})
	set(Hosts, other, "seen", 100)
	many, again := cost()
	set(Regions, region, "own", 400) // shadowed by the host's own value
	shadowed, still := cost()
	if few > 30 || many != few || shadowed > few+8 {
		t.Errorf("%d statements, %d behind changes of others, %d behind such that are shadowed", few, many, shadowed)
	}
	if newest.Kind != "cloud" || again.ID != newest.ID || still.ID != newest.ID {
		t.Errorf("%+v, then %+v and %+v", newest, again, still)
	}
}
