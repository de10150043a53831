// Package engine defines the interface between the store and an SQL database: transactions that can be retried, the
// differences between dialects, and errors. Packages sqlite and postgres implement it.
//
// Statements are written once for both databases: `?` is a placeholder for an argument, text compares byte by byte, and
// times are integers. Anything that SQLite and PostgreSQL interpret differently is either in [Dialect] or avoided.
package engine

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Engine is an open database. It is safe for concurrent use, and several processes may open the same database.
type Engine interface {
	Dialect() *Dialect

	// Name returns the database's name for messages, a file's path or a URL, without secrets.
	Name() string

	// Read calls run in a read-only transaction, which sees one snapshot. run is called at most once.
	Read(ctx context.Context, run func(ctx context.Context, tx Tx) error) error

	// Peek is Read for a single statement, which needs no transaction. run may be called several times, and each of its
	// statements sees its own snapshot.
	Peek(ctx context.Context, run func(ctx context.Context, tx Tx) error) error

	// Write runs work in a transaction and returns when it is durable.
	Write(ctx context.Context, w Work) error

	// Ping checks that the database responds and is still the one that was opened.
	Ping(ctx context.Context) error

	// Ready checks that the database is writable, as far as it can tell without writing, and that no newer version of
	// the program has migrated its schema. It need not repeat the checks of [Engine.Ping].
	Ready(ctx context.Context) error

	// Stats returns statistics since the database was opened.
	Stats() Stats

	// Watch checks regularly, until ctx is done, whether the database is still the one that was opened. It calls report
	// with an error if it is not, and with nil when the original database is back. The returned function waits until
	// the checks have stopped; call it before Close. Watch does nothing for a database that cannot be replaced while it
	// is open.
	Watch(ctx context.Context, every time.Duration, report func(error)) (wait func(), err error)

	// Close waits for running operations, and closes the database.
	Close() error
}

// Stats are statistics of an engine.
type Stats struct {
	Max, Open, InUse int           // connections: the limit (0 for none), those open, and those in use
	Waits            int64         // number of waits for a connection
	Waited           time.Duration // their total duration
	Retries          int64         // number of repeated transactions, and of repeated attempts to begin one
}

// Options are the choices for opening a database.
type Options struct {
	Create       bool   // create missing tables, and a missing file
	PasswordFile string // file with the password for a database server; "" for none
	Shown        bool   // other users could read the URL, so a password in it is refused

	// Reading opens the database without changing it: it is not created or migrated, and nothing is stored for later
	// writes. Therefore it need not be writable, and its schema may be older. Only Read and Peek may be used.
	Reading bool

	// Upgrade, if not nil, is called before the schema of an existing database is migrated from the given version. The
	// engine can already read at that point. If Upgrade returns an error, the database is not changed.
	Upgrade func(ctx context.Context, e Engine, version int) error
}

// Work describes a write.
//
// Run may be called several times: a deadlock, a connection lost before the commit, or a conflict with a concurrent
// write rolls back everything that an earlier call did. Therefore Run must not keep state between calls. An error
// that does not come from a method of its [Tx] is a refusal: the transaction is rolled back, and the error is returned
// unchanged.
//
// Committed reports, in a separate transaction, whether Run was committed after all. It is called if the connection was
// lost during the commit, and its own transaction is committed too. If it returns false, it must also have prevented a
// later commit of Run, whose transaction may still be in progress. A nil Committed means that the outcome cannot be
// determined.
//
// If Long is set, only the context limits the duration of the work.
type Work struct {
	Long      bool
	Run       func(ctx context.Context, tx Tx) error
	Committed func(ctx context.Context, tx Tx) (bool, error)
}

// Tx is a running transaction. Only one goroutine may use it at a time. After one of its methods has returned an error
// other than [sql.ErrNoRows], the transaction cannot be used any more, and its function must return that error.
type Tx interface {
	Exec(ctx context.Context, text string, args []any) error

	// QueueExec is Exec for a statement whose result is not needed. The statement is sent at the latest with the next
	// statement or the commit, which then returns its error. This saves round trips to a database server.
	QueueExec(ctx context.Context, text string, args []any) error

	// Row reads one row into dest. It returns [sql.ErrNoRows] if there is none.
	Row(ctx context.Context, text string, args []any, dest ...any) error

	// QueueRow is Row for a result that is not needed until the next statement, with which the query is sent. The next
	// Exec, Row or Each sets answer, even if that call itself fails.
	QueueRow(ctx context.Context, text string, args []any, answer *RowState, dest ...any) error

	// Each scans each row into dest and calls fn for it. It stops at the first error of fn, and returns it.
	Each(ctx context.Context, text string, args, dest []any, fn func() error) error
}

