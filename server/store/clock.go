package store

import (
	"context"
	"time"
)

// maxSkew is how far the time of a change may be ahead of this machine's clock before [Options.ClockBehind] is called.
const maxSkew = time.Minute

// checkNewest calls checkClock with the time of the newest change.
func (s *Store) checkNewest(ctx context.Context) error {
	var at int64
	err := s.readOne(ctx, func(ctx context.Context, q *session) error {
		return q.row(ctx, "SELECT changed_at FROM log", nil, &at)
	})
	if err == nil {
		s.checkClock(Micros(at))
	}
	return err
}

// checkClock calls [Options.ClockBehind], once, if the time of a change is far ahead of this machine's clock.
func (s *Store) checkClock(at Micros) {
	by := time.UnixMicro(int64(at)).Sub(s.now())
	if s.behind != nil && by > maxSkew && s.warned.CompareAndSwap(false, true) {
		s.behind(by)
	}
}
