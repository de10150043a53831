package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// All writes change the row that gives out revisions, and hold it until they
// are committed. If each waited for the disk while it does, there would be as
// many writes a second as the disk has waits. So when several are under way,
// their commits do not wait for the disk; one commit after them does, for all
// that came before it, and none is acknowledged before that. Whoever reads
// meanwhile may see what a crash then takes back: a cursor or tag of it is
// unknown afterwards, because the id of its change is.

// lazily is said before a commit that does not wait for the disk.
const lazily = "SET LOCAL synchronous_commit = off"

// durable is a statement whose commit waits for the disk, and so for all that was
// committed before. What only assigns a number to a transaction is not waited
// for: something has to be written. It returns the name of the server's life,
// which then was the same until that commit: null if it has none yet.
const durable = "UPDATE " + versionTable + " SET version = version RETURNING (" + askLife + ")"

// A server that has crashed comes back without what was not on its disk, and
// takes the commit that was to make it durable all the same. So there is a
// table that is empty after a crash, and on a standby that has become the
// primary: a name in it that was known before a write, and is there after the
// write was settled, says that there was none in between.
const (
	lifeTable = "craton_life"
	makeLife  = "CREATE UNLOGGED TABLE IF NOT EXISTS " + lifeTable + " (one BOOLEAN PRIMARY KEY CHECK (one), name TEXT NOT NULL)"
	beginLife = "INSERT INTO " + lifeTable + " VALUES (TRUE, $1) ON CONFLICT DO NOTHING"
	askLife   = "SELECT name FROM " + lifeTable
)

// askForLife is the name of the server's life since it last crashed.
func askForLife(ctx context.Context, conn *pgxpool.Conn) (name string, err error) {
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
	until := time.Now().Add(patience)
	err = s.retry(ctx, until, isTransient, func() error {
		conn, err := s.connect(ctx, until)
		if err != nil {
			return err
		}
		var known *string
		if err = conn.QueryRow(ctx, durable).Scan(&known); err == nil && known == nil {
			life, err = askForLife(ctx, conn)
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
