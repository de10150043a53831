package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/hierarchy"
)

// The maximum memory for the variables of one read. If they need more, a light view fails with [ErrViewTooLarge], and a
// full view reads them in pieces, if necessary one by one.
const (
	lightViewBytes = 1 << 20
	fullViewBytes  = 8 << 20
)

// Limits for the chains of parents of a page that are kept in memory.
const (
	maxAncestors = 1000
	maxDepth     = 16
)

// perVariable is the memory that a variable takes in addition to its text, in bytes.
const perVariable = 32

// viewTime is the longest duration of a [View]. While a view is open, later changes in SQLite's write-ahead log cannot
// be checkpointed.
const viewTime = 2 * time.Minute

// ErrViewTooLarge is the error of a light [View] whose variables take too much memory.
var ErrViewTooLarge = errors.New("the variables do not fit a light view")

// errMemory is the error of an attempt that would take too much memory.
var errMemory = errors.New("more variables than are held in memory")

// View is a snapshot of the database, for the duration of a function.
type View struct {
	q      *session
	budget int
	all    bool
	omit   bool // set by OmitUnkept
}

// View calls fn with a snapshot of the database. A light view takes little memory. If full is set, the view can also
// read large data, in pieces; the caller must limit the number of such views.
//
// fn must not wait for a client: the number of views is limited, and each fails after two minutes.
func (s *Store) View(ctx context.Context, full bool, fn func(ctx context.Context, v *View) error) error {
	return viewIn(ctx, s.read, full, fn)
}

// viewIn is View with the transaction of read.
func viewIn(ctx context.Context, read func(context.Context, func(context.Context, *session) error) error, full bool, fn func(ctx context.Context, v *View) error) error {
	bounded, cancel := context.WithTimeout(ctx, viewTime)
	defer cancel()
	err := read(bounded, func(ctx context.Context, q *session) (err error) {
		defer func() {
			if p := recover(); p != nil { // without this, the transaction would remain open
				err = fmt.Errorf("panic in a view: %v\n%s", p, debug.Stack())
			}
		}()
		v := &View{q: q, budget: lightViewBytes, all: full}
		if full {
			v.budget = fullViewBytes
		}
		return fn(ctx, v)
	})
	if err != nil && ctx.Err() == nil && errors.Is(bounded.Err(), context.DeadlineExceeded) {
		return refuse(TimedOut, "Reading took more than %s and was stopped. Request less at once: a smaller limit, fewer sort_keys, a filter by region_id or cell_id.", viewTime)
	}
	return err
}

// Grow makes a light view a full one. The caller must limit the number of full views.
func (v *View) Grow() { v.budget, v.all = fullViewBytes, true }

// Get is [Store.Get] without variables.
func (v *View) Get(ctx context.Context, e *Entity, sc Scope, id string) (Row, error) {
	return v.q.find(ctx, e, sc, id, unlocked)
}

// Rows returns the rows with the given ids, in no particular order. It ignores ids that do not exist.
func (v *View) Rows(ctx context.Context, e *Entity, ids []int64) ([]Row, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, args := in(nil, ids)
	rows := make([]Row, 0, len(ids))
	scan := newScanner(e)
	err := v.q.each(ctx, "SELECT "+e.selectList()+" FROM "+e.Table+" t WHERE t."+e.key+" IN "+list, args, scan.dest,
		func() { rows = append(rows, scan.row()) })
	return rows, err
}

// Sets calls fn with the variables of each row, in the order of the rows.
func (v *View) Sets(ctx context.Context, e *Entity, rows []Row, which Variables, fn func(i int, set Set) error) error {
	return v.sets(ctx, e, rows, 0, which, fn)
}

func (v *View) sets(ctx context.Context, e *Entity, rows []Row, first int, which Variables, fn func(i int, set Set) error) error {
	if len(rows) == 0 {
		return nil
	}
	sets, err := v.q.variables(ctx, e, rows, which, v.budget)
	switch {
	case errors.Is(err, errMemory) && !v.all:
		return ErrViewTooLarge
	case errors.Is(err, errMemory) && len(rows) == 1:
		return fn(first, Set{far: &farSet{ctx: ctx, q: v.q, e: e, row: rows[0], which: which}, check: v.check(e, rows[0])})
	case errors.Is(err, errMemory):
		half := len(rows) / 2
		if err := v.sets(ctx, e, rows[:half], first, which, fn); err != nil {
			return err
		}
		return v.sets(ctx, e, rows[half:], first+half, which, fn)
	case err != nil:
		return err
	}
	for i, set := range sets {
		set.check = v.check(e, rows[i])
		if err := fn(first+i, set); err != nil {
			return err
		}
	}
	return nil
}

// Set has the variables of one object, own or resolved. Objects that inherit the same variables share their memory.
type Set struct {
	layers []hierarchy.Variables // nearest first, each sorted
	far    *farSet               // used instead of layers if these would take too much memory
	check  *unkeptCheck          // not nil in a past state
}

