package server_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/server"
)

var update = flag.Bool("update", false, "write docs/differences.md anew")

// TestDifferencesPage keeps docs/differences.md equal to the table.
func TestDifferencesPage(t *testing.T) {
	t.Parallel()
	page := filepath.Join("..", "docs", "differences.md")
	want := server.DifferencesMarkdown()
	if *update {
		if err := os.MkdirAll(filepath.Dir(page), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/differences.md is out of date; run go test ./server -run TestDifferencesPage -update (-table +page):\n%s", diff)
	}
}

// TestDifferencesAreComplete keeps the table fit to print.
func TestDifferencesAreComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, d := range server.Differences {
		if d.ID == "" || d.Where == "" || d.Original == "" || d.Ours == "" || d.Reason == "" {
			t.Errorf("difference %+v lacks a text", d)
		}
		if seen[d.ID] {
			t.Errorf("two differences are called %s", d.ID)
		}
		seen[d.ID] = true
		if (expected[d.ID] != nil) != (len(d.Recorded) > 0) {
			t.Errorf("difference %s: the replay test must know it exactly if it is recorded", d.ID)
		}
	}
}
