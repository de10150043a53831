package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/craton-fleet/craton/internal/retry"
)

// Policy reports whether a request is to be retried after a response. It must not consume the response's body, may be
// called twice, supplements the rules for all APIs, see [Policy.check], and may be nil.
type Policy func(r *Request, resp *http.Response) bool

// check retries what can be repeated without harm:
//
//   - anything that was never sent because no connection came about;
//   - GET after a good answer that is none of an API, see [Request.judge];
//   - GET, HEAD, PUT and DELETE after a lost connection, a cut answer, or one of the statuses with which
//     servers and proxies ask to come again (429, 502, 503, 504; 500 with Retry-After), unless the request
//     forbids it (Request.Once);
//   - after any other answer what the policy says.
//
// POST and PATCH are never repeated once they were sent, unless the policy allows it: they may have been executed.
func (p Policy) check(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	r, _ := ctx.Value(requestKey{}).(*Request)
	if err != nil {
		if permanent(err) {
			return false, err
		}
		if neverSent(err) {
			return true, nil
		}
		if _, bad := errors.AsType[*BadResponseError](err); bad {
			return r.repeatable(), nil
		}
		return r.markLost(), nil
	}
	switch resp.StatusCode {
	case http.StatusInternalServerError:
		// craton server and the proxy before it return this instead of 502, 503 and 504, which old clients cannot
		// handle.
		if _, again := RetryAfter(resp.Header); again && r.markLost() {
			return true, nil
		}
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		if r.markLost() {
			return true, nil
		}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if r.repeatable() {
			return true, nil
		}
	}
	return p != nil && p(r, resp), nil
}

// errCut is the error for an incomplete response.
var errCut = errors.New("the response was cut short")

// neverSent reports whether a request was never sent: the connection to the API or to a proxy failed, or the request
// was cancelled while it waited for its turn.
func neverSent(err error) bool {
	if _, waited := errors.AsType[notSentError](err); waited {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect")
}

// IsWrongServer reports whether a request failed because the receiver is not known to be the server: its certificate is
// invalid, it redirects, or it does not use TLS.
func IsWrongServer(err error) bool {
	_, unknown := errors.AsType[*tls.CertificateVerificationError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	return unknown || plain || errors.Is(err, http.ErrSchemeMismatch) || errors.Is(err, errRedirect)
}

// permanent reports whether no retry can help: another server responded, the name does not exist, or an Auth failed,
// which has its own retries.
func permanent(err error) bool {
	if _, ok := errors.AsType[*AuthError](err); ok {
		return true
	}
	if IsWrongServer(err) {
		return true
	}
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound && !dns.IsTemporary
}

// countTries handles the end of the attempts. A response is passed on, so that its status and message become the
// library's typed error; an error includes the number of attempts.
func countTries(resp *http.Response, err error, tries int) (*http.Response, error) {
	if err == nil {
		return resp, nil
	}
	if resp != nil {
		resp.Body.Close() //nolint:errcheck,gosec // nobody reads it
	}
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err // *TransportError has the URL, without its query
	}
	if tries > 1 {
		err = &triedError{err, tries}
	}
	return nil, err
}

// triedError is the last of several errors of one request.
type triedError struct {
	error
	times int
}

func (e *triedError) Error() string { return e.error.Error() + e.often() }
func (e *triedError) often() string { return fmt.Sprintf(" (tried %d times)", e.times) }
func (e *triedError) Unwrap() error { return e.error }

// requestKey is the context key under which the retry loop finds the request.
type requestKey struct{}

// repeatable reports whether a request can be executed twice without harm. nil is a request of another library, see
// [Client.HTTPClient].
func (r *Request) repeatable() bool {
	if r == nil {
		return true
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete:
		return !r.Once
	}
	return false
}

// markLost reports whether a request whose response was lost is retried, and records the loss.
func (r *Request) markLost() bool {
	again := r.repeatable()
	if again && r != nil {
		r.lost = true
	}
	return again
}

// maxRetryAfter is the maximum time that a server can make a client wait.
const maxRetryAfter = 60 * time.Second

// RetryAfter returns how long a response asks to wait, in seconds or as a date; false if it does not.
func RetryAfter(h http.Header) (time.Duration, bool) {
	const longest = 100 * 365 * 24 * time.Hour // a number of seconds beyond a Duration is as good as its maximum
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, int64(longest/time.Second))) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0), true
	}
	return 0, false
}

// Pause waits before a read with contradictory successful responses is repeated, after the attempt'th attempt, from
// 0. It reports false, at once, if that has been tried as often as a request is.
func (c *Client) Pause(ctx context.Context, attempt int) (bool, error) {
	if attempt >= c.http.RetryMax {
		return false, nil
	}
	err := retry.Wait(ctx, backoff(c.http.RetryWaitMin, c.http.RetryWaitMax, attempt, nil))
	return err == nil, err
}

// backoff doubles from least to most, minus a random part of up to half so that many clients do not return at the same
// time, and follows the Retry-After of a response, whatever its status, up to maxRetryAfter.
func backoff(least, most time.Duration, attempt int, resp *http.Response) time.Duration {
	if resp != nil {
		if wait, ok := RetryAfter(resp.Header); ok {
			return min(wait, maxRetryAfter)
		}
	}
	return retry.Pauses{First: least, Max: most}.Jitter(attempt)
}
