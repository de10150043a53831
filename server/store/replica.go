package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/craton-fleet/craton/internal/retry"
	"github.com/craton-fleet/craton/server/store/engine"
)

// Need is the position in the change log that a snapshot must have reached before it may be shown to a client.
type Need struct {
	Cursor // an empty Change matches the revision of any database

	// Requested is true if the client named the position. Others may have written since, so a refusal by the replica,
	// such as for a missing object, is not final: the request is repeated on the primary.
	Requested bool
}

// ErrReplica is wrapped by the error of [Open] for a database that is not a replica of the primary.
var ErrReplica = errors.New("is no replica of the database")

// Cause is the reason why a replica is skipped, as metrics name it.
type Cause = engine.Cause

// The causes for skipping a replica, in addition to those of package engine.
const (
	causeBehind        Cause = "behind"  // it has not reached the position that the read needs
	causeLag           Cause = "lag"     // it is too far behind
	causeAhead         Cause = "leads"   // it accepts writes, so it is not a replica, or no longer one
	causeOtherDatabase Cause = "foreign" // it replicates another database, or is ahead of this one
	causeRefused       Cause = "refused" // it refused the request, which was then repeated on the primary
	causeEarly         Cause = "early"   // it shows a commit that is not yet visible on the primary
)

// Causes contains all causes.
var Causes = []Cause{causeBehind, causeLag, causeAhead, causeOtherDatabase, causeRefused, causeEarly, engine.CauseUnreachable, engine.CauseBusy, engine.CauseConflict}

// ReplicaStats are the state and statistics of a store's replica.
type ReplicaStats struct {
	Why     Cause           // why the replica is skipped; "" if it is used
	Detail  string          // details, for the log
	Probed  bool            // it responded to the last probe: Behind and Lag are known
	Behind  int64           // number of revisions that it has not replayed
	Lag     time.Duration   // age of the oldest of these revisions
	Reads   int64           // number of reads that it served
	Others  int64           // number of reads that the primary served instead
	Skipped map[Cause]int64 // the latter by cause

	Connections Stats
}

// The intervals and timeouts of monitoring.
const (
	probeEvery   = time.Second
	probeTimeout = 2 * time.Second // of one probe
	goneAfter    = 5 * time.Second // running reads are cancelled after this time without a response
	readyTimeout = 3 * time.Second // time to catch up when the store is opened
)

// catchUp is how long a read waits for a replica to replay the latest commits. If the replica does not catch up in that
// time, no read waits for it until the next probe.
const catchUp = 20 * time.Millisecond

// catchUpPauses are the pauses between checks whether the replica has caught up.
var catchUpPauses = retry.Pauses{First: time.Millisecond, Max: 4 * time.Millisecond}

// replica is the replica of a store.
type replica struct {
	store  *Store
	engine engine.Replica
	maxLag time.Duration // the largest permitted lag
	gone   time.Duration // goneAfter, except in tests
	report func(ReplicaStats)
	stop   func()
	done   chan struct{}

	ends      sharedCalls[Cursor, bool] // whether the primary has a position
	confirmed atomic.Pointer[Cursor]    // the last position that was found on the primary

	mu       sync.Mutex
	now      ReplicaStats
	answered time.Time       // time of the last response
	late     bool            // it did not catch up recently
	running  context.Context //nolint:containedctx // bounds running reads; cancelled when the replica stops responding
	end      func()
}

// openReplica opens a replica and starts to monitor it. The replica may be unavailable for now. A database that is not
// a replica is an error.
func (s *Store) openReplica(ctx context.Context, o Options) error {
	if s.engine.Dialect().Name != "postgres" {
		return errors.New("--read-database: only a PostgreSQL database has replicas, and --database is a file")
	}
	e, err := openReplicaEngine(ctx, o.Replica, engine.Options{PasswordFile: o.PasswordFile, Shown: o.ReplicaShown})
	if err != nil {
		return fmt.Errorf("--read-database: %w", err)
	}
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	r := &replica{store: s, engine: e, maxLag: o.ReplicaLag, gone: goneAfter, report: o.ReplicaState, stop: stop, done: make(chan struct{})}
	r.now = ReplicaStats{Why: engine.CauseUnreachable, Skipped: map[Cause]int64{}}
	r.running, r.end = context.WithCancel(context.Background())
	if err := r.firstProbe(ctx); err != nil {
		stop()
		return errors.Join(fmt.Errorf("--read-database: %w", err), e.Close())
	}
	s.replica = r
	go r.watch(working)
	return nil
}

