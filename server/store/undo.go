package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/server/store/engine"
)

// UndoParams are the arguments of [Store.Undo].
type UndoParams struct {
	At      Cursor // undo the write with this revision; an empty Change matches any database
	Request string // instead of At: undo all writes of this request
	Force   bool   // also undo what was changed since, discarding the later changes
	Omit    bool   // do not change variables for which the log only has a hash
	Check   bool   // change nothing, only return the result

	// May returns an error if the caller is not permitted to perform an action on objects of a kind: [Created],
	// [Updated], [Deleted] or [Moved].
	May func(kind, action string) error
}

// UndoResult describes what an undo did, or would do.
type UndoResult struct {
	Of        []Change // the undone writes, newest first, without their objects
	At        Cursor   // cursor of the undo itself; zero if nothing was changed
	Counts    map[string]int
	Steps     []UndoStep // the first maxUndoSteps steps
	Conflicts []string   // the first maxUndoConflicts later changes
	More      int        // number of conflicts that are not listed
	Left      []string   // what cannot be undone, and was not changed
}

// UndoStep is what an undo does to an object. The action [Created] restores the object.
type UndoStep struct {
	Action, Kind, Object, Path string
	Fields, Keys               []string // changed by an update or a move
	Labels                     bool     // labels are changed
}

// The maximum numbers of entries in the result of an undo.
const (
	maxUndoSteps     = 500
	maxUndoConflicts = 50
)

// Errors that roll back an undo, in addition to the errors of writes.
var (
	errCheckOnly    = &Error{Code: PreconditionFailed, Message: "it was only to be checked"}
	errUndoConflict = &Error{Code: PreconditionFailed, Message: "it was changed since"}
)

// Undo undoes a write, in one transaction. It deletes the objects that the write created, restores those that it
// deleted with their ids, labels, variables, parents and interfaces, and restores the previous values that it changed.
// Other fields, variables and labels of the same objects are not changed.
//
// An undo is a write like any other, and can be undone itself. If there are later changes to the same values, the undo
// fails with [PreconditionFailed] and lists them in UndoResult.Conflicts, unless u.Force is set. It fails with
// [NotFound] if there is no such write in the scope, [BeforeHorizon] if the log no longer has it, [NotRetained] for
// values for which the log only has a hash, [Conflict] for a name that another object has now, and [InUse] if another
// object depends on an object that would be deleted.
func (s *Store) Undo(ctx context.Context, sc Scope, u UndoParams) (*UndoResult, error) {
	var done *UndoResult
	err := s.writeLong(ctx, func(ctx context.Context, q *session) error {
		w := &undoRun{session: q, sc: sc, UndoParams: u, done: &UndoResult{Counts: map[string]int{}}, coming: map[rowKey]bool{}}
		done = w.done
		q.checked = map[referentKey]*scanner{}
		if err := w.run(ctx); err != nil {
			return err
		}
		switch {
		case u.Check:
			return errCheckOnly
		case len(done.Conflicts) > 0 && !u.Force:
			return errUndoConflict
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
	case errors.Is(err, errCheckOnly), errors.Is(err, errUndoConflict) && u.Check:
		return done, nil
	case errors.Is(err, errUndoConflict):
		return done, refuse(PreconditionFailed, "%s", done.conflict())
	case errors.Is(err, engine.ErrUnique):
		return done, s.explainTaken(ctx, done.Of)
	}
	return done, err
}

// conflict returns the error message about conflicts.
func (d *UndoResult) conflict() string {
	const few = 5
	some := d.Conflicts[:min(few, len(d.Conflicts))]
	text := "It was changed since: " + strings.Join(some, "; ")
	if more := len(d.Conflicts) - len(some) + d.More; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text + ". Nothing was undone."
}

// undoRun is an undo in progress.
type undoRun struct {
	*session
	sc Scope
	UndoParams
	done    *UndoResult
	project string          // the last project that was found to exist
	coming  map[rowKey]bool // objects to restore, and whether they have been restored
	orphans []orphan        // in the order of their restoration

	movedCells []*undoStep // cells that were moved back
}

// rowKey identifies a row of a table.
type rowKey struct {
	table string
	id    any
}

// orphan is an object that is restored before the object it refers to, such as a device before its parent, or an
// interface before its network.
type orphan struct {
	e      *Entity
	row    Row
	column string
	to     any
}

func (w *undoRun) run(ctx context.Context) error {
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
		err := w.changesOf(ctx, r.Revision, !r.moved, func(some []Change) error { return w.undo(ctx, some) })
		if err != nil {
			return err
		}
	}
	for _, o := range w.orphans {
		if err := w.adopt(ctx, o); err != nil {
			return err
		}
	}
	for _, cell := range w.movedCells {
		if err := cell.checkLeftBehind(ctx); err != nil {
			return err
		}
	}
	return nil
}

// adopt sets an orphan's reference, after the object it refers to has been restored.
func (w *undoRun) adopt(ctx context.Context, o orphan) error {
	at := o.e.Index(o.column)
	with := slices.Clone(o.row)
	with[at] = o.to
	err := w.queueExec(ctx, "UPDATE "+o.e.Table+" SET "+o.column+" = ? WHERE "+o.e.key+" = ?", []any{o.to, o.row[o.e.Index(o.e.key)]})
	if err != nil {
		return err
	}
	return w.recordUpdate(ctx, Updated, o.e, o.row, with)
}

// expectAll adds the objects that a revision deleted to coming.
func (w *undoRun) expectAll(ctx context.Context, revision int64) (err error) {
	var kind, object string
	return w.each(ctx, "SELECT kind, object_id FROM changes WHERE revision = ? AND action = ?", []any{revision, Deleted}, []any{&kind, &object}, func() {
		if e := entityOf(kind); e != nil {
			if id, ok := e.parseID(object); ok {
				w.coming[rowKey{e.Table, id}] = false
			}
		}
	})
}

// undoneRevision is a revision to undo. The objects of a move are moved back in the order in which they were moved: a
// cell before its contents.
type undoneRevision struct {
	Change
	moved bool
}

// changesOf calls fn with the changes of a revision, in batches.
func (q *session) changesOf(ctx context.Context, revision int64, backward bool, fn func([]Change) error) error {
	clauses, n := "WHERE revision = ? AND n > ? ORDER BY n", int64(0)
	if backward {
		clauses, n = "WHERE revision = ? AND n < ? ORDER BY n DESC", 1<<62
	}
	for {
		some, err := q.someChanges(ctx, clauses, revision, n)
		if err != nil || len(some) == 0 {
			return err
		}
		if err := fn(some); err != nil {
			return err
		}
		n = some[len(some)-1].N
	}
}

// revisions returns the revisions to undo, newest first. All of their changes must be in the scope, because users must
// not undo what they cannot see.
func (w *undoRun) revisions(ctx context.Context) (all []undoneRevision, err error) {
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
			return nil, v.beforeHorizonError(ctx, horizon)
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
			own = true
			if n := len(all) - 1; n < 0 || all[n].Revision != at.Revision {
				all = append(all, at)
			}
			if action == Moved { // a bulk edit may also have updated other fields of the objects that it moved
				all[len(all)-1].moved = true
			}
			return w.May(kind, inverse[action])
		})
	switch {
	case err != nil:
		return nil, err
	case !own && w.Request != "":
		behind := ""
		if horizon > 0 {
			behind = fmt.Sprintf(" behind revision %d, where it begins", horizon)
		}
		return nil, refuse(NotFound, "The change log has no changes of the request %q%s. `craton history` shows what it has.", w.Request, behind)
	case !own:
		return nil, errNotFound
	case foreign:
		return nil, refuse(Forbidden, "it also changed another project")
	}
	return all, nil
}