// NewSet returns a set of variables. They must be sorted by key.
func NewSet(sorted []Variable) Set { return Set{layers: []hierarchy.Variables{sorted}} }

// All yields the variables, ordered by key. If several levels have a key, the nearest value wins: values are not merged
// deeply, and null overrides too (contract §5.3).
func (s Set) All() iter.Seq2[Variable, error] {
	if s.check == nil {
		return s.each()
	}
	return func(yield func(Variable, error) bool) { s.check.filter(s.each(), yield) }
}

// Plain returns the variables if they come from one level, are in memory, and all of their values are known.
func (s Set) Plain() (of hierarchy.Variables, ok bool) {
	if s.check != nil || s.far != nil || len(s.layers) != 1 {
		return nil, false
	}
	return s.layers[0], true
}

// each is All, including unknown values.
func (s Set) each() iter.Seq2[Variable, error] {
	if s.far != nil {
		return s.far.all
	}
	return func(yield func(Variable, error) bool) {
		for v := range hierarchy.Merge(s.layers...) {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// farSet reads the variables of one object one by one.
type farSet struct {
	ctx   context.Context //nolint:containedctx // the view's context; the view outlives the set
	q     *session
	e     *Entity
	row   Row
	which Variables
}

// keyBatch is the number of keys, over all levels, that are prefetched before their values.
const keyBatch = 16 << 10

// holder is a key at one level.
type holder struct {
	key         string
	kind, owner int64
}

func (f *farSet) all(yield func(Variable, error) bool) {
	var after *string
	for {
		holders, err := f.holders(after)
		for i, h := range holders {
			if after != nil && h.key == *after {
				continue // overridden by a nearer level
			}
			after = &holders[i].key
			v := Variable{Name: h.key}
			if err := f.q.row(f.ctx, "SELECT value FROM variables WHERE owner_kind = ? AND owner_id = ? AND key = ?", []any{h.kind, h.owner, h.key}, &v.Value); err != nil {
				yield(Variable{}, err)
				return
			}
			if !yield(v, nil) {
				return
			}
		}
		if err != nil {
			yield(Variable{}, err)
		}
		if err != nil || len(holders) < keyBatch {
			return
		}
	}
}

// holders returns the next keys of the object and of the levels that it inherits from, ordered by key, and the nearest
// level first.
func (f *farSet) holders(after *string) (next []holder, err error) {
	text, args := f.levels(f.q.dialect().Ordered, after != nil)
	if after != nil {
		args = append(args, *after)
	}
	var h holder
	err = f.q.each(f.ctx, text, append(args, keyBatch), []any{&h.key, &h.kind, &h.owner}, func() { next = append(next, h) })
	return next, err
}

// levels returns the query for the keys of all levels. With after, it has a placeholder for the key to continue after.
func (f *farSet) levels(join string, after bool) (string, []any) {
	e := f.e
	own := f.row[e.Index(e.ownerID)]
	above := "up (id, parent_id, distance) AS (SELECT 0, 0, 0 WHERE 1 = 0)"
	first := fmt.Sprintf("SELECT 0, %d, CAST(? AS BIGINT)", e.owner)
	if e.IsDevice() && f.which == Resolved {
		above = `up (id, parent_id, distance) AS (SELECT id, parent_id, 0 FROM devices WHERE id = ?
			UNION ALL SELECT parent_id, (SELECT d.parent_id FROM devices d WHERE d.id = up.parent_id), distance + 1 FROM up WHERE parent_id IS NOT NULL)`
		first = fmt.Sprintf("SELECT distance, %d, id FROM up", ownDevice)
	}
	args := []any{own}
	levels := []string{first}
	if f.which == Resolved {
		for i, from := range e.inherits {
			id := f.row[e.Index(from.column)]
			if id == nil {
				continue
			}
			owner := "CAST(? AS BIGINT)"
			if from.to.ownerID != from.to.key {
				owner = fmt.Sprintf("(SELECT %s FROM %s WHERE %s = ?)", from.to.ownerID, from.to.Table, from.to.key)
			}
			const beyondParents = 1_000_000_000
			levels = append(levels, fmt.Sprintf("SELECT %d, %d, %s", beyondParents+i, from.to.owner, owner))
			args = append(args, id)
		}
	}
	beyond := ""
	if after {
		beyond = " WHERE v.key > ?"
	}
	return "WITH RECURSIVE " + above + ", levels (distance, kind, owner) AS (" + strings.Join(levels, " UNION ALL ") +
		") SELECT v.key, l.kind, l.owner FROM levels l " + join + " variables v ON v.owner_kind = l.kind AND v.owner_id = l.owner" + beyond + " ORDER BY v.key, l.distance LIMIT ?", args
}

// merged returns the merged variables of several levels, nearest first.
func merged(layers []hierarchy.Variables) (all hierarchy.Variables) {
	for v := range hierarchy.Merge(layers...) {
		all = append(all, v)
	}
	return all
}
