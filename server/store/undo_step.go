package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/schema"
)

// undoStep undoes one change.
type undoStep struct {
	*undoRun
	*Change
	e             *Entity
	id            any
	before, after *facts
}

func (s *undoStep) String() string { return s.e.Name + " " + s.Path }

// conflict records that the object is no longer as the change left it.
func (s *undoStep) conflict(format string, args ...any) {
	if d := s.done; len(d.Conflicts) < maxUndoConflicts {
		d.Conflicts = append(d.Conflicts, s.String()+" "+fmt.Sprintf(format, args...))
	} else {
		d.More++
	}
}

// addLeft records a part of the object that cannot be undone.
func (s *undoStep) addLeft(format string, args ...any) {
	if d := s.done; len(d.Left) < maxUndoConflicts {
		d.Left = append(d.Left, s.String()+": "+fmt.Sprintf(format, args...))
	}
}

// addStep records a step.
func (s *undoStep) addStep(step UndoStep) {
	s.done.Counts[step.Action]++
	if step.Kind, step.Object, step.Path = s.Kind, s.Object, s.Path; len(s.done.Steps) < maxUndoSteps {
		s.done.Steps = append(s.done.Steps, step)
	}
}

// unkept handles values of variables that the log does not have. It refuses the undo, or, with Omit, leaves these
// variables as they are.
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
	s.addLeft("the change log does not have what was in %s", strings.Join(keys, ", "))
	// Variables whose earlier values are unknown must not be deleted.
	s.after.variables = slices.DeleteFunc(s.after.variables, func(v Variable) bool { return slices.Contains(keys, v.Name) })
	s.after.hashed = slices.DeleteFunc(s.after.hashed, func(v Variable) bool { return slices.Contains(keys, v.Name) })
	s.before.hashed = nil
	return nil
}

