package store

import (
	"context"
	"slices"
	"strings"
)

// Variable is one variable of an object. Value is canonical JSON text.
type Variable struct {
	Key, Value string
}

// byKey orders variables by the code points of their keys.
func byKey(a, b Variable) int { return strings.Compare(a.Key, b.Key) }

// overlay merges two sorted sets; where both have a key, near wins as a whole
// (contract §5.3: no deep merge, and a null masks too).
func overlay(near, far []Variable) []Variable {
	switch {
	case len(near) == 0:
		return far
	case len(far) == 0:
		return near
	}
	merged := make([]Variable, 0, len(near)+len(far))
	for len(near) > 0 && len(far) > 0 {
		switch c := byKey(near[0], far[0]); {
		case c < 0:
			merged, near = append(merged, near[0]), near[1:]
		case c > 0:
			merged, far = append(merged, far[0]), far[1:]
		default:
			merged, near, far = append(merged, near[0]), near[1:], far[1:]
		}
	}
	return append(append(merged, near...), far...)
}

// ownVariables reads the own variables of many objects, by id.
func (q *session) ownVariables(ctx context.Context, e *Entity, ids []any) (map[any][]Variable, error) {
	found := make(map[any][]Variable, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	args := []any{e.owner}
	list, args := in(args, ids)
	text := "SELECT owner_id, key, value FROM variables WHERE owner_kind = ? AND owner_id IN " + list + " ORDER BY owner_id, key"
	if e.ownerID != e.key {
		text = "SELECT t." + e.key + ", v.key, v.value FROM " + e.Table + " t JOIN variables v ON v.owner_kind = ? AND v.owner_id = t." + e.ownerID +
			" WHERE t." + e.key + " IN " + list + " ORDER BY t." + e.key + ", v.key"
	}
	var v Variable
	var id, last any
	var set []Variable
	err := q.each(ctx, text, args, []any{&id, &v.Key, &v.Value}, func() {
		if id != last {
			if last != nil {
				found[last] = set
			}
			last, set = id, nil
		}
		set = append(set, v)
	})
	if last != nil {
		found[last] = set
	}
	return found, err
}

// variables reads the variables of a page's rows, set by set: one statement
// for each level of the hierarchy and one for the chains of parents.
func (q *session) variables(ctx context.Context, e *Entity, rows []Row, which Variables) ([][]Variable, error) {
	if which == NoVariables {
		return nil, nil
	}
	key := e.Index(e.key)
	ids := make([]any, len(rows))
	for i, row := range rows {
		ids[i] = row[key]
	}
	sets := make([][]Variable, len(rows))
	if which == Own || len(e.inherits) == 0 || len(rows) == 0 {
		own, err := q.ownVariables(ctx, e, ids)
		for i := range rows {
			sets[i] = own[ids[i]]
		}
		return sets, err
	}
	parents := map[any]any{}
	if e.IsDevice() {
		var err error
		if parents, err = q.ancestors(ctx, e, rows); err != nil {
			return nil, err
		}
		for id := range parents {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	own, err := q.ownVariables(ctx, e, ids)
	if err != nil {
		return nil, err
	}
	base, err := q.inherited(ctx, e, rows)
	if err != nil {
		return nil, err
	}
	// What a device has of its own and of its parents, once for each device.
	chains := map[any][]Variable{}
	var chain func(id any) []Variable
	chain = func(id any) []Variable {
		set, ok := chains[id]
		if !ok {
			set = own[id]
			if parent := parents[id]; parent != nil {
				set = overlay(set, chain(parent))
			}
			chains[id] = set
		}
		return set
	}
	for i, row := range rows {
		sets[i] = overlay(chain(row[key]), base[i])
	}
	return sets, nil
}

// ancestors returns the parent of every device of a page and of all devices
// above them; nil for one without.
func (q *session) ancestors(ctx context.Context, e *Entity, rows []Row) (map[any]any, error) {
	key, parent := e.Index("id"), e.Index("parent_id")
	parents := make(map[any]any, len(rows))
	var up []any
	for _, row := range rows {
		parents[row[key]] = row[parent]
		if row[parent] != nil && !slices.Contains(up, row[parent]) {
			up = append(up, row[parent])
		}
	}
	if len(up) == 0 {
		return parents, nil
	}
	list, args := in(nil, up)
	var id, above any
	err := q.each(ctx, "WITH RECURSIVE up (id, parent_id) AS (SELECT id, parent_id FROM devices WHERE id IN "+list+
		" UNION SELECT d.id, d.parent_id FROM devices d JOIN up ON d.id = up.parent_id) SELECT id, parent_id FROM up",
		args, []any{&id, &above}, func() { parents[id] = above })
	return parents, err
}

// inherited returns what each row gets from the levels above it: the cell,
// region, cloud and project that its own foreign keys name (contract §5.2).
func (q *session) inherited(ctx context.Context, e *Entity, rows []Row) ([][]Variable, error) {
	sets := make([][]Variable, len(rows))
	type place [4]any
	at := make([]int, len(e.inherits))
	levels := make([]map[any][]Variable, len(e.inherits))
	for i, from := range e.inherits {
		at[i] = e.Index(from.column)
		var ids []any
		for _, row := range rows {
			if id := row[at[i]]; id != nil && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		var err error
		if levels[i], err = q.ownVariables(ctx, from.to, ids); err != nil {
			return nil, err
		}
	}
	merged := map[place][]Variable{}
	for n, row := range rows {
		var p place
		for i := range at {
			p[i] = row[at[i]]
		}
		set, ok := merged[p]
		if !ok {
			for i := len(at) - 1; i >= 0; i-- {
				set = overlay(levels[i][p[i]], set)
			}
			merged[p] = set
		}
		sets[n] = set
	}
	return sets, nil
}

// Variables reads the own or resolved variables of one object.
func (s *Store) Variables(ctx context.Context, e *Entity, sc Scope, id string, which Variables) ([]Variable, error) {
	_, set, err := s.Get(ctx, e, sc, id, which)
	return set, err
}

// SetVariables stores the given variables beside the others of the object and
// returns all its own variables.
func (s *Store) SetVariables(ctx context.Context, e *Entity, sc Scope, id string, set []Variable) ([]Variable, error) {
	var own []Variable
	err := s.write(ctx, func(ctx context.Context, q *session) error {
		owner, err := q.owner(ctx, e, sc, id)
		if err != nil {
			return err
		}
		if err := q.setVariables(ctx, e, owner, set); err != nil {
			return err
		}
		own = nil
		var v Variable
		return q.each(ctx, "SELECT key, value FROM variables WHERE owner_kind = ? AND owner_id = ? ORDER BY key",
			[]any{e.owner, owner}, []any{&v.Key, &v.Value}, func() { own = append(own, v) })
	})
	return own, err
}

// DeleteVariables removes variables by key; keys that are not there are
// ignored.
func (s *Store) DeleteVariables(ctx context.Context, e *Entity, sc Scope, id string, keys []string) error {
	return s.write(ctx, func(ctx context.Context, q *session) error {
		owner, err := q.owner(ctx, e, sc, id)
		if err != nil {
			return err
		}
		for _, key := range keys {
			if err := q.exec(ctx, "DELETE FROM variables WHERE owner_kind = ? AND owner_id = ? AND key = ?", []any{e.owner, owner, key}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (q *session) setVariables(ctx context.Context, e *Entity, owner any, set []Variable) error {
	for _, v := range set {
		if err := q.exec(ctx, "INSERT INTO variables (owner_kind, owner_id, key, value) VALUES (?, ?, ?, ?) ON CONFLICT (owner_kind, owner_id, key) DO UPDATE SET value = excluded.value",
			[]any{e.owner, owner, v.Key, v.Value}); err != nil {
			return err
		}
	}
	return nil
}

// owner finds the owner_id of an object's variables.
func (q *session) owner(ctx context.Context, e *Entity, sc Scope, id string) (any, error) {
	row, err := q.find(ctx, e, sc, id)
	if err != nil {
		return nil, err
	}
	return row[e.Index(e.ownerID)], nil
}
