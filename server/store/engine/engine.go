// Package engine defines what the store needs of an SQL database: transactions whose functions can run again, the
// differences between dialects, and errors. The engines are packages of their own: sqlite and postgres.
//
// Statements are written once for both: `?` stands for an argument, text compares byte by byte, times are integers, and
// whatever does not mean the same in SQLite and PostgreSQL is in [Dialect] or not used.
package engine

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Engine is an open database. It is safe for concurrent use, and any number of processes may have the same database open.
type Engine interface {
	Dialect() *Dialect

	// Name returns the name of the database in messages, without secrets: a file's path, or a URL.
	Name() string

	// Read calls run in a read-only transaction, which sees one snapshot. run is called once at most.
	Read(ctx context.Context, run func(ctx context.Context, tx Tx) error) error

	// Peek is Read for a single statement, which needs no transaction. run may be called several times, and each of its
	// statements sees its own snapshot.
	Peek(ctx context.Context, run func(ctx context.Context, tx Tx) error) error

	// Write runs work in a transaction and returns when it is durable.
	Write(ctx context.Context, w Work) error

	// Ping checks that the database answers and is still the one that was opened.
	Ping(ctx context.Context) error

	// Ready checks that the database can be written, as far as that is visible without writing, and that no newer
	// version of the program has migrated its schema. It need not check what [Engine.Ping] checks.
	Ready(ctx context.Context) error

	// Stats returns statistics since the database was opened.
	Stats() Stats

	// Watch checks regularly, until ctx ends, whether the database is still the one that was opened. report is called
	// with an error, and with nil when the database is back. The returned function waits for the end: call it before
	// Close. A database that cannot be replaced while it is open has nothing to watch.
	Watch(ctx context.Context, every time.Duration, report func(error)) (wait func(), err error)

	// Close waits for running operations.
	Close() error
}

// Stats are statistics of an engine.
type Stats struct {
	Max, Open, InUse int           // connections: the limit (0 for none), those open, and those in use
	Waits            int64         // number of waits for a connection
	Waited           time.Duration // their total duration
	Retries          int64         // number of repeated transactions, and of repeated attempts to begin one
}

// Options say how a database is opened.
type Options struct {
	Create       bool   // create the tables if there are none, and the file
	PasswordFile string // file with the password for a server; "" for none
	Shown        bool   // other users could read the URL, so a password in it is refused

	// Reading leaves the database as it is: neither created nor migrated, nor anything stored for later writes. So it need
	// not be writable, and its schema can be an older one. Only Read and Peek may be used.
	Reading bool

	// Upgrade, if not nil, is called before the schema of an existing database is migrated from the given version. The
	// engine can already read; an error leaves the database as it is.
	Upgrade func(ctx context.Context, e Engine, version int) error
}

// Work is what a write does.
//
// Run may be called several times: after a deadlock, a connection lost before the commit, or a conflict with a
// concurrent write, everything that an earlier call did is gone. So it keeps nothing from one call to the next. An
// error that does not come from a method of its [Tx] is a refusal: the transaction is rolled back, and the error is
// returned as it is.
//
// Committed reports, in a separate transaction, whether Run was committed after all. It is called after the connection
// was lost during the commit, and its transaction is committed too. If it returns false, Run must not be committed any
// more, even if it is still under way. A nil Committed means that the outcome cannot be determined.
//
// With Long, the work may take as long as its context lasts.
type Work struct {
	Long      bool
	Run       func(ctx context.Context, tx Tx) error
	Committed func(ctx context.Context, tx Tx) (bool, error)
}

// Tx is a running transaction. It is used by one goroutine at a time. After an error of one of its methods, other than
// [sql.ErrNoRows], it may only be used to return that error.
type Tx interface {
	Exec(ctx context.Context, text string, args []any) error

	// QueueExec is Exec for a statement whose result is not needed: it is sent with the next statement or the commit at
	// the latest, which then returns its error. So several statements go to a server in one message.
	QueueExec(ctx context.Context, text string, args []any) error

	// Row reads one row into dest; [sql.ErrNoRows] if there is none.
	Row(ctx context.Context, text string, args []any, dest ...any) error

	// QueueRow is Row for a result that is not needed before the next statement, with which the query is sent. The next
	// Exec, Row or Each sets state, also if it fails for a reason of its own.
	QueueRow(ctx context.Context, text string, args []any, answer *RowState, dest ...any) error

	// Each scans every row into dest and calls fn for it, and ends with its first error.
	Each(ctx context.Context, text string, args, dest []any, fn func() error) error
}

