//go:build collection

package store

import (
	"context"
	"errors"

	"github.com/craton-fleet/craton/server/store/engine"
)

func openPostgres(context.Context, string, engine.Options, []string) (engine.Engine, error) {
	return nil, errNoPostgres
}

var errNoPostgres = errors.New("this build of craton, which came with the collection craton.fleet, has no PostgreSQL: take the program from its releases or build it (make build), and run `craton server` with that")

func openReplicaEngine(context.Context, string, engine.Options) (engine.Replica, error) {
	return nil, errNoPostgres
}
