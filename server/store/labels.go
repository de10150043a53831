package store

import (
	"context"
	"slices"
)

// labels reads the labels of a page's devices, sorted.
func (q *session) labels(ctx context.Context, e *Entity, rows []Row) ([][]string, error) {
	sets := make([][]string, len(rows))
	if len(rows) == 0 {
		return sets, nil
	}
	key := e.Index("id")
	at := make(map[int64]int, len(rows))
	ids := make([]any, len(rows))
	for i, row := range rows {
		ids[i] = row[key]
		at[row[key].(int64)] = i
	}
	those, args, _ := among("device_id", nil, ids)
	var id int64
	var label string
	err := q.each(ctx, "SELECT device_id, label FROM labels WHERE "+those+" ORDER BY device_id, label",
		args, []any{&id, &label}, func() {
			if i, ok := at[id]; ok {
				sets[i] = append(sets[i], label)
			}
		})
	return sets, err
}

// AddLabels adds labels to a device and returns all it has then, sorted.
func (s *Store) AddLabels(ctx context.Context, e *Entity, sc Scope, id string, labels []string) ([]string, error) {
	var set []string
	err := s.write(ctx, func(ctx context.Context, q *session) error {
		row, err := q.find(ctx, e, sc, id, changing)
		if err != nil {
			return err
		}
		before, err := q.labels(ctx, e, []Row{row})
		if err != nil {
			return err
		}
		if err := q.addLabels(ctx, row[e.Index("id")], int64(row[e.Index("created_at")].(Micros))/1e6, labels); err != nil {
			return err
		}
		if err := q.checkLabels(ctx, row[e.Index("id")], e.describeRow(row)); err != nil {
			return err
		}
		after, err := q.labels(ctx, e, []Row{row})
		if err != nil {
			return err
		}
		set = after[0]
		return q.recordLabels(ctx, e, row, before[0], set)
	})
	return set, err
}

// RemoveLabels takes labels from a device; those it has not are ignored.
func (s *Store) RemoveLabels(ctx context.Context, e *Entity, sc Scope, id string, labels []string) error {
	return s.write(ctx, func(ctx context.Context, q *session) error {
		row, err := q.find(ctx, e, sc, id, changing)
		if err != nil {
			return err
		}
		before, err := q.labels(ctx, e, []Row{row})
		if err != nil {
			return err
		}
		for _, label := range labels {
			if err := q.exec(ctx, "DELETE FROM labels WHERE device_id = ? AND label = ?", []any{row[e.Index("id")], label}); err != nil {
				return err
			}
		}
		after := slices.DeleteFunc(slices.Clone(before[0]), func(label string) bool { return slices.Contains(labels, label) })
		return q.recordLabels(ctx, e, row, before[0], after)
	})
}

func (q *session) addLabels(ctx context.Context, device, createdAt any, labels []string) error {
	return q.insertRows(ctx, "INSERT INTO labels (device_id, label, created_at)", "ON CONFLICT (device_id, label) DO NOTHING",
		len(labels), func(i int, args []any) []any { return append(args, device, labels[i], createdAt) })
}

// sorted is a set of labels as [session.labels] gives it.
func sorted(labels []string) []string { return slices.Compact(slices.Sorted(slices.Values(labels))) }
