package web

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
)

// Limits for whole fleets, for all users together.
const (
	maxFleets    = 2       // in memory at once; further requests wait
	maxKept      = 4 << 20 // bytes of cached results
	largestKept  = maxKept / 4
	featureFleet = "fleet"
	featureTag   = "etag"
)

// largeFleet is the number of hosts from which a fleet's memory is returned to the system immediately.
const largeFleet = 10_000

// fleets reads whole fleets for pages and caches the results.
//
// A result is cached under the entity tag that the API returns for the user's view of the fleet. The tag identifies the
// state of the database and everything else that the response depends on, including the project and the role. Each
// request asks the API for the tag with the user's rights. A page therefore shows only the present state that its user
// may see, and never a result for another view. Concurrent requests for the same view share one read.
type fleets struct {
	room chan struct{} // a token for each fleet in memory

	mu    sync.Mutex
	open  map[string]*openFleet // by tag
	kept  []*keptPart           // least recently used first
	bytes int                   // size of kept
	reads int                   // fleets read so far
}

// openFleet is a fleet that is being read or used.
type openFleet struct {
	users int
	stop  context.CancelFunc
	done  chan struct{} // closed when the fleet has been read
	fleet *snapshot.Fleet
	err   error
}

// keptPart is a cached result made of a fleet.
type keptPart struct {
	tag, name string
	value     any
	size      int
}

func newFleets() *fleets {
	return &fleets{room: make(chan struct{}, maxFleets), open: map[string]*openFleet{}}
}

// ofFleet returns the result of make for the fleet that the user may see, or a cached result for the same view. name
// identifies the result; size is its approximate size in bytes. Results must not be modified.
func (p *page) ofFleet(name string, o snapshot.Options, make func(*snapshot.Fleet) (value any, size int, err error)) (any, error) {
	can, err := p.can()
	if err != nil {
		return nil, err
	}
	tag := ""
	if can.Has(featureFleet) && can.Has(featureTag) {
		mark, err := p.client.FleetMark(p.ctx, craton.FleetOptions{Networks: o.Networks})
		if err != nil {
			return nil, err
		}
		tag = mark.Tag
		if value, ok := p.fleets.find(tag, name); ok {
			return value, nil
		}
	}
	shared := tag
	if tag != "" && o.Text != "" { // the fleet was read only in part
		shared += "\x00" + o.Text
	}
	f, err := p.fleets.enter(p.ctx, shared, func(ctx context.Context) (*snapshot.Fleet, error) {
		return snapshot.Read(ctx, p.client, o)
	})
	if err != nil {
		return nil, err
	}
	defer p.fleets.leave(shared, f)
	value, size, err := make(f.fleet)
	if err == nil {
		p.fleets.keep(&keptPart{f.fleet.Tag, name, value, size})
	}
	return value, err
}

// enter returns an open fleet, or opens one. Fleets without a tag are not shared.
func (s *fleets) enter(ctx context.Context, tag string, read func(context.Context) (*snapshot.Fleet, error)) (*openFleet, error) {
	s.mu.Lock()
	f := s.open[tag]
	if f == nil || tag == "" {
		own, stop := context.WithCancel(context.WithoutCancel(ctx)) // other requests may wait for the fleet after its first reader has gone
		f = &openFleet{stop: stop, done: make(chan struct{})}
		if tag != "" {
			s.open[tag] = f
		}
		go s.read(own, f, read)
	}
	f.users++
	s.mu.Unlock()
	select {
	case <-f.done:
	case <-ctx.Done():
		s.leave(tag, f)
		return nil, ctx.Err()
	}
	if f.err != nil {
		s.leave(tag, f)
		return nil, f.err
	}
	return f, nil
}

// read reads a fleet when there is room, and frees the room when nobody uses the fleet any more.
func (s *fleets) read(ctx context.Context, f *openFleet, read func(context.Context) (*snapshot.Fleet, error)) {
	select {
	case s.room <- struct{}{}:
		s.mu.Lock()
		s.reads++
		s.mu.Unlock()
		f.fleet, f.err = guarded(ctx, read)
		close(f.done)
		<-ctx.Done()
		large := f.fleet != nil && len(f.fleet.Of(schema.Host)) > largeFleet
		f.fleet = nil // free the memory
		<-s.room
		if large && len(s.room) == 0 {
			debug.FreeOSMemory() // keep the server small: the next request for a fleet may come hours later
		}
	case <-ctx.Done():
		f.err = ctx.Err()
		close(f.done)
	}
}

// guarded calls read and returns a panic as an error, because nothing else recovers in this goroutine.
func guarded(ctx context.Context, read func(context.Context) (*snapshot.Fleet, error)) (f *snapshot.Fleet, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return read(ctx)
}

// leave ends one use of a fleet.
func (s *fleets) leave(tag string, f *openFleet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.users--; f.users > 0 {
		return
	}
	if s.open[tag] == f {
		delete(s.open, tag)
	}
	f.stop()
}

// find returns a cached result.
func (s *fleets) find(tag, name string) (any, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.kept, func(k *keptPart) bool { return k.tag == tag && k.name == name })
	if i < 0 || tag == "" {
		return nil, false
	}
	one := s.kept[i]
	s.kept = append(slices.Delete(s.kept, i, i+1), one)
	return one.value, true
}

// keep caches a result if it is small enough, and removes the least recently used ones.
func (s *fleets) keep(one *keptPart) {
	one.size += len(one.tag) + len(one.name) + 100
	if one.tag == "" || one.size > largestKept {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = slices.DeleteFunc(s.kept, func(k *keptPart) bool {
		again := k.tag == one.tag && k.name == one.name
		if again {
			s.bytes -= k.size
		}
		return again
	})
	s.kept = append(s.kept, one)
	for s.bytes += one.size; s.bytes > maxKept; s.kept = slices.Delete(s.kept, 0, 1) {
		s.bytes -= s.kept[0].size
	}
}
