package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/server/internal/enginetest"
	"github.com/craton-fleet/craton/server/store/engine"
)

// TestDiskFull fills a database up to a maximum size, and checks the error. Acknowledged writes must not be lost, and
// the store must work again when there is space.
func TestDiskFull(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite)
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	limit := func(pages int) {
		if err := s.write(t.Context(), func(ctx context.Context, q *session) error {
			var n int
			return q.row(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages), nil, &n)
		}); err != nil {
			t.Fatal(err)
		}
	}
	limit(200)
	stored := 1
	var err error
	for ; stored < 10_000; stored++ {
		v := []Variable{{Name: "big", Value: `"` + strings.Repeat("x", 10_000) + `"`}}
		if _, err = s.Create(t.Context(), Clouds, sc, CreateParams{Values: Values{"name": fmt.Sprint("c", stored)}, Variables: v}); err != nil {
			break
		}
	}
	var f *DatabaseError
	if !errors.As(err, &f) || f.Reason != engine.DiskFull {
		t.Fatalf("after %d clouds: %v", stored, err)
	}
	for _, want := range []string{s.Name(), "the disk is full", "bytes are free", "free some space", "craton doctor"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	if strings.Contains(f.Public(), s.Name()) || !strings.Contains(f.Public(), "the disk is full") {
		t.Errorf("for clients: %s", f.Public())
	}
	limit(100_000)
	create(t, s, Clouds, sc, CreateParams{Values: Values{"name": "again"}})
	page, err := s.List(t.Context(), Clouds, sc, List{Limit: 1000, Sort: []string{"id"}})
	if err != nil || len(page.Rows) != stored+1 {
		t.Errorf("%d clouds, %v; want %d", len(page.Rows), err, stored+1)
	}
}

// TestDamagedPage overwrites pages after the first one.
func TestDamagedPage(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite)
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fleet.db")
	s, err := openFast(path)
	if err != nil {
		t.Fatal(err)
	}
	sc := fleet(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(data); i++ {
		data[i] = 0xA5
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), "sqlite:"+path, Options{}); err == nil {
		defer s.Close()
		_, err = s.List(t.Context(), Clouds, sc, List{Limit: 30, Sort: []string{"id"}})
	}
	var f *DatabaseError
	if !errors.As(err, &f) || f.Reason != engine.Damaged || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "backup") {
		t.Errorf("a damaged page: %v", err)
	}
}

// TestSmallDisk runs the store on a full file system, and on a read-only one.
func TestSmallDisk(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite)
	t.Parallel()
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("only root may mount a file system: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
	path := filepath.Join(dir, "fleet.db")
	s, err := openFast(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sc := fleet(t, s)
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", `dd if=/dev/zero of="$0/fill" bs=4096 2>/dev/null; true`, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var f *DatabaseError
	for i := range 100 { // until there is no space for the log
		_, err = s.Create(t.Context(), Clouds, sc, CreateParams{Values: Values{"name": fmt.Sprint("x", i)}})
		if err != nil {
			break
		}
	}
	if !errors.As(err, &f) || f.Reason != engine.DiskFull {
		t.Errorf("a full disk: %v (%T)", err, err)
	}
	if _, err := s.List(t.Context(), Clouds, sc, List{Limit: 30, Sort: []string{"id"}}); err != nil {
		t.Errorf("reading from a full disk: %v", err)
	}
	in, err := Inspect(t.Context(), "sqlite:"+path)
	if err != nil || in.Damage != "" || in.Unwritable == "" || in.Free > 1<<20 {
		t.Errorf("Inspect sees %+v, %v", in, err)
	}
	if err := os.Remove(filepath.Join(dir, "fill")); err != nil {
		t.Fatal(err)
	}
	create(t, s, Clouds, sc, CreateParams{Values: Values{"name": "room"}})
	if in, err := Inspect(t.Context(), "sqlite:"+path); err != nil || in.Unwritable != "" || in.Free == 0 {
		t.Errorf("with room, Inspect sees %+v, %v", in, err)
	}
	if out, err := exec.CommandContext(t.Context(), "mount", "-o", "remount,ro", dir).CombinedOutput(); err != nil {
		t.Logf("not remounted: %v: %s", err, out)
		return
	}
	_, err = s.Create(t.Context(), Clouds, sc, CreateParams{Values: Values{"name": "ro"}})
	if !errors.As(err, &f) || f.Reason != engine.ReadOnly && f.Reason != engine.DiskError && f.Reason != engine.NoAccess {
		t.Errorf("a file system that may only be read: %v", err)
	}
	if _, err := exec.CommandContext(context.WithoutCancel(t.Context()), "mount", "-o", "remount,rw", dir).CombinedOutput(); err != nil {
		t.Log(err)
	}
}

// TestNoFile: a path that does not lead to a regular file is an error; reading from a pipe would block forever.
func TestNoFile(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite)
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if out, err := exec.CommandContext(t.Context(), "mkfifo", pipe).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for path, want := range map[string]string{pipe: "a device or a pipe", os.DevNull: "a device or a pipe", filepath.Dir(pipe): "a directory"} {
		if _, err := Open(t.Context(), "sqlite:"+path, Options{Create: true}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
