package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/craton-fleet/craton/server/store/engine"
)

// guard detects that the file of an open store was moved, removed, replaced or overwritten. SQLite does not detect any
// of these: it continues to write to a file that no longer has a name, and applies its write-ahead log to the file that
// has the name now.
//
// Each transaction checks whether the name still leads to the same file. Only a watched store ([Engine.Watch]) detects
// that the same file was overwritten, such as by cp. In write-ahead mode, only a checkpoint writes to the file itself,
// and each checkpoint leaves a trace in the index of the log (the -shm file). If the file changed without such a trace,
// it was not changed by SQLite.
type guard struct {
	path string
	real string      // path without symbolic links, next to which SQLite creates the log and its index
	file fs.FileInfo // of the opened file

	mu      sync.Mutex
	broken  *engine.DatabaseError // permanent until the process is restarted
	over    bool                  // the file was overwritten
	lookout *fileMonitor          // nil if the store is not watched
}

// fileMonitor reads the files that SQLite has open. It never closes them, because by POSIX's rules, closing a file
// releases all locks that the process has on it, including SQLite's.
type fileMonitor struct {
	file, index *os.File
	wal         fs.FileInfo // of the log
	seed        maphash.Seed
	base        snapshot // last known state of the file
}

// snapshot is the state of the file at a time without a running checkpoint.
type snapshot struct {
	log     checkpoints
	size    int64
	changed time.Time
	sum     uint64 // hash of the contents
}

// checkpoints is the information about checkpoints in the index of the log.
type checkpoints struct {
	salt                  uint64
	backfilled, attempted uint32
}

// Offsets in the -shm file, whose integers are in native byte order: see "The WAL-Index File Format"
// (https://www.sqlite.org/walformat.html).
const (
	indexSalt      = 32
	indexBackfill  = 96
	indexAttempted = 128
	indexSize      = 136
)

// maxSummed is the maximum number of bytes of the file that are hashed to detect whether it was overwritten.
const maxSummed = 16 << 20

// check returns an [engine.DatabaseError] if the name does not lead to the opened file.
func (g *guard) check() error {
	g.mu.Lock()
	broken := g.broken
	g.mu.Unlock()
	switch {
	case broken != nil:
		return broken
	case g.file == nil: // not set, because the file is not written to
		return nil
	}
	now, err := os.Stat(g.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return detached(g.path, "it was moved or removed")
	case err != nil:
		return fault(g.path, err)
	case !os.SameFile(now, g.file):
		return detached(g.path, "another file has its name")
	}
	return nil
}

// Suffixes of the files that SQLite creates next to a database.
const (
	logSuffix   = "-wal"
	indexSuffix = "-shm"
)

func (g *guard) log() string   { return g.real + logSuffix }
func (g *guard) index() string { return g.real + indexSuffix }

// Remove removes a database that no process has open, with SQLite's other files.
func Remove(path string) {
	for _, suffix := range []string{"", logSuffix, indexSuffix} {
		_ = os.Remove(path + suffix) // a file may not exist
	}
}

func detached(path, what string) *engine.DatabaseError {
	return &engine.DatabaseError{Database: path, Reason: engine.FileReplaced, Detail: what}
}

