package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/hierarchy"
)

// Variable is one variable of an object. Value is canonical JSON text.
type Variable = hierarchy.Variable

// memoryBudget is the memory that is still available for variables, in bytes.
type memoryBudget int

func (h *memoryBudget) take(n int) error {
	if *h -= memoryBudget(n); *h < 0 {
		return errMemory
	}
	return nil
}

// ownVariables returns the own variables of several objects, by id.
func (q *session) ownVariables(ctx context.Context, e *Entity, ids []any, room *memoryBudget) (map[any]hierarchy.Variables, error) {
	found := make(map[any]hierarchy.Variables, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	r := variablesRead{q: q, room: room, found: found}
	args := []any{e.owner}
	if e.ownerID == e.key {
		those, args, wanted := among("owner_id", args, ids)
		r.wanted = wanted
		if pack := q.dialect().Pack; pack != nil && q.store.limits.Variables <= fullViewBytes {
			return found, r.packed(ctx, "SELECT owner_id, "+pack("octet_length(key) || ':' || key || value", "\n")+" FROM variables WHERE owner_kind = ? AND "+those+" GROUP BY owner_id", args)
		}
		return found, r.each(ctx, "SELECT owner_id, key, value FROM variables WHERE owner_kind = ? AND "+those+" ORDER BY owner_id, key", args)
	}
	list, args := in(args, ids)
	return found, r.each(ctx, "SELECT t."+e.key+", v.key, v.value FROM "+e.Table+" t JOIN variables v ON v.owner_kind = ? AND v.owner_id = t."+e.ownerID+
		" WHERE t."+e.key+" IN "+list+" ORDER BY t."+e.key+", v.key", args)
}

// variablesRead is a read of variables.
type variablesRead struct {
	q      *session
	wanted map[any]bool // ids of the wanted objects; nil for all
	room   *memoryBudget
	found  map[any]hierarchy.Variables
}

// each reads the rows of a query for one variable per row.
func (r *variablesRead) each(ctx context.Context, text string, args []any) error {
	var v Variable
	var id, last any
	var set hierarchy.Variables
	err := r.q.eachUntil(ctx, text, args, []any{&id, &v.Name, &v.Value}, func() error {
		if r.wanted != nil && !r.wanted[id] {
			return nil
		}
		if id != last {
			if last != nil {
				r.found[last] = set
			}
			last, set = id, nil
		}
		set = append(set, v)
		return r.room.take(len(v.Name) + len(v.Value) + perVariable)
	})
	if last != nil {
		r.found[last] = set
	}
	return err
}

// packed reads the rows of a query for all variables of an object per row.
func (r *variablesRead) packed(ctx context.Context, text string, args []any) error {
	var id any
	var packed string
	return r.q.eachUntil(ctx, text, args, []any{&id, &packed}, func() error {
		if r.wanted != nil && !r.wanted[id] {
			return nil
		}
		set, err := unpack(packed)
		if err != nil {
			return fmt.Errorf("the variables of %v: %w", id, err)
		}
		r.found[id] = set
		return r.room.take(len(packed) + len(set)*perVariable)
	})
}

// unpack parses lines of LENGTH:KEYVALUE, where LENGTH is that of KEY. A value is canonical JSON, without line breaks.
func unpack(packed string) (set hierarchy.Variables, err error) {
	set = make(hierarchy.Variables, 0, strings.Count(packed, "\n")+1)
	for rest := packed; rest != ""; {
		length, after, _ := strings.Cut(rest, ":")
		n, err := strconv.Atoi(length)
		if err != nil || n < 0 || n > len(after) {
			return nil, fmt.Errorf("they are not what was stored: %.40q", rest)
		}
		value, others, _ := strings.Cut(after[n:], "\n")
		set = append(set, Variable{Name: after[:n], Value: value})
		rest = others
	}
	byName := func(a, b Variable) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(set, byName) { // the index usually returns them in order
		slices.SortFunc(set, byName)
	}
	return set, nil
}

// variables reads the variables of a page's rows, with one statement for each level of the hierarchy and one for the
// chains of parents. It returns errMemory if its result would take more than held bytes.
func (q *session) variables(ctx context.Context, e *Entity, rows []Row, which Variables, held int) ([]Set, error) {
	sets := make([]Set, len(rows))
	if which == NoVariables || len(rows) == 0 {
		return sets, nil
	}
	room := memoryBudget(held)
	key := e.Index(e.key)
	ids := make([]any, len(rows))
	for i, row := range rows {
		ids[i] = row[key]
	}
	if which == Own || len(e.inherits) == 0 {
		own, err := q.ownVariables(ctx, e, ids, &room)
		for i := range rows {
			sets[i].layers = []hierarchy.Variables{own[ids[i]]}
		}
		return sets, err
	}
	var parents map[any]any
	if e.IsDevice() {
		var err error
		var above []any
		if parents, above, err = q.ancestors(ctx, e, rows); err != nil {
			return nil, err
		}
		ids = append(ids, above...)
	}
	own, err := q.ownVariables(ctx, e, ids, &room)
	if err != nil {
		return nil, err
	}
	base, err := q.inherited(ctx, e, rows, &room)
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		id := row[key]
		layers := make([]hierarchy.Variables, 0, 2)
		for n := 0; id != nil; n++ {
			if n > maxDepth {
				return nil, errMemory
			}
			if set := own[id]; len(set) > 0 {
				layers = append(layers, set)
			}
			id = parents[id]
		}
		sets[i].layers = append(layers, base[i]...)
	}
	return sets, nil
}

