package web_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/web"
	"github.com/craton-fleet/craton/server"
)

// policy is what every answer says to browsers.
var policy = map[string]string{
	"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options":  "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
}

// hardened finds what an answer does not say of what every answer says, and what may be kept of it though it is nobody
// else's.
func hardened(t *testing.T, name string, r *http.Response) {
	t.Helper()
	for header, want := range policy {
		if got := r.Header.Values(header); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %s: %q", name, header, got)
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	kind := r.Header.Get("Content-Type")
	if kind == "" && len(body) > 0 {
		t.Errorf("%s has no type", name)
	}
	if keep := r.Header.Get("Cache-Control"); keep != "no-store" && (keep != "public, max-age=31536000, immutable" || r.StatusCode != http.StatusOK || strings.HasPrefix(kind, "text/html")) {
		t.Errorf("%s: Cache-Control: %q", name, keep)
	}
}

// assetOf returns a file that a page loads.
func assetOf(t *testing.T, page string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, `rel="stylesheet" href="`)
	path, _, _ := strings.Cut(rest, `"`)
	if !found {
		t.Fatal(page)
	}
	return path
}

// TestHeaders: every answer of every kind, of a server and of one user's page, has the headers that keep a browser from
// harm.
func TestHeaders(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, server.Options{})
	cookie := tm.signIn("bootstrap")
	asset := assetOf(t, read(t, tm.send(http.MethodGet, "/ui/sign-in", "", nil)))
	for request, status := range map[string]int{
		"GET /ui/": 200, "HEAD /ui/": 200, "GET /ui/index.json": 200, "GET /ui/hosts": 200, "GET /ui/hosts.json": 200, "GET /ui/hosts/9": 404, "GET /ui/hosts/9.json": 404, "HEAD /ui/hosts/9": 404, "GET /ui/nothing": 404, "GET /ui/hosts?at=soon": 400,
		"GET /ui/hosts.json?at=soon": 400, "GET /ui/hosts?q=x": 303, "GET /ui/hosts.json?q=x": 303, "GET /ui/hosts/": 303, "POST /ui/hosts": 405, "TRACE /ui/": 405, "OPTIONS /ui/hosts.json": 405, "PUT /ui/sign-in": 405, "GET " + asset: 200, "HEAD " + asset: 200,
		"GET /ui/assets/none.css": 404, "GET /ui/sign-in": 200, "GET /ui/sign-out": 404, "POST /ui/sign-in": 400, "POST /ui/sign-out": 303, "GET /ui/../v1/hosts": 404,
	} {
		method, path, _ := strings.Cut(request, " ")
		r := tm.send(method, path, "", with(cookie))
		if r.StatusCode != status {
			t.Errorf("%s: %d", request, r.StatusCode)
		}
		hardened(t, request, r)
		if method == http.MethodPost && path == "/ui/sign-out" {
			cookie = tm.signIn("bootstrap")
		}
	}
	for request, status := range map[string]int{"GET /ui/": 303, "GET /ui/hosts.json": 401, "GET /ui/nothing": 303, "POST /ui/hosts": 405, "POST /ui/sign-out": 303} {
		method, path, _ := strings.Cut(request, " ")
		r := tm.send(method, path, "", nil)
		if r.StatusCode != status {
			t.Errorf("signed out, %s: %d", request, r.StatusCode)
		}
		hardened(t, "signed out, "+request, r)
	}
	hardened(t, "another page", tm.send(http.MethodPost, "/ui/sign-in", tm.form("bootstrap"), func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }))

	long := strings.Repeat(`"`, 18<<10)
	for name, r := range map[string]*http.Response{
		"GET": tm.send(http.MethodGet, "/ui/sign-in?next="+url.QueryEscape(long), "", nil), "POST": tm.send(http.MethodPost, "/ui/sign-in", url.Values{"user": {long}, "project": {"p"}, "next": {long}, "secret": {""}}.Encode(), nil),
	} {
		if text := read(t, r); len(text) > 100<<10 || !strings.Contains(text, "</html>") {
			t.Errorf("%s: the form has %d bytes", name, len(text))
		}
	}

	f := newFixture(t, smallFleet)
	l := web.NewLocal(web.Options{Client: func(*http.Request) (*craton.Client, error) { return f.client, nil }}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4711})
	first, err := url.Parse(l.URL())
	if err != nil {
		t.Fatal(err)
	}
	base := strings.TrimSuffix(first.Path, "enter")
	for _, c := range []struct {
		host, path string
		status     int
	}{{"rebound.example", base, 421}, {"127.0.0.1:4711", base, 403}, {"127.0.0.1:4711", first.Path + "?token=x", 403}, {"127.0.0.1:4711", first.RequestURI(), 200}, {"127.0.0.1:4711", first.RequestURI(), 403}, {"127.0.0.1:4711", "/", 403}} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.path, nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		l.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s %s: %d", c.host, c.path, w.Code)
		}
		if w.Code != http.StatusOK && strings.Contains(w.Body.String(), base) {
			t.Errorf("%s %s tells where the page is: %s", c.host, c.path, w.Body)
		}
		hardened(t, c.host+" "+c.path, w.Result())
	}
}

// twinOf returns the JSON of a page.
func twinOf(path string) string {
	path, query, asks := strings.Cut(path, "?")
	if path == "/ui/" {
		path += "index"
	}
	path += ".json"
	if asks {
		path += "?" + query
	}
	return path
}

// read returns the body of an answer.
func read(t *testing.T, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestRefusals: what is said to who is not signed in, and where the fleet does not answer, in the words that people and
// programs read.
func TestRefusals(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, server.Options{})
	r := tm.send(http.MethodGet, "/ui/hosts.json?where=label%3Dweb", "", nil)
	if text := strings.Join(strings.Fields(read(t, r)), " "); r.StatusCode != http.StatusUnauthorized || text != `{ "status": 401, "message": "nobody is signed in" }` {
		t.Errorf("%d %s", r.StatusCode, text)
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := craton.New("http://"+gone.Addr().String(), craton.WithLocalAuth("ann", "the-key-of-ann", "p"), craton.WithRetries(0))
	if err := errors.Join(err, gone.Close()); err != nil {
		t.Fatal(err)
	}
	page := web.New(web.Options{Client: func(*http.Request) (*craton.Client, error) { return c, nil }})
	for _, path := range []string{"/ui/", "/ui/hosts?where=label%3Dweb", "/ui/hosts/1", "/ui/variables", "/ui/changes", "/ui/find?q=x", "/ui/compare?a=1&b=2", "/ui/hosts?at=2"} {
		for _, path := range []string{path, twinOf(path)} {
			w := httptest.NewRecorder()
			page.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
			text := strings.Join(strings.Fields(w.Body.String()), " ")
			want := []string{"<h1>The fleet is unavailable</h1>", `<p class="problem">No connection: dial tcp`, "connection refused", `">Try again</a>`}
			if strings.Contains(path, ".json") {
				want = []string{`"status": 502, "message": "no connection: dial tcp`}
			}
			if w.Code != http.StatusBadGateway || strings.Contains(text, "the-key-of-ann") || strings.Contains(text, "/v1") {
				t.Errorf("%s: %d %s", path, w.Code, text)
			}
			has(t, text, want...)
			hardened(t, path, w.Result())
		}
	}
}
