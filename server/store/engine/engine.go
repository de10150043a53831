// Package engine is what the store asks of a SQL database, and nothing more: transactions whose functions can run again,
// the few words in which dialects differ, and what it says when it cannot. The engines are packages of their own, beside
// this one: sqlite and postgres.
//
// Statements are written once, for both: `?` stands for an argument, text compares byte by byte, times are integers, and
// whatever is neither in SQLite nor in PostgreSQL in the same meaning is in [Dialect] or is not used.
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

	// Name is the database as messages call it, without secrets: a file's path, or a URL.
	Name() string

	// Read calls run in a transaction that only reads: everything it sees is of one moment. run is called once at most.
	Read(ctx context.Context, run func(ctx context.Context, tx Tx) error) error

	// Peek is Read for a single statement, which needs no transaction around it. run may be called several times, and each
	// of its statements sees a moment of its own.
	Peek(ctx context.Context, run func(ctx context.Context, tx Tx) error) error

	// Write runs a piece of work in a transaction and returns when it is durable.
	Write(ctx context.Context, w Work) error

	// Ping checks that the database answers and is still the one that was opened.
	Ping(ctx context.Context) error

	// Ready checks that what was opened can be written, as far as that is seen without writing, and that no newer version
	// of the program has changed its schema. What [Engine.Ping] checks it need not check.
	Ready(ctx context.Context) error

	// Stats are counts since it was opened.
	Stats() Stats

	// Watch looks every so often whether the database is still the one that was opened, until ctx ends. report is called
	// with what is wrong, and with nil when it is right again. The function that it returns waits for the end: call it
	// before Close. A database that nobody can take away from under the program has nothing to watch.
	Watch(ctx context.Context, every time.Duration, report func(error)) (wait func(), err error)

	// Close waits for running operations.
	Close() error
}

// Stats count what an engine has done.
type Stats struct {
	Max, Open, InUse int           // connections: as many as there can be (0: no bound), those there are, and those at work
	Waits            int64         // how often something waited for a connection
	Waited           time.Duration // for how long, all together
	Retries          int64         // how often a transaction, or the attempt to begin one, ran again
}

// Options say how a database is opened.
type Options struct {
	Create       bool   // make the tables if there are none, and the file
	PasswordFile string // that has the password of a server; "" is none
	Shown        bool   // others could read the URL: a password in it is refused

	// Upgrade, if it is not nil, is called before the schema of a database that has one already is changed, from the
	// version that it has. The engine can read by then; an error leaves the database as it is.
	Upgrade func(ctx context.Context, e Engine, version int) error
}

// Work is what a write does.
//
// Run may be called several times: whatever comes in between (a deadlock, a connection that is lost before the commit, a
// write beside it that was first), what an earlier call did is gone. So it keeps nothing from one call to the next. An
// error that no method of its [Tx] returned is a refusal: what Run did is taken back, and the error returned as it is.
//
// Stored tells, in a transaction of its own, whether Run was committed after all. It is asked when the connection was lost
// during the commit, and its transaction is committed too. If it tells that Run was not committed, Run must not be
// committed any more, wherever it is on its way. A nil Stored says that nobody can tell.
//
// A Long one may take as long as its context lasts.
type Work struct {
	Long      bool
	Run       func(ctx context.Context, tx Tx) error
	Committed func(ctx context.Context, tx Tx) (bool, error)
}

// Tx is a transaction under way. It is used by one goroutine at a time, and not after an error of one of its methods,
// other than [sql.ErrNoRows], but to return that.
type Tx interface {
	Exec(ctx context.Context, text string, args []any) error

	// QueueExec is Exec for a statement from which nothing is to be learned: it runs at the latest with the next one, or with
	// the commit, whose error is its error then. So what goes to a server is one message instead of many.
	QueueExec(ctx context.Context, text string, args []any) error

	// Row reads one row into dest; [sql.ErrNoRows] if there is none.
	Row(ctx context.Context, text string, args []any, dest ...any) error

	// QueueRow is Row for an answer that is needed only after the next statement: that goes to the server with the question.
	// The next Exec, Row or Each gives the answer, also when it fails for a reason of its own.
	QueueRow(ctx context.Context, text string, args []any, answer *RowState, dest ...any) error

	// Each calls fn for every row, whose values are in dest by then, and ends with its first error.
	Each(ctx context.Context, text string, args, dest []any, fn func() error) error
}