// restoreDeleted restores a deleted object.
func (s *undoStep) restoreDeleted(ctx context.Context, there bool) error {
	if there {
		s.conflict("is there again")
		return errUndoConflict // it cannot be created twice
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
		if to == nil || r.agree != nil { // skip references to places, which are restored before their contents
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
		return s.wrapError("cannot be restored", err)
	}
	if s.e == Users {
		values.setRole() // old rows of the log have no role
		if values["role"] == schema.Root.String() && !s.sc.All {
			return refuse(Forbidden, "only a root user may restore a root user")
		}
		values["key_hash"] = ""
		s.addLeft("its API keys are not kept, and without one it cannot sign in: make it a new one")
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
	s.addStep(UndoStep{Action: Created})
	return s.recordNew(ctx, s.e, row, s.before.variables, s.before.labels)
}

// checkProject refuses to restore an object of a project that no longer exists.
func (s *undoStep) checkProject(ctx context.Context) error {
	if s.e == Projects || s.Project == s.project {
		return nil
	}
	_, err := s.get(ctx, Projects, Scope{All: true}, s.Project, shared)
	if IsCode(err, NotFound) {
		return refuse(Invalid, "The %s cannot be restored: its project %s no longer exists. Nothing was undone.", s, s.Project)
	}
	s.project = s.Project
	return err
}

// remember stores the name of a device for its interfaces, which are restored next.
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

// own returns a copy of the row that does not keep the text it was parsed from in memory.
func (r Row) own() Row {
	own := slices.Clone(r)
	for i, v := range own {
		if text, ok := v.(string); ok {
			own[i] = strings.Clone(text)
		}
	}
	return own
}

// deleteCreated undoes the creation of an object.
func (s *undoStep) deleteCreated(ctx context.Context) error {
	row, err := s.get(ctx, s.e, Scope{All: true}, s.id, removing)
	if IsCode(err, NotFound) {
		s.conflict("no longer exists")
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
		return nil // the conflicts prevent the undo anyway
	}
	s.addStep(UndoStep{Action: Deleted})
	return s.wrapError("", s.delete(ctx, s.e, s.sc, row))
}

// withContents records a conflict if the object has contents, which were added after it was created.
func (s *undoStep) withContents(ctx context.Context) error {
	column, inside := s.e.contents()
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

// change undoes changes to an object's fields, labels and variables.
func (s *undoStep) change(ctx context.Context) error {
	hold := changing
	if s.Action == Moved {
		hold = removing
	}
	row, err := s.get(ctx, s.e, Scope{All: true}, s.id, hold)
	if IsCode(err, NotFound) {
		s.conflict("no longer exists")
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
	if s.e == Users {
		return s.changeKeys(ctx, row, step)
	}
	if step.Fields != nil || step.Keys != nil || step.Labels {
		s.addStep(step)
	}
	return nil
}

// changeKeys undoes the creation of a user's API key. A deleted key cannot be restored: the log has neither the key nor
// its hash.
func (s *undoStep) changeKeys(ctx context.Context, user Row, step UndoStep) error {
	made, isMade := keyIn(s.After)
	_, isGone := keyIn(s.Before)
	switch {
	case isMade:
		keys, err := s.keys(ctx, "user_id = ? AND id = ?", s.id, made.ID)
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			s.conflict("does not have the key any more")
			return nil
		}
		if user.role() == schema.Root && !s.sc.All {
			return refuse(Forbidden, "only a root user may delete a key of a root user")
		}
		step.Fields = append(step.Fields, memberKey)
		if err := s.wrapError("", s.deleteKey(ctx, user, &keys[0])); err != nil {
			return err
		}
	case isGone || step.Fields == nil:
		s.addLeft("the API key that it had before is not kept")
	}
	if step.Fields != nil {
		s.addStep(step)
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
	if _, ok := set["role"]; ok && e == Users {
		if err := s.checkRole(ctx, row, set, moved); err != nil {
			return err
		}
	}
	if err := s.checkParent(ctx, e, row, set); err != nil {
		return s.wrapError("cannot be as it was", err)
	}
	unsure := maps.Clone(set)
	for _, r := range e.refs {
		if slices.ContainsFunc(r.agree, func(column string) bool { return slices.Contains(step.Fields, column) }) {
			unsure[r.column] = whole[r.column] // keeps its current value, which must agree with the restored ones: the cell may have been changed since
		}
	}
	if err := s.checkRefs(ctx, e, whole, unsure); err != nil {
		return s.wrapError("cannot be as it was", err)
	}
	if e == Cells && s.Action == Moved {
		s.movedCells = append(s.movedCells, s)
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

// checkLeftBehind refuses to move a cell back if that would leave behind objects that were created in the cell, or
// moved into it, after the cell was moved.
func (s *undoStep) checkLeftBehind(ctx context.Context) error {
	for _, inner := range []*Entity{anyDevice, Networks} {
		found, err := s.describeFound(ctx, fmt.Sprintf(`SELECT %s, t.id, t.name FROM %s t JOIN cells c ON c.id = t.cell_id
			WHERE t.cell_id = ? AND t.region_id <> c.region_id ORDER BY t.id LIMIT 1`, inner.kindText(), inner.Table), s.id)
		if err != nil {
			return err
		}
		if found != "" {
			return refuse(InUse, "The %s cannot be moved back: the %s has come into it since. Move or delete that first. Nothing was undone.", s, found)
		}
	}
	return nil
}

// checkRole refuses a change of role that the caller could not make with SetRole, and sets the columns that depend on
// the role.
func (s *undoStep) checkRole(ctx context.Context, row Row, set Values, moved Row) error {
	set.setRole()
	for i, c := range s.e.Columns {
		if v, ok := set[c.Name]; ok {
			moved[i] = v
		}
	}
	if (row.role() == schema.Root || moved.role() == schema.Root) && !s.sc.All {
		return refuse(Forbidden, "only a root user may grant or revoke the role root")
	}
	return s.wrapError("", s.keepRootUser(ctx, s.e, row, "cannot get another role"))
}

func (s *undoStep) changeLabels(ctx context.Context, row Row, step *UndoStep) error {
	if !s.before.labelled {
		return nil
	}
	now, err := s.labels(ctx, s.e, []Row{row})
	if err != nil {
		return err
	}
	// Remove the labels that the change added, and add those that it removed.
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
	own, err := s.ownOf(ctx, s.e, row)
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
			if err := s.deleteVariable(ctx, s.e, owner, key); err != nil {
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

// compare records a conflict for each part of the object that is no longer as the change left it.
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
	own, err := s.ownOf(ctx, s.e, row)
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

// same reports whether a variable is still as the change left it.
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

func shownText(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return strconv.Quote(v)
	}
	return fmt.Sprint(v)
}

// wrapError adds the object to the message of a refusal.
func (s *undoStep) wrapError(what string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	if what == "" {
		return refuse(e.Code, "%s Nothing was undone.", e.Message)
	}
	// The usual advice is to create a missing object. But that would give it another id, so advise to undo its
	// deletion.
	why := strings.NewReplacer(checkID, "Undo its delete first.", checkTogether, "Undo its later move first.").Replace(e.Message)
	return refuse(e.Code, "The %s %s: %s Nothing was undone.", s, what, why)
}
