package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/server/store/engine"
)

// Get returns one object. It fails with [NotFound] if the object is not in the scope.
func (s *Store) Get(ctx context.Context, e *Entity, sc Scope, id string) (Row, error) {
	var row Row
	err := s.readOne(ctx, func(ctx context.Context, q *session) (err error) {
		row, err = q.find(ctx, e, sc, id, unlocked)
		return err
	})
	return row, err
}

// find is get with an id as text. In a write, it also checks that the object is in the state that the context expects.
func (q *session) find(ctx context.Context, e *Entity, sc Scope, id string, h lockMode) (Row, error) {
	key, ok := e.parseID(id)
	if !ok {
		return nil, errNotFound
	}
	row, err := q.get(ctx, e, sc, key, h)
	if err == nil && h >= changing {
		err = q.expect(ctx, e, row)
	}
	return row, err
}

func (q *session) get(ctx context.Context, e *Entity, sc Scope, id any, h lockMode) (Row, error) {
	text, args := q.selectOne(e, sc, id, h)
	scan := newScanner(e)
	err := q.row(ctx, text, args, scan.dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNotFound
	}
	return scan.row(), err
}

func (q *session) selectOne(e *Entity, sc Scope, id any, h lockMode) (string, []any) {
	c := q.conditions()
	c.equal("t."+e.key, id, true)
	sc.where(e, &c, false)
	if e.Kind != "" {
		c.equal("t.type", e.Kind, false)
	}
	return "SELECT " + e.selectList() + " FROM " + e.Table + " t" + c.String() + q.lockClause(h), c.args
}

// Values has columns of an object by name: int64, string, bool or nil.
type Values map[string]any

// CreateParams describes an object to create.
type CreateParams struct {
	Values    Values
	Variables []Variable
	Labels    []string // of devices; duplicates are ignored
}

// Create stores an object in the scope's project and returns its row. created_at of this row has microseconds, which
// are not stored (contract §10 Q1). Create fails with [Conflict] for a name that is taken, and with [Invalid] for a
// foreign key that does not refer to an object of the project, or contradicts another one.
func (s *Store) Create(ctx context.Context, e *Entity, sc Scope, n CreateParams) (Row, error) {
	values := Values{"project_id": sc.Project}
	for k, v := range n.Values {
		values[k] = v
	}
	if e.project == e.key {
		delete(values, "project_id")
	}
	if e.Kind != "" {
		values["type"] = e.Kind
	}
	return s.create(ctx, e, values, n, nil)
}

// create is [Store.Create] with all values. with, if not nil, is called to store further data that belong to the new
// object.
func (s *Store) create(ctx context.Context, e *Entity, values Values, n CreateParams, with func(ctx context.Context, q *session, row Row) error) (Row, error) {
	var row Row
	variables, labels := byKey(n.Variables), sorted(n.Labels)
	err := s.write(ctx, func(ctx context.Context, q *session) error {
		refs := q.refs(e, values, values)
		for i := range refs.each {
			if err := refs.ask(ctx, i, false); err != nil {
				return err
			}
			if err := refs.check(); err != nil {
				return err
			}
		}
		at := s.now()
		values["created_at"] = at.Unix()
		var err error
		row, err = q.insert(ctx, e, values)
		if wrong := refs.check(); wrong != nil { // more specific than the error of the insert
			return wrong
		}
		if errors.Is(err, engine.ErrUnique) {
			return refuse(Conflict, "A %s with the given name already exists.", e.Name)
		}
		if err != nil {
			return err
		}
		if err := s.limits.checkNew(e, n); err != nil {
			return err
		}
		owner := row[e.Index(e.ownerID)]
		if err := q.setVariables(ctx, e, owner, variables); err != nil {
			return err
		}
		if err := q.addLabels(ctx, owner, values["created_at"], labels); err != nil {
			return err
		}
		if with != nil {
			if err := with(ctx, q, row); err != nil {
				return err
			}
		}
		if err := q.recordNew(ctx, e, row, variables, labels); err != nil {
			return err
		}
		row[e.Index("created_at")] = Micros(at.UnixMicro())
		return nil
	})
	return row, err
}

// insert stores a row and returns it.
func (q *session) insert(ctx context.Context, e *Entity, values Values) (Row, error) {
	text, args := e.insertion(values)
	returned := e.returned
	if values["parent_id"] == nil {
		returned = e.returnedTop
	}
	scan := newScanner(e)
	q.log.into = values["project_id"]
	if err := q.row(ctx, text+" RETURNING "+returned, args, scan.dest...); err != nil {
		return nil, err
	}
	return scan.row(), nil
}

