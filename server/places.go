package server

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/craton-fleet/craton/server/api"
)

// places bound the requests that are processed at once. Requests that only wait for their client, or for a change of
// the log, have none, so that slow clients do not block others.
type places struct {
	free        *semaphore.Weighted
	waitTimeout time.Duration // how long a request waits for a place before it is refused
}

func newPlaces(n int) *places { return &places{semaphore.NewWeighted(int64(n)), 10 * time.Second} }

// seat is the place of one request.
type seat struct {
	of *places

	mu   sync.Mutex // the body may be read by another goroutine than the handler's
	has  bool
	over bool // the response is complete: no place is needed any more
}

// take waits for a place, unless the request has one; the error is that of ctx.
func (s *seat) take(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.has || s.over {
		return nil
	}
	err := s.of.free.Acquire(ctx, 1)
	s.has = err == nil
	return err
}

// leave releases the place.
func (s *seat) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.has {
		s.has = false
		s.of.free.Release(1)
	}
}

// end releases the place for good.
func (s *seat) end() {
	s.leave()
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
}

// seatedBody is a request's body, which may arrive slowly.
type seatedBody struct {
	io.ReadCloser
	seat *seat
	ctx  context.Context //nolint:containedctx // of the request
}

func (b *seatedBody) Read(p []byte) (n int, err error) {
	b.seat.leave()
	n, err = b.ReadCloser.Read(p)
	if gone := b.seat.take(b.ctx); gone != nil && err == nil {
		err = gone
	}
	return n, err
}

// full responds to a request for which there is no place.
func full(w http.ResponseWriter) {
	api.Overloaded(w, "The server is processing as many requests as its setting max_requests allows. Try again in a few seconds.")
}
