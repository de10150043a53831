package rest

import (
	"context"
	"net/http"
	"strings"
	"sync"
)

// fewConnections is the maximum number of concurrent requests to a server that accepts few connections: the accept
// queue of Python's own servers holds five, and drops further ones, which are then retried seconds later, or lost.
const fewConnections = 4

// gate limits the number of concurrent requests, including their retries. A configured limit always applies. Without
// one it is fewConnections until the first response, and unlimited from then on, unless the response is from a server
// that needs a connection for each request (HTTP/1.0), or from Python's wsgiref, such as the original Craton's (v1
// contract, Q31).
type gate struct {
	mu     sync.Mutex
	set    bool // the limit was configured, and stays
	max    int  // 0: no bound
	inside int
	queue  []chan struct{} // of waiting requests, first come first served; closed to admit one
}

func newGate(set int) *gate {
	if set > 0 {
		return &gate{set: true, max: set}
	}
	return &gate{max: fewConnections}
}

// enter waits for room.
func (g *gate) enter(ctx context.Context) error {
	g.mu.Lock()
	if g.room() {
		g.inside++
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	g.queue = append(g.queue, turn)
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, waiting := range g.queue {
		if waiting == turn {
			g.queue = append(g.queue[:i], g.queue[i+1:]...)
			return notSentError{ctx.Err()}
		}
	}
	g.inside-- // it was admitted at the same moment
	g.admit()
	return notSentError{ctx.Err()}
}

// notSentError is the error for a request that was cancelled while it waited for its turn.
type notSentError struct{ error }

func (e notSentError) Unwrap() error { return e.error }

// leave makes room.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	g.admit()
}

// learn determines from a response how many requests the server accepts.
func (g *gate) learn(resp *http.Response) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.set:
	case takesFew(resp):
		g.set, g.max = true, fewConnections
	default:
		g.max = 0
		g.admit()
	}
}

// takesFew reports whether a response is from a server that queues only a few connections and needs one for each
// request.
func takesFew(resp *http.Response) bool {
	return resp.ProtoMajor == 1 && resp.ProtoMinor == 0 || strings.HasPrefix(resp.Header.Get("Server"), "WSGIServer")
}

func (g *gate) room() bool { return g.max == 0 || g.inside < g.max }

// admit admits waiting requests up to the limit.
func (g *gate) admit() {
	for len(g.queue) > 0 && g.room() {
		close(g.queue[0])
		g.queue = g.queue[1:]
		g.inside++
	}
}
