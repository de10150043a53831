package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Event is the effect of a write on an object: on its fields, its labels, or its resolved variables.
type Event struct {
	Change        // the change of the object, or of the nearest changed place that it inherits from; without Before and After
	Seen     bool // the caller is permitted to see the change, not only its effect
	Fields   []Field
	Labels   [2][]string // before and after the write
	Labelled bool        // the labels changed
	Keys     []Key
}

// Field is a changed column. nil stands for null or a missing column.
type Field struct {
	Name          string
	Before, After any
}

// Key is a changed variable. nil stands for a missing variable.
type Key struct {
	Name          string
	Before, After *Value
}

// HistoryParams select the events to read.
type HistoryParams struct {
	Object  Object   // the object; if it has no id, the change log itself is read, for its kind or for all
	Kinds   []string // kinds whose changes the caller is permitted to see
	Before  Cursor   // only events before this cursor; zero for all
	Key     string   // only events that changed this variable, with only their effect on it
	User    string   // only writes by this user
	Request string   // only writes of this request
	Since   Micros
	Until   Micros // 0 for no end
	Name    string // for the log: only objects with this name, or with a path that ends in it
	Action  string // for the log: only this action
	Limit   int
}

// HistoryPage describes the end of a page of a history.
type HistoryPage struct {
	Next     Cursor // value of Before for the next page
	More     bool   // there may be another page
	Complete bool   // the page is complete, although the log has been pruned
}

// maxHistoryRows is the number of changes after which a page ends even if it is not full, because few of them match.
const maxHistoryRows = 20_000

// History calls fn with events, newest first. It fails with [NotFound] for an object that is not in the scope and never
// was.
//
// An object's history follows its resolved variables. A change of a place that it inherits from is an event if the
// value of a resolved variable changes. It is not an event if a nearer place overrides the changed variable, or if an
// equal value now comes from another place.
func (v *View) History(ctx context.Context, sc Scope, l HistoryParams, fn func(*Event) error) (HistoryPage, error) {
	if err := v.CheckCursor(ctx, l.Before); err != nil {
		return HistoryPage{}, err
	}
	if l.Object.ID == "" {
		return v.logBack(ctx, sc, l, fn)
	}
	if err := v.checkExisted(ctx, sc, l.Object); err != nil {
		return HistoryPage{}, err
	}
	end, err := v.history(ctx, l, fn)
	return end, v.viewTooLarge(err)
}

// checkExisted returns a [NotFound] error for an object that is not in the scope and never was.
func (v *View) checkExisted(ctx context.Context, sc Scope, o Object) error {
	e := entityOf(o.Kind)
	if e == nil {
		return errNotFound
	}
	if _, err := v.q.find(ctx, e, sc, o.ID, unlocked); !IsCode(err, NotFound) {
		return err
	}
	c := v.q.conditions()
	c.equal("kind", o.Kind, true)
	c.equal("object_id", o.ID, true)
	if !sc.All {
		c.equal("project_id", sc.Project, false)
	}
	var n int
	if err := v.q.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM changes"+c.String()+" LIMIT 1) AS one", c.args, &n); err != nil || n > 0 {
		return err
	}
	return errNotFound
}

// span returns the first revision of the requested range, and the first one after it. complete reports whether the
// start is due to l.Since and the log has all changes from there.
func (v *View) span(ctx context.Context, l HistoryParams) (from, to int64, complete bool, err error) {
	log, err := v.Log(ctx)
	if err != nil {
		return 0, 0, false, err
	}
	from, to = log.Horizon+1, log.Newest.Revision+1
	if l.Before != (Cursor{}) {
		to = min(to, l.Before.Revision)
	}
	if l.Until > 0 {
		end, err := v.firstAt(ctx, l.Until)
		if err != nil {
			return 0, 0, false, err
		}
		if end > 0 {
			to = min(to, end)
		}
	}
	if l.Since > 0 {
		first, err := v.firstAt(ctx, l.Since)
		if err != nil {
			return 0, 0, false, err
		}
		if first == 0 {
			first = log.Newest.Revision + 1
		}
		complete = first > log.Horizon+1
		from = max(from, first)
	}
	return from, to, complete, nil
}

func (v *View) history(ctx context.Context, l HistoryParams, fn func(*Event) error) (end HistoryPage, err error) {
	from, to, complete, err := v.span(ctx, l)
	if err != nil {
		return end, err
	}
	w, err := v.walkTo(ctx, l, to)
	if err != nil {
		return end, err
	}
	levels, err := w.revertAfter(ctx, to-1)
	if err != nil {
		return end, err
	}
	w.taken = 0
	for found := 0; ; {
		var event *Event
		var next int64
		for _, t := range levels {
			newest, err := w.newest(ctx, t)
			if err != nil {
				return end, err
			}
			next = max(next, newest)
		}
		if next < from {
			left, err := w.newest(ctx, w.own)
			end.Complete = complete || !w.own.there && left == 0
			return end, err
		}
		if event, levels, err = w.step(ctx, levels, next); err != nil {
			return end, err
		}
		end.Next = Cursor{Revision: next, Change: event.ID}
		event.Seen = slices.Contains(l.Kinds, event.Kind)
		if event.matches(l) {
			if err := fn(event); err != nil {
				return end, err
			}
			found++
		}
		if found == l.Limit || w.taken > maxHistoryRows {
			end.More = true
			v.q.store.walks.keep(w.stop(l, end.Next, v.pastRoom()))
			return end, nil
		}
	}
}

