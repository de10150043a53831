package store

import (
	"context"
	"hash/maphash"
	"slices"
	"strings"
)

// Affected counts the devices that the change of a variable affects: those that inherit it from the changed objects,
// and the changed objects that are devices themselves.
type Affected struct {
	Name                  string
	Hosts, NetworkDevices int // devices whose resolved value changes
	Shadowed              int // devices whose resolved value does not change: a nearer place overrides it, or a farther one has the same value
}

// maxAffected is the maximum number of variables in a result.
const maxAffected = 10

// affectedCounter counts the devices that a bulk edit affects, by comparing their values before and after.
type affectedCounter struct {
	*bulkRun
	keys   []string
	seed   maphash.Seed
	before map[string]map[int64]uint64 // by key: hashes of the values of the devices
	edited map[string][]any            // by key: ids of the objects whose own variable changes
}

// newAffectedCounter reads the values of devices before rows are edited. It returns nil if devices do not inherit from
// the rows.
func (w *bulkRun) newAffectedCounter(ctx context.Context, rows []Row) (*affectedCounter, error) {
	a := &affectedCounter{bulkRun: w, seed: maphash.MakeSeed(), before: map[string]map[int64]uint64{}, edited: map[string][]any{}}
	for _, v := range w.Set {
		a.keys = append(a.keys, v.Name)
	}
	a.keys = append(a.keys, w.Unset...)
	slices.Sort(a.keys)
	a.keys = slices.Compact(a.keys)
	if !w.e.IsDevice() && !slices.Contains(placeTables[:], w.e.Table) || len(a.keys) == 0 {
		return nil, nil //nolint:nilnil // no device is affected
	}
	a.keys = a.keys[:min(maxAffected, len(a.keys))]
	ids := make([]any, len(rows))
	for i, row := range rows {
		ids[i] = row[w.e.Index(w.e.key)]
	}
	for _, key := range a.keys {
		a.before[key] = map[int64]uint64{}
		if err := a.each(ctx, key, ids, func(id int64, _ string, value uint64) { a.before[key][id] = value }); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// note records a change of an object's variable.
func (a *affectedCounter) note(row Row, key string) {
	if a != nil && slices.Contains(a.keys, key) {
		a.edited[key] = append(a.edited[key], row[a.e.Index(a.e.key)])
	}
}

// find compares the values of devices after the edit with those before.
func (a *affectedCounter) find(ctx context.Context) (all []Affected, err error) {
	for _, key := range a.keys {
		found, seen := Affected{Name: key}, map[int64]bool{}
		err := a.each(ctx, key, a.edited[key], func(id int64, kind string, value uint64) {
			switch {
			case seen[id]: // inherits from several edited objects
			case value == a.before[key][id]:
				found.Shadowed++
			case kind == KindHost:
				found.Hosts++
			default:
				found.NetworkDevices++
			}
			seen[id] = true
		})
		if err != nil {
			return nil, err
		}
		if len(seen) > 0 {
			all = append(all, found)
		}
	}
	return all, nil
}

// each calls fn with each device that may get a variable from the given objects, and a hash of its value; 0 for none.
func (a *affectedCounter) each(ctx context.Context, key string, ids []any, fn func(id int64, kind string, value uint64)) error {
	value, valueArgs := nearestValue(Devices, key, true, func(value string) (string, any) { return value, nil })
	for some := range slices.Chunk(ids, pieceRows) {
		list, args := in(nil, some)
		below := "t." + strings.TrimSuffix(a.e.Table, "s") + "_id IN " + list
		if a.e.IsDevice() {
			below = "t.id IN (WITH RECURSIVE down (id) AS (SELECT id FROM devices WHERE id IN " + list +
				" UNION SELECT d.id FROM devices d JOIN down ON d.parent_id = down.id) SELECT id FROM down)"
		}
		var id int64
		var kind string
		var text *string
		err := a.session.each(ctx, "SELECT t.id, t.type, "+value+" FROM devices t WHERE "+below, append(valueArgs[:len(valueArgs):len(valueArgs)], args...),
			[]any{&id, &kind, &text}, func() {
				hash := uint64(0)
				if text != nil {
					hash = maphash.String(a.seed, *text) | 1
				}
				fn(id, kind, hash)
			})
		if err != nil {
			return err
		}
	}
	return nil
}
