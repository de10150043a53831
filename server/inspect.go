package server

import (
	"context"

	"github.com/craton-fleet/craton/server/store"
	"github.com/craton-fleet/craton/server/store/engine"
)

// Inspection is what a database file looks like from outside.
type Inspection = store.Inspection

// Inspect looks at the database "sqlite:PATH" without changing it: whose file
// it is, its schema, its health, and whether it can be written to. [Open]
// would bring an older schema up to date.
func Inspect(ctx context.Context, database string) (Inspection, error) {
	return store.Inspect(ctx, database)
}

// DatabaseError is a database that cannot do what was asked, although nothing is
// wrong with the request: a full disk, a file that may only be read, a damaged
// one.
type DatabaseError = store.DatabaseError

// What is in the place of a database, and is none that this program can use.
var (
	ErrForeign = store.ErrForeign // no database of this program's
	ErrNewer   = store.ErrNewer   // one that a later version has written
)

// Reasons of a [DatabaseError] that the permissions of files explain.
const (
	ReadOnly = engine.ReadOnly
	NoAccess = engine.NoAccess
)
