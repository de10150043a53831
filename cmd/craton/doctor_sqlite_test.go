package main_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite" // the driver

	"github.com/craton-fleet/craton/server"
)

// fleetFile makes a SQLite file with a project in it.
func fleetFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "fleet.db")
	s, err := server.Open(t.Context(), "sqlite:"+file, server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Bootstrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

// raw opens the file behind craton's back.
func raw(t *testing.T, file, statement string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	return db
}

// TestDoctorFiles: a file that another process keeps locked, one that is damaged, and one of a newer program.
func TestDoctorFiles(t *testing.T) {
	t.Parallel()
	t.Run("locked", func(t *testing.T) {
		t.Parallel()
		file := fleetFile(t)
		raw(t, file, "BEGIN IMMEDIATE")
		examine(t, []string{"CRATON_URL=sqlite:" + file}).expect(t, map[string]string{
			"writing":   "warning: another process .*write lock.* -> .*`fuser -v " + file + "`$",
			"inventory": "warning: no hosts, 0 groups, in .* -> .*`craton apply FILE`$",
		})
	})
	t.Run("damaged", func(t *testing.T) {
		t.Parallel()
		file := fleetFile(t)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for at := 2 * 4096; at < len(text); at += 4096 {
			copy(text[at:], bytes.Repeat([]byte{0xA5}, 64))
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		examine(t, []string{"CRATON_URL=sqlite:" + file}).expect(t, map[string]string{
			"database": "problem: .* damaged.* -> stop ", "inventory": "skipped",
		})
		if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, text) {
			t.Errorf("the file changed (%v)", err)
		}
	})
	t.Run("newer", func(t *testing.T) {
		t.Parallel()
		file := fleetFile(t)
		_ = raw(t, file, "PRAGMA user_version = 1000").Close()
		examine(t, []string{"CRATON_URL=sqlite:" + file}).expect(t, map[string]string{
			"file": "problem: .* newer version of craton.* -> upgrade ", "inventory": "skipped",
		})
	})
}
