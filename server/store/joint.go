package store

import (
	"context"
	"sync"
	"time"
)

// maxSharedWait is how long a caller waits for a shared call before it makes its own: if the database does not respond,
// each caller has to learn that itself.
const maxSharedWait = 100 * time.Millisecond

// sharedCalls combines calls with the same key that are waiting at the same time, such as many requests with one API
// key. A caller never gets a result older than its own call: while another call is running it waits, and the next call
// serves all that wait.
type sharedCalls[K comparable, V any] struct {
	mu   sync.Mutex
	next map[K]*sharedCall[V] // by the keys of running calls: the call after it, nil for none
}

// sharedCall is a call whose result several callers wait for.
type sharedCall[V any] struct {
	begin  func()
	done   chan struct{}
	result V
	err    error
}

// do calls fn, or waits for a call that begins after this one. The result must not be modified.
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
		shared := context.WithoutCancel(ctx) // others wait for it too
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

// startNext ends a call, and starts the one that others wait for.
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
