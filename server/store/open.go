package store

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
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/craton-fleet/craton/internal/retry"
)

// applicationID marks a SQLite file as ours ("CRAT").
const applicationID = 0x43524154

// lockPatience is how long an operation waits for other processes that hold
// the file's write lock, before that becomes an error.
const lockPatience = 2 * time.Minute

// Store is an open database. It is safe for concurrent use, and any number of
// processes may have the same file open.
type Store struct {
	path       string
	db         *sql.DB
	idle       chan *session // sessions for reading that have their connection and no work
	unopened   chan *session // those that have no connection yet
	writer     writer
	limits     Limits
	guard      guard
	statements atomic.Int64 // run so far; the tests count queries with it
	closeOnce  sync.Once
	now        func() time.Time
}

// ErrForeign is what is there and no database of this program's.
var (
	ErrForeign   = errors.New("no database of craton")
	errForeign   = foreign("is not a Craton database: it is left as it is")
	errDirectory = foreign("is a directory, not a file")
)

type foreign string

func (e foreign) Error() string { return string(e) }
func (e foreign) Unwrap() error { return ErrForeign }

// ErrNewer is a file that a later version of this program has written.
var ErrNewer = errors.New("was written by a newer version of craton")

// Open opens the database "sqlite:PATH".
//
// With create a missing or empty file is made, readable by its owner only.
// Without, that is an error wrapping [fs.ErrNotExist]. A file that is not a
// Craton database, or that a newer version wrote, is refused.
func Open(ctx context.Context, database string, create bool) (*Store, error) {
	return open(ctx, database, create, full)
}

// full is SQLite's synchronous mode in which a commit survives a power cut.
const full = 2

// open is Open with a synchronous mode: tests of rules that have nothing to
// do with durability need not wait for the disk.
func open(ctx context.Context, database string, create bool, synchronous int) (*Store, error) {
	path, err := sqlitePath(database)
	if err != nil {
		return nil, err
	}
	if err := touch(path, create); err != nil {
		return nil, err
	}
	file, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	// The log stands beside the file itself, not beside a link to it.
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db, err := sql.Open("sqlite", dsn(real, synchronous))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	// One more connection belongs to the writer.
	readers := readers()
	db.SetMaxOpenConns(readers + 2)
	s := &Store{path: path, db: db, idle: make(chan *session, readers), unopened: make(chan *session, readers), now: time.Now, limits: DefaultLimits, guard: guard{path: path, real: real, file: file}}
	for range readers {
		s.unopened <- s.session()
	}
	s.writer.init()
	if err := s.prepareFile(ctx, create); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// Close waits for running operations and closes the file.
//
// A file that is not the one that was opened is not closed: SQLite would fold
// the log into it, or remove the log of another one. The process must end.
func (s *Store) Close() error {
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

// Ping checks that the database answers, and that its file is in its place.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.guard.checkContents(); err != nil {
		return err
	}
	return s.read(ctx, func(ctx context.Context, q *session) error {
		var n int
		return q.row(ctx, "SELECT 1", nil, &n)
	})
}

// Path returns the file's path.
func (s *Store) Path() string { return s.path }

func sqlitePath(database string) (string, error) {
	scheme, path, ok := strings.Cut(database, ":")
	switch {
	case ok && (scheme == "postgres" || scheme == "postgresql"):
		return "", fmt.Errorf("database %s://...: PostgreSQL is not supported in this version; use sqlite:PATH", scheme)
	case !ok || scheme != "sqlite":
		// The text is not repeated: a URL may hold a password.
		return "", errors.New("the database must be given as sqlite:PATH")
	case strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///"), strings.Contains(path, "://"):
		return "", errors.New("the database must be given as sqlite:PATH, without slashes before PATH: it is not a URL")
	case path == "" || path == ":memory:":
		return "", errors.New("the database sqlite:PATH needs the path of a file")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("database sqlite:%s: %w", path, err)
	}
	return abs, nil
}

// missing is the error for a file that is not there and must not be made.
func missing(path, what string) error {
	return fmt.Errorf("%s %s: begin with `craton server bootstrap --database sqlite:%s` or `craton apply FILE`: %w", path, what, path, fs.ErrNotExist)
}