// firstProbe runs the first probe. It returns an error if the database is clearly not a replica of this one. It gives a
// standby some time to catch up.
func (r *replica) firstProbe(ctx context.Context) error {
	for until := time.Now().Add(readyTimeout); ; {
		v := r.probe(ctx)
		if over := v.why != causeLag || !v.at.Standby || time.Now().After(until); over {
			if v.nonsense != nil {
				return v.nonsense
			}
			r.settle(v)
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// verdict is the result of a probe.
type verdict struct {
	at       engine.ProbeResult
	why      Cause // why to skip it; "" if it can be used
	detail   string
	nonsense error // not nil if it is not a replica of the database

	compared bool // with the primary: behind and lag are valid
	behind   int64
	lag      time.Duration
}

// probe compares the replica with the primary.
func (r *replica) probe(ctx context.Context) (v verdict) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	var err error
	if v.at, err = r.engine.Probe(ctx); err != nil {
		return r.probeFailed(err)
	}
	name := r.engine.Name()
	switch known := len(migrations); {
	case v.at.Version == 0:
		v.why, v.nonsense = causeLag, fmt.Errorf("%s %w: it holds no fleet", name, ErrReplica)
	case v.at.Version != known && !v.at.Standby:
		v.why, v.nonsense = causeOtherDatabase, fmt.Errorf("%s %w: its schema is %d, that of the database is %d", name, ErrReplica, v.at.Version, known)
	case v.at.Version != known:
		v.why, v.detail = causeLag, fmt.Sprintf("its schema is %d, that of the database is %d", v.at.Version, known)
	}
	if v.why != "" {
		if v.nonsense != nil {
			v.detail = v.nonsense.Error()
		}
		return v
	}
	var theirs Cursor
	var salt string
	err = r.engine.Read(ctx, func(ctx context.Context, tx engine.Tx) error {
		return tx.Row(ctx, "SELECT revision, change, salt FROM log", nil, &theirs.Revision, &theirs.Change, &salt)
	}, nil)
	if err != nil {
		return r.probeFailed(err)
	}
	return r.compare(ctx, v, theirs, salt)
}

// probeFailed returns the verdict for a replica whose probe failed.
func (r *replica) probeFailed(err error) (v verdict) {
	v.why, v.detail = engine.CauseUnreachable, err.Error()
	if passed := (*engine.SkippedError)(nil); errors.As(err, &passed) {
		v.why = passed.Why
	}
	if failed := (*engine.DatabaseError)(nil); errors.As(err, &failed) {
		v.detail = failed.CauseInDetail()
		if failed.Reason == engine.NoAccess {
			v.nonsense = errors.New(failed.Summary())
		}
	}
	return v
}

// compare compares the replica's position with that of the primary. theirs and salt were read from the replica.
func (r *replica) compare(ctx context.Context, v verdict, theirs Cursor, salt string) verdict {
	var ours Cursor
	var ourSalt string
	var same *string
	var oldest *int64
	err := r.store.readOne(ctx, func(ctx context.Context, q *session) error {
		return q.row(ctx, `SELECT revision, change, salt, (SELECT change FROM changes WHERE revision = ? ORDER BY n LIMIT 1),
			(SELECT at FROM changes WHERE revision > ? ORDER BY revision, n LIMIT 1) FROM log`,
			[]any{theirs.Revision, theirs.Revision}, &ours.Revision, &ours.Change, &ourSalt, &same, &oldest)
	})
	if err != nil { // the primary is unavailable, so the lag is unknown
		return v
	}
	v.compared = true
	switch {
	case salt != ourSalt:
		v.why, v.nonsense = causeOtherDatabase, fmt.Errorf("%s %w: it is another one", r.engine.Name(), ErrReplica)
		v.detail = v.nonsense.Error()
		return v
	case theirs.Revision > ours.Revision && v.at.Standby && r.continues(ctx, ours):
		// A synchronous standby can be ahead of the primary: see confirm.
	case theirs.Revision > ours.Revision, theirs.Revision == ours.Revision && theirs.Change != ours.Change, same != nil && *same != theirs.Change:
		v.why, v.detail = causeOtherDatabase, fmt.Sprintf("it has the change %s, and the database has not", theirs)
		return v
	case !v.at.Standby:
		v.why, v.detail = causeAhead, "the host that answered takes writes: no standby of the URL answers, or it is no replica, or not any more"
		return v
	}
	if v.behind = max(0, ours.Revision-theirs.Revision); oldest != nil {
		v.lag = max(0, r.store.now().Sub(time.UnixMicro(*oldest)))
	}
	if v.lag > r.maxLag {
		v.why, v.detail = causeLag, fmt.Sprintf("it is %s and %d revisions behind", v.lag.Round(time.Second), v.behind)
	}
	return v
}

// continues reports whether the replica's change log contains the end of the primary's.
func (r *replica) continues(ctx context.Context, end Cursor) bool {
	var has bool
	err := r.engine.Read(ctx, func(ctx context.Context, tx engine.Tx) (err error) {
		has, err = (&session{store: r.store, tx: tx}).hasChange(ctx, end)
		return err
	}, nil)
	return err == nil && has
}

// hasChange reports whether the change log contains the change at a position.
func (q *session) hasChange(ctx context.Context, at Cursor) (bool, error) {
	var there string
	err := q.row(ctx, "SELECT change FROM changes WHERE revision = ? ORDER BY n LIMIT 1", []any{at.Revision}, &there)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return there == at.Change, err
}

// watch monitors the replica until ctx is done.
func (r *replica) watch(ctx context.Context) {
	defer close(r.done)
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		v := r.probe(ctx)
		if ctx.Err() != nil {
			return
		}
		if v.why == causeAhead || v.why == causeOtherDatabase {
			r.engine.Reconnect() // another host may be the replica now
		}
		r.settle(v)
	}
}

// settle applies a verdict.
func (r *replica) settle(v verdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v.why == engine.CauseBusy || v.why == engine.CauseConflict { // neither says anything about the replica's state
		v.why = r.now.Why
	}
	answers := v.why != engine.CauseUnreachable
	switch {
	case answers:
		r.answered = time.Now()
		if r.running.Err() != nil {
			r.running, r.end = context.WithCancel(context.Background())
		}
	case time.Since(r.answered) > r.gone:
		r.end()
	}
	if r.now.Probed = answers && (v.compared || r.now.Probed); v.compared {
		r.now.Behind, r.now.Lag = v.behind, v.lag
		r.late = v.lag > catchUp
	}
	r.turn(v.why, v.detail)
}

// turn sets why the replica is skipped, and reports it if it is new.
func (r *replica) turn(why Cause, detail string) {
	changed := why != r.now.Why || r.now.Detail == "" && why != ""
	r.now.Why, r.now.Detail = why, detail
	if changed && r.report != nil {
		r.report(r.now)
	}
}

// enter returns the context that bounds reads of the replica, and why the replica must be skipped; "" if it can be
// used.
func (r *replica) enter() (running context.Context, why Cause) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running, r.now.Why
}

