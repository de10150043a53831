package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Columns that v1 does not have. They are null by default.
const (
	protected = "protected"
	setName   = "set_name"
)

// Protected reports whether the object of a row is protected.
func (e *Entity) Protected(row Row) bool { return row.protected(e) }

func (r Row) protected(e *Entity) bool {
	i := e.Index(protected)
	return i >= 0 && r[i] == true
}

// Protected returns the protected objects in the scope, ordered by id. within restricts them to the contents of a
// place, by a column of the contents and the place's id, such as region_id. Projects are not included.
func (v *View) Protected(ctx context.Context, sc Scope, within map[string]any) (Members, error) {
	all := Members{}
entities:
	for _, e := range inSets() {
		c := v.q.conditions() // few objects are protected, so begin with the index of these
		c.add("t." + protected)
		sc.where(e, &c, false)
		if e.Kind != "" {
			c.equal("t.type", e.Kind, false)
		}
		from := e.Table + " t"
		for _, column := range slices.Sorted(maps.Keys(within)) {
			at := "t."
			if e.Index(column) < 0 {
				if e != NetworkInterfaces {
					continue entities
				}
				from, at = e.Table+" t JOIN "+devicesTable+" d ON d.id = t.device_id", "d."
			}
			c.equal(at+column, within[column], false)
		}
		var id int64
		err := v.q.each(ctx, "SELECT t.id FROM "+from+c.String()+" ORDER BY t.id", c.args, []any{&id}, func() { all[e.of.Name] = append(all[e.of.Name], id) })
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Protect protects or unprotects an object. A protected object cannot be deleted, neither alone nor with the place that
// contains it. Protect fails with [NotFound] if there is no such object in the scope.
func (s *Store) Protect(ctx context.Context, e *Entity, sc Scope, id string, on bool) error {
	return s.write(ctx, func(ctx context.Context, q *session) error {
		row, err := q.find(ctx, e, sc, id, changing)
		if err != nil {
			return err
		}
		return q.protect(ctx, e, row, on)
	})
}

// protect is [Store.Protect] for a locked row.
func (q *session) protect(ctx context.Context, e *Entity, row Row, on bool) error {
	var to any // null, not false: then the log does not mention protection for objects that were never protected
	if on {
		to = true
	}
	return q.setQuietly(ctx, e, []Row{row}, protected, to)
}

// setQuietly changes a column of locked rows without setting updated_at.
func (q *session) setQuietly(ctx context.Context, e *Entity, rows []Row, column string, to any) error {
	at := e.Index(column)
	rows = slices.DeleteFunc(slices.Clone(rows), func(row Row) bool { return row[at] == to })
	if len(rows) == 0 {
		return nil
	}
	keys := make([]any, len(rows))
	for i, row := range rows {
		keys[i] = row[e.Index(e.key)]
	}
	list, args := in([]any{to}, keys)
	if err := q.queueExec(ctx, "UPDATE "+e.Table+" SET "+column+" = ? WHERE "+e.key+" IN "+list, args); err != nil {
		return err
	}
	for _, row := range rows {
		now := slices.Clone(row)
		now[at] = to
		if err := q.recordUpdate(ctx, Updated, e, row, now); err != nil {
			return err
		}
	}
	return nil
}

// maxListedProtected is the maximum number of protected objects in an error message.
const maxListedProtected = 3

// keepProtected refuses to delete an object whose contents, which must be locked, include protected objects.
func (q *session) keepProtected(ctx context.Context, subject, column string, inside []*Entity, key any) error {
	var found, commands []string
	look := func(e *Entity, from, where string) error {
		var of, name string
		var id any
		title := "name"
		if e != anyDevice {
			title = e.of.Title
		}
		text := fmt.Sprintf("SELECT %s, t.%s, t.%s FROM %s WHERE t."+protected+" AND %s = ? ORDER BY t.%s LIMIT %d", e.kindText(), e.key, title, from, where, e.key, maxListedProtected+1)
		return q.each(ctx, text, []any{key}, []any{&of, &id, &name}, func() {
			found = append(found, fmt.Sprintf("%s %q (id %v)", nounOf(of), name, id))
			commands = append(commands, fmt.Sprintf("craton unprotect %s %v", strings.ReplaceAll(nounOf(of), " ", "-"), id))
		})
	}
	unindexed := q.dialect().Unindexed
	for _, e := range inside {
		if e != anyDevice && e.Index(protected) < 0 {
			continue
		}
		where := unindexed("t." + column) // few objects are protected, so begin with the index of these
		if e == NetworkInterfaces {
			where = "t." + column
		}
		if err := look(e, e.Table+" t", where); err != nil {
			return err
		}
		if e == anyDevice {
			if err := look(NetworkInterfaces, NetworkInterfaces.Table+" t JOIN "+devicesTable+" d ON d.id = t.device_id", unindexed("d."+column)); err != nil {
				return err
			}
		}
	}
	if found == nil {
		return nil
	}
	more := ""
	if len(found) > maxListedProtected {
		found, commands, more = found[:maxListedProtected], commands[:maxListedProtected], " and more"
	}
	are := "is"
	if len(found) > 1 {
		are = "are"
	}
	return refuse(InUse, "The %s cannot be deleted: %s%s in it %s protected; unprotect that first (%s).", subject, strings.Join(found, ", "), more, are, strings.Join(commands, ", "))
}