// checkContents is check, and in a watched store also detects that another program overwrote the file, or removed or
// replaced its log.
func (g *guard) checkContents() error {
	if err := g.check(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.broken != nil {
		return g.broken
	}
	if g.lookout == nil {
		return nil
	}
	g.broken, g.over = g.lookout.check(g.path, g.log())
	if g.broken != nil {
		return g.broken
	}
	return nil
}

// check returns an error if another program changed the file or its log. over reports whether it overwrote the file.
func (l *fileMonitor) check(path, log string) (broken *engine.DatabaseError, over bool) {
	if now, err := os.Stat(log); err != nil || !os.SameFile(now, l.wal) {
		return detached(path, "its write-ahead log "+log+" was moved, removed or replaced"), false
	}
	now, quiet, err := l.observe()
	switch {
	case err != nil:
		return &engine.DatabaseError{Database: path, Reason: engine.DiskError, Detail: err.Error(), Err: err}, false
	case !quiet:
		return nil, false
	case now.size == l.base.size && now.changed.Equal(l.base.changed):
		l.base.log = now.log // a restart of the log does not change the file
		return nil, false
	}
	if now.sum, err = l.sum(now.size); err != nil {
		return &engine.DatabaseError{Database: path, Reason: engine.DiskError, Detail: err.Error(), Err: err}, false
	}
	if now.log == l.base.log && (now.sum != l.base.sum || now.size != l.base.size) {
		return detached(path, "something other than Craton wrote over it, such as a backup that was copied there"), true
	}
	// The change was a checkpoint, or only of the modification time. This is the new known state, unless the file has
	// changed again since it was hashed.
	if again, quiet, err := l.observe(); err == nil && quiet && again.same(now) {
		l.base = now
	}
	return nil, false
}

func (s snapshot) same(o snapshot) bool {
	return s.log == o.log && s.size == o.size && s.changed.Equal(o.changed)
}

// observe reads the file's size and modification time. quiet reports that no checkpoint was running meanwhile.
func (l *fileMonitor) observe() (now snapshot, quiet bool, err error) {
	before, err := l.checkpoints()
	if err != nil {
		return snapshot{}, false, err
	}
	info, err := l.file.Stat()
	if err != nil {
		return snapshot{}, false, err
	}
	after, err := l.checkpoints()
	now = snapshot{log: after, size: info.Size(), changed: info.ModTime()}
	return now, before == after && after.backfilled == after.attempted, err
}

func (l *fileMonitor) checkpoints() (checkpoints, error) {
	var b [indexSize]byte
	if _, err := l.index.ReadAt(b[:], 0); err != nil {
		return checkpoints{}, fmt.Errorf("%s: %w", l.index.Name(), err)
	}
	n := binary.NativeEndian
	return checkpoints{n.Uint64(b[indexSalt:]), n.Uint32(b[indexBackfill:]), n.Uint32(b[indexAttempted:])}, nil
}

// sum hashes the file, or, if it is larger than maxSummed, pieces that are spread over it.
func (l *fileMonitor) sum(size int64) (uint64, error) {
	var h maphash.Hash
	h.SetSeed(l.seed)
	const piece = 64 << 10
	step := (size/maxSummed + 1) * piece
	buf := make([]byte, piece)
	for at := int64(0); at < size; at += step {
		n, err := l.file.ReadAt(buf, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		_, _ = h.Write(buf[:n]) // never returns an error
	}
	return h.Sum64(), nil
}

// watch creates the monitor of the file. The caller must have read on a connection and keep it open, so that SQLite
// does not remove the log and its index.
func (g *guard) watch() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	wal, err := os.Stat(g.log())
	if err != nil {
		return err
	}
	l := &fileMonitor{wal: wal, seed: maphash.MakeSeed()}
	if l.index, err = os.Open(g.index()); err != nil {
		return err
	}
	if l.file, err = os.Open(g.real); err != nil {
		return err
	}
	if l.base, _, err = l.observe(); err != nil {
		return err
	}
	if l.base.sum, err = l.sum(l.base.size); err != nil {
		return err
	}
	g.lookout = l
	return nil
}

// Watch implements [engine.Engine].
//
// If the file was moved or removed, its log is checkpointed into it, so that the file is complete in its new place.
// This also empties the log, so that SQLite does not apply it to another file that gets the name. For the same reason,
// the log is renamed if the file was overwritten.
func (s *Engine) Watch(ctx context.Context, every time.Duration, report func(error)) (wait func(), err error) {
	anchor, err := s.open(ctx)
	if err != nil {
		return nil, s.describe(err)
	}
	var tables int
	if err := anchor.Row(ctx, "SELECT count(*) FROM sqlite_master", nil, &tables); err != nil {
		return nil, s.describe(err)
	}
	if err := s.guard.watch(); err != nil {
		return nil, fmt.Errorf("watch %s: %w", s.path, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if s.watchLoop(ctx, every, anchor, report) {
			anchor.close()
		}
	}()
	return func() { <-done }, nil
}

// watchLoop is the loop of Watch. It reports whether the file was in order at the last check.
func (s *Engine) watchLoop(ctx context.Context, every time.Duration, anchor *conn, report func(error)) bool {
	tick := time.NewTicker(every)
	defer tick.Stop()
	wrong := false
	for {
		err := s.guard.checkContents()
		if (err != nil) != wrong {
			if wrong = !wrong; wrong {
				err = errors.Join(err, s.detach(context.WithoutCancel(ctx), anchor))
			}
			report(err)
		}
		if ctx.Err() != nil {
			return !wrong
		}
		select {
		case <-ctx.Done(): // check a last time, because Close is usually next
		case <-tick.C:
		}
	}
}

// detach prevents the write-ahead log from being applied to a wrong file: see [Engine.Watch].
func (s *Engine) detach(ctx context.Context, anchor *conn) error {
	if s.guard.isOverwritten() {
		suffix := ".aside-" + time.Now().UTC().Format("20060102T150405Z")
		return errors.Join(rename(s.guard.log(), suffix), rename(s.guard.index(), suffix))
	}
	var busy, logged, folded int
	return fault(s.path, anchor.Row(ctx, "PRAGMA wal_checkpoint(TRUNCATE)", nil, &busy, &logged, &folded))
}

func (g *guard) isOverwritten() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.over
}

func rename(name, suffix string) error {
	if err := os.Rename(name, name+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
