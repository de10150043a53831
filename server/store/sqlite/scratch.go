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
	"strings"
	"time"

	"github.com/craton-fleet/craton/server/store/engine"
)

// AttachedPrefix is the prefix for the tables of the attached database while a scratch file is filled: "live.hosts".
const AttachedPrefix = "live."

const (
	scratchName = "craton-past-*.db"
	abandoned   = time.Hour // age of the last write after which a scratch file is removed
)

// Scratch creates a temporary database, calls fill to fill it, and returns it for reading only. Its file is unlinked,
// so that it is deleted by [Engine.Close] or the end of the process. beside, if not nil, is a database whose tables
// fill can read in one snapshot, with [AttachedPrefix].
//
// An error of fill is returned unchanged.
func Scratch(ctx context.Context, schema []string, beside *Engine, fill func(ctx context.Context, tx engine.Tx) error) (_ *Engine, err error) {
	sweep()
	f, err := os.CreateTemp(TempDir(), scratchName) // with mode 0600
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &engine.DatabaseError{Database: TempDir(), Reason: engine.NoAccess, Detail: "there is no such directory, and TMPDIR says that temporary files go there", Err: err}
		}
		return nil, fault(filepath.Join(TempDir(), scratchName), fmt.Errorf("a file for a past state: %w", err))
	}
	path := f.Name()
	defer os.Remove(path) //nolint:errcheck // if it fails, a later sweep removes the file
	if err := f.Close(); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", scratchDSN(path))
	if err != nil {
		return nil, err
	}
	readers := Readers()
	db.SetMaxOpenConns(readers)
	s := &Engine{path: "of a past state", schema: schema, db: db, idle: make(chan *conn, readers), unopened: make(chan *conn, readers), scratch: true}
	s.guard.path = s.path
	s.writer.init()
	s.writer.shut = true // refuses writes; reads still wait for a connection
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	q, err := s.open(ctx)
	if err != nil {
		return nil, fault(s.path, err)
	}
	q.failed = nil
	if err := s.fillScratch(ctx, q, beside, fill); err != nil {
		q.close()
		if q.failed == nil {
			return nil, err
		}
		var full *engine.DatabaseError
		if beside == nil || errors.As(fault(path, err), &full) && full.Reason == engine.DiskFull {
			return nil, fault(path, err)
		}
		return nil, beside.outcome(err) // the error can be due to the database that is read
	}
	s.idle <- q
	for len(s.idle) < readers {
		q, err := s.open(ctx)
		if err != nil {
			return nil, fault(s.path, err)
		}
		s.idle <- q
	}
	return s, nil
}

func scratchDSN(path string) string {
	q := url.Values{}
	q.Set("mode", "rw")
	for _, pragma := range []string{
		"journal_mode(OFF)", "synchronous(0)", "temp_store(1)", "foreign_keys(0)",
		fmt.Sprintf("cache_size(-%d)", pageCache()/runtime.GOMAXPROCS(0)),
	} {
		q.Add("_pragma", pragma)
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String()
}

func (s *Engine) fillScratch(ctx context.Context, q *conn, beside *Engine, fill func(ctx context.Context, tx engine.Tx) error) error {
	for _, text := range s.schema {
		if _, err := q.sql.ExecContext(ctx, text); err != nil {
			return q.note(err)
		}
	}
	// It is faster to fill tables without indexes, and create these afterwards.
	var name, table, text string
	var drop []string
	indexes := map[string][]string{} // statements by table
	err := q.Each(ctx, "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL", nil, []any{&name, &table, &text}, func() error {
		drop, indexes[table] = append(drop, "DROP INDEX "+name), append(indexes[table], text)
		return nil
	})
	if err != nil {
		return err
	}
	if beside != nil {
		if err := beside.guard.check(); err != nil {
			return err
		}
		from := &url.URL{Scheme: "file", Path: filepath.ToSlash(beside.guard.real), RawQuery: "mode=rw"}
		if err := q.Exec(ctx, "ATTACH DATABASE ? AS "+strings.TrimSuffix(AttachedPrefix, "."), []any{from.String()}); err != nil {
			return err
		}
	}
	steps := []func() error{
		func() error { return q.Exec(ctx, "BEGIN", nil) },
		func() error { return q.execAll(ctx, drop) },
		func() error {
			if beside == nil {
				return nil
			}
			var n int // this query takes the snapshot
			return errors.Join(q.Row(ctx, "SELECT count(*) FROM (SELECT 1 FROM "+AttachedPrefix+"sqlite_master LIMIT 1)", nil, &n), beside.guard.checkContents())
		},
		func() error { return fill(ctx, q) },
		func() error { return q.makeIndexes(ctx, indexes) },
		func() error { return q.Exec(ctx, "COMMIT", nil) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	q.closeStatements() // an open statement would prevent DETACH
	if beside == nil {
		return nil
	}
	return q.Exec(ctx, "DETACH DATABASE "+strings.TrimSuffix(AttachedPrefix, "."), nil)
}

func (q *conn) execAll(ctx context.Context, texts []string) error {
	for _, text := range texts {
		if _, err := q.sql.ExecContext(ctx, text); err != nil {
			return q.note(err)
		}
	}
	return nil
}

// makeIndexes creates the indexes of those tables that still exist.
func (q *conn) makeIndexes(ctx context.Context, indexes map[string][]string) error {
	var table string
	var texts []string
	err := q.Each(ctx, "SELECT name FROM sqlite_master WHERE type = 'table'", nil, []any{&table}, func() error {
		texts = append(texts, indexes[table]...)
		return nil
	})
	if err != nil {
		return err
	}
	return q.execAll(ctx, texts)
}

// sweep removes scratch files whose processes were killed while they filled them.
func sweep() {
	left, _ := filepath.Glob(filepath.Join(TempDir(), scratchName)) // the pattern is valid
	for _, path := range left {
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && info.Mode().Perm() == 0o600 && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(path) // another process may remove it first, or another user may own it
		}
	}
}

// TempDir returns the directory that SQLite uses for large temporary files. The default is not /tmp, which is often in
// memory.
func TempDir() string {
	if dir := os.Getenv("TMPDIR"); dir != "" {
		return dir
	}
	if info, err := os.Stat("/var/tmp"); err == nil && info.IsDir() {
		return "/var/tmp"
	}
	return os.TempDir()
}
