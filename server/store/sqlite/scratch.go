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

// AttachedPrefix is the prefix of the tables of an attached database while a scratch file is filled: "live.hosts".
const AttachedPrefix = "live."

const (
	scratchName = "craton-past-*.db"
	abandoned   = time.Hour // since the last write to a scratch file
)

// Scratch creates a temporary database that fill fills, and that is only read afterwards. It is deleted with
// [Engine.Close] or with the process: once complete, its file has no name. beside, if not nil, is a database whose
// tables fill can read in one snapshot, with [AttachedPrefix].
//
// An error of fill is returned as it is.
func Scratch(ctx context.Context, schema []string, beside *Engine, fill func(ctx context.Context, tx engine.Tx) error) (_ *Engine, err error) {
	sweep()
	f, err := os.CreateTemp(TempDir(), scratchName) // its mode is 0600
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &engine.DatabaseError{Database: TempDir(), Reason: engine.NoAccess, Detail: "there is no such directory, and TMPDIR says that temporary files go there", Err: err}
		}
		return nil, fault(filepath.Join(TempDir(), scratchName), fmt.Errorf("a file for a past state: %w", err))
	}
	path := f.Name()
	defer os.Remove(path) //nolint:errcheck // otherwise the next sweep finds it
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
	s.writer.shut = true // there are no writes; reads still wait for a connection
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
		return nil, beside.outcome(err) // which is only read
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
	// Filling tables without indexes, and creating those afterwards, is faster.
	var name, table, text string
	var drop []string
	indexes := map[string][]string{} // by table
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
			var n int // takes the snapshot for everything that is read
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
	q.closeStatements() // an open statement would keep the database attached
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

// makeIndexes creates the indexes of the tables that still exist.
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

// sweep removes the files of processes that were killed while they filled a scratch file.
func sweep() {
	left, _ := filepath.Glob(filepath.Join(TempDir(), scratchName)) // the pattern is right
	for _, path := range left {
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && info.Mode().Perm() == 0o600 && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(path) // another process may be first, or it belongs to another user
		}
	}
}

// TempDir returns the directory that SQLite uses for large temporary files: /tmp is often in memory.
func TempDir() string {
	if dir := os.Getenv("TMPDIR"); dir != "" {
		return dir
	}
	if info, err := os.Stat("/var/tmp"); err == nil && info.IsDir() {
		return "/var/tmp"
	}
	return os.TempDir()
}