// insertion returns the statement that inserts a row.
func (e *Entity) insertion(values Values) (text string, args []any) {
	var names, marks []string
	for _, c := range slices.Concat(e.Columns, e.secrets()) {
		if v, ok := values[c.Name]; ok {
			names, marks, args = append(names, c.Name), append(marks, "?"), append(args, bind(c, v))
		}
	}
	return "INSERT INTO " + e.Table + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(marks, ", ") + ")", args
}

// maxRows is the maximum number of rows that one statement inserts.
const maxRows = 32

// insertRows inserts n rows with few statements. Each inserts a power of two of rows, so that there are few different
// statements to prepare. values appends the values of a row.
func (q *session) insertRows(ctx context.Context, into, conflict string, n int, values func(i int, args []any) []any) error {
	for i := 0; i < n; {
		rows := maxRows
		for rows > n-i {
			rows /= 2
		}
		var args []any
		for end := i + rows; i < end; i++ {
			args = values(i, args)
		}
		marks := "(" + strings.Repeat("?, ", len(args)/rows-1) + "?)"
		if err := q.queueExec(ctx, into+" VALUES "+strings.Repeat(marks+", ", rows-1)+marks+" "+conflict, args); err != nil {
			return err
		}
	}
	return nil
}

// bind converts a value to the type of its column. An interface's speed is an integer in the API, but text in the
// database (contract §10 Q4).
func bind(c Column, v any) any {
	if n, ok := v.(int64); ok && c.Type == Text {
		return strconv.FormatInt(n, 10)
	}
	return v
}

// Update changes the given columns of an object and returns its row. updated_at only changes if another column does. It
// has microseconds in this row, which are not stored (contract §10 Q1, Q32). Update fails with [NotFound], [Conflict]
// or [Invalid].
func (s *Store) Update(ctx context.Context, e *Entity, sc Scope, id string, changes Values) (Row, error) {
	if e.anyRow || e.Kind == KindHost {
		// The original server finds devices of either kind (contract §2.4.4).
		either := *e
		either.Kind = ""
		e = &either
	}
	var row Row
	err := s.write(ctx, func(ctx context.Context, q *session) error {
		var err error
		if row, err = q.find(ctx, e, sc, id, changing); err != nil {
			return err
		}
		row, err = q.update(ctx, e, row, changes)
		return err
	})
	return row, err
}

// update is [Store.Update] for a locked row.
func (q *session) update(ctx context.Context, e *Entity, row Row, changes Values) (Row, error) {
	var sets []string
	var args []any
	touched := false
	for i, c := range e.Columns {
		v, ok := changes[c.Name]
		if !ok || bind(c, v) == row[i] {
			continue
		}
		sets, args = append(sets, c.Name+" = ?"), append(args, bind(c, v))
		touched = touched || !slices.Contains(e.quiet, c.Name)
	}
	if len(sets) == 0 {
		return row, nil
	}
	if err := q.checkParent(ctx, e, row, changes); err != nil {
		return row, err
	}
	at := q.store.now()
	if touched {
		sets, args = append(sets, "updated_at = ?"), append(args, at.Unix())
	}
	key := row[e.Index(e.key)]
	scan := newScanner(e)
	err := q.row(ctx, "UPDATE "+e.Table+" SET "+strings.Join(sets, ", ")+" WHERE "+e.key+" = ? RETURNING "+e.returned, append(args, key), scan.dest...)
	if errors.Is(err, engine.ErrUnique) {
		return row, refuse(Conflict, "A %s with the given name already exists.", e.Name)
	}
	if err != nil {
		return row, err
	}
	old := row
	row = scan.row()
	if err := q.recordUpdate(ctx, Updated, e, old, row); err != nil {
		return row, err
	}
	if touched {
		row[e.Index("updated_at")] = Micros(at.UnixMicro())
	}
	return row, nil
}

// referents has the objects that foreign keys of a row refer to.
type referents struct {
	q    *session
	row  Values
	each []referent
}

type referent struct {
	ref
	id     any
	answer engine.RowState
	scan   *scanner
}

