package postgres

import (
	"fmt"
	"strings"

	"github.com/craton-fleet/craton/server/store/engine"
)

// The index of short values has whole ones with their owners, so that the table itself
// need not be read. It could not have long ones.
const (
	shortValue = "64"
	letters    = "32"
)

// dialect is what PostgreSQL says in its own way. Text is compared byte by byte
// (see the schema), so ILIKE folds ASCII letters only. The planner has
// statistics and chooses by itself.
var dialect = &engine.Dialect{
	Name:       "postgres",
	Like:       func(column string) string { return column + ` ILIKE ? ESCAPE '\'` },
	Glob:       engine.Glob{Operator: ` LIKE ? ESCAPE '\'`, Many: "%", One: "_", Literal: strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace},
	Values:     &engine.Values{Short: "octet_length(v.value) <= " + shortValue, Long: "octet_length(v.value) > " + shortValue, Beginning: "left(v.value, " + letters + ")", Max: 64, Letters: 32},
	Replan:     "SELECT set_config(name, 'force_custom_plan', true) FROM pg_settings WHERE name = 'plan_cache_mode'",
	Contains:   func(column string) string { return "strpos(" + column + ", ?) > 0" },
	Unindexed:  func(column string) string { return column },
	Ordered:    "JOIN",
	NullsFirst: " NULLS FIRST",
	NullsLast:  " NULLS LAST",
	Shared:     " FOR KEY SHARE OF t",
	Changing:   " FOR NO KEY UPDATE OF t",
	Removing:   " FOR UPDATE OF t",
	LastID: func(table, column string) string {
		return fmt.Sprintf("SELECT CASE WHEN has_sequence_privilege(s, 'SELECT') THEN COALESCE(pg_sequence_last_value(s::regclass), 0) END FROM pg_get_serial_sequence('%s', '%s') s", table, column)
	},
	SetLastID: func(table, column string, last int64) []string {
		return []string{fmt.Sprintf("SELECT setval(pg_get_serial_sequence('%s', '%s'), %d, %t)", table, column, max(last, 1), last > 0)}
	},
	Version:    "SELECT version FROM " + versionTable,
	Statistics: "ANALYZE",
	Together:   true,
	Alone:      "SELECT version FROM " + versionTable + " FOR UPDATE",
}
