package store

import (
	"context"
	"database/sql"
	"errors"
	flags "flag"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/server/internal/enginetest"
	"github.com/craton-fleet/craton/server/store/engine"
	"github.com/craton-fleet/craton/server/store/sqlite"
)

// long matches the tests of sizes, of files, and of models that compare reads.
const long = "^Test(BackupAndRestore|BackupOnlyReads|BadBackups|CancelledReads|DeleteInPieces|HistoryCost|HistoryAgreesWithStates|Inspect|LateCommits|OldBackups|Page|Past|Prune|Replica|SettersOfLongLogs|StatementsPerPage|Statistics|UndoCloud|Upgrade|VariablesAgainstModel|WhereAgainstModel)"

func TestMain(m *testing.M) {
	// The number of random fleets that are compared with a model. The race detector makes each of them slow.
	if err := flags.Set("rapid.checks", strconv.Itoa(enginetest.Size(35, 400))); err != nil {
		panic(err) // rapid has removed the flag
	}
	os.Exit(enginetest.Main(m, long, enginetest.Disturbed))
}

// openFast opens a file whose writes do not wait for the disk.
func openFast(path string) (*Store, error) {
	e, err := sqlite.OpenFast(context.Background(), path, migrations, engine.Options{Create: true}, 0)
	if err != nil {
		return nil, err
	}
	return newStore(e), nil
}