// ancestors returns the parents of all devices of a page and of their ancestors, nil for devices without a parent.
// above has the ancestors that are not on the page.
func (q *session) ancestors(ctx context.Context, e *Entity, rows []Row) (parents map[any]any, above []any, err error) {
	key, parent := e.Index("id"), e.Index("parent_id")
	parents = make(map[any]any, len(rows))
	for _, row := range rows {
		parents[row[key]] = row[parent]
	}
	var up []any
	seen := map[any]bool{}
	for _, row := range rows {
		if id := row[parent]; id != nil && !seen[id] {
			seen[id] = true
			up = append(up, id)
		}
	}
	if len(up) == 0 {
		return parents, nil, nil
	}
	list, args := in(nil, up)
	var id, next any
	err = q.eachUntil(ctx, "WITH RECURSIVE up (id, parent_id) AS (SELECT id, parent_id FROM devices WHERE id IN "+list+
		" UNION SELECT parent_id, (SELECT d.parent_id FROM devices d WHERE d.id = up.parent_id) FROM up WHERE parent_id IS NOT NULL) SELECT id, parent_id FROM up",
		args, []any{&id, &next}, func() error {
			if _, known := parents[id]; !known {
				parents[id] = next
				above = append(above, id)
			}
			if len(above) > maxAncestors {
				return errMemory
			}
			return nil
		})
	return parents, above, err
}

