package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/server/internal/enginetest"
	"github.com/craton-fleet/craton/server/internal/varquery"
)

// at returns the past state after a revision, which is released at the end of the test.
func at(t testing.TB, s *Store, revision int64) (*Store, error) {
	t.Helper()
	var c Cursor
	err := s.View(t.Context(), false, func(ctx context.Context, v *View) (err error) {
		c, err = v.AtRevision(ctx, revision)
		return err
	})
	if err != nil {
		return nil, err
	}
	fleet, release, err := s.At(t.Context(), c)
	if err == nil {
		t.Cleanup(release)
	}
	return fleet, err
}

// state returns the state of a store without users, which past states do not have.
func state(ctx context.Context, s *Store) (f fleetState, err error) {
	err = s.View(ctx, true, func(ctx context.Context, v *View) (err error) {
		kinds := everything
		if s.past != nil {
			kinds = slices.DeleteFunc(slices.Clone(kinds), func(e *Entity) bool { return e == Users })
		}
		f, err = readState(ctx, v, kinds...)
		return err
	})
	maps.DeleteFunc(f, func(name string, _ *objectState) bool { return strings.HasPrefix(name, "user ") })
	return f, err
}

// TestPast runs several random writers. The past state at each revision at which the tables were read must equal the
// state of the tables.
func TestPast(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	_, seen := written(t, s, nil)
	revisions := slices.Sorted(maps.Keys(seen))
	for len(revisions) > enginetest.Size(8, 50) { // check only some of them, including the first and the last
		i := 1 + len(revisions)/2
		revisions = slices.Delete(revisions, i, i+1)
	}
	for _, revision := range revisions {
		var c Cursor
		if err := s.View(t.Context(), false, func(ctx context.Context, v *View) (err error) {
			c, err = v.AtRevision(ctx, revision)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		fleet, release, err := s.At(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		is, err := state(t.Context(), fleet)
		if err != nil {
			t.Fatal(err)
		}
		want := maps.Clone(seen[revision])
		maps.DeleteFunc(want, func(name string, _ *objectState) bool { return strings.HasPrefix(name, "user ") })
		if d := cmp.Diff(want, is); d != "" {
			t.Fatalf("revision %d:\n%s", revision, d)
		}
		parts(t, s, fleet, c, slices.Sorted(maps.Keys(is)))
		release()
		release() // has no effect
	}
	t.Log(len(revisions), "of", len(seen), "states")
}

// parts compares objects in parts of a past state with the complete past state.
func parts(t *testing.T, s, whole *Store, at Cursor, objects []string) {
	t.Helper()
	rand.Shuffle(len(objects), func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
	for _, name := range objects[:min(len(objects), enginetest.Size(4, 12))] {
		kind, id, _ := strings.Cut(name, " ")
		e := entityOf(kind)
		look := func(s *Store, p Part) (found []string) {
			err := s.View(t.Context(), false, func(ctx context.Context, v *View) error {
				row, err := v.Get(ctx, e, Scope{All: true}, id)
				if err != nil {
					return err
				}
				title := row[e.Index(e.of.Title)]
				unsaid := func(rows ...Row) []Row { // clears columns that only the tables have
					for _, row := range rows {
						if i := e.Index("seq"); i >= 0 {
							row[i] = nil
						}
					}
					return rows
				}
				filter := Filter{Column: e.of.Title, Value: title}
				if p.ID != "" { // a part may not contain other objects with the name
					filter = Filter{Column: "id", Value: row[e.Index("id")]}
				}
				page, err := v.List(ctx, e, Scope{All: true}, List{Filters: []Filter{filter}, Sort: []string{"id"}, Limit: 100, Labels: true})
				if err != nil {
					return err
				}
				found = append(found, fmt.Sprint(title), fmt.Sprint(unsaid(row), page.Labels))
				err = v.Sets(ctx, e, page.Rows, Resolved, func(_ int, set Set) error {
					for x, err := range set.All() {
						found = append(found, fmt.Sprint(x, err))
					}
					return nil
				})
				found = append(found, fmt.Sprint(unsaid(page.Rows...)))
				return err
			})
			if err != nil {
				t.Errorf("%s behind %s: %v", name, at, err)
			}
			return found
		}
		own := Part{Object: Object{kind, id}}
		for _, p := range []Part{own, {Object: Object{Kind: kind}, Name: look(whole, own)[0]}} {
			part, err := s.buildPart(t.Context(), at, p)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(look(whole, p), look(part, p)); d != "" {
				t.Errorf("%+v behind %s (-all +part):\n%s", p, at, d)
			}
			if err := part.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestPastParts: after requests for many parts of a past state, or for a part with very many objects, the complete
// state is built.
func TestPastParts(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	create(t, s, Hosts, sc, host("h", nil))
	var c Cursor
	err := s.View(t.Context(), false, func(ctx context.Context, v *View) (err error) {
		log, err := v.Log(ctx)
		c = log.Newest
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxParts + 2 {
		_, release, err := s.AtPart(t.Context(), c, Part{Object: Object{Kind: "host"}, Name: "h"})
		if err != nil {
			t.Fatal(err)
		}
		if open, parts := len(s.pasts.open), s.pasts.partsOpen; open != max(0, min(1, i+1-maxParts)) || parts != 1-open {
			t.Errorf("after %d there are %d states and %d parts", i+1, open, parts)
		}
		release()
		release() // has no effect
	}
	for i := range maxPartObjects { // each in a region of its own
		region := create(t, s, Regions, sc, CreateParams{Values: Values{"name": fmt.Sprint("many", i), "cloud_id": int64(1)}})
		h := host("h", nil)
		h.Values["region_id"] = region
		create(t, s, Hosts, sc, h)
	}
	err = s.View(t.Context(), false, func(ctx context.Context, v *View) error {
		_, err := v.namedAt(ctx, Part{Object: Object{Kind: "host"}, Name: "h"}, c.Revision)
		return err
	})
	if !errors.Is(err, errPartTooLarge) {
		t.Errorf("%d objects are no wide part: %v", maxPartObjects+1, err)
	}
}

// TestPastByTime requests states at times around those of changes.
func TestPastByTime(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	clock := time.Now().Add(-time.Hour).Truncate(time.Second)
	s.now = func() time.Time { return clock }
	s.opened = Micros(clock.UnixMicro())
	sc := fleet(t, s) // makes four writes
	for range 3 {
		clock = clock.Add(time.Minute)
		if err := s.SetVariables(t.Context(), Clouds, sc, "1", []Variable{{Name: "at", Value: `"` + clock.String() + `"`}}); err != nil {
			t.Fatal(err)
		}
	}
	first := clock.Add(-2 * time.Minute)
	ask := func(at time.Time) (c Cursor, err error) {
		err = s.View(t.Context(), false, func(ctx context.Context, v *View) (err error) {
			c, err = v.AtTime(ctx, Micros(at.UnixMicro()))
			return err
		})
		return c, err
	}
	for at, want := range map[time.Time]int64{
		first.Add(-time.Microsecond): 4, first: 5, first.Add(59 * time.Second): 5, first.Add(time.Minute): 6, clock: 7, clock.Add(time.Minute): 7,
	} {
		if c, err := ask(at); err != nil || c.Revision != want || c.Change == "" {
			t.Errorf("%s is %v, %v instead of revision %d", at, c, err, want)
		}
	}
	if c, err := ask(clock.Add(time.Hour)); !IsCode(err, Invalid) {
		t.Errorf("a time to come is %v, %v", c, err)
	}
	if c, err := ask(first.Add(-time.Hour)); !IsCode(err, BeforeHorizon) {
		t.Errorf("a time before everything is %v, %v", c, err)
	}
	if err := s.Prune(t.Context(), first.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if c, err := ask(first.Add(-time.Second)); !IsCode(err, BeforeHorizon) || !strings.Contains(err.Error(), "revision 5") {
		t.Errorf("a time before the horizon is %v, %v", c, err)
	}
	for _, at := range []time.Time{first, first.Add(time.Second)} {
		if c, err := ask(at); err != nil || c.Revision != 5 {
			t.Errorf("the horizon, %s, is %v, %v", at, c, err)
		}
	}
	for _, revision := range []int64{-1, 0, 4, 8} {
		if _, err := at(t, s, revision); err == nil {
			t.Errorf("there is a revision %d", revision)
		}
	}
	if fleet, err := at(t, s, 5); err != nil {
		t.Error(err)
	} else if _, err := fleet.Get(t.Context(), Clouds, sc, "1"); err != nil {
		t.Error(err)
	}
	err := s.View(t.Context(), false, func(ctx context.Context, v *View) error {
		_, err := v.AtCursor(ctx, Cursor{Revision: 6, Change: "0123456789abcdef"})
		return err
	})
	if !errors.As(err, new(*UnknownCursorError)) {
		t.Errorf("another database's cursor: %v", err)
	}
}

// TestPastNotRetained requests values for which the log only has a hash.
func TestPastNotRetained(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	s.ConcealKeys([]string{"*password*"})
	sc := fleet(t, s)
	h := create(t, s, Hosts, sc, CreateParams{
		Values:    Values{"name": "h", "cloud_id": int64(1), "region_id": int64(1), "ip_address": "10.0.0.1", "device_type": "server"},
		Variables: []Variable{{Name: "a", Value: "1"}, {Name: "password", Value: `"one"`}},
	})
	id := idText(h)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.SetVariables(t.Context(), Regions, sc, "1", []Variable{{Name: "password", Value: `"far"`}}))
	must(s.SetVariables(t.Context(), Hosts, sc, id, []Variable{{Name: "password", Value: `"two"`}}))
	must(s.SetVariables(t.Context(), Hosts, sc, id, []Variable{{Name: "a", Value: "2"}}))
	read := func(revision int64, omit bool, l List) (got map[string]string, err error) {
		fleet, err := at(t, s, revision)
		must(err)
		err = fleet.View(t.Context(), true, func(ctx context.Context, v *View) error {
			if omit {
				v.OmitUnkept()
			}
			l.Sort, l.Limit = []string{"id"}, 10
			page, err := v.List(ctx, Hosts, sc, l)
			if err != nil {
				return err
			}
			got = map[string]string{}
			return v.Sets(ctx, Hosts, page.Rows, Resolved, func(_ int, set Set) error {
				for x, err := range set.All() {
					if err != nil {
						return err
					}
					got[x.Name] = x.Value
				}
				return nil
			})
		})
		return got, err
	}
	for revision, want := range map[int64]map[string]string{5: {"a": "1"}, 6: {"a": "1"}, 7: {"a": "1", "password": `"two"`}, 8: {"a": "2", "password": `"two"`}} {
		got, err := read(revision, false, List{})
		if hidden := want["password"] == ""; hidden != IsCode(err, NotRetained) || hidden && !strings.Contains(err.Error(), "password of the host") {
			t.Errorf("revision %d: %v, %v", revision, got, err)
		}
		if got, err = read(revision, true, List{}); err != nil || !maps.Equal(got, want) {
			t.Errorf("revision %d without what is not known: %v, %v", revision, got, err)
		}
	}
	if _, err := read(5, false, List{Vars: terms(t, `password:"one"`), VarsOfAll: true}); !IsCode(err, NotRetained) {
		t.Errorf("a filter by what is not known: %v", err)
	}
	if got, err := read(5, false, List{Vars: terms(t, "a:2")}); err != nil || len(got) > 0 {
		t.Errorf("a filter that nothing passes: %v, %v", got, err)
	}
}

func terms(t *testing.T, filter string) []varquery.Term {
	t.Helper()
	parsed, err := varquery.Parse(filter)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestPastsAtOnce: concurrent requests share a few states, and fail if there are too many states.
func TestPastsAtOnce(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite)
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			fleet, err := at(t, s, int64(1+i%4))
			if err != nil {
				t.Error(err)
				return
			}
			want := []string{"0", "1"}[min(i%4, 1)]
			page, err := fleet.List(t.Context(), Clouds, sc, List{Sort: []string{"id"}, Limit: 10})
			if err != nil || len(page.Rows) != int(want[0]-'0') {
				t.Errorf("revision %d has %v, %v", 1+i%4, page, err)
			}
		})
	}
	wg.Wait()
	if _, err := at(t, s, 0); !errors.Is(err, ErrTooManyPasts) {
		t.Errorf("a fifth state: %v", err)
	}
}