// touch makes sure that path is a file, or makes it one with mode 0600:
// SQLite gives the same mode to the files it puts beside it.
func touch(path string, create bool) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("database %s %w", path, errDirectory)
	case err == nil && !info.Mode().IsRegular(): // reading a pipe would wait for ever
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

// readers is how many reads run at once: more of them only compete for the
// processors.
func readers() int { return 2 + 2*runtime.GOMAXPROCS(0) }

// pageCache is the size in KiB of each connection's cache of pages. All
// together stay bounded, however many processors there are.
func pageCache() int {
	const all, least, most = 64 << 10, 2 << 10, 16 << 10
	return min(max(all/(readers()+1), least), most)
}

func dsn(path string, synchronous int) string {
	q := url.Values{}
	q.Set("mode", "rw") // never create: touch did, with the right mode
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

// prepareFile checks whose the file is, turns on the write-ahead log and runs
// the migrations that it lacks. Fifty processes may do this at once.
func (s *Store) prepareFile(ctx context.Context, create bool) error {
	return retryBusy(ctx, func() error {
		c, err := s.open(ctx)
		if err != nil {
			return s.describe(err)
		}
		defer c.close()
		version, empty, err := s.inspect(ctx, c)
		switch {
		case err != nil:
			return s.describe(err)
		case version == len(migrations):
			return nil
		case empty && !create:
			return missing(s.path, "holds no fleet yet")
		}
		if err := c.exec(ctx, "PRAGMA journal_mode = WAL", nil); err != nil {
			return s.describe(err)
		}
		return s.describe(s.migrate(ctx, c))
	})
}

// inspect returns the schema's version, and whether the file holds nothing.
func (s *Store) inspect(ctx context.Context, c *session) (version int, empty bool, err error) {
	var id, tables int
	header := func() error {
		return errors.Join(c.row(ctx, "PRAGMA application_id", nil, &id), c.row(ctx, "PRAGMA user_version", nil, &version))
	}
	if err := header(); err != nil {
		return 0, false, err
	}
	if id == 0 { // nothing, somebody else's, or what another process is making right now
		if err := c.row(ctx, "SELECT count(*) FROM sqlite_master", nil, &tables); err != nil {
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
	case version > len(migrations):
		return 0, false, fmt.Errorf("%s %w (schema %d, this program knows up to %d): use that version or newer", s.path, ErrNewer, version, len(migrations))
	}
	return version, false, nil
}

func (s *Store) migrate(ctx context.Context, c *session) error {
	if err := c.exec(ctx, "BEGIN IMMEDIATE", nil); err != nil {
		return err
	}
	version, _, err := s.inspect(ctx, c) // again: another process may have been first
	if err == nil {
		for _, m := range migrations[version:] {
			if _, err = c.conn.ExecContext(ctx, m); err != nil {
				break
			}
		}
	}
	if err == nil {
		_, err = c.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(migrations)))
	}
	if err != nil {
		return errors.Join(err, c.rollback(ctx))
	}
	return c.exec(ctx, "COMMIT", nil)
}

// describe makes a [Failure] of what the engine says, or adds the file's path.
func (s *Store) describe(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return fault(s.path, err)
	}
	if e.Code() == sqlite3.SQLITE_NOTADB {
		return fmt.Errorf("%s %w", s.path, errForeign)
	}
	if err := fault(s.path, err); errors.As(err, new(*Failure)) {
		return err
	}
	return fmt.Errorf("database %s: %w", s.path, err)
}

// isBusy reports whether err only says that another process is in the way.
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

// retryBusy repeats fn while other processes are in its way. SQLite's own
// busy timeout covers most waits, but not switching the journal mode, the
// recovery of a log, or the moment when the last connection closes it.
func retryBusy(ctx context.Context, fn func() error) error {
	deadline := time.Now().Add(lockPatience)
	return retry.Pauses{First: time.Millisecond, Most: 100 * time.Millisecond}.Do(ctx, func(int) (again bool, err error) {
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