// inverse maps each action to the one that undoes it.
var inverse = map[string]string{Created: Deleted, Deleted: Created, Updated: Updated, Moved: Moved}

// undo undoes some changes, in the given order.
func (w *undoRun) undo(ctx context.Context, changes []Change) error {
	there, err := w.existing(ctx, changes)
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
		s := &undoStep{undoRun: w, Change: c, e: e, id: id, before: &before, after: &after}
		switch c.Action {
		case Deleted:
			err = s.restoreDeleted(ctx, there[Object{c.Kind, c.Object}])
		case Created:
			err = s.deleteCreated(ctx)
		default:
			err = s.change(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// existing returns the objects that the changes deleted, but that exist.
func (w *undoRun) existing(ctx context.Context, changes []Change) (map[Object]bool, error) {
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

// explainTaken returns the error for a name that another object has now. The error of the database does not identify
// the object, and may only occur at the commit.
func (s *Store) explainTaken(ctx context.Context, revisions []Change) error {
	refusal := refuse(Conflict, "A name that would be restored is taken now. Nothing was undone.")
	err := s.View(ctx, true, func(ctx context.Context, v *View) error {
		for _, r := range revisions {
			err := v.q.changesOf(ctx, r.Revision, true, func(some []Change) error {
				for i := range some {
					if other, err := v.checkNameFree(ctx, &some[i]); other != nil || err != nil {
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

// checkNameFree returns a refusal if another object now has the name that the changed object had before.
func (v *View) checkNameFree(ctx context.Context, c *Change) (refusal, err error) {
	e := entityOf(c.Kind)
	before, _, err := c.sides(e)
	if err != nil || c.Before == "" {
		return nil, err
	}
	id, _ := e.parseID(c.Object)
	if c.Action != Deleted {
		row, err := v.q.get(ctx, e, Scope{All: true}, id, unlocked)
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

// unique returns the columns that together must be unique in a table.
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
