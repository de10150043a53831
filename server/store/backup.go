package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store/engine"
)

// A backup is a file of JSON lines, compressed with zstd. Its format is the same for all engines:
//
//	{"format":"craton backup","version":1,"schema":2,"program":"0.1.0","made":"2026-11-29T10:00:00Z","database":"sqlite"}
//	{"table":"projects","columns":["seq","id","name","created_at","updated_at"],"last":{"seq":1}}
//	[1,"b9f10eca-66ac-4c27-9c13-9d01e65f96b4","default",1795944451,null]
//	...
//	{"rows":12345,"sha256":"..."}
//
// The tables are ordered so that rows come before those that refer to them. A column that refers to its own table comes
// later, in a part with "update" instead of "table". "last" has the last id that the database has assigned, so that no
// id is assigned twice. The last line has the number of rows and the SHA-256 of the bytes before it. A file without
// this line is incomplete.
//
// A backup contains all data, including users with the hashes of their keys, and the change log.
const (
	backupFormat  = "craton backup"
	backupVersion = 1
)

// BackupInfo describes a backup. It is the backup's first line.
type BackupInfo struct {
	Format   string    `json:"format"`
	Version  int       `json:"version"`  // version of the format
	Schema   int       `json:"schema"`   // version of the schema
	Program  string    `json:"program"`  // version of the program that created it
	Created  time.Time `json:"made"`     // UTC
	Database string    `json:"database"` // sqlite or postgres
}

// part is the first line of a part of a backup.
type part struct {
	Table   string           `json:"table,omitempty"`
	Update  string           `json:"update,omitempty"`
	Columns []string         `json:"columns"`
	Last    map[string]int64 `json:"last,omitempty"`
}

// end is the last line of a backup.
type end struct {
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Step is the progress of a backup or a restore.
type Step struct {
	Rows  int64 // number of rows so far
	All   int64 // number of all rows; 0 if not known
	Table string
}

// Backup writes a snapshot of the database to w and returns the number of rows. Reads and writes can continue
// meanwhile. program is the version of the program, for the backup's first line. report, if not nil, is called with the
// progress. The required memory does not depend on the size of the database. The backup has the database's schema,
// which may be older: see [Options].
func (s *Store) Backup(ctx context.Context, w io.Writer, program string, report func(Step)) (int64, error) {
	return backup(ctx, s.engine, w, program, s.now(), report)
}

func backup(ctx context.Context, e engine.Engine, w io.Writer, program string, now time.Time, report func(Step)) (rows int64, err error) {
	packed, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return 0, err
	}
	b := &backupWriter{sum: sha256.New(), report: report}
	b.out = bufio.NewWriterSize(io.MultiWriter(packed, b.sum), 64<<10)
	err = e.Read(ctx, func(ctx context.Context, tx engine.Tx) error {
		var schema int
		if err := tx.Row(ctx, e.Dialect().Version, nil, &schema); err != nil {
			return err
		}
		if schema > len(migrations) { // another process has migrated it since it was opened
			return engine.NewerError("database "+e.Name(), schema, len(migrations))
		}
		if err := b.line(BackupInfo{Format: backupFormat, Version: backupVersion, Schema: schema, Program: program, Created: now.UTC().Truncate(time.Second), Database: e.Dialect().Name}); err != nil {
			return err
		}
		for _, t := range savedTables(schema) {
			if err := b.table(ctx, tx, e.Dialect(), t); err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
		}
		return nil
	})
	if err == nil {
		err = b.out.Flush()
	}
	if err == nil {
		err = b.line(end{Rows: b.step.Rows, SHA256: hex.EncodeToString(b.sum.Sum(nil))})
	}
	return b.step.Rows, errors.Join(err, b.out.Flush(), packed.Close())
}

type backupWriter struct {
	out    *bufio.Writer
	sum    hash.Hash
	buf    []byte
	step   Step
	report func(Step)
}

func (b *backupWriter) line(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = b.out.Write(append(text, '\n'))
	return err
}

