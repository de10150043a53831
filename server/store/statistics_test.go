package store

import (
	"context"
	"fmt"
	"testing"

	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// TestStatistics checks that PostgreSQL has current statistics while a fleet grows. They come from the store, because
// autovacuum only runs once a minute.
func TestStatistics(t *testing.T) {
	enginetest.Only(t, enginetest.Postgres)
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	if err := s.write(t.Context(), func(ctx context.Context, q *session) error {
		return q.exec(ctx, "ALTER TABLE devices SET (autovacuum_enabled = false)", nil)
	}); err != nil {
		t.Fatal(err)
	}
	known := func() (rows int64) {
		t.Helper()
		s.growth.running.Wait()
		err := s.readOne(t.Context(), func(ctx context.Context, q *session) error {
			return q.row(ctx, "SELECT CAST(reltuples AS BIGINT) FROM pg_class WHERE oid = to_regclass('devices')", nil, &rows)
		})
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	made := 0
	grow := func(changes int64) {
		for s.growth.changes.Load() < changes {
			made++
			create(t, s, Hosts, sc, host(fmt.Sprintf("h%d", made), nil))
		}
	}
	grow(firstCollection - 1)
	if n := known(); n > 0 {
		t.Fatalf("%d hosts known after %d changes", n, firstCollection-1)
	}
	grow(firstCollection)
	if n := known(); n != int64(made) {
		t.Errorf("%d hosts known of %d", n, made)
	}
	before := made
	grow(moreChanges*firstCollection - 1)
	if n := known(); n != int64(before) {
		t.Errorf("%d hosts known: collected again after %d changes", n, s.growth.changes.Load())
	}
	grow(moreChanges * firstCollection)
	if n := known(); n != int64(made) {
		t.Errorf("%d hosts known of %d", n, made)
	}
}
