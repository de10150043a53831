package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/server/store/engine"
)

// Undo says what [Store.Undo] takes back, and how.
type Undo struct {
	At      Cursor // the write with this revision; without a change whatever has it
	Request string // instead: everything that a request has done
	Force   bool   // also what was changed since, as if it had not been
	Omit    bool   // leave values alone that the log does not have
	Check   bool   // do nothing, only tell

	// May refuses what the caller may not do to an object of a kind: one of
	// [Created], [Updated], [Deleted] and [Moved].
	May func(kind, action string) error
}

// Undone is what an undo does.
type Undone struct {
	Of        []Change // the writes that are taken back, the newest first: each without its objects
	At        Cursor   // the write that does it; zero if nothing was done
	Counts    map[string]int
	Steps     []UndoStep // the first of them
	Conflicts []string   // what was changed since; the first of them
	More      int        // conflicts that are not told
	Left      []string   // what cannot be taken back, and stays as it is
}

// UndoStep is what is done to an object: [Created] brings it back.
type UndoStep struct {
	Action, Kind, Object, Path string
	Fields, Keys               []string // that change; of an update or a move
	Labels                     bool     // they change
}

// How much an answer tells of an undo.
const (
	toldSteps     = 500
	toldConflicts = 50
)

// What keeps an undo from being done is one of these, beside the refusals of
// writes.
var (
	errChecked    = &Error{Code: Changed, Message: "it was only to be checked"}
	errConflicted = &Error{Code: Changed, Message: "it was changed since"}
)

// Undo takes a write back, in one transaction: what it made is deleted, what it
// deleted is there again with its id, labels, variables, parents and interfaces,
// and what it changed is as it was before; only that: other fields, variables
// and labels of the same objects stay as they are now.
//
// It is a write like others, and can be undone itself. What was changed since is
// in the way, and the undo is refused as [Changed], with all of it in
// Undone.Conflicts, unless it is forced. [NotFound] if there is no such write
// in the scope, [Unreached] if the log no longer has it, [Unkept] for values of
// which it has only a hash, [Conflict] for a name that something else has now,
// [InUse] for what something else needs now.
func (s *Store) Undo(ctx context.Context, sc Scope, u Undo) (*Undone, error) {
	var done *Undone
	err := s.writeLong(ctx, func(ctx context.Context, q *session) error {
		w := &undoing{session: q, sc: sc, Undo: u, done: &Undone{Counts: map[string]int{}}, coming: map[rowKey]bool{}}
		done = w.done
		q.checked = map[referentKey]*scanner{}
		if err := w.run(ctx); err != nil {
			return err
		}
		switch {
		case u.Check:
			return errChecked
		case len(done.Conflicts) > 0 && !u.Force:
			return errConflicted
		}
		if len(done.Steps) == 0 {
			return nil
		}
		if err := q.flush(ctx); err != nil {
			return err
		}
		done.At = Cursor{Revision: q.log.revision, Change: q.log.change}
		return nil
	})
	switch {
	case errors.Is(err, errChecked), errors.Is(err, errConflicted) && u.Check:
		return done, nil
	case errors.Is(err, errConflicted):
		return done, refuse(Changed, "%s", done.conflict())
	case errors.Is(err, engine.ErrUnique):
		return done, s.taken(ctx, done.Of)
	}
	return done, err
}

// conflict is what a refusal says of conflicts.
func (d *Undone) conflict() string {
	const few = 5
	some := d.Conflicts[:min(few, len(d.Conflicts))]
	text := "It was changed since: " + strings.Join(some, "; ")
	if more := len(d.Conflicts) - len(some) + d.More; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text + ". Nothing was undone."
}

// undoing is an undo under way.
type undoing struct {
	*session
	sc Scope
	Undo
	done    *Undone
	project string          // the last that was found to be there
	coming  map[rowKey]bool // what is brought back, and whether it is there already
	orphans []orphan        // in the order in which they came back
}

// rowKey names a row of a table.
type rowKey struct {
	table string
	id    any
}

