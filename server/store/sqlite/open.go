package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/craton-fleet/craton/internal/retry"
	"github.com/craton-fleet/craton/server/store/engine"
)

// applicationID marks a SQLite file as ours ("CRAT").
const applicationID = 0x43524154

// lockPatience is how long an operation waits for the file's write lock before it fails.
const lockPatience = 2 * time.Minute

var _ engine.Engine = (*Engine)(nil)

// Engine is an open file. Any number of processes may have the same file open.
type Engine struct {
	path      string
	schema    []string
	db        *sql.DB
	idle      chan *conn // for reading, open and idle
	unopened  chan *conn // for reading, not yet open
	writer    writer
	guard     guard
	closeOnce sync.Once
	waits     atomic.Int64
	waited    atomic.Int64 // nanoseconds
	retries   atomic.Int64
	scratch   bool // a file without a name, which no further connection can open
}

// Errors for a file that is not a Craton database.
var (
	errForeign   = foreign("is not a Craton database: it is left as it is")
	errDirectory = foreign("is a directory, not a file")
)

type foreign string

func (e foreign) Error() string { return string(e) }
func (e foreign) Unwrap() error { return engine.ErrForeign }

// Open opens the file at an absolute path. schema are the migrations: the n-th migrates a file from version n to n+1,
// and the version of a file is SQLite's user_version.
//
// With o.Create, a missing or empty file is created, readable by its owner only. Without it, a missing file is an error
// that wraps [fs.ErrNotExist]. A file that is not a Craton database, or that a newer version has written, is refused.
func Open(ctx context.Context, path string, schema []string, o engine.Options) (*Engine, error) {
	return OpenFast(ctx, path, schema, o, full)
}

// full is SQLite's synchronous mode in which a commit survives a power cut.
const full = 2

// OpenFast is Open with a synchronous mode, for tests that do not depend on durability.
func OpenFast(ctx context.Context, path string, schema []string, o engine.Options, synchronous int) (*Engine, error) {
	if err := touch(path, o.Create); err != nil {
		return nil, err
	}
	file, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	// The log is beside the file itself, not beside a link to it.
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db, err := sql.Open("sqlite", dsn(real, synchronous))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	// One more connection belongs to the writer.
	readers := Readers()
	db.SetMaxOpenConns(readers + 2)
	s := &Engine{path: path, schema: schema, db: db, idle: make(chan *conn, readers), unopened: make(chan *conn, readers), guard: guard{path: path, real: real, file: file}}
	for range readers {
		s.unopened <- s.conn()
	}
	s.writer.init()
	if err := s.prepareFile(ctx, o); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// Close waits for running operations and closes the file.
//
// If the file is no longer the one that was opened, it is not closed: SQLite would checkpoint the log into another
// file, or remove another file's log. The process must end.
func (s *Engine) Close() error {
	var err error
	s.closeOnce.Do(func() {
		s.writer.stop()
		if s.guard.checkContents() != nil {
			return
		}
		for range cap(s.idle) {
			select {
			case q := <-s.idle:
				q.close()
			case <-s.unopened:
			}
		}
		err = s.db.Close()
	})
	return err
}

// Ping checks that the database answers, and that its file is in place.
func (s *Engine) Ping(ctx context.Context) error {
	if err := s.guard.checkContents(); err != nil {
		return err
	}
	return s.Read(ctx, func(ctx context.Context, tx engine.Tx) error {
		var n int
		return tx.Row(ctx, "SELECT 1", nil, &n)
	})
}

// Name returns the file's path.
func (s *Engine) Name() string { return s.path }

// Ready implements [engine.Engine]. It waits its turn among the writes.
func (s *Engine) Ready(ctx context.Context) error {
	return s.Write(ctx, engine.Work{Run: func(ctx context.Context, tx engine.Tx) error {
		if free, err := freeBytes(filepath.Dir(s.guard.real)); err == nil && free < minIdle {
			return &engine.DatabaseError{Database: s.path, Reason: engine.DiskFull, Detail: fmt.Sprintf("%d bytes are free", free)}
		}
		var version int
		if err := tx.Row(ctx, "PRAGMA user_version", nil, &version); err != nil {
			return err
		}
		if version > len(s.schema) {
			return engine.NewerError(s.path, version, len(s.schema))
		}
		return nil
	}})
}

// minIdle is the free space beside the file, in bytes, below which the database is not ready for writes.
const minIdle = 1 << 20

// Stats implements [engine.Engine].
func (s *Engine) Stats() engine.Stats {
	d := s.db.Stats()
	return engine.Stats{
		Max: d.MaxOpenConnections, Open: d.OpenConnections, InUse: d.OpenConnections - len(s.idle),
		Waits: s.waits.Load(), Waited: time.Duration(s.waited.Load()), Retries: s.retries.Load(),
	}
}

// Dialect returns SQLite's dialect. Its Ordered and Unindexed replace the statistics that SQLite does not have.
func (s *Engine) Dialect() *engine.Dialect { return dialect }

// missing returns the error for a file that does not exist and must not be created.
func missing(path, what string) error {
	return fmt.Errorf("%s %s: begin with `craton server bootstrap --database sqlite:%s` or `craton apply FILE`: %w", path, what, path, fs.ErrNotExist)
}

// touch checks that path is a file, or creates it with mode 0600: SQLite gives the same mode to the files beside it.
func touch(path string, create bool) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("database %s %w", path, errDirectory)
	case err == nil && !info.Mode().IsRegular(): // reading from a pipe would block forever
		return fmt.Errorf("database %s is a device or a pipe, not a file", path)
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fault(path, fmt.Errorf("open database: %w", err))
	case !create:
		return missing(path, "does not exist")
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fault(path, fmt.Errorf("create database: %w", err))
	}
	return f.Close()
}