// raw runs a statement on a file that is not open.
func raw(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

func fresh(t testing.TB) *Store {
	t.Helper()
	open := openFast
	if enginetest.Now() != enginetest.SQLite {
		open = func(database string) (*Store, error) { return Open(t.Context(), database, Options{Create: true}) }
	}
	s, err := open(strings.TrimPrefix(enginetest.Database(t), "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// fleet creates a project with one cloud, region and cell, each with id 1, and returns its scope.
func fleet(t testing.TB, s *Store) Scope {
	t.Helper()
	id, err := s.EnsureProject(t.Context(), "p", "")
	if err != nil {
		t.Fatal(err)
	}
	sc := Scope{Project: id}
	create(t, s, Clouds, sc, CreateParams{Values: Values{"name": "c"}})
	create(t, s, Regions, sc, CreateParams{Values: Values{"name": "r", "cloud_id": int64(1)}})
	create(t, s, Cells, sc, CreateParams{Values: Values{"name": "l", "cloud_id": int64(1), "region_id": int64(1)}})
	enginetest.DisturbButIDs(t, s.Name())
	return sc
}

func create(t testing.TB, s *Store, e *Entity, sc Scope, n CreateParams) int64 {
	t.Helper()
	row, err := s.Create(context.Background(), e, sc, n)
	if err != nil {
		t.Fatal(err)
	}
	id, _ := row[e.Index("id")].(int64)
	return id
}

func host(name string, more Values) CreateParams {
	v := Values{"name": name, "ip_address": "10.0.0.1", "device_type": "server", "active": true, "cloud_id": int64(1), "region_id": int64(1)}
	for k, x := range more {
		v[k] = x
	}
	return CreateParams{Values: v}
}

func TestOpen(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite)
	t.Parallel()
	ctx := t.Context()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tc := range []struct{ database, want string }{
		{"sqlite:" + filepath.Join(dir, "none.db"), "craton server bootstrap --database sqlite:"},
		{"sqlite:" + file("empty.db", ""), "holds no fleet yet"},
		{"sqlite:" + file("text.db", strings.Repeat("not a database ", 100)), "is not a Craton database"},
		{"sqlite:" + dir, "is a directory"},
		{"sqlite:", "needs the path"},
		{"sqlite::memory:", "needs the path"},
		{"fleet.db", "sqlite:PATH"},
		{"sqlite://fleet.db", "sqlite:PATH, without slashes"}, // once created /fleet.db
		{"sqlite://u:secret@h/db", "sqlite:PATH, without slashes"},
		{"sqlite:http://u:secret@h/db", "sqlite:PATH, without slashes"},
	} {
		_, err := Open(ctx, tc.database, Options{})
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("Open(%s): %v, want %q in it", tc.database, err, tc.want)
		}
	}
	if _, err := Open(ctx, "sqlite:"+filepath.Join(dir, "none.db"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not wrap fs.ErrNotExist", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "none.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a command that only reads made the file")
	}

	odd := filepath.Join(dir, "a b?c#d%20e.db")
	s, err := Open(ctx, "sqlite:"+odd, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	raw(t, odd, "PRAGMA user_version = 99")
	if _, err := os.Stat(odd); err != nil {
		t.Error(err)
	}
	if _, err := Open(ctx, "sqlite:"+odd, Options{Create: true}); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("a file of version 99: %v", err)
	}
	foreign := filepath.Join(dir, "foreign.db")
	s, err = Open(ctx, "sqlite:"+foreign, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	raw(t, foreign, "PRAGMA application_id = 1")
	if _, err := Open(ctx, "sqlite:"+foreign, Options{Create: true}); err == nil || !strings.Contains(err.Error(), "not a Craton database") {
		t.Errorf("another program's file: %v", err)
	}
}

// TestWritersShareTransactions checks that concurrent writes do not make each other fail, and that a refused write
// stores nothing.
func TestWritersShareTransactions(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			n := host(fmt.Sprintf("h%d", i/2), nil) // each name twice
			n.Variables = []Variable{{Name: "k", Value: "1"}}
			_, err := s.Create(t.Context(), Hosts, sc, n)
			if err != nil && !IsCode(err, Conflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var hosts, variables int
	if err := s.read(t.Context(), func(ctx context.Context, q *session) error {
		return q.row(ctx, "SELECT (SELECT count(*) FROM devices), (SELECT count(*) FROM variables)", nil, &hosts, &variables)
	}); err != nil {
		t.Fatal(err)
	}
	if hosts != 50 || variables != 50 {
		t.Errorf("%d hosts and %d variables, want 50 of each", hosts, variables)
	}
}

func TestUseAfterClose(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EnsureProject(t.Context(), "p", ""); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("a write after Close: %v", err)
	}
	if err := s.Ping(t.Context()); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("a read after Close: %v", err)
	}
}

// TestStatementsPerPage checks that the number of statements for a page does not depend on its number of rows.
func TestStatementsPerPage(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	var parent any
	for i := range 100 {
		n := host(fmt.Sprintf("h%d", i), Values{"parent_id": parent, "cell_id": int64(1)})
		n.Labels, n.Variables = []string{"a", "b"}, []Variable{{Name: "k", Value: "1"}, {Name: "l", Value: "2"}}
		id := create(t, s, Hosts, sc, n)
		if i%10 == 0 {
			parent = id
		}
	}
	count := func(limit int) int64 {
		before := s.statements.Load()
		page, sets := listed(t, s, Hosts, sc, List{Sort: []string{"created_at", "id"}, Limit: limit, Marker: "2", Labels: true}, Resolved, lightViewBytes)
		if len(page.Rows) != limit || len(sets) != limit {
			t.Fatalf("%d rows, %d sets", len(page.Rows), len(sets))
		}
		return s.statements.Load() - before
	}
	small, large := count(10), count(90)
	if small != large || large > 15 {
		t.Errorf("%d statements for 10 rows, %d for 90; want the same small number", small, large)
	}
}

// TestPlans checks that listings in the default order scan an index and never sort, so that all pages cost the same.
func TestPlans(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite)
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	create(t, s, Hosts, sc, host("h", nil))
	all := Scope{All: true}
	one := int64(1)
	for _, tc := range []struct {
		name   string
		e      *Entity
		sc     Scope
		filter string
		label  bool
		index  string
	}{
		{"hosts", Hosts, sc, "", false, "devices_project_type"},
		{"hosts", Hosts, all, "", false, "devices_type"},
		{"devices", Devices, sc, "", false, "devices_project"},
		{"devices", Devices, all, "", false, "devices_order"},
		{"hosts of a region", Hosts, sc, "region_id", false, "devices_region_type"},
		{"hosts of a region", Hosts, all, "region_id", false, "devices_region_type"},
		{"hosts of a cell", Hosts, sc, "cell_id", false, "devices_cell_type"},
		{"hosts of a cloud", Hosts, sc, "cloud_id", false, "devices_cloud_type"},
		{"network devices of a cloud", NetworkDevices, sc, "cloud_id", false, "devices_cloud_type"},
		{"devices of a region", Devices, sc, "region_id", false, "devices_region"},
		{"children", Devices, sc, "parent_id", false, "devices_parent"},
		{"hosts with a label", Hosts, sc, "", true, "labels_label"},
		{"hosts of a region with a label", Hosts, sc, "region_id", true, "labels_label"},
		{"regions", Regions, sc, "", false, "regions_project"},
		{"regions of a cloud", Regions, sc, "cloud_id", false, "regions_cloud"},
		{"cells of a region", Cells, sc, "region_id", false, "cells_region"},
		{"interfaces of a device", NetworkInterfaces, sc, "device_id", false, "network_interfaces_device"},
		{"networks of a region", Networks, sc, "region_id", false, "networks_region"},
	} {
		l := List{Sort: []string{"created_at", "id"}, Limit: 30, Label: "x", HasLabel: tc.label}
		if tc.filter != "" {
			l.Filters = []Filter{{Column: tc.filter, Value: one}}
		}
		for _, first := range []bool{true, false} {
			order, err := sortColumns(tc.e, l)
			if err != nil {
				t.Fatal(err)
			}
			b := listStatement{dialect: s.engine.Dialect(), e: tc.e, sc: tc.sc, l: l, keys: order}
			text, args := b.pageText()
			if !first {
				b.marker = []any{one, one}
				text, args = b.pageText()
			}
			plan := explain(t, s, text, args)
			if !strings.Contains(plan, tc.index+" ") || strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("%s, first page %v: want index %s and no sort:\n%s\n%s", tc.name, first, tc.index, text, plan)
			}
			if !first {
				text, args = b.previousText()
				if plan := explain(t, s, text, args); strings.Contains(plan, "TEMP B-TREE") {
					t.Errorf("%s, prev: sorts:\n%s\n%s", tc.name, text, plan)
				}
			}
		}
	}
}

func explain(t *testing.T, s *Store, text string, args []any) string {
	t.Helper()
	var plan strings.Builder
	err := s.read(t.Context(), func(ctx context.Context, q *session) error {
		var a, b, c int
		var detail string
		if q.dialect().Name == "postgres" {
			return q.each(ctx, "EXPLAIN "+text, args, []any{&detail}, func() { plan.WriteString(detail + " \n") })
		}
		return q.each(ctx, "EXPLAIN QUERY PLAN "+text, args, []any{&a, &b, &c, &detail}, func() { plan.WriteString(detail + " \n") })
	})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return plan.String()
}

func TestOverlay(t *testing.T) {
	t.Parallel()
	near := hierarchy.Variables{{Name: "a", Value: "1"}, {Name: "c", Value: "null"}}
	far := hierarchy.Variables{{Name: "a", Value: "2"}, {Name: "b", Value: "3"}, {Name: "c", Value: "4"}, {Name: "d", Value: "5"}}
	want := hierarchy.Variables{{Name: "a", Value: "1"}, {Name: "b", Value: "3"}, {Name: "c", Value: "null"}, {Name: "d", Value: "5"}}
	if diff := cmp.Diff(want, merged([]hierarchy.Variables{near, far})); diff != "" {
		t.Error(diff)
	}
}

// TestOneConnection: a process that does not work concurrently, such as for a task, opens one connection for all reads,
// and another one when it writes.
func TestOneConnection(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite)
	t.Parallel()
	s := fresh(t)
	for range 5 {
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Stats().Open; n != 1 {
		t.Errorf("%d connections to read one after the other", n)
	}
	fleet(t, s)
	if n := s.Stats().Open; n != 2 {
		t.Errorf("%d connections to read and write one after the other", n)
	}
}

// TestLastRoot: if two root users are deleted concurrently, alone or with their projects, one of the deletions is
// refused.
func TestLastRoot(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]*Entity{"users": Users, "projects": Projects} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fresh(t)
			var ids []string
			for i, who := range []string{"a", "b"} {
				project, _, err := s.Bootstrap(t.Context(), who)
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, map[*Entity]string{Projects: project, Users: fmt.Sprint(i + 1)}[e])
			}
			errs := make([]error, len(ids))
			var wg sync.WaitGroup
			for i, id := range ids {
				wg.Go(func() { errs[i] = s.Delete(t.Context(), e, Scope{All: true}, id) })
			}
			wg.Wait()
			refused := 0
			for _, err := range errs {
				if IsCode(err, InUse) && strings.Contains(err.Error(), "last root user") {
					refused++
				} else if err != nil {
					t.Error(err)
				}
			}
			if refused != 1 {
				t.Errorf("%v: %d refused, want 1", errs, refused)
			}
		})
	}
}

