package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/server/store/engine"
	"github.com/craton-fleet/craton/server/store/sqlite"
)

// restoreRows is the number of rows that one statement inserts.
const restoreRows = 64

// Restore restores a backup into an empty database of any engine, and migrates it to the current schema. It creates a
// missing database. open opens the backup, which is checked completely before it is read again and stored. file is the
// backup's name for messages.
//
// If Restore fails, nothing is stored. It fails with an [InvalidBackupError], or with an error that wraps
// [ErrNotEmpty].
func Restore(ctx context.Context, database string, o Options, file string, open func() (io.ReadCloser, error), report func(Step)) (info BackupInfo, all int64, err error) {
	info, all, err = checkBackup(file, open, report)
	if err != nil {
		return info, 0, err
	}
	o.Create, o.NoSaves = true, true // the data are in a backup already
	defer removeOnError(database, &err)()
	e, err := openEngine(ctx, database, o, migrations[:info.Schema])
	if errors.Is(err, ErrNewer) {
		return info, 0, fmt.Errorf("the backup is of schema %d, and %w: restore into a database without tables", info.Schema, err)
	}
	if err != nil {
		return info, 0, err
	}
	err = e.Write(ctx, engine.Work{Long: true, Run: func(ctx context.Context, tx engine.Tx) error {
		r := &restorer{tx: tx, dialect: e.Dialect(), tables: savedTables(info.Schema), report: report, step: Step{All: all}}
		if err := r.checkEmpty(ctx, e.Name()); err != nil {
			return err
		}
		return r.run(ctx, file, open)
	}})
	if err = errors.Join(err, e.Close()); err != nil {
		return info, 0, err
	}
	s, err := Open(ctx, database, o) // migrates the schema
	if err != nil {
		return info, 0, err
	}
	return info, all, s.Close()
}

// removeOnError returns a function that removes an SQLite file after an error, if the file did not exist when
// removeOnError was called.
func removeOnError(database string, err *error) func() {
	path, e := sqlitePath(database)
	if e != nil {
		return func() {}
	}
	if _, e := os.Stat(path); !errors.Is(e, fs.ErrNotExist) {
		return func() {}
	}
	return func() {
		if *err != nil {
			sqlite.Remove(path)
		}
	}
}

// ErrNotEmpty is wrapped by the error of [Restore] for a database that already contains a fleet.
var ErrNotEmpty = errors.New("already contains a fleet")

// checkBackup reads and checks an entire backup. It returns the description and the number of rows.
func checkBackup(file string, open func() (io.ReadCloser, error), report func(Step)) (info BackupInfo, rows int64, err error) {
	f, err := open()
	if err != nil {
		return info, 0, err
	}
	defer f.Close() //nolint:errcheck // only read
	b, end, err := newBackupReader(file, f)
	if err != nil {
		return info, 0, err
	}
	defer end()
	for {
		row, err := b.next()
		if err != nil {
			return b.info, 0, err
		}
		if row == nil {
			return b.info, b.rows, nil
		}
		if report != nil && b.rows%1000 == 0 {
			report(Step{Rows: b.rows, Table: "checking"})
		}
	}
}

// restorer stores the rows of a backup.
type restorer struct {
	tx      engine.Tx
	dialect *engine.Dialect
	tables  []*table
	report  func(Step)
	step    Step

	part *part // the part that the collected rows belong to
	held []any
	rows int
}

// checkEmpty returns an error if the database contains any row except the one that assigns revisions.
func (r *restorer) checkEmpty(ctx context.Context, name string) error {
	for _, t := range r.tables {
		if t.name == "log" {
			continue
		}
		var n int
		if err := r.tx.Row(ctx, "SELECT count(*) FROM (SELECT 1 FROM "+t.name+" LIMIT 1) one", nil, &n); err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("database %s %w: restore into an empty one", name, ErrNotEmpty)
		}
	}
	return nil
}

