package server

import (
	"context"

	"github.com/craton-fleet/craton/server/store"
)

// Inspection is what a database file looks like from outside.
type Inspection = store.Inspection

// Inspect looks at the database "sqlite:PATH" without changing it: whose file
// it is, its schema, its health, and whether it can be written to. [Open]
// would bring an older schema up to date.
func Inspect(ctx context.Context, database string) (Inspection, error) {
	return store.Inspect(ctx, database)
}
