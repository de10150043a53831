package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// TestDeleteDuringWrites: the deletion of many objects succeeds while concurrent writers change the same hosts and move
// hosts in and out. No write fails because the database is busy.
func TestDeleteDuringWrites(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	create(t, s, Clouds, sc, CreateParams{Values: Values{"name": "d"}})
	create(t, s, Regions, sc, CreateParams{Values: Values{"name": "r", "cloud_id": int64(2)}})
	create(t, s, Cells, sc, CreateParams{Values: Values{"name": "l", "cloud_id": int64(2), "region_id": int64(2)}})
	const hosts = 600
	much := []Variable{{Name: "much", Value: `"` + strings.Repeat("x", 5000) + `"`}} // all together are three times the recorder's maximum
	var making sync.WaitGroup
	for w := range 8 {
		making.Go(func() {
			for n := w; n < hosts; n += 8 {
				h := host(fmt.Sprint("h", n), Values{"cell_id": int64(1)})
				h.Variables = much
				create(t, s, Hosts, sc, h)
			}
		})
	}
	making.Wait()
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 16 {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(w)))
			for {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprint(1 + r.IntN(hosts))
				cell := int64(1 + r.IntN(2))
				var err error
				switch r.IntN(4) {
				case 0:
					_, err = s.Move(t.Context(), Hosts, sc, id, Place{Cell: &cell})
				case 1:
					_, err = s.Update(t.Context(), Hosts, sc, id, Values{"note": fmt.Sprint(r.IntN(9))})
				default:
					err = s.SetVariables(t.Context(), Hosts, sc, id, []Variable{{Name: "n", Value: fmt.Sprint(r.IntN(9))}})
				}
				if err != nil && !IsCode(err, NotFound) && !IsCode(err, Invalid) {
					t.Error(err)
					return
				}
			}
		})
	}
	if err := s.Delete(t.Context(), Clouds, sc, "1"); err != nil {
		t.Error("the delete: ", err)
	}
	close(stop)
	writers.Wait()
}

// TestNothingIsCompiled: just-in-time compilation is off, because it takes longer than running the statements.
func TestNothingIsCompiled(t *testing.T) {
	t.Parallel()
	enginetest.Only(t, enginetest.Postgres, enginetest.Bouncer)
	s := fresh(t)
	for range 2 { // also the second connection of the pool
		var jit string
		err := s.read(t.Context(), func(ctx context.Context, q *session) error {
			return q.row(ctx, "SELECT current_setting('jit')", nil, &jit)
		})
		if err != nil || jit != "off" {
			t.Errorf("jit is %q, %v", jit, err)
		}
	}
}

