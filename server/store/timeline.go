package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// maxHistoryBytes is the maximum memory for past states of an object: for its own variables and those that it inherits.
const maxHistoryBytes = 64 << 20

// Limits for reading the changes of an object: the number of rows increases from minLogRows to maxLogRows, unless they
// have more than maxLogBytes.
const (
	minLogRows  = 8
	maxLogRows  = 128
	maxLogBytes = 256 << 10
)

// In a walk for one variable, the database skips unrelated changes: up to passedRows rows of an object at once.
// Skipping passedShare rows costs as much as reverting one change.
const (
	passedRows  = 16 << 10
	passedShare = 16
)

// timeline is the state of one object at a revision, which can only decrease.
type timeline struct {
	Object
	e       *Entity
	there   bool
	columns Values // without nulls, and without columns that are not in the log
	labels  []string
	own     map[string]held

	ahead []Change // changes that have been read but not reverted, newest first
	last  bool     // there are no more changes to read
	next  Cursor   // where to continue reading
	rows  int      // number of rows to read next
	begin int64    // with a key: the revision down to which rows are skipped; negative for all, 0 if not known yet
}

// held is the value of a variable, or only its hash.
type held struct {
	text string // JSON: the value, or its hash if the log does not have the value
	kept bool
}

// walker follows an object and the places that it inherits from back in time.
type walker struct {
	q      *session
	key    string // the only variable to follow; "" for all
	at     int64
	room   memoryBudget
	own    *timeline
	open   map[Object]*timeline
	device map[int64]string // kinds of devices, by id
	taken  int              // number of reverted changes
}

// walker returns a walker that begins with the object's state in the view. If key is not empty, it only follows this
// variable.
func (v *View) walker(ctx context.Context, o Object, key string) (*walker, error) {
	w, err := v.newWalker(ctx, key)
	if err != nil {
		return nil, err
	}
	w.own, err = w.level(ctx, o)
	return w, v.viewTooLarge(err)
}

// newWalker returns a walker without an object.
func (v *View) newWalker(ctx context.Context, key string) (*walker, error) {
	log, err := v.Log(ctx)
	if err != nil {
		return nil, err
	}
	return &walker{q: v.q, key: key, at: log.Newest.Revision, room: v.pastRoom(), open: map[Object]*timeline{}, device: map[int64]string{}}, nil
}

// pastRoom returns the memory that the view may use for past states of an object.
func (v *View) pastRoom() memoryBudget {
	if v.all {
		return maxHistoryBytes
	}
	return memoryBudget(v.budget)
}

// viewTooLarge converts [errMemory] to an error for the view's caller.
func (v *View) viewTooLarge(err error) error {
	switch {
	case !errors.Is(err, errMemory):
		return err
	case !v.all:
		return ErrViewTooLarge
	}
	return refuse(TimedOut, "This object and the places that it inherits from have more than %d MiB of variables, which is too much to read their history.", maxHistoryBytes>>20)
}

// level returns the timeline of an object, at the walker's revision.
func (w *walker) level(ctx context.Context, o Object) (*timeline, error) {
	t := w.open[o]
	if t == nil {
		t = &timeline{Object: o, e: entityOf(o.Kind), own: map[string]held{}, rows: minLogRows}
		w.open[o] = t
		if err := w.present(ctx, t); err != nil {
			return nil, err
		}
	}
	return t, w.revertFrom(ctx, t, w.at+1)
}

