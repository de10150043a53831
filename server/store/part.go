package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store/engine"
	"github.com/craton-fleet/craton/server/store/sqlite"
)

// Part is the part of a past fleet that a response needs: one object, or all objects of a kind with a name, and the
// places that they inherit from.
type Part struct {
	Object        // if it has no id, the objects of the kind with the name
	Name   string // name of these objects
}

const (
	maxParts       = 8  // number of parts of one state before the complete state is built
	openParts      = 16 // maximum number of open parts, each of which is a file
	maxPartObjects = 32 // maximum number of objects with a name that are looked up one by one
)

// errPartTooLarge is the error for a part that is so large that the complete past state must be built instead.
var errPartTooLarge = errors.New("too much for a part of the past")

// AtPart is [Store.At] for a part of the fleet. Its cost depends on the later changes of the part, not on the size of
// the fleet. The returned store may contain more than the part: after several parts of one state, the complete state is
// built.
func (s *Store) AtPart(ctx context.Context, at Cursor, p Part) (fleet *Store, release func(), err error) {
	if found := s.pasts.take(at); found != nil {
		return found.store, s.pasts.releaser(found), nil
	}
	if s.pasts.beginPart(at) {
		fleet, err = s.buildPart(ctx, at, p)
		if err == nil {
			return fleet, sync.OnceFunc(func() {
				_ = fleet.Close() // no data can be lost: it was only read, and its file is deleted already
				s.pasts.endPart()
			}), nil
		}
		s.pasts.endPart()
		if !errors.Is(err, errPartTooLarge) && !errors.Is(err, errMemory) {
			return nil, nil, err
		}
	}
	return s.At(ctx, at)
}

// beginPart counts a part of a past state. It reports whether the part may be built: there must not be too many parts
// of that state, or too many open parts.
func (p *pasts) beginPart(at Cursor) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.parts[at]; !known && len(p.parts) >= maxPasts*maxParts {
		clear(p.parts)
	}
	p.parts[at]++
	if p.parts[at] > maxParts || p.partsOpen == openParts {
		return false
	}
	p.partsOpen++
	return true
}

func (p *pasts) endPart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.partsOpen--
}

func (s *Store) buildPart(ctx context.Context, at Cursor, p Part) (fleet *Store, err error) {
	state := &past{at: at}
	var e *sqlite.Engine
	err = s.engine.Read(ctx, func(ctx context.Context, from engine.Tx) error {
		v := &View{q: &session{store: s, tx: from}, budget: lightViewBytes}
		if _, err := v.AtCursor(ctx, at); err != nil {
			return err
		}
		levels, err := v.partAt(ctx, p, at.Revision)
		if err != nil {
			return err
		}
		e, err = sqlite.Scratch(ctx, migrations, nil, func(ctx context.Context, tx engine.Tx) error {
			q := &session{store: new(Store), tx: tx}
			for _, t := range levels {
				if err := q.restoreLevel(ctx, t); err != nil {
					return fmt.Errorf("%s %s: %w", t.Kind, t.ID, err)
				}
			}
			return q.listUnkept(ctx, state)
		})
		return err
	})
	if err != nil {
		if e != nil {
			err = errors.Join(err, e.Close())
		}
		return nil, err
	}
	fleet = newStore(e)
	fleet.past = state
	return fleet, nil
}

// partAt returns the objects of a part at a revision, and all objects that they inherit from, without duplicates.
func (v *View) partAt(ctx context.Context, p Part, revision int64) (levels []*timeline, err error) {
	ids := []string{p.ID}
	if p.ID == "" {
		if ids, err = v.namedAt(ctx, p, revision); err != nil {
			return nil, err
		}
	}
	w, err := v.newWalker(ctx, "")
	if err != nil {
		return nil, err
	}
	w.at = revision
	for _, id := range ids {
		if w.own, err = w.level(ctx, Object{p.Kind, id}); err != nil {
			return nil, err
		}
		if _, err := w.chain(ctx); err != nil {
			return nil, err
		}
	}
	for _, t := range w.open {
		if t.there {
			levels = append(levels, t)
		}
	}
	return levels, nil
}

// namedAt returns the ids of the objects that may have had the part's name at a revision: those that have it now, and
// those that had it before a later change.
func (v *View) namedAt(ctx context.Context, p Part, revision int64) (ids []string, err error) {
	e := entityOf(p.Kind)
	title := e.of.Title
	c := v.q.conditions()
	c.add("t."+title+" = ?", p.Name)
	var key any
	err = v.q.each(ctx, "SELECT t."+e.key+" FROM "+e.Table+" t"+c.String()+" LIMIT ?", append(c.args, maxPartObjects+1), []any{&key}, func() { ids = append(ids, idText(key)) })
	if err != nil {
		return nil, err
	}
	c = v.q.conditions()
	c.add("revision > ?", revision)
	c.equal("kind", p.Kind, false)
	c.add(v.q.dialect().Contains("before"), string(jsontext.AppendString(append(jsontext.AppendString(nil, title), ':'), p.Name)))
	var id string
	err = v.q.each(ctx, "SELECT DISTINCT object_id FROM changes"+c.String()+" LIMIT ?", append(c.args, maxPartObjects+1), []any{&id}, func() { ids = append(ids, id) })
	if ids = sorted(ids); err == nil && len(ids) > maxPartObjects {
		err = errPartTooLarge
	}
	return ids, err
}

// restoreLevel inserts an object in its past state.
func (q *session) restoreLevel(ctx context.Context, t *timeline) error {
	id, ok := t.e.parseID(t.ID)
	if !ok {
		return nil
	}
	f := facts{columns: t.columns, labels: t.labels}
	for key, h := range t.own {
		set := &f.variables
		if !h.kept {
			set = &f.hashed
		}
		*set = append(*set, Variable{Name: key, Value: h.text})
	}
	f.variables, f.hashed = byKey(f.variables), byKey(f.hashed)
	return q.restore(ctx, t.e, id, &f)
}
