package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// maxBatch bounds how many writes share one transaction.
const maxBatch = 256

// errClosed is what a write gets after [Store.Close].
var errClosed = errors.New("the database is closed")

// writer runs all writes of this process on one connection, one after the
// other. Writes that wait together share one transaction, so that one fsync
// makes all of them durable; each has a savepoint of its own, so that one
// that is refused takes no other with it. A write is answered after COMMIT,
// never before.
type writer struct {
	jobs   chan *job
	quit   chan struct{}
	done   chan struct{}
	once   sync.Once
	run    sync.Once
	closed sync.RWMutex // held for reading while a job is handed over
	shut   bool

	nextFold time.Time // not before; the writer's own
}

type job struct {
	fn   func(ctx context.Context, q *session) error
	err  error
	done chan struct{}
}

func (w *writer) init() {
	w.jobs = make(chan *job, maxBatch)
	w.quit = make(chan struct{})
	w.done = make(chan struct{})
}

// stop lets the writes that were handed over finish.
func (w *writer) stop() {
	w.closed.Lock()
	w.shut = true
	w.closed.Unlock()
	w.once.Do(func() { close(w.quit) })
	w.run.Do(func() { close(w.done) }) // it never ran
	<-w.done
}

// write runs fn in a transaction and returns when it is durable.
//
// ctx only bounds the wait for a place: once begun, a write is finished and
// its outcome returned, because interrupting one statement would roll back
// the whole batch.
func (s *Store) write(ctx context.Context, fn func(ctx context.Context, q *session) error) error {
	w := &s.writer
	j := &job{fn: fn, done: make(chan struct{})}
	w.closed.RLock()
	if w.shut {
		w.closed.RUnlock()
		return errClosed
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
	return s.outcome(j.err)
}

func (s *Store) serveWrites() {
	w := &s.writer
	defer close(w.done)
	// Writes outlive the requests that ask for them; see write.
	ctx := context.Background()
	q := s.session()
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
		err := retryBusy(ctx, func() error {
			fresh := q.conn == nil
			if err := q.connect(ctx); err != nil {
				return err
			}
			if fresh {
				// Its savepoints are small: files for them cost a tenth of the speed.
				if err := q.exec(ctx, "PRAGMA temp_store = 2", nil); err != nil {
					return err
				}
			}
			err := s.commit(ctx, q, batch)
			if err != nil && !isBusy(err) && !isRefusal(err) {
				q.close()
			}
			return err
		})
		for _, j := range batch {
			if err != nil {
				j.err = err
			}
			close(j.done)
		}
		s.fold(ctx, q)
	}
}

// commit runs a batch in one transaction. Its error means that none of the
// batch was stored.
func (s *Store) commit(ctx context.Context, q *session, batch []*job) error {
	if err := q.exec(ctx, "BEGIN IMMEDIATE", nil); err != nil {
		return err
	}
	if err := s.guard.checkContents(); err != nil {
		return errors.Join(err, q.rollback(ctx))
	}
	for _, j := range batch {
		if err := q.exec(ctx, "SAVEPOINT job", nil); err != nil {
			return errors.Join(err, q.rollback(ctx))
		}
		j.err = runJob(ctx, q, j)
		if j.err != nil {
			if err := q.exec(ctx, "ROLLBACK TO job", nil); err != nil {
				return errors.Join(j.err, err, q.rollback(ctx))
			}
		}
		if err := q.exec(ctx, "RELEASE job", nil); err != nil {
			return errors.Join(err, q.rollback(ctx))
		}
	}
	if err := q.exec(ctx, "COMMIT", nil); err != nil {
		return errors.Join(err, q.rollback(ctx))
	}
	// What went to a file that has no name any more is not stored. And the
	// guard sees what this commit did to the log.
	return s.guard.checkContents()
}

// runJob keeps a fault in one write from ending the writer for all.
func runJob(ctx context.Context, q *session, j *job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a write: %v", p)
		}
	}()
	return j.fn(ctx, q)
}
