package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// inspectPatience is how many milliseconds [Inspect] waits for other
// processes before it calls the file locked.
const inspectPatience = 1000

// Inspection is what a database file looks like from outside.
type Inspection struct {
	Path     string // absolute
	Schema   int    // version of the file's schema; 0: an empty file
	Newest   int    // version that this program writes
	Damage   string // the first fault that SQLite finds in the file's structure; "" if it finds none
	ReadOnly bool   // this process may read the file but not write to it
	Locked   bool   // another process held the write lock all the time that was waited for it
}

// Inspect looks at the database "sqlite:PATH" and leaves it as it is: no
// migration, no file is made. A file that is missing, that cannot be opened,
// or that holds something else is an error.
func Inspect(ctx context.Context, database string) (Inspection, error) {
	path, err := sqlitePath(database)
	if err != nil {
		return Inspection{}, err
	}
	in := Inspection{Path: path, Newest: len(migrations)}
	if err := touch(path, false); err != nil {
		return in, err
	}
	db, err := sql.Open("sqlite", dsn(path, full))
	if err != nil {
		return in, fmt.Errorf("open %s: %w", path, err)
	}
	s := &Store{path: path, db: db}
	err = s.look(ctx, &in)
	if isCode(err, sqlite3.SQLITE_CORRUPT) {
		in.Damage, err = err.Error(), nil
	}
	return in, errors.Join(s.describe(err), db.Close())
}

func (s *Store) look(ctx context.Context, in *Inspection) error {
	c, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.exec(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", inspectPatience), nil); err != nil {
		return err
	}
	version, empty, err := s.inspect(ctx, c)
	if err != nil || empty {
		return err
	}
	in.Schema = version
	var verdict string
	if err := c.row(ctx, "PRAGMA quick_check(1)", nil, &verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		in.Damage = verdict
	}
	switch err := c.exec(ctx, "BEGIN IMMEDIATE", nil); {
	case isBusy(err):
		in.Locked = true
		return nil
	case err != nil && !isCode(err, sqlite3.SQLITE_READONLY):
		return err
	case err == nil:
		// Of a file that may only be read, SQLite makes this a transaction
		// for reading. Only a write tells, and it is taken back.
		err = c.exec(ctx, fmt.Sprintf("PRAGMA user_version = %d", version), nil)
		if end := c.rollback(ctx); end != nil {
			return errors.Join(err, end)
		}
		if err == nil {
			return nil
		}
		if !isCode(err, sqlite3.SQLITE_READONLY) {
			return err
		}
	}
	in.ReadOnly = true
	return nil
}

// isCode reports whether err is a failure of the engine with that primary
// code.
func isCode(err error, code int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xFF == code
}
