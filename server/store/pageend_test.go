package store

import (
	"slices"
	"strconv"
	"testing"
	"time"
)

// TestEndPage: a cookie that one server revokes is revoked on the other servers until it would expire. If there are too
// many marks, all earlier cookies are revoked.
func TestEndPage(t *testing.T) {
	t.Parallel()
	const kept = 8 * time.Hour
	for _, database := range targets(t) {
		open := func(create bool) *Store {
			s, err := Open(t.Context(), database, Options{Create: create})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return s
		}
		one, two := open(true), open(false)
		start := time.Now()
		end := func(s *Store, id string, after time.Duration) {
			t.Helper()
			s.now = func() time.Time { return start.Add(after) }
			if err := s.endPage(t.Context(), id, kept, 3); err != nil {
				t.Fatal(err)
			}
		}
		ended := func(id string, made time.Duration) bool {
			t.Helper()
			var got []bool
			for _, s := range []*Store{one, two} {
				yes, err := s.PageEnded(t.Context(), id, start.Add(made))
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, yes)
			}
			if got[0] != got[1] {
				t.Errorf("%s: %v", id, got)
			}
			return got[0]
		}
		if ended("a", 0) {
			t.Error("nothing was ended")
		}
		end(one, "a", 0)
		end(two, "a", time.Minute) // a second time
		if !ended("a", 0) || ended("b", 0) {
			t.Error("a was ended, and b was not")
		}
		end(one, "b", 2*kept) // deletes the mark of a
		if ended("a", 0) || !ended("b", 2*kept) {
			t.Error("marks are kept for too long")
		}
		for i := range 3 {
			end(two, strconv.Itoa(i), 2*kept+time.Minute)
		}
		if made := 2 * kept; !ended("b", made) || !ended("never heard of", made) || ended("never heard of", made+2*time.Minute) {
			t.Error("too many marks: all that was made before ends, and no other")
		}
	}
	if slices.ContainsFunc(savedTables(len(migrations)), func(t *table) bool { return t.name == "page_ends" }) {
		t.Error("a backup has it")
	}
}
