package craton_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/craton-fleet/craton/craton"
)

// prefix stands before /v1 in all tests, as behind a proxy that serves several APIs: a client that
// forgets it, or that follows a link's path blindly, asks for something the mux does not have.
const prefix = "/craton"

// newServer starts an API under prefix whose routes are added to mux, and a client of it
// that repeats requests without much waiting.
func newServer(t testing.TB, options ...craton.Option) (mux *http.ServeMux, c *craton.Client) {
	t.Helper()
	mux = http.NewServeMux()
	server := httptest.NewServer(http.StripPrefix(prefix, mux))
	t.Cleanup(server.Close)
	return mux, newClient(t, server.URL+prefix, options...)
}

func newClient(t testing.TB, url string, options ...craton.Option) *craton.Client {
	t.Helper()
	options = append([]craton.Option{craton.WithRetryWait(time.Millisecond, 2*time.Millisecond)}, options...)
	c, err := craton.New(url, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// reply answers as the API does.
func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Openstack-Request-Id", "req-1")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// always makes a handler of one answer.
func always(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { reply(w, status, body) }
}

const (
	bodyNotFound = `{"message": "Not Found", "status": 404}`
	bodyUnknown  = `{"message": "An unknown exception occurred", "status": 500}`
)

// request is what a test compares of a request.
type request struct {
	Method, Path, Query, Body string
}

// recorder keeps the requests that an http.Handler saw.
type recorder struct {
	mu   sync.Mutex
	seen []request
}

func (rec *recorder) wrap(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		rec.mu.Lock()
		rec.seen = append(rec.seen, request{r.Method, r.URL.Path, plainQuery(r.URL.Query()), strings.TrimSpace(string(body))})
		rec.mu.Unlock()
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		h(w, r)
	}
}

func (rec *recorder) all() []request {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return append([]request{}, rec.seen...)
}

// plainQuery is a query in the order of its names, unescaped for the eye.
func plainQuery(q url.Values) string {
	s, _ := url.QueryUnescape(q.Encode())
	return s
}

// jsonOf is a value as JSON.
func jsonOf(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
