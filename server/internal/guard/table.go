package guard

import "sync"

// key names what is counted.
type key uint64

// shards is how many parts a table has, each with a lock of its own.
const shards = 256

// entry is how often something failed, and when it last did.
type entry struct {
	last  uint32 // in seconds since the guard was made
	count uint32
}

func (e entry) live(now, kept uint32) bool { return e.count > 0 && now-e.last < kept }

// table counts failures, in a bounded number of entries. An entry leaves when its
// time is over, and not before: nobody can push out one entry by making others.
type table struct {
	parts [shards]part
	room  int    // entries of a part
	share bool   // what finds no room shares one entry for each part; otherwise it is not counted
	kept  uint32 // seconds after its last failure that an entry leaves
}

type part struct {
	mu      sync.Mutex
	entries map[key]entry
	rest    entry  // of those that found no room
	swept   uint32 // when it was last looked for those whose time is over
}

func newTable(size int, share bool, kept uint32) *table {
	return &table{room: size / shards, share: share, kept: kept}
}

func (t *table) part(k key) *part { return &t.parts[k%shards] }

// get is the entry of a key.
func (t *table) get(k key, now uint32) entry {
	p := t.part(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.entries[k]
	if !ok && len(p.entries) >= t.room {
		e = p.rest
	}
	if !e.live(now, t.kept) {
		return entry{}
	}
	return e
}

// add counts a failure.
func (t *table) add(k key, now uint32) entry {
	p := t.part(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.entries[k]
	if !ok && len(p.entries) >= t.room && !p.sweep(now, t.kept) {
		if !t.share {
			return entry{last: now, count: 1}
		}
		p.rest = t.next(p.rest, now)
		return p.rest
	}
	if p.entries == nil {
		p.entries = map[key]entry{}
	}
	e = t.next(e, now)
	p.entries[k] = e
	return e
}

func (t *table) next(e entry, now uint32) entry {
	if !e.live(now, t.kept) {
		e.count = 0
	}
	return entry{last: now, count: e.count + 1}
}

// sweep makes room, and reports whether there is any. It looks at all entries, so it
// does that once a second at most.
func (p *part) sweep(now, kept uint32) bool {
	if p.swept == now {
		return false
	}
	p.swept = now
	before := len(p.entries)
	for k, e := range p.entries {
		if !e.live(now, kept) {
			delete(p.entries, k)
		}
	}
	return len(p.entries) < before
}

// lower takes up to n failures back, and returns how many there were.
func (t *table) lower(k key, now, n uint32) uint32 {
	p := t.part(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.entries[k]
	if !ok {
		return 0
	}
	was := e.count
	if !e.live(now, t.kept) {
		was = 0
	}
	if was <= n {
		delete(p.entries, k)
		return was
	}
	e.count -= n
	p.entries[k] = e
	return was
}

// set holds what has been right, in a bounded number of entries. Only who has right
// credentials can add to it, so that any entry may make room for another.
type set struct {
	parts [shards]struct {
		mu   sync.RWMutex
		keys map[key]struct{}
	}
	room int
}

func newSet(size int) *set { return &set{room: size / shards} }

func (s *set) has(k key) bool {
	p := &s.parts[k%shards]
	p.mu.RLock()
	defer p.mu.RUnlock()
	_, ok := p.keys[k]
	return ok
}

func (s *set) add(k key) {
	p := &s.parts[k%shards]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.keys == nil {
		p.keys = map[key]struct{}{}
	}
	if len(p.keys) >= s.room {
		for other := range p.keys {
			delete(p.keys, other)
			break
		}
	}
	p.keys[k] = struct{}{}
}

func (s *set) remove(k key) {
	p := &s.parts[k%shards]
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.keys, k)
}
