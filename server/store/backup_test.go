package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/craton-fleet/craton/internal/postgrestest"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// saved fills a database with objects of all kinds, and returns its backup.
func saved(t *testing.T, s *Store) []byte {
	t.Helper()
	sc := fleet(t, s)
	if _, _, err := s.Bootstrap(t.Context(), "bootstrap"); err != nil {
		t.Fatal(err)
	}
	parent := create(t, s, NetworkDevices, sc, host("z-switch", Values{"cell_id": int64(1), "vlans": `["1"]`}))
	for i := range 150 {
		n := host(fmt.Sprintf("h%03d \u2028\x01é\"\\", i), Values{"parent_id": parent, "active": i%2 == 0})
		n.Variables = []Variable{{Name: "k", Value: `{"a":[1,2.50,null,"x"]}`}, {Name: "big", Value: "123456789012345678901234567890"}}
		n.Labels = []string{"a", "b"}
		create(t, s, Hosts, sc, n)
	}
	first := create(t, s, Hosts, sc, host("child before its parent", nil))
	second := create(t, s, Hosts, sc, host("parent", nil))
	if _, err := s.Update(t.Context(), Hosts, sc, idText(first), Values{"parent_id": second}); err != nil {
		t.Fatal(err)
	}
	gone := create(t, s, Hosts, sc, host("gone", nil))
	if err := s.Delete(t.Context(), Hosts, sc, idText(gone)); err != nil {
		t.Fatal(err)
	}
	return dump(t, s)
}

