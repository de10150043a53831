package server

import (
	"context"

	"github.com/craton-fleet/craton/server/store"
	"github.com/craton-fleet/craton/server/store/engine"
)

// Inspection is the result of [Inspect].
type Inspection = store.Inspection

// Inspect checks the database "sqlite:PATH" without changing it: whether the file is a Craton database, its schema, its
// health, and whether it can be written. [Open] would migrate an older schema.
func Inspect(ctx context.Context, database string) (Inspection, error) {
	return store.Inspect(ctx, database)
}

// DatabaseError is the error for a database that cannot serve a valid request: a full disk, a read-only file, a damaged
// one.
type DatabaseError = store.DatabaseError

// Errors for a database that this program cannot use.
var (
	ErrForeign = store.ErrForeign // not a Craton database
	ErrNewer   = store.ErrNewer   // written by a newer version
)

// Reasons of a [DatabaseError] that file permissions explain.
const (
	ReadOnly = engine.ReadOnly
	NoAccess = engine.NoAccess
)
