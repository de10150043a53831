package store

import (
	"fmt"
	"strings"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// predicate is a condition on a variable, or on a column that SQL cannot compare as required. It has a Go function that
// reports whether a text matches.
//
// A database that can call Go functions evaluates predicates while it scans. A page then costs a scan of the rows up to
// its last match, with at most five index lookups per row and term. Only the rows of the page are copied to Go's
// memory, and all pages of a listing together scan the rows once, except that the link to the previous page requires a
// scan backwards. Other databases return the texts of rows that may match: see candidates.go.
type predicate struct {
	column string // the column that it applies to; "" for a variable

	key      string
	resolved bool // match the resolved instead of the own value

	match  func(text string) bool // nil if the text only has to exist
	signs  [][]string             // for each alternative, the pieces that a matching value contains, in order; nil if not known
	starts []jsontext.Start       // the possible beginnings of a matching value; nil if not known
	not    bool                   // negated: texts that do not match are wanted
}

// predicates has the predicates of one listing.
type predicates struct {
	each     []predicate
	called   bool                                        // the database can call Go functions
	matches  []func(value string) (text string, arg any) // if called: the expression for each predicate
	releases []func()
}

// register makes the predicates of a listing callable in SQL, if the database can call Go functions.
func (q *session) register(each []predicate) predicates {
	m := predicates{each: each, called: q.dialect().Match != nil}
	if !m.called {
		return m
	}
	m.matches = make([]func(string) (string, any), len(each))
	for i, p := range each {
		if p.match != nil {
			match, release := q.dialect().Match(p.match)
			m.matches[i] = match
			m.releases = append(m.releases, release)
		}
	}
	return m
}

func (m predicates) release() {
	for _, release := range m.releases {
		release()
	}
}

// where adds a condition for each predicate, if the database evaluates them.
func (m predicates) where(e *Entity, c *conditions) {
	if !m.called {
		return
	}
	for i := range m.each {
		p := &m.each[i]
		switch {
		case p.match == nil:
			text, args := p.value(e, func(string) (string, any) { return "1", nil })
			if p.not {
				c.add(text+" IS NULL", args...)
			} else {
				c.add(text+" IS NOT NULL", args...)
			}
		default:
			text, args := p.value(e, m.matches[i])
			if p.not {
				c.add("COALESCE("+text+", 0) = 0", args...)
			} else {
				c.add(text+" = 1", args...)
			}
		}
	}
}

// inGo reports whether the predicates are evaluated in Go.
func (m predicates) inGo() bool { return len(m.each) > 0 && !m.called }

// value returns an expression that applies of to the predicate's text. The expression is NULL if there is no text.
func (p *predicate) value(e *Entity, of func(value string) (text string, arg any)) (string, []any) {
	if p.column == "" {
		return nearestValue(e, p.key, p.resolved, of)
	}
	text, arg := of("t." + p.column)
	if arg == nil {
		return text, nil
	}
	return text, []any{arg}
}

// nearestValue returns an expression that applies of to the variable's value at the nearest level that has it (contract
// §5.5, 6). The expression for a level without the variable is NULL, which COALESCE skips.
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