// orphan is an object that is there again before what it refers to: a device
// before its parent, an interface before its network.
type orphan struct {
	e      *Entity
	row    Row
	column string
	to     any
}

func (w *undoing) run(ctx context.Context) error {
	revisions, err := w.revisions(ctx)
	if err != nil {
		return err
	}
	if who := &w.log.actor; who.Message == "" {
		who.Message = "undo of revision " + revisions[0].Cursor().String()
		if w.Request != "" {
			who.Message = "undo of the request " + w.Request
		}
	}
	for _, r := range revisions {
		if w.done.Of = append(w.done.Of, r.Change); r.moved {
			clear(w.checked)
		}
		if err := w.expectAll(ctx, r.Revision); err != nil {
			return err
		}
		err := (&View{q: w.session}).changesOf(ctx, r.Revision, !r.moved, func(some []Change) error { return w.some(ctx, some) })
		if err != nil {
			return err
		}
	}
	for _, o := range w.orphans {
		if err := w.adopt(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// adopt has an object refer to what is there by now.
func (w *undoing) adopt(ctx context.Context, o orphan) error {
	at := o.e.Index(o.column)
	with := slices.Clone(o.row)
	with[at] = o.to
	err := w.later(ctx, "UPDATE "+o.e.Table+" SET "+o.column+" = ? WHERE "+o.e.key+" = ?", []any{o.to, o.row[o.e.Index(o.e.key)]})
	if err != nil {
		return err
	}
	return w.recordUpdate(ctx, Updated, o.e, o.row, with)
}

// expectAll remembers what a revision has deleted.
func (w *undoing) expectAll(ctx context.Context, revision int64) (err error) {
	var kind, object string
	return w.each(ctx, "SELECT kind, object_id FROM changes WHERE revision = ? AND action = ?", []any{revision, Deleted}, []any{&kind, &object}, func() {
		if e := entityOf(kind); e != nil {
			if id, ok := e.parseID(object); ok {
				w.coming[rowKey{e.Table, id}] = false
			}
		}
	})
}

// undoneRevision is one that is taken back. What a move has moved is moved back
// from the outside in, as it was moved: a cell before what is in it.
type undoneRevision struct {
	Change
	moved bool
}

// changesOf calls fn with the changes of a revision, some at a time.
func (v *View) changesOf(ctx context.Context, revision int64, backward bool, fn func([]Change) error) error {
	text, n := "SELECT kind, object_id, project_id, path, action, n, COALESCE(before, ''), COALESCE(after, '') FROM changes WHERE revision = ? AND n > ? ORDER BY n LIMIT ?", int64(0)
	if backward {
		text, n = strings.NewReplacer("n > ?", "n < ?", "ORDER BY n", "ORDER BY n DESC").Replace(text), 1<<62
	}
	for {
		c := Change{Revision: revision}
		var some []Change
		room := heldWhole
		err := v.q.eachUntil(ctx, text, []any{revision, n, pastRows}, []any{&c.Kind, &c.Object, &c.Project, &c.Path, &c.Action, &c.N, &c.Before, &c.After}, func() error {
			some = append(some, c)
			if room -= len(c.Before) + len(c.After); room < 0 {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) || len(some) == 0 {
			return err
		}
		if err := fn(some); err != nil {
			return err
		}
		n = some[len(some)-1].N
	}
}

// revisions are those that are to be taken back, the newest first. All of their
// changes must be in the scope: nobody undoes what they cannot see.
func (w *undoing) revisions(ctx context.Context) (all []undoneRevision, err error) {
	v := &View{q: w.session}
	var horizon int64
	if err := w.row(ctx, "SELECT horizon FROM log", nil, &horizon); err != nil {
		return nil, err
	}
	c := w.conditions()
	if w.Request != "" {
		c.add("request_id = ?", w.Request)
		c.add("revision > ?", horizon)
	} else {
		at, err := v.moment(ctx, w.At.Revision, w.At.Change)
		switch {
		case err != nil:
			return nil, err
		case at.Revision == 0:
			return nil, errNotFound
		case at.Revision <= horizon:
			return nil, v.unreached(ctx, horizon)
		}
		c.add("revision = ?", at.Revision)
	}
	var at undoneRevision
	var kind, project, action string
	var own, foreign bool
	err = w.eachUntil(ctx, "SELECT DISTINCT revision, change, at, user_name, request_id, message, kind, project_id, action FROM changes"+c.String()+" ORDER BY revision DESC", c.args,
		[]any{&at.Revision, &at.ID, &at.At, &at.User, &at.Request, &at.Message, &kind, &project, &action}, func() error {
			if !w.sc.All && project != w.sc.Project {
				foreign = true
				return nil
			}
			own, at.moved = true, action == Moved
			if !slices.Contains(all, at) {
				all = append(all, at)
			}
			return w.May(kind, inverse[action])
		})
	switch {
	case err != nil:
		return nil, err
	case !own && w.Request != "":
		return nil, refuse(NotFound, "The change log has nothing of the request %q behind revision %d. `craton history` shows what it has.", w.Request, horizon)
	case !own:
		return nil, errNotFound
	case foreign:
		return nil, refuse(Denied, "it also changed another project")
	}
	return all, nil
}

// inverse is what takes an action back.
var inverse = map[string]string{Created: Deleted, Deleted: Created, Updated: Updated, Moved: Moved}

// some takes some changes back, which come newest first.
func (w *undoing) some(ctx context.Context, changes []Change) error {
	there, err := w.there(ctx, changes)
	if err != nil {
		return err
	}
	for i := range changes {
		c := &changes[i]
		e := entityOf(c.Kind)
		if e == nil {
			return fmt.Errorf("the change log has the kind %q", c.Kind)
		}
		before, after, err := c.sides(e)
		if err != nil {
			return err
		}
		id, ok := e.parseID(c.Object)
		if !ok {
			return fmt.Errorf("the change log has a %s with the id %q", c.Kind, c.Object)
		}
		s := &undoStep{undoing: w, Change: c, e: e, id: id, before: &before, after: &after}
		switch c.Action {
		case Deleted:
			err = s.bringBack(ctx, there[Object{c.Kind, c.Object}])
		case Created:
			err = s.takeAway(ctx)
		default:
			err = s.change(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// there are those of the objects that changes deleted which are there.
func (w *undoing) there(ctx context.Context, changes []Change) (map[Object]bool, error) {
	ids := map[*Entity][]any{}
	for _, c := range changes {
		if e := entityOf(c.Kind); c.Action == Deleted && e != nil {
			if id, ok := e.parseID(c.Object); ok {
				ids[e] = append(ids[e], id)
			}
		}
	}
	there := map[Object]bool{}
	for e, some := range ids {
		list, args := in(nil, some)
		var id any
		err := w.each(ctx, "SELECT "+e.key+" FROM "+e.Table+" WHERE "+e.key+" IN "+list, args, []any{&id}, func() {
			if text, ok := id.([]byte); ok {
				id = string(text)
			}
			there[Object{e.of.Name, idText(id)}] = true
		})
		if err != nil {
			return nil, err
		}
	}
	return there, nil
}

// undoStep takes one change back.
type undoStep struct {
	*undoing
	*Change
	e             *Entity
	id            any
	before, after *facts
}

func (s *undoStep) String() string { return s.e.Name + " " + s.Path }

// conflict notes that something is not as the change has left it.
func (s *undoStep) conflict(format string, args ...any) {
	if d := s.done; len(d.Conflicts) < toldConflicts {
		d.Conflicts = append(d.Conflicts, s.String()+" "+fmt.Sprintf(format, args...))
	} else {
		d.More++
	}
}

// left notes what stays as it is.
func (s *undoStep) left(format string, args ...any) {
	if d := s.done; len(d.Left) < toldConflicts {
		d.Left = append(d.Left, s.String()+": "+fmt.Sprintf(format, args...))
	}
}

// does counts what is done.
func (s *undoStep) does(step UndoStep) {
	s.done.Counts[step.Action]++
	if step.Kind, step.Object, step.Path = s.Kind, s.Object, s.Path; len(s.done.Steps) < toldSteps {
		s.done.Steps = append(s.done.Steps, step)
	}
}

// unkept refuses values that the log does not have, or leaves them alone.
func (s *undoStep) unkept() error {
	if len(s.before.hashed) == 0 {
		return nil
	}
	var keys []string
	for _, v := range s.before.hashed {
		keys = append(keys, v.Name)
	}
	if !s.Omit {
		return (&past{at: Cursor{Revision: s.Revision - 1}}).refuse(" of the "+s.String(), keys)
	}
	s.left("the change log does not have what was in %s", strings.Join(keys, ", "))
	// What is not known to have been there is not taken away either.
	s.after.variables = slices.DeleteFunc(s.after.variables, func(v Variable) bool { return slices.Contains(keys, v.Name) })
	s.after.hashed = slices.DeleteFunc(s.after.hashed, func(v Variable) bool { return slices.Contains(keys, v.Name) })
	s.before.hashed = nil
	return nil
}

// bringBack brings an object back that was deleted.
func (s *undoStep) bringBack(ctx context.Context, there bool) error {
	if there {
		s.conflict("is there again")
		return errConflicted // it cannot be made twice
	}
	if err := s.unkept(); err != nil {
		return err
	}
	values := s.before.columns
	if err := s.checkProject(ctx); err != nil {
		return err
	}
	unsure := maps.Clone(values)
	var orphans []orphan
	for _, r := range s.e.refs {
		to := values[r.column]
		if to == nil || r.agree != nil { // places come back before what is in them
			continue
		}
		there, comes := s.coming[rowKey{r.to.Table, to}]
		if comes {
			delete(unsure, r.column)
		}
		if comes && !there {
			values[r.column] = nil
			orphans = append(orphans, orphan{s.e, nil, r.column, to})
		}
	}
	if err := s.checkRefs(ctx, s.e, values, unsure); err != nil {
		return s.because("cannot come back", err)
	}
	if s.e == Users {
		if values["is_root"] == true && !s.sc.All {
			return refuse(Denied, "only a root user may bring a root user back")
		}
		var b [32]byte
		rand.Read(b[:])
		values["key_hash"] = hex.EncodeToString(b[:]) // of no key
		s.left("its API key is not kept, and without one it cannot sign in: delete it and create it again for a new one")
	}
	if s.e.Kind != "" {
		values["type"] = s.e.Kind
	}
	if err := s.restore(ctx, s.e, s.id, s.before); err != nil {
		return err
	}
	row := make(Row, len(s.e.Columns))
	for i, c := range s.e.Columns {
		row[i] = values[c.Name]
		if at, ok := row[i].(int64); ok && c.Type == Time {
			row[i] = Micros(at * 1e6)
		}
	}
	for _, o := range orphans {
		if o.row == nil {
			o.row = row.own()
		}
		s.orphans = append(s.orphans, o)
	}
	s.coming[rowKey{s.e.Table, s.id}] = true
	if s.e.IsDevice() {
		if err := s.remember(ctx, row); err != nil {
			return err
		}
	}
	s.does(UndoStep{Action: Created})
	return s.recordNew(ctx, s.e, row, s.before.variables, s.before.labels)
}

// checkProject refuses what belonged to a project that is gone.
func (s *undoStep) checkProject(ctx context.Context) error {
	if s.e == Projects || s.Project == s.project {
		return nil
	}
	_, err := s.get(ctx, Projects, Scope{All: true}, s.Project, shared)
	if IsCode(err, NotFound) {
		return refuse(Invalid, "The %s cannot come back: its project %s is gone. Nothing was undone.", s, s.Project)
	}
	s.project = s.Project
	return err
}

// remember keeps what a device is called, for its interfaces, which come next.
func (s *undoStep) remember(ctx context.Context, row Row) error {
	if len(s.log.devices) > pastRows {
		s.log.devices = nil
	}
	if s.log.devices == nil {
		s.log.devices = map[any]named{}
	}
	name, err := s.named(ctx, s.e, row)
	if err == nil {
		err = s.resolve(ctx, &name)
	}
	s.log.devices[s.id] = name
	return err
}

// own is the row without the text that it was read from.
func (r Row) own() Row {
	own := slices.Clone(r)
	for i, v := range own {
		if text, ok := v.(string); ok {
			own[i] = strings.Clone(text)
		}
	}
	return own
}

// takeAway deletes an object that was made.
func (s *undoStep) takeAway(ctx context.Context) error {
	row, err := s.get(ctx, s.e, Scope{All: true}, s.id, removing)
	if IsCode(err, NotFound) {
		s.conflict("is not there any more")
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.compare(ctx, row); err != nil {
		return err
	}
	if err := s.withContents(ctx); err != nil {
		return err
	}
	if len(s.done.Conflicts) > 0 && !s.Force && !s.Check {
		return nil // what is in it need not be looked at
	}
	s.does(UndoStep{Action: Deleted})
	return s.because("", s.delete(ctx, s.e, s.sc, row))
}

// withContents is a conflict for what has been put into a container since.
func (s *undoStep) withContents(ctx context.Context) error {
	column, inside := s.e.contents()
	if s.e.IsDevice() {
		column, inside = "device_id", []*Entity{NetworkInterfaces}
	}
	for _, inner := range inside {
		var n int
		if err := s.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM "+inner.Table+" WHERE "+column+" = ? LIMIT 1000) one", []any{s.id}, &n); err != nil {
			return err
		}
		if n > 0 {
			s.conflict("has %s in it now", counted(n, inner))
		}
	}
	return nil
}

func counted(n int, e *Entity) string {
	switch n {
	case 1:
		return "a " + e.Name
	case 1000:
		return "1000 or more " + e.of.List
	}
	return strconv.Itoa(n) + " " + strings.ReplaceAll(e.Table, "_", " ")
}

// change gives an object back what a change has taken from it.
func (s *undoStep) change(ctx context.Context) error {
	hold := changing
	if s.Action == Moved {
		hold = removing
	}
	row, err := s.get(ctx, s.e, Scope{All: true}, s.id, hold)
	if IsCode(err, NotFound) {
		s.conflict("is not there any more")
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.unkept(); err != nil {
		return err
	}
	if err := s.compare(ctx, row); err != nil {
		return err
	}
	step := UndoStep{Action: s.Action}
	if err := s.changeColumns(ctx, row, &step); err != nil {
		return err
	}
	if err := s.changeLabels(ctx, row, &step); err != nil {
		return err
	}
	if err := s.changeVariables(ctx, row, &step); err != nil {
		return err
	}
	if step.Fields != nil || step.Keys != nil || step.Labels {
		s.does(step)
	} else if s.e == Users && s.Action == Updated {
		s.left("the API key that it had before is not kept")
	}
	return nil
}

func (s *undoStep) changeColumns(ctx context.Context, row Row, step *UndoStep) error {
	e := s.e
	set := Values{}
	moved := slices.Clone(row)
	touched := false
	for i, c := range e.Columns {
		v, ok := s.before.columns[c.Name]
		if !ok || c.Name == "updated_at" || v == row[i] {
			continue
		}
		set[c.Name], moved[i] = v, v
		step.Fields = append(step.Fields, c.Name)
		touched = touched || !slices.Contains(e.quiet, c.Name)
	}
	if len(set) == 0 {
		return nil
	}
	whole := Values{}
	for i, c := range e.Columns {
		whole[c.Name] = moved[i]
	}
	if err := s.checkParent(ctx, e, row, set); err != nil {
		return s.because("cannot be as it was", err)
	}
	if err := s.checkRefs(ctx, e, whole, set); err != nil {
		return s.because("cannot be as it was", err)
	}
	if touched {
		at := s.store.now().Unix()
		set["updated_at"], moved[e.Index("updated_at")] = at, Micros(at*1e6)
	}
	if err := s.setColumns(ctx, e, s.id, set); err != nil {
		return err
	}
	return s.recordUpdate(ctx, s.Action, e, row, moved)
}

func (s *undoStep) changeLabels(ctx context.Context, row Row, step *UndoStep) error {
	if !s.before.labelled {
		return nil
	}
	now, err := s.labels(ctx, s.e, []Row{row})
	if err != nil {
		return err
	}
	// Those that the change has added go, those that it has taken come back.
	want := slices.DeleteFunc(slices.Clone(now[0]), func(l string) bool {
		return slices.Contains(s.after.labels, l) && !slices.Contains(s.before.labels, l)
	})
	for _, l := range s.before.labels {
		if !slices.Contains(s.after.labels, l) {
			want = append(want, l)
		}
	}
	if want = sorted(want); slices.Equal(want, now[0]) {
		return nil
	}
	step.Labels = true
	if err := s.setLabels(ctx, s.id, want); err != nil {
		return err
	}
	return s.recordLabels(ctx, s.e, row, now[0], want)
}

func (s *undoStep) changeVariables(ctx context.Context, row Row, step *UndoStep) error {
	if len(s.before.variables)+len(s.after.variables)+len(s.after.hashed) == 0 {
		return nil
	}
	own, err := s.variablesOf(ctx, row)
	if err != nil {
		return err
	}
	owner := row[s.e.Index(s.e.ownerID)]
	var old, now hierarchy.Variables
	for _, v := range s.before.variables {
		if is, there := find(own, v.Name); !there || own[is].Value != v.Value {
			now = append(now, v)
		}
	}
	for _, key := range s.after.keys() {
		_, _, was := s.before.known(key)
		if at, there := find(own, key); there && !was {
			old = append(old, own[at])
			if err := s.exec(ctx, "DELETE FROM variables WHERE owner_kind = ? AND owner_id = ? AND key = ?", []any{s.e.owner, owner, key}); err != nil {
				return err
			}
		}
	}
	old = append(old, picked(own, now)...)
	if len(old)+len(now) == 0 {
		return nil
	}
	if err := s.setVariables(ctx, s.e, owner, now); err != nil {
		return err
	}
	for _, set := range []hierarchy.Variables{old, now} {
		for _, v := range set {
			step.Keys = append(step.Keys, v.Name)
		}
	}
	step.Keys = sorted(step.Keys)
	return s.recordVariables(ctx, s.e, row, byKey(old), now)
}

// variablesOf are the own variables of an object, by key.
func (s *undoStep) variablesOf(ctx context.Context, row Row) (own hierarchy.Variables, err error) {
	var v Variable
	err = s.session.each(ctx, "SELECT key, value FROM variables WHERE owner_kind = ? AND owner_id = ?",
		[]any{s.e.owner, row[s.e.Index(s.e.ownerID)]}, []any{&v.Name, &v.Value}, func() { own = append(own, v) })
	return byKey(own), err
}

// compare notes what is not as the change has left it.
func (s *undoStep) compare(ctx context.Context, row Row) error {
	for i, c := range s.e.Columns {
		want, told := s.after.columns[c.Name]
		if s.Action == Created {
			told = c.shown()
		}
		if is := stored(row[i]); told && c.Name != "updated_at" && is != want {
			s.conflict("has the %s %s, not %s", c.Name, shownText(is), shownText(want))
		}
	}
	if s.e.IsDevice() && (s.after.labelled || s.Action == Created) {
		now, err := s.labels(ctx, s.e, []Row{row})
		if err != nil {
			return err
		}
		for _, l := range s.after.labels {
			if !slices.Contains(s.before.labels, l) && !slices.Contains(now[0], l) {
				s.conflict("has lost the label %s", l)
			}
		}
		for _, l := range now[0] {
			switch {
			case slices.Contains(s.after.labels, l):
			case s.Action == Created:
				s.conflict("has the label %s now", l)
			case slices.Contains(s.before.labels, l):
				s.conflict("has the label %s again", l)
			}
		}
	}
	if s.e.owner == 0 || s.Action != Created && len(s.after.keys())+len(s.before.keys()) == 0 {
		return nil
	}
	own, err := s.variablesOf(ctx, row)
	if err != nil {
		return err
	}
	keys := append(s.after.keys(), s.before.keys()...)
	if s.Action == Created {
		for _, v := range own {
			keys = append(keys, v.Name)
		}
	}
	for _, key := range sorted(keys) {
		is, err := s.same(ctx, own, key)
		if err != nil {
			return err
		}
		if !is {
			s.conflict("has another value in %s", key)
		}
	}
	return nil
}

// same reports whether a variable is as the change has left it.
func (s *undoStep) same(ctx context.Context, own hierarchy.Variables, key string) (bool, error) {
	want, kept, told := s.after.known(key)
	at, there := find(own, key)
	if !told || !there {
		return told == there, nil
	}
	if kept {
		return own[at].Value == want.Value, nil
	}
	hash, err := s.hash(ctx, s.Kind, s.Object, own[at])
	return `"`+hash+`"` == want.Value, err
}

// stored is a value as [facts] has it.
func stored(v any) any {
	if at, ok := v.(Micros); ok {
		return int64(at) / 1e6
	}
	return v
}

func shownText(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return strconv.Quote(v)
	}
	return fmt.Sprint(v)
}

// because says of a refusal what it is about.
func (s *undoStep) because(what string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	if what == "" {
		return refuse(e.Code, "%s Nothing was undone.", e.Message)
	}
	return refuse(e.Code, "The %s %s: %s Nothing was undone.", s, what, e.Message)
}

// taken says whose name something had that was to have it again. The database
// says only that there is one, and perhaps only at the commit.
func (s *Store) taken(ctx context.Context, revisions []Change) error {
	refusal := refuse(Conflict, "A name that something had is taken now. Nothing was undone.")
	err := s.View(ctx, true, func(ctx context.Context, v *View) error {
		for _, r := range revisions {
			err := v.changesOf(ctx, r.Revision, true, func(some []Change) error {
				for i := range some {
					if other, err := v.named(ctx, &some[i]); other != nil || err != nil {
						refusal = cmp.Or(other, refusal)
						return cmp.Or(err, errEnough)
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	return refusal
}

// named is a refusal if something else has the name now that an object had
// before a change.
func (v *View) named(ctx context.Context, c *Change) (refusal, err error) {
	e := entityOf(c.Kind)
	before, _, err := c.sides(e)
	if err != nil || c.Before == "" {
		return nil, err
	}
	id, _ := e.parseID(c.Object)
	if c.Action != Deleted {
		row, err := v.q.get(ctx, e, Scope{All: true}, id, free)
		if err != nil {
			return nil, err
		}
		for i, column := range e.Columns {
			if _, told := before.columns[column.Name]; !told {
				before.columns[column.Name] = row[i]
			}
		}
	}
	cond := v.q.conditions()
	for _, column := range e.unique() {
		cond.equal("t."+column, before.columns[column], true)
	}
	cond.add("t."+e.key+" <> ?", id)
	var other any
	err = v.q.row(ctx, "SELECT t."+e.key+" FROM "+e.Table+" t"+cond.String(), cond.args, &other)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return refuse(Conflict, "The %s %s cannot have its name again: the one with the id %v has it now. Rename that first. Nothing was undone.", e.Name, c.Path, other), err
}

// unique are the columns in which two rows of a table differ.
func (e *Entity) unique() []string {
	switch e.Table {
	case Clouds.Table:
		return []string{"project_id", "name"}
	case Regions.Table:
		return []string{"cloud_id", "name"}
	case Cells.Table, devicesTable:
		return []string{"region_id", "name"}
	case Networks.Table:
		return []string{"name", "project_id", "region_id"}
	case NetworkInterfaces.Table:
		return []string{"device_id", "name"}
	case Users.Table:
		return []string{"username", "project_id"}
	}
	return []string{e.key}
}
