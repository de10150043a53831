package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/craton-fleet/craton/server/store/engine"
)

// Place is the destination of [Store.Move].
type Place struct {
	Region *int64 // nil for the region of Cell or, without Cell, the current region
	Cell   *int64 // nil keeps a device in its cell if the region does not change
	NoCell bool   // remove a device from its cell
}

// Move moves a device to another region or cell, or a cell with its devices and networks to another region, and returns
// the row. Ids, variables, labels, interfaces and children do not change. Parents and networks may remain in another
// region of the project, which creation also allows. Moving an object to its current place changes nothing.
//
// Move fails with [Invalid] for a place that is not in the object's project, or for places that contradict each other,
// with [Conflict] for a name that is taken in the region, and with [NotFound]. Then nothing is moved.
func (s *Store) Move(ctx context.Context, e *Entity, sc Scope, id string, to Place) (Row, error) {
	var row Row
	err := s.write(ctx, func(ctx context.Context, q *session) (err error) {
		if row, err = q.find(ctx, e, sc, id, removing); err != nil {
			return err
		}
		row, err = q.move(ctx, e, row, to)
		return err
	})
	return row, err
}

// move is [Store.Move] for a locked row.
func (q *session) move(ctx context.Context, e *Entity, row Row, to Place) (Row, error) {
	target, err := q.target(ctx, e, row, to)
	if err != nil {
		return row, err
	}
	moves := false
	for column, v := range target {
		moves = moves || row[e.Index(column)] != v
	}
	if !moves {
		return row, nil
	}
	if err := q.checkNames(ctx, e, row, target["region_id"]); err != nil {
		return row, err
	}
	at, key := q.store.now(), row[e.Index(e.key)]
	if !e.IsDevice() {
		if err := q.lockContents(ctx, []*Entity{Devices, Networks}, "cell_id", key); err != nil {
			return row, err
		}
	}
	if err := q.recordMoved(ctx, e, row, target, at.Unix()); err != nil {
		return row, err
	}
	if err := q.place(ctx, e, "id", key, target, at.Unix()); err != nil {
		return row, err
	}
	if !e.IsDevice() {
		if err := q.moveWithin(ctx, key, target, at.Unix()); err != nil {
			return row, err
		}
	}
	if row, err = q.get(ctx, e, Scope{All: true}, key, unlocked); err != nil {
		return row, err
	}
	row[e.Index("updated_at")] = Micros(at.UnixMicro())
	return row, nil
}

// moveWithin moves the contents of a cell.
func (q *session) moveWithin(ctx context.Context, cell any, to Values, at int64) error {
	to = maps.Clone(to)
	delete(to, "cell_id")
	for _, inner := range []*Entity{Devices, Networks} {
		c := q.conditions()
		c.equal("t.cell_id", cell, true)
		err := q.pieces(ctx, inner, c, func(rows []Row) error {
			for _, row := range rows {
				if err := q.recordMoved(ctx, inner, row, to, at); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := q.place(ctx, inner, "cell_id", cell, to, at); err != nil {
			return err
		}
	}
	return nil
}

// target returns the columns that describe the new place of a row.
func (q *session) target(ctx context.Context, e *Entity, row Row, to Place) (Values, error) {
	was := func(column string) any { return row[e.Index(column)] }
	project, _ := was("project_id").(string)
	at := Values{"project_id": project, "cloud_id": was("cloud_id"), "region_id": was("region_id")}
	lead := func(from *Entity, id any, column string) error { // copies a column from a place, such as the region of a cell
		found, err := q.get(ctx, from, Scope{Project: project}, id, shared)
		if err == nil {
			at[column] = found[from.Index(column)]
		} else if IsCode(err, NotFound) {
			err = nil // checkRefs returns the error
		}
		return err
	}
	switch {
	case to.Region != nil:
		at["region_id"] = *to.Region
	case to.Cell != nil:
		if err := lead(Cells, *to.Cell, "region_id"); err != nil {
			return nil, err
		}
	}
	if e.IsDevice() {
		switch {
		case to.Cell != nil:
			at["cell_id"] = *to.Cell
		case to.NoCell || at["region_id"] != was("region_id"):
			at["cell_id"] = nil
		default:
			at["cell_id"] = was("cell_id")
		}
	}
	if err := lead(Regions, at["region_id"], "cloud_id"); err != nil {
		return nil, err
	}
	return at, q.checkRefs(ctx, e, at, at)
}

// checkNames refuses a move to a region in which the name of the moved object, or of one of its contents, is taken.
func (q *session) checkNames(ctx context.Context, e *Entity, row Row, region any) error {
	if region == row[e.Index("region_id")] {
		return nil
	}
	id := row[e.Index(e.key)]
	type clash struct{ mine, theirs string }
	clashes := []clash{{e.Table, "m.id"}}
	if e == Cells {
		clashes = append(clashes, clash{devicesTable, "m.cell_id"}, clash{Networks.Table, "m.cell_id"})
	}
	for _, c := range clashes {
		kind := fmt.Sprintf("'%s', '%[1]s'", c.mine)
		if c.mine == devicesTable {
			kind = "m.type, t.type"
		}
		var mine, theirs, name string
		var mineID, theirsID int64
		err := q.row(ctx, fmt.Sprintf(`SELECT %s, m.id, t.id, m.name FROM %[2]s m JOIN %[2]s t ON t.region_id = ? AND t.name = m.name
			WHERE %[3]s = ? ORDER BY m.id LIMIT 1`, kind, c.mine, c.theirs), []any{region, id}, &mine, &theirs, &mineID, &theirsID, &name)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		what := fmt.Sprintf("The %s cannot be moved", e.describeRow(row))
		if c.theirs == "m.cell_id" {
			what += fmt.Sprintf(" with the %s %q (id %d) in it", nounOf(mine), name, mineID)
		}
		return refuse(Conflict, "%s: the %s %q (id %d) is in the region %v already. Rename one of them first.", what, nounOf(theirs), name, theirsID, region)
	}
	return nil
}

// place stores the new place of rows. It returns a [Conflict] for a name that a concurrent write has just taken.
func (q *session) place(ctx context.Context, e *Entity, column string, key any, to Values, at int64) error {
	sets, args := "updated_at = ?", []any{at}
	for _, name := range []string{"cloud_id", "region_id", "cell_id"} {
		if v, ok := to[name]; ok {
			sets, args = sets+", "+name+" = ?", append(args, v)
		}
	}
	err := q.exec(ctx, fmt.Sprintf("UPDATE %s SET %s WHERE %s = ?", e.Table, sets, column), append(args, key))
	if errors.Is(err, engine.ErrUnique) { // the name was taken after checkNames
		return refuse(Conflict, "A name in the region %v was taken just now. Move it again.", to["region_id"])
	}
	return err
}

// recordMoved records the move of a row.
func (q *session) recordMoved(ctx context.Context, e *Entity, row Row, to Values, at int64) error {
	moved := slices.Clone(row)
	for name, v := range to {
		if i := e.Index(name); i >= 0 {
			moved[i] = v
		}
	}
	moved[e.Index("updated_at")] = Micros(at * 1e6)
	return q.recordUpdate(ctx, Moved, e, row, moved)
}
