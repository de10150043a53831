package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store"
)

// answer is the body of a response under construction. A light one stays in memory. One that turns out to be large is
// started again as a full one, which goes to a file piece by piece: a client that does not read then holds neither
// memory nor the database's read transaction.
type answer struct {
	full   bool  // see above
	err    error // the first error; what is appended after it is ignored
	plain  int64 // bytes written to the file, before compression
	file   *os.File
	size   int64 // of the file
	large  int64 // part of it that counts towards large answers
	coding *coding
	packer packer // between the buffer and the file; nil without compression
	max    int64  // largest size before compression; 0 for largestAnswer
	begin  func() *stream
	sent   *stream     // the stream that begin returned; see stream.go
	direct bool        // begin's stream needs no file
	grow   func() bool // continues a light answer as a full one, if there is room; nil if it must be started again
	budget *budget
}

// limit returns the length at which a buffer is full.
func (a *answer) limit() int {
	if a.full {
		return jsontext.Piece
	}
	return lightAnswer
}

// room takes a full buffer, and returns one to continue with.
func (a *answer) room(dst []byte) []byte {
	switch {
	case len(dst) < a.limit():
		return dst
	case a.err != nil:
	case !a.full && (a.grow == nil || !a.grow()):
		a.err = store.ErrViewTooLarge
	default:
		a.err = a.spill(dst)
	}
	return dst[:0]
}

// spill writes bytes to the file, through the packer if there is one.
func (a *answer) spill(b []byte) error {
	if a.plain += int64(len(b)); a.plain > cmp.Or(a.max, largestAnswer) {
		return answerTooLarge()
	}
	if a.coding != nil && a.packer == nil {
		a.packer = a.coding.packer((*toFile)(a))
	}
	if a.packer != nil {
		_, err := a.packer.Write(b)
		return err
	}
	return a.store(b)
}

// toFile is the writer of an answer's packer.
type toFile answer

func (f *toFile) Write(b []byte) (int, error) { return len(b), (*answer)(f).store(b) }

// pack compresses a complete answer if that is worth it, and returns the part that is in memory.
func (a *answer) pack(buf []byte) (rest []byte, packed bool, err error) {
	switch {
	case a.packer != nil:
		if err := a.spill(buf); err != nil {
			return nil, false, err
		}
		err := a.packer.Close()
		a.unpack() // it is large, and the client may be slow
		return nil, true, err
	case a.coding == nil || len(buf) < minPacked:
		return buf, false, nil
	}
	var out bytes.Buffer
	p := a.coding.packer(&out)
	defer a.coding.put(p)
	if _, err := p.Write(buf); err != nil {
		return nil, false, err
	}
	err = p.Close()
	return out.Bytes(), true, err
}

// unpack returns the packer to its pool.
func (a *answer) unpack() {
	if a.packer != nil {
		a.coding.put(a.packer)
		a.packer = nil
	}
}

// store writes bytes to the file.
func (a *answer) store(b []byte) error {
	if a.direct {
		if a.sent == nil {
			a.sent = a.begin()
		}
		return a.sent.write(b)
	}
	n := int64(len(b))
	if !a.budget.files.TryAcquire(n) {
		return errOverload
	}
	a.size += n // from now on close releases it
	if a.size > mediumAnswer {
		if !a.budget.large.TryAcquire(a.size - a.large) {
			return errOverload
		}
		a.large = a.size
	}
	if a.file == nil {
		f, err := os.CreateTemp(store.TempDir(), "craton-answer-")
		if err != nil {
			return noTemporary(err)
		}
		a.file = f
		_ = os.Remove(f.Name()) // deleted with its last user, where the system supports that
	}
	if _, err := a.file.Write(b); err != nil {
		return noTemporary(err)
	}
	if a.begin == nil {
		return nil
	}
	if a.sent == nil {
		a.sent = a.begin()
	}
	return a.sent.grow(a.size)
}

// close releases what the answer holds. It can be used again.
func (a *answer) close() {
	if a.file != nil {
		_ = a.file.Close()
		_ = os.Remove(a.file.Name())
		a.file = nil
	}
	a.unpack()
	a.budget.files.Release(a.size)
	a.budget.large.Release(a.large)
	a.plain, a.size, a.large, a.err = 0, 0, 0, nil
}

// read calls fn with a snapshot of the database or its replica, to write the answer. fn may be called again.
func (c *call) read(fn func(ctx context.Context, v *store.View) error) error {
	return c.readIn(c.viewNeeded, fn)
}

// readLog is read of the primary: for requests about the change log, its end or the past, and not for the current
// fleet.
func (c *call) readLog(fn func(ctx context.Context, v *store.View) error) error {
	return c.readIn(viewNow, fn)
}

