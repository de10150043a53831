package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Setters calls fn, in order, with the last change of each variable that an object had at a revision. There is none for
// a variable that was set before the log began, or by a change that was pruned. The change is only valid during the
// call.
//
// It reads the object's changes from the newest on, down to the one that set the last remaining variable.
func (v *View) Setters(ctx context.Context, sc Scope, o Object, at int64, fn func(c *Change) error) error {
	l, err := v.reach(ctx)
	if err != nil {
		return err
	}
	s := &setters{q: v.q, sc: sc, of: o, wanted: -1, keys: map[string]place{}}
	if at >= l.newest {
		at = l.newest
		if s.wanted, err = v.q.countVariables(ctx, o); err != nil {
			return err
		}
		if old := v.q.store.setters.take(settersID{o, sc}); old != nil {
			change, err := v.changeOf(ctx, l, old.revision)
			if err != nil {
				return err
			}
			if change == old.change {
				s.before = old
			}
		}
	}
	if err := s.walk(ctx, at); err != nil {
		return err
	}
	if at == l.newest && (s.read > minCachedSetterRows || s.before != nil) {
		v.q.store.setters.keep(settersID{o, sc}, &setBy{keys: s.keys, revision: l.newest, change: l.change})
	}
	return s.resolve(ctx, fn)
}

// minCachedSetterRows is the number of changes up to which a result is not worth caching.
const minCachedSetterRows = 64

// place is a row of the log; the zero place stands for a variable that was deleted.
type place struct{ revision, n int64 }

// setters is the search for the changes that set an object's variables.
type setters struct {
	q      *session
	sc     Scope
	of     Object
	wanted int    // number of variables; below 0 if not known
	before *setBy // cached result up to a revision

	keys  map[string]place // the last change of each key
	there int              // number of keys that are not deleted
	read  int
}

// walk goes back through the log.
func (s *setters) walk(ctx context.Context, at int64) error {
	floor := int64(-1)
	if s.before != nil {
		floor = s.before.revision
	}
	next := place{revision: at + 1}
	for size := minLogRows; ; size = min(4*size, passedRows) {
		c := s.conditions()
		c.add("(revision, n) < (?, ?)", next.revision, next.n)
		if floor >= 0 {
			c.add("revision > ?", floor)
		}
		seen := 0
		var action string
		var before, after *string
		err := s.q.eachUntil(ctx, "SELECT revision, n, action, before, after FROM changes"+c.String()+" ORDER BY revision DESC, n DESC LIMIT ?", append(c.args, size),
			[]any{&next.revision, &next.n, &action, &before, &after}, func() error {
				seen++
				s.read++
				if action != Deleted {
					s.record(deref(after), next)
				}
				s.record(deref(before), place{}) // where it is not there behind the change
				if action == Created || action == Deleted || s.wanted >= 0 && s.there >= s.wanted {
					return errEnough
				}
				return nil
			})
		switch {
		case errors.Is(err, errEnough):
			return nil
		case err != nil:
			return err
		case seen < size:
			s.join()
			return nil
		}
	}
}

// conditions returns the conditions for the object's changes in the scope.
func (s *setters) conditions() conditions {
	c := s.q.conditions()
	c.equal("kind", s.of.Kind, true)
	c.equal("object_id", s.of.ID, true)
	if !s.sc.All {
		c.equal("project_id", s.sc.Project, false)
	}
	return c
}

// record records that a change set the variables of a side, unless a later one did.
func (s *setters) record(side string, at place) {
	if side == "" {
		return
	}
	x := jsontext.NewScanner(side)
	x.Members(func(name string) {
		if name != "variables" && name != "hashed" {
			x.Skip()
			return
		}
		x.Members(func(key string) {
			x.Skip()
			if _, known := s.keys[key]; known {
				return
			}
			s.keys[strings.Clone(key)] = at // it may be cached, and the side is not
			if at != (place{}) {
				s.there++
			}
		})
	})
}

// join adds the cached result.
func (s *setters) join() {
	if s.before == nil {
		return
	}
	for key, at := range s.before.keys {
		if _, known := s.keys[key]; !known {
			s.keys[strings.Clone(key)] = at // it may be cached, and the side is not
		}
	}
}

// revisionBatch is the number of changes that one statement reads.
const revisionBatch = 128

// resolve reads the changes that were found.
func (s *setters) resolve(ctx context.Context, fn func(c *Change) error) error {
	wanted := map[place]bool{}
	var revisions []int64
	for _, at := range s.keys {
		if at != (place{}) && !wanted[at] {
			wanted[at] = true
			revisions = append(revisions, at.revision)
		}
	}
	slices.Sort(revisions)
	for some := range slices.Chunk(slices.Compact(revisions), revisionBatch) {
		c := s.conditions()
		list, args := in(c.args, some)
		var change Change
		err := change.each(ctx, s.q, "SELECT "+changeColumns+" FROM changes"+c.String()+" AND revision IN "+list+" ORDER BY revision, n", args, func() error {
			if !wanted[place{change.Revision, change.N}] {
				return nil
			}
			return fn(&change)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// countVariables returns the number of own variables of an object.
func (q *session) countVariables(ctx context.Context, o Object) (n int, err error) {
	e := entityOf(o.Kind)
	if e == nil || e.owner == 0 {
		return 0, nil
	}
	id, ok := e.parseID(o.ID)
	if !ok {
		return 0, nil
	}
	err = q.row(ctx, "SELECT count(*) FROM "+e.Table+" t JOIN variables v ON v.owner_kind = ? AND v.owner_id = t."+e.ownerID+" WHERE t."+e.key+" = ?", []any{e.owner, id}, &n)
	return n, err
}

// setBy are the changes that set the variables of an object, up to a revision.
type setBy struct {
	keys     map[string]place
	revision int64
	change   string // of the revision
	size     int
}

// settersID identifies an object and the scope of the caller.
type settersID struct {
	Object
	Scope
}

// knownSetters caches results for objects that change often, such as a project: the next search continues from the last
// one. A change has a random id, so that a result of another log is never used.
type knownSetters struct {
	mu   sync.Mutex
	of   map[settersID]*setBy
	last []settersID // the most recently used last
	size int
}

// maxSetters is the approximate size of the cache in bytes.
const maxSetters = 2 << 20

func (k *knownSetters) take(id settersID) *setBy {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.of[id]
}

func (k *knownSetters) keep(id settersID, s *setBy) {
	for key, at := range s.keys {
		if at == (place{}) { // deleted: earlier changes do not count
			delete(s.keys, key)
			continue
		}
		s.size += len(key) + 64
	}
	if s.size > maxSetters/4 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.of == nil {
		k.of = map[settersID]*setBy{}
	}
	if old := k.of[id]; old != nil {
		k.drop(id)
	}
	k.of[id] = s
	k.last = append(k.last, id)
	k.size += s.size
	for k.size > maxSetters {
		k.drop(k.last[0])
	}
}

func (k *knownSetters) drop(id settersID) {
	k.size -= k.of[id].size
	delete(k.of, id)
	k.last = slices.DeleteFunc(k.last, func(one settersID) bool { return one == id })
}