// dump returns a backup of s, with a fixed time.
func dump(t *testing.T, s *Store) []byte {
	t.Helper()
	now := s.now
	s.now = func() time.Time { return time.Unix(1795944451, 0) }
	defer func() { s.now = now }()
	var b bytes.Buffer
	if _, err := s.Backup(t.Context(), &b, "1.2.3", nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func opening(data []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
}

// lines returns the lines of a backup, without the first line, which has the engine, and the checksum.
func lines(t *testing.T, data []byte) []string {
	t.Helper()
	b, end, err := newBackupReader("a backup", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	var all []string
	for b.lines.Scan() {
		all = append(all, b.lines.Text())
	}
	return all[:len(all)-1]
}

// TestBackupOnlyReads: a backup only needs a read-only role, or a standby, and does not migrate an older schema.
func TestBackupOnlyReads(t *testing.T) {
	t.Parallel()
	back := func(t *testing.T, database string) ([]byte, error) {
		t.Helper()
		s, err := Open(t.Context(), database, Options{Reading: true})
		if err != nil {
			return nil, err
		}
		defer s.Close()
		s.now = func() time.Time { return time.Unix(1795944451, 0) }
		var b bytes.Buffer
		_, err = s.Backup(t.Context(), &b, "1.2.3", nil)
		return b.Bytes(), err
	}
	t.Run("reader", func(t *testing.T) {
		enginetest.Only(t, enginetest.Postgres)
		primary := postgrestest.Start(t)
		database := primary.Database(t)
		s, err := Open(t.Context(), database, Options{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		want := string(saved(t, s))
		u, err := url.Parse(database)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(u.Path, "/")
		primary.Exec(t, name, "CREATE ROLE reader LOGIN", "GRANT pg_read_all_data TO reader",
			"CREATE ROLE tables LOGIN", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO tables")
		standby := primary.Standby(t)
		as := func(role, database string) string { return strings.Replace(database, "craton@", role+"@", 1) }
		for what, database := range map[string]string{
			"a reader": as("reader", database), "a standby": standby.URL(name) + "?target_session_attrs=standby", "a reader of a standby": as("reader", standby.URL(name)) + "?target_session_attrs=any",
		} {
			data, err := back(t, database)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			// The sequences of a standby may be ahead, because the primary logs several values in advance.
			if got := string(data); what == "a reader" && got != want || len(lines(t, data)) != len(lines(t, []byte(want))) {
				t.Errorf("%s backs up something else", what)
			}
		}
		if _, err := back(t, as("tables", database)); err == nil || !strings.Contains(err.Error(), "SELECT on all sequences") {
			t.Errorf("without the sequences: %v", err)
		}
		primary.Exec(t, name, "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO tables", "REVOKE SELECT ON clouds FROM tables")
		if _, err := back(t, as("tables", database)); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("without a table: %v", err)
		}
	})
	for i, database := range targets(t) {
		t.Run([]string{"sqlite", "postgres"}[i], func(t *testing.T) {
			if _, err := back(t, database); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("of nothing: %v", err)
			}
			const version = 3
			e, err := openEngine(t.Context(), database, Options{Create: true}, migrations[:version])
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			for range 2 { // the first backup must not migrate the schema
				data, err := back(t, database)
				if err != nil {
					t.Fatal(err)
				}
				b, end, err := newBackupReader("a backup", bytes.NewReader(data))
				if err != nil {
					t.Fatal(err)
				}
				end()
				if b.info.Schema != version {
					t.Errorf("the backup has schema %d, want %d", b.info.Schema, version)
				}
			}
		})
	}
}

// TestBackupAndRestore: a restored database is identical to the original, and continues with the same ids.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	data := saved(t, s)
	for name, database := range map[string]func(testing.TB) string{
		"sqlite":   func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "fleet.db") },
		"postgres": postgrestest.Database, "pgbouncer": postgrestest.Bounced,
	} {
		t.Run(name, func(t *testing.T) {
			target := database(t)
			info, rows, err := Restore(t.Context(), target, Options{}, "fleet.backup", opening(data), nil)
			if err != nil || info.Program != "1.2.3" || rows < 700 {
				t.Fatalf("%+v, %d rows, %v", info, rows, err)
			}
			again, err := Open(t.Context(), target, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			want, got := lines(t, data), lines(t, dump(t, again))
			for i := range want {
				if i >= len(got) || want[i] != got[i] {
					t.Fatalf("line %d is %s, was %s", i, got[min(i, len(got)-1)], want[i])
				}
			}
			if len(want) != len(got) {
				t.Errorf("%d lines, were %d", len(got), len(want))
			}
			sc := Scope{All: true}
			page, err := again.List(t.Context(), Projects, sc, List{Limit: 1, Sort: []string{"created_at"}, Filters: []Filter{{Column: "name", Value: "p"}}})
			if err != nil {
				t.Fatal(err)
			}
			sc = Scope{Project: page.Rows[0][Projects.Index("id")].(string)}
			// There were 1 switch, 150 hosts, and 3 more. The last of them was deleted, and its id is not assigned
			// again.
			if id := create(t, again, Hosts, sc, host("next", nil)); id != 155 && enginetest.Now() != enginetest.Disturbed {
				t.Errorf("the next host has the id %d", id)
			}
			if _, _, err := Restore(t.Context(), target, Options{}, "fleet.backup", opening(data), nil); !errors.Is(err, ErrNotEmpty) {
				t.Errorf("into a fleet: %v", err)
			}
		})
	}
}

// TestBadBackups: truncated or altered backups and other files are refused, and nothing of them is stored.
func TestBadBackups(t *testing.T) {
	t.Parallel()
	data := saved(t, fresh(t))
	whole, err := unpacked(data)
	if err != nil {
		t.Fatal(err)
	}
	target := func() string { return "sqlite:" + filepath.Join(t.TempDir(), "fleet.db") }
	refused := func(what string, data []byte, why string) {
		t.Helper()
		to := target()
		_, _, err := Restore(t.Context(), to, Options{}, "fleet.backup", opening(data), nil)
		var bad *InvalidBackupError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), "fleet.backup") || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Stat(strings.TrimPrefix(to, "sqlite:")); err == nil {
			t.Errorf("%s: a database was made", what)
		}
	}
	for i := 0; i < len(data); i += 1 + len(data)/50 {
		refused(fmt.Sprintf("cut off at %d of %d", i, len(data)), data[:i], "")
		altered := bytes.Clone(data)
		altered[i] ^= 0x10
		if text, err := unpacked(altered); err == nil && bytes.Equal(text, whole) {
			continue // the changed bit has no meaning: the contents are the same
		}
		refused(fmt.Sprintf("altered at %d of %d", i, len(data)), altered, "")
	}
	refused("nothing", nil, "is no backup of craton")
	refused("a text", []byte("clouds: []\n"), "is no backup of craton")
	for n := 1; n < 6; n++ {
		refused(fmt.Sprintf("%d more bytes", n), append(bytes.Clone(data), make([]byte, n)...), "damaged")
	}
	refused("twice", append(bytes.Clone(data), data...), "damaged")
	for what, tc := range map[string]struct{ from, to, why string }{
		"a newer format": {`"version":1`, `"version":2`, "newer version"},
		"a newer schema": {`"schema":`, `"schema":9`, "newer version"},
		"another table":  {`"table":"clouds"`, `"table":"clouds; DROP TABLE users"`, "no table"},
		"another column": {`"columns":["id","project_id","name","note"`, `"columns":["id","project_id","name","nope"`, "no column"},
		"another value":  {"z-switch", "y-switch", "checksum"},
	} {
		refused(what, repacked(t, data, func(text string) string { return strings.Replace(text, tc.from, tc.to, 1) }), tc.why)
	}
}

func unpacked(data []byte) ([]byte, error) {
	r, err := zstd.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// repacked returns a backup with its uncompressed text changed.
func repacked(t *testing.T, data []byte, change func(string) string) []byte {
	t.Helper()
	text, err := unpacked(data)
	if err != nil {
		t.Fatal(err)
	}
	changed := change(string(text))
	if changed == string(text) {
		t.Fatal("nothing was changed")
	}
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll([]byte(changed), nil)
}

// targets returns an empty database of each engine.
func targets(t *testing.T) []string {
	return []string{"sqlite:" + filepath.Join(t.TempDir(), "fleet.db"), postgrestest.Database(t)}
}
