//go:build !collection

package store

import (
	"context"

	"github.com/craton-fleet/craton/server/store/engine"
	"github.com/craton-fleet/craton/server/store/postgres"
)

func openPostgres(ctx context.Context, database string, o engine.Options, migrations []string) (engine.Engine, error) {
	e, err := postgres.Open(ctx, database, migrations, o)
	if err != nil {
		return nil, err
	}
	return e, nil
}

func openReplicaEngine(ctx context.Context, database string, o engine.Options) (engine.Replica, error) {
	r, err := postgres.OpenReplica(ctx, database, o)
	if err != nil {
		return nil, err
	}
	return r, nil
}
