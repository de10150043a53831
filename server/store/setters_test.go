package store

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// settersOf determines the changes that set an object's variables, from all of its changes up to a revision.
func settersOf(t *testing.T, log []Change, sc Scope, o Object, at int64) (all []place) {
	t.Helper()
	keys := map[string]place{}
	for i := range log {
		c := &log[i]
		if c.Kind != o.Kind || c.Object != o.ID || c.Revision > at || !sc.All && sc.Project != c.Project {
			continue
		}
		before, after, err := c.sides(entityOf(c.Kind))
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range before.keys() {
			delete(keys, key)
		}
		if c.Action != Deleted {
			for _, key := range after.keys() {
				keys[key] = place{c.Revision, c.N}
			}
		}
	}
	found := map[place]bool{}
	for _, at := range keys {
		found[at] = true
	}
	for i := range log {
		if at := (place{log[i].Revision, log[i].N}); found[at] && log[i].Kind == o.Kind && log[i].Object == o.ID {
			all = append(all, at)
		}
	}
	return all
}

// told returns the changes that the store returns.
func (s *Store) told(t *testing.T, sc Scope, o Object, at int64) (all []place) {
	t.Helper()
	look(t, s, func(ctx context.Context, v *View) error {
		all = nil
		return v.Setters(ctx, sc, o, at, func(c *Change) error {
			if c.Kind != o.Kind || c.Object != o.ID {
				t.Errorf("a change of %s %s is told of %v", c.Kind, c.Object, o)
			}
			all = append(all, place{c.Revision, c.N})
			return nil
		})
	})
	return all
}

// TestSetters compares the changes that set the variables of all objects of a random log, now and at some past
// revisions, with those determined from all changes.
func TestSetters(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	randomWrites(t, s, 3, 1, 400)
	for round := range 2 { // the second round uses the cache
		log := s.all(t)
		newest := log[len(log)-1].Revision
		seen := map[Object]bool{}
		for _, c := range log {
			o := Object{c.Kind, c.Object}
			if seen[o] {
				continue
			}
			seen[o] = true
			for _, sc := range []Scope{{All: true}, {Project: c.Project}, {Project: "none"}} {
				for _, at := range []int64{newest, newest / 2, newest / 5, c.Revision} {
					if d := cmp.Diff(settersOf(t, log, sc, o, at), s.told(t, sc, o, at), cmp.AllowUnexported(place{})); d != "" {
						t.Fatalf("round %d, %v behind %d in %v:\n%s", round, o, at, sc, d)
					}
				}
			}
		}
		randomWrites(t, s, 4, 1, 100)
	}
}

// TestSettersOfLongLogs: all changes of an object that changes often are read once, and then only new ones.
func TestSettersOfLongLogs(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	o := Object{"cell", "1"}
	set := func(key string, value any) {
		t.Helper()
		if err := s.SetVariables(t.Context(), Cells, sc, o.ID, []Variable{{Name: key, Value: fmt.Sprint(value)}}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, most int64) {
		t.Helper()
		log := s.all(t)
		before := s.statements.Load()
		got := s.told(t, sc, o, log[len(log)-1].Revision)
		if n := s.statements.Load() - before; n > most {
			t.Errorf("%s: %d statements", what, n)
		}
		if d := cmp.Diff(settersOf(t, log, sc, o, log[len(log)-1].Revision), got, cmp.AllowUnexported(place{})); d != "" {
			t.Errorf("%s:\n%s", what, d)
		}
	}
	set("old", 1)
	set("gone", 1)
	for i := range 3 * minCachedSetterRows {
		set("build", i)
	}
	check("the first look", 9)
	kept := s.setters.take(settersID{o, sc})
	if kept == nil || len(kept.keys) != 3 {
		t.Fatalf("%+v is kept", kept)
	}
	check("the second", 6)
	set("build", "true")
	check("behind one more change", 6)
	if err := s.DeleteVariables(t.Context(), Cells, sc, o.ID, []string{"gone"}); err != nil {
		t.Fatal(err)
	}
	check("without a variable", 6)
	set("gone", 2)
	check("with it again", 6)
	for i := range 4 * maxSetters / 1000 { // results for other objects: the size of the cache is limited
		s.setters.keep(settersID{Object{"host", fmt.Sprint(i)}, sc}, &setBy{keys: map[string]place{fmt.Sprintf("%01000d", i): {1, 1}}})
	}
	if s.setters.size > maxSetters || len(s.setters.of) != len(s.setters.last) || len(s.setters.of) > maxSetters/1000 {
		t.Errorf("%d bytes of %d objects are kept", s.setters.size, len(s.setters.of))
	}
	check("when others were looked at", 9)
}
