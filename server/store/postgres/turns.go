package postgres

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Writes wait for each other at the row that gives out revisions. As many as
// keep that one busy are all that is gained by: each further one costs a
// server that is near half as much again, in processes that take turns for
// their time and caches. How many that are depends on how far away the server
// is: what a write does beside holding the row is mostly waiting for answers.
const (
	minTurns    = 4
	turnEvery   = 50 * time.Microsecond // that an answer takes longer, one more
	measuredBy  = 3                     // messages
	longestTurn = 20 * time.Millisecond // who takes longer waits for something else, or has much to do
)

// turns are those of writes under way.
type turns struct {
	all int // that there can be

	mu      sync.Mutex
	limit   int // at once
	taken   int
	waiting []chan struct{} // closed for who has a turn

	server  string        // where connections lead, and ...
	nearest time.Duration // ... how long an answer takes from there
}

func newTurns(all int) *turns { return &turns{all: all, limit: all} }

// take waits for a turn. done gives it back, and may be called again.
func (t *turns) take(ctx context.Context) (done func(), err error) {
	turn := make(chan struct{})
	t.mu.Lock()
	t.waiting = append(t.waiting, turn)
	t.admit()
	t.mu.Unlock()
	select {
	case <-turn:
	case <-ctx.Done():
		t.mu.Lock()
		defer t.mu.Unlock()
		if i := slices.Index(t.waiting, turn); i >= 0 {
			t.waiting = slices.Delete(t.waiting, i, i+1)
		} else { // it has just come
			t.taken--
			t.admit()
		}
		return nil, ctx.Err()
	}
	give := sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.taken--
		t.admit()
	})
	late := time.AfterFunc(longestTurn, give)
	return func() {
		late.Stop()
		give()
	}, nil
}

// admit gives those who wait the turns that are free.
func (t *turns) admit() {
	for len(t.waiting) > 0 && t.taken < t.limit {
		close(t.waiting[0])
		t.waiting = t.waiting[1:]
		t.taken++
	}
}

// measure learns from a new connection how far away the server is. The nearest
// that it was counts: a machine that is busy looks far.
func (t *turns) measure(ctx context.Context, conn *pgx.Conn) error {
	nearest := time.Duration(-1)
	for range measuredBy {
		begun := time.Now()
		if err := conn.Ping(ctx); err != nil {
			return err
		}
		if d := time.Since(begun); nearest < 0 || d < nearest {
			nearest = d
		}
	}
	t.learn(conn.PgConn().Conn().RemoteAddr().String(), nearest)
	return nil
}

func (t *turns) learn(server string, answer time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if server != t.server || answer < t.nearest {
		t.server, t.nearest = server, answer
	}
	t.limit = min(t.all, minTurns+int(t.nearest/turnEvery))
	t.admit()
}