// present reads the current state of the object.
func (w *walker) present(ctx context.Context, t *timeline) error {
	key, ok := t.e.parseID(t.ID)
	if !ok {
		return nil
	}
	row, err := w.q.get(ctx, t.e, Scope{All: true}, key, unlocked)
	if IsCode(err, NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	t.there, t.columns = true, Values{}
	for i, c := range t.e.Columns {
		if row[i] != nil && c.shown() {
			t.columns[c.Name] = stored(row[i])
		}
	}
	if t.e.owner != 0 {
		sets, err := w.q.ownVariables(ctx, t.e, []any{key}, &w.room)
		if err != nil {
			return err
		}
		for _, v := range sets[key] {
			t.own[v.Name] = held{v.Value, true}
		}
	}
	if t.e.IsDevice() {
		labels, err := w.q.labels(ctx, t.e, []Row{row})
		if err != nil {
			return err
		}
		t.labels = labels[0]
	}
	return nil
}

// rowsOf returns the changes of a revision, which must be the newest one that is not reverted.
func (w *walker) rowsOf(ctx context.Context, t *timeline, revision int64) ([]Change, error) {
	for n := 0; ; n++ {
		switch {
		case n < len(t.ahead) && t.ahead[n].Revision == revision:
		case n < len(t.ahead) || t.last:
			return t.ahead[:n], nil
		default:
			if err := w.read(ctx, t); err != nil {
				return nil, err
			}
			n--
		}
	}
}

// newest returns the revision of the newest change that is not reverted, or 0 if there is none.
func (w *walker) newest(ctx context.Context, t *timeline) (int64, error) {
	if len(t.ahead) == 0 && !t.last {
		if err := w.read(ctx, t); err != nil {
			return 0, err
		}
	}
	if len(t.ahead) == 0 {
		return 0, nil
	}
	return t.ahead[0].Revision, nil
}

// read reads more of the log.
func (w *walker) read(ctx context.Context, t *timeline) error {
	c := w.q.conditions()
	c.equal("kind", t.Kind, true)
	c.equal("object_id", t.ID, true)
	if t.next != (Cursor{}) {
		c.add("(revision, n) < (?, ?)", t.next.Revision, t.next.N)
	}
	if w.key != "" {
		if err := w.skipUnchanged(ctx, t, &c); err != nil {
			return err
		}
	}
	rows := max(1, min(t.rows, maxLogRows*maxAncestorQueries/len(w.open)))
	var x Change
	size, had := 0, len(t.ahead)
	err := x.each(ctx, w.q, "SELECT "+changeColumns+" FROM changes"+c.String()+" ORDER BY revision DESC, n DESC LIMIT ?", append(c.args, rows), func() error {
		t.ahead = append(t.ahead, x)
		if size += len(x.Before) + len(x.After); size > maxLogBytes {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	all := err == nil && len(t.ahead)-had < rows
	t.last = all && t.begin <= 0
	if n := len(t.ahead); all && t.begin > 0 {
		t.next = Cursor{Revision: t.begin}
	} else if n > 0 {
		t.next = t.ahead[n-1].Cursor()
	}
	t.rows = min(4*t.rows, maxLogRows)
	return nil
}

// skipUnchanged adds conditions that skip updates of the object which change neither the followed variable, nor a
// reference to a place, nor the object's name. Variables and columns are JSON members in the sides of a change. The
// number of rows that a statement may skip is limited, and the last of them is not skipped, so that reading can
// continue there.
func (w *walker) skipUnchanged(ctx context.Context, t *timeline, c *conditions) error {
	if t.begin == 0 || t.next == (Cursor{Revision: t.begin}) {
		err := w.q.row(ctx, "SELECT revision FROM changes"+c.String()+" ORDER BY revision DESC, n DESC LIMIT 1 OFFSET ?", append(slices.Clone(c.args), w.q.store.passed-1), &t.begin)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			t.begin = -1
		case err != nil:
			return err
		}
		w.taken += w.q.store.passed / passedShare
	}
	contains := w.q.dialect().Contains
	variable := string(jsontext.AppendString(nil, w.key)) + ":"
	c.add("revision >= ?", t.begin)
	c.add("(revision = ? OR action <> ? OR "+contains("after")+" OR "+contains("before")+" OR "+contains("before")+" OR "+contains("before")+")",
		t.begin, Updated, variable, variable, referring+`":`, `"`+t.e.of.Title+`":`)
	return nil
}

// referring is the suffix of columns that refer to other objects.
const referring = "_id"

// revertFrom reverts all changes from a revision on, newest first.
func (w *walker) revertFrom(ctx context.Context, t *timeline, revision int64) error {
	for {
		newest, err := w.newest(ctx, t)
		if err != nil || newest < revision {
			return err
		}
		before, after, err := t.ahead[0].sides(t.e)
		if err != nil {
			return err
		}
		if err := w.revert(t, &t.ahead[0], &before, &after); err != nil {
			return err
		}
		t.ahead = t.ahead[1:]
		w.taken++
	}
}

func (w *walker) revert(t *timeline, c *Change, before, after *facts) error {
	if c.Action == Created || c.Action == Deleted {
		for key := range t.own {
			w.drop(t, key)
		}
		t.there, t.columns, t.labels = c.Action == Deleted, Values{}, nil
	}
	if c.Action == Created {
		return nil
	}
	for name, v := range before.columns {
		if v == nil {
			delete(t.columns, name)
		} else {
			t.columns[name] = v
		}
	}
	if before.labelled {
		t.labels = before.labels
	}
	for _, key := range after.keys() {
		w.drop(t, key)
	}
	for i, set := range [][]Variable{before.variables, before.hashed} {
		for _, v := range set {
			if err := w.set(t, v, i == 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// set sets a variable of a timeline. It copies the variable, so that the memory of the row can be freed.
func (w *walker) set(t *timeline, v Variable, kept bool) error {
	w.drop(t, v.Name)
	t.own[strings.Clone(v.Name)] = held{strings.Clone(v.Value), kept}
	return w.room.take(len(v.Name) + len(v.Value) + perVariable)
}

func (w *walker) drop(t *timeline, key string) {
	if h, ok := t.own[key]; ok {
		delete(t.own, key)
		w.room += memoryBudget(len(key) + len(h.text) + perVariable)
	}
}

// chain returns the object and the places that it inherited from at the walker's revision, nearest first.
func (w *walker) chain(ctx context.Context) (levels []*timeline, err error) {
	if !w.own.there {
		return []*timeline{w.own}, nil
	}
	seen := map[*timeline]bool{w.own: true}
	up := func(of *timeline, key string) (*timeline, bool) {
		id := of.columns[key]
		if id == nil || err != nil {
			return nil, false
		}
		o := Object{ID: idText(id)}
		if o.Kind, err = w.kindOf(ctx, of.e, key, id); err != nil || o.Kind == "" {
			return nil, false
		}
		var above *timeline
		if above, err = w.level(ctx, o); err != nil || !above.there || seen[above] {
			return nil, false
		}
		seen[above] = true
		return above, true
	}
	for t := range hierarchy.Levels(w.own.e.of, w.own, up) {
		levels = append(levels, t)
	}
	return levels, err
}

// kindOf returns the kind of a referenced object, or "" if it cannot be determined.
func (w *walker) kindOf(ctx context.Context, e *Entity, key string, id any) (string, error) {
	if key == "project_id" {
		return schema.Project.Name, nil
	}
	to := e.of.Field(key).To
	if len(to) == 1 {
		return to[0], nil
	}
	n, _ := id.(int64)
	if kind, known := w.device[n]; known {
		return kind, nil
	}
	var kind string
	err := w.q.row(ctx, "SELECT type FROM devices WHERE id = ?", []any{n}, &kind)
	switch {
	case errors.Is(err, sql.ErrNoRows): // the device was deleted
		err = w.q.row(ctx, "SELECT kind FROM changes WHERE kind IN (?, ?) AND object_id = ? LIMIT 1", []any{schema.Host.Name, schema.NetworkDevice.Name, strconv.FormatInt(n, 10)}, &kind)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
	default:
		kind = deviceKind(kind)
	}
	w.device[n] = kind
	return kind, err
}

// Source is the object that a value comes from, with its name at that time.
type Source struct{ Kind, ID, Name string }

// Value is the value of a variable, and the object that it comes from.
type Value struct {
	Text string // JSON; "" if the log does not have it
	From Source
	held
	of *timeline
}

// resolved returns the resolved values of those variables that exist.
func (w *walker) resolved(levels []*timeline, keys []string) map[string]*Value {
	found := make(map[string]*Value, len(keys))
	for _, key := range keys {
		for _, t := range levels {
			h, ok := t.own[key]
			if !ok {
				continue
			}
			v := &Value{From: t.source(), held: h, of: t}
			if h.kept && !w.q.store.conceals(key) {
				v.Text = h.text
			}
			found[key] = v
			break
		}
	}
	return found
}

func (t *timeline) source() Source {
	name, _ := t.columns[t.e.of.Title].(string)
	return Source{t.Kind, t.ID, name}
}

// keys returns the sorted names of all variables of the levels, and more. If the walker follows a single variable, it
// only returns that one.
func (w *walker) keys(levels []*timeline, more ...string) []string {
	if w.key != "" {
		return []string{w.key}
	}
	return allKeys(levels, more...)
}

// allKeys returns the sorted names of all variables of the levels, and more.
func allKeys(levels []*timeline, more ...string) []string {
	keys := map[string]bool{}
	for _, key := range more {
		keys[key] = true
	}
	for _, t := range levels {
		for key := range t.own {
			keys[key] = true
		}
	}
	all := make([]string, 0, len(keys))
	for key := range keys {
		all = append(all, key)
	}
	slices.Sort(all)
	return all
}

// same reports whether two values are equal. Hashes from different objects cannot be compared, and count as different.
func (w *walker) same(ctx context.Context, key string, a, b *Value) (bool, error) {
	switch {
	case a == nil || b == nil:
		return a == b, nil
	case a.kept && b.kept:
		return a.text == b.text, nil
	case a.of != b.of:
		return false, nil
	}
	for _, v := range []*Value{a, b} {
		if v.kept {
			hash, err := w.q.hash(ctx, v.of.Kind, v.of.ID, Variable{Name: key, Value: v.text})
			if err != nil {
				return false, err
			}
			v.held = held{`"` + hash + `"`, false}
		}
	}
	return a.text == b.text, nil
}

// refers reports whether a side of a change contains a reference to another object.
func (f *facts) refers() bool {
	for name := range f.columns {
		if strings.HasSuffix(name, referring) {
			return true
		}
	}
	return false
}