// refs returns the objects that the foreign keys among changes refer to.
func (q *session) refs(e *Entity, row, changes Values) *referents {
	refs := &referents{q: q, row: row}
	for _, r := range e.refs {
		if id, ok := changes[r.column]; ok && id != nil {
			one := referent{ref: r, id: id}
			if one.scan = q.checked[refs.key(&one)]; one.scan != nil {
				one.answer = engine.RowFound
			} else {
				one.scan = newScanner(r.to)
			}
			refs.each = append(refs.each, one)
		}
	}
	return refs
}

// referentKey identifies an object of a project.
type referentKey struct {
	of          *Entity
	project, id any
}

func (refs *referents) key(r *referent) referentKey {
	return referentKey{r.to, refs.row["project_id"], r.id}
}

// checkRefs checks that the foreign keys among changes refer to objects of the row's own project that agree with each
// other.
func (q *session) checkRefs(ctx context.Context, e *Entity, row, changes Values) error {
	refs := q.refs(e, row, changes)
	open := -1
	for i := range refs.each {
		if refs.each[i].answer == engine.RowPending {
			open = i
		}
	}
	for i := range refs.each[:open+1] {
		if refs.each[i].answer != engine.RowPending {
			continue
		}
		if err := refs.ask(ctx, i, i == open); err != nil {
			return err
		}
	}
	return refs.check()
}

// ask queries one of the objects, and locks it against deletion. If now is set, the result is available on return,
// otherwise after the next statement.
func (refs *referents) ask(ctx context.Context, i int, now bool) error {
	r := &refs.each[i]
	project, _ := refs.row["project_id"].(string)
	text, args := refs.q.selectOne(r.to, Scope{Project: project}, r.id, shared)
	if !now {
		return refs.q.queueRow(ctx, text, args, &r.answer, r.scan.dest...)
	}
	err := refs.q.row(ctx, text, args, r.scan.dest...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		r.answer, err = engine.RowMissing, nil
	case err == nil:
		r.answer = engine.RowFound
	}
	return err
}

// checkID is the advice for an id that does not exist.
const checkID = "Check the id, or create it first."

// checkTogether is the advice for ids of places that contradict each other.
const checkTogether = "Give the ids that belong together."

// check checks the objects whose results are available.
func (refs *referents) check() error {
	for i := range refs.each {
		r := &refs.each[i]
		switch r.answer {
		case engine.RowPending:
			continue
		case engine.RowMissing:
			return refuse(Invalid, "%s %v: there is no such %s in the project. "+checkID, r.column, r.id, r.to.Name)
		}
		if refs.q.checked != nil && r.to != anyDevice {
			refs.q.checked[refs.key(r)] = r.scan
		}
		to := r.scan.row()
		name := to[r.to.Index("name")]
		refs.q.log.setName(r.column, r.id, name.(string))
		for _, column := range r.agree {
			if got, want := refs.row[column], to[r.to.Index(column)]; got != want {
				return refuse(Invalid, "%s %v contradicts %s %v: the %s %q belongs to %s %v. "+checkTogether,
					column, got, r.column, r.id, r.to.Name, name, column, want)
			}
		}
	}
	return nil
}

// checkParent applies the rules of contract §6.4 to a device's new parent.
func (q *session) checkParent(ctx context.Context, e *Entity, row Row, changes Values) error {
	parent, ok := changes["parent_id"]
	if !ok || parent == nil {
		return nil
	}
	id, name := row[e.Index("id")], row[e.Index("name")]
	if parent == id {
		return refuse(Invalid, "A device cannot be its own parent. The id for '%s' cannot be used as its parent_id.", name)
	}
	// Without this lock, two concurrent writes could make two devices each other's parent, without seeing one another.
	if err := q.lockTree(ctx, row[e.Index("project_id")]); err != nil {
		return err
	}
	err := q.checkRefs(ctx, e, Values{"project_id": row[e.Index("project_id")]}, Values{"parent_id": parent})
	if err != nil {
		return err
	}
	var n int
	err = q.row(ctx, "WITH RECURSIVE up (id, parent_id) AS (SELECT id, parent_id FROM devices WHERE id = ? UNION SELECT parent_id, (SELECT d.parent_id FROM devices d WHERE d.id = up.parent_id) FROM up WHERE parent_id IS NOT NULL) SELECT count(*) FROM up WHERE id = ?",
		[]any{parent, id}, &n)
	if err == nil && n > 0 {
		return refuse(Invalid, "A device cannot have a descendant as its parent. The parent_id for '%s' cannot be set to the id '%d'.", name, parent)
	}
	return err
}
