package sqlite

import (
	"context"
	"os"
	"strconv"
	"time"
)

// After a commit, SQLite checkpoints the write-ahead log into the file, except for pages that a reader still needs, and
// restarts the log when no reader uses it. If reads always overlap, the log is never restarted, and grows. When it
// reaches foldSize, the writer forces a restart. It does not have to wait long, because nearly all views only last
// milliseconds.
const (
	foldSize  = 32 << 20               // bytes of the log; usually, SQLite's automatic checkpoints keep it at 4 MiB
	foldPause = time.Second            // pause after a failed attempt
	foldWait  = 300 * time.Millisecond // time for views to end, during which writes wait
)

// truncateLog empties the log if it has become large. The writer calls it between two transactions. After a failed
// attempt, a later call tries again.
func (s *Engine) truncateLog(ctx context.Context, q *conn) {
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