// TestDeleteSeesEarlierWrites: a deletion begins while another write in the deleted place is not committed yet. The
// deletion waits for it, and is refused because of it. Nothing is deleted that the write created or protected, and the
// log agrees with the tables.
func TestDeleteSeesEarlierWrites(t *testing.T) {
	t.Parallel()
	enginetest.Only(t, enginetest.Postgres, enginetest.Bouncer)
	inside := Values{"cell_id": int64(1)}
	outside := Values{"cloud_id": int64(2), "region_id": int64(2)}
	writes := map[string]struct {
		of    *Entity // also tested by deleting this entity's object; the places that contain it are always tested
		write func(ctx context.Context, s *Store, sc Scope) error
	}{
		"an interface on a network": {Networks, func(ctx context.Context, s *Store, sc Scope) error {
			_, err := s.Create(ctx, NetworkInterfaces, sc, CreateParams{Values: Values{"name": "new", "interface_type": "x", "ip_address": "10.0.0.9", "device_id": int64(2), "network_id": int64(1)}})
			return err
		}},
		"a device out of it, with an interface on its network": {Networks, func(ctx context.Context, s *Store, sc Scope) error {
			elsewhere := int64(2)
			_, err := s.Move(ctx, Hosts, sc, "3", Place{Region: &elsewhere})
			return err
		}},
		"a child of a device": {Hosts, func(ctx context.Context, s *Store, sc Scope) error {
			child := host("new", outside)
			child.Values["parent_id"] = int64(1)
			_, err := s.Create(ctx, Hosts, sc, child)
			return err
		}},
		"a protected device": {Hosts, func(ctx context.Context, s *Store, sc Scope) error {
			return s.Protect(ctx, Hosts, sc, "1", true)
		}},
		"a protected interface": {Hosts, func(ctx context.Context, s *Store, sc Scope) error {
			return s.Protect(ctx, NetworkInterfaces, sc, "1", true)
		}},
	}
	for name, w := range writes {
		for _, e := range []*Entity{Clouds, Regions, Cells, w.of} {
			t.Run(name+" and the "+e.Name, func(t *testing.T) {
				t.Parallel()
				ctx := t.Context()
				database := enginetest.Database(t)
				s, err := Open(ctx, database, Options{Create: true})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				sc := fleet(t, s)
				create(t, s, Clouds, sc, CreateParams{Values: Values{"name": "elsewhere"}})
				create(t, s, Regions, sc, CreateParams{Values: Values{"name": "elsewhere", "cloud_id": int64(2)}})
				create(t, s, Networks, sc, CreateParams{Values: Values{"name": "n", "cidr": "10.0.0.0/8", "gateway": "10.0.0.1", "netmask": "255.0.0.0", "cloud_id": int64(1), "region_id": int64(1), "cell_id": int64(1)}})
				create(t, s, Hosts, sc, host("in", inside))
				create(t, s, Hosts, sc, host("out", outside))
				create(t, s, Hosts, sc, host("between", inside))
				for i, device := range []int64{1, 3} {
					create(t, s, NetworkInterfaces, sc, CreateParams{Values: Values{"name": fmt.Sprint("i", i), "interface_type": "x", "ip_address": "10.0.0.2", "device_id": device}})
				}
				if strings.HasPrefix(name, "a device out") {
					if _, err := s.Update(ctx, NetworkInterfaces, sc, "2", Values{"network_id": int64(1)}); err != nil {
						t.Fatal(err)
					}
				}
				var all sync.WaitGroup
				defer all.Wait()
				release := holdLog(t, s, &all)
				var written, deleted error
				all.Go(func() { written = w.write(ctx, s, sc) })
				waiting(t, database, "1", nil)
				refused := make(chan struct{})
				all.Go(func() {
					defer close(refused)
					deleted = s.Delete(ctx, e, sc, "1")
				})
				waiting(t, database, "2", refused)
				release()
				all.Wait()
				if written != nil || !IsCode(deleted, InUse) {
					t.Errorf("the write: %v; the delete: %v, not %v", written, deleted, InUse)
				}
				log, _, err := readLog(ctx, s, Scope{All: true}, Cursor{})
				if err != nil {
					t.Fatal(err)
				}
				seen, err := snapshots(ctx, s, closed())
				if err != nil {
					t.Fatal(err)
				}
				if err := compare(s, log, seen); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// holdLog begins a write that locks the log. Other writes lock it last, so they do everything else and then wait.
func holdLog(t *testing.T, s *Store, all *sync.WaitGroup) (release func()) {
	t.Helper()
	held, over := make(chan struct{}), make(chan struct{})
	all.Go(func() {
		once := sync.OnceFunc(func() { close(held) })
		defer once()
		if err := s.write(t.Context(), func(ctx context.Context, q *session) error {
			var revision int64
			if err := q.row(ctx, "SELECT revision FROM log FOR UPDATE", nil, &revision); err != nil {
				return err
			}
			once()
			<-over
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-held
	return func() { close(over) }
}

// twice opens a database twice, like two servers.
func twice(t *testing.T, database string) (both []*Store) {
	t.Helper()
	for range 2 {
		s, err := Open(t.Context(), database, Options{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		both = append(both, s)
	}
	return both
}

// waiting waits until n writes are waiting for locks, or one of them was refused.
func waiting(t *testing.T, database, n string, refused chan struct{}) {
	t.Helper()
	for range 2000 {
		select {
		case <-refused:
			return
		default:
		}
		if enginetest.Query(t, database, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")[0][0] == n {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("not waiting: ", n)
}

// TestSetIsReplaced: a write that replaces a set also removes objects that a concurrent write added, which had not been
// committed when the replacement began.
func TestSetIsReplaced(t *testing.T) {
	t.Parallel()
	enginetest.Only(t, enginetest.Postgres, enginetest.Bouncer)
	changes := map[string]SetChange{
		"replaced":  {Add: Members{"host": {3, 4}}, Only: true},
		"dissolved": {Only: true},
	}
	for name, second := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			database := enginetest.Database(t)
			both := twice(t, database)
			sc := fleet(t, both[0])
			for n := range 4 {
				create(t, both[0], Hosts, sc, host(fmt.Sprint("h", n), nil))
			}
			var all sync.WaitGroup
			defer all.Wait()
			release := holdLog(t, both[0], &all)
			var err [2]error
			for i, change := range []SetChange{{Add: Members{"host": {1, 2}}, Only: true}, second} {
				all.Go(func() { err[i] = both[i].ChangeSet(ctx, sc.Project, "web", change) })
				waiting(t, database, fmt.Sprint(i+1), nil)
			}
			release()
			all.Wait()
			var left Members
			failed := both[0].View(ctx, false, func(ctx context.Context, v *View) (err error) {
				left, err = v.Members(ctx, sc.Project, "web")
				return err
			})
			if err != [2]error{} || failed != nil || !slices.Equal(left["host"], second.Add["host"]) {
				t.Errorf("%v and %v: the set has %v, %v", err[0], err[1], left, failed)
			}
		})
	}
}

// TestProjectIsGone: creating an object in a project that another server is deleting is refused with the reason.
func TestProjectIsGone(t *testing.T) {
	t.Parallel()
	wants := map[string]func(ctx context.Context, s *Store, sc Scope) error{
		"a cloud": func(ctx context.Context, s *Store, sc Scope) error {
			_, err := s.Create(ctx, Clouds, sc, CreateParams{Values: Values{"name": "new"}, Variables: []Variable{{Name: "v", Value: "1"}}})
			return err
		},
		"a user": func(ctx context.Context, s *Store, sc Scope) error {
			_, _, err := s.CreateUser(ctx, Scope{All: true}, Values{"username": "new", "project_id": sc.Project})
			return err
		},
		"a set": func(ctx context.Context, s *Store, sc Scope) error {
			return s.ChangeSet(ctx, sc.Project, "web", SetChange{Add: Members{"cloud": {1}}})
		},
	}
	for name, write := range wants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			database := enginetest.Database(t)
			both := twice(t, database)
			sc := fleet(t, both[0])
			var all sync.WaitGroup
			defer all.Wait()
			release := func() {}
			beside := both[0].engine.Dialect().Alone != "" // otherwise, there is only one write at a time
			if beside {
				release = holdLog(t, both[0], &all)
			}
			var deleted, written error
			all.Go(func() { deleted = both[0].Delete(ctx, Projects, Scope{All: true}, sc.Project) })
			if beside {
				waiting(t, database, "1", nil)
				all.Go(func() { written = write(ctx, both[1], sc) })
				waiting(t, database, "2", nil)
				release()
			}
			all.Wait()
			if !beside {
				written = write(ctx, both[1], sc)
			}
			switch {
			case deleted != nil:
				t.Errorf("the delete: %v", deleted)
			case !beside && name == "a user" && IsCode(written, NotFound): // created as root, for whom the project is missing
			case !IsCode(written, Invalid) || !strings.Contains(written.Error(), sc.Project+" no longer exists"):
				t.Errorf("not refused as it should be: %v", written)
			}
			for _, table := range []string{"clouds", "users", "variables"} {
				if n := enginetest.Count(t, database, "SELECT count(*) FROM "+table); n != 0 {
					t.Errorf("%d %s are stored", n, table)
				}
			}
		})
	}
}

// TestLostReference: if the database refuses a write because of a missing reference, the error is not a failure of the
// database.
func TestLostReference(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	fleet(t, s)
	err := s.write(t.Context(), func(ctx context.Context, q *session) error {
		return q.exec(ctx, "UPDATE regions SET cloud_id = 99 WHERE id = 1", nil)
	})
	if !IsCode(err, Conflict) || !strings.Contains(err.Error(), "deleted meanwhile") {
		t.Errorf("refused with %v", err)
	}
}

func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
