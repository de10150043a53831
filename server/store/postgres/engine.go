package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/craton-fleet/craton/internal/retry"
	"github.com/craton-fleet/craton/server/store/engine"
)

// retryTimeout is how long an operation is retried before it fails. writeTime is the longest duration of a write.
const (
	retryTimeout = 15 * time.Second
	writeTime    = 2 * time.Minute
)

// maxDefeats is how often a write is retried after conflicts before it runs without any other write of this process.
// Otherwise a long write, such as the deletion of a large cloud, could lose to short writes forever.
const maxDefeats = 2

// maxRaces is how often a write is retried because an object that it refers to was deleted concurrently. Usually the
// first retry finds that the object no longer exists.
const maxRaces = 5

// pauses are the pauses between attempts.
var pauses = retry.Pauses{First: 5 * time.Millisecond, Max: 500 * time.Millisecond}

// Statements that begin transactions. withinTimeout ends a transaction whose client has disappeared, so that it does
// not hold locks forever. It is set with SET LOCAL, because a pooler gives the connection to other clients afterwards.
const (
	beginRead     = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	beginWrite    = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
	withinTimeout = "150000" // milliseconds; no live client lets a transaction wait so long
)

var _ engine.Engine = (*Engine)(nil)

// Engine is a pool of connections to a database.
type Engine struct {
	name    string // without secrets
	known   int    // number of migrations
	pool    *pgxpool.Pool
	writers chan struct{} // slots for writes; there are fewer than connections, so that waiting writes leave some for reads
	alone   chan struct{} // held by a write that takes all slots
	turns   *turns        // limits the running writes
	direct  *atomic.Bool  // connections are to the server itself, without a pooler

	writeTime time.Duration // the constant, except in tests

	compiles *atomic.Bool // the server has just-in-time compilation: see noJIT

	closed  atomic.Bool
	retries atomic.Int64

	mu          sync.Mutex
	next        *settleBatch // the next batch; it has not begun yet
	settlingNow bool

	life atomic.Value // string: the name of the server's life, see queryLife
}

// Open opens the database at a URL "postgres://...", and migrates its schema. migrations[n] migrates from version n to
// the next: see migrate.
//
// If Craton's tables do not exist, Open creates them with o.Create, and otherwise returns an error that wraps
// [io/fs.ErrNotExist]. It refuses a schema of a newer version. With o.Reading, the database may be a standby, and the
// role may be read-only.
func Open(ctx context.Context, database string, migrations []string, o engine.Options) (*Engine, error) {
	c, name, err := config(database, o)
	if err != nil {
		return nil, err
	}
	places := max(1, int(c.MaxConns)*3/4)
	turns := newTurns(places)
	direct, compiles := prepare(c, turns)
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", name, err)
	}
	s := &Engine{name: name, known: len(migrations), pool: pool, writeTime: writeTime, direct: direct, compiles: compiles, turns: turns, writers: make(chan struct{}, places), alone: make(chan struct{}, 1)}
	if err := s.migrate(ctx, migrations, o); err != nil {
		pool.Close()
		return nil, s.fault(err)
	}
	if !o.Reading {
		if err := s.begin(ctx); err != nil {
			pool.Close()
			return nil, s.fault(err)
		}
	}
	if direct.Load() {
		pool.Reset() // the first connection was opened without prepared statements
	}
	return s, nil
}

// errCrashed is the error for a committed write that a crash of the server may have lost.
var errCrashed = fmt.Errorf("the database server crashed after the commit: %w", io.ErrUnexpectedEOF)

// begin stores the name of the server's life: see queryLife.
func (s *Engine) begin(ctx context.Context) error {
	return s.retry(ctx, time.Now().Add(retryTimeout), func(err error) bool { return isTransient(err) || racing(err) }, func() error {
		conn, err := s.acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		if _, err := conn.Exec(ctx, makeLife); err != nil {
			return err
		}
		life, err := queryLife(ctx, conn)
		s.life.Store(life)
		return err
	})
}

// Dialect returns PostgreSQL's dialect.
func (s *Engine) Dialect() *engine.Dialect { return dialect }

// Name returns the URL without secrets.
func (s *Engine) Name() string { return s.name }

// Close waits for running operations and closes the connections.
func (s *Engine) Close() error {
	s.closed.Store(true)
	s.pool.Close()
	return nil
}

// Ping implements [engine.Engine]. It does not retry if the database is unavailable.
func (s *Engine) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, retryTimeout)
	defer cancel()
	conn, err := s.acquire(ctx)
	if err == nil {
		_, err = conn.Exec(ctx, "SELECT 1")
		conn.Release()
	}
	return s.fault(err)
}

// Ready implements [engine.Engine].
func (s *Engine) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, retryTimeout)
	defer cancel()
	conn, err := s.acquire(ctx)
	if err != nil {
		return s.fault(err)
	}
	defer conn.Release()
	var version int
	var readOnly string
	if err := conn.QueryRow(ctx, "SELECT version, current_setting('transaction_read_only') FROM "+versionTable).Scan(&version, &readOnly); err != nil {
		return s.fault(err)
	}
	if readOnly == "on" {
		return s.failure(engine.ReadOnly, errors.New("transaction_read_only is on"))
	}
	if version > s.known {
		return engine.NewerError("database "+s.name, version, s.known)
	}
	return nil
}

