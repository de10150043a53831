package keystone

import (
	"crypto/sha256"
	"sync"
	"time"
)

// maxAnswers bounds each of the two caches, of tokens that are valid and that
// are not: a flood of wrong tokens does not push out good ones.
const maxAnswers = 10_000

// key identifies a token after its request: its hash.
type key [sha256.Size]byte

func keyOf(token string) key { return sha256.Sum256([]byte(token)) }

// cache keeps values for a limited time.
type cache[V any] struct {
	mu      sync.Mutex
	entries map[key]entry[V]
}

type entry[V any] struct {
	value V
	until time.Time
}

func (c *cache[V]) get(k key) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[k]
	if ok && !time.Now().Before(e.until) {
		delete(c.entries, k)
		ok = false
		e.value = *new(V)
	}
	return e.value, ok
}

func (c *cache[V]) put(k key, value V, until time.Time) {
	now := time.Now()
	if !now.Before(until) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = map[key]entry[V]{}
	}
	if _, ok := c.entries[k]; !ok && len(c.entries) >= maxAnswers {
		c.evict(now)
	}
	c.entries[k] = entry[V]{value, until}
}

// evict makes room by inspecting few entries, in the random order of a map: it removes the expired ones among them, or
// else the first.
func (c *cache[V]) evict(now time.Time) {
	looked, evicted := 0, 0
	var first key
	for k, e := range c.entries {
		if looked == 0 {
			first = k
		}
		if !now.Before(e.until) {
			delete(c.entries, k)
			evicted++
		}
		if looked++; looked == 16 {
			break
		}
	}
	if evicted == 0 {
		delete(c.entries, first)
	}
}
