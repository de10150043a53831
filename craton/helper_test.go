package craton_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

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

// listing makes a handler of a listing that has one page, as the API gives it: the objects of a key, which is that of
// the last list in the body, and then an empty page.
func listing(before string, items string, after string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, last := items, ""
		if r.URL.Query().Has("marker") {
			text = ""
		}
		for _, o := range gjson.Parse("[" + text + "]").Array() {
			last = o.Get("id").String()
		}
		reply(w, 200, before+"["+text+"]"+after+`, "links": `+links(r, "http://h", last)+`}`)
	}
}

// links returns those of a page that ends with an id; "" of an empty one.
func links(r *http.Request, backend, last string) string {
	q := r.URL.Query()
	link := func(rel string) string {
		return fmt.Sprintf(`{"rel": "%s", "href": "%s%s?%s"}`, rel, backend, r.URL.Path, q.Encode())
	}
	all := link("self")
	q.Del("marker")
	all = link("first") + ", " + link("prev") + ", " + all
	if last != "" {
		q.Set("marker", last)
		all += ", " + link("next")
	}
	return "[" + all + "]"
}

// always makes a handler of one response.
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

// plainQuery returns a query in the order of its names, unescaped for the eye.
func plainQuery(q url.Values) string {
	s, _ := url.QueryUnescape(q.Encode())
	return s
}

// jsonOf returns a value as JSON.
func jsonOf(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
