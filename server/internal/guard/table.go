package guard

import "sync"

// key identifies a counter.
type key uint64

// shards is the number of parts of a table. Each part has its own lock.
const shards = 256

// entry has the number of failures, and the time of the last one.
type entry struct {
	last  uint32 // in seconds since the guard was created
	count uint32
}

func (e entry) live(now, kept uint32) bool { return e.count > 0 && now-e.last < kept }

// table counts failures, in a limited number of entries. An entry is only removed after it has expired: new entries
// never displace it.
type table struct {
	parts [shards]part
	room  int    // maximum number of entries in a part
	share bool   // if a part is full, further keys share one entry; otherwise they are not counted
	kept  uint32 // lifetime of an entry after its last failure, in seconds
}

type part struct {
	mu      sync.Mutex
	entries map[key]entry
	rest    entry  // shared entry of keys for which there is no room
	swept   uint32 // time of the last removal of expired entries
}

func newTable(size int, share bool, kept uint32) *table {
	return &table{room: size / shards, share: share, kept: kept}
}

func (t *table) part(k key) *part { return &t.parts[k%shards] }

// get returns the entry of a key.
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

// sweep removes expired entries, and reports whether there were any. It runs at most once a second, because it inspects
// all entries.
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

// lower subtracts up to n failures. It returns the previous number of failures.
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

// set contains right credentials, in a limited number of entries. A new entry may displace any other one, because only
// owners of right credentials can add entries.
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
