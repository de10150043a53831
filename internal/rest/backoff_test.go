package rest

import (
	"net/http"
	"testing"
	"time"
)

// TestBackoff: waits double up to the limit, half of each by chance.
func TestBackoff(t *testing.T) {
	t.Parallel()
	const least, most = 200 * time.Millisecond, 10 * time.Second
	for attempt, full := range map[int]time.Duration{0: least, 1: 2 * least, 3: 8 * least, 6: most, 29: most, 30: most, 1000: most} {
		seen := map[time.Duration]bool{}
		for range 200 {
			wait := backoff(least, most, attempt, nil)
			if wait < full/2 || wait > full {
				t.Fatalf("attempt %d waits %v, want %v to %v", attempt, wait, full/2, full)
			}
			seen[wait] = true
		}
		if len(seen) < 100 {
			t.Errorf("attempt %d: only %d different waits", attempt, len(seen))
		}
	}
	if wait := backoff(0, 0, 5, nil); wait != 0 {
		t.Errorf("no wait is %v", wait)
	}
}

// TestRetryAfter: the server's wish counts, within bounds.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0": 0, "7": 7 * time.Second, "60": time.Minute, "61": time.Minute, "86400": time.Minute, "9223372036854775807": time.Minute, "10000000000": time.Minute,
		time.Now().Add(24 * time.Hour).UTC().Format(http.TimeFormat): time.Minute,
		time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat):     0,
	} {
		for _, status := range []int{http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusConflict, http.StatusBadGateway} {
			resp := &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {text}}}
			if wait := backoff(time.Millisecond, time.Second, 0, resp); wait != want {
				t.Errorf("%d %s: %v, want %v", status, text, wait, want)
			}
		}
	}
	for _, text := range []string{"-1", "soon", ""} { // as if it were not there
		resp := &http.Response{StatusCode: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {text}}}
		if wait := backoff(time.Second, time.Second, 0, resp); wait < time.Second/2 || wait > time.Second {
			t.Errorf("%q: %v", text, wait)
		}
	}
}
