package kept_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/craton-fleet/craton/inventory/internal/kept"
)

const key = "0123456789abcdef"

func open(t *testing.T) *kept.Store {
	t.Helper()
	s, err := kept.Open(filepath.Join(t.TempDir(), "kept"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// keep keeps a document with an index.
func keep(t *testing.T, s *kept.Store, key, document, index string, made time.Time) {
	t.Helper()
	d := s.Begin(key)
	_, _ = d.Write([]byte(document))
	if err := d.Keep(kept.Header{Program: "p", Tag: "t", Hosts: 3, Made: made}, []byte(index)); err != nil {
		t.Fatal(err)
	}
}

// read returns all that is kept of a key.
func read(s *kept.Store, key string) (document, index string, err error) {
	e, err := s.Find(key)
	if err != nil {
		return "", "", err
	}
	defer e.Close()
	if err := e.Check(); err != nil {
		return "", "", err
	}
	var b bytes.Buffer
	if _, err := e.WriteTo(&b); err != nil {
		return "", "", err
	}
	x, err := e.ReadIndex()
	return b.String(), string(x), err
}

func TestKeep(t *testing.T) {
	t.Parallel()
	s := open(t)
	if _, _, err := read(s, key); !os.IsNotExist(err) {
		t.Errorf("nothing kept: %v", err)
	}
	for _, document := range []string{"one", "", strings.Repeat("longer than a piece\n", 50_000)} {
		keep(t, s, key, document, "index of "+document, time.Now())
		if d, x, err := read(s, key); d != document || x != "index of "+document || err != nil {
			t.Errorf("%d and %d bytes of %d: %v", len(d), len(x), len(document), err)
		}
	}
	e, err := s.Find(key)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, s, key, "another", "", time.Now())
	if err := e.Check(); err != nil {
		t.Errorf("who has opened a document reads another: %v", err)
	}
	e.Close()
	d := s.Begin(key)
	_, _ = d.Write([]byte("not wanted"))
	d.Discard()
	if d, _, _ := read(s, key); d != "another" {
		t.Errorf("a draft that was thrown away is kept: %q", d)
	}
	if files, _ := os.ReadDir(s.Dir()); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
	if n, err := s.Clear(); n != 1 || err != nil {
		t.Errorf("cleared %d: %v", n, err)
	}
	if all, err := s.All(); len(all) != 0 || err != nil {
		t.Errorf("still there: %v %v", all, err)
	}
}

// TestDamage: a file that was cut or altered anywhere is noticed, and so is one that was put in another's place.
func TestDamage(t *testing.T) {
	t.Parallel()
	s := open(t)
	keep(t, s, key, "a document\n", "its index", time.Now())
	path := filepath.Join(s.Dir(), key+".kept")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for n := range whole {
		write(whole[:n])
		if _, _, err := read(s, key); err == nil {
			t.Errorf("cut to %d bytes, and nobody notices", n)
		}
		altered := bytes.Clone(whole)
		altered[n] ^= 0x10
		write(altered)
		if _, _, err := read(s, key); err == nil {
			t.Errorf("byte %d is altered, and nobody notices", n)
		}
	}
	write(append(bytes.Clone(whole), 'x'))
	if _, _, err := read(s, key); err == nil {
		t.Error("longer, and nobody notices")
	}
	if err := os.WriteFile(filepath.Join(s.Dir(), "fedcba.kept"), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := read(s, "fedcba"); err == nil {
		t.Error("another's document is taken")
	}
	if _, err := s.All(); err == nil || !strings.Contains(err.Error(), "it is truncated or corrupted") {
		t.Errorf("of a damaged one: %v", err)
	}
	write(whole)
	if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // that is what is refused
		t.Fatal(err)
	}
	if _, _, err := read(s, key); err == nil || !strings.Contains(err.Error(), "users other than its owner") {
		t.Errorf("open to others: %v", err)
	}
	if err := os.Rename(path, path+".else"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path+".else", path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := read(s, key); err == nil || !strings.Contains(err.Error(), "is a symbolic link") {
		t.Errorf("a link: %v", err)
	}
}

// TestSweep: what nobody uses goes, and what processes that were killed have left.
func TestSweep(t *testing.T) {
	t.Parallel()
	s := open(t)
	now := time.Now()
	for n, age := range map[int]time.Duration{1: kept.Unused + time.Hour, 2: time.Hour} {
		name := fmt.Sprintf("%016d", n)
		keep(t, s, name, "d", "", now)
		if err := os.Chtimes(filepath.Join(s.Dir(), name+".kept"), now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	for name, age := range map[string]time.Duration{"x.kept.1.new": 48 * time.Hour, "x.kept.2.new": time.Minute, "mine.txt": 100 * kept.Unused} {
		path := filepath.Join(s.Dir(), name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	keep(t, s, key, "d", "", now)
	files, err := os.ReadDir(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	if got := strings.Join(names, " "); got != "0000000000000002.kept "+key+".kept mine.txt x.kept.2.new" {
		t.Errorf("left: %s", got)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := open(t)
	if s.Accepted(key) != nil {
		t.Error("accepted")
	}
	if err := s.Refuse(key, kept.Refusal{Lost: 4, Of: 10}); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Refused(); err != nil || all[key].Lost != 4 || s.Accepted(key) != nil {
		t.Errorf("%v %v", all, err)
	}
	if err := s.Accept(key); err != nil || s.Accepted(key).Of != 10 {
		t.Errorf("%v", err)
	}
	keep(t, s, key, "d", "", time.Now())
	if all, err := s.Refused(); err != nil || len(all) > 0 || s.Accepted(key) != nil {
		t.Error("a new document leaves what was said of the one before")
	}
}
