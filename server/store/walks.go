package store

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// walks caches walkers at the end of a page of a history, so that the next page continues from there. Otherwise the
// next page has to start from the present again, which costs more with each page. A past state never changes, and a
// random id identifies a position in the log, so a walker is valid in any view that has its position.
type walks struct {
	mu   sync.Mutex
	kept []*stopped // most recently used first
}

// stopped is a walker at the end of a page. It must not be modified.
type stopped struct {
	of   walkID
	w    *walker
	size memoryBudget // memory that it takes
}

// walkID identifies the page of a history that a walker can continue with.
type walkID struct {
	Object
	key    string
	before Cursor
}

// maxWalks is the maximum number of cached walkers. Each takes at most lightViewBytes.
const maxWalks = 16

// walkTo returns a walker for a history. If a page recently ended at the revision to, it is the walker of that page,
// otherwise it starts from the present.
func (v *View) walkTo(ctx context.Context, l HistoryParams, to int64) (*walker, error) {
	if l.Before.Revision == to {
		if w := v.q.store.walks.resume(v, walkID{l.Object, l.Key, l.Before}); w != nil {
			return w, nil
		}
	}
	return v.walker(ctx, l.Object, l.Key)
}

// stop returns the walker as stopped, for the page that continues at a position. room is the memory that was available
// when the walker started.
func (w *walker) stop(l HistoryParams, before Cursor, room memoryBudget) *stopped {
	for _, t := range w.open {
		t.discard()
	}
	w.q = nil
	return &stopped{walkID{l.Object, l.Key, before}, w, room - w.room}
}

// discard discards the changes that a timeline has prefetched.
func (t *timeline) discard() {
	if len(t.ahead) > 0 {
		t.next, t.last = t.ahead[0].Cursor(), false
		t.next.N++
		t.ahead = nil
	}
}

func (s *walks) keep(one *stopped) {
	if one.size > lightViewBytes {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = slices.DeleteFunc(s.kept, func(o *stopped) bool { return o.of == one.of })
	s.kept = slices.Insert(s.kept, 0, one)
	s.kept = s.kept[:min(len(s.kept), maxWalks)]
}

// resume returns a copy of a stopped walker, because the same page may be requested again. It returns nil if there is
// no such walker, or not enough memory for it.
func (s *walks) resume(v *View, id walkID) *walker {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.kept, func(o *stopped) bool { return o.of == id })
	if at < 0 || s.kept[at].size > v.pastRoom() {
		return nil
	}
	one := s.kept[at]
	s.kept = slices.Insert(slices.Delete(s.kept, at, at+1), 0, one)
	w := *one.w
	w.q, w.room = v.q, v.pastRoom()-one.size
	w.device = maps.Clone(w.device)
	w.open = make(map[Object]*timeline, len(one.w.open))
	for o, t := range one.w.open {
		c := *t
		c.columns, c.own = maps.Clone(t.columns), maps.Clone(t.own)
		w.open[o] = &c
	}
	w.own = w.open[w.own.Object]
	return &w
}
