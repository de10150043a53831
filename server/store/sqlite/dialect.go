package sqlite

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"modernc.org/sqlite"

	"github.com/craton-fleet/craton/server/store/engine"
)

// dialect is the dialect of SQLite. It has no lock clauses, because there is only one writer at a time, and nulls are
// lowest by default.
var dialect = &engine.Dialect{
	Name:      "sqlite",
	Like:      func(column string) string { return column + ` LIKE ? ESCAPE '\'` },
	Glob:      engine.Glob{Operator: " GLOB ?", Many: "*", One: "?", Literal: strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace},
	Contains:  func(column string) string { return "instr(" + column + ", ?) > 0" },
	Unindexed: func(column string) string { return "+" + column },
	Ordered:   "CROSS JOIN",
	LastID: func(table, _ string) string {
		return "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = '" + table + "'), 0)"
	},
	SetLastID: func(table, _ string, last int64) []string {
		return []string{
			"DELETE FROM sqlite_sequence WHERE name = '" + table + "'",
			fmt.Sprintf("INSERT INTO sqlite_sequence (name, seq) VALUES ('%s', %d)", table, last),
		}
	},
	Version: "PRAGMA user_version",
	Pack:    func(text, separator string) string { return "group_concat(" + text + ", '" + separator + "')" },
	PackRow: func(columns string) string { return "json_array(" + columns + ")" },
	Match:   match,
}

// The SQL function craton_match(value, handle) applies a predicate to a value. handle is the predicate's key in
// predicates.
var (
	predicates sync.Map // int64 -> func(string) bool
	last       atomic.Int64
)

func init() {
	sqlite.MustRegisterScalarFunction("craton_match", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		handle, _ := args[1].(int64)
		predicate, ok := predicates.Load(handle)
		if !ok {
			return nil, fmt.Errorf("craton_match: no predicate %d", handle)
		}
		value, _ := args[0].(string)
		if predicate.(func(string) bool)(value) {
			return int64(1), nil
		}
		return int64(0), nil
	})
}

// match implements [engine.Dialect].
func match(predicate func(value string) bool) (expression func(value string) (string, any), release func()) {
	handle := last.Add(1)
	predicates.Store(handle, predicate)
	return func(value string) (string, any) { return "craton_match(" + value + ", ?)", handle },
		func() { predicates.Delete(handle) }
}
