package server

import (
	"context"
	"sync"
	"time"

	"github.com/craton-fleet/craton/server/store"
)

// Stats are what a server can tell of itself, without a name of anything in the fleet.
type Stats struct {
	UnderWay int64 // requests that have no answer yet
	Refused  int64 // requests for which there was no place
	Database store.Stats
	Replica  *ReplicaStats         // nil: there is none
	Caches   map[string]CacheStats // "past_states", and "keystone_tokens" where Keystone says who asks
}

// ReplicaStats tell of the read database.
type ReplicaStats = store.ReplicaStats

// CacheStats count how often a cache was asked.
type CacheStats = store.CacheStats

// Stats tells what the server has done since it was opened.
func (s *Server) Stats() Stats {
	all := Stats{UnderWay: s.underWay.Load(), Refused: s.refused.Load(), Database: s.store.Stats(), Caches: map[string]CacheStats{"past_states": s.store.PastStats()}}
	if replica, ok := s.store.Replica(); ok {
		all.Replica = &replica
	}
	if v := s.keystone.Load(); v != nil {
		hits, misses := v.Asked()
		all.Caches["keystone_tokens"] = CacheStats{Hits: hits, Misses: misses}
	}
	return all
}

// Census is how many devices each project has: see [store.Census].
type Census = store.Census

// census keeps the last one.
type census struct {
	mu   sync.Mutex
	last Census
	next time.Time // not before
}

// A fleet is counted again at most as often as keeps that at a fiftieth of the time.
const countingShare = 50

// Census counts the devices of every project. In a fleet that keeps changing, and takes long to count, the counts, not the
// revision, may be older than the call.
func (s *Server) Census(ctx context.Context) (Census, error) {
	newest, err := s.store.Newest(ctx)
	if err != nil {
		return Census{}, err
	}
	c := &s.census
	c.mu.Lock()
	defer c.mu.Unlock()
	begin := time.Now()
	if c.last.Devices == nil || c.last.Revision != newest && begin.After(c.next) {
		counted, err := s.store.Census(ctx)
		if err != nil {
			return Census{}, err
		}
		c.last, c.next = counted, time.Now().Add(countingShare*time.Since(begin))
	}
	return Census{Revision: max(newest, c.last.Revision), Devices: c.last.Devices}, nil
}