func (r *replica) isLate() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.late
}

// count counts a read that the replica served, if why is "", or that the primary has to serve instead.
func (r *replica) count(why Cause, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if why == "" {
		r.now.Reads++
		return
	}
	r.now.Others++
	r.now.Skipped[why]++
	r.late = r.late || why == causeBehind || why == causeEarly
	if why == engine.CauseUnreachable && r.now.Why == "" && err != nil {
		r.now.Probed = false
		r.turn(why, r.probeFailed(err).detail)
	}
}

func (r *replica) stats() ReplicaStats {
	connections := r.engine.Stats()
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.now
	all.Skipped, all.Connections = maps.Clone(r.now.Skipped), connections
	return all
}

func (r *replica) close() {
	r.stop()
	<-r.done
	r.end()
	_ = r.engine.Close()
}

// Errors of a replica whose snapshot cannot be used.
var (
	errBehind = errors.New("the replica has not caught up yet")
	errEarly  = errors.New("the replica is ahead of what the primary shows")
)

// confirm returns errEarly unless the position is visible on the primary. A synchronous standby may replay a commit
// while the primary is still waiting for the standby's confirmation and does not show the commit yet. A client that had
// read the commit from the standby would not find it in its next request to the primary.
func (r *replica) confirm(ctx context.Context, at Cursor) error {
	if known := r.confirmed.Load(); at.Revision == 0 || known != nil && *known == at {
		return nil
	}
	has, err := r.ends.do(ctx, at, func(ctx context.Context) (has bool, err error) {
		err = r.store.readOne(ctx, func(ctx context.Context, q *session) (err error) {
			has, err = q.hasChange(ctx, at)
			return err
		})
		return has, err
	})
	if err != nil || !has { // the read is repeated on the primary, which returns its error then
		return errEarly
	}
	r.confirmed.Store(&at)
	return nil
}

