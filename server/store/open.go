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

// Store is an open database. It is safe for concurrent use, and any number of
// processes may have the same database open.
type Store struct {
	engine     engine.Engine
	replica    *replica // that reads may be of; nil: there is none
	limits     Limits
	concealed  []string // see ConcealKeys
	bell       bell
	pasts      *pasts
	uses       uses
	proofs     sharedCalls[proof, keyRow]
	walks      walks
	setters    knownSetters
	passed     int // rows of the log; see passedRows
	pieces     pieces
	growth     *growth
	past       *past // what it holds, if that is a past state
	opened     Micros
	fence      atomic.Int64 // of the log, as it was last seen; less than 0 for not yet
	statements atomic.Int64 // run so far; the tests count queries with it
	now        func() time.Time
}

// Options say how a database is opened.
type Options struct {
	Create       bool   // make the tables if there are none, and the file
	PasswordFile string // that has the password of a server; "" is none
	Shown        bool   // others could read the URL: a password in it is refused

	// Before a newer version of the schema takes the place of an older one, the
	// database is saved as [Store.Backup] does it: into the directory Saves, or
	// if that is empty beside a file, and for a server into ~/.local/state/craton.
	// Saved, if it is not nil, hears where. NoSaves does without.
	Saves   string
	NoSaves bool
	Saved   func(file string)
	Program string // version of the program, which the backup names

	// Replica is the URL of a database that follows this one, for [Store.ViewBehind]; "" for none. It is passed by while it is
	// more than ReplicaLag behind. ReplicaState, if it is not nil, hears of each change of that, and why.
	Replica      string
	ReplicaShown bool // others could read that URL
	ReplicaLag   time.Duration
	ReplicaState func(ReplicaStats)
}

// DatabaseError is what keeps a database from doing what was asked.
type DatabaseError = engine.DatabaseError

// What is in the place of a database and cannot be used.
var (
	ErrForeign = engine.ErrForeign
	ErrNewer   = engine.ErrNewer
)

// engine is what the engine has to know of them.
func (o Options) engine() engine.Options {
	e := engine.Options{Create: o.Create, PasswordFile: o.PasswordFile, Shown: o.Shown}
	if !o.NoSaves {
		e.Upgrade = o.save
	}
	return e
}

// Open opens a database: "sqlite:PATH" or "postgres://...".
//
// With o.Create a missing or empty one gets its tables; a file is made readable
// by its owner only. Without, that is an error wrapping [fs.ErrNotExist]. What
// is not a Craton database, or was written by a newer version, is refused.
func Open(ctx context.Context, database string, o Options) (*Store, error) {
	e, err := openEngine(ctx, database, o, migrations)
	if err != nil {
		return nil, err
	}
	s := newStore(e)
	if o.Replica != "" {
		if err := s.openReplica(ctx, o); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func newStore(e engine.Engine) *Store {
	s := &Store{engine: e, now: time.Now, limits: DefaultLimits, passed: passedRows, pieces: usualPieces, pasts: newPasts(), growth: newGrowth()}
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

// TempDir is where large temporary files go.
func TempDir() string { return sqlite.TempDir() }

// Ping checks that the database answers, and that it is still the one that was
// opened.
func (s *Store) Ping(ctx context.Context) error { return s.engine.Ping(ctx) }

// Ready checks that the database answers, can be written, and has a schema that
// this program knows.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.engine.Ping(ctx); err != nil {
		return err
	}
	return s.engine.Ready(ctx)
}

// Stats are counts since the database was opened.
type Stats = engine.Stats

// Stats tells what the engine has done.
func (s *Store) Stats() Stats { return s.engine.Stats() }

// Name is the database as messages call it: the path of a file, or a URL
// without secrets.
func (s *Store) Name() string { return s.engine.Name() }

// Served reports whether a server keeps the database, which has processes of its own.
func (s *Store) Served() bool { return s.engine.Dialect().Match == nil }

// Watch looks every so often whether the database is still the one that was
// opened, until ctx ends: a file can be moved, replaced or written over.
// report is called with what is wrong, and with nil when it is right again.
// The function that it returns waits for the end: call it before [Store.Close].
func (s *Store) Watch(ctx context.Context, every time.Duration, report func(error)) (wait func(), err error) {
	return s.engine.Watch(ctx, every, report)
}

// sqlitePath is the absolute path in "sqlite:PATH".
func sqlitePath(database string) (string, error) {
	scheme, path, ok := strings.Cut(database, ":")
	switch {
	case !ok || scheme != "sqlite":
		// The text is not repeated: a URL may hold a password.
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

// Inspection is what a database file looks like from outside.
type Inspection = sqlite.Inspection

// Inspect looks at the database "sqlite:PATH" and leaves it as it is: see
// [sqlite.Inspect].
func Inspect(ctx context.Context, database string) (Inspection, error) {
	path, err := sqlitePath(database)
	if err != nil {
		return Inspection{}, err
	}
	return sqlite.Inspect(ctx, path, migrations)
}
