package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/craton-fleet/craton/server/store/engine"
)

// pollEvery is the interval for polling the log while somebody waits for it: for writes of other processes. Writes of
// this process wake the waiters at once.
const pollEvery = time.Second

// bell wakes those who wait for changes.
type bell struct {
	mu       sync.Mutex
	rings    int64         // so far
	rung     chan struct{} // closed by the next ring; nil while nobody waits
	waiting  int
	polling  bool
	revision int64 // found by the last poll
	silent   bool  // waits have ended
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rings++
	if b.rung != nil {
		close(b.rung)
		b.rung = nil
	}
}

// EndWaits makes every [Store.Wait] return [engine.ErrClosed], now and from now on.
func (s *Store) EndWaits() {
	s.bell.mu.Lock()
	s.bell.silent = true
	s.bell.mu.Unlock()
	s.bell.ring()
}

// Rings returns the argument for [Store.Wait]: how often the log is known to have grown. Call it before reading the
// log.
func (s *Store) Rings() int64 {
	s.bell.mu.Lock()
	defer s.bell.mu.Unlock()
	return s.bell.rings
}

// Wait returns when the log may have changes after revision, up to which the caller has read since it called
// [Store.Rings]; or with the error of ctx.
func (s *Store) Wait(ctx context.Context, rings, revision int64) error {
	b := &s.bell
	b.mu.Lock()
	switch {
	case b.silent:
		b.mu.Unlock()
		return engine.ErrClosed
	case b.rings != rings:
		b.mu.Unlock()
		return nil
	case b.rung == nil:
		b.rung = make(chan struct{})
	}
	rung := b.rung
	b.waiting++
	if !b.polling {
		b.polling, b.revision = true, revision
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

// poll polls the log as long as somebody waits. If the database is unavailable, it tries again.
func (s *Store) poll(ctx context.Context) {
	b := &s.bell
	for {
		time.Sleep(pollEvery)
		var revision int64
		err := s.readOne(ctx, func(ctx context.Context, q *session) error {
			return q.row(ctx, "SELECT revision FROM log", nil, &revision)
		})
		b.mu.Lock()
		grown := err == nil && revision != b.revision
		if grown {
			b.revision = revision
		}
		if b.waiting == 0 || b.silent || errors.Is(err, engine.ErrClosed) {
			b.polling = false
			b.mu.Unlock()
			return
		}
		b.mu.Unlock()
		if grown {
			b.ring()
		}
	}
}
