package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/server/internal/enginetest"
	"github.com/craton-fleet/craton/server/store/engine"
)

// old has the statements that create a fleet in the first released schema.
var old = []string{
	"INSERT INTO projects (seq, id, name, created_at) VALUES (1, 'b9f10eca-66ac-4c27-9c13-9d01e65f96b4', 'p', 1700000000)",
	"INSERT INTO users (id, project_id, username, key_hash, is_admin, is_root, created_at) VALUES (1, 'b9f10eca-66ac-4c27-9c13-9d01e65f96b4', 'u', '" + hashKey("key") + "', TRUE, TRUE, 1700000000)",
	"INSERT INTO clouds (id, project_id, name, note, created_at) VALUES (1, 'b9f10eca-66ac-4c27-9c13-9d01e65f96b4', 'c', 'n', 1700000000)",
	"INSERT INTO regions (id, project_id, cloud_id, name, created_at) VALUES (1, 'b9f10eca-66ac-4c27-9c13-9d01e65f96b4', 1, 'r', 1700000000)",
	"INSERT INTO devices (id, type, project_id, cloud_id, region_id, name, ip_address, device_type, active, created_at) VALUES (7, 'hosts', 'b9f10eca-66ac-4c27-9c13-9d01e65f96b4', 1, 1, 'h', '10.0.0.1', 'server', TRUE, 1700000000)",
	"INSERT INTO labels (device_id, label, created_at) VALUES (7, 'l', 1700000000)",
	"INSERT INTO variables (owner_kind, owner_id, key, value) VALUES (6, 7, 'k', '1'), (3, 1, 'k', '2'), (4, 1, 'm', '3')",
}

// TestUpgrade migrates databases of every released schema to the current one, on both engines. Their data remain, their
// tables are those of a new database, and they are backed up before.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	for version := 1; version < len(migrations); version++ {
		for i, database := range targets(t) {
			t.Run(fmt.Sprintf("%d-%s", version, []string{"sqlite", "postgres"}[i]), func(t *testing.T) {
				t.Parallel()
				e, err := openEngine(t.Context(), database, Options{Create: true}, migrations[:version])
				if err == nil {
					err = errors.Join(e.Write(t.Context(), engine.Work{Run: func(ctx context.Context, tx engine.Tx) error {
						words := old
						if version >= 3 { // since then, keys have a table of their own
							words = append(slices.Clone(old), "INSERT INTO user_keys (user_id, name, key_hash, created_at) VALUES (1, 'api_key', '"+hashKey("key")+"', 1700000000)")
						}
						for _, text := range words {
							if err := tx.Exec(ctx, text, nil); err != nil {
								return err
							}
						}
						for _, table := range []string{"projects", "users", "clouds", "regions", "devices"} {
							for _, text := range e.Dialect().SetLastID(table, map[bool]string{true: "seq", false: "id"}[table == "projects"], 7) {
								if err := tx.Exec(ctx, text, nil); err != nil {
									return err
								}
							}
						}
						return nil
					}}), e.Close())
				}
				if err != nil {
					t.Fatal(err)
				}
				saves := t.TempDir()
				if _, err := Open(t.Context(), database, Options{Saves: filepath.Join(saves, "none")}); err == nil || !strings.Contains(err.Error(), "was not migrated") {
					t.Errorf("saved nowhere: %v", err)
				}
				var saved string
				s, err := Open(t.Context(), database, Options{Saves: saves, Saved: func(file string) { saved = file }})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				checkOld(t, s)
				if got, want := layout(t, s), layout(t, another(t, i)); got != want {
					t.Error(cmp.Diff(want, got))
				}
				if data, err := os.ReadFile(saved); err != nil || !strings.Contains(saved, fmt.Sprintf(".schema-%d-", version)) {
					t.Errorf("%s: %v", saved, err)
				} else {
					to := targets(t)[1-i]
					if _, _, err := Restore(t.Context(), to, Options{}, saved, opening(data), nil); err != nil {
						t.Fatal(err)
					}
					back, err := Open(t.Context(), to, Options{})
					if err != nil {
						t.Fatal(err)
					}
					defer back.Close()
					checkOld(t, back)
				}
			})
		}
	}
}