// Readers returns how many reads run at once: more would only compete for the processors.
func Readers() int { return 2 + 2*runtime.GOMAXPROCS(0) }

// pageCache returns the size of each connection's page cache in KiB. The total is bounded, however many processors
// there are.
func pageCache() int {
	const all, least, most = 64 << 10, 2 << 10, 16 << 10
	return min(max(all/(Readers()+1), least), most)
}

func dsn(path string, synchronous int) string {
	q := url.Values{}
	q.Set("mode", "rw") // never create: touch has done that, with the right mode
	for _, pragma := range []string{
		"busy_timeout(10000)",
		"foreign_keys(1)",
		fmt.Sprintf("synchronous(%d)", synchronous),
		fmt.Sprintf("cache_size(-%d)", pageCache()),
		"temp_store(1)", // sorting and recursion spill to a file beyond the cache
	} {
		q.Add("_pragma", pragma)
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String()
}

// prepareFile checks that the file is a Craton database, turns on the write-ahead log and runs missing migrations. Any
// number of processes can do this at once.
func (s *Engine) prepareFile(ctx context.Context, o engine.Options) error {
	return s.retryBusy(ctx, func() error {
		c, err := s.open(ctx)
		if err != nil {
			return s.describe(err)
		}
		defer c.close()
		version, empty, err := s.inspect(ctx, c)
		switch {
		case err != nil:
			return s.describe(err)
		case version == len(s.schema):
			return nil
		case empty && (o.Reading || !o.Create):
			return missing(s.path, "holds no fleet yet")
		case o.Reading:
			return nil
		}
		if err := c.Exec(ctx, "PRAGMA journal_mode = WAL", nil); err != nil {
			return s.describe(err)
		}
		return s.describe(s.migrate(ctx, c, o))
	})
}

// inspect returns the version of the schema, and whether the file is empty.
func (s *Engine) inspect(ctx context.Context, c *conn) (version int, empty bool, err error) {
	var id, tables int
	header := func() error {
		return errors.Join(c.Row(ctx, "PRAGMA application_id", nil, &id), c.Row(ctx, "PRAGMA user_version", nil, &version))
	}
	if err := header(); err != nil {
		return 0, false, err
	}
	if id == 0 { // empty, foreign, or being created by another process right now
		if err := c.Row(ctx, "SELECT count(*) FROM sqlite_master", nil, &tables); err != nil {
			return 0, false, err
		}
		if version == 0 && tables == 0 {
			return 0, true, nil
		}
		if err := header(); err != nil { // with the tables came the rest
			return 0, false, err
		}
	}
	switch {
	case id != applicationID:
		return 0, false, fmt.Errorf("%s %w", s.path, errForeign)
	case version > len(s.schema):
		return 0, false, engine.NewerError(s.path, version, len(s.schema))
	}
	return version, false, nil
}

func (s *Engine) migrate(ctx context.Context, c *conn, o engine.Options) error {
	if err := c.Exec(ctx, "BEGIN IMMEDIATE", nil); err != nil {
		return err
	}
	version, _, err := s.inspect(ctx, c) // again: another process may have been first
	if err == nil && version > 0 && version < len(s.schema) && o.Upgrade != nil {
		err = o.Upgrade(ctx, s, version) // while no one else can write
	}
	if err == nil {
		for _, m := range s.schema[version:] {
			if _, err = c.sql.ExecContext(ctx, m); err != nil {
				break
			}
		}
	}
	if err == nil {
		_, err = c.sql.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(s.schema)))
	}
	if err != nil {
		return errors.Join(err, c.rollback(ctx))
	}
	return c.Exec(ctx, "COMMIT", nil)
}

// describe converts an SQLite error to a [DatabaseError], or adds the file's path.
func (s *Engine) describe(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return fault(s.path, err)
	}
	if e.Code() == sqlite3.SQLITE_NOTADB {
		return fmt.Errorf("%s %w", s.path, errForeign)
	}
	if err := fault(s.path, err); errors.As(err, new(*engine.DatabaseError)) {
		return err
	}
	return fmt.Errorf("database %s: %w", s.path, err)
}

// isDetached reports whether err means that the file was replaced.
func isDetached(err error) bool {
	var f *engine.DatabaseError
	return errors.As(err, &f) && f.Reason == engine.FileReplaced
}

// isBusy reports whether err means that another process is in the way.
func isBusy(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xFF {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return true
	}
	return false
}

func isUnique(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

func isReference(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
}

// retryBusy repeats fn while other processes are in its way. SQLite's busy timeout covers most waits, but not a change
// of the journal mode, the recovery of a log, or the moment when the last connection closes it.
func (s *Engine) retryBusy(ctx context.Context, fn func() error) error {
	deadline := time.Now().Add(lockPatience)
	return retry.Pauses{First: time.Millisecond, Max: 100 * time.Millisecond}.Do(ctx, func(n int) (again bool, err error) {
		if n > 0 {
			s.retries.Add(1)
		}
		err = fn()
		switch {
		case !isBusy(err):
			return false, err
		case time.Now().After(deadline):
			return false, fmt.Errorf("another process has kept the database locked for %s: %w", lockPatience, err)
		}
		return true, err
	})
}
