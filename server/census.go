package server

import (
	"context"
	"sync"
	"time"

	"github.com/craton-fleet/craton/server/store"
)

// Stats are statistics of a server, without names from the fleet.
type Stats struct {
	UnderWay int64 // requests in progress
	Refused  int64 // requests refused for lack of a place
	Database store.Stats
	Replica  *ReplicaStats         // nil if there is none
	Caches   map[string]CacheStats // "past_states", and with Keystone "keystone_tokens"
}

// ReplicaStats are the state and statistics of the replica.
type ReplicaStats = store.ReplicaStats

// CacheStats count the lookups in a cache.
type CacheStats = store.CacheStats

// Stats returns statistics since the server was opened.
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

// Census is the number of devices of each project: see [store.Census].
type Census = store.Census

// census caches the last count.
type census struct {
	mu   sync.Mutex
	last Census
	next time.Time // earliest time of the next count
}

// A fleet is counted at most so often that counting takes a fiftieth of the time.
const countingShare = 50

// Census counts the devices of every project. In a fleet that keeps changing and takes long to count, the counts, but
// not the revision, may be older than the call.
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
