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

// applicationID marks an SQLite file as a Craton database ("CRAT").
const applicationID = 0x43524154

// lockPatience is how long an operation waits for the file's write lock before it fails.
const lockPatience = 2 * time.Minute

var _ engine.Engine = (*Engine)(nil)

// Engine is an open file. Several processes may open the same file.
type Engine struct {
	path      string
	schema    []string
	db        *sql.DB
	idle      chan *conn // open connections for reading that are not in use
	unopened  chan *conn // connections for reading that are not open yet
	writer    writer
	guard     guard
	closeOnce sync.Once
	waits     atomic.Int64
	waited    atomic.Int64 // nanoseconds
	retries   atomic.Int64
	scratch   bool // the file has no name, so no other connection can open it
}

// Errors for a file that is not a Craton database.
var (
	errForeign   = foreign("is not a Craton database: it is left as it is")
	errDirectory = foreign("is a directory, not a file")
)

type foreign string

func (e foreign) Error() string { return string(e) }
func (e foreign) Unwrap() error { return engine.ErrForeign }

// Open opens the file at an absolute path. schema[n] is the migration from version n to n+1. The version of a file is
// SQLite's user_version.
//
// With o.Create, Open creates a missing or empty file, which only its owner can read. Otherwise, a missing file is an
// error that wraps [fs.ErrNotExist]. Open refuses a file that is not a Craton database or has a newer schema.
func Open(ctx context.Context, path string, schema []string, o engine.Options) (*Engine, error) {
	return OpenFast(ctx, path, schema, o, full)
}

// full is SQLite's synchronous mode in which a commit survives a power failure.
const full = 2

// OpenFast is Open with the given synchronous mode, for tests that do not depend on durability.
func OpenFast(ctx context.Context, path string, schema []string, o engine.Options, synchronous int) (*Engine, error) {
	if err := touch(path, o.Create); err != nil {
		return nil, err
	}
	file, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	// The log is next to the file itself, not next to a symbolic link to it.
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db, err := sql.Open("sqlite", dsn(real, synchronous))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	// There are two more connections: for the writer, and for Watch.
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
// If the file is no longer the one that was opened, it remains open until the process ends. If it were closed, SQLite
// would checkpoint the log into another file, or remove another file's log.
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

// Ping checks that the database responds, and that its file is still the one that was opened.
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

// Ready implements [engine.Engine]. It waits for the writes before it.
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

// minIdle is the free space in the file's directory, in bytes, below which the database is not ready for writes.
const minIdle = 1 << 20

// Stats implements [engine.Engine].
func (s *Engine) Stats() engine.Stats {
	d := s.db.Stats()
	return engine.Stats{
		Max: d.MaxOpenConnections, Open: d.OpenConnections, InUse: d.OpenConnections - len(s.idle),
		Waits: s.waits.Load(), Waited: time.Duration(s.waited.Load()), Retries: s.retries.Load(),
	}
}

// Dialect returns SQLite's dialect. Its Ordered and Unindexed compensate for the missing statistics of the planner.
func (s *Engine) Dialect() *engine.Dialect { return dialect }

// missing returns the error for a file that does not exist and must not be created.
func missing(path, what string) error {
	return fmt.Errorf("%s %s: begin with `craton server bootstrap --database sqlite:%s` or `craton apply FILE`: %w", path, what, path, fs.ErrNotExist)
}

// touch checks that path is a file, or creates it with mode 0600. SQLite uses the same mode for its other files.
func touch(path string, create bool) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("database %s %w", path, errDirectory)
	case err == nil && !info.Mode().IsRegular(): // a read from a pipe would block forever
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

// Readers returns the maximum number of concurrent reads. More of them would only compete for the CPUs.
func Readers() int { return 2 + 2*runtime.GOMAXPROCS(0) }

// pageCache returns the size of each connection's page cache, in KiB. The total size is limited, regardless of the
// number of CPUs.
func pageCache() int {
	const all, least, most = 64 << 10, 2 << 10, 16 << 10
	return min(max(all/(Readers()+1), least), most)
}

func dsn(path string, synchronous int) string {
	q := url.Values{}
	q.Set("mode", "rw") // do not create the file: touch has done so, with the right mode
	for _, pragma := range []string{
		"busy_timeout(10000)",
		"foreign_keys(1)",
		fmt.Sprintf("synchronous(%d)", synchronous),
		fmt.Sprintf("cache_size(-%d)", pageCache()),
		"temp_store(1)", // large sorts and recursive queries use temporary files
	} {
		q.Add("_pragma", pragma)
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String()
}

// prepareFile checks that the file is a Craton database, turns on the write-ahead log, and runs missing migrations.
// Several processes can do this concurrently.
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
	if id == 0 { // empty, not a Craton database, or just being created by another process
		if err := c.Row(ctx, "SELECT count(*) FROM sqlite_master", nil, &tables); err != nil {
			return 0, false, err
		}
		if version == 0 && tables == 0 {
			return 0, true, nil
		}
		if err := header(); err != nil { // read again: another process has created the database
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
	version, _, err := s.inspect(ctx, c) // check again: another process may have migrated it first
	if err == nil && version > 0 && version < len(s.schema) && o.Upgrade != nil {
		err = o.Upgrade(ctx, s, version) // no other process can write meanwhile
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

// describe converts an SQLite error to an [engine.DatabaseError], or adds the file's path to the error.
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

// isBusy reports whether err is due to a lock of another process.
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

// retryBusy repeats fn while locks of other processes prevent it. SQLite's busy timeout covers most of these waits, but
// not a change of the journal mode, the recovery of a log, or the deletion of the log by the last connection.
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
