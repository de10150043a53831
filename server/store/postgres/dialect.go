package postgres

import "github.com/craton-fleet/craton/server/store/engine"

// dialect is what PostgreSQL says in its own way. Text is compared byte by byte
// (see the schema), so ILIKE folds ASCII letters only. The planner has
// statistics and chooses by itself.
var dialect = &engine.Dialect{
	Like:       func(column string) string { return column + ` ILIKE ? ESCAPE '\'` },
	Unindexed:  func(column string) string { return column },
	Ordered:    "JOIN",
	NullsFirst: " NULLS FIRST",
	NullsLast:  " NULLS LAST",
	Shared:     " FOR KEY SHARE OF t",
	Changing:   " FOR NO KEY UPDATE OF t",
	Removing:   " FOR UPDATE OF t",
	Alone:      "SELECT version FROM " + versionTable + " FOR UPDATE",
}
