package connect

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/craton-fleet/craton/internal/advice"
)

// handlerTransport carries requests to a handler in the same process: no socket, no copy of the answer.
type handlerTransport struct {
	handler http.Handler
	limit   *limit    // nil: none
	later   *lazyFile // nil: handler has the fleet
}

// InProcess carries requests to a handler in the same process: no socket, no copy of the answer.
func InProcess(h http.Handler) http.RoundTripper { return handlerTransport{handler: h} }

// RoundTrip calls the handler and returns its response, within the time limit. A panic becomes an error, as a server
// would close the connection.
func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	run := func(bounded context.Context) (*http.Response, error) {
		// The response may still be in progress when RoundTrip returns, and must outlive the time limit for its
		// beginning.
		defer context.AfterFunc(bounded, func() { cancel(context.Cause(bounded)) })()
		resp, err := t.serve(r.WithContext(ctx))
		if resp == nil {
			cancel(nil)
			return nil, err
		}
		resp.Body = &cancelBody{resp.Body, cancel}
		return resp, nil
	}
	if t.limit == nil {
		return run(r.Context())
	}
	return runWithin(r.Context(), t.limit, run, nil)
}

// cancelBody is a body whose request ends with it.
type cancelBody struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

func (b *cancelBody) Close() error {
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}

// limit bounds how long an operation on a file may take.
type limit struct {
	file  string
	after time.Duration // 0: as long as it takes
	left  atomic.Bool   // an operation goes on that nobody waits for
}

// TimeoutError reports an operation on a SQLite file that takes longer than it may.
type TimeoutError struct {
	File  string
	After time.Duration // what the setting timeout says
}

// Error says what may be the matter, and which setting decides.
func (e *TimeoutError) Error() string { return advice.Join(e.Summary(), e.Advice()) }

// Summary returns the message without the advice.
func (e *TimeoutError) Summary() string {
	return fmt.Sprintf("sqlite:%s does not respond within %v (timeout, CRATON_TIMEOUT): another process keeps it locked, or the request reads a lot of data", e.File, e.After)
}

// Advice says what to look at.
func (e *TimeoutError) Advice() string {
	return "`craton doctor` checks the file; if it is only slow, increase the timeout"
}

// runWithin runs an operation, and leaves it to itself when its time is up: what waits for a lock of SQLite hears of
// nothing else. late, if it is not nil, is called with what it gives then.
func runWithin[T any](ctx context.Context, l *limit, run func(context.Context) (T, error), late func(T)) (T, error) {
	var cancel context.CancelFunc
	bounded := ctx
	if l.after > 0 {
		bounded, cancel = context.WithTimeoutCause(ctx, l.after, &TimeoutError{l.file, l.after})
		defer cancel()
	}
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		value, err := run(bounded)
		done <- outcome{value, err}
	}()
	var none T
	select {
	case o := <-done:
		if err := bounded.Err(); err != nil && ctx.Err() == nil { // which is why it failed, if it did
			if o.err == nil && late != nil {
				late(o.value)
			}
			return none, context.Cause(bounded)
		}
		return o.value, o.err
	case <-bounded.Done():
		l.left.Store(true)
		if late != nil {
			go func() {
				if o := <-done; o.err == nil {
					late(o.value)
				}
			}()
		}
		return none, context.Cause(bounded)
	}
}

func (t handlerTransport) serve(r *http.Request) (resp *http.Response, err error) {
	if r.Body != nil {
		defer r.Body.Close() //nolint:errcheck // the request's own buffer
	}
	in := r.Clone(r.Context())
	in.Host, in.RequestURI = r.URL.Host, r.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := &answer{header: http.Header{}, status: http.StatusOK, begun: make(chan struct{})}
	done := make(chan error, 1)
	go func() {
		err := t.run(w, in)
		if w.pipe != nil {
			_ = w.pipe.CloseWithError(err) // of nil it is the end
		}
		done <- err
	}()
	resp = &http.Response{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.header, Request: r}
	select {
	case <-w.begun:
		resp.Header, resp.Body, resp.ContentLength = w.header.Clone(), w.reader, -1
	case err := <-done:
		if err != nil {
			return nil, err
		}
		if w.pipe != nil { // it ended at once
			resp.Body, resp.ContentLength = w.reader, -1
			break
		}
		if w.header.Get("Content-Length") == "" {
			w.header.Set("Content-Length", strconv.Itoa(w.body.Len()))
		}
		resp.Body, resp.ContentLength = io.NopCloser(&w.body), int64(w.body.Len())
	}
	resp.StatusCode, resp.Status = w.status, strconv.Itoa(w.status)+" "+http.StatusText(w.status)
	return resp, nil
}

// run calls the handler. A panic becomes an error.
func (t handlerTransport) run(w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the embedded server failed: %v", p)
		}
	}()
	h := t.handler
	if t.later != nil {
		if h, err = t.later.pick(r); err != nil {
			return err
		}
	}
	h.ServeHTTP(w, r)
	return nil
}

// maxAtOnce bounds the memory that is taken for an answer before it is written.
const maxAtOnce = 1 << 20

// answer collects what a handler writes. An answer of which it does not know the length is read while it is written.
type answer struct {
	header http.Header
	body   bytes.Buffer
	status int
	wrote  bool

	begun  chan struct{} // closed when it is to be read
	reader *io.PipeReader
	pipe   *io.PipeWriter
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.wrote {
		return
	}
	a.status, a.wrote = status, true
	if status == http.StatusOK && a.header.Get("Content-Length") == "" {
		a.reader, a.pipe = io.Pipe()
		close(a.begun)
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.pipe != nil {
		return a.pipe.Write(b)
	}
	if n, err := strconv.Atoi(a.header.Get("Content-Length")); err == nil && a.body.Cap() == 0 && n <= maxAtOnce {
		a.body.Grow(n) // it comes in pieces: growing by each copies a page several times
	}
	return a.body.Write(b)
}
