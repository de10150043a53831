package store

import (
	"fmt"
	"strings"

	"github.com/craton-fleet/craton/server/internal/varquery"
)

// The vars filter (contract §5.5) runs inside a database that can call back:
// each term is a predicate of SQL. A page so costs a walk over the rows up to
// the page's last match, five index look-ups a row and term at most; nothing
// but the page itself comes into Go's memory, and all pages of a listing
// together walk the rows once (the prev link, where there is a marker, walks
// back). Other databases send the values: see candidates.go.
type termSet struct {
	terms    []varquery.Term
	matches  []func(value string) (string, any) // of each term; nil where the database cannot call back
	releases []func()
}

// registerTerms makes predicates of the terms of one listing.
func (q *session) registerTerms(terms []varquery.Term) termSet {
	m := termSet{terms: terms}
	if q.dialect().Match == nil {
		return m
	}
	for _, t := range terms {
		match, release := q.dialect().Match(t.Match)
		m.matches = append(m.matches, match)
		m.releases = append(m.releases, release)
	}
	return m
}

func (m termSet) release() {
	for _, release := range m.releases {
		release()
	}
}

// where adds one condition for each term: the value that the nearest level
// gives to the key matches (contract §5.5, 6).
func (m termSet) where(e *Entity, resolved bool, c *conditions) {
	for i, match := range m.matches {
		text, args := nearestValue(e, m.terms[i].Key, resolved, match)
		c.add(text+" = 1", args...)
	}
}

// nearestValue is an expression for what the nearest level that has a variable
// makes of its value. A level that does not have it yields NULL, which
// COALESCE passes over.
func nearestValue(e *Entity, key string, resolved bool, of func(value string) (text string, arg any)) (string, []any) {
	value, handle := of("v.value")
	var levels []string
	var args []any
	bind := func() {
		if handle != nil {
			args = append(args, handle)
		}
		args = append(args, key)
	}
	level := func(owner int, id string) {
		levels = append(levels, fmt.Sprintf("(SELECT %s FROM variables v WHERE v.owner_kind = %d AND v.owner_id = %s AND v.key = ?)", value, owner, id))
		bind()
	}
	level(e.owner, "t."+e.ownerID)
	if resolved && e.IsDevice() {
		levels = append(levels, fmt.Sprintf(`(WITH RECURSIVE up (id, parent_id, distance) AS (
			SELECT p.id, p.parent_id, 1 FROM devices p WHERE p.id = t.parent_id
			UNION ALL SELECT parent_id, (SELECT p.parent_id FROM devices p WHERE p.id = up.parent_id), distance + 1 FROM up WHERE parent_id IS NOT NULL)
			SELECT %s FROM up JOIN variables v ON v.owner_kind = %d AND v.owner_id = up.id AND v.key = ? ORDER BY up.distance LIMIT 1)`, value, ownDevice))
		bind()
	}
	if resolved {
		for _, from := range e.inherits {
			id := "t." + from.column
			if from.to.ownerID != from.to.key {
				id = fmt.Sprintf("(SELECT o.%s FROM %s o WHERE o.%s = t.%s)", from.to.ownerID, from.to.Table, from.to.key, from.column)
			}
			level(from.to.owner, id)
		}
	}
	if len(levels) == 1 {
		return levels[0], args
	}
	return "COALESCE(" + strings.Join(levels, ", ") + ")", args
}
