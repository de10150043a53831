package store

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// walks are walkers at the end of a page of a history, so that the next page continues from there. Without one the next
// page starts from the present again, which is as correct and costs more with each page. A past state never changes,
// and a position in the log is identified by a random id: a walker is valid in any view that has its position.
type walks struct {
	mu   sync.Mutex
	kept []*stopped // the most recently used first
}

// stopped is a walker at the end of a page, which is not modified any more.
type stopped struct {
	of   walkID
	w    *walker
	size memoryBudget // of its contents
}

// walkID identifies the history that a walker can continue.
type walkID struct {
	Object
	key    string
	before Cursor
}

// maxWalks is the number of walkers kept at once, each of at most lightViewBytes.
const maxWalks = 16

// walkTo returns a walker of a history, at the revision before to if a page ended there recently.
func (v *View) walkTo(ctx context.Context, l HistoryParams, to int64) (*walker, error) {
	if l.Before.Revision == to {
		if w := v.q.store.walks.resume(v, walkID{l.Object, l.Key, l.Before}); w != nil {
			return w, nil
		}
	}
	return v.walker(ctx, l.Object, l.Key)
}

// stop keeps a walker for the page that continues at a position. room is the memory that it had at the start.
func (w *walker) stop(l HistoryParams, before Cursor, room memoryBudget) *stopped {
	for _, t := range w.open {
		t.discard()
	}
	w.q = nil
	return &stopped{walkID{l.Object, l.Key, before}, w, room - w.room}
}

// discard discards what a timeline has prefetched.
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

// resume returns a copy of a stopped walker, since the same page may be requested again; nil if there is none, or no
// memory for it.
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
