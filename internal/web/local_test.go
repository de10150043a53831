package web_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/web"
)

// TestLocal: nobody gets in but who has the token first, by the name of this machine.
func TestLocal(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	l := web.NewLocal(web.Options{Client: func(*http.Request) (*craton.Client, error) { return f.client, nil }}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4711})
	first, err := url.Parse(l.URL())
	if err != nil {
		t.Fatal(err)
	}
	base := strings.TrimSuffix(first.Path, "enter")
	get := func(host, path string, cookie *http.Cookie) *http.Response {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Host = host
		if cookie != nil {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		l.ServeHTTP(w, r)
		return w.Result()
	}
	const here = "127.0.0.1:4711"
	for _, path := range []string{"/", "/ui/", base, base + "hosts/1", base + "hosts.json", base + "enter", base + "enter?token=x", "/ui/enter?" + first.RawQuery} {
		if r := get(here, path, nil); r.StatusCode != http.StatusForbidden || len(r.Cookies()) != 0 {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	for _, host := range []string{"rebound.example:4711", "127.0.0.1", "127.0.0.1:4712", "localhost.example:4711", ""} {
		if r := get(host, first.RequestURI(), nil); r.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%s: %d", host, r.StatusCode)
		}
	}
	r := get(here, first.RequestURI(), nil)
	if len(r.Cookies()) != 1 || r.StatusCode != http.StatusOK {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	c := r.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != base || len(c.Value) < 26 {
		t.Errorf("%+v", c)
	}
	if r := get(here, first.RequestURI(), nil); r.StatusCode != http.StatusForbidden || len(r.Cookies()) != 0 {
		t.Errorf("the token works twice: %d", r.StatusCode)
	}
	for path, want := range map[string]int{base: 200, base + "hosts/1": 200, base + "hosts/999": 404, "/ui/hosts/1": 403} {
		if r := get("localhost:4711", path, c); r.StatusCode != want {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	if r := get("rebound.example:4711", base, c); r.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("a foreign name: %d", r.StatusCode)
	}
	c.Value += "x"
	if r := get(here, base, c); r.StatusCode != http.StatusForbidden {
		t.Errorf("another cookie: %d", r.StatusCode)
	}
}