// revertAfter reverts all changes after a revision, and returns the object and the places that it inherited from then.
func (w *walker) revertAfter(ctx context.Context, revision int64) ([]*timeline, error) {
	w.at = min(w.at, revision)
	if err := w.revertFrom(ctx, w.own, w.at+1); err != nil {
		return nil, err
	}
	return w.chain(ctx)
}

// step reverts one revision of the levels. It returns the effect of that revision on the object, and the levels before
// it.
func (w *walker) step(ctx context.Context, levels []*timeline, revision int64) (*Event, []*timeline, error) {
	event := &Event{}
	var keys []string
	elsewhere := false // the object may have inherited from other places before
	for _, t := range levels {
		rows, err := w.rowsOf(ctx, t, revision)
		if err != nil {
			return nil, nil, err
		}
		for _, c := range rows {
			if event.Kind == "" {
				event.Change = c
				event.Before, event.After = "", ""
			}
			before, after, err := c.sides(t.e)
			if err != nil {
				return nil, nil, err
			}
			keys = append(append(keys, before.keys()...), after.keys()...)
			elsewhere = elsewhere || c.Action == Created || c.Action == Deleted || before.refers()
			if t == w.own {
				event.addKeyChange(t.e, &c)
			}
		}
	}
	if keys = sorted(keys); elsewhere || w.key != "" {
		keys = w.keys(levels, keys...)
	}
	now, columns, labels := w.resolved(levels, keys), maps.Clone(w.own.columns), w.own.labels
	w.at = revision - 1
	for _, t := range levels {
		if err := w.revertFrom(ctx, t, revision); err != nil {
			return nil, nil, err
		}
	}
	if elsewhere {
		var err error
		if levels, err = w.chain(ctx); err != nil {
			return nil, nil, err
		}
		keys = w.keys(levels, keys...)
	}
	err := w.compare(ctx, event, keys, w.resolved(levels, keys), now)
	event.fields(w.own.columns, columns)
	event.labels(w.own.labels, labels)
	return event, levels, err
}

// compare adds the variables that differ between two states to the event.
func (w *walker) compare(ctx context.Context, event *Event, keys []string, before, after map[string]*Value) error {
	for _, key := range keys {
		was, is := before[key], after[key]
		same, err := w.same(ctx, key, was, is)
		if err != nil {
			return err
		}
		if !same {
			event.Keys = append(event.Keys, Key{key, was, is})
		}
	}
	return nil
}

// fields adds the columns that differ between two states to the event, except updated_at.
func (e *Event) fields(before, after Values) {
	names := map[string]bool{}
	for name := range before {
		names[name] = true
	}
	for name := range after {
		names[name] = true
	}
	delete(names, "updated_at")
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if before[name] != after[name] {
			e.Fields = append(e.Fields, Field{name, shownAs(name, before[name]), shownAs(name, after[name])})
		}
	}
}

// shownAs converts a column's value in the log to the value in a [Row].
func shownAs(name string, v any) any {
	if n, ok := v.(int64); ok && strings.HasSuffix(name, "_at") {
		return Micros(n * 1e6)
	}
	return v
}

// addKeyChange adds a field to the event if a user's API key was created, deleted or replaced. Keys are not columns.
func (e *Event) addKeyChange(of *Entity, c *Change) {
	if of != Users {
		return
	}
	if strings.Contains(c.After, `"`+memberNewKey+`":true`) {
		e.Fields = append(e.Fields, Field{Name: memberNewKey, After: true})
	}
	if k, ok := keyIn(c.Before); ok {
		e.Fields = append(e.Fields, Field{Name: memberKey, Before: k.Name})
	}
	if k, ok := keyIn(c.After); ok {
		e.Fields = append(e.Fields, Field{Name: memberKey, After: k.Name})
	}
}

// memberNewKey is the member of a change in the log that marks the replacement of a user's first key.
const memberNewKey = "new_key"

func (e *Event) labels(before, after []string) {
	e.Labels, e.Labelled = [2][]string{before, after}, !slices.Equal(before, after)
}

// matches reports whether an event matches the parameters.
func (e *Event) matches(l HistoryParams) bool {
	if l.Key != "" {
		e.Fields, e.Labels, e.Labelled = nil, [2][]string{}, false
		e.Keys = slices.DeleteFunc(e.Keys, func(k Key) bool { return k.Name != l.Key })
	}
	switch {
	case len(e.Fields)+len(e.Keys) == 0 && !e.Labelled:
		return false
	case l.User != "" && (!e.Seen || e.User != l.User), l.Request != "" && (!e.Seen || e.Request != l.Request):
		return false
	}
	return true
}

