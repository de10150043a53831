//go:build !collection && !nopage

package serve

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/server"
)

// TestSignOut: a copy of a cookie counts nowhere once it was signed out at one of two servers of a database; another
// sign-in of the same user goes on.
func TestSignOut(t *testing.T) {
	t.Parallel()
	database := "sqlite:" + filepath.Join(t.TempDir(), "fleet.db")
	var pages []http.Handler
	var login server.Bootstrap
	for i := range 2 {
		s, err := server.Open(t.Context(), database, server.Options{Create: i == 0})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		if i == 0 {
			if login, err = s.Bootstrap(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		page, err := withPage(t.Context(), s.Handler(), s, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, page)
	}
	send := func(at int, method, path, form string, cookie *http.Cookie) *http.Response {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(form))
		r.RemoteAddr, r.Host = "127.0.0.1:5000", "localhost:7780"
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if form != "" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if cookie != nil {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		pages[at].ServeHTTP(w, r)
		return w.Result()
	}
	signIn := func(at int, next string) *http.Cookie {
		t.Helper()
		r := send(at, http.MethodPost, "/ui/sign-in", url.Values{"user": {login.Username}, "project": {login.ProjectID}, "secret": {login.APIKey}, "next": {next}}.Encode(), nil)
		if r.StatusCode != http.StatusSeeOther || len(r.Cookies()) != 1 || r.Header.Get("Location") != "/ui/" {
			t.Fatalf("%d %v", r.StatusCode, r.Header)
		}
		return r.Cookies()[0]
	}
	first, second := signIn(0, "/ui/sign-out"), signIn(1, "/ui/../ui/sign-in") // neither is a page to go on to
	counts := func(c *http.Cookie) (good int) {
		for at := range pages {
			if send(at, http.MethodGet, "/ui/hosts.json", "", c).StatusCode == http.StatusOK {
				good++
			}
		}
		return good
	}
	if counts(first) != 2 || counts(second) != 2 {
		t.Fatal("cookies count at both servers")
	}
	if r := send(1, http.MethodPost, "/ui/sign-out", "", first); r.StatusCode != http.StatusSeeOther {
		t.Fatal(r.Status)
	}
	if got, other := counts(first), counts(second); got != 0 || other != 2 {
		t.Errorf("a copy counts at %d servers, and the other sign-in at %d", got, other)
	}
	if r := send(0, http.MethodPost, "/ui/sign-out", "", first); r.StatusCode != http.StatusSeeOther { // which is no cookie any more
		t.Error(r.Status)
	}
}
