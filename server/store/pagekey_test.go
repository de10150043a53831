package store

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestPageKeys: all servers of a database use the same keys, which backups do not contain. An old key is followed by a
// new one, and deleted when its cookies have expired.
func TestPageKeys(t *testing.T) {
	t.Parallel()
	const age, kept = 30 * 24 * time.Hour, 8 * time.Hour
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
		start := time.Now()
		numbers := func(s *Store, after time.Duration) (all []int64) {
			t.Helper()
			s.now = func() time.Time { return start.Add(after) }
			keys, err := s.PageKeys(t.Context(), age, kept)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range keys {
				all = append(all, k.Number)
				if len(k.Secret) != 32 || bytes.Equal(k.Secret, make([]byte, 32)) || len(all) > 1 && bytes.Equal(k.Secret, keys[0].Secret) {
					t.Fatalf("%x", k.Secret)
				}
			}
			return all
		}
		for _, step := range []struct {
			of    *Store
			after time.Duration
			want  []int64
		}{
			{first, 0, []int64{1}},
			{second, time.Hour, []int64{1}},
			{first, age - time.Minute, []int64{1}},
			{second, age + time.Minute, []int64{2, 1}},
			{first, age + time.Hour, []int64{2, 1}},
			{first, age + kept, []int64{2, 1}},
			{first, age + kept + time.Hour, []int64{2}},
			{second, age + kept + time.Hour, []int64{2}},
			{second, 9 * age, []int64{3, 2}}, // after a long time without a request
			{first, 9*age + kept + time.Hour, []int64{3}},
		} {
			if got := numbers(step.of, step.after); !slices.Equal(got, step.want) {
				t.Errorf("after %s: %d, want %d", step.after, got, step.want)
			}
		}
		same, err := first.PageKeys(t.Context(), age, kept)
		if err != nil {
			t.Fatal(err)
		}
		other := open("sqlite:"+filepath.Join(t.TempDir(), "other.db"), true)
		if another, err := other.PageKeys(t.Context(), age, kept); err != nil || bytes.Equal(another[0].Secret, same[0].Secret) {
			t.Errorf("%x, %v", another, err)
		}
	}
	for _, table := range savedTables(len(migrations)) {
		if table.name == "page_keys" {
			t.Error("a backup has it")
		}
	}
}

// TestPageKeysAtOnce: concurrent requests of several servers create one key.
func TestPageKeysAtOnce(t *testing.T) {
	t.Parallel()
	for _, database := range targets(t) {
		made := make(chan []PageKey)
		for i := range 4 {
			s, err := Open(t.Context(), database, Options{Create: i == 0})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			go func() {
				keys, err := s.PageKeys(t.Context(), time.Hour, time.Hour)
				if err != nil {
					t.Error(err)
				}
				made <- keys
			}()
		}
		var one []byte
		for range 4 {
			keys := <-made
			if len(keys) != 1 || one != nil && !bytes.Equal(one, keys[0].Secret) {
				t.Fatalf("%v", keys)
			}
			one = keys[0].Secret
		}
	}
}
