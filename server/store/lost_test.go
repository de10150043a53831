package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/craton-fleet/craton/server/store/engine"
)

// TestLostConnections uses a proxy between the store and PostgreSQL, which closes random connections: some before the
// response to a COMMIT, so that its outcome is unknown, and some after a transaction has begun. The result of each
// write must be right, and each successful write must be stored once.
func TestLostConnections(t *testing.T) {
	t.Parallel()
	p := &cutter{}
	s := throughProxy(t, p.serve)
	sc := fleet(t, s)
	p.armed.Store(true)
	const writers, each = 8, 30
	var refused atomic.Int64
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				n := host(fmt.Sprintf("h%d-%d", w, i), nil)
				n.Variables = []Variable{{Name: "k", Value: "1"}}
				_, err := s.Create(t.Context(), Hosts, sc, n)
				if f := (*engine.DatabaseError)(nil); errors.As(err, &f) && f.Reason != engine.CommitUnknown {
					refused.Add(1) // the retries took too long; it must not be stored
				} else if err != nil {
					t.Errorf("writer %d, host %d: %v", w, i, err)
				}
			}
		})
	}
	wg.Wait()
	p.armed.Store(false)
	if p.answers.Load() < 3 || p.begins.Load() < 3 {
		t.Errorf("%d answers and %d begun transactions were cut", p.answers.Load(), p.begins.Load())
	}
	page, err := s.List(t.Context(), Hosts, sc, List{Limit: 2 * writers * each, Sort: []string{"id"}})
	stored := writers*each - int(refused.Load())
	if err != nil || len(page.Rows) != stored || stored < writers*each/2 {
		t.Fatalf("%d hosts, %v", len(page.Rows), err)
	}
	var rows, objects, revisions, newest int
	err = s.read(t.Context(), func(ctx context.Context, q *session) error {
		return q.row(ctx, "SELECT count(*), count(DISTINCT object_id), count(DISTINCT revision), max(revision) FROM changes WHERE kind = 'host'", nil, &rows, &objects, &revisions, &newest)
	})
	const before = 4 // writes of the fleet: the project and its places
	if err != nil || rows != stored || objects != rows || revisions != rows || newest != before+rows {
		t.Errorf("%d changes of %d hosts in %d revisions up to %d, %v", rows, objects, revisions, newest, err)
	}
}

// cutter is a proxy that closes random connections.
type cutter struct {
	armed           atomic.Bool
	answers, begins atomic.Int64
}

func (p *cutter) serve(client, server net.Conn) {
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	b := make([]byte, 64<<10)
	for {
		n, err := server.Read(b)
		if err != nil {
			return
		}
		if p.armed.Load() {
			switch {
			case bytes.Contains(b[:n], []byte("COMMIT\x00")) && rand.N(8) == 0:
				p.answers.Add(1)
				return
			case bytes.Contains(b[:n], []byte("BEGIN\x00")) && rand.N(12) == 0:
				p.begins.Add(1)
				return
			}
		}
		if _, err := client.Write(b[:n]); err != nil {
			return
		}
	}
}
