package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/craton-fleet/craton/server/store/engine"
)

// pollEvery is the interval at which the log is polled for writes of other processes, while any caller waits. Writes of
// this process wake the callers at once.
const pollEvery = time.Second

// bell wakes callers that wait for changes.
type bell struct {
	mu       sync.Mutex
	rings    int64         // number of rings so far
	rung     chan struct{} // closed by the next ring; nil if no caller waits for it
	waiting  int
	polling  bool
	revision int64 // revision at the last poll
	silent   bool  // EndWaits was called
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

// EndWaits makes all running and later calls of [Store.Wait] return [engine.ErrClosed].
func (s *Store) EndWaits() {
	s.bell.mu.Lock()
	s.bell.silent = true
	s.bell.mu.Unlock()
	s.bell.ring()
}

// Rings returns the number of times that the log was found to have grown, for [Store.Wait]. Call it before reading the
// log.
func (s *Store) Rings() int64 {
	s.bell.mu.Lock()
	defer s.bell.mu.Unlock()
	return s.bell.rings
}

// Wait waits until the log may have changes after revision, or ctx is done. The caller must have called [Store.Rings]
// and then read the log up to revision.
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

// poll polls the log while any caller waits. It continues if the database is unavailable.
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
