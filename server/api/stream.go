package api

import (
	"io"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// stream sends a response's file while it is being written. The writer never waits for the client, which reads the file
// as fast as it can.
type stream struct {
	mu       sync.Mutex
	moved    sync.Cond
	size     int64         // bytes in the file
	complete bool          // the file is complete
	gone     bool          // reading or writing has ended
	done     chan struct{} // closed when sending has ended
	to       io.Writer     // a client in the same process, which needs no file; nil otherwise
}

var (
	errStreamLost = fail(http.StatusInternalServerError, "The client has stopped reading the response.")
	errBroken     = fail(http.StatusInternalServerError, "The database became unavailable while the response was being sent.")
)

// lines makes the response one of any size, a line of JSON per object, sent while it is being read.
func (c *call) lines() {
	c.head.Set("Content-Type", "application/x-ndjson")
	c.out.max = math.MaxInt64
	if c.r.Method == http.MethodGet {
		c.out.begin, c.out.direct = c.stream, c.embedded
	}
}

// stream begins to send what c.out stores from now on.
func (c *call) stream() *stream {
	s := &stream{done: make(chan struct{})}
	s.moved.L = &s.mu
	if c.out.coding != nil {
		c.head.Set("Content-Encoding", c.out.coding.name)
	}
	c.w.WriteHeader(http.StatusOK)
	if c.out.direct {
		s.to = c.w
		close(s.done)
		return s
	}
	go c.sendStream(s)
	return s
}

// write passes a piece to a client in the same process.
func (s *stream) write(b []byte) error {
	if _, err := s.to.Write(b); err != nil {
		s.gone = true
		return errStreamLost
	}
	return nil
}

// grow records that the file has become longer.
func (s *stream) grow(size int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size = size
	s.moved.Signal()
	if s.gone {
		return errStreamLost
	}
	return nil
}

// end records that the file is complete, or that it never will be.
func (s *stream) end(complete bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.complete, s.gone = complete, s.gone || !complete
	s.moved.Signal()
}

// next waits until the file is longer than at, and returns its length; more is false if nothing more will come.
func (s *stream) next(at int64) (size int64, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.size == at && !s.complete && !s.gone {
		s.moved.Wait()
	}
	return s.size, s.size > at && !s.gone
}

func (c *call) sendStream(s *stream) {
	defer close(s.done)
	piece := pieces.Get().(*[jsontext.Piece]byte)
	defer pieces.Put(piece)
	control := http.NewResponseController(c.w)
	begun := time.Now()
	for at := int64(0); ; {
		size, more := s.next(at)
		if !more {
			break
		}
		n, err := c.out.file.ReadAt(piece[:min(int64(len(piece)), size-at)], at)
		if n > 0 {
			_ = control.SetWriteDeadline(deadline(begun, size)) // an embedded server has no deadline
			_, err = c.w.Write(piece[:n])
		}
		if err != nil {
			s.end(false)
			return
		}
		at += int64(n)
	}
	_ = control.Flush()
	_ = control.SetWriteDeadline(time.Time{}) // the next request has its own
}

// deadline returns the time by which the client must have read the next piece of a response of some size.
func deadline(begun time.Time, size int64) time.Time {
	end := begun.Add(5*time.Minute + time.Duration(size/slowestRate)*time.Second)
	if piece := time.Now().Add(stallTimeout); piece.Before(end) {
		return piece
	}
	return end
}

// endStream sends the rest of a response, or cuts it off: a truncated response must not look complete.
func (c *call) endStream(err error) {
	s := c.out.sent
	if err == nil {
		rest := c.buf
		if rest, _, err = c.out.pack(rest); err == nil && rest != nil {
			err = c.out.store(rest)
		}
	}
	s.end(err == nil)
	<-s.done
	if err == nil && !s.gone {
		return
	}
	if err != nil {
		c.explain(c.r.Context(), err) // to the log
	}
	panic(http.ErrAbortHandler)
}
