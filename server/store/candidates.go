package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A database that cannot call back sends the texts that predicates ask for, and
// they are matched here. Only rows that have the key at one of their levels are
// looked at, in pieces that grow: a page costs what its candidates cost, not the
// fleet, and no more is held than the ids of the page. What must not match, and
// what is about a column, leaves all rows candidates.
const (
	firstCandidates = 256
	mostCandidates  = 16 << 10
	mostNarrowing   = 4 // terms that choose candidates; the others are only matched
)

// matching returns the ids of the first rows that match all predicates, at most
// want, in the order of the listing or against it, from the marker on.
func (b *listStatement) matching(ctx context.Context, q *session, each []predicate, descending, inclusive bool, want int) ([]any, error) {
	from := *b
	plain := func(value string) (string, any) { return value, nil }
	var id any
	values := make([]*string, len(each))
	dest := []any{&id}
	var exprs []string
	var args []any
	for i := range each {
		text, more := each[i].value(b.e, plain)
		exprs, args = append(exprs, text), append(args, more...)
		dest = append(dest, &values[i])
	}
	var ids []any
	for size := firstCandidates; ; size = min(2*size, mostCandidates) {
		c := q.conditions()
		tables := from.filter(&c)
		narrowing := 0
		for _, p := range each {
			if p.column != "" || p.not || narrowing == mostNarrowing {
				continue
			}
			text, more := candidates(b.e, p.key, p.resolved)
			c.add(text, more...)
			narrowing++
		}
		if from.marker != nil {
			from.beyond(&c, descending, inclusive)
		}
		text := "SELECT t." + b.e.key + ", " + strings.Join(exprs, ", ") + " FROM " + tables + c.String() + from.orderBy(descending) + " LIMIT ?"
		seen := 0
		err := q.eachUntil(ctx, text, append(append(slices.Clone(args), c.args...), size), dest, func() error {
			seen++
			for i := range each {
				if !each[i].holds(values[i]) {
					return nil
				}
			}
			if ids = append(ids, id); len(ids) == want {
				return errEnough
			}
			return nil
		})
		switch {
		case errors.Is(err, errEnough):
			return ids, nil
		case err != nil:
			return nil, err
		case seen < size:
			return ids, nil
		}
		from.l.Marker, inclusive = idText(id), false
		if err := from.mark(ctx, q); err != nil {
			return nil, err
		}
	}
}

// chosen is the statement for the rows with the given ids, in the order of the
// listing.
func (b *listStatement) chosen(ids []any) (string, []any) {
	where, args := "1 = 0", []any(nil)
	if len(ids) > 0 {
		list, all := in(nil, ids)
		where, args = "t."+b.e.key+" IN "+list, all
	}
	b.order = slices.Clone(b.keys)
	return "SELECT " + b.e.selectRows(b.dialect) + " FROM " + b.e.Table + " t WHERE " + where + b.orderBy(b.l.Descending), args
}

// candidates is a condition that holds for every row which has the key at one
// of its levels.
func candidates(e *Entity, key string, resolved bool) (string, []any) {
	var sets []string
	var args []any
	add := func(text string, a ...any) {
		sets, args = append(sets, fmt.Sprintf(text, a...)), append(args, key)
	}
	if resolved && e.IsDevice() {
		add(`SELECT id FROM (WITH RECURSIVE down (id) AS (
			SELECT v.owner_id FROM variables v WHERE v.owner_kind = %d AND v.key = ?
			UNION SELECT d.id FROM devices d JOIN down ON d.parent_id = down.id) SELECT id FROM down) family`, ownDevice)
	} else {
		add("SELECT v.owner_id FROM variables v WHERE v.owner_kind = %d AND v.key = ?", e.owner)
	}
	if resolved {
		for _, from := range e.inherits {
			above := fmt.Sprintf("SELECT o.%s FROM variables v JOIN %s o ON o.%s = v.owner_id WHERE v.owner_kind = %d AND v.key = ?",
				from.to.key, from.to.Table, from.to.ownerID, from.to.owner)
			add("SELECT x.%s FROM %s x WHERE x.%s IN (%s)", e.ownerID, e.Table, from.column, above)
		}
	}
	return "t." + e.ownerID + " IN (" + strings.Join(sets, " UNION ALL ") + ")", args
}
