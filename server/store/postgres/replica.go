package postgres

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/craton-fleet/craton/server/store/engine"
)

// answerTime is how long a replica may take for the connection and the first result. The primary would usually respond
// in less time.
const answerTime = 500 * time.Millisecond

var _ engine.Replica = (*Replica)(nil)

// Replica is a pool of connections to a standby, a server that replays the writes of another one.
type Replica struct {
	engine *Engine       // only its pool is used
	places chan struct{} // one slot per connection: without a free slot, the primary is read
}

// OpenReplica creates the pool without connecting, because the replica may be unavailable. If the URL has several
// hosts, a standby is preferred, unless the URL's settings say otherwise.
func OpenReplica(ctx context.Context, database string, o engine.Options) (*Replica, error) {
	c, name, err := configOf(database, o, preferStandby)
	if err != nil {
		return nil, err
	}
	direct, compiles := prepare(c, newTurns(1))
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("read database %s: %w", name, err)
	}
	return &Replica{engine: &Engine{name: name, pool: pool, direct: direct, compiles: compiles}, places: make(chan struct{}, c.MaxConns)}, nil
}

// Name returns the URL without secrets.
func (r *Replica) Name() string { return r.engine.name }

// Close waits for running reads and closes the connections.
func (r *Replica) Close() error { return r.engine.Close() }

// Reconnect closes the connections. Those in use are closed when they are returned to the pool.
func (r *Replica) Reconnect() { r.engine.pool.Reset() }

// Stats returns the statistics of the pool.
func (r *Replica) Stats() engine.Stats { return r.engine.Stats() }

// Probe implements [engine.Replica].
func (r *Replica) Probe(ctx context.Context) (sight engine.ProbeResult, err error) {
	err = r.Read(ctx, func(ctx context.Context, tx engine.Tx) error {
		var ours bool
		if err := tx.Row(ctx, "SELECT pg_is_in_recovery(), to_regclass('"+versionTable+"') IS NOT NULL", nil, &sight.Standby, &ours); err != nil || !ours {
			return err
		}
		return tx.Row(ctx, "SELECT coalesce(max(version), 0) FROM "+versionTable, nil, &sight.Version)
	}, nil)
	return sight, err
}

// Read implements [engine.Replica].
func (r *Replica) Read(ctx context.Context, ready, run func(ctx context.Context, tx engine.Tx) error) error {
	select {
	case r.places <- struct{}{}:
		defer func() { <-r.places }()
	default:
		return &engine.SkippedError{Why: engine.CauseBusy}
	}
	soon, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	conn, err := r.engine.acquire(soon)
	if err != nil {
		return r.readError(ctx, err)
	}
	t := newTx(conn, r.engine.beginRead()...)
	t.renew = func(_ context.Context, broken *pgxpool.Conn) (*pgxpool.Conn, error) { // the pooled connection was broken, such as by a restart of the server
		drop(broken)
		return r.engine.acquire(soon)
	}
	defer t.endRead()
	err = ready(soon, t)
	if err == nil && run != nil {
		err = run(ctx, t)
	}
	if t.failed != nil {
		return r.readError(ctx, t.failed)
	}
	return err
}

// readError converts an error of the database or the connection to an [engine.SkippedError]. If ctx is done, it returns
// ctx's error.
func (r *Replica) readError(ctx context.Context, err error) error {
	if ctx.Err() != nil && code(err) == "" {
		return ctx.Err()
	}
	p := &engine.SkippedError{Why: engine.CauseUnreachable, Err: r.engine.failure(cmp.Or(reason(err), engine.Unreachable), err)}
	switch code(err) {
	case serializationFailure, deadlock, cancelled: // replaying a change conflicted with the read
		p.Why = engine.CauseConflict
	}
	return p
}