// another returns an empty database with the current schema on the i-th engine.
func another(t *testing.T, i int) *Store {
	t.Helper()
	s, err := Open(t.Context(), targets(t)[i], Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func checkOld(t *testing.T, s *Store) {
	t.Helper()
	sc := Scope{Project: "b9f10eca-66ac-4c27-9c13-9d01e65f96b4"}
	page, sets := listed(t, s, Hosts, sc, List{Limit: 10, Sort: []string{"id"}, Labels: true}, Resolved, fullViewBytes)
	want := [][]Variable{{{Name: "k", Value: "1"}, {Name: "m", Value: "3"}}}
	if len(page.Rows) != 1 || page.Rows[0][Hosts.Index("name")] != "h" || page.Labels[0][0] != "l" {
		t.Errorf("%v", page)
	}
	if d := cmp.Diff(want, sets); d != "" {
		t.Error(d)
	}
	if _, ok, err := s.Authenticate(t.Context(), "u", sc.Project, "key"); !ok || err != nil {
		t.Errorf("the key is unknown: %v", err)
	}
	if id := create(t, s, Hosts, sc, host("next", nil)); id != 8 {
		t.Errorf("the next host has the id %d", id)
	}
}

// layout returns a description of the tables and indexes of a database.
func layout(t *testing.T, s *Store) (text string) {
	t.Helper()
	query := map[string]string{
		"sqlite": "SELECT coalesce(sql, name) FROM sqlite_master ORDER BY 1",
		"postgres": `SELECT line FROM (
			SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || coalesce(' ' || collation_name, '') AS line FROM information_schema.columns WHERE table_schema = current_schema()
			UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()) l ORDER BY 1`,
	}[s.engine.Dialect().Name]
	err := s.read(t.Context(), func(ctx context.Context, q *session) error {
		var line string
		return q.each(ctx, query, nil, []any{&line}, func() { text += line + "\n" })
	})
	if err != nil || len(text) < 1000 {
		t.Fatalf("%s: %v", text, err)
	}
	return text
}

// TestUpgradeAtOnce: if several processes migrate a database concurrently, one of them does, and all of them can use
// it.
func TestUpgradeAtOnce(t *testing.T) {
	t.Parallel()
	for version := range migrations {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			t.Parallel()
			database := enginetest.Database(t)
			if version > 0 {
				e, err := openEngine(t.Context(), database, Options{Create: true}, migrations[:version])
				if err = errors.Join(err, e.Close()); err != nil {
					t.Fatal(err)
				}
			}
			saves := t.TempDir()
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					s, err := Open(t.Context(), database, Options{Create: true, Saves: saves})
					if err != nil {
						t.Error(err)
						return
					}
					defer s.Close()
					if _, err := s.EnsureProject(t.Context(), "p", ""); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if n := enginetest.Count(t, database, "SELECT count(*) FROM projects"); n != 1 { // created by the first process
				t.Errorf("%d projects, want 1", n)
			}
			if n := enginetest.Count(t, database, "SELECT count(*) FROM log"); n != 1 {
				t.Errorf("%d rows of the log's revision, want 1", n)
			}
		})
	}
}

// TestOldBackups: the newest backups of a database are kept, and no other files are removed.
func TestOldBackups(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stay := []string{"fleet.db", "fleet.db.schema-9-2026.backup", "fleet.db.schema-x", "other.db.schema-1-20200101T000000Z.backup", "before-0.2.0-schema-6-20200101T000000Z.backup", "fleet.db.schema-1-20200101T000000Z.backup.mine"}
	for n := range keptBackups + 2 { // later backups have older schemas, as after a downgrade
		name := fmt.Sprintf("fleet.db.schema-%d-2026010%dT000000Z.backup", 20-n, n+1)
		if n >= 2 {
			stay = append(stay, name)
		} else if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range stay {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	removeOld(dir, "fleet.db")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(stay)
	if d := cmp.Diff(stay, got); d != "" {
		t.Error(d)
	}
}