// Stats implements [engine.Engine].
func (s *Engine) Stats() engine.Stats {
	p := s.pool.Stat()
	return engine.Stats{
		Max: int(p.MaxConns()), Open: int(p.TotalConns()), InUse: int(p.AcquiredConns()),
		Waits: p.EmptyAcquireCount(), Waited: p.EmptyAcquireWaitTime(), Retries: s.retries.Load(),
	}
}

// Watch does nothing: a database on a server cannot be replaced while it is open.
func (s *Engine) Watch(ctx context.Context, _ time.Duration, _ func(error)) (wait func(), err error) {
	return func() { <-ctx.Done() }, nil
}

func (s *Engine) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	if s.closed.Load() {
		return nil, engine.ErrClosed
	}
	return s.pool.Acquire(ctx)
}

// connect takes a connection from the pool. It retries while the database is unavailable.
func (s *Engine) connect(ctx context.Context, until time.Time) (conn *pgxpool.Conn, err error) {
	waiting, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	err = s.retry(waiting, until, isTransient, func() error {
		conn, err = s.acquire(waiting)
		return err
	})
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		err = s.failure(engine.Busy, fmt.Errorf("no connection within %s", retryTimeout))
	}
	return conn, err
}

// retry calls fn until it succeeds, or returns an error for which passes is false, or the time is over.
func (s *Engine) retry(ctx context.Context, until time.Time, passes func(error) bool, fn func() error) error {
	var last error
	err := pauses.Do(ctx, func(int) (bool, error) {
		err := fn()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			last = err
		}
		return err != nil && passes(err) && time.Now().Before(until), err
	})
	if errors.Is(err, context.DeadlineExceeded) && last != nil && passes(last) {
		err = last // more informative than a timeout
	}
	return err
}

// drop closes a connection in an unknown state.
func drop(conn *pgxpool.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Hijack().Close(ctx)
}

// end rolls back a transaction and returns its connection to the pool.
func (t *tx) end() {
	switch {
	case t.conn == nil: // the connection was lost, and could not be replaced
	case !t.begun || t.conn.Conn().IsClosed():
		t.conn.Release()
	default:
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := t.conn.Exec(ctx, "ROLLBACK"); err != nil {
			drop(t.conn)
			return
		}
		t.conn.Release()
	}
}

// endRead is end for a read-only transaction. It does not wait for the database.
func (t *tx) endRead() {
	if t.conn != nil && t.begun {
		go t.end()
		return
	}
	t.end()
}

// Read implements [engine.Engine]. It waits if the database is unavailable at first. It fails if the database becomes
// unavailable later: run cannot be repeated, because a part of its result may have been sent to a client already.
func (s *Engine) Read(ctx context.Context, run func(ctx context.Context, tx engine.Tx) error) error {
	until := time.Now().Add(retryTimeout)
	conn, err := s.connect(ctx, until)
	if err != nil {
		return s.fault(err)
	}
	t := newTx(conn, s.beginRead()...)
	t.renew = func(ctx context.Context, broken *pgxpool.Conn) (*pgxpool.Conn, error) {
		drop(broken)
		return s.connect(ctx, until)
	}
	defer t.endRead()
	if err = run(ctx, t); t.failed != nil {
		err = s.fault(err)
	}
	return err
}

// Peek implements [engine.Engine].
func (s *Engine) Peek(ctx context.Context, run func(ctx context.Context, tx engine.Tx) error) error {
	until := time.Now().Add(retryTimeout)
	err := pauses.Do(ctx, func(int) (bool, error) {
		conn, err := s.connect(ctx, until)
		if err != nil {
			return false, s.fault(err)
		}
		t := newTx(conn)
		err = run(ctx, t)
		if t.failed == nil {
			conn.Release()
			return false, err
		}
		drop(conn)
		return isTransient(t.failed) && time.Now().Before(until), s.fault(err)
	})
	return err
}

// Write implements [engine.Engine]. ctx only bounds the wait for a slot, unless w.Long is set: a write that has begun
// is completed, and its outcome returned.
func (s *Engine) Write(ctx context.Context, w engine.Work) error {
	p := &place{engine: s, wanted: 1}
	if err := p.acquire(ctx); err != nil {
		return err
	}
	defer p.release()
	if !w.Long {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.writeTime)
		defer cancel()
		ctx = bounded
	}
	until := time.Now().Add(retryTimeout)
	err := pauses.Do(ctx, func(n int) (bool, error) {
		if n > 0 {
			s.retries.Add(1)
		}
		cause, err := s.attempt(ctx, w, p)
		switch code(cause) {
		case foreignKeyViolation:
			if n >= maxRaces {
				return false, err
			}
		case deadlock, serializationFailure:
			if n >= maxDefeats {
				p.release()
				p.wanted = cap(s.writers)
			}
		}
		return cause != nil && isTransient(cause) && time.Now().Before(until), err
	})
	// If the outcome of a commit is unknown, a timeout must not be reported as if nothing had been stored.
	known, _ := errors.AsType[*engine.DatabaseError](err)
	if errors.Is(err, context.DeadlineExceeded) && (known == nil || known.Reason != engine.CommitUnknown) {
		return s.failure(engine.Busy, fmt.Errorf("the write took more than %s", s.writeTime))
	}
	return s.fault(err)
}

