package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/server/store/engine"
)

// The actions of changes.
const (
	Created = "create"
	Updated = "update"
	Deleted = "delete"
	Moved   = "move"
)

// record is a row of the change log that has not been stored yet.
type record struct {
	kind, object, project, action string
	named
	before, after any // JSON text; nil for none
}

// named is the path of an object. It is relative to the cloud, region and cell whose ids are in below, whose names are
// not known yet; an id is nil for none.
type named struct {
	below [len(placeKeys)]any
	path  string
}

// recorder collects the changes of one write until its end, when all of them get one revision. If they take too much
// memory, they are stored earlier.
type recorder struct {
	actor    Actor
	expected []string             // see [IfUnchanged]
	fence    int64                // value when the write began, or earlier
	change   string               // id; "" until the first row is stored
	revision int64                // once it has been read
	at       int64                // time of the revision, in microseconds
	n        int64                // number of rows stored so far
	into     any                  // project of the newest object; nil if no object was created
	held     []record             // rows that have not been stored yet
	size     int                  // bytes of held
	names    map[reference]string // of clouds, regions and cells
	devices  map[any]named        // devices whose interfaces are recorded
	deleted  map[string]int       // number of deleted objects, by kind
}

// reference identifies a cloud, region or cell by its id and the foreign key column that refers to it.
type reference struct {
	key string
	id  any
}

// setName stores the name of a cloud, region or cell.
func (l *recorder) setName(key string, id any, name string) {
	if l.names == nil {
		l.names = map[reference]string{}
	}
	l.names[reference{key, id}] = name
}

// maxHeld is the size of the collected rows, in bytes, at which they are stored.
const maxHeld = 1 << 20

const (
	changeColumns = "revision, n, change, at, project_id, user_name, user_project, address, request_id, message, kind, object_id, path, action, before, after"
	insertChanges = "INSERT INTO changes (" + changeColumns + ")"
)

func (q *session) record(ctx context.Context, r record) error {
	l := q.log
	l.held = append(l.held, r)
	if r.action == Deleted {
		if l.deleted == nil {
			l.deleted = map[string]int{}
		}
		l.deleted[r.kind]++
	}
	for _, side := range []any{r.before, r.after} {
		text, _ := side.(string)
		l.size += len(text) + 200
	}
	if l.size < maxHeld {
		return nil
	}
	return q.flush(ctx)
}

// fewRows is the maximum number of rows that are stored without reading the revision first. They are sent with the
// commit.
const fewRows = 16

// A write changes the row that assigns revisions as late as possible, because from then until its commit all other
// writes wait for it.
//
// The row is also a fence. A write whose connection was lost may still be in progress: in a buffer, or waiting for a
// lock. To look up its outcome, the fence is raised. A write that began before that then fails with a division by zero,
// so it cannot be committed any more. It is retried if its caller is still waiting.
const (
	nextRevision = "UPDATE log SET revision = revision + 1 / CASE WHEN fence = ? THEN 1 ELSE 0 END, change = ?, changed_at = CASE WHEN changed_at > ? THEN changed_at ELSE ? END"
	raiseFence   = "UPDATE log SET fence = fence + 1"
)

// newest returns the statement that inserts a row of the log with the newest revision. It only queries the unknown
// names of places; it has no null arguments for the others, because PostgreSQL would plan such a statement each time.
func newest(n *named) (text string, args []any) {
	path := "?"
	for i := len(placeKeys) - 1; i >= 0; i-- {
		if n.below[i] != nil {
			path = "COALESCE((SELECT name || '/' FROM " + placeTables[i] + " WHERE id = ?), '') || " + path
		}
	}
	for _, id := range n.below {
		if id != nil {
			args = append(args, id)
		}
	}
	return insertChanges + " SELECT revision, ?, change, changed_at, ?, ?, ?, ?, ?, ?, ?, ?, " + path + ", ?, ?, ? FROM log", append(args, n.path)
}

