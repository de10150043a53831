package store

import (
	"context"
	"fmt"
)

// Parts calls fn with the rows of e that belong to some objects, whose ids are in the given column. It reads one page
// at a time, ordered by id. If s is not nil, it only reads rows that may contain the searched text.
func (v *View) Parts(ctx context.Context, e *Entity, column string, of []int64, s *Search, limit int, fn func([]Row) error) error {
	if len(of) == 0 {
		return nil
	}
	list, args := in(nil, of)
	holds := ""
	if s != nil {
		own := s.holds(v.q.dialect(), e)
		holds, args = " AND "+own.text, append(args, own.args...)
	}
	text := fmt.Sprintf("SELECT %s FROM %s t WHERE t.%s IN %s%s AND t.id > ? ORDER BY t.id LIMIT %d", e.selectList(), e.Table, column, list, holds, limit)
	for after := int64(0); ; {
		rows := make([]Row, 0, limit)
		scan := newScanner(e)
		if err := v.q.each(ctx, text, append(args[:len(args):len(args)], after), scan.dest, func() { rows = append(rows, scan.row()) }); err != nil {
			return err
		}
		if len(rows) > 0 {
			if err := fn(rows); err != nil {
				return err
			}
		}
		if len(rows) < limit {
			return nil
		}
		after = rows[len(rows)-1][e.Index("id")].(int64) //nolint:forcetypeassert // ids are int64
	}
}

// CrossRegionParents returns the ids of the devices outside a place that have descendants in the place, in order.
// Devices in the place also inherit from these. column is the column of devices with the place's id.
func (v *View) CrossRegionParents(ctx context.Context, column string, place int64) (ids []int64, err error) {
	var id int64
	err = v.q.each(ctx, fmt.Sprintf(`WITH RECURSIVE up (id, parent_id) AS (
			SELECT p.id, p.parent_id FROM devices c JOIN devices p ON p.id = c.parent_id WHERE c.%[1]s = ? AND (p.%[1]s IS NULL OR p.%[1]s <> ?)
			UNION SELECT parent_id, (SELECT d.parent_id FROM devices d WHERE d.id = up.parent_id) FROM up WHERE parent_id IS NOT NULL)
		SELECT d.id FROM up JOIN devices d ON d.id = up.id WHERE d.%[1]s IS NULL OR d.%[1]s <> ? ORDER BY d.id`, column),
		[]any{place, place, place}, []any{&id}, func() { ids = append(ids, id) })
	return ids, err
}

// Labels returns the sorted labels of each of several devices, of either kind.
func (v *View) Labels(ctx context.Context, rows []Row) ([][]string, error) {
	return v.q.labels(ctx, Devices, rows)
}
