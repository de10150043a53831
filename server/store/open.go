package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/craton-fleet/craton/server/store/engine"
	"github.com/craton-fleet/craton/server/store/sqlite"
)

// Store is an open database. It is safe for concurrent use, and several processes may open the same database.
type Store struct {
	engine     engine.Engine
	replica    *replica // serves some of the reads; nil if there is none
	limits     Limits
	concealed  []string // see ConcealKeys
	bell       bell
	pasts      *pasts
	uses       uses
	proofs     sharedCalls[proof, keyRow]
	walks      walks
	setters    knownSetters
	passed     int // passedRows, except in tests
	pieces     pieces
	few        int // minChosen, except in tests
	growth     *growth
	past       *past // not nil if the store contains a past state
	opened     Micros
	behind     func(time.Duration) // Options.ClockBehind; may be nil
	warned     atomic.Bool         // behind has been called
	fence      atomic.Int64        // last known value of the log's fence; negative if not known yet
	statements atomic.Int64        // number of executed statements, for tests
	now        func() time.Time
}

// Options are the choices for opening a database.
type Options struct {
	Create       bool   // create missing tables, and a missing file
	PasswordFile string // file with the password for a database server; "" for none
	Shown        bool   // other users could read the URL, so a password in it is refused

	// Reading opens an existing database for [Store.Backup] only. Its schema may be older and is not migrated, and the
	// database need not be writable.
	Reading bool

	// Before the schema of an existing database is migrated, the database is backed up like by [Store.Backup], to the
	// directory Saves. The default is the directory of a database file, or ~/.local/state/craton for a database on a
	// server. Saved, if not nil, is called with the path of the backup. NoSaves skips the backup.
	Saves   string
	NoSaves bool
	Saved   func(file string)
	Program string // version of the program, for the backup

	// ClockBehind, if not nil, is called once if the time of the newest change is more than a minute ahead of this
	// machine's clock, with the difference. The time of a change comes from the machine that writes it, but is never
	// before that of the previous change.
	ClockBehind func(by time.Duration)

	// Replica is the URL of a replica of this database, for [Store.ViewBehind]; "" for none. The replica is skipped
	// while it is more than ReplicaLag behind. ReplicaState, if not nil, is called whenever the replica begins or
	// ceases to be skipped.
	Replica      string
	ReplicaShown bool // other users could read that URL, so a password in it is refused
	ReplicaLag   time.Duration
	ReplicaState func(ReplicaStats)
}

// DatabaseError is the error for a database that cannot serve a valid request.
type DatabaseError = engine.DatabaseError

// Errors for a database that cannot be used.
var (
	ErrForeign = engine.ErrForeign
	ErrNewer   = engine.ErrNewer
)

// engine returns the options of the engine.
func (o Options) engine() engine.Options {
	e := engine.Options{Create: o.Create, PasswordFile: o.PasswordFile, Shown: o.Shown, Reading: o.Reading}
	if !o.NoSaves {
		e.Upgrade = o.save
	}
	return e
}

// Open opens a database: "sqlite:PATH" or "postgres://...".
//
// With o.Create, Open creates the tables of a missing or empty database; only its owner can read a new file. Otherwise,
// a missing database is an error that wraps [fs.ErrNotExist]. Open refuses a database that does not belong to Craton or
// has a newer schema.
func Open(ctx context.Context, database string, o Options) (*Store, error) {
	e, err := openEngine(ctx, database, o, migrations)
	if err != nil {
		return nil, err
	}
	s := newStore(e)
	if s.behind = o.ClockBehind; s.behind != nil && !o.Reading { // with Reading, an older schema may not have a log
		if err := s.checkNewest(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	if o.Replica != "" {
		if err := s.openReplica(ctx, o); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func newStore(e engine.Engine) *Store {
	s := &Store{engine: e, now: time.Now, limits: DefaultLimits, passed: passedRows, pieces: usualPieces, few: minChosen, pasts: newPasts(), growth: newGrowth()}
	s.fence.Store(-1)
	s.opened = Micros(s.now().UnixMicro())
	return s
}

func openEngine(ctx context.Context, database string, o Options, migrations []string) (engine.Engine, error) {
	if scheme, _, ok := strings.Cut(database, "://"); ok && (scheme == "postgres" || scheme == "postgresql") {
		return openPostgres(ctx, database, o.engine(), migrations)
	}
	path, err := sqlitePath(database)
	if err != nil {
		return nil, err
	}
	return sqlite.Open(ctx, path, migrations, o.engine())
}

// Close waits for running operations and closes the database.
func (s *Store) Close() error {
	s.growth.close()
	s.pasts.close()
	if s.replica != nil {
		s.replica.close()
	}
	return s.engine.Close()
}

// TempDir returns the directory for large temporary files.
func TempDir() string { return sqlite.TempDir() }

// Ping checks that the database responds, and that it is still the one that was opened.
func (s *Store) Ping(ctx context.Context) error { return s.engine.Ping(ctx) }

// Ready checks that the database responds, is writable, and has a schema that this program supports.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.engine.Ping(ctx); err != nil {
		return err
	}
	return s.engine.Ready(ctx)
}

// Stats are statistics since the database was opened.
type Stats = engine.Stats

// Stats returns the statistics of the engine.
func (s *Store) Stats() Stats { return s.engine.Stats() }

// Name returns the database's name for messages: the path of a file, or a URL without secrets.
func (s *Store) Name() string { return s.engine.Name() }

// Served reports whether the database is on a database server, not in a file.
func (s *Store) Served() bool { return s.engine.Dialect().Match == nil }

// Watch checks regularly, until ctx is done, whether the database is still the one that was opened: a file can be
// moved, replaced or overwritten. It calls report with an error if it is not, and with nil when the original database
// is back. The returned function waits until the checks have stopped; call it before [Store.Close].
func (s *Store) Watch(ctx context.Context, every time.Duration, report func(error)) (wait func(), err error) {
	return s.engine.Watch(ctx, every, report)
}

// sqlitePath returns the absolute path of "sqlite:PATH".
func sqlitePath(database string) (string, error) {
	scheme, path, ok := strings.Cut(database, ":")
	switch {
	case !ok || scheme != "sqlite":
		// Do not quote the text: it may be a URL with a password.
		return "", errors.New("the database must be given as sqlite:PATH or postgres://USER@HOST/DATABASE")
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

// Inspection is the result of [Inspect].
type Inspection = sqlite.Inspection

// Inspect checks the database "sqlite:PATH" without changing it: see [sqlite.Inspect].
func Inspect(ctx context.Context, database string) (Inspection, error) {
	path, err := sqlitePath(database)
	if err != nil {
		return Inspection{}, err
	}
	return sqlite.Inspect(ctx, path, migrations)
}