// Filler is a [Tx] with a fast way to fill empty tables.
type Filler interface {
	// Fill calls run, which fills the given tables. Their indexes and constraints may be missing until Fill returns.
	Fill(ctx context.Context, tables []string, run func() error) error

	// Load inserts the rows that next returns, with a value for each column, until next returns nil. A row is only
	// valid until the next call of next. An error of next is returned unchanged.
	Load(ctx context.Context, table string, columns []string, next func() ([]any, error)) error
}

// RowState is the state of a query by [Tx.QueueRow].
type RowState uint8

// The states of a queued query.
const (
	RowPending RowState = iota // no result yet
	RowMissing                 // there is no row
	RowFound                   // the row was read
)

// Dialect contains the differences between the SQL of the databases.
type Dialect struct {
	Name string // sqlite or postgres

	// Like returns a condition that matches a column against a pattern, ignoring the case of ASCII letters:
	// `t.name LIKE ? ESCAPE '\'`.
	Like func(column string) string

	// Glob is the syntax for matching text against a pattern, byte by byte.
	Glob Glob

	// Values describes the indexes that find the variables with a given key by their values; nil if there are none.
	Values *Values

	// Replan is a query after which each statement of the transaction is planned for its arguments; empty if the
	// database does not need that. Its result is ignored.
	Replan string

	// Contains returns a condition that a column contains a text, byte by byte: `instr(t.name, ?) > 0`.
	Contains func(column string) string

	// Unindexed returns an expression for a column that prevents the planner from using an index for a comparison, if
	// the planner has no statistics to choose by.
	Unindexed func(column string) string

	// Ordered is the join operator that makes the database read the left table first.
	Ordered string

	// NullsFirst and NullsLast are appended to a nullable sort key, so that nulls are lowest.
	NullsFirst, NullsLast string

	// Shared, Changing and Removing are lock clauses. They are appended to a SELECT from a table t in a write, and the
	// locks last until the commit. Shared allows other transactions to refer to the row and to change it, but not to
	// delete it or to lock it with Removing. Changing also prevents changes, and Removing also prevents references.
	// They are empty if the database allows only one writer at a time.
	Shared, Changing, Removing string

	// Together is true if an update with RETURNING can be part of another statement: WITH x AS (UPDATE ... RETURNING
	// ...) INSERT ...
	Together bool

	// Alone is a statement that serializes writes, for the few that depend on more rows than they can lock; empty if
	// the database allows only one writer at a time.
	Alone string

	// LastID returns a query for the last value that the database has assigned to an identity column. The result is
	// null if the database role may not read it. SetLastID returns statements that make the database continue after the
	// given value.
	LastID    func(table, column string) string
	SetLastID func(table, column string, last int64) []string

	// Version is a query for the version of the schema.
	Version string

	// Statistics is the statement that collects the planner's statistics, without the names of the tables that must
	// follow it; empty if plans do not need statistics.
	Statistics string

	// Pack returns an aggregate that joins the texts of a group, in any order. It is nil if the overhead of a row is
	// negligible.
	Pack func(text, separator string) string

	// PackRow returns an expression that combines several columns of integers, texts or nulls into one JSON array. It
	// is nil if the overhead of a column is negligible.
	PackRow func(columns string) string

	// Match registers a predicate. expression returns SQL that is true if the value, itself given as an expression,
	// matches the predicate. release must be called when the predicate is no longer used. Match is nil if the database
	// cannot call Go functions.
	Match func(predicate func(value string) bool) (expression func(value string) (text string, arg any), release func())
}

// Glob is the syntax of patterns: the operator between a column and the pattern, the wildcards for any text and for one
// character, and a function that escapes literal text.
type Glob struct {
	Operator  string
	Many, One string
	Literal   func(text string) string
}

// Values describes two indexes of variables by key, kind of owner, and value. One contains complete short values, the
// other the beginnings of long values. A condition on v.value must include the condition of one of these indexes.
type Values struct {
	Short, Long string // conditions for a value to be in the index of short or of long values
	Beginning   string // expression for the indexed part of a long value
	Max         int    // maximum length of a short value, in bytes
	Letters     int    // length of the indexed part, in characters
}

// ErrUnique is wrapped by the error for a row that violates a unique constraint.
var ErrUnique = errors.New("not unique")

// ErrReference is wrapped by the error for a row that refers to a missing row, and for the deletion of a row that
// others still refer to.
var ErrReference = errors.New("a reference to what does not exist")

// ErrClosed is the error of every call after Close.
var ErrClosed = errors.New("the database is closed")

// Errors for a database that cannot be used.
var (
	ErrForeign = errors.New("no database of craton")
	ErrNewer   = errors.New("was written by a newer version of craton")
)

// NewerError returns the error for a database whose schema is newer than this program supports.
func NewerError(database string, version, known int) error {
	return fmt.Errorf("%s %w (schema %d, this program knows up to %d): use that version or newer", database, ErrNewer, version, known)
}
