package store

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/server/internal/enginetest"
)

func anything(string, string) error { return nil }

// everythingIn returns the state of a store without updated_at, which an undo changes.
func everythingIn(t testing.TB, s *Store) fleetState {
	t.Helper()
	var f fleetState
	err := s.View(t.Context(), true, func(ctx context.Context, v *View) (err error) {
		f, err = readState(ctx, v, everything...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f.placed(t)
	for _, o := range f {
		delete(o.Columns, "updated_at")
	}
	return f
}

// placed checks that each object has the same region as its cell, and the same cloud as its region.
func (f fleetState) placed(t testing.TB) {
	t.Helper()
	for name, o := range f {
		for _, in := range []struct{ kind, column, agrees string }{{"cell ", "cell_id", "region_id"}, {"region ", "region_id", "cloud_id"}} {
			id, ok := o.Columns[in.column]
			if outer := f[in.kind+id]; ok && outer != nil && outer.Columns[in.agrees] != o.Columns[in.agrees] {
				t.Errorf("%s is in %s%s, and not in its %s: %s, %s", name, in.kind, id, in.agrees, o.Columns[in.agrees], outer.Columns[in.agrees])
			}
		}
	}
}

func lastWrite(t testing.TB, s *Store) (c Cursor) {
	t.Helper()
	err := s.View(t.Context(), false, func(ctx context.Context, v *View) error {
		l, err := v.Log(ctx)
		c = l.Newest
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestUndoUndo undoes each of many random writes, and undoes the undo: the fleet must be as before the write, and then
// as after it. Occasionally it undoes an older write. If that is refused, nothing may have changed.
func TestUndoUndo(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	seed := rand.Uint64()
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 99))
	was, at := everythingIn(t, s), lastWrite(t, s)
	all := Scope{All: true}
	undone, older, refused := 0, 0, map[Code]int{}
	randomWrites(t, s, seed, 1, enginetest.Size(200, 1000), func() error {
		now := lastWrite(t, s)
		if now == at {
			return nil
		}
		is := everythingIn(t, s)
		defer func() { was, at = is, lastWrite(t, s) }()
		if at.Revision > 0 { // except for the first write
			first, err := s.Undo(t.Context(), all, UndoParams{At: now, May: anything})
			if err != nil {
				return fmt.Errorf("undo of %v: %w", now, err)
			}
			if d := cmp.Diff(was, everythingIn(t, s)); d != "" {
				return fmt.Errorf("after the undo of %v:\n%s", now, d)
			}
			if first.At != (Cursor{}) {
				undone++
				if _, err := s.Undo(t.Context(), all, UndoParams{At: first.At, May: anything}); err != nil {
					return fmt.Errorf("undo of the undo of %v: %w", now, err)
				}
				if d := cmp.Diff(is, everythingIn(t, s)); d != "" {
					return fmt.Errorf("after the undo of the undo of %v:\n%s", now, d)
				}
			}
		}
		if r.IntN(3) > 0 {
			return nil
		}
		u := UndoParams{At: Cursor{Revision: 1 + r.Int64N(now.Revision)}, May: anything}
		u.Check = true
		plan, planErr := s.Undo(t.Context(), all, u)
		if d := cmp.Diff(is, everythingIn(t, s)); d != "" {
			return fmt.Errorf("a check of revision %d did something:\n%s", u.At.Revision, d)
		}
		u.Check, u.Force = false, r.IntN(2) == 0
		done, err := s.Undo(t.Context(), all, u)
		if err != nil {
			for code := range NotRetained + 1 {
				if IsCode(err, code) {
					refused[code]++
				}
			}
			if d := cmp.Diff(is, everythingIn(t, s)); d != "" {
				return fmt.Errorf("a refused undo did something: %w\n%s", err, d)
			}
			if planErr == nil && len(plan.Conflicts) == 0 {
				return fmt.Errorf("undo of %d: %w, and the check said nothing of it", u.At.Revision, err)
			}
			if !IsCode(err, PreconditionFailed) && !IsCode(err, Conflict) && !IsCode(err, InUse) && !IsCode(err, Invalid) {
				return fmt.Errorf("undo of %d: %w", u.At.Revision, err)
			}
			return nil
		}
		older++
		if planErr != nil || !u.Force && !cmp.Equal(plan.Counts, done.Counts) {
			return fmt.Errorf("undo of %d did %v, the check said %v, %w", u.At.Revision, done, plan, planErr)
		}
		if done.At == (Cursor{}) {
			return nil
		}
		if _, err := s.Undo(t.Context(), all, UndoParams{At: done.At, May: anything}); err != nil {
			return fmt.Errorf("undo of %v, which undid %d: %w", done.At, u.At.Revision, err)
		}
		if d := cmp.Diff(is, everythingIn(t, s)); d != "" {
			return fmt.Errorf("after the undo of the undo of %d:\n%s", u.At.Revision, d)
		}
		return nil
	})
	t.Log(undone, "undone at once,", older, "later, refused:", refused)
	if undone == 0 {
		t.Error("the test shows less than it should")
	}
	log, _, err := readLog(t.Context(), s, all, Cursor{})
	if err != nil {
		t.Fatal(err)
	}
	if err := compare(s, log, map[int64]fleetState{lastWrite(t, s).Revision: whole(t, s)}); err != nil {
		t.Error(err)
	}
}

func whole(t testing.TB, s *Store) (f fleetState) {
	t.Helper()
	err := s.View(t.Context(), true, func(ctx context.Context, v *View) (err error) {
		f, err = readState(ctx, v, everything...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestUndoCloud deletes a cloud with thousands of hosts, 12,000 in `make proof`, and undoes that.
func TestUndoCloud(t *testing.T) { //nolint:paralleltest // it takes long even alone
	enginetest.Only(t, enginetest.SQLite, enginetest.Postgres)
	s := fresh(t)
	sc := fleet(t, s)
	create(t, s, Networks, sc, CreateParams{Values: Values{"name": "n", "cidr": "10.0.0.0/8", "gateway": "g", "netmask": "m", "cloud_id": int64(1), "region_id": int64(1)}})
	hosts := enginetest.Size(2000, 12_000)
	database := s.Name()
	if enginetest.Now() == enginetest.SQLite {
		database = "sqlite:" + database
	}
	numbers := fmt.Sprintf("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) ", hosts)
	enginetest.Exec(t, database, "INSERT INTO devices (id, type, project_id, cloud_id, region_id, cell_id, parent_id, name, ip_address, device_type, active, created_at) "+numbers+
		"SELECT i, CASE WHEN i % 100 = 0 THEN 'network_devices' ELSE 'hosts' END, '"+sc.Project+"', 1, 1, CASE WHEN i % 2 = 0 THEN 1 END, NULL, 'h' || i, '10.0.0.1', 'server', i % 3 = 0, 1700000000 + i / 100 FROM n")
	enginetest.Exec(t, database, "UPDATE devices SET parent_id = CASE WHEN id % 2 = 0 THEN id + 2 ELSE id - 2 END WHERE id > 2 AND id < 1900 AND id % 5 > 0") // parents with higher and with lower ids
	enginetest.Exec(t, database, "INSERT INTO variables (owner_kind, owner_id, key, value) "+numbers+"SELECT 6, i, 'k', CAST(i AS TEXT) FROM n")
	enginetest.Exec(t, database, "INSERT INTO labels (device_id, label, created_at) "+numbers+"SELECT i, 'l' || (i % 7), 1700000000 + i / 100 FROM n")
	enginetest.Exec(t, database, "INSERT INTO network_interfaces (id, project_id, device_id, network_id, name, interface_type, ip_address, created_at) "+numbers+
		"SELECT i, '"+sc.Project+"', i, CASE WHEN i % 2 = 0 THEN 1 END, 'eth0', 'x', '10.0.0.1', 1700000000 FROM n")
	was := whole(t, s)
	if err := s.Delete(t.Context(), Clouds, sc, "1"); err != nil {
		t.Fatal(err)
	}
	if left := whole(t, s); len(left) != 1 {
		t.Fatalf("%d objects are left", len(left))
	}
	gone := lastWrite(t, s)
	began := time.Now()
	done, err := s.Undo(t.Context(), sc, UndoParams{At: gone, May: anything})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("it took", time.Since(began))
	if is := whole(t, s); !reflect.DeepEqual(was, is) { // cmp.Diff alone would take longer than the undo
		d := cmp.Diff(was, is)
		t.Fatal(d[:min(len(d), 3000)])
	}
	if n := done.Counts[Created]; n != 2*hosts+4 || done.At.Revision != gone.Revision+1 || len(done.Steps) != maxUndoSteps {
		t.Errorf("%d objects came back at %v: %v", n, done.At, done.Counts)
	}
	if _, err := s.Undo(t.Context(), sc, UndoParams{At: gone, May: anything}); !IsCode(err, PreconditionFailed) || !strings.Contains(err.Error(), "is there again") {
		t.Errorf("twice: %v", err)
	}
	// New objects do not get the ids of restored objects.
	if id := create(t, s, Clouds, sc, CreateParams{Values: Values{"name": "c2"}}); id != 2 {
		t.Errorf("the next cloud is %d", id)
	}
}

// TestUndoConflicts: the error of an undo has the conflicting change.
func TestUndoConflicts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		write, since func(s *Store, sc Scope) error // the write to undo, and a later write
		want         string
		code         Code
		force        error // nil if the undo can be forced
	}{
		"a variable has another value": {
			func(s *Store, sc Scope) error {
				return s.SetVariables(context.Background(), Regions, sc, "1", vars("ntp", `"b"`))
			},
			func(s *Store, sc Scope) error {
				return s.SetVariables(context.Background(), Regions, sc, "1", vars("ntp", `"c"`))
			},
			"region c/r has another value in ntp", PreconditionFailed, nil,
		},
		"a variable is gone": {
			func(s *Store, sc Scope) error {
				return s.SetVariables(context.Background(), Regions, sc, "1", vars("ntp", `"b"`))
			},
			func(s *Store, sc Scope) error {
				return s.DeleteVariables(context.Background(), Regions, sc, "1", []string{"ntp"})
			},
			"region c/r has another value in ntp", PreconditionFailed, nil,
		},
		"a field is another one": {
			func(s *Store, sc Scope) error { return updated(s, Clouds, sc, Values{"note": "one"}) },
			func(s *Store, sc Scope) error { return updated(s, Clouds, sc, Values{"note": "two"}) },
			`cloud c has the note "two", not "one"`, PreconditionFailed, nil,
		},
		"the object is gone": {
			func(s *Store, sc Scope) error { return updated(s, Cells, sc, Values{"note": "one"}) },
			func(s *Store, sc Scope) error { return s.Delete(context.Background(), Cells, sc, "1") },
			"cell c/r/l no longer exists", PreconditionFailed, nil,
		},
		"something is in it": {
			func(s *Store, sc Scope) error {
				_, err := s.Create(context.Background(), Clouds, sc, CreateParams{Values: Values{"name": "c2"}})
				return err
			},
			func(s *Store, sc Scope) error {
				page, err := s.List(context.Background(), Clouds, sc, List{Filters: []Filter{{Column: "name", Value: "c2"}}, Sort: []string{"id"}, Limit: 10})
				if err == nil {
					_, err = s.Create(context.Background(), Regions, sc, CreateParams{Values: Values{"name": "r2", "cloud_id": page.Rows[0][Clouds.Index("id")]}})
				}
				return err
			},
			"cloud c2 has a region in it now", PreconditionFailed, nil,
		},
		"its name is taken": {
			func(s *Store, sc Scope) error { return updated(s, Clouds, sc, Values{"name": "other"}) },
			func(s *Store, sc Scope) error {
				_, err := s.Create(context.Background(), Clouds, sc, CreateParams{Values: Values{"name": "c"}})
				return err
			},
			"cannot have its name again: the one with the id ", Conflict, errNotFound,
		},
		"its place is gone": {
			func(s *Store, sc Scope) error { return s.Delete(context.Background(), Cells, sc, "1") },
			func(s *Store, sc Scope) error { return s.Delete(context.Background(), Regions, sc, "1") },
			"cell c/r/l cannot be restored: region_id 1: there is no such region in the project. Undo its delete first. Nothing was undone.", Invalid, errNotFound,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fresh(t)
			sc := fleet(t, s)
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(test.write(s, sc))
			wrote := lastWrite(t, s)
			must(test.since(s, sc))
			is := everythingIn(t, s)
			_, err := s.Undo(t.Context(), sc, UndoParams{At: wrote, May: anything})
			if !IsCode(err, test.code) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "Nothing was undone.") {
				t.Errorf("refused with %v", err)
			}
			if d := cmp.Diff(is, everythingIn(t, s)); d != "" {
				t.Error(d)
			}
			done, err := s.Undo(t.Context(), sc, UndoParams{At: wrote, May: anything, Force: true})
			if (err != nil) != (test.force != nil) {
				t.Errorf("forced: %v, %v", done, err)
			}
			if err == nil && test.want != "cell c/r/l no longer exists" {
				before, err := at(t, s, wrote.Revision-1)
				must(err)
				was, err := state(t.Context(), before)
				must(err)
				now := everythingIn(t, s)
				maps.DeleteFunc(now, func(name string, _ *objectState) bool { return strings.HasPrefix(name, "user ") })
				for _, o := range was {
					delete(o.Columns, "updated_at")
				}
				if d := cmp.Diff(was, now); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

// TestUndoOfAMove: a move is not undone if an object would be in a cell of another region then.
func TestUndoOfAMove(t *testing.T) {
	t.Parallel()
	one, two := int64(1), int64(2)
	moved := func(e *Entity, to Place) func(s *Store, sc Scope) error {
		return func(s *Store, sc Scope) error {
			_, err := s.Move(context.Background(), e, sc, "1", to)
			return err
		}
	}
	made := func(e *Entity, v Values) func(s *Store, sc Scope) error {
		return func(s *Store, sc Scope) error {
			_, err := s.Create(context.Background(), e, sc, CreateParams{Values: v})
			return err
		}
	}
	for name, test := range map[string]struct {
		cell         *int64 // cell of the host at first
		write, since func(s *Store, sc Scope) error
		want         string
	}{
		"a host that went into a cell there": {nil, moved(Hosts, Place{Region: &two}), moved(Hosts, Place{Cell: &two}),
			`host c/r2/h cannot be as it was: region_id 1 contradicts cell_id 2: the cell "l2" belongs to region_id 2. Undo its later move first.`},
		"a cell, of which a host went into another one": {&one, moved(Cells, Place{Region: &two}), moved(Hosts, Place{Cell: &two}),
			`cannot be as it was: region_id 1 contradicts cell_id 2`},
		"a host, whose cell went elsewhere": {&one, moved(Hosts, Place{NoCell: true}), moved(Cells, Place{Region: &two}),
			`cannot be as it was: region_id 1 contradicts cell_id 1`},
		"a cell, into which a host has come": {nil, moved(Cells, Place{Region: &two}), made(Hosts, Values{"name": "new", "ip_address": "10.0.0.1", "device_type": "server", "active": true, "cloud_id": int64(1), "region_id": two, "cell_id": one}),
			`cell c/r2/l cannot be moved back: the host "new" (id 2) has come into it since. Move or delete that first.`},
		"a cell, into which a network has come": {nil, moved(Cells, Place{Region: &two}), made(Networks, Values{"name": "new", "cidr": "10.0.0.0/8", "gateway": "g", "netmask": "m", "cloud_id": int64(1), "region_id": two, "cell_id": one}),
			`cell c/r2/l cannot be moved back: the network "new" (id 1) has come into it since.`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fresh(t)
			sc := fleet(t, s)
			create(t, s, Regions, sc, CreateParams{Values: Values{"name": "r2", "cloud_id": int64(1)}})
			create(t, s, Cells, sc, CreateParams{Values: Values{"name": "l2", "cloud_id": int64(1), "region_id": two}})
			h := host("h", nil)
			if test.cell != nil {
				h.Values["cell_id"] = *test.cell
			}
			create(t, s, Hosts, sc, h)
			if err := test.write(s, sc); err != nil {
				t.Fatal(err)
			}
			wrote := lastWrite(t, s)
			if err := test.since(s, sc); err != nil {
				t.Fatal(err)
			}
			is := everythingIn(t, s)
			for _, u := range []UndoParams{{}, {Check: true}, {Force: true}} {
				u.At, u.May = wrote, anything
				if _, err := s.Undo(t.Context(), sc, u); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "Nothing was undone.") {
					t.Errorf("%+v: %v", u, err)
				}
			}
			if d := cmp.Diff(is, everythingIn(t, s)); d != "" {
				t.Error(d)
			}
			for _, at := range []Cursor{lastWrite(t, s), wrote} { // in the right order, both can be undone
				if _, err := s.Undo(t.Context(), sc, UndoParams{At: at, May: anything}); err != nil {
					t.Error(err)
				}
			}
			everythingIn(t, s)
		})
	}
}

func vars(key, value string) []Variable { return []Variable{{Name: key, Value: value}} }

func updated(s *Store, e *Entity, sc Scope, v Values) error {
	_, err := s.Update(context.Background(), e, sc, "1", v)
	return err
}

// TestUndoScope: users can only undo writes that they can see and are permitted to make.
func TestUndoScope(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	other, err := s.Create(t.Context(), Projects, Scope{All: true}, CreateParams{Values: Values{"id": "4c1d0fd6-8d4d-4a3c-b5a5-000000000001", "name": "q"}})
	if err != nil {
		t.Fatal(err)
	}
	theirs := Scope{Project: other[Projects.Index("id")].(string)}
	if err := s.SetVariables(t.Context(), Regions, sc, "1", vars("a", "1")); err != nil {
		t.Fatal(err)
	}
	at := lastWrite(t, s)
	if _, err := s.Undo(t.Context(), theirs, UndoParams{At: at, May: anything}); !IsCode(err, NotFound) {
		t.Errorf("another project's write: %v", err)
	}
	denied := refuse(Forbidden, "no")
	if _, err := s.Undo(t.Context(), sc, UndoParams{At: at, May: func(kind, action string) error {
		if kind == "region" && action == Updated {
			return denied
		}
		return nil
	}}); !IsCode(err, Forbidden) {
		t.Errorf("what may not be done: %v", err)
	}
	for _, u := range []UndoParams{{At: Cursor{Revision: 99}}, {At: Cursor{Revision: 0}}, {At: Cursor{Revision: at.Revision, Change: "0123456789abcdef"}}, {Request: "none"}} {
		u.May = anything
		if done, err := s.Undo(t.Context(), sc, u); err == nil {
			t.Errorf("%+v was undone: %v", u, done)
		}
	}
	if lastWrite(t, s) != at {
		t.Error("something was written")
	}
}

// TestUndoRequest undoes several writes of one request at once.
func TestUndoRequest(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	was := everythingIn(t, s)
	ctx := WithActor(t.Context(), Actor{User: "u", Request: "req-1"})
	c, err := s.Create(ctx, Clouds, sc, CreateParams{Values: Values{"name": "c2"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, do := range []func() error{
		func() error { return s.SetVariables(ctx, Clouds, sc, idText(c[Clouds.Index("id")]), vars("a", "1")) },
		func() error { return s.SetVariables(ctx, Regions, sc, "1", vars("a", "2")) },
		func() error { return s.SetVariables(ctx, Regions, sc, "1", vars("a", "3")) },
		func() error { return s.Delete(ctx, Cells, sc, "1") },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	done, err := s.Undo(t.Context(), sc, UndoParams{Request: "req-1", May: anything})
	if err != nil || len(done.Of) != 5 || done.Counts[Deleted] != 1 || done.Counts[Created] != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if d := cmp.Diff(was, everythingIn(t, s)); d != "" {
		t.Error(d)
	}
}
