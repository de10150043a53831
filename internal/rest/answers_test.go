package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func newTestClient(t *testing.T, url string, change func(*Config)) *Client {
	t.Helper()
	cfg := &Config{Service: Service{Library: "test", Example: url, Version: "/v1"}, Retries: 2, MinWait: time.Microsecond, MaxWait: time.Millisecond}
	if change != nil {
		change(cfg)
	}
	c, err := New(url, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// TestBadAnswers: what is none of an API's responses to a read is asked for again, and in the end says what came. A
// write is never sent again for it: it has been carried out.
func TestBadAnswers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ contentType, body, want string }{
		"cut":       {"application/json", `{"a": [1, 2`, `11 bytes that begin with "{\"a\": [1, 2"`},
		"empty":     {"application/json", "", `it is not JSON but empty (content type "application/json")`},
		"html":      {"text/html; charset=utf-8", "<html>\n  <title>Sign\x1b[2J in</title>" + strings.Repeat(" é", 99), `its content type is "text/html; charset=utf-8", not JSON: 332 bytes that begin with "<html> <title>Sign`},
		"no text":   {"application/json", "\x00\xff", `2 bytes that begin with`},
		"two":       {"application/json", `{} {}`, `5 bytes that begin with "{} {}"`},
		"a refusal": {"application/json", `{"id": 1}`, "it is not what was asked for"},
	} {
		for _, bad := range []int32{2, 99} { // how often it comes
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
				var n atomic.Int32
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", tt.contentType)
					if n.Add(1) > bad {
						w.Header().Set("Content-Type", "application/json")
						_, _ = io.WriteString(w, `{"id": 2}`)
						return
					}
					_, _ = io.WriteString(w, tt.body)
				}))
				c := newTestClient(t, s.URL, nil)
				check := func(r *Response) error {
					if strings.Contains(string(r.Body), "1") {
						return errors.New("it is not what was asked for")
					}
					return nil
				}
				resp, err := c.Do(t.Context(), &Request{Method: method, Path: "/x", Check: check})
				s.Close()
				var wrong *BadResponseError
				switch {
				case method != http.MethodGet:
					if err != nil || n.Load() != 1 || string(resp.Body) != tt.body {
						t.Errorf("%s, %s: %d requests, %v", name, method, n.Load(), err)
					}
				case bad == 2:
					if err != nil || n.Load() != 3 || string(resp.Body) != `{"id": 2}` {
						t.Errorf("%s twice: %d requests, %v", name, n.Load(), err)
					}
				case !errors.As(err, &wrong) || n.Load() != 3 || wrong.Tries != 3 || !strings.Contains(err.Error(), tt.want) || !strings.HasSuffix(err.Error(), "(requested 3 times)") ||
					strings.ContainsAny(err.Error(), "\x1b\x00\n"):
					t.Errorf("%s: %d requests, %q", name, n.Load(), err)
				}
			}
		}
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer s.Close()
	if _, err := newTestClient(t, s.URL, nil).Do(t.Context(), &Request{Method: http.MethodGet}); err != nil {
		t.Errorf("no content: %v", err)
	}
	var none *BadResponseError
	if _, err := newTestClient(t, s.URL, nil).Do(t.Context(), &Request{Method: http.MethodGet, Check: func(*Response) error { return nil }}); !errors.As(err, &none) {
		t.Errorf("no content, to who looks at it: %v", err)
	}
}

// TestGateOpens: before the first response is there few requests go out, and after one of HTTP/1.1 all that there are.
func TestGateOpens(t *testing.T) {
	t.Parallel()
	const all = 20
	for name, c := range map[string]struct {
		set         int
		first, then int32
	}{"by itself": {0, fewConnections, all}, "set": {7, 7, 7}, "one": {1, 1, 1}} {
		var now, most atomic.Int32
		var answered atomic.Bool
		go1, go2 := make(chan struct{}), make(chan struct{})
		arrived := make(chan struct{}, 2*all)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			n := now.Add(1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			arrived <- struct{}{}
			if !answered.Load() {
				<-go1
			} else {
				<-go2
			}
			now.Add(-1)
			fmt.Fprint(w, "{}")
		}))
		client := newTestClient(t, s.URL, func(cfg *Config) { cfg.Connections = c.set })
		done := make(chan error, all+1)
		ask := func() {
			_, err := client.Do(t.Context(), &Request{Method: http.MethodGet})
			done <- err
		}
		for range all {
			go ask()
		}
		for range c.first {
			<-arrived
		}
		if most.Load() != c.first {
			t.Errorf("%s: %d requests before the first answer, want %d", name, most.Load(), c.first)
		}
		answered.Store(true)
		close(go1)
		for range min(c.then, all-c.first) {
			<-arrived
		}
		close(go2)
		for range all {
			if err := <-done; err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if most.Load() > c.then {
			t.Errorf("%s: %d requests at once, want %d", name, most.Load(), c.then)
		}
		s.Close()
	}
}

// keyAuth sends a key.
type keyAuth string

func (k keyAuth) Authenticate(_ context.Context, r *http.Request) error {
	r.Header.Set("X-Auth-Token", string(k))
	return nil
}

// TestBadAnswersShowNoSecrets: a page that repeats the request is shown without its credentials, cut through them or
// not.
func TestBadAnswersShowNoSecrets(t *testing.T) {
	t.Parallel()
	const key = "0f3c6f1e-hush-hush-5d1b7c0e"
	for _, before := range []string{"", strings.Repeat("x", 45), strings.Repeat("x", 230)} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; a="+r.Header.Get("X-Auth-Token"))
			fmt.Fprintf(w, "<p>%s%s</p>", before, r.Header.Get("X-Auth-Token"))
		}))
		_, err := newTestClient(t, s.URL, func(cfg *Config) { cfg.Auth = keyAuth(key) }).Do(t.Context(), &Request{Method: http.MethodGet})
		s.Close()
		if err == nil || strings.Contains(err.Error(), "0f3c6f1e") || strings.Contains(err.Error(), "hush") {
			t.Error(err)
		}
	}
}
