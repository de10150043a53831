package store

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/craton-fleet/craton/server/store/engine"
)

// PostgreSQL's planner needs statistics, which autovacuum collects a minute after a table has grown. Until then,
// prepared statements keep plans for small tables, which read and sort the entire fleet for a page. So the store has
// the statistics collected while a fleet grows: after firstCollection changes, and then each time their number has
// grown by the factor moreChanges. This happens a few times in the life of a process, and takes a second in a large
// fleet.
const (
	firstCollection = 256
	moreChanges     = 4
)

// growth counts the committed changes, to decide when statistics are collected.
type growth struct {
	changes atomic.Int64
	next    atomic.Int64 // number of changes at which statistics are collected again
	running sync.WaitGroup
	begin   func(collect func(context.Context)) // runs collect in the background, unless the store is being closed
	stop    context.CancelFunc
}

func newGrowth() *growth {
	g := &growth{}
	ctx, stop := context.WithCancel(context.Background())
	g.stop = stop
	g.begin = func(collect func(context.Context)) {
		if ctx.Err() == nil {
			g.running.Go(func() { collect(ctx) })
		}
	}
	g.next.Store(firstCollection)
	return g
}

// close cancels a running collection, and waits for its end.
func (g *growth) close() {
	g.stop()
	g.running.Wait()
}

// countChanges counts n committed changes, and collects statistics when there are enough.
func (s *Store) countChanges(n int64) {
	g, text := s.growth, s.engine.Dialect().Statistics
	if text == "" {
		return
	}
	changes, next := g.changes.Add(n), g.next.Load()
	if changes < next || !g.next.CompareAndSwap(next, moreChanges*changes) {
		return
	}
	g.begin(func(ctx context.Context) {
		// An error only makes queries slower, until the database collects the statistics itself.
		_ = s.engine.Write(ctx, engine.Work{
			Long: true,
			Run: func(ctx context.Context, tx engine.Tx) error {
				return collect(ctx, tx, text, tablesOf(len(migrations)))
			},
			Committed: func(context.Context, engine.Tx) (bool, error) { return true, nil },
		})
	})
}

// collect collects the statistics of the store's own tables only. For the system's tables, the user would lack
// permission, and get warnings.
func collect(ctx context.Context, tx engine.Tx, text string, tables []*table) error {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.name
	}
	return tx.Exec(ctx, text+" "+strings.Join(names, ", "), nil)
}
