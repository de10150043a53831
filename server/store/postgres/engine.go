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

// How long an operation tries to reach the database and to succeed, and how long one transaction may take, before it
// fails.
const (
	retryTimeout = 15 * time.Second
	writeTime    = 2 * time.Minute
)

// maxDefeats is how often a write runs again because of conflicts before it runs without other writes of this program.
// A long one, such as the delete of a large cloud, would otherwise lose to short ones forever.
const maxDefeats = 2

// maxRaces is how often a write runs again because an object that it refers to was deleted meanwhile, which the next
// run sees.
const maxRaces = 5

// pauses are the waits between two attempts.
var pauses = retry.Pauses{First: 5 * time.Millisecond, Max: 500 * time.Millisecond}

// A transaction whose client has vanished must not hold locks forever. LOCAL: nothing outlives the transaction.
const (
	beginRead     = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	beginWrite    = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
	withinTimeout = "150000" // milliseconds: longer than any transaction waits for its client
)

var _ engine.Engine = (*Engine)(nil)

// Engine is a pool of connections to a database.
type Engine struct {
	name    string // without secrets
	known   int    // number of migrations
	pool    *pgxpool.Pool
	writers chan struct{} // places for writes, so that writes that wait for each other leave connections for reads
	alone   chan struct{} // held by a write that takes all places
	turns   *turns        // of running writes
	direct  *atomic.Bool  // connections lead to the server itself

	writeTime time.Duration // the constant, but in tests

	compiles *atomic.Bool // the server would compile statements, see noJIT

	closed  atomic.Bool
	retries atomic.Int64

	mu          sync.Mutex
	next        *settleBatch // not yet begun
	settlingNow bool

	life atomic.Value // string: what is known of the server's life, see queryLife
}

// Open opens the database of a URL "postgres://...", with the migrations from each version to the next: see migrate.
//
// With o.Create, a database without Craton's tables gets them; without it, that is an error that wraps
// [io/fs.ErrNotExist]. Tables that a newer version has created are refused. With o.Reading, the database may be a
// standby, and the role one that can only read.
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
		pool.Reset() // the first connection did not know that yet
	}
	return s, nil
}

// errCrashed is the error for a write that a crash of the server may have lost.
var errCrashed = fmt.Errorf("the database server crashed after the commit: %w", io.ErrUnexpectedEOF)

// begin reads the server's life: see queryLife.
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

// Ping implements [engine.Engine]. It does not wait for an unavailable database.
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

// Ready is that of [engine.Engine].
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

// Stats is that of [engine.Engine].
func (s *Engine) Stats() engine.Stats {
	p := s.pool.Stat()
	return engine.Stats{
		Max: int(p.MaxConns()), Open: int(p.TotalConns()), InUse: int(p.AcquiredConns()),
		Waits: p.EmptyAcquireCount(), Waited: p.EmptyAcquireWaitTime(), Retries: s.retries.Load(),
	}
}

// Watch does nothing: a database on a server cannot be replaced under the program.
func (s *Engine) Watch(ctx context.Context, _ time.Duration, _ func(error)) (wait func(), err error) {
	return func() { <-ctx.Done() }, nil
}

func (s *Engine) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	if s.closed.Load() {
		return nil, engine.ErrClosed
	}
	return s.pool.Acquire(ctx)
}

// connect takes a connection. It retries while the database is unavailable.
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

// retry calls fn until it succeeds, returns a permanent error, or the time is over.
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
		err = last // says more than that the time is over
	}
	return err
}

// drop closes a connection in an unknown state.
func drop(conn *pgxpool.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Hijack().Close(ctx)
}

// end rolls back a transaction and returns its connection.
func (t *tx) end() {
	switch {
	case t.conn == nil: // no other connection was available
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

// endRead is end for a read-only transaction: it does not wait for the database.
func (t *tx) endRead() {
	if t.conn != nil && t.begun {
		go t.end()
		return
	}
	t.end()
}

// Read implements [engine.Engine]. It waits for an unavailable database, and fails if the database becomes unavailable
// while it runs: what was read may already be on its way to a client.
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

// Write implements [engine.Engine]. ctx only bounds the wait for a place: once begun, a write is finished and its
// outcome returned.
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
	// A commit that was given up may have happened: that must not read as if nothing had.
	known, _ := errors.AsType[*engine.DatabaseError](err)
	if errors.Is(err, context.DeadlineExceeded) && (known == nil || known.Reason != engine.CommitUnknown) {
		return s.failure(engine.Busy, fmt.Errorf("the write took more than %s", s.writeTime))
	}
	return s.fault(err)
}

// place is one of those for writes, or all of them.
type place struct {
	engine       *Engine
	wanted, held int
	alone        bool
}

// acquire waits for the wanted places that are not yet held.
func (p *place) acquire(ctx context.Context) error {
	if p.wanted > 1 && !p.alone { // two writes could each hold a part
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

// release releases the held places.
func (p *place) release() {
	for ; p.held > 0; p.held-- {
		<-p.engine.writers
	}
	if p.alone {
		<-p.engine.alone
		p.alone = false
	}
}

// attempt runs a write once. cause is the database's error if the write did not succeed and nothing was stored.
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
		case code(t.failed) == readOnlyTransaction, code(t.failed) == unknownStatement: // a former primary; or a pooler was put in between
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
	case err == nil: // a statement had failed, and its error was ignored
		conn.Release()
		return nil, fmt.Errorf("the database took a write back: %w", t.failed)
	case nothingStored(err):
		t.end()
		return err, err
	}
	drop(conn)
	return s.findOutcome(ctx, w, err)
}

// run runs a write, and keeps a panic from leaving its transaction open.
func run(ctx context.Context, w engine.Work, t *tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a write: %v\n%s", p, debug.Stack())
		}
	}()
	return w.Run(ctx, t)
}

// nothingStored reports whether an error of a commit means that nothing was stored. The end of the connection does not mean
// that: a server that is shut down may have stored it without a response.
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

// findOutcome determines the outcome of a commit whose connection was lost. The transaction may still be running, or not
// have arrived yet: [engine.Work.Committed] waits for it, or keeps it from being committed.
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
		_, err = t.commit(ctx, false) // otherwise what it found may not be durable
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
