package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/craton-fleet/craton/server/store/engine"
)

// maxBatch is the maximum number of writes in one transaction.
const maxBatch = 256

// writer runs all writes of this process on one connection, one after the other. Pending writes share a transaction, so
// that one fsync makes all of them durable. Each write has its own savepoint, so that a refused write does not affect
// the others. A write only returns after the COMMIT.
type writer struct {
	jobs   chan *job
	quit   chan struct{}
	done   chan struct{}
	once   sync.Once
	run    sync.Once
	closed sync.RWMutex // held for reading while a job is sent
	shut   bool

	nextFold time.Time // earliest time of the next fold; only used by the writer
}

type job struct {
	run    func(ctx context.Context, tx engine.Tx) error
	err    error
	failed bool // err comes from SQLite, and is not a refusal by the job
	done   chan struct{}
}

func (w *writer) init() {
	w.jobs = make(chan *job, maxBatch)
	w.quit = make(chan struct{})
	w.done = make(chan struct{})
}

// stop waits for the queued writes to finish.
func (w *writer) stop() {
	w.closed.Lock()
	w.shut = true
	w.closed.Unlock()
	w.once.Do(func() { close(w.quit) })
	w.run.Do(func() { close(w.done) }) // the writer never ran
	<-w.done
}

// Write implements [engine.Engine]. It does not need work.Committed, because the outcome of a commit is always known.
//
// ctx only bounds the wait in the queue. A write that has begun is completed, and its outcome returned, because an
// interrupted statement would roll back all writes of the batch.
func (s *Engine) Write(ctx context.Context, work engine.Work) error {
	w := &s.writer
	j := &job{run: work.Run, done: make(chan struct{})}
	w.closed.RLock()
	if w.shut {
		w.closed.RUnlock()
		return engine.ErrClosed
	}
	w.run.Do(func() { go s.serveWrites() })
	select {
	case w.jobs <- j:
		w.closed.RUnlock()
	case <-ctx.Done():
		w.closed.RUnlock()
		return ctx.Err()
	}
	<-j.done
	if j.failed {
		return s.outcome(j.err)
	}
	return j.err
}

func (s *Engine) serveWrites() {
	w := &s.writer
	defer close(w.done)
	// Writes are completed even if their requests are cancelled: see Write.
	ctx := context.Background()
	q := s.conn()
	defer q.close()
	for {
		var batch []*job
		select {
		case j := <-w.jobs:
			batch = append(batch, j)
		case <-w.quit:
			select {
			case j := <-w.jobs:
				batch = append(batch, j)
			default:
				return
			}
		}
	fill:
		for len(batch) < maxBatch {
			select {
			case j := <-w.jobs:
				batch = append(batch, j)
			default:
				break fill
			}
		}
		err := s.retryBusy(ctx, func() error {
			fresh := q.sql == nil
			if err := q.connect(ctx); err != nil {
				return err
			}
			if fresh {
				// The journals of savepoints are small. Keeping them in memory instead of files makes writes a tenth
				// faster.
				if err := q.Exec(ctx, "PRAGMA temp_store = 2", nil); err != nil {
					return err
				}
			}
			err := s.commit(ctx, q, batch)
			if err != nil && !isBusy(err) && !isDetached(err) {
				q.close()
			}
			return err
		})
		for _, j := range batch {
			if err != nil {
				j.err, j.failed = err, true
			}
			close(j.done)
		}
		s.truncateLog(ctx, q)
	}
}

// commit runs a batch in one transaction, with savepoints unless there is only one job. If it returns an error, nothing
// of the batch was stored.
func (s *Engine) commit(ctx context.Context, q *conn, batch []*job) error {
	if err := q.Exec(ctx, "BEGIN IMMEDIATE", nil); err != nil {
		return err
	}
	if err := s.guard.checkContents(); err != nil {
		return errors.Join(err, q.rollback(ctx))
	}
	several := len(batch) > 1
	for _, j := range batch {
		if several {
			if err := q.Exec(ctx, "SAVEPOINT job", nil); err != nil {
				return errors.Join(err, q.rollback(ctx))
			}
		}
		q.failed = nil
		j.err = runJob(ctx, q, j)
		j.failed = j.err != nil && q.failed != nil && !errors.Is(q.failed, engine.ErrUnique)
		if !several {
			if j.err == nil {
				break
			}
			if err := q.rollback(ctx); err != nil {
				return errors.Join(j.err, err)
			}
			return nil
		}
		if j.err != nil {
			if err := q.Exec(ctx, "ROLLBACK TO job", nil); err != nil {
				return errors.Join(j.err, err, q.rollback(ctx))
			}
		}
		if err := q.Exec(ctx, "RELEASE job", nil); err != nil {
			return errors.Join(err, q.rollback(ctx))
		}
	}
	if err := q.Exec(ctx, "COMMIT", nil); err != nil {
		return errors.Join(err, q.rollback(ctx))
	}
	// If the file has lost its name, the writes are lost. The guard also has to record the changes of this commit to
	// the log.
	return s.guard.checkContents()
}

// runJob runs a job, and converts a panic to an error, so that the writer continues.
func runJob(ctx context.Context, q *conn, j *job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a write: %v", p)
		}
	}()
	return j.run(ctx, q)
}
