package store

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"unicode"
)

// TestCaseOfSearch: a search for a lower-case character considers all characters that have it as their lower case.
func TestCaseOfSearch(t *testing.T) {
	t.Parallel()
	for r := rune(1); r <= unicode.MaxRune; r++ {
		low := unicode.ToLower(r)
		if low == r || 0xD800 <= r && r < 0xE000 {
			continue
		}
		switch s := NewSearch(string(low)); {
		case low < 0x80 && r < 0x80: // the database folds these
		case !slices.Contains(s.plain, string(r)):
			t.Errorf("%U has the lower case %U, which is searched for as %q", r, low, s.plain)
		}
	}
}

// TestManyFound: if too many objects of an entity may contain a text, the entity and those of the places around them
// are missing from the result. The chosen objects are in the order of creation.
func TestManyFound(t *testing.T) {
	t.Parallel()
	s, err := openFast(filepath.Join(t.TempDir(), "fleet.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // errors do not matter in a test
	s.few = 2
	err = s.write(t.Context(), func(ctx context.Context, q *session) error {
		for _, text := range []string{
			"INSERT INTO projects (id, name, created_at) VALUES ('p', 'p', 1)",
			"INSERT INTO clouds (id, name, project_id, created_at) VALUES (1, 'c', 'p', 1), (2, 'd', 'p', 1)",
			"INSERT INTO regions (id, name, project_id, cloud_id, created_at) VALUES (1, 'r', 'p', 1, 1), (2, 'q', 'p', 2, 1)",
		} {
			if err := q.exec(ctx, text, nil); err != nil {
				return err
			}
		}
		for i := range 6 {
			name := []string{"all even", "all odd"}[i%2]
			if err := q.exec(ctx, "INSERT INTO devices (id, type, name, ip_address, device_type, project_id, cloud_id, region_id, active, created_at) VALUES (?, 'hosts', ?, 'a', 'x', 'p', 1, 1, TRUE, ?)",
				[]any{i + 1, fmt.Sprintf("%s %d.%d", name, i/4, i), 100 - i}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]int64{"ALL": nil, "odd": nil, "even 0": {3, 1}, "odd 1": {6}, "none": {}, "": nil, "\ufffd": nil} {
		var found map[*Entity][]int64
		err := s.View(t.Context(), false, func(ctx context.Context, v *View) (err error) {
			found, err = v.Find(ctx, Scope{All: true}, NewSearch(text), false, func(*Entity) []Filter { return nil })
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		devices, chosen := found[Devices]
		if chosen != (want != nil) || !slices.Equal(devices, want) {
			t.Errorf("%q: %v %t, want %v", text, devices, chosen, want)
		}
		regions, around := found[Regions]
		if around != chosen || len(want) > 0 && !slices.Equal(regions, []int64{1}) {
			t.Errorf("%q: regions %v %t", text, regions, around)
		}
	}
}
