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

// guard detects that the file of an open store is no longer the one that was opened: that it was moved, removed,
// replaced or overwritten. SQLite detects none of these: it continues to write to a file without a name, and applies
// its write-ahead log to whatever has the name now.
//
// A different file under the name is detected in every transaction, by its identity. That the same file was
// overwritten, as by cp, can only be seen by a watched store ([Engine.Watch]): in write-ahead mode only a checkpoint
// writes to the file itself, and every checkpoint leaves a trace in the index of the log (the -shm file). A file that
// changed without such a trace was not changed by SQLite.
type guard struct {
	path string
	real string      // path without symbolic links: the log and its index are beside it
	file fs.FileInfo // as opened

	mu      sync.Mutex
	broken  *engine.DatabaseError // permanent: only a restart helps
	over    bool                  // the file was overwritten
	lookout *fileMonitor          // nil unless watched
}

// fileMonitor reads the files that SQLite has open. They stay open as long as the process has locks on them: when any of
// them is closed, POSIX releases all locks of the process on the file.
type fileMonitor struct {
	file, index *os.File
	wal         fs.FileInfo // of the log
	seed        maphash.Seed
	base        snapshot // last known state of the file
}

// snapshot is a moment of the file without a checkpoint under way.
type snapshot struct {
	log     checkpoints
	size    int64
	changed time.Time
	sum     uint64 // over the contents
}

// checkpoints is what the index of the log says of them.
type checkpoints struct {
	salt                  uint64
	backfilled, attempted uint32
}

// Offsets in the -shm file, native byte order: SQLite's file format, "The
// WAL-Index File Format" (https://www.sqlite.org/walformat.html).
const (
	indexSalt      = 32
	indexBackfill  = 96
	indexAttempted = 128
	indexSize      = 136
)

// maxSummed bounds how many bytes of a file are read to see whether it was
// written over.
const maxSummed = 16 << 20

// check returns a [engine.DatabaseError] if the name leads to another file than the one
// that was opened, or to none.
func (g *guard) check() error {
	g.mu.Lock()
	broken := g.broken
	g.mu.Unlock()
	switch {
	case broken != nil:
		return broken
	case g.file == nil: // nothing is written here
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

// What SQLite calls the files that it keeps beside a database.
const (
	logSuffix   = "-wal"
	indexSuffix = "-shm"
)

func (g *guard) log() string   { return g.real + logSuffix }
func (g *guard) index() string { return g.real + indexSuffix }

// Remove removes a file that nobody has open, with what SQLite keeps beside it.
func Remove(path string) {
	for _, suffix := range []string{"", logSuffix, indexSuffix} {
		_ = os.Remove(path + suffix) // what is not there need not go
	}
}

func detached(path, what string) *engine.DatabaseError {
	return &engine.DatabaseError{Database: path, Reason: engine.FileReplaced, Detail: what}
}

// checkContents is check, and looks for what was written into the file or
// done to its log behind SQLite's back.
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

// check returns what was done to the file or to its log behind SQLite's back;
// over says that it was written over.
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
		l.base.log = now.log // it may have begun anew, which does not touch the file
		return nil, false
	}
	if now.sum, err = l.sum(now.size); err != nil {
		return &engine.DatabaseError{Database: path, Reason: engine.DiskError, Detail: err.Error(), Err: err}, false
	}
	if now.log == l.base.log && (now.sum != l.base.sum || now.size != l.base.size) {
		return detached(path, "something other than Craton wrote over it, such as a backup that was copied there"), true
	}
	// A checkpoint, or somebody touched it: what it is like now is what
	// counts, if nothing came in between.
	if again, quiet, err := l.observe(); err == nil && quiet && again.same(now) {
		l.base = now
	}
	return nil, false
}

func (s snapshot) same(o snapshot) bool {
	return s.log == o.log && s.size == o.size && s.changed.Equal(o.changed)
}

// observe reads the file's size and time; quiet says that no checkpoint was
// under way meanwhile.
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

// sum hashes the file, or as much of it as maxSummed allows, in pieces that
// are spread over it.
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
		_, _ = h.Write(buf[:n]) // never fails
	}
	return h.Sum64(), nil
}

// watch begins to look into the file. A connection that has read must stay
// open: it keeps the log where it is.
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

// Watch is that of [engine.Engine].
//
// A file that was moved or removed gets the rest of its log, so that it is
// whole wherever it is now, and the log is emptied, so that nothing of it is
// laid over a file that takes the name. If the file was written over, its log
// is put aside under another name for the same reason.
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

// watchLoop is the loop of Watch; it reports whether the file is in order at the
// end.
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
		case <-ctx.Done(): // one last look: Close comes next
		case <-tick.C:
		}
	}
}

// detach leaves the write-ahead log of a file that is not ours any more where
// it harms nothing.
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