func (b *backupWriter) table(ctx context.Context, tx engine.Tx, d *engine.Dialect, t *table) error {
	p := part{Table: t.name}
	var own []tableColumn // columns that refer to the same table
	var columns []tableColumn
	for _, c := range t.columns {
		if c.itself {
			own = append(own, c)
			continue
		}
		p.Columns, columns = append(p.Columns, c.name), append(columns, c)
	}
	if id := t.identity(); id != "" {
		var last *int64
		if err := tx.Row(ctx, d.LastID(t.name, id), nil, &last); err != nil {
			return err
		}
		if last == nil {
			return errors.New("the role may not read the sequence of its ids: grant it SELECT on all sequences of the schema, or pg_read_all_data")
		}
		p.Last = map[string]int64{id: *last}
	}
	if err := b.line(p); err != nil {
		return err
	}
	if err := b.rows(ctx, tx, t, columns, ""); err != nil {
		return err
	}
	for _, c := range own {
		columns := []tableColumn{{name: t.key[0]}, c}
		if err := b.line(part{Update: t.name, Columns: []string{columns[0].name, c.name}}); err != nil {
			return err
		}
		if err := b.rows(ctx, tx, t, columns, " WHERE "+c.name+" IS NOT NULL"); err != nil {
			return err
		}
	}
	return nil
}

func (b *backupWriter) rows(ctx context.Context, tx engine.Tx, t *table, columns []tableColumn, where string) error {
	b.step.Table = t.name
	names := make([]string, len(columns))
	values, dest := make([]any, len(columns)), make([]any, len(columns))
	for i, c := range columns {
		names[i], dest[i] = c.name, &values[i]
	}
	text := "SELECT " + strings.Join(names, ", ") + " FROM " + t.name + where + " ORDER BY " + strings.Join(t.key, ", ")
	return tx.Each(ctx, text, nil, dest, func() error {
		b.buf = append(b.buf[:0], '[')
		for i, v := range values {
			if i > 0 {
				b.buf = append(b.buf, ',')
			}
			switch v := v.(type) {
			case nil:
				b.buf = append(b.buf, "null"...)
			case int64:
				if columns[i].boolean {
					b.buf = strconv.AppendBool(b.buf, v != 0)
				} else {
					b.buf = strconv.AppendInt(b.buf, v, 10)
				}
			case bool:
				b.buf = strconv.AppendBool(b.buf, v)
			case string:
				b.buf = jsontext.AppendString(b.buf, v)
			case []byte:
				b.buf = jsontext.AppendString(b.buf, string(v))
			default:
				return fmt.Errorf("column %s has a %T", columns[i].name, v)
			}
		}
		b.buf = append(b.buf, "]\n"...)
		_, err := b.out.Write(b.buf)
		b.step.Rows++
		if b.report != nil && b.step.Rows%1000 == 0 {
			b.report(b.step)
		}
		return err
	})
}

// InvalidBackupError is the error for a file that is not a complete backup.
type InvalidBackupError struct {
	File string
	Why  string
}

func (e *InvalidBackupError) Error() string { return fmt.Sprintf("%s %s", e.File, e.Why) }

// maxLine is the maximum length of a line of a backup. It has room for a row with a value of one megabyte, escaped.
const maxLine = 64 << 20

// backupReader reads a backup line by line.
type backupReader struct {
	file  string
	lines *bufio.Scanner
	sum   hash.Hash
	rows  int64
	info  BackupInfo

	tables []*table // tables of the backup's schema
	table  *part
	parts  []*part // parts that were read so far
	row    []any
	done   bool
}

func newBackupReader(file string, r io.Reader) (*backupReader, func(), error) {
	packed, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return nil, nil, err
	}
	b := &backupReader{file: file, lines: bufio.NewScanner(packed), sum: sha256.New()}
	b.lines.Buffer(make([]byte, 64<<10), maxLine)
	if !b.lines.Scan() {
		packed.Close()
		return nil, nil, b.bad("is no backup of craton, or is cut off: " + b.readError("it is empty"))
	}
	if err := json.Unmarshal(b.lines.Bytes(), &b.info); err != nil || b.info.Format != backupFormat {
		packed.Close()
		return nil, nil, b.bad("is no backup of craton")
	}
	b.hash()
	switch {
	case b.info.Version > backupVersion || b.info.Schema > len(migrations):
		packed.Close()
		return nil, nil, b.bad(fmt.Sprintf("was made by a newer version of craton (%s; format %d and schema %d, this program knows up to %d and %d): use that version or newer",
			b.info.Program, b.info.Version, b.info.Schema, backupVersion, len(migrations)))
	case b.info.Version < 1 || b.info.Schema < 1:
		packed.Close()
		return nil, nil, b.bad("is damaged: it has no version")
	}
	b.tables = savedTables(b.info.Schema)
	return b, packed.Close, nil
}

