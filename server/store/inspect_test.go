package store

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// made creates a database with many hosts, closes it, and returns its path.
func made(t *testing.T) string {
	t.Helper()
	s := fresh(t)
	sc := fleet(t, s)
	for i := range 300 {
		create(t, s, Hosts, sc, host("h"+strings.Repeat("x", i%50)+string(rune('a'+i%26))+strings.Repeat("y", i/26), nil))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.Name()
}

func TestInspect(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite)
	t.Parallel()
	path := made(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Inspect(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Free == 0 {
		t.Error("the free space is not known")
	}
	got.Free = 0
	if diff := cmp.Diff(Inspection{Path: path, Schema: len(migrations), Newest: len(migrations)}, got); diff != "" {
		t.Error(diff)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file changed (%v)", err)
	}
}

func TestInspectLocked(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite)
	t.Parallel()
	path := made(t)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	got, err := Inspect(t.Context(), "sqlite:"+path)
	if err != nil || !got.Locked || got.ReadOnly || got.Damage != "" {
		t.Errorf("%+v, error %v", got, err)
	}
	if _, err := c.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if got, err := Inspect(t.Context(), "sqlite:"+path); err != nil || got.Locked {
		t.Errorf("after the lock: %+v, error %v", got, err)
	}
}

func TestInspectDamaged(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite)
	t.Parallel()
	path := made(t)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil || info.Size() < 5*4096 {
		t.Fatalf("%v, %d bytes", err, info.Size())
	}
	for at := int64(2 * 4096); at < info.Size(); at += 4096 { // keep the first page, which identifies the file
		if _, err := f.WriteAt(bytes.Repeat([]byte{0xA5}, 64), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := Inspect(t.Context(), "sqlite:"+path)
	if err != nil || got.Damage == "" {
		t.Errorf("%+v, error %v", got, err)
	}
}

func TestInspectOthers(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite)
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "sqlite:" + path
	}
	if got, err := Inspect(t.Context(), write("empty.db", "")); err != nil || got.Schema != 0 {
		t.Errorf("an empty file: %+v, error %v", got, err)
	}
	if _, err := Inspect(t.Context(), write("text.db", strings.Repeat("this is no database\n", 100))); err == nil || !strings.Contains(err.Error(), "is not a Craton database") {
		t.Errorf("text: error %v", err)
	}
	if _, err := Inspect(t.Context(), "sqlite:"+filepath.Join(dir, "absent.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: error %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "absent.db")); err == nil {
		t.Error("it was made")
	}
}