// place is one of the slots for writes, or all of them.
type place struct {
	engine       *Engine
	wanted, held int
	alone        bool
}

// acquire waits for the wanted slots that are not held yet.
func (p *place) acquire(ctx context.Context) error {
	if p.wanted > 1 && !p.alone { // prevents a deadlock of two writes that each hold some of the slots
		select {
		case p.engine.alone <- struct{}{}:
			p.alone = true
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for p.held < p.wanted {
		select {
		case p.engine.writers <- struct{}{}:
			p.held++
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// release releases the held slots.
func (p *place) release() {
	for ; p.held > 0; p.held-- {
		<-p.engine.writers
	}
	if p.alone {
		<-p.engine.alone
		p.alone = false
	}
}

// attempt runs a write once. cause is the database's error if the write failed and nothing was stored. Then the write
// can be retried.
func (s *Engine) attempt(ctx context.Context, w engine.Work, p *place) (cause, err error) {
	if err := p.acquire(ctx); err != nil {
		return nil, err
	}
	over, err := s.turns.take(ctx)
	if err != nil {
		return nil, err
	}
	defer over()
	conn, err := s.connect(ctx, time.Now().Add(retryTimeout))
	if err != nil {
		return nil, err // connect has retried already
	}
	t := newTx(conn, s.beginWrite()...)
	if err := run(ctx, w, t); err != nil {
		switch {
		case t.failed == nil || errors.Is(t.failed, engine.ErrUnique) || !errors.Is(err, t.failed): // a refusal
			t.end()
			return nil, err
		case code(t.failed) == readOnlyTransaction, code(t.failed) == unknownStatement: // the server is no longer the primary, or a pooler was added
			drop(conn)
		default:
			t.end()
		}
		return t.failed, err
	}
	shared, life := len(s.writers) > 1 || s.commitsLazily(), s.life.Load()
	done, err := t.commit(ctx, shared)
	switch {
	case done && shared && t.begun:
		conn.Release()
		over()
		p.release()
		now, err := s.settle(ctx)
		if err == nil && now != life {
			err = errCrashed
		}
		if err != nil {
			return s.findOutcome(ctx, w, err)
		}
		return nil, nil
	case done:
		conn.Release()
		return nil, nil
	case err == nil: // a statement failed, and w.Run ignored its error
		conn.Release()
		return nil, fmt.Errorf("the database took a write back: %w", t.failed)
	case nothingStored(err):
		t.end()
		return err, err
	}
	drop(conn)
	return s.findOutcome(ctx, w, err)
}

// run runs a write, and converts a panic to an error, so that the transaction is ended.
func run(ctx context.Context, w engine.Work, t *tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a write: %v\n%s", p, debug.Stack())
		}
	}()
	return w.Run(ctx, t)
}

// nothingStored reports whether an error of a commit proves that nothing was stored. A closed connection does not: a
// server that is being shut down may have committed without a response.
func nothingStored(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Severity != "FATAL" && e.Severity != "PANIC" && reason(err) != engine.Unreachable
}

// beginRead returns the statements that begin a read.
func (s *Engine) beginRead() []string {
	if s.direct.Load() || !s.compiles.Load() {
		return []string{beginRead}
	}
	return []string{beginRead, "SET LOCAL " + noJIT + " = off"}
}

// beginWrite returns the statements that begin a write.
func (s *Engine) beginWrite() []string {
	if s.direct.Load() {
		return []string{beginWrite}
	}
	return []string{beginWrite, "SET LOCAL idle_in_transaction_session_timeout = " + withinTimeout}
}

// findOutcome determines the outcome of a commit whose connection was lost. The transaction may still be running, or
// the commit may not have reached the server yet: [engine.Work.Committed] waits for it, or prevents its commit.
func (s *Engine) findOutcome(ctx context.Context, w engine.Work, lost error) (cause, err error) {
	if w.Committed == nil {
		return nil, s.failure(engine.CommitUnknown, lost)
	}
	until := time.Now().Add(2 * retryTimeout)
	stored := false
	err = s.retry(ctx, until, isTransient, func() error {
		conn, err := s.connect(ctx, until)
		if err != nil {
			return err
		}
		t := newTx(conn, s.beginWrite()...)
		defer t.end()
		if stored, err = w.Committed(ctx, t); err != nil {
			return err
		}
		_, err = t.commit(ctx, false) // waits until what Committed has found is durable
		return err
	})
	switch {
	case err != nil:
		return nil, s.failure(engine.CommitUnknown, errors.Join(lost, err))
	case stored:
		return nil, nil
	}
	return lost, lost
}
