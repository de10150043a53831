package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Setters calls fn with the last change of each variable that an object had at a revision, in the order of the log. The
// log has no such change for a variable that was set before the log began, or by a change that was pruned. A change is
// only valid during the call of fn.
//
// Setters reads the object's changes from the newest to the one that set the last remaining variable.
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

// minCachedSetterRows is the number of changes that must have been read for a result to be cached.
const minCachedSetterRows = 64

// place is the position of a row in the log. The zero place stands for a deleted variable.
type place struct{ revision, n int64 }

// setters is the search for the changes that set an object's variables.
type setters struct {
	q      *session
	sc     Scope
	of     Object
	wanted int    // number of variables; negative if not known
	before *setBy // cached result up to a revision

	keys  map[string]place // the last change of each key
	there int              // number of keys of variables that are not deleted
	read  int
}

// walk reads the log backwards.
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
				s.record(deref(before), place{}) // only in the side before the change: the variable was deleted
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

// record records the position of a change for the variables in one of its sides, unless a later change has set them.
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
			s.keys[strings.Clone(key)] = at // the key may be cached, but the side must not be kept in memory
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
			s.keys[strings.Clone(key)] = at // the key may be cached, but the side must not be kept in memory
		}
	}
}

// revisionBatch is the number of changes that are read with one statement.
const revisionBatch = 128

// resolve reads the changes at the recorded positions, and calls fn with them.
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

// setBy has the positions of the changes that set the variables of an object, as of a revision.
type setBy struct {
	keys     map[string]place
	revision int64
	change   string // id of the revision's change
	size     int
}

// settersID identifies an object and the scope of the caller.
type settersID struct {
	Object
	Scope
}

// knownSetters caches results for objects with many changes, such as a project, so that the next search only reads the
// changes since. The random id of a change ensures that a result is not used with another log.
type knownSetters struct {
	mu   sync.Mutex
	of   map[settersID]*setBy
	last []settersID // the most recently stored last
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
		if at == (place{}) { // deleted variables are not needed for later searches
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
