package rest

import (
	"context"
	"net/http"
	"strings"
	"sync"
)

// fewConnections is how many requests go at once to a server that takes few: the accept queue of Python's own servers
// holds five connections, and drops what comes beyond, so that it comes again seconds later, or never.
const fewConnections = 4

// gate bounds how many requests are in progress at once, all their tries included. A bound that was set counts always.
// Without one it is fewConnections until the first response is there, and from then on none, unless the response is of
// a server that opens a connection for each request (HTTP/1.0), or of Python's wsgiref, as the original Craton's (v1
// contract, Q31).
type gate struct {
	mu     sync.Mutex
	set    bool // the bound was set, and stays
	max    int  // 0: no bound
	inside int
	queue  []chan struct{} // of those that wait, first come first served; closed to let one in
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
	g.inside-- // it was let in at the same moment
	g.admit()
	return notSentError{ctx.Err()}
}

// notSentError is a request that was given up while it waited for its turn.
type notSentError struct{ error }

func (e notSentError) Unwrap() error { return e.error }

// leave makes room.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	g.admit()
}

// learn learns from a response how many requests the server takes.
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

// takesFew reports whether a response is of a server that queues only a few connections and needs one for each request.
func takesFew(resp *http.Response) bool {
	return resp.ProtoMajor == 1 && resp.ProtoMinor == 0 || strings.HasPrefix(resp.Header.Get("Server"), "WSGIServer")
}

func (g *gate) room() bool { return g.max == 0 || g.inside < g.max }

// admit lets in those for whom there is room.
func (g *gate) admit() {
	for len(g.queue) > 0 && g.room() {
		close(g.queue[0])
		g.queue = g.queue[1:]
		g.inside++
	}
}
