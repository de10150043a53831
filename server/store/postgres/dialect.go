package postgres

import (
	"fmt"
	"strings"

	"github.com/craton-fleet/craton/server/store/engine"
)

// The limits for the indexes of values. The index of short values contains complete values and their owners, so that
// the table need not be read. The size of an index entry is limited, so long values have an index of their beginnings.
const (
	shortValue = "64"
	letters    = "32"
)

// dialect is the dialect of PostgreSQL. The schema compares text byte by byte, so ILIKE only folds ASCII letters. The
// planner has statistics, so it chooses indexes and the order of joins itself.
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