// finish stores the changes that a write has recorded. Its statements are the last ones of the write. Usually no result
// is needed, and they are sent with the commit.
func (q *session) finish(ctx context.Context) error {
	l := q.log
	if len(l.held) == 0 {
		return nil
	}
	if l.change != "" || len(l.held) > fewRows {
		return q.flush(ctx)
	}
	l.change = newChange()
	now := q.store.now().UnixMicro()
	next := []any{l.fence, l.change, now, now}
	// A single statement would read names in a snapshot from before it waited for the lock, and miss a concurrent
	// rename.
	together := q.dialect().Together && l.held[0].below == named{}.below
	if !together {
		if err := q.queueExec(ctx, nextRevision, next); err != nil {
			return err
		}
	}
	var told engine.RowState
	for i := range l.held {
		l.n++
		r := &l.held[i]
		text, path := newest(&r.named)
		args := append(append(l.append([]any{l.n}, r), path...), r.action, r.before, r.after)
		if together && i == 0 {
			text, args = "WITH log AS ("+nextRevision+" RETURNING revision, change, changed_at) "+text, append(next, args...)
		}
		var err error
		if i < len(l.held)-1 {
			err = q.queueExec(ctx, text, args)
		} else { // the commit is next, and returns the result
			err = q.queueRow(ctx, text+" RETURNING revision, at", args, &told, &l.revision, &l.at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// flush stores the collected rows.
func (q *session) flush(ctx context.Context) error {
	l := q.log
	if l.change == "" {
		l.change = newChange()
		now := q.store.now().UnixMicro()
		err := q.row(ctx, nextRevision+" RETURNING revision, changed_at", []any{l.fence, l.change, now, now}, &l.revision, &l.at)
		if err != nil {
			return err
		}
	}
	for i := range l.held {
		if err := q.resolve(ctx, &l.held[i].named); err != nil {
			return err
		}
	}
	err := q.insertRows(ctx, insertChanges, "", len(l.held), func(i int, args []any) []any {
		l.n++
		r := &l.held[i]
		return append(l.append(append(args, l.revision, l.n, l.change, l.at), r), r.path, r.action, r.before, r.after)
	})
	l.held, l.size = l.held[:0], 0
	return err
}

// append appends the values for the columns between the time of a row and its path.
func (l *recorder) append(args []any, r *record) []any {
	return append(args, r.project, l.actor.User, l.actor.Project, l.actor.Address, l.actor.Request, l.actor.Message, r.kind, r.object)
}

// isStored reports whether the changes that a write recorded were committed. If not, they cannot be committed any more
// once this transaction is.
func (q *session) isStored(ctx context.Context, l *recorder) (bool, error) {
	if l.change == "" {
		return true, nil // nothing was recorded
	}
	if err := q.exec(ctx, raiseFence, nil); err != nil { // waits for the write that has locked the row
		return false, err
	}
	err := q.row(ctx, "SELECT COALESCE(max(revision), 0) FROM changes WHERE revision > (SELECT revision - 10000 FROM log) AND change = ?", []any{l.change}, &l.revision)
	return l.revision > 0, err
}

// newChange returns a random id for a change. It distinguishes changes in different databases with the same revision.
func newChange() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// object returns the identity of a row's object in the log.
func (e *Entity) object(row Row) Object {
	kind := e.of.Name
	if e.IsDevice() {
		kind = deviceKind(row[e.Index("type")])
	}
	return Object{kind, idText(row[e.Index(e.key)])}
}

// begin returns a record for an object, with neither side set.
func (q *session) begin(ctx context.Context, action string, e *Entity, row Row) (r record, err error) {
	o := e.object(row)
	r = record{kind: o.Kind, object: o.ID, project: row[e.Index(e.project)].(string), action: action}
	if r.named, err = q.named(ctx, e, row); err == nil && action == Deleted {
		err = q.resolve(ctx, &r.named) // its places may be deleted next
	}
	return r, err
}

// named returns the path of an object, relative to its places if their names are not known.
func (q *session) named(ctx context.Context, e *Entity, row Row) (n named, err error) {
	n.path = row[e.Index(e.of.Title)].(string)
	if e == NetworkInterfaces {
		device, known := q.log.devices[row[e.Index("device_id")]]
		if !known {
			row, err := q.get(ctx, Devices, Scope{All: true}, row[e.Index("device_id")], unlocked)
			if err != nil {
				return n, err
			}
			if device, err = q.named(ctx, Devices, row); err != nil {
				return n, err
			}
		}
		return named{device.below, device.path + "/" + n.path}, nil
	}
	for i, key := range placeKeys {
		if at := e.Index(key); at >= 0 {
			n.below[i] = row[at]
		}
	}
	q.log.prefix(&n)
	return n, nil
}

// prefix adds the names of the places to a path, and reports whether all of them were known. If not, n is unchanged.
func (l *recorder) prefix(n *named) (done bool) {
	var names []string
	for i, key := range placeKeys {
		if id := n.below[i]; id != nil {
			name, known := l.names[reference{key, id}]
			if !known {
				return false
			}
			names = append(names, name)
		}
	}
	*n = named{path: strings.Join(append(names, n.path), "/")}
	return true
}

// resolve completes a path.
func (q *session) resolve(ctx context.Context, n *named) error {
	if q.log.prefix(n) {
		return nil
	}
	var names [len(placeKeys)]*string
	err := q.row(ctx, "SELECT (SELECT name FROM clouds WHERE id = ?), (SELECT name FROM regions WHERE id = ?), (SELECT name FROM cells WHERE id = ?)",
		n.below[:], &names[0], &names[1], &names[2])
	if err != nil {
		return err
	}
	for i, name := range names {
		if name != nil {
			q.log.setName(placeKeys[i], n.below[i], *name)
		}
	}
	q.log.prefix(n)
	return nil
}

var (
	placeKeys   = [...]string{"cloud_id", "region_id", "cell_id"}
	placeTables = [...]string{"clouds", "regions", "cells"}
)

// completeState returns one side of a change, with the complete state of an object.
func (q *session) completeState(ctx context.Context, r record, e *Entity, row Row, variables hierarchy.Variables, labels []string) (any, error) {
	s := side(nil).row(e, row)
	if len(labels) > 0 {
		s = s.labels(labels)
	}
	s, err := q.appendVariables(ctx, s, r.kind, r.object, variables)
	return s.text(), err
}

// recordNew records the creation of an object.
func (q *session) recordNew(ctx context.Context, e *Entity, row Row, variables hierarchy.Variables, labels []string) error {
	r, err := q.begin(ctx, Created, e, row)
	if err != nil {
		return err
	}
	if r.after, err = q.completeState(ctx, r, e, row, variables, labels); err != nil {
		return err
	}
	return q.record(ctx, r)
}

// recordUpdate records the difference between two states of a row. more has the names of additional members of the
// later one, whose value is true.
func (q *session) recordUpdate(ctx context.Context, action string, e *Entity, old, row Row, more ...string) error {
	var before, after side
	for i, c := range e.Columns {
		if old[i] != row[i] && c.shown() {
			before, after = before.column(c, old[i]), after.column(c, row[i])
		}
	}
	for _, name := range more {
		after = append(after.member(name), "true"...)
	}
	if after == nil {
		return nil
	}
	r, err := q.begin(ctx, action, e, row)
	if err != nil {
		return err
	}
	r.before, r.after = before.text(), after.text()
	return q.record(ctx, r)
}

// recordVariables records the old and new values of changed variables.
func (q *session) recordVariables(ctx context.Context, e *Entity, row Row, old, now hierarchy.Variables) error {
	r, err := q.begin(ctx, Updated, e, row)
	if err != nil {
		return err
	}
	before, err := q.appendVariables(ctx, nil, r.kind, r.object, old)
	if err != nil {
		return err
	}
	after, err := q.appendVariables(ctx, nil, r.kind, r.object, now)
	if err != nil {
		return err
	}
	r.before, r.after = before.text(), after.text()
	return q.record(ctx, r)
}

// recordLabels records the old and new labels of a device, if they differ.
func (q *session) recordLabels(ctx context.Context, e *Entity, row Row, old, now []string) error {
	if slices.Equal(old, now) {
		return nil
	}
	r, err := q.begin(ctx, Updated, e, row)
	if err != nil {
		return err
	}
	r.before, r.after = side(nil).labels(old).text(), side(nil).labels(now).text()
	return q.record(ctx, r)
}

// pieceRows is the number of rows that are read at once before they are deleted.
const pieceRows = 128

// recordWithin records the deletion of all rows of e with the given value in a column, and of the objects that belong
// to them. It works in batches, so that memory does not grow with the number of rows.
func (q *session) recordWithin(ctx context.Context, e *Entity, column string, value any) error {
	if e == anyDevice {
		e = Devices // has all columns
	}
	c := q.conditions()
	c.equal("t."+column, value, true)
	return q.pieces(ctx, e, c, func(rows []Row) error { return q.recordGone(ctx, e, rows) })
}

// pieces locks all rows that match a condition, and calls fn with them in batches.
func (q *session) pieces(ctx context.Context, e *Entity, c conditions, fn func(rows []Row) error) error {
	scan := newScanner(e)
	text := "SELECT " + e.selectList() + " FROM " + e.Table + " t"
	order := " ORDER BY t.created_at, t." + e.key + " LIMIT " + strconv.Itoa(pieceRows) + q.lockClause(removing)
	beyond := c
	for {
		var rows []Row
		if err := q.each(ctx, text+beyond.String()+order, beyond.args, scan.dest, func() { rows = append(rows, scan.row()) }); err != nil {
			return err
		}
		if len(rows) > 0 {
			if err := fn(rows); err != nil {
				return err
			}
		}
		if len(rows) < pieceRows {
			return nil
		}
		last := rows[len(rows)-1]
		beyond = c
		beyond.terms, beyond.args = slices.Clone(c.terms), slices.Clone(c.args)
		beyond.add("(t.created_at, t."+e.key+") > (?, ?)", int64(last[e.Index("created_at")].(Micros))/1e6, last[e.Index(e.key)])
	}
}

// recordGone records the deletion of rows, and of the interfaces of devices.
func (q *session) recordGone(ctx context.Context, e *Entity, rows []Row) error {
	if !e.IsDevice() {
		return q.recordRows(ctx, e, rows, nil)
	}
	devices := make(map[any]named, len(rows))
	ids := make([]any, len(rows))
	for i, row := range rows {
		ids[i] = row[e.Index("id")]
		device, err := q.named(ctx, e, row)
		if err == nil {
			err = q.resolve(ctx, &device)
		}
		if err != nil {
			return err
		}
		devices[ids[i]] = device
	}
	q.log.devices = devices
	list, args := in(nil, ids)
	c := q.conditions()
	c.add("t.device_id IN "+list, args...)
	err := q.pieces(ctx, NetworkInterfaces, c, func(rows []Row) error { return q.recordRows(ctx, NetworkInterfaces, rows, nil) })
	if err != nil {
		return err
	}
	labels, err := q.labels(ctx, e, rows)
	if err != nil {
		return err
	}
	return q.recordRows(ctx, e, rows, labels)
}

// recordRows records the deletion of rows with their variables. It splits the rows if they would take too much memory.
func (q *session) recordRows(ctx context.Context, e *Entity, rows []Row, labels [][]string) error {
	ids := make([]any, len(rows))
	for i, row := range rows {
		ids[i] = row[e.Index(e.key)]
	}
	room := memoryBudget(fullViewBytes)
	if len(rows) == 1 {
		room = math.MaxInt // a single row is read whatever its size: one write has stored it
	}
	own, err := q.ownVariables(ctx, e, ids, &room)
	if errors.Is(err, errMemory) {
		half := len(rows) / 2
		first, second := labels, labels
		if labels != nil {
			first, second = labels[:half], labels[half:]
		}
		if err := q.recordRows(ctx, e, rows[:half], first); err != nil {
			return err
		}
		return q.recordRows(ctx, e, rows[half:], second)
	}
	if err != nil {
		return err
	}
	for i, row := range rows {
		r, err := q.begin(ctx, Deleted, e, row)
		if err != nil {
			return err
		}
		var set []string
		if labels != nil {
			set = labels[i]
		}
		if r.before, err = q.completeState(ctx, r, e, row, own[ids[i]], set); err != nil {
			return err
		}
		if err := q.record(ctx, r); err != nil {
			return err
		}
	}
	return nil
}