// TestWrongReferences: the objects that a new object refers to are queried in the same message that inserts it. The
// error always describes the wrong reference, whatever the database returns for the insert, and the write is not
// retried.
func TestWrongReferences(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	create(t, s, Clouds, sc, CreateParams{Values: Values{"name": "d"}})
	create(t, s, Regions, sc, CreateParams{Values: Values{"name": "r", "cloud_id": int64(2)}})
	create(t, s, Hosts, sc, host("taken", nil))
	for _, test := range []struct {
		name   string
		values Values
		want   string
	}{
		{"taken", nil, "A host with the given name already exists."},
		{"a", Values{"region_id": int64(99)}, "region_id 99: there is no such region in the project."},
		{"taken", Values{"cell_id": int64(99)}, "cell_id 99: there is no such cell in the project."},
		{"b", Values{"parent_id": int64(99), "cell_id": int64(1)}, "parent_id 99: there is no such device in the project."},
		{"c", Values{"region_id": int64(2)}, `cloud_id 1 contradicts region_id 2: the region "r" belongs to cloud_id 2.`},
		{"taken", Values{"cloud_id": int64(2)}, `cloud_id 2 contradicts region_id 1: the region "r" belongs to cloud_id 1.`},
	} {
		before := s.statements.Load()
		_, err := s.Create(t.Context(), Hosts, sc, host(test.name, test.values))
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s %v: %v, want %s", test.name, test.values, err, test.want)
		}
		if n := s.statements.Load() - before; n > 5 && enginetest.Now() != enginetest.Disturbed {
			t.Errorf("%s %v: %d statements", test.name, test.values, n)
		}
	}
	if log := s.all(t); len(log) != 7 {
		t.Errorf("%d changes in the log", len(log))
	}
}