// logBack reads the log itself, newest first. The event of each change only has its effect on the changed object.
func (v *View) logBack(ctx context.Context, sc Scope, l HistoryParams, fn func(*Event) error) (end HistoryPage, err error) {
	log, err := v.Log(ctx)
	if err != nil {
		return end, err
	}
	list := ChangesParams{
		Kinds: l.Kinds, User: l.User, Request: l.Request, Since: l.Since, Until: l.Until, Action: l.Action,
		back: true, before: l.Before, Limit: maxHistoryRows,
	}
	if l.Object.Kind != "" {
		list.Kinds = []string{l.Object.Kind}
	}
	if l.Key == "" && l.Name == "" {
		list.Limit = l.Limit
	}
	text, args, err := v.changes(ctx, sc, list)
	if err != nil {
		return end, err
	}
	found, looked := 0, 0
	if text != "" {
		var c Change
		err = c.each(ctx, v.q, text, args, func() error {
			looked++
			end.Next = c.Cursor()
			end.Next.Early = c.Revision <= log.Horizon
			if l.Name != "" && c.Path != l.Name && !strings.HasSuffix(c.Path, "/"+l.Name) {
				return nil
			}
			event, err := v.event(&c)
			if err != nil || !event.matches(l) {
				return err
			}
			if err := fn(event); err != nil {
				return err
			}
			if found++; found == l.Limit {
				return errEnough
			}
			return nil
		})
	}
	if err != nil && !errors.Is(err, errEnough) {
		return end, err
	}
	end.More = found == l.Limit || looked == list.Limit
	end.Complete = log.Horizon == 0
	if !end.More && l.Since > 0 {
		first, err := v.firstAt(ctx, l.Since)
		end.Complete = first == 0 || first > log.Horizon+1
		return end, err
	}
	return end, nil
}

// event returns the effect of a change on the changed object.
func (v *View) event(c *Change) (*Event, error) {
	e := entityOf(c.Kind)
	if e == nil {
		return nil, fmt.Errorf("revision %d of the change log has an object of the kind %q", c.Revision, c.Kind)
	}
	before, after, err := c.sides(e)
	if err != nil {
		return nil, err
	}
	event := &Event{Change: *c, Seen: true}
	event.Before, event.After = "", ""
	event.addKeyChange(e, c)
	event.fields(before.columns, after.columns)
	if before.labelled || after.labelled {
		event.labels(before.labels, after.labels)
	}
	from := Source{c.Kind, c.Object, c.Path[strings.LastIndexByte(c.Path, '/')+1:]}
	for _, key := range sorted(append(before.keys(), after.keys()...)) {
		was, keptBefore, wasThere := before.known(key)
		is, keptAfter, isThere := after.known(key)
		event.Keys = append(event.Keys, Key{key, v.valueOf(key, heldOf(was, keptBefore, wasThere), from), v.valueOf(key, heldOf(is, keptAfter, isThere), from)})
	}
	return event, nil
}

// DiffObject returns the difference between the states of an object at two revisions, or nil if there is none. The
// event has no revision and no author, only the effect and its action: [Created], [Deleted] or [Updated].
func (v *View) DiffObject(ctx context.Context, sc Scope, o Object, from, to int64) (*Event, error) {
	if err := v.checkExisted(ctx, sc, o); err != nil {
		return nil, err
	}
	event, err := v.diffObject(ctx, o, from, to)
	return event, v.viewTooLarge(err)
}

func (v *View) diffObject(ctx context.Context, o Object, from, to int64) (*Event, error) {
	w, err := v.walker(ctx, o, "")
	if err != nil {
		return nil, err
	}
	type state struct {
		there   bool
		columns Values
		labels  []string
		values  map[string]*Value
	}
	var states [2]state // the later state first
	var keys []string
	for i, at := range []int64{max(from, to), min(from, to)} {
		levels, err := w.revertAfter(ctx, at)
		if err != nil {
			return nil, err
		}
		all := allKeys(levels)
		keys = append(keys, all...)
		states[i] = state{w.own.there, maps.Clone(w.own.columns), w.own.labels, w.resolved(levels, all)}
	}
	before, after := &states[1], &states[0]
	if from > to {
		before, after = after, before
	}
	event := &Event{Change: Change{Kind: o.Kind, Object: o.ID, Action: actionBetween(before.there, after.there)}, Seen: true}
	event.Project, _ = cmp.Or(after.columns["project_id"], before.columns["project_id"]).(string)
	event.fields(before.columns, after.columns)
	event.labels(before.labels, after.labels)
	if err := w.compare(ctx, event, sorted(keys), before.values, after.values); err != nil {
		return nil, err
	}
	name := w.own.e.of.Title
	event.Path, _ = cmp.Or(after.columns[name], before.columns[name]).(string)
	if !event.matches(HistoryParams{}) {
		return nil, nil //nolint:nilnil // as documented: no difference
	}
	return event, nil
}

// actionBetween returns the action that leads from one state of an object to another, by whether it exists in them.
func actionBetween(was, is bool) string {
	switch {
	case !was:
		return Created
	case !is:
		return Deleted
	}
	return Updated
}
