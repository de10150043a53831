package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Stream is a successful response to a read that is still being received.
type Stream struct {
	Status int
	Header http.Header
	Path   string // of the request, including the path of the base URL

	body     io.Reader // without compression
	raw      io.ReadCloser
	stall    *time.Timer
	patience time.Duration // maximum time without a byte
	stop     func()
	closed   sync.Once
	fail     func(error) error
}

// packed are the compressions that are requested for a stream.
const packed = "zstd, gzip"

// Stream sends a GET whose response is read while it is received, however long that takes: the Config's timeout limits
// each wait for more of it. It is retried like in Do until a response has begun. A response with an error status is
// read completely and returned as a Response.
func (c *Client) Stream(ctx context.Context, r *Request) (*Stream, *Response, error) {
	s, resp, err := c.stream(ctx, r)
	if err != nil || resp == nil || !c.needsRenewal(resp) {
		return s, resp, err
	}
	again, err := c.renewer.Renew(ctx, resp.sent)
	if err != nil {
		return nil, nil, &TransportError{Method: r.Method, URL: c.Shown(r.Path), Err: &AuthError{err}}
	}
	if !again {
		return nil, resp, nil
	}
	return c.stream(ctx, r)
}

func (c *Client) stream(ctx context.Context, r *Request) (*Stream, *Response, error) {
	u, err := c.locate(r)
	if err != nil {
		return nil, nil, &CallError{c.library, err}
	}
	u.RawQuery = r.Query.Encode()
	bounded, cancel := context.WithCancelCause(context.WithValue(ctx, requestKey{}, r))
	s := &Stream{Path: u.Path, patience: c.http.HTTPClient.Timeout, fail: func(err error) error {
		if cause := context.Cause(bounded); cause != nil && ctx.Err() == nil {
			err = cause
		}
		return c.transportError(ctx, r.Method, u, err)
	}}
	s.stop = func() { cancel(context.Canceled) }
	if s.patience > 0 {
		s.stall = time.AfterFunc(s.patience, func() { cancel(os.ErrDeadlineExceeded) })
	}
	req, err := retryablehttp.NewRequestWithContext(bounded, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, nil, &CallError{c.library, err}
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	if c.gate != nil { // there is a network
		req.Header.Set("Accept-Encoding", packed)
		if err := c.gate.enter(ctx); err != nil {
			return nil, nil, c.transportError(ctx, r.Method, u, err)
		}
		stop := s.stop
		s.stop = func() { stop(); c.gate.leave() }
	}
	client := retryablehttp.Client{
		HTTPClient: &http.Client{Transport: c.http.HTTPClient.Transport, CheckRedirect: c.http.HTTPClient.CheckRedirect},
		RetryMax:   c.http.RetryMax, RetryWaitMin: c.http.RetryWaitMin, RetryWaitMax: c.http.RetryWaitMax,
		CheckRetry: c.http.CheckRetry, Backoff: c.http.Backoff, ErrorHandler: c.http.ErrorHandler,
	}
	resp, err := client.Do(req)
	if err != nil {
		err = s.fail(err) // before it is stopped, which would become the cause
		s.stop()
		return nil, nil, err
	}
	if c.gate != nil {
		c.gate.learn(resp)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		data, _ := readBody(resp, nil) // an incomplete message is still one
		s.stop()
		return nil, &Response{Status: resp.StatusCode, Header: resp.Header, Body: data, Path: u.Path, sent: resp.Request, secrets: c.secrets(), Refused: c.refused}, nil
	}
	s.Status, s.Header, s.raw = resp.StatusCode, resp.Header, resp.Body
	if err := s.unpack(resp.Header.Get("Content-Encoding")); err != nil {
		err = s.fail(err)
		s.Close()
		return nil, nil, err
	}
	return s, nil, nil
}

// unpack decompresses the response.
func (s *Stream) unpack(coding string) error {
	switch coding {
	case "":
		s.body = s.raw
	case "gzip":
		z, err := gzip.NewReader(s.raw)
		if err != nil {
			return err
		}
		s.body = z
	case "zstd":
		z, err := zstd.NewReader(s.raw, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return err
		}
		stop := s.stop
		s.body, s.stop = z, func() { stop(); z.Close() }
	default:
		return errors.New("the response has the Content-Encoding " + coding + ", which was not requested")
	}
	return nil
}

// Read reads the decompressed response. An error other than io.EOF is a *TransportError.
func (s *Stream) Read(b []byte) (int, error) {
	if s.stall != nil {
		s.stall.Reset(s.patience)
	}
	n, err := s.body.Read(b)
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = s.fail(err)
	}
	return n, err
}

// Close closes the response, whether it was read completely or not. It may be called again.
func (s *Stream) Close() {
	s.closed.Do(func() {
		if s.stall != nil {
			s.stall.Stop()
		}
		_ = s.raw.Close() // nobody reads the rest
		s.stop()
	})
}
