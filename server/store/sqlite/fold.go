package sqlite

import (
	"context"
	"os"
	"strconv"
	"time"
)

// SQLite checkpoints the write-ahead log into the file after a commit, as far as no reader still needs the old pages,
// and restarts the log when no reader uses it. If reads always overlap, that never happens, and the log grows. From
// foldSize on the writer forces it: a view lasts at most viewTime, and nearly all last milliseconds.
const (
	foldSize  = 32 << 20               // bytes of the log; SQLite's automatic checkpoints keep it at 4 MiB
	foldPause = time.Second            // after an attempt that did not succeed
	foldWait  = 300 * time.Millisecond // for views to end, while writes wait
)

// truncateLog empties the log if it has become large. The writer calls it between two transactions; a failed attempt is
// repeated later.
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
