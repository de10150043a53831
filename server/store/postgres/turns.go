package postgres

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Writes wait for each other at the row that assigns revisions. More concurrent writes than are needed to keep that row
// busy do not increase throughput. On a nearby server they even raise the cost of a write by half, because their server
// processes compete for the CPU and its caches. How many are needed depends on the round-trip time: until a write locks
// the row, it mostly waits for responses.
const (
	minTurns    = 4
	turnEvery   = 50 * time.Microsecond // one more turn for each such interval in the round-trip time
	measuredBy  = 3                     // number of pings
	longestTurn = 20 * time.Millisecond // a write that takes longer is large or waits for something else, and gives its turn back
)

// turns limits the number of concurrent writes.
type turns struct {
	all int // upper bound of limit

	mu      sync.Mutex
	limit   int // maximum of taken
	taken   int
	waiting []chan struct{} // in order of arrival; a channel is closed to give a turn

	server  string        // the address of the server
	nearest time.Duration // the shortest measured round-trip time to it
}

func newTurns(all int) *turns { return &turns{all: all, limit: all} }

// take waits for a turn. done gives it back, and may be called again without effect.
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
		} else { // the turn has just been given
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

// admit gives free turns to waiting writes. The caller holds mu.
func (t *turns) admit() {
	for len(t.waiting) > 0 && t.taken < t.limit {
		close(t.waiting[0])
		t.waiting = t.waiting[1:]
		t.taken++
	}
}

// measure measures the round-trip time to the server on a new connection. It uses the shortest time, because a busy
// machine responds late.
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
