package store

import (
	"context"
	"errors"

	"github.com/craton-fleet/craton/server/store/engine"
)

func openPostgres(context.Context, string, bool) (engine.Engine, error) {
	return nil, errors.New("PostgreSQL is not supported in this version")
}
