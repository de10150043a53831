package craton

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestServersRepeatSecrets: whatever a server answers, an error does not show the API key, and what it is about stays.
func TestServersRepeatSecrets(t *testing.T) {
	t.Parallel()
	const key = `k&y"of/Ann`
	for name, c := range map[string]struct {
		status int
		kind   string
		body   string
		want   string
	}{
		"JSON":         {400, "application/json", `{"status": 400, "message": "bad token k\u0026y\"of\/Ann of ann"}`, "bad token ******** of ann"},
		"HTML":         {502, "text/html", `<p>k&amp;y&quot;of/Ann</p>` + strings.Repeat(" ", 300), "502"},
		"cut":          {502, "text/plain", strings.Repeat("x", 195) + key, "xxx*****…"},
		"URL":          {404, "text/plain", `GET /?token=k%26y%22of%2FAnn`, "GET /?token=********"},
		"base64":       {500, "text/plain", `Basic YW5uOmsmeSJvZi9Bbm4=`, "Basic ********"},
		"missing role": {401, "application/json", `{"status": 401, "message": "k\u0026y\"of/Ann requires the 'admin' role"}`, "******** requires the 'admin' role"},
		"no HTTP":      {0, "", "", "cannot reach the Craton API"},
		"a type":       {200, `k&y"of/Ann`, "{", "its content type is"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if c.status == 0 {
					conn, _, err := w.(http.Hijacker).Hijack()
					if err == nil {
						_, _ = fmt.Fprintf(conn, "%s is no HTTP\r\n\r\n", key)
						_ = conn.Close()
					}
					return
				}
				w.Header().Set("Content-Type", c.kind)
				w.Header().Set("X-Openstack-Request-Id", key)
				w.WriteHeader(c.status)
				_, _ = fmt.Fprint(w, c.body)
			}))
			t.Cleanup(server.Close)
			client, err := New(server.URL, WithLocalAuth("ann", key, "p"), WithRetries(0))
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Clouds.Get(t.Context(), 1)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v", err)
			}
			for _, form := range []string{key, `k&amp;y`, "k%26y", "YW5uOmsmeSJvZi9Bbm4", `k\u0026y`, `k&y`} {
				if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, form) {
					t.Errorf("the error shows %s: %s", form, text)
				}
			}
			if got := IsForbidden(err); got != (name == "missing role") {
				t.Errorf("forbidden: %v", got)
			}
		})
	}
}

// TestRoleNamedLikeKey: what an error means does not depend on what is concealed in it.
func TestRoleNamedLikeKey(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, `{"status": 401, "message": "The request requires the 'admin' role"}`)
	}))
	t.Cleanup(server.Close)
	client, err := New(server.URL, WithLocalAuth("ann", "admin", "p"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = client.Clouds.Get(t.Context(), 1); !IsForbidden(err) || strings.Contains(err.Error(), "'admin'") {
		t.Errorf("error %v", err)
	}
}