// Filler is a [Tx] that fills empty tables faster than statement by statement.
type Filler interface {
	// Fill calls run, which fills some tables. What the database keeps beside their rows may be missing until it returns.
	Fill(ctx context.Context, tables []string, run func() error) error

	// Load adds rows, each with a value for each column, until next returns nil. A row is not used after the next one was
	// asked for. An error of next is returned as it is.
	Load(ctx context.Context, table string, columns []string, next func() ([]any, error)) error
}

// RowState is what came of [Tx.QueueRow].
type RowState uint8

// The answers.
const (
	RowPending RowState = iota // there is none yet
	RowMissing                 // there is no row
	RowFound                   // there is one
)

// Dialect is what differs between the statements of two databases.
type Dialect struct {
	Name string // sqlite or postgres

	// Like compares text with a pattern without regard to the case of ASCII letters: `t.name LIKE ? ESCAPE '\'`.
	Like func(column string) string

	// Glob compares text with a pattern, byte by byte.
	Glob Glob

	// Values says where an index leads to the variables of a key by their values; nil where there is none.
	Values *Values

	// Contains looks for a text within a column, byte by byte: `instr(t.name, ?) > 0`.
	Contains func(column string) string

	// Unindexed keeps the planner from using an index for an equality, where it has no statistics to choose by.
	Unindexed func(column string) string

	// Ordered joins two tables of which the left one is to be read first.
	Ordered string

	// First and Last are put behind a key of an order that may be null, so that nulls are lowest.
	NullsFirst, NullsLast string

	// Locks are put behind a SELECT whose table is called t, in a write: so that what was read stays as it is until the
	// commit. Shared lets others refer to the row too, Changing keeps them from changing it, and Removing from referring
	// to it as well. They are empty where one writes at a time.
	Shared, Changing, Removing string

	// Together says that a change which returns something can be a part of another statement: WITH x AS (UPDATE ...
	// RETURNING ...) INSERT ...
	Together bool

	// Alone is a statement that lets one write in at a time, for the few that look at more than rows they could lock;
	// empty where one writes at a time.
	Alone string

	// LastID is a query for the last value that the database has given out for a column, and SetLastID are statements that
	// make it go on behind one.
	LastID    func(table, column string) string
	SetLastID func(table, column string, last int64) []string

	// Statistics is a statement, before the names of tables, that collects the statistics by which statements are planned;
	// empty where plans need none.
	Statistics string

	// Pack is an aggregate that joins the texts of a group, in any order. It is nil where a row costs little more than what
	// is in it.
	Pack func(text, separator string) string

	// PackRow makes one column of several, all integers, texts or null: a JSON array. It is nil where a column costs little.
	PackRow func(columns string) string

	// Match makes an expression that is true where a value, in an expression of its own, satisfies a predicate. release
	// ends its use. It is nil where the database cannot call back.
	Match func(predicate func(value string) bool) (expression func(value string) (text string, arg any), release func())
}

// Glob is how patterns are written: what is put behind a column, with the pattern as its argument; what stands for any text and
// for one character in it, and how a text is written that stands for itself.
type Glob struct {
	Operator  string
	Many, One string
	Literal   func(text string) string
}

// Values are two indexes of variables by key, kind of owner, and value: of short values, as a whole, and of the beginnings of the
// others. A condition on a value v.value has one of the two with it.
type Values struct {
	Short, Long string // whether a value is in the one index or in the other
	Beginning   string // what the other has of it
	Most        int    // bytes of a short value
	Letters     int    // of a beginning
}

// ErrUnique is what an error wraps when a row would be there twice.
var ErrUnique = errors.New("not unique")

// ErrClosed is what work gets after Close.
var ErrClosed = errors.New("the database is closed")

// Errors of what is in the place of a database and cannot be used.
var (
	ErrForeign = errors.New("no database of craton")
	ErrNewer   = errors.New("was written by a newer version of craton")
)

// NewerError is the error for a database whose schema has a version that the program does not know.
func NewerError(database string, version, known int) error {
	return fmt.Errorf("%s %w (schema %d, this program knows up to %d): use that version or newer", database, ErrNewer, version, known)
}
