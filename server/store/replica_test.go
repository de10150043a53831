package store

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/postgrestest"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// TestReplicaFails: a read that the replica cancels is repeated on the primary. If the replica stops responding, as if
// its machine were disconnected, neither later reads nor those that have begun wait long.
func TestReplicaFails(t *testing.T) {
	t.Parallel()
	enginetest.Only(t, enginetest.Postgres)
	primary := postgrestest.Start(t, postgrestest.Setting("max_standby_streaming_delay", "100ms"))
	database := primary.Database(t)
	first, err := Open(t.Context(), database, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	sc := fleet(t, first)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	standby := primary.Standby(t)
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	s, err := Open(t.Context(), database, Options{Replica: standby.URL(name), ReplicaLag: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// Replaying a change conflicts with a long read, which is repeated on the primary.
	calls := 0
	end, err := s.LogEnd(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = s.ViewBehind(t.Context(), Need{Cursor: end}, false, func(ctx context.Context, v *View) error {
		calls++
		_, err := v.Get(ctx, Clouds, sc, "1")
		if calls == 1 && err == nil {
			primary.Exec(t, name, "BEGIN; LOCK TABLE clouds IN ACCESS EXCLUSIVE MODE; COMMIT")
			for deadline := time.Now().Add(30 * time.Second); err == nil && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
				_, err = v.Get(ctx, Clouds, sc, "1")
			}
		}
		return err
	})
	if stats, _ := s.Replica(); err != nil || calls != 2 || stats.Skipped["conflict"] != 1 {
		t.Errorf("%d calls, %v, %+v", calls, err, stats)
	}

	read := func(between func()) (took time.Duration) {
		end, err := s.LogEnd(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var begun time.Time
		err = s.ViewBehind(t.Context(), Need{Cursor: end}, false, func(ctx context.Context, v *View) error {
			if begun.IsZero() {
				between()
				begun = time.Now()
			}
			_, err := v.Get(ctx, Clouds, sc, "1")
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return time.Since(begun)
	}
	s.replica.mu.Lock()
	s.replica.gone = time.Second
	s.replica.mu.Unlock()
	took := read(func() { standby.Freeze(t) })
	if took < 100*time.Millisecond || took > 20*time.Second {
		t.Errorf("who had begun waited %s", took)
	}
	if stats, _ := s.Replica(); stats.Why != "no_answer" || stats.Probed {
		t.Errorf("%+v", stats)
	}
	if took := read(func() {}); took > 2*time.Second {
		t.Errorf("who came later waited %s", took)
	}
	standby.Thaw(t)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if stats, _ := s.Replica(); stats.Why == "" {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("it is back: %+v", stats)
		}
	}
	before, _ := s.Replica()
	read(func() {})
	if after, _ := s.Replica(); after.Reads != before.Reads+1 {
		t.Errorf("it is back, and not read: %+v", after)
	}

	// The replica freezes again, and the first read waits for half a second.
	standby.Freeze(t)
	begun := time.Now()
	read(func() {})
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the first one waited %s", took)
	}
	standby.Thaw(t)
	if _, err := Open(t.Context(), "sqlite:"+t.TempDir()+"/x.db", Options{Create: true, Replica: database}); err == nil || errors.Is(err, ErrReplica) {
		t.Error(err)
	}
}
