package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/craton-fleet/craton/internal/schema"
)

// SetSize is the name of a set and the number of its objects. The number is never 0, because a set without objects does
// not exist.
type SetSize struct {
	Name    string
	Members int64
}

// Members has the ids of objects, by kind.
type Members map[string][]int64

// SetChange is a change of a set by [Store.ChangeSet].
type SetChange struct {
	Add, Remove Members
	Only        bool // the set afterwards only has the added objects
	Adopt       bool // also add objects that belong to another set
}

// inSets returns the entities whose objects can belong to sets, places before their contents.
func inSets() []*Entity {
	var all []*Entity
	for _, k := range schema.All() {
		if k.InSets() {
			all = append(all, known[k])
		}
	}
	return all
}

// SetOf returns the name of the set that the object of a row belongs to, or "" for none.
func (e *Entity) SetOf(row Row) string {
	if i := e.Index(setName); i >= 0 {
		name, _ := row[i].(string)
		return name
	}
	return ""
}

// NamedSets returns the sets of a project, sorted by name.
func (v *View) NamedSets(ctx context.Context, project string) ([]SetSize, error) {
	sizes := map[string]int64{}
	for _, e := range inSets() {
		if e == NetworkDevices { // they are in the table of hosts
			continue
		}
		var name string
		var n int64
		err := v.q.each(ctx, "SELECT set_name, count(*) FROM "+e.Table+" WHERE project_id = ? AND set_name IS NOT NULL GROUP BY set_name",
			[]any{project}, []any{&name, &n}, func() { sizes[name] += n })
		if err != nil {
			return nil, err
		}
	}
	all := make([]SetSize, 0, len(sizes))
	for name, n := range sizes {
		all = append(all, SetSize{name, n})
	}
	slices.SortFunc(all, func(a, b SetSize) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// Members returns the objects of a set, ordered by id.
func (v *View) Members(ctx context.Context, project, name string) (Members, error) {
	all := Members{}
	for _, e := range inSets() {
		c := v.q.conditions()
		c.equal("project_id", project, true)
		c.equal("set_name", name, true)
		if e.Kind != "" {
			c.equal("type", e.Kind, false)
		}
		var id int64
		err := v.q.each(ctx, "SELECT id FROM "+e.Table+c.String()+" ORDER BY id", c.args, []any{&id}, func() { all[e.of.Name] = append(all[e.of.Name], id) })
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ChangeSet adds objects of a project to a set and removes others, in one write. An object belongs to at most one set.
// ChangeSet fails with [Conflict] for an object of another set, unless change.Adopt is set, and with [Invalid] for an
// object that is not in the project, or a project that no longer exists.
func (s *Store) ChangeSet(ctx context.Context, project, name string, change SetChange) error {
	for _, some := range []Members{change.Add, change.Remove} {
		for kind := range some {
			if k := schema.ByName(kind); k == nil || !k.InSets() {
				return refuse(Invalid, "%q is not a kind of object that can belong to a set", kind)
			}
		}
	}
	return s.write(ctx, func(ctx context.Context, q *session) error {
		// Without this lock, two concurrent writes that replace a set would not see each other's objects. The project
		// is locked before its objects, like when it is deleted. A write that sets a device's parent locks in the
		// opposite order, and is retried after a deadlock.
		err := q.lockTree(ctx, project)
		if errors.Is(err, sql.ErrNoRows) {
			return errNoProject(project)
		}
		if err != nil {
			return err
		}
		for _, e := range inSets() {
			if err := q.changeSet(ctx, e, project, name, change); err != nil {
				return err
			}
		}
		return nil
	})
}

func (q *session) changeSet(ctx context.Context, e *Entity, project, name string, change SetChange) error {
	add := slices.Compact(slices.Sorted(slices.Values(change.Add[e.of.Name])))
	remove := slices.Compact(slices.Sorted(slices.Values(change.Remove[e.of.Name])))
	if change.Only {
		c := q.conditions()
		c.equal("t.project_id", project, true)
		c.equal("t.set_name", name, true)
		if e.Kind != "" {
			c.equal("t.type", e.Kind, false)
		}
		var id int64
		if err := q.each(ctx, "SELECT t.id FROM "+e.Table+" t"+c.String()+" ORDER BY t.id", c.args, []any{&id}, func() {
			if _, stays := slices.BinarySearch(add, id); !stays {
				remove = append(remove, id)
			}
		}); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(add, pieceRows) {
		rows, err := q.heldByID(ctx, e, project, some)
		if err != nil {
			return err
		}
		if len(rows) < len(some) {
			i := slices.IndexFunc(some, func(id int64) bool {
				return !slices.ContainsFunc(rows, func(row Row) bool { return row[e.Index("id")] == id })
			})
			return refuse(Invalid, "%s %d: there is no such %s in the project.", e.of.Name, some[i], e.Name)
		}
		for _, row := range rows {
			if other := e.SetOf(row); other != "" && other != name && !change.Adopt {
				return refuse(Conflict, "The %s belongs to the set %q: set adopt to move it to this set.", e.describeRow(row), other)
			}
		}
		if err := q.setQuietly(ctx, e, rows, setName, name); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(remove, pieceRows) {
		rows, err := q.heldByID(ctx, e, project, some)
		if err != nil {
			return err
		}
		rows = slices.DeleteFunc(rows, func(row Row) bool { return e.SetOf(row) != name })
		if err := q.setQuietly(ctx, e, rows, setName, nil); err != nil {
			return err
		}
	}
	return nil
}

// heldByID reads and locks objects of a project by their ids.
func (q *session) heldByID(ctx context.Context, e *Entity, project string, ids []int64) (rows []Row, err error) {
	c := q.conditions()
	values := make([]any, len(ids))
	for i, id := range ids {
		values[i] = id
	}
	c.among("t.id", values, true)
	c.equal("t.project_id", project, false)
	if e.Kind != "" {
		c.equal("t.type", e.Kind, false)
	}
	scan := newScanner(e)
	err = q.each(ctx, "SELECT "+e.selectList()+" FROM "+e.Table+" t"+c.String()+" ORDER BY t.id"+q.lockClause(changing), c.args, scan.dest, func() { rows = append(rows, scan.row()) })
	return rows, err
}