// Filler is a [Tx] that fills empty tables faster than statement by statement.
type Filler interface {
	// Fill calls run, which fills some tables. Until it returns, their indexes and checks may be missing.
	Fill(ctx context.Context, tables []string, run func() error) error

	// Load adds rows, each with a value for each column, until next returns nil. A row is only valid until the next
	// call of next. An error of next is returned as it is.
	Load(ctx context.Context, table string, columns []string, next func() ([]any, error)) error
}

// RowState is the state of a query by [Tx.QueueRow].
type RowState uint8

// The states of a queued query.
const (
	RowPending RowState = iota // there is no result yet
	RowMissing                 // there is no row
	RowFound                   // there is one
)

// Dialect is the difference between the SQL of two databases.
type Dialect struct {
	Name string // sqlite or postgres

	// Like matches text against a pattern, ignoring the case of ASCII letters: `t.name LIKE ? ESCAPE '\'`.
	Like func(column string) string

	// Glob matches text against a pattern, byte by byte.
	Glob Glob

	// Values describes how an index finds the variables of a key by their values; nil if there is none.
	Values *Values

	// Replan is a query after which the statements of a transaction are planned for their arguments, each time; empty where
	// that makes no difference. It returns nothing that matters.
	Replan string

	// Contains looks for a text within a column, byte by byte: `instr(t.name, ?) > 0`.
	Contains func(column string) string

	// Unindexed keeps the planner from using an index for an equality, if it has no statistics to decide by.
	Unindexed func(column string) string

	// Ordered joins two tables so that the left one is read first.
	Ordered string

	// NullsFirst and NullsLast are appended to a nullable sort key, so that nulls are lowest.
	NullsFirst, NullsLast string

	// Locks are appended to a SELECT from a table t, in a write, and hold until the commit. Shared lets others refer to
	// the row, but not change or delete it; Changing also prevents changes, and Removing references. They are empty
	// where there is one writer at a time.
	Shared, Changing, Removing string

	// Together reports that a change with RETURNING can be part of another statement: WITH x AS (UPDATE ... RETURNING
	// ...) INSERT ...
	Together bool

	// Alone is a statement that lets in one write at a time, for the few that depend on more rows than they can lock;
	// empty where there is one writer at a time.
	Alone string

	// LastID returns a query for the last value that the database has assigned to a column, and SetLastID statements
	// that make it continue after a value.
	// The result is null if the role may not read it.
	LastID    func(table, column string) string
	SetLastID func(table, column string, last int64) []string

	// Version is a query for the version of the schema.
	Version string

	// Statistics is a statement, before the names of tables, that collects the statistics by which statements are planned;
	// empty where plans need none.
	Statistics string

	// Pack is an aggregate that joins the texts of a group, in any order. It is nil where a row costs little more than
	// its contents.
	Pack func(text, separator string) string

	// PackRow combines several columns, all integers, texts or null, into one: a JSON array. It is nil where a column
	// costs little.
	PackRow func(columns string) string

	// Match returns an expression that is true where a value, given as an expression, satisfies a predicate. release
	// ends its use. It is nil where the database cannot call back.
	Match func(predicate func(value string) bool) (expression func(value string) (text string, arg any), release func())
}

// Glob is the syntax of patterns: the operator after a column, with the pattern as its argument; the wildcards for any
// text and for one character; and how literal text is written.
type Glob struct {
	Operator  string
	Many, One string
	Literal   func(text string) string
}

// Values are two indexes of variables by key, kind of owner, and value: of short values, as a whole, and of the
// beginnings of long ones. A condition on a value v.value includes the condition of one of the two.
type Values struct {
	Short, Long string // conditions for a value to be in the one index or in the other
	Beginning   string // the indexed part of a long value
	Max         int    // bytes of a short value
	Letters     int    // of a beginning
}

// ErrUnique is wrapped by an error for a row that would exist twice.
var ErrUnique = errors.New("not unique")

// ErrReference is wrapped by an error for a row that refers to one that does not exist, or for one that is gone and is
// still referred to.
var ErrReference = errors.New("a reference to what does not exist")

// ErrClosed is the error of all calls after Close.
var ErrClosed = errors.New("the database is closed")

// Errors for a database that cannot be used.
var (
	ErrForeign = errors.New("no database of craton")
	ErrNewer   = errors.New("was written by a newer version of craton")
)

// NewerError returns the error for a database whose schema has a version that the program does not know.
func NewerError(database string, version, known int) error {
	return fmt.Errorf("%s %w (schema %d, this program knows up to %d): use that version or newer", database, ErrNewer, version, known)
}
