package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/craton-fleet/craton/server/store/engine"
)

// pollEvery is how often the log is looked at while somebody waits for it: for
// what other processes write. What this one writes is told at once.
const pollEvery = time.Second

// bell tells those who wait that the log has grown.
type bell struct {
	mu       sync.Mutex
	revision int64         // the newest that is known
	rung     chan struct{} // closed when there is another; nil while nobody waits for that
	waiting  int
	polling  bool
	silent   bool // nobody waits any more
}

// ring tells a revision that the log has. back says that it may be an older
// one than was known, because the database was brought back from a copy.
func (b *bell) ring(revision int64, back bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if revision < b.revision && !back || revision == b.revision {
		return
	}
	b.revision = revision
	if b.rung != nil {
		close(b.rung)
		b.rung = nil
	}
}

// EndWaits has every [Store.Wait] return [engine.ErrClosed], now and from now on.
func (s *Store) EndWaits() {
	b := &s.bell
	b.mu.Lock()
	defer b.mu.Unlock()
	b.silent = true
	if b.rung != nil {
		close(b.rung)
		b.rung = nil
	}
}

// Wait returns when the log may have changes beyond a revision, which is the
// newest that the caller has seen, or with the error of ctx.
func (s *Store) Wait(ctx context.Context, revision int64) error {
	b := &s.bell
	b.ring(revision, false)
	b.mu.Lock()
	switch {
	case b.silent:
		b.mu.Unlock()
		return engine.ErrClosed
	case b.revision != revision:
		b.mu.Unlock()
		return nil
	case b.rung == nil:
		b.rung = make(chan struct{})
	}
	rung := b.rung
	b.waiting++
	if !b.polling {
		b.polling = true
		go s.poll(context.WithoutCancel(ctx))
	}
	b.mu.Unlock()
	var err error
	select {
	case <-rung:
	case <-ctx.Done():
		err = ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting--
	if b.silent {
		return engine.ErrClosed
	}
	return err
}

// poll looks at the log until nobody waits any more. A database that does not
// answer may do so later.
func (s *Store) poll(ctx context.Context) {
	for {
		time.Sleep(pollEvery)
		var l LogState
		err := s.View(ctx, false, func(ctx context.Context, v *View) (err error) {
			l, err = v.Log(ctx)
			return err
		})
		if err == nil {
			s.bell.ring(l.Newest.Revision, true)
		}
		s.bell.mu.Lock()
		if s.bell.waiting == 0 || errors.Is(err, engine.ErrClosed) {
			s.bell.polling = false
			s.bell.mu.Unlock()
			return
		}
		s.bell.mu.Unlock()
	}
}
