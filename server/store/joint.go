package store

import (
	"context"
	"sync"
	"time"
)

// maxSharedWait is how long one waits for the question of others, before asking
// alone: of a database that does not answer each has to hear by itself.
const maxSharedWait = 100 * time.Millisecond

// sharedCalls asks the database once for all who want to know the same at once: many
// requests under one key, say. Nobody hears what is older than their question.
// Who asks while another's question is on its way waits, and the next one is
// for all who wait.
type sharedCalls[K comparable, V any] struct {
	mu   sync.Mutex
	next map[K]*sharedCall[V] // by those that are on their way: the ones after them, nil for none
}

// sharedCall is a question that several have.
type sharedCall[V any] struct {
	begin  func()
	done   chan struct{}
	result V
	err    error
}

// do calls fn, or waits for a call that begins after this one. Nobody changes
// what fn has returned.
func (j *sharedCalls[K, V]) do(ctx context.Context, key K, fn func(ctx context.Context) (V, error)) (answer V, err error) {
	j.mu.Lock()
	next, busy := j.next[key]
	if !busy {
		if j.next == nil {
			j.next = map[K]*sharedCall[V]{}
		}
		j.next[key] = nil
		j.mu.Unlock()
		defer j.startNext(key)
		return fn(ctx)
	}
	if next == nil {
		next = &sharedCall[V]{done: make(chan struct{})}
		j.next[key] = next
		shared := context.WithoutCancel(ctx) // others have it too
		next.begin = func() {
			defer j.startNext(key)
			defer close(next.done)
			next.result, next.err = fn(shared)
		}
	}
	j.mu.Unlock()
	patience := time.NewTimer(maxSharedWait)
	defer patience.Stop()
	select {
	case <-next.done:
		return next.result, next.err
	case <-patience.C:
		return fn(ctx)
	case <-ctx.Done():
		return answer, ctx.Err()
	}
}

// startNext ends a call, and begins the one that others wait for.
func (j *sharedCalls[K, V]) startNext(key K) {
	j.mu.Lock()
	defer j.mu.Unlock()
	next := j.next[key]
	if next == nil {
		delete(j.next, key)
		return
	}
	j.next[key] = nil
	go next.begin()
}
