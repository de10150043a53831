package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/craton-fleet/craton/server/store/engine"
)

// inspectPatience is how many milliseconds [Inspect] waits for other
// processes before it calls the file locked.
const inspectPatience = 1000

// Inspection is what a database file looks like from outside.
type Inspection struct {
	Path       string // absolute
	Schema     int    // version of the file's schema; 0: an empty file
	Newest     int    // version that this program writes
	Damage     string // the first fault that SQLite finds in the file's structure; "" if it finds none
	ReadOnly   bool   // this process may read the file but not write to it
	Unwritable string // why a write failed that was tried; "" if it did not, or was not tried
	Free       uint64 // bytes that this process may still write beside the file; 0 if that is not known
	Locked     bool   // another process held the write lock all the time that was waited for it
}

// Inspect looks at the file at an absolute path and leaves what it holds as it
// is: no migration, no file is made. To see whether the disk takes a write, one
// is begun and rolled back. A file that is missing, that cannot be opened,
// or that holds something else is an error.
func Inspect(ctx context.Context, path string, schema []string) (Inspection, error) {
	in := Inspection{Path: path, Newest: len(schema)}
	if err := touch(path, false); err != nil {
		return in, err
	}
	db, err := sql.Open("sqlite", dsn(path, full))
	if err != nil {
		return in, fmt.Errorf("open %s: %w", path, err)
	}
	s := &Engine{path: path, schema: schema, db: db}
	err = s.inspectFile(ctx, &in)
	in.Free, _ = freeBytes(filepath.Dir(path)) // 0: not known
	if isCode(err, sqlite3.SQLITE_CORRUPT) {
		in.Damage, err = err.Error(), nil
	}
	return in, errors.Join(s.describe(err), db.Close())
}

func (s *Engine) inspectFile(ctx context.Context, in *Inspection) error {
	c, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	for _, text := range []string{fmt.Sprintf("PRAGMA busy_timeout = %d", inspectPatience), "PRAGMA cache_size = 2"} {
		if err := c.Exec(ctx, text, nil); err != nil {
			return err
		}
	}
	version, empty, err := s.inspect(ctx, c)
	if err != nil || empty {
		return err
	}
	in.Schema = version
	var verdict string
	if err := c.Row(ctx, "PRAGMA quick_check(1)", nil, &verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		in.Damage = verdict
	}
	switch err := c.Exec(ctx, "BEGIN IMMEDIATE", nil); {
	case isBusy(err):
		in.Locked = true
		return nil
	case err == nil:
		// Of a file that may only be read, SQLite makes this a transaction
		// for reading, and a full disk shows when the log grows. So more is
		// written than the cache takes, and taken back.
		for _, text := range probe {
			if err = c.Exec(ctx, text, nil); err != nil {
				break
			}
		}
		_ = c.rollback(ctx) // after some failures SQLite has done it already
		return in.unwritable(s.path, err)
	default:
		return in.unwritable(s.path, err)
	}
}

// probe is a write that reaches the log before it is rolled back.
var probe = []string{"CREATE TABLE inspection (filler)", "INSERT INTO inspection VALUES (randomblob(200000))"}

// unwritable files an error of a write that was tried.
func (in *Inspection) unwritable(path string, err error) error {
	var f *engine.DatabaseError
	switch err := fault(path, err); {
	case isCode(err, sqlite3.SQLITE_READONLY):
		in.ReadOnly = true
		return nil
	case errors.As(err, &f) && f.Reason != engine.Damaged:
		in.Unwritable = f.CauseInDetail()
		return nil
	default:
		return err
	}
}

// isCode reports whether err is a failure of the engine with that primary
// code.
func isCode(err error, code int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xFF == code
}
