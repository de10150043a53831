package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// All writes change the row that assigns revisions, and lock it until their commit. If each of them held the lock while
// it waits for the disk, the latency of the disk would limit the number of writes per second. So if several writes are
// running, their commits do not wait for the disk. A later commit waits for all of them together, and no write is
// acknowledged before that. Concurrent readers may see a commit that a crash then loses. Its cursor or tag is unknown
// afterwards, because the id of its change is.

// lazily precedes a commit that does not wait for the disk.
const lazily = "SET LOCAL synchronous_commit = off"

// durable is a statement whose commit waits until it and all earlier commits are on the disk. It has to change a row,
// because the commit of a transaction without changes does not wait. It returns the name of the server's life, or null
// if the server has no name for it yet.
const durable = "UPDATE " + versionTable + " SET version = version RETURNING (" + askLife + ")"

// After a crash, a server restarts without the commits that were not on its disk, and would still accept the commit
// that was meant to make them durable. The craton_life table detects this: it is unlogged, so it is empty after a crash
// and on a promoted standby. If it has the same random name before a write and after the write was settled, there was
// no crash in between.
const (
	lifeTable = "craton_life"
	makeLife  = "CREATE UNLOGGED TABLE IF NOT EXISTS " + lifeTable + " (one BOOLEAN PRIMARY KEY CHECK (one), name TEXT NOT NULL)"
	beginLife = "INSERT INTO " + lifeTable + " VALUES (TRUE, $1) ON CONFLICT DO NOTHING"
	askLife   = "SELECT name FROM " + lifeTable
)

// queryLife returns the name of the server's life since its last crash.
func queryLife(ctx context.Context, conn *pgxpool.Conn) (name string, err error) {
	if err = conn.QueryRow(ctx, askLife).Scan(&name); !errors.Is(err, pgx.ErrNoRows) {
		return name, err
	}
	if _, err := conn.Exec(ctx, beginLife, rand.Text()); err != nil {
		return "", err
	}
	err = conn.QueryRow(ctx, askLife).Scan(&name)
	return name, err
}

// settleBatch is a commit that waits for the disk and for synchronous standbys, on behalf of several writes.
type settleBatch struct {
	done chan struct{}
	life string // name of the server's life after the commit
	err  error
}

// settle waits until all transactions that were committed before the call are durable. They may have been lost in a
// crash instead: the caller must compare the returned life with the one before the write.
func (s *Engine) settle(ctx context.Context) (life string, err error) {
	s.mu.Lock()
	if s.next == nil {
		s.next = &settleBatch{done: make(chan struct{})}
		if !s.settlingNow {
			s.settlingNow = true
			go s.keepSettling(context.WithoutCancel(ctx))
		}
	}
	n := s.next
	s.mu.Unlock()
	<-n.done
	return n.life, n.err
}

// commitsLazily reports whether any write is waiting for the disk.
func (s *Engine) commitsLazily() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settlingNow
}

// keepSettling settles batches until no write is waiting.
func (s *Engine) keepSettling(ctx context.Context) {
	for {
		s.mu.Lock()
		n := s.next
		s.next = nil // later callers may have committed too late for this batch
		if n == nil {
			s.settlingNow = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		n.life, n.err = s.settleOnce(ctx)
		s.life.Store(n.life)
		close(n.done)
	}
}

func (s *Engine) settleOnce(ctx context.Context) (life string, err error) {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	until := time.Now().Add(retryTimeout)
	err = s.retry(ctx, until, isTransient, func() error {
		conn, err := s.connect(ctx, until)
		if err != nil {
			return err
		}
		var known *string
		if err = conn.QueryRow(ctx, durable).Scan(&known); err == nil && known == nil {
			life, err = queryLife(ctx, conn)
		} else if err == nil {
			life = *known
		}
		if err != nil {
			drop(conn)
			return err
		}
		conn.Release()
		return nil
	})
	return life, err
}