// inherited returns the variables that each row inherits from the cell, region, cloud and project that its own foreign
// keys refer to, nearest first (contract §5.2). Rows in the same place share one merged level, if memory permits.
func (q *session) inherited(ctx context.Context, e *Entity, rows []Row, room *memoryBudget) ([][]hierarchy.Variables, error) {
	sets := make([][]hierarchy.Variables, len(rows))
	type place [4]any
	at := make([]int, len(e.inherits))
	levels := make([]map[any]hierarchy.Variables, len(e.inherits))
	for i, from := range e.inherits {
		at[i] = e.Index(from.column)
		var ids []any
		for _, row := range rows {
			if id := row[at[i]]; id != nil && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		var err error
		if levels[i], err = q.ownVariables(ctx, from.to, ids, room); err != nil {
			return nil, err
		}
	}
	places := map[place][]hierarchy.Variables{}
	for n, row := range rows {
		var p place
		for i := range at {
			p[i] = row[at[i]]
		}
		layers, ok := places[p]
		if !ok {
			size := 0
			for i := range at {
				if set := levels[i][p[i]]; len(set) > 0 {
					layers = append(layers, set)
					size += len(set) * perVariable
				}
			}
			if len(layers) > 1 && room.take(size) == nil {
				layers = []hierarchy.Variables{merged(layers)}
			}
			places[p] = layers
		}
		sets[n] = layers
	}
	return sets, nil
}

// SetVariables sets the given variables of an object, and does not change its others. It fails with [Invalid] if all of
// them together exceed the [Limits].
func (s *Store) SetVariables(ctx context.Context, e *Entity, sc Scope, id string, set []Variable) error {
	_, err := s.PutVariables(ctx, e, sc, id, set)
	return err
}

// PutVariables is [Store.SetVariables], and returns all own variables of the object afterwards. If the caller read them
// separately, that read could fail although everything was stored.
func (s *Store) PutVariables(ctx context.Context, e *Entity, sc Scope, id string, set []Variable) (all Set, err error) {
	err = s.write(ctx, func(ctx context.Context, q *session) error {
		row, own, err := q.findVariables(ctx, e, sc, id)
		if err != nil {
			return err
		}
		changed, err := q.putVariables(ctx, e, row, own, set)
		all = NewSet(merged([]hierarchy.Variables{changed, own}))
		return err
	})
	return all, err
}

// putVariables sets variables of a locked row, and returns the ones that changed.
func (q *session) putVariables(ctx context.Context, e *Entity, row Row, own hierarchy.Variables, set []Variable) (hierarchy.Variables, error) {
	changed := slices.DeleteFunc(byKey(set), func(v Variable) bool {
		at, known := find(own, v.Name)
		return known && own[at].Value == v.Value
	})
	if len(changed) == 0 {
		return nil, nil
	}
	if err := q.setVariables(ctx, e, row[e.Index(e.ownerID)], changed); err != nil {
		return nil, err
	}
	var w weight
	for v := range hierarchy.Merge(changed, own) {
		w.add(v)
	}
	if err := q.store.limits.check(e.describeRow(row), w); err != nil {
		return nil, err
	}
	return changed, q.recordVariables(ctx, e, row, picked(own, changed), changed)
}

// DeleteVariables deletes variables by key. It ignores missing keys.
func (s *Store) DeleteVariables(ctx context.Context, e *Entity, sc Scope, id string, keys []string) error {
	return s.write(ctx, func(ctx context.Context, q *session) error {
		row, own, err := q.findVariables(ctx, e, sc, id)
		if err != nil {
			return err
		}
		_, err = q.removeVariables(ctx, e, row, own, keys)
		return err
	})
}

// removeVariables deletes variables of a locked row, and returns those that existed.
func (q *session) removeVariables(ctx context.Context, e *Entity, row Row, own hierarchy.Variables, keys []string) (hierarchy.Variables, error) {
	gone := make(map[string]bool, len(keys))
	for _, key := range keys {
		gone[key] = true
	}
	removed := slices.DeleteFunc(slices.Clone(own), func(v Variable) bool { return !gone[v.Name] })
	if len(removed) == 0 {
		return nil, nil
	}
	for _, v := range removed {
		if err := q.deleteVariable(ctx, e, row[e.Index(e.ownerID)], v.Name); err != nil {
			return nil, err
		}
	}
	return removed, q.recordVariables(ctx, e, row, removed, nil)
}

// findVariables returns an object's row and its own variables, sorted by key.
func (q *session) findVariables(ctx context.Context, e *Entity, sc Scope, id string) (Row, hierarchy.Variables, error) {
	row, err := q.find(ctx, e, sc, id, changing)
	if err != nil {
		return nil, nil, err
	}
	own, err := q.ownOf(ctx, e, row)
	return row, own, err
}

// ownOf returns the own variables of one object, sorted by key.
func (q *session) ownOf(ctx context.Context, e *Entity, row Row) (own hierarchy.Variables, err error) {
	var v Variable
	err = q.each(ctx, "SELECT key, value FROM variables WHERE owner_kind = ? AND owner_id = ?",
		[]any{e.owner, row[e.Index(e.ownerID)]}, []any{&v.Name, &v.Value}, func() { own = append(own, v) })
	return byKey(own), err
}

// setVariables stores variables. Their keys must be different.
func (q *session) setVariables(ctx context.Context, e *Entity, owner any, set []Variable) error {
	return q.insertRows(ctx, "INSERT INTO variables (owner_kind, owner_id, key, value)", "ON CONFLICT (owner_kind, owner_id, key) DO UPDATE SET value = excluded.value",
		len(set), func(i int, args []any) []any { return append(args, e.owner, owner, set[i].Name, set[i].Value) })
}

func (q *session) deleteVariable(ctx context.Context, e *Entity, owner any, key string) error {
	return q.exec(ctx, "DELETE FROM variables WHERE owner_kind = ? AND owner_id = ? AND key = ?", []any{e.owner, owner, key})
}

// byKey returns variables sorted by key. The last value of a repeated key wins.
func byKey(set []Variable) hierarchy.Variables {
	all := slices.Clone(set)
	slices.Reverse(all)
	slices.SortStableFunc(all, func(a, b Variable) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(all, func(a, b Variable) bool { return a.Name == b.Name })
}

// picked returns the variables of a sorted set whose keys are also in another set.
func picked(from hierarchy.Variables, keys []Variable) (set hierarchy.Variables) {
	for _, v := range keys {
		if at, ok := find(from, v.Name); ok {
			set = append(set, from[at])
		}
	}
	return set
}

// find returns the index of a key in a sorted set, and whether the set has it.
func find(set hierarchy.Variables, key string) (int, bool) {
	return slices.BinarySearchFunc(set, key, func(v Variable, key string) int { return strings.Compare(v.Name, key) })
}
