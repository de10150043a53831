package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/where"
)

// choice has the criteria for the rows of a listing, in addition to its filters.
type choice struct {
	conditions []condition
	predicates []predicate
}

// condition is a part of a WHERE clause.
type condition struct {
	text string
	args []any
}

// choose translates the terms of a listing to SQL. A term that can use an index becomes a filter of the listing.
func (q *session) choose(ctx context.Context, e *Entity, sc Scope, l *List) (choice, error) {
	var all choice
	for i := range l.Vars {
		t := &l.Vars[i]
		p := predicate{key: t.Key, resolved: l.VarsOfAll, match: t.Match, starts: t.Starts()}
		if signs := t.Signs(); len(signs) > 0 {
			p.signs = [][]string{signs}
		}
		all.predicates = append(all.predicates, p)
	}
	if l.Where.IsAll() {
		return all, nil
	}
	l.Filters = slices.Clone(l.Filters)
	terms := chooser{q: q, e: e, sc: sc, l: l, choice: &all}
	for i := range l.Where.Terms {
		if err := terms.add(ctx, &l.Where.Terms[i]); err != nil {
			return all, err
		}
	}
	return all, nil
}

type chooser struct {
	q  *session
	e  *Entity
	sc Scope
	l  *List
	*choice
}

func (c *chooser) add(ctx context.Context, t *where.Term) error {
	switch f := t.Field; f.Type {
	case where.LabelField:
		c.label(t)
	case where.PlaceField:
		return c.place(ctx, t)
	case where.TextField:
		c.text(t)
	case where.AddressField:
		c.address(t)
	case where.IDField:
		ids := make([]any, len(t.Values))
		for i, v := range t.Values {
			ids[i] = v.ID
		}
		c.oneOf(t, f.Key, ids)
	case where.FlagField:
		wanted := map[bool]bool{}
		for _, v := range t.Values {
			wanted[v.Flag] = true
		}
		if len(wanted) == 1 {
			c.condition(t.Not, "COALESCE(t."+f.Key+", FALSE) = ?", wanted[true])
		} else if t.Not {
			c.condition(false, "1 = 0")
		}
	default:
		p := predicate{key: t.Key, resolved: !t.Own, not: t.Not}
		if len(t.Path) > 0 || len(t.Values) > 0 {
			p.match, p.signs, p.starts = t.MatchValue, t.Signs(), t.Starts()
		}
		c.predicates = append(c.predicates, p)
	}
	return nil
}

// condition adds a condition or its negation. A missing value does not match the condition, so it matches the negation.
func (c *chooser) condition(not bool, text string, args ...any) {
	if not {
		text = "NOT COALESCE((" + text + "), FALSE)"
	}
	c.conditions = append(c.conditions, condition{text, args})
}

// oneOf adds a term that a column has one of the values, or any value if there are no values. The term may be negated.
func (c *chooser) oneOf(t *where.Term, column string, values []any) {
	switch {
	case len(values) == 0:
		c.condition(t.Not, "t."+column+" IS NOT NULL")
	case t.Not:
		list, args := in(nil, values)
		c.condition(true, c.q.dialect().Unindexed("t."+column)+" IN "+list, args...)
	case len(values) == 1:
		c.l.Filters = append(c.l.Filters, Filter{Column: column, Value: values[0]})
	case c.unique(column):
		c.l.Filters = append(c.l.Filters, Filter{Column: column, Values: values})
	default:
		list, args := in(nil, values)
		c.condition(false, c.q.dialect().Unindexed("t."+column)+" IN "+list, args...)
	}
}

// unique reports whether only few rows have the same value in a column, so that it is faster to look up and sort these
// rows than to scan in order.
func (c *chooser) unique(column string) bool {
	return slices.Contains([]string{"id", "name", "ip_address", "parent_id"}, column) && slices.Contains(c.e.drive, column)
}

// label adds a term about the labels of devices. If the listing has no label filter yet, a required label becomes its
// filter, because an index has the devices with a label in order.
func (c *chooser) label(t *where.Term) {
	if len(t.Values) == 1 && !t.Not && !c.l.HasLabel {
		if text, ok := t.Values[0].Pattern.Literal(); ok {
			c.l.Label, c.l.HasLabel = text, true
			return
		}
	}
	text, args := "SELECT 1 FROM labels w WHERE w.device_id = t.id", []any(nil)
	if len(t.Values) > 0 {
		has, more := c.patterns("w.label", t.Values, func(v where.Value) where.Pattern { return v.Pattern })
		text, args = text+" AND "+has, more
	}
	c.condition(t.Not, "EXISTS ("+text+")", args...)
}

