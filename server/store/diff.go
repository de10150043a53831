package store

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// maxDiffIDs is the number of object ids that are read at once. diffBatch is the number of objects whose changes are
// combined at once.
const (
	maxDiffIDs = 50_000
	diffBatch  = 64
)

// Diff calls fn with the difference of each object of the kinds in the scope between two revisions. Differences include
// own fields, variables and labels. Objects that are equal at both revisions are omitted. The events are like those of
// [View.DiffObject].
func (v *View) Diff(ctx context.Context, sc Scope, kinds []string, from, to int64, fn func(*Event) error) error {
	if from > to {
		return v.Diff(ctx, sc, kinds, to, from, func(e *Event) error { return fn(e.reversed()) })
	}
	for _, kind := range kinds {
		for last := ""; ; {
			ids, err := v.changedIDs(ctx, sc, kind, last, from, to)
			if err != nil {
				return err
			}
			for some := range slices.Chunk(ids, diffBatch) {
				if err := v.fold(ctx, kind, some, from, to, fn); err != nil {
					return v.viewTooLarge(err)
				}
			}
			if len(ids) < maxDiffIDs {
				break
			}
			last = ids[len(ids)-1]
		}
	}
	return nil
}

// changedIDs returns the next ids of changed objects after last, as text.
func (v *View) changedIDs(ctx context.Context, sc Scope, kind, last string, from, to int64) (ids []string, err error) {
	c := v.q.conditions()
	c.equal("kind", kind, !sc.All)
	if !sc.All {
		c.equal("project_id", sc.Project, true)
	}
	c.add("revision > ? AND revision <= ?", from, to)
	if last != "" {
		c.add("object_id > ?", last)
	}
	var id string
	err = v.q.each(ctx, "SELECT DISTINCT object_id FROM changes"+c.String()+" ORDER BY object_id LIMIT ?", append(c.args, maxDiffIDs), []any{&id}, func() { ids = append(ids, id) })
	return ids, err
}

// folded is the combined effect of several changes on one object.
type folded struct {
	there, is bool // whether the object exists before the first and after the last change
	path      string
	project   string
	columns   [2]Values
	labels    [2]*facts
	values    [2]map[string]held
}

// fold combines the changes of some objects. It splits the objects if they would take too much memory.
func (v *View) fold(ctx context.Context, kind string, ids []string, from, to int64, fn func(*Event) error) error {
	e := entityOf(kind)
	room := memoryBudget(v.budget)
	if v.all && len(ids) == 1 {
		room = maxHistoryBytes
	}
	found := make(map[string]*folded, len(ids))
	c := v.q.conditions()
	c.equal("kind", kind, true)
	list, args := in(nil, ids)
	c.add("object_id IN "+list, args...)
	c.add("revision > ? AND revision <= ?", from, to)
	var x Change
	err := x.each(ctx, v.q, "SELECT "+changeColumns+" FROM changes"+c.String()+" ORDER BY object_id, revision, n", c.args, func() error {
		before, after, err := x.sides(e)
		if err != nil {
			return err
		}
		f := found[x.Object]
		if f == nil {
			f = &folded{there: x.Action != Created, columns: [2]Values{{}, {}}, values: [2]map[string]held{{}, {}}}
			found[x.Object] = f
		}
		return f.add(&x, &before, &after, &room)
	})
	if errors.Is(err, errMemory) && len(ids) > 1 {
		half := len(ids) / 2
		if err := v.fold(ctx, kind, ids[:half], from, to, fn); err != nil {
			return err
		}
		return v.fold(ctx, kind, ids[half:], from, to, fn)
	}
	if err != nil {
		return err
	}
	for _, id := range ids {
		if event := found[id].event(v, Object{kind, id}); event != nil {
			if err := fn(event); err != nil {
				return err
			}
		}
	}
	return nil
}

// add adds a change. It must be later than all previous ones.
func (f *folded) add(c *Change, before, after *facts, room *memoryBudget) error {
	f.is, f.path, f.project = c.Action != Deleted, c.Path, c.Project
	for name, v := range before.columns {
		if _, known := f.columns[0][name]; !known {
			f.columns[0][name] = v
		}
		f.columns[1][name] = nil
	}
	for name, v := range after.columns {
		if _, known := f.columns[0][name]; !known {
			f.columns[0][name] = nil
		}
		f.columns[1][name] = v
	}
	if before.labelled || after.labelled {
		if f.labels[0] == nil {
			f.labels[0] = before
		}
		f.labels[1] = after
	}
	for _, key := range sorted(append(before.keys(), after.keys()...)) {
		was, kept, there := before.known(key)
		if _, known := f.values[0][key]; !known {
			f.values[0][strings.Clone(key)] = heldOf(was, kept, there)
			if err := room.take(len(key) + len(was.Value) + perVariable); err != nil {
				return err
			}
		}
		is, kept, there := after.known(key)
		if err := room.take(len(key) + len(is.Value) + perVariable - len(f.values[1][key].text)); err != nil {
			return err
		}
		f.values[1][strings.Clone(key)] = heldOf(is, kept, there)
	}
	return nil
}

// heldOf returns a copy of a variable's value, or the zero value if it does not exist.
func heldOf(v Variable, kept, there bool) held {
	if !there {
		return held{}
	}
	return held{strings.Clone(v.Value), kept}
}

// event returns the combined effect as an event, or nil if there is none.
func (f *folded) event(v *View, o Object) *Event {
	if f == nil || !f.there && !f.is {
		return nil
	}
	e := &Event{Change: Change{Kind: o.Kind, Object: o.ID, Path: f.path, Project: f.project, Action: actionBetween(f.there, f.is)}, Seen: true}
	e.fields(f.columns[0], f.columns[1])
	if f.labels[0] != nil {
		e.labels(f.labels[0].labels, f.labels[1].labels)
	}
	from := Source{o.Kind, o.ID, f.path[strings.LastIndexByte(f.path, '/')+1:]}
	keys := make([]string, 0, len(f.values[0]))
	for key := range f.values[0] {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		was, is := f.values[0][key], f.values[1][key]
		if was != is {
			e.Keys = append(e.Keys, Key{key, v.valueOf(key, was, from), v.valueOf(key, is, from)})
		}
	}
	if !e.matches(HistoryParams{}) {
		return nil
	}
	return e
}

// valueOf returns h as a value that comes from an object, or nil for the zero value.
func (v *View) valueOf(key string, h held, from Source) *Value {
	if h == (held{}) {
		return nil
	}
	x := &Value{From: from, held: h}
	if h.kept && !v.q.store.conceals(key) {
		x.Text = h.text
	}
	return x
}

// reversed returns the event for the opposite direction.
func (e *Event) reversed() *Event {
	switch e.Action {
	case Created:
		e.Action = Deleted
	case Deleted:
		e.Action = Created
	}
	e.Labels[0], e.Labels[1] = e.Labels[1], e.Labels[0]
	for i := range e.Fields {
		f := &e.Fields[i]
		f.Before, f.After = f.After, f.Before
	}
	for i := range e.Keys {
		k := &e.Keys[i]
		k.Before, k.After = k.After, k.Before
	}
	return e
}