func (c *call) readIn(view viewer, fn func(ctx context.Context, v *store.View) error) error {
	return c.produce(func(full bool) error {
		fleet, err := c.source()
		if err != nil {
			return err
		}
		again := false
		return view(c.r.Context(), fleet, full, func(ctx context.Context, v *store.View) error {
			if c.at != nil && c.at.omit {
				v.OmitUnkept()
			}
			if c.out.sent != nil {
				return errBroken
			}
			if again {
				c.out.close()
				c.buf = c.buf[:0]
			}
			again = true
			if err := fn(ctx, v); err != nil {
				return err
			}
			return c.out.err
		})
	})
}

// growing lets an answer that turns out to be large continue, instead of being started again, if there is room for
// another large one.
func (c *call) growing(v *store.View) {
	if c.grown {
		v.Grow() // it is written a second time
	}
	c.out.grow = func() bool {
		c.grown = c.budget.full.TryAcquire(1)
		if c.grown {
			c.out.full = true
			v.Grow()
		}
		return c.grown
	}
}

// writeLight writes an answer as a light one, which may grow.
func (c *call) writeLight(fn func(full bool) error) error {
	defer func() {
		if c.grown {
			c.budget.full.Release(1)
			c.grown = false
		}
		c.out.grow = nil
	}()
	return fn(false)
}

// produce writes an answer, first as a light one.
func (c *call) produce(fn func(full bool) error) error {
	err := c.writeLight(fn)
	if err == nil {
		err = c.out.err
	}
	if !errors.Is(err, store.ErrViewTooLarge) {
		return err
	}
	release, err := c.budget.full.take(c.r.Context(), 1)
	if err != nil {
		return err
	}
	defer release()
	c.out.full, c.out.err, c.buf = true, nil, c.buf[:0]
	if err := fn(true); err != nil {
		return err
	}
	return c.out.err
}

// How long a client may take to read an answer.
const (
	stallTimeout = time.Minute // without reading a piece; a slow client reads a megabyte at a time
	slowestRate  = 64 << 10    // bytes a second on average, after five minutes
)

// send writes the answer. A client that does not read is cut off.
func (c *call) send(w http.ResponseWriter) {
	total := c.out.size + int64(len(c.buf))
	if c.out.file == nil && total <= jsontext.Piece {
		_, _ = w.Write(c.buf) // the client may be gone
		return
	}
	control := http.NewResponseController(w)
	begun := time.Now()
	write := func(b []byte) bool {
		for len(b) > 0 {
			_ = control.SetWriteDeadline(deadline(begun, total)) // an embedded server has no deadline
			n, err := w.Write(b[:min(len(b), jsontext.Piece)])
			if err != nil {
				return false
			}
			b = b[n:]
		}
		return true
	}
	ok := true
	if c.out.file != nil {
		ok = c.sendFile(write)
	}
	if ok && write(c.buf) {
		_ = control.Flush()
		_ = control.SetWriteDeadline(time.Time{}) // the next request has its own
	}
}

func (c *call) sendFile(write func([]byte) bool) bool {
	piece := pieces.Get().(*[jsontext.Piece]byte)
	defer pieces.Put(piece)
	for at := int64(0); at < c.out.size; {
		n, err := c.out.file.ReadAt(piece[:min(int64(len(piece)), c.out.size-at)], at)
		if n == 0 && err != nil {
			c.report(c.r.Context(), fmt.Errorf("read a large answer back: %w", err))
			panic(http.ErrAbortHandler) // a truncated answer must not look complete
		}
		if !write(piece[:n]) {
			return false
		}
		at += int64(n)
	}
	return true
}

// finish compresses an answer and parks it.
func (c *call) finish() (release func(), err error) {
	var packed bool
	if c.buf, packed, err = c.out.pack(c.buf); err != nil {
		return nil, err
	}
	if packed {
		c.head.Set("Content-Encoding", c.out.coding.name)
	}
	return c.park()
}

// park keeps a complete answer while its client reads it, and returns the function that ends that.
func (c *call) park() (release func(), err error) {
	n := int64(len(c.buf))
	if n <= jsontext.Piece {
		return func() {}, nil
	}
	if c.budget.answers.TryAcquire(n) {
		return func() { c.budget.answers.Release(n) }, nil
	}
	if err := c.out.store(c.buf); err != nil {
		return nil, err
	}
	c.buf = nil
	return func() {}, nil
}

// drain reads the rest of a request, so that the client gets to read the answer. A client that sent Expect:
// 100-continue does not need that.
func drain(r *http.Request) {
	const most = 64 << 20
	if r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, r.Body, most)
	}
}
