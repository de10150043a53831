package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// All writes change the row that assigns revisions, and lock it until their commit. If each waited for the disk
// meanwhile, the number of writes per second would be limited by the disk's latency. So if several are running, their
// commits do not wait for the disk; one later commit does, for all before it, and no write is acknowledged before that.
// Concurrent readers may see what a crash then loses: a cursor or tag of it is unknown afterwards, because the id of
// its change is.

// lazily precedes a commit that does not wait for the disk.
const lazily = "SET LOCAL synchronous_commit = off"

// durable is a statement whose commit waits for the disk, and so for everything committed before. The commit of a
// transaction that writes nothing would not wait. It returns the name of the server's life, which was the same up to
// that commit: null if it has none yet.
const durable = "UPDATE " + versionTable + " SET version = version RETURNING (" + askLife + ")"

// A server that has crashed restarts without what was not on its disk, and yet accepts the commit that should make it
// durable. So there is a table that is empty after a crash, and on a promoted standby: if a name in it that was known
// before a write is still there after the write was settled, there was no crash in between.
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

// settleBatch is a commit that waits for the disk, and for the standbys that the
// database waits for, with all who wait for it.
type settleBatch struct {
	done chan struct{}
	life string // of the server, afterwards
	err  error
}

// settle returns when every transaction that was committed before is durable, if
// it was not lost: see [Engine.life].
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

// commitsLazily reports whether somebody waits for the disk.
func (s *Engine) commitsLazily() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settlingNow
}

// keepSettling runs until nobody waits.
func (s *Engine) keepSettling(ctx context.Context) {
	for {
		s.mu.Lock()
		n := s.next
		s.next = nil // who comes from here on has committed too late for this one
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
