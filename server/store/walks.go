package store

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// walks are walkers where a part of a history has ended, so that the next part
// goes on from there. Without one it begins at the present again, which is as
// right and costs more with each part. What was behind a revision stays what it
// was, and a place in the log is known by a random id: a walker is right for any
// view that knows its place.
type walks struct {
	mu   sync.Mutex
	kept []*stopped // the last one used first
}

// stopped is a walker at the end of a part, which nobody changes any more.
type stopped struct {
	of   walkID
	w    *walker
	size memoryBudget // of what it holds
}

// walkID is what a walker is good for.
type walkID struct {
	Object
	key    string
	before Cursor
}

// maxWalks are kept at once, each of lightViewBytes bytes at most.
const maxWalks = 16

// walkTo is a walker of a history, at the revision before to if that is where a part
// ended lately.
func (v *View) walkTo(ctx context.Context, l HistoryParams, to int64) (*walker, error) {
	if l.Before.Revision == to {
		if w := v.q.store.walks.resume(v, walkID{l.Object, l.Key, l.Before}); w != nil {
			return w, nil
		}
	}
	return v.walker(ctx, l.Object, l.Key)
}

// stop ends the use of a walker, which goes on at a place. It has held nothing
// when it had that much room.
func (w *walker) stop(l HistoryParams, before Cursor, room memoryBudget) *stopped {
	for _, t := range w.open {
		t.let()
	}
	w.q = nil
	return &stopped{walkID{l.Object, l.Key, before}, w, room - w.room}
}

// let has a timeline forget what it has read ahead.
func (t *timeline) let() {
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

// resume makes a walker of one that has stopped: another one, because the same
// part may be asked for again. nil if there is none, or no room for it.
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
