package postgres

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/postgrestest"
	"github.com/craton-fleet/craton/server/store/engine"
)

// TestFrozenStandby: a timeout of a commit that waits for a standby is not reported as if nothing had been stored,
// because the commit is on the primary already.
func TestFrozenStandby(t *testing.T) {
	t.Parallel()
	primary := postgrestest.Start(t, postgrestest.Durable())
	database := primary.Database(t)
	s, err := Open(t.Context(), database, []string{"CREATE TABLE things (id INTEGER PRIMARY KEY); CREATE TABLE variables (key TEXT, owner_kind INTEGER, owner_id INTEGER)"}, engine.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	standby := primary.Standby(t)
	primary.Exec(t, name, "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
	work := engine.Work{Run: func(ctx context.Context, tx engine.Tx) error {
		return tx.Exec(ctx, "INSERT INTO things SELECT count(*) FROM things", nil)
	}}
	if err := s.Write(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	standby.Freeze(t)
	s.writeTime = 2 * time.Second
	err = s.Write(t.Context(), work)
	standby.Thaw(t)
	primary.Exec(t, name, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()") // otherwise the cleanup could not drop the database
	if failed, ok := errors.AsType[*engine.DatabaseError](err); !ok || failed.Reason != engine.CommitUnknown {
		t.Errorf("%v, want that the outcome is not known", err)
	}
	var n int
	err = s.Read(t.Context(), func(ctx context.Context, tx engine.Tx) error {
		return tx.Row(ctx, "SELECT count(*) FROM things", nil, &n)
	})
	if err != nil || n != 2 {
		t.Errorf("%d things, %v: the write was not stored, so this test shows nothing", n, err)
	}
}
