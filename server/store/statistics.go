package store

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/craton-fleet/craton/server/store/engine"
)

// PostgreSQL plans by statistics, which it collects by itself a minute after a table has grown, and keeps the plan of a
// prepared statement until then. A page of a fleet that was created meanwhile would read and sort all of it. So the
// store has the statistics collected while a fleet grows: after firstCollection changes, and whenever it has seen
// moreChanges times as many. That is a few times in the life of a process, and takes a second of a large fleet.
const (
	firstCollection = 256
	moreChanges     = 4
)

// growth counts the changes that were written, and has statistics collected.
type growth struct {
	changes atomic.Int64
	next    atomic.Int64 // changes after which statistics are collected again
	running sync.WaitGroup
	begin   func(collect func(context.Context)) // in the background, unless the store is being closed
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

// close ends a collection under way.
func (g *growth) close() {
	g.stop()
	g.running.Wait()
}

// countChanges counts n changes that were committed.
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
		// Whatever goes wrong costs time alone, and the database tries by itself.
		_ = s.engine.Write(ctx, engine.Work{
			Long: true,
			Run: func(ctx context.Context, tx engine.Tx) error {
				return collect(ctx, tx, text, tablesOf(len(migrations)))
			},
			Committed: func(context.Context, engine.Tx) (bool, error) { return true, nil },
		})
	})
}

// collect collects the statistics of the store's own tables: a user may not collect those of the database's, and would
// be warned.
func collect(ctx context.Context, tx engine.Tx, text string, tables []*table) error {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.name
	}
	return tx.Exec(ctx, text+" "+strings.Join(names, ", "), nil)
}
