package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/server/store/engine"
)

// TestScratchFull: if there is no space for a past state, the error is about the directory for temporary files, not the
// database, and no file is left behind.
func TestScratchFull(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	schema := []string{"CREATE TABLE t (v TEXT)"}
	live, err := Open(t.Context(), filepath.Join(t.TempDir(), "fleet.db"), schema, engine.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close() //nolint:errcheck // only read
	for _, beside := range []*Engine{nil, live} {
		_, err := Scratch(t.Context(), schema, beside, func(ctx context.Context, tx engine.Tx) error {
			var pages int
			if err := tx.Row(ctx, "PRAGMA main.max_page_count = 3", nil, &pages); err != nil {
				return err
			}
			return tx.Exec(ctx, "INSERT INTO main.t VALUES (?)", []any{strings.Repeat("x", 100_000)})
		})
		var f *engine.DatabaseError
		if !errors.As(err, &f) || f.Reason != engine.DiskFull || filepath.Dir(f.Database) != TempDir() {
			t.Errorf("%v", err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(TempDir(), "*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// TestScratchNowhere: the error for a missing directory contains its name.
func TestScratchNowhere(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "gone")
	t.Setenv("TMPDIR", nowhere)
	_, err := Scratch(t.Context(), nil, nil, func(context.Context, engine.Tx) error { return nil })
	if f := (*engine.DatabaseError)(nil); !errors.As(err, &f) || f.Database != nowhere || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("%v", err)
	}
}
