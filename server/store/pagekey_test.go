package store

import (
	"bytes"
	"path/filepath"
	"testing"
)

// TestPageKey: all servers of a database have one key, which no backup has.
func TestPageKey(t *testing.T) {
	t.Parallel()
	for _, database := range targets(t) {
		open := func(database string, create bool) *Store {
			s, err := Open(t.Context(), database, Options{Create: create})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return s
		}
		first, second := open(database, true), open(database, false)
		key, err := first.PageKey(t.Context())
		if err != nil || len(key) != 32 || bytes.Equal(key, make([]byte, 32)) {
			t.Fatalf("%x, %v", key, err)
		}
		for _, s := range []*Store{first, second} {
			if again, err := s.PageKey(t.Context()); err != nil || !bytes.Equal(again, key) {
				t.Errorf("%x, %v, want %x", again, err, key)
			}
		}
		other := open("sqlite:"+filepath.Join(t.TempDir(), "other.db"), true)
		if another, err := other.PageKey(t.Context()); err != nil || bytes.Equal(another, key) {
			t.Errorf("%x, %v", another, err)
		}
	}
	for _, table := range savedTables(len(migrations)) {
		if table.name == "page_keys" {
			t.Error("a backup has it")
		}
	}
}
