// Package enginetest runs the tests of a package on every database that the store supports: on an SQLite file and on
// PostgreSQL. If a package requests it, and in `make proof`, they also run on PostgreSQL behind a pgbouncer in
// transaction mode, and on [Disturbed], a PostgreSQL server on which some writes fail with a serialization failure or a
// deadlock. Only tests import this package.
//
//	func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }
//
//	func TestHosts(t *testing.T) {
//		s, err := server.Open(t.Context(), enginetest.Database(t), server.Options{Create: true})
//
// CRATON_TEST_ENGINE limits the tests to some databases, separated by commas.
package enginetest

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // the driver

	"github.com/craton-fleet/craton/internal/postgrestest"
)

// Engine is the name of a database.
type Engine string

// The databases.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
	Bouncer  Engine = "pgbouncer"

	// Disturbed is PostgreSQL with random failures of transactions.
	Disturbed Engine = "disturbed"
)

var now = SQLite

// variable is the environment variable with the names of the requested databases.
const variable = "CRATON_TEST_ENGINE"

// Now returns the database that the tests currently run on.
func Now() Engine { return now }

// Main runs all tests on SQLite, on PostgreSQL, and on more, one after the other. If CRATON_TEST_ENGINE is set, it runs
// all tests on the databases in this variable instead, as in `make proof`. Otherwise, on Bouncer and Disturbed, it
// skips long tests, whose names match long, because they would not find more errors there.
func Main(m *testing.M, long string, more ...Engine) (code int) {
	engines := append([]Engine{SQLite, Postgres}, more...)
	wanted := os.Getenv(variable)
	if wanted != "" {
		engines = nil
		for name := range strings.SplitSeq(wanted, ",") {
			if engines = append(engines, Engine(name)); !slices.Contains([]Engine{SQLite, Postgres, Bouncer, Disturbed}, Engine(name)) {
				fmt.Fprintf(os.Stderr, "%s=%s: there are %s, %s, %s and %s\n", variable, wanted, SQLite, Postgres, Bouncer, Disturbed)
				return 2
			}
		}
	}
	for _, e := range engines {
		now = e
		fmt.Printf("on %s\n", e)
		if wanted == "" && (e == Bouncer || e == Disturbed) {
			passOver(long)
		}
		code = max(code, m.Run())
	}
	return code
}

// passOver adds tests to those that the flag -skip excludes.
func passOver(names string) {
	skip := flag.Lookup("test.skip").Value
	if s := skip.String(); s != "" && s != names {
		names = s + "|" + names
	}
	if err := skip.Set(names); err != nil {
		panic(err) // cannot happen: the pattern is only parsed when tests run
	}
}

// Size returns the size of a test: usual, or proof if CRATON_TEST_PROOF is set, as in `make proof`. With the race
// detector and on every database, even the usual size takes minutes.
func Size(usual, proof int) int {
	if os.Getenv("CRATON_TEST_PROOF") != "" {
		return proof
	}
	return usual
}

// Only skips a test unless it runs on one of the given databases.
func Only(t testing.TB, engines ...Engine) {
	t.Helper()
	for _, e := range engines {
		if e == now {
			return
		}
	}
	t.Skipf("not about %s", now)
}

// Database returns the URL of an empty database.
func Database(t testing.TB) string {
	t.Helper()
	_ = os.Getenv(variable) // read in a test, so that go test's cache considers it
	return DatabaseOn(t, now)
}

// DatabaseOn is [Database] for a given database, for tests that compare databases.
func DatabaseOn(t testing.TB, e Engine) string {
	t.Helper()
	switch e {
	case Postgres:
		return postgrestest.Database(t)
	case Bouncer:
		return postgrestest.Bounced(t)
	case Disturbed:
		database := postgrestest.Database(t)
		postgrestest.Shared(t).Exec(t, database[strings.LastIndex(database, "/")+1:], disturb...)
		return database
	}
	return "sqlite:" + filepath.Join(t.TempDir(), "fleet.db")
}

// Disturb begins to disturb a database, if the tests run on [Disturbed]. Objects that were created before have the ids
// that tests expect: failed writes leave gaps.
func Disturb(t testing.TB, database string) { begin(t, database, false) }

// DisturbButIDs is Disturb for tests that expect consecutive ids: a write does not fail after it has taken an id.
func DisturbButIDs(t testing.TB, database string) { begin(t, database, true) }

func begin(t testing.TB, database string, ids bool) {
	t.Helper()
	if now == Disturbed {
		Exec(t, database, "INSERT INTO public.disturbing VALUES (?)", ids)
	}
}

// Disturbances returns the number of failures in a database.
func Disturbances(t testing.TB, database string) int {
	t.Helper()
	return Count(t, database, "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM public.disturbances")
}

// disturb makes random statements that write to tables fail, like in a database with conflicting transactions. It
// applies to all tables that are created afterwards.
var disturb = []string{
	"CREATE TABLE public.disturbing (but_ids BOOLEAN)",
	"CREATE SEQUENCE public.disturbances", // a sequence, because a rollback does not reset it
	"GRANT ALL ON public.disturbing, public.disturbances TO PUBLIC",
	`CREATE FUNCTION disturb() RETURNS trigger LANGUAGE plpgsql AS $$
	DECLARE ids BOOLEAN; code TEXT;
	BEGIN
		IF hashint8(txid_current()) % 3 <> 0 THEN RETURN NULL; END IF; -- a third of the transactions, so that long ones can succeed
		SELECT but_ids INTO ids FROM public.disturbing;
		CASE
			WHEN ids IS NULL THEN RETURN NULL;
			WHEN ids AND current_setting('disturb.id', true) = 'taken' THEN RETURN NULL;
			WHEN random() < 0.01 THEN code := '40001';
			WHEN random() < 0.005 THEN code := '40P01';
			ELSE
				IF TG_WHEN = 'BEFORE' THEN PERFORM set_config('disturb.id', 'taken', true); END IF;
				RETURN NULL;
		END CASE;
		PERFORM nextval('public.disturbances');
		RAISE EXCEPTION 'disturbed, on purpose' USING ERRCODE = code;
	END $$`,
	`CREATE FUNCTION spread() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
	DECLARE made record;
	BEGIN
		FOR made IN SELECT object_identity AS name FROM pg_event_trigger_ddl_commands() WHERE command_tag = 'CREATE TABLE' AND object_identity NOT LIKE '%craton_schema' LOOP
			IF NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = made.name::regclass AND tgname = 'disturb') THEN
				EXECUTE format('CREATE TRIGGER disturb AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH STATEMENT EXECUTE FUNCTION disturb()', made.name);
				IF EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = made.name::regclass AND attidentity <> '') THEN
					EXECUTE format('CREATE TRIGGER disturb_id BEFORE INSERT ON %s FOR EACH STATEMENT EXECUTE FUNCTION disturb()', made.name);
				END IF;
			END IF;
		END LOOP;
	END $$`,
	`CREATE EVENT TRIGGER spread ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION spread()`,
}

// Exec runs a statement in a database, without the store. Placeholders are `?`.
func Exec(t testing.TB, database, statement string, args ...any) {
	t.Helper()
	Query(t, database, statement, args...)
}

// Count runs a query for one number in a database, without the store.
func Count(t testing.TB, database, statement string) int {
	t.Helper()
	n, err := strconv.Atoi(Query(t, database, statement)[0][0])
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return n
}

// Query runs a statement in a database, without the store, and returns the rows as texts. Null becomes "".
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
	defer conn.Close(ctx) //nolint:errcheck // all results have been read
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