func (r *restorer) run(ctx context.Context, file string, open func() (io.ReadCloser, error)) error {
	f, err := open()
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	b, end, err := newBackupReader(file, f)
	if err != nil {
		return err
	}
	defer end()
	if slices.ContainsFunc(r.tables, func(t *table) bool { return t.name == "log" }) {
		if err := r.tx.Exec(ctx, "DELETE FROM log", nil); err != nil {
			return err
		}
	}
	if filler, ok := r.tx.(engine.Filler); ok {
		names := make([]string, len(r.tables))
		for i, t := range r.tables {
			names[i] = t.name
		}
		err = filler.Fill(ctx, names, func() error {
			err := r.store(ctx, b, filler)
			if r.report != nil {
				r.report(Step{Rows: r.step.Rows, All: r.step.All, Table: "indexes"})
			}
			return err
		})
	} else {
		err = r.store(ctx, b, nil)
	}
	if err != nil {
		return err
	}
	return r.finish(ctx, b)
}

// store stores the rows of a backup.
func (r *restorer) store(ctx context.Context, b *backupReader, filler engine.Filler) error {
	row, err := r.next(b)
	for row != nil && err == nil {
		if r.part = b.table; filler == nil || r.part.Update != "" {
			for ; row != nil && err == nil && b.table == r.part; row, err = r.next(b) {
				if err := r.hold(ctx, row); err != nil {
					return err
				}
			}
			if err := r.flush(ctx); err != nil {
				return err
			}
			continue
		}
		begun := false
		loaded := filler.Load(ctx, r.part.Table, r.part.Columns, func() ([]any, error) {
			if begun {
				row, err = r.next(b)
			}
			if begun = true; row == nil || b.table != r.part {
				return nil, err
			}
			return row, err
		})
		if loaded != nil {
			return loaded
		}
	}
	return err
}

// next returns the next row of a backup, and occasionally reports the progress.
func (r *restorer) next(b *backupReader) ([]any, error) {
	row, err := b.next()
	if row == nil || err != nil {
		return nil, err
	}
	if r.step.Rows++; r.report != nil && r.step.Rows%1000 == 0 {
		r.step.Table = b.table.Table + b.table.Update
		r.report(r.step)
	}
	return row, nil
}

// hold collects a row, and stores the collected rows when there are enough.
func (r *restorer) hold(ctx context.Context, row []any) error {
	r.held = append(r.held, row...)
	if r.rows++; r.rows < restoreRows {
		return nil
	}
	return r.flush(ctx)
}

// flush stores the collected rows.
func (r *restorer) flush(ctx context.Context) error {
	if r.rows == 0 {
		return nil
	}
	p, args, rows := r.part, r.held, r.rows
	r.held, r.rows = nil, 0
	n := len(p.Columns)
	if p.Update != "" {
		for i := range rows {
			text := fmt.Sprintf("UPDATE %s SET %s = ? WHERE %s = ?", p.Update, p.Columns[1], p.Columns[0])
			if err := r.tx.QueueExec(ctx, text, []any{args[i*n+1], args[i*n]}); err != nil {
				return err
			}
		}
		return nil
	}
	marks := "(" + strings.Repeat("?, ", n-1) + "?)"
	return r.tx.QueueExec(ctx, "INSERT INTO "+p.Table+" ("+strings.Join(p.Columns, ", ")+") VALUES "+strings.Repeat(marks+", ", rows-1)+marks, args)
}

// finish sets the last assigned ids, and updates the database's statistics.
func (r *restorer) finish(ctx context.Context, b *backupReader) error {
	for _, p := range b.parts {
		for column, last := range p.Last {
			for _, text := range r.dialect.SetLastID(p.Table, column, last) {
				if err := r.tx.Exec(ctx, text, nil); err != nil {
					return err
				}
			}
		}
	}
	if r.dialect.Statistics == "" {
		return nil
	}
	return collect(ctx, r.tx, r.dialect.Statistics, r.tables)
}
