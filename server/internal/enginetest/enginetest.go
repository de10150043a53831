// Package enginetest runs the tests of a package on every database that the
// store has: on a SQLite file, on PostgreSQL, and on PostgreSQL behind a pgbouncer
// in transaction mode. Only tests import it.
//
//	func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }
//
//	func TestHosts(t *testing.T) {
//		s, err := server.Open(t.Context(), enginetest.Database(t), server.Options{Create: true})
//
// CRATON_TEST_ENGINE names the one of them that is wanted, for who is in a hurry.
package enginetest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // the driver

	"github.com/craton-fleet/craton/internal/postgrestest"
)

// Engine is one of the databases.
type Engine string

// The databases.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
	Bouncer  Engine = "pgbouncer"
)

var now = SQLite

// variable names the one that is wanted.
const variable = "CRATON_TEST_ENGINE"

// Now is the database that tests run on.
func Now() Engine { return now }

// Main runs all tests on each database in turn.
func Main(m *testing.M) (code int) {
	for _, e := range []Engine{SQLite, Postgres, Bouncer} {
		if wanted := os.Getenv(variable); wanted != "" && wanted != string(e) {
			continue
		}
		now = e
		fmt.Printf("on %s\n", e)
		code = max(code, m.Run())
	}
	return code
}

// Only skips a test of what is so with some of the databases only.
func Only(t testing.TB, engines ...Engine) {
	t.Helper()
	for _, e := range engines {
		if e == now {
			return
		}
	}
	t.Skipf("not about %s", now)
}

// Database is the URL of an empty database.
func Database(t testing.TB) string {
	t.Helper()
	_ = os.Getenv(variable) // in a test, where go test remembers what its result depends on
	switch now {
	case Postgres:
		return postgrestest.Database(t)
	case Bouncer:
		return postgrestest.Bounced(t)
	}
	return "sqlite:" + filepath.Join(t.TempDir(), "fleet.db")
}

// Exec runs a statement, whose arguments are `?`, in a database, past the store.
func Exec(t testing.TB, database, statement string, args ...any) {
	t.Helper()
	Query(t, database, statement, args...)
}

// Count runs a query for one number in a database, past the store.
func Count(t testing.TB, database, statement string) int {
	t.Helper()
	n, err := strconv.Atoi(Query(t, database, statement)[0][0])
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return n
}

// Query runs a statement in a database, past the store, and returns rows of
// texts; null is "".
func Query(t testing.TB, database, statement string, args ...any) (rows [][]string) {
	t.Helper()
	query := queryPostgres
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		query, database = querySQLite, path
	}
	rows, err := query(database, statement, args)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return rows
}

func querySQLite(path, statement string, args []any) (all [][]string, err error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(context.Background(), statement, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values, dest := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		texts := make([]string, len(columns))
		for i := range values {
			texts[i] = values[i].String
		}
		all = append(all, texts)
	}
	return all, rows.Err()
}

func queryPostgres(database, statement string, args []any) (all [][]string, err error) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx) //nolint:errcheck // all is said
	for i := range args {
		statement = strings.Replace(statement, "?", "$"+strconv.Itoa(i+1), 1)
	}
	rows, err := conn.Query(ctx, statement, append([]any{pgx.QueryExecModeSimpleProtocol}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var texts []string
		for _, value := range rows.RawValues() {
			texts = append(texts, string(value))
		}
		all = append(all, texts)
	}
	return all, rows.Err()
}
