package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
)

// Basis describes the state that a response depends on.
type Basis struct {
	Own     *Object  // the object of the response; nil for a listing
	Objects []Object // other objects whose data it shows
	Kinds   []string // kinds of which it depends on all objects in the scope
}

// Marks identifies the state of a basis. Equal marks imply an equal state, even if the database was replaced or
// restored. Each object and kind of the basis costs one lookup in an index, regardless of the size of the fleet.
type Marks struct {
	Own    string // the last change of the basis's own object
	Newest string // the newest change of the entire basis
	Log    Cursor // the end of the change log
}

// statement returns the query for the salt, the end of the log, and the newest changes of the own object and of the
// entire basis.
func (b Basis) statement(sc Scope) (string, []any) {
	var own []Object
	if b.Own != nil {
		own = append(own, *b.Own)
	}
	ownParts, ownArgs := newestOf(own)
	parts, args := newestOf(append(own, b.Objects...))
	with, kindParts, kindArgs := newestIn(sc, b.Kinds)
	newest := func(parts []string) string {
		if len(parts) == 0 {
			parts = []string{"SELECT CAST(NULL AS BIGINT) AS r"}
		}
		return "(SELECT max(r) AS r FROM (" + strings.Join(parts, " UNION ALL ") + ") AS parts)"
	}
	const change = "(SELECT change FROM changes WHERE revision = %.r ORDER BY n LIMIT 1)"
	text := with + "SELECT log.salt, log.revision, log.change, own.r, " + strings.ReplaceAll(change, "%", "own") + ", whole.r, " + strings.ReplaceAll(change, "%", "whole") +
		" FROM log CROSS JOIN " + newest(ownParts) + " AS own CROSS JOIN " + newest(append(parts, kindParts...)) + " AS whole"
	return text, slices.Concat(kindArgs, ownArgs, args) // in the order of the placeholders
}

// Marks returns the marks of a basis.
func (v *View) Marks(ctx context.Context, sc Scope, b Basis) (Marks, error) {
	text, args := b.statement(sc)
	var m Marks
	var salt string
	var revisions [2]*int64
	var changes [2]*string
	if err := v.q.row(ctx, text, args, &salt, &m.Log.Revision, &m.Log.Change, &revisions[0], &changes[0], &revisions[1], &changes[1]); err != nil {
		return Marks{}, err
	}
	for i, into := range []*string{&m.Own, &m.Newest} {
		c := Cursor{}
		if revisions[i] == nil { // the log has no such change
			sum := sha256.Sum256([]byte("basis " + salt))
			c.Change = hex.EncodeToString(sum[:8])
		} else {
			c.Revision, c.Change = *revisions[i], deref(changes[i])
		}
		*into = c.String()
	}
	if b.Own == nil {
		m.Own = ""
	}
	return m, nil
}

// maxAncestorQueries is the number of parent devices that are looked up one by one.
const maxAncestorQueries = 64

// Basis returns the basis of a response with an object and its variables.
func (v *View) Basis(ctx context.Context, e *Entity, row Row, which Variables) (Basis, error) {
	own := e.object(row)
	b := Basis{Own: &own}
	if which != Resolved {
		return b, nil
	}
	for _, from := range e.inherits {
		if id := row[e.Index(from.column)]; id != nil {
			b.Objects = append(b.Objects, Object{from.to.of.Name, idText(id)})
		}
	}
	if !e.IsDevice() || row[e.Index("parent_id")] == nil {
		return b, nil
	}
	var kind string
	var id int64
	above := 0
	err := v.q.eachUntil(ctx, `WITH RECURSIVE up (id, parent_id, type) AS (SELECT id, parent_id, type FROM devices WHERE id = ?
			UNION SELECT d.id, d.parent_id, d.type FROM devices d JOIN up ON d.id = up.parent_id) SELECT type, id FROM up`,
		[]any{row[e.Index("parent_id")]}, []any{&kind, &id}, func() error {
			if above++; above > maxAncestorQueries {
				return errMemory
			}
			b.Objects = append(b.Objects, Object{deviceKind(kind), idText(id)})
			return nil
		})
	if errors.Is(err, errMemory) {
		b.Objects, err = slices.DeleteFunc(b.Objects, func(o Object) bool { return o.Kind == schema.Host.Name || o.Kind == schema.NetworkDevice.Name }), nil
		b.Kinds = []string{schema.Host.Name, schema.NetworkDevice.Name}
	}
	return b, err
}

type expectedKey struct{}

// IfUnchanged returns a context whose writes fail with [PreconditionFailed] unless the last change of the changed
// object, as in [Marks.Own], is one of lastChanges.
func IfUnchanged(ctx context.Context, lastChanges []string) context.Context {
	return context.WithValue(ctx, expectedKey{}, lastChanges)
}

// expect checks that the object of a write is in the state that the write's context expects.
func (q *session) expect(ctx context.Context, e *Entity, row Row) error {
	if q.log == nil || q.log.expected == nil {
		return nil
	}
	own := e.object(row)
	marks, err := (&View{q: q}).Marks(ctx, Scope{}, Basis{Own: &own})
	if err != nil || slices.Contains(q.log.expected, marks.Own) {
		return err
	}
	return refuse(PreconditionFailed, "The %s (id %s) has changed since it was read: its last change is %s. Read it again.", e.describeRow(row), own.ID, marks.Own)
}
