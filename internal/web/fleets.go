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

// Bounds of what is held of whole fleets, whoever looks.
const (
	maxFleets    = 2       // in memory at once; who needs another one waits
	maxKept      = 4 << 20 // bytes of what was made of fleets and is kept
	largestKept  = maxKept / 4
	featureFleet = "fleet"
	featureTag   = "etag"
)

// largeFleet is how many hosts a fleet has whose memory is given back at once.
const largeFleet = 10_000

// fleets are what pages read that look at a whole fleet.
//
// What was made of a fleet is kept by the entity tag that the API gives the fleet for who looks: it identifies the
// state of the database, and covers everything else that the response depends on, the tenant and the role among it. The
// API is asked for the tag at each look, with the rights of who looks. So nothing is shown that is not the present
// state of what this user may see, and nobody sees what was made for another view. Who looks at the same fleet at the
// same time shares it.
type fleets struct {
	room chan struct{} // a place for each fleet in memory

	mu    sync.Mutex
	open  map[string]*openFleet // by tag
	kept  []*keptPart           // the one used last at the end
	bytes int                   // of kept
	reads int                   // of fleets, so far
}

// openFleet is a fleet that somebody reads or uses.
type openFleet struct {
	users int
	stop  context.CancelFunc
	done  chan struct{} // closed when it is there
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

// ofFleet returns what make makes of the fleet that who looks may see, or made of the same fleet before. name
// distinguishes it from other results made of fleets; size is about how many bytes it takes. What is made is never
// changed.
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
	if tag != "" && o.Text != "" { // not all of that fleet
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

// enter returns a fleet that is open, or opens it. A fleet without a tag is nobody else's.
func (s *fleets) enter(ctx context.Context, tag string, read func(context.Context) (*snapshot.Fleet, error)) (*openFleet, error) {
	s.mu.Lock()
	f := s.open[tag]
	if f == nil || tag == "" {
		own, stop := context.WithCancel(context.WithoutCancel(ctx)) // others may wait for it when its first reader is gone
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

// read reads a fleet as soon as there is room, and gives that back when nobody uses it any more.
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
		f.fleet = nil // nobody uses it any more
		<-s.room
		if large && len(s.room) == 0 {
			debug.FreeOSMemory() // a server is to be no larger than it was, and the next one may come in hours
		}
	case <-ctx.Done():
		f.err = ctx.Err()
		close(f.done)
	}
}

// guarded calls read and turns a panic into an error: nothing else catches it.
func guarded(ctx context.Context, read func(context.Context) (*snapshot.Fleet, error)) (f *snapshot.Fleet, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return read(ctx)
}

// leave ends somebody's use of a fleet.
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

// find returns what is kept.
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

// keep keeps what was made of a fleet, if it is small enough, and drops what was not used for longest.
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