// reached returns the position of the snapshot of a replica's transaction, and errBehind if the snapshot does not
// include the needed position. Comparing revisions is not enough: a former primary may have assigned the same revision
// to another change.
func (n Need) reached(ctx context.Context, tx engine.Tx) (at Cursor, err error) {
	var there *string
	err = tx.Row(ctx, "SELECT revision, change, (SELECT change FROM changes WHERE revision = ? ORDER BY n LIMIT 1) FROM log", []any{n.Revision}, &at.Revision, &at.Change, &there)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return at, errBehind
	case err != nil:
		return at, err
	case at.Revision < n.Revision:
		return at, errBehind
	case n.Change == "", at.Revision == n.Revision && at.Change == n.Change, there != nil && *there == n.Change:
		return at, nil
	}
	return at, errBehind
}

// suits returns a function that checks whether the snapshot of a replica's transaction may be used: it must be as
// recent as needed, and not ahead of the primary.
func (r *replica) suits(need Need) func(ctx context.Context, tx engine.Tx) error {
	return func(ctx context.Context, tx engine.Tx) error {
		at, err := need.reached(ctx, tx)
		if err != nil || at == need.Cursor && !need.Requested { // that position was read from the primary
			return err
		}
		return r.confirm(ctx, at)
	}
}

// view is [Store.View] of the replica. If done is false, the caller must read the primary instead.
func (r *replica) view(ctx context.Context, need Need, full bool, fn func(ctx context.Context, v *View) error) (done bool, err error) {
	running, why := r.enter()
	if why != "" {
		r.count(why, nil)
		return false, nil
	}
	bounded, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(running, cancel)()
	until := time.Now().Add(catchUp)
	err = catchUpPauses.Do(bounded, func(int) (again bool, err error) {
		err = viewIn(bounded, func(ctx context.Context, run func(context.Context, *session) error) error {
			return r.engine.Read(ctx, r.suits(need), func(ctx context.Context, tx engine.Tx) error {
				return run(ctx, &session{store: r.store, tx: tx})
			})
		}, full, fn)
		soon := errors.Is(err, errBehind) || errors.Is(err, errEarly)
		return soon && time.Now().Before(until) && !r.isLate(), err
	})
	passed := (*engine.SkippedError)(nil)
	switch {
	case err == nil, ctx.Err() != nil, errors.Is(err, ErrViewTooLarge), IsCode(err, TimedOut):
	case errors.Is(err, errBehind):
		why = causeBehind
	case errors.Is(err, errEarly):
		why = causeEarly
	case errors.As(err, &passed):
		why = passed.Why
	case running.Err() != nil:
		why = engine.CauseUnreachable
	case need.Requested:
		why = causeRefused
	}
	r.count(why, err)
	return why == "", err
}

// ViewBehind is [Store.View] of a snapshot that includes the position in the change log that need has. It reads the
// replica, if there is one that has reached the position, and otherwise the primary. fn may be called more than once.
func (s *Store) ViewBehind(ctx context.Context, need Need, full bool, fn func(ctx context.Context, v *View) error) error {
	if s.replica != nil {
		if done, err := s.replica.view(ctx, need, full, fn); done {
			return err
		}
	}
	return s.View(ctx, full, fn)
}

// HasReplica reports whether the store has a replica.
func (s *Store) HasReplica() bool { return s.replica != nil }

// Replica returns the state of the replica. ok is false if there is none.
func (s *Store) Replica() (stats ReplicaStats, ok bool) {
	if s.replica == nil {
		return ReplicaStats{}, false
	}
	return s.replica.stats(), true
}

// LogEnd returns the end of the change log.
func (s *Store) LogEnd(ctx context.Context) (end Cursor, err error) {
	err = s.readOne(ctx, func(ctx context.Context, q *session) error {
		return q.row(ctx, "SELECT revision, change FROM log", nil, &end.Revision, &end.Change)
	})
	return end, err
}
