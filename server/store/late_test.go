package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/internal/enginetest"
	"github.com/craton-fleet/craton/server/store/engine"
)

// TestLateCommits uses a proxy between the store and PostgreSQL, which closes the store's connection at a commit, and
// forwards the commit later: while the store looks up the outcome, or after that. Nothing may be stored twice, and a
// write that was reported as failed must not be stored.
func TestLateCommits(t *testing.T) {
	t.Parallel()
	d := &delayer{}
	s := throughProxy(t, d.serve)
	sc := fleet(t, s)
	d.armed.Store(true)
	const writers, each = 8, 20
	var told sync.Map
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				name := fmt.Sprintf("h%d-%d", w, i)
				row, err := s.Create(t.Context(), Hosts, sc, host(name, nil))
				if f := (*engine.DatabaseError)(nil); errors.As(err, &f) { // the retries took too long
					if f.Reason != engine.CommitUnknown {
						told.Store(name, nil) // must not be stored
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				told.Store(name, row[Hosts.Index("id")])
			}
		})
	}
	wg.Wait()
	d.armed.Store(false)
	d.under.Wait()
	if d.late.Load() < 5 {
		t.Errorf("%d commits were late", d.late.Load())
	}
	told.Range(func(name, id any) bool {
		page, err := s.List(t.Context(), Hosts, sc, List{Limit: 10, Sort: []string{"id"}, Filters: []Filter{{Column: "name", Value: name}}})
		if err == nil && id == nil && len(page.Rows) == 0 {
			return true
		}
		if err != nil || id == nil || len(page.Rows) != 1 {
			t.Errorf("%s is there %d times, %v", name, len(page.Rows), err)
			return true
		}
		if got := page.Rows[0][Hosts.Index("id")]; got != id {
			t.Errorf("%s is %v, %v was told", name, got, id)
		}
		return true
	})
	var rows, revisions, created int
	err := s.read(t.Context(), func(ctx context.Context, q *session) error {
		return q.row(ctx, "SELECT count(*), count(DISTINCT revision), count(DISTINCT path) FROM changes WHERE kind = 'host'", nil, &rows, &revisions, &created)
	})
	if err != nil || rows != revisions || rows != created {
		t.Errorf("%d changes in %d revisions of %d hosts, %v", rows, revisions, created, err)
	}
}

// delayer is a proxy that delays random commits.
type delayer struct {
	armed atomic.Bool
	late  atomic.Int64
	under sync.WaitGroup // commits that are being delayed
}

func (d *delayer) serve(client, server net.Conn) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(client, server)
		_ = client.Close()
		_, _ = io.Copy(io.Discard, server)
	}()
	prepared := fmt.Appendf(nil, "%x", sha256.Sum256([]byte("COMMIT")))[:48] // pgx's name for the prepared statement
	b := make([]byte, 256<<10)
	for {
		n, err := client.Read(b)
		if err != nil {
			return
		}
		commits := bytes.Contains(b[:n], []byte("COMMIT\x00")) || bytes.Contains(b[:n], prepared)
		if commits && d.armed.Load() && rand.N(6) == 0 {
			d.under.Add(1)
			defer d.under.Done()
			d.late.Add(1)
			_ = client.Close()
			time.Sleep(rand.N(60 * time.Millisecond))
			_, _ = server.Write(b[:n])
			time.Sleep(time.Second) // the server has executed it by then
			_ = server.Close()
			<-ended
			return
		}
		if _, err := server.Write(b[:n]); err != nil {
			return
		}
	}
}

// TestConnectionsGone reads over connections that the server has closed while they were idle.
func TestConnectionsGone(t *testing.T) {
	t.Parallel()
	enginetest.Only(t, enginetest.Postgres)
	database := enginetest.Database(t)
	s, err := Open(t.Context(), database, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sc := fleet(t, s)
	for i := range 5 {
		for range 2 { // the second read uses prepared statements
			if _, err := s.List(t.Context(), Hosts, sc, List{Limit: 10, Sort: []string{"id"}}); err != nil {
				t.Fatalf("after %d times: %v", i, err)
			}
		}
		enginetest.Query(t, database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()")
	}
}

// TestPatterns matches a name against LIKE patterns that end in backslashes.
func TestPatterns(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	all := Scope{All: true}
	for _, name := range []string{`a\`, `a%`, `a`, `a\\`} {
		if _, err := s.Create(t.Context(), Projects, all, CreateParams{Values: Values{"id": value.NewUUID(), "name": name}}); err != nil {
			t.Fatal(err)
		}
	}
	for pattern, want := range map[string]int{`a\`: 1, `A\\`: 1, `a\\\`: 1, `a\%`: 1, `%\`: 2, `\`: 0, `%\\%`: 2, `a_`: 2} {
		page, err := s.List(t.Context(), Projects, all, List{NameLike: pattern, Limit: 10, Sort: []string{"id"}})
		if err != nil || len(page.Rows) != want {
			t.Errorf("%s: %d, %v, want %d", pattern, len(page.Rows), err, want)
		}
	}
}
