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

// inspectPatience is how long [Inspect] waits for other processes, in milliseconds, before it reports the file as
// locked.
const inspectPatience = 1000

// Inspection is the result of [Inspect].
type Inspection struct {
	Path       string // absolute
	Schema     int    // version of the file's schema; 0 for an empty file
	Newest     int    // version that this program uses
	Damage     string // the first error that SQLite finds in the file's structure; "" for none
	ReadOnly   bool   // this process may read the file but not write to it
	Unwritable string // why a trial write failed; "" if it succeeded or was not tried
	Free       uint64 // free space in the file's directory, in bytes; 0 if not known
	Locked     bool   // another process held the write lock during the entire wait
}

// Inspect checks the file at an absolute path without changing it: it does not migrate the schema or create a file. To
// check whether the disk accepts writes, it begins a write and rolls it back. It returns an error if the file does not
// exist, cannot be opened, or is not a Craton database.
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
	in.Free, _ = freeBytes(filepath.Dir(path)) // 0 if not known
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
		// On a read-only file, SQLite silently begins a read transaction instead, and a full disk only causes an error
		// when the log grows. So the probe writes more than the cache can store, which is rolled back.
		for _, text := range probe {
			if err = c.Exec(ctx, text, nil); err != nil {
				break
			}
		}
		_ = c.rollback(ctx) // after some errors, SQLite has already rolled back
		return in.unwritable(s.path, err)
	default:
		return in.unwritable(s.path, err)
	}
}

// probe is a write that is large enough to reach the log before it is rolled back.
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

// isCode reports whether err is an SQLite error with the given primary code.
func isCode(err error, code int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xFF == code
}
