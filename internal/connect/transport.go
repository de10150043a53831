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
	limit   *limit // nil: none
}

// RoundTrip calls the handler and gives back what it wrote, within the time that the limit allows. A panic becomes an error, as a
// server would cut the connection.
func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if t.limit == nil {
		return t.serve(r)
	}
	return within(r.Context(), t.limit, func(ctx context.Context) (*http.Response, error) { return t.serve(r.WithContext(ctx)) }, nil)
}

// limit is how long an operation on a file may take.
type limit struct {
	file  string
	after time.Duration // 0: as long as it takes
	left  atomic.Bool   // an operation goes on that nobody waits for
}

// LateError is an operation on a SQLite file that takes longer than it may.
type LateError struct {
	File  string
	After time.Duration // what the setting timeout says
}

// Error says what may be the matter, and which setting decides.
func (e *LateError) Error() string { return advice.Join(e.Summary(), e.Advice()) }

// Summary is Error without advice.
func (e *LateError) Summary() string {
	return fmt.Sprintf("sqlite:%s gives no answer within %v (timeout, CRATON_TIMEOUT): another process keeps it locked, or there is much to read", e.File, e.After)
}

// Advice says what to look at.
func (e *LateError) Advice() string {
	return "`craton doctor` looks at the file, and a longer timeout waits longer"
}

// within runs an operation, and leaves it to itself when its time is up: what waits for a lock of SQLite hears of nothing else.
// late, if it is not nil, is called with what it gives then.
func within[T any](ctx context.Context, l *limit, run func(context.Context) (T, error), late func(T)) (T, error) {
	var cancel context.CancelFunc
	bounded := ctx
	if l.after > 0 {
		bounded, cancel = context.WithTimeoutCause(ctx, l.after, &LateError{l.file, l.after})
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
	w := &answer{header: http.Header{}, status: http.StatusOK}
	defer func() {
		if p := recover(); p != nil {
			resp, err = nil, fmt.Errorf("the embedded server failed: %v", p)
		}
	}()
	t.handler.ServeHTTP(w, in)
	if w.header.Get("Content-Length") == "" {
		w.header.Set("Content-Length", strconv.Itoa(w.body.Len()))
	}
	return &http.Response{
		Status:     strconv.Itoa(w.status) + " " + http.StatusText(w.status),
		StatusCode: w.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        w.header,
		Body:          io.NopCloser(&w.body),
		ContentLength: int64(w.body.Len()),
		Request:       r,
	}, nil
}

// maxAtOnce bounds the memory that is taken for an answer before it is written.
const maxAtOnce = 1 << 20

// answer collects what a handler writes.
type answer struct {
	header http.Header
	body   bytes.Buffer
	status int
	wrote  bool
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if !a.wrote {
		a.status, a.wrote = status, true
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if n, err := strconv.Atoi(a.header.Get("Content-Length")); err == nil && a.body.Cap() == 0 && n <= maxAtOnce {
		a.body.Grow(n)
	}
	return a.body.Write(b)
}
