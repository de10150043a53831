//go:build !collection && !nopage

package serve

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/server"
)

// TestWithPage: browsers are led to the page, and programs get what they always got.
func TestWithPage(t *testing.T) {
	t.Parallel()
	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	api := s.Handler()
	both, err := withPage(t.Context(), api, s, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	get := func(h http.Handler, method, path, accept string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, path := range []string{"/", "/ui"} {
		if w := get(both, http.MethodGet, path, browser); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/ui/" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	if w := get(both, http.MethodGet, "/ui/", browser); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/ui/sign-in" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := get(withoutPage(api), http.MethodGet, "/", browser); w.Code != http.StatusOK || w.Header().Get("Vary") != "Accept" || strings.Count(w.Body.String(), "\n") != 1 || !strings.Contains(w.Body.String(), "craton server") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	for _, h := range []http.Handler{both, withoutPage(api)} {
		same(t, get, api, h)
	}
	if want, got := get(api, http.MethodGet, "/v1/hosts", browser), get(withoutPage(api), http.MethodGet, "/v1/hosts", browser); want.Code != got.Code {
		t.Errorf("%d", got.Code)
	}
}

// same finds what programs get otherwise than from the API alone.
func same(t *testing.T, get func(h http.Handler, method, path, accept string) *httptest.ResponseRecorder, api, h http.Handler) {
	t.Helper()
	for _, path := range []string{"/", "/ui", "/v1/hosts", "/healthz", "/uix"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			for _, accept := range []string{"", "*/*", "application/json"} {
				want, got := get(api, method, path, accept), get(h, method, path, accept)
				if want.Code != got.Code || want.Body.String() != got.Body.String() {
					t.Errorf("%s %s %q: %d %s, want %d %s", method, path, accept, got.Code, got.Body, want.Code, want.Body)
				}
			}
		}
	}
}
