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

// inspectPatience is how long, in milliseconds, [Inspect] waits for other processes before it reports the file as
// locked.
const inspectPatience = 1000

// Inspection is the result of [Inspect].
type Inspection struct {
	Path       string // absolute
	Schema     int    // version of the file's schema; 0 for an empty file
	Newest     int    // version that this program writes
	Damage     string // the first fault that SQLite finds in the file's structure; "" if it finds none
	ReadOnly   bool   // this process may read the file but not write to it
	Unwritable string // why a trial write failed; "" if it did not, or was not tried
	Free       uint64 // bytes that this process can still write beside the file; 0 if not known
	Locked     bool   // another process held the write lock during the whole wait
}

// Inspect checks the file at an absolute path without changing it: it runs no migration and creates no file. To see
// whether the disk accepts writes, one is begun and rolled back. A file that is missing, cannot be opened, or is not a
// Craton database is an error.
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
		// On a read-only file SQLite makes this a read transaction, and a full disk shows only when the log grows. So
		// more is written than fits the cache, and rolled back.
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

// unwritable records the error of a trial write.
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

// isCode reports whether err is an SQLite error with a primary code.
func isCode(err error, code int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xFF == code
}
