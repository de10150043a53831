package sqlite

import (
	"context"
	"os"
	"strconv"
	"time"
)

// SQLite folds the write-ahead log into the file after a commit, as far as no
// view still needs the file as it was, and begins the log anew when no view
// reads it. Where views overlap all the time that moment never comes, and the
// log grows. From foldSize on the writer makes it come: a view lasts no longer
// than viewTime, and nearly all last milliseconds.
const (
	foldSize  = 32 << 20               // bytes of the log; SQLite's own folding keeps it at 4 MiB
	foldPause = time.Second            // after an attempt that did not succeed
	foldWait  = 300 * time.Millisecond // for views to end, while writes wait
)

// fold empties the log if it has become large. It is the writer's, between two
// transactions, and what hinders it now need not the next time.
func (s *Engine) fold(ctx context.Context, q *conn) {
	w := &s.writer
	if q.sql == nil || time.Now().Before(w.nextFold) {
		return
	}
	size := func() int64 {
		info, err := os.Stat(s.guard.log())
		if err != nil {
			return 0
		}
		return info.Size()
	}
	if size() < foldSize || s.guard.checkContents() != nil {
		return
	}
	var patience int64
	if q.Row(ctx, "PRAGMA busy_timeout", nil, &patience) != nil {
		return
	}
	run := func(text string) { _, _ = q.sql.ExecContext(ctx, text) }
	run("PRAGMA busy_timeout = " + strconv.FormatInt(foldWait.Milliseconds(), 10))
	run("PRAGMA wal_checkpoint(TRUNCATE)")
	run("PRAGMA busy_timeout = " + strconv.FormatInt(patience, 10))
	if size() >= foldSize {
		w.nextFold = time.Now().Add(foldPause)
	}
}