func (b *backupReader) bad(why string) error { return &InvalidBackupError{File: b.file, Why: why} }

func (b *backupReader) readError(otherwise string) string {
	if err := b.lines.Err(); err != nil {
		return err.Error()
	}
	return otherwise
}

func (b *backupReader) hash() {
	b.sum.Write(b.lines.Bytes())
	b.sum.Write([]byte{'\n'})
}

// checkPart checks that a part has the names of a table of the schema and of columns of that table. The names become
// part of statements.
func (b *backupReader) checkPart(p *part) error {
	name := p.Table + p.Update
	at := slices.IndexFunc(b.tables, func(t *table) bool { return t.name == name })
	if at < 0 {
		return b.bad(fmt.Sprintf("is damaged: there is no table %q", name))
	}
	known := func(column string) bool {
		return slices.ContainsFunc(b.tables[at].columns, func(c tableColumn) bool { return c.name == column })
	}
	for _, column := range p.Columns {
		if !known(column) {
			return b.bad(fmt.Sprintf("is damaged: table %s has no column %q", name, column))
		}
	}
	for column := range p.Last {
		if column != b.tables[at].identity() {
			return b.bad(fmt.Sprintf("is damaged: table %s has no ids in %q", name, column))
		}
	}
	if len(p.Columns) == 0 || p.Update != "" && len(p.Columns) != 2 {
		return b.bad("is damaged: a part of it has no columns")
	}
	return nil
}

// read parses a row of integers, texts, true, false and null into b.row.
func (b *backupReader) read(line []byte) error {
	if !gjson.ValidBytes(line) {
		return b.bad("is damaged: a row is no JSON")
	}
	x := jsontext.NewSkimmer(string(line))
	b.row = b.row[:0]
	var err error
	x.Elements(func() {
		var v any
		switch c := x.Peek(); c {
		case '"':
			v = x.Str()
		default:
			switch text := x.Skip(); text {
			case "null":
			case "true", "false":
				v = text == "true"
			default:
				n, wrong := strconv.ParseInt(text, 10, 64)
				if wrong != nil {
					err = b.bad(fmt.Sprintf("is damaged: a row has the value %.40q", text))
				}
				v = n
			}
		}
		b.row = append(b.row, v)
	})
	if err == nil && (b.table == nil || len(b.row) != len(b.table.Columns)) {
		err = b.bad("is damaged: a row has other columns than its table")
	}
	return err
}

// next returns the next row, which belongs to b.table, or nil after the last one. The row is only valid until the next
// call.
func (b *backupReader) next() ([]any, error) {
	for b.lines.Scan() {
		line := b.lines.Bytes()
		switch {
		case b.done:
			return nil, b.bad("is damaged: there is data after its end")
		case bytes.HasPrefix(line, []byte(`{"rows":`)):
			var e end
			if json.Unmarshal(line, &e) != nil || e.Rows != b.rows || e.SHA256 != hex.EncodeToString(b.sum.Sum(nil)) {
				return nil, b.bad("is damaged: its checksum is another one than that of its contents")
			}
			b.done = true
			continue
		case bytes.HasPrefix(line, []byte("{")):
			b.table = &part{}
			if err := json.Unmarshal(line, b.table); err != nil {
				return nil, b.bad("is damaged: " + err.Error())
			}
			if err := b.checkPart(b.table); err != nil {
				return nil, err
			}
			b.parts = append(b.parts, b.table)
			b.hash()
			continue
		}
		if err := b.read(line); err != nil {
			return nil, err
		}
		b.hash()
		b.rows++
		return b.row, nil
	}
	switch {
	case !b.done:
		return nil, b.bad("is cut off or damaged: " + b.readError("its end is missing"))
	case b.lines.Err() != nil:
		return nil, b.bad("is damaged: there is data after its end")
	}
	return nil, nil
}
