package store

import (
	"context"
	"sync"
	"time"
)

// maxSharedWait is how long a caller waits for a shared call before it makes a call of its own. Otherwise, callers
// would have to wait for each other's timeouts while the database is unavailable.
const maxSharedWait = 100 * time.Millisecond

// sharedCalls combines concurrent calls with the same key, such as for many requests with one API key. A caller never
// gets the result of a call that began earlier: while another call is running, it waits, and the next call serves all
// waiting callers.
type sharedCalls[K comparable, V any] struct {
	mu   sync.Mutex
	next map[K]*sharedCall[V] // for each key with a running call: the next call; nil for none
}

// sharedCall is a call on behalf of several callers.
type sharedCall[V any] struct {
	begin  func()
	done   chan struct{}
	result V
	err    error
}

// do calls fn, or waits for a shared call that begins later. The result is shared, and must not be modified.
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
		shared := context.WithoutCancel(ctx) // other callers wait for it too
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

// startNext is called at the end of a call, and starts the next one if any callers are waiting.
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