// text adds a term about a text column. A missing text counts as an empty text.
func (c *chooser) text(t *where.Term) {
	column, key := c.e.column(t.Field.Key), t.Field.Key
	expr := "t." + key
	if column.Nullable {
		expr = "COALESCE(" + expr + ", '')"
	}
	if len(t.Values) == 0 {
		c.condition(t.Not, expr+" <> ''")
		return
	}
	literals := make([]any, 0, len(t.Values))
	for _, v := range t.Values {
		if text, ok := v.Pattern.Literal(); ok {
			literals = append(literals, text)
		}
	}
	if len(literals) == len(t.Values) && !column.Nullable {
		c.oneOf(t, key, literals)
		return
	}
	if !column.Nullable {
		expr = c.q.dialect().Unindexed(expr)
	}
	text, args := c.patterns(expr, t.Values, func(v where.Value) where.Pattern { return v.Pattern })
	c.condition(t.Not, text, args...)
}

// patterns returns the condition that a text matches at least one of several patterns.
func (c *chooser) patterns(expr string, values []where.Value, of func(where.Value) where.Pattern) (string, []any) {
	var ways []string
	var literals, args []any
	glob := c.q.dialect().Glob
	for _, v := range values {
		p := of(v)
		if text, ok := p.Literal(); ok {
			literals = append(literals, text)
			continue
		}
		ways, args = append(ways, expr+glob.Operator), append(args, p.Translate(glob.Many, glob.One, glob.Literal))
	}
	if len(literals) > 0 {
		var list string
		list, args = in(args, literals)
		ways = append(ways, expr+" IN "+list)
	}
	return "(" + strings.Join(ways, " OR ") + ")", args
}

// address adds a term about a column of addresses.
func (c *chooser) address(t *where.Term) {
	single := make([]any, 0, len(t.Values))
	for _, v := range t.Values {
		if v.Range.IsSingleIP() && c.e.IsDevice() {
			single = append(single, v.Range.Addr().String())
		}
	}
	if len(single) == len(t.Values) {
		c.oneOf(t, t.Field.Key, single)
		return
	}
	c.predicates = append(c.predicates, predicate{column: t.Field.Key, not: t.Not, match: func(text string) bool {
		return slices.ContainsFunc(t.Values, func(v where.Value) bool { return v.Contains(text) })
	}})
}

// maxPlaces is the maximum number of places that a term is translated to a list of ids for.
const maxPlaces = 200

// place adds a term about the name of a row's place or parent. It looks up the names first, because indexes have ids.
func (c *chooser) place(ctx context.Context, t *where.Term) error {
	column := t.Field.Key
	if len(t.Values) == 0 {
		c.condition(t.Not, "t."+column+" IS NOT NULL")
		return nil
	}
	if column == "" { // the place is the row itself
		text, args := c.named("t", c.e.of, t.Values)
		c.condition(t.Not, text, args...)
		return nil
	}
	kind := c.e.of.Field(column)
	of := known[schema.ByName(kind.To[0])]
	if len(kind.To) > 1 {
		of = Devices
	}
	text, args := c.named("p", of.of, t.Values)
	if !c.sc.All {
		text, args = text+" AND p.project_id = ?", append(args, c.sc.Project)
	}
	text = "SELECT p.id FROM " + of.Table + " p WHERE " + text
	var id any
	var ids []any
	err := c.q.each(ctx, text+fmt.Sprintf(" ORDER BY p.id LIMIT %d", maxPlaces+1), args, []any{&id}, func() { ids = append(ids, id) })
	switch {
	case err != nil:
		return err
	case len(ids) == 0:
		if !t.Not {
			c.condition(false, "1 = 0")
		}
	case len(ids) <= maxPlaces:
		c.oneOf(t, column, ids)
	default:
		c.condition(t.Not, c.q.dialect().Unindexed("t."+column)+" IN ("+text+")", args...)
	}
	return nil
}

// named returns the condition that a place or device has one of the names, or paths whose earlier elements are the
// names of the places that contain it.
func (c *chooser) named(alias string, k *schema.Kind, values []where.Value) (string, []any) {
	var ways []string
	var plain []where.Value // names without a path; most names are
	var args []any
	last := func(v where.Value) where.Pattern { return v.Path[len(v.Path)-1] }
	for _, v := range values {
		if len(v.Path) == 1 {
			plain = append(plain, v)
			continue
		}
		text, more := c.patterns(alias+".name", []where.Value{v}, last)
		around, below := schema.Region, "region_id"
		if k == schema.Region {
			around, below = schema.Cloud, "cloud_id"
		}
		inner := alias + "x"
		within, evenMore := c.named(inner, around, []where.Value{{Path: v.Path[:len(v.Path)-1]}})
		ways = append(ways, text+" AND "+alias+"."+below+" IN (SELECT "+inner+".id FROM "+known[around].Table+" "+inner+" WHERE "+within+")")
		args = append(append(args, more...), evenMore...)
	}
	if len(plain) > 0 {
		text, more := c.patterns(alias+".name", plain, last)
		ways, args = append(ways, text), append(args, more...)
	}
	return "(" + strings.Join(ways, " OR ") + ")", args
}
