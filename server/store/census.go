package store

import (
	"context"
	"fmt"

	"github.com/craton-fleet/craton/internal/schema"
)

// Census has the numbers of devices in a snapshot.
type Census struct {
	Revision int64                     // revision of the snapshot
	Devices  map[string]map[string]int // project id -> kind ("host", "network-device") -> number
}

// Newest returns the newest revision of the change log.
func (s *Store) Newest(ctx context.Context) (revision int64, err error) {
	err = s.readOne(ctx, func(ctx context.Context, q *session) error {
		return q.row(ctx, "SELECT revision FROM log", nil, &revision)
	})
	return revision, err
}

// Census counts the hosts and network devices of every project, including projects without devices. It costs one scan
// of an index.
func (s *Store) Census(ctx context.Context) (c Census, err error) {
	err = s.read(ctx, func(ctx context.Context, q *session) error {
		c = Census{Devices: map[string]map[string]int{}}
		var project, kind string
		var n int
		if err := q.row(ctx, "SELECT revision FROM log", nil, &c.Revision); err != nil {
			return err
		}
		err := q.each(ctx, "SELECT id FROM projects", nil, []any{&project}, func() {
			c.Devices[project] = map[string]int{schema.Host.Name: 0, schema.NetworkDevice.Name: 0}
		})
		if err != nil {
			return err
		}
		return q.each(ctx, "SELECT project_id, type, count(*) FROM devices GROUP BY project_id, type", nil, []any{&project, &kind, &n}, func() {
			c.Devices[project][deviceKind(kind)] = n
		})
	})
	if err != nil {
		return Census{}, fmt.Errorf("count devices: %w", err)
	}
	return c, nil
}
