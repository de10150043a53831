package store

import (
	"context"
	"slices"
)

// labels returns the sorted labels of each of a page's devices.
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

// AddLabels adds labels to a device. It returns all labels of the device afterwards, sorted.
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
		set, err = q.changeLabels(ctx, e, row, before[0], labels, nil)
		return err
	})
	return set, err
}

// changeLabels adds and removes labels of a locked row. It returns the labels afterwards.
func (q *session) changeLabels(ctx context.Context, e *Entity, row Row, before, add, remove []string) ([]string, error) {
	id := row[e.Index("id")]
	after := slices.DeleteFunc(slices.Clone(before), func(label string) bool { return slices.Contains(remove, label) })
	after = sorted(append(after, add...))
	if slices.Equal(before, after) {
		return after, nil
	}
	for _, label := range before {
		if _, stays := slices.BinarySearch(after, label); !stays {
			if err := q.exec(ctx, "DELETE FROM labels WHERE device_id = ? AND label = ?", []any{id, label}); err != nil {
				return nil, err
			}
		}
	}
	if err := q.addLabels(ctx, id, int64(row[e.Index("created_at")].(Micros))/1e6, add); err != nil {
		return nil, err
	}
	if err := q.store.limits.checkLabels(e.describeRow(row), len(after)); err != nil {
		return nil, err
	}
	return after, q.recordLabels(ctx, e, row, before, after)
}

// RemoveLabels removes labels from a device. It ignores labels that the device does not have.
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
		_, err = q.changeLabels(ctx, e, row, before[0], nil, labels)
		return err
	})
}

func (q *session) addLabels(ctx context.Context, device, createdAt any, labels []string) error {
	return q.insertRows(ctx, "INSERT INTO labels (device_id, label, created_at)", "ON CONFLICT (device_id, label) DO NOTHING",
		len(labels), func(i int, args []any) []any { return append(args, device, labels[i], createdAt) })
}

// sorted returns labels in order and without duplicates.
func sorted(labels []string) []string { return slices.Compact(slices.Sorted(slices.Values(labels))) }
