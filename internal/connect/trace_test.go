package connect

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/iotronic"
)

// TestTraceHidesSecrets: whoever signs in in whatever way, nothing that is told of requests holds a secret, though the
// server repeats in every way what it was sent, and makes new ones.
func TestTraceHidesSecrets(t *testing.T) {
	t.Parallel()
	const canary, mark = "signs-in-with-0f3b", "-canary"
	secret := func(name string) string { return name + mark } // none is a part of another
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Openstack-Request-Id", "req-"+r.Header.Get("X-Auth-Token"))
		w.Header().Set("Set-Cookie", "session="+secret("cookie"))
		w.Header().Set("X-Echo", fmt.Sprint(r.Header, string(body)))
		switch {
		case strings.HasSuffix(r.URL.Path, "/auth/tokens"):
			w.Header().Set("X-Subject-Token", secret("made"))
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
			_ = json.NewEncoder(w).Encode(map[string]any{"token": map[string]any{"methods": []string{"password"}, "expires_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
				"issued_at": time.Now().UTC().Format(time.RFC3339), "user": map[string]any{"id": "u", "name": "deploy"}, "project": map[string]any{"id": "p", "name": "fleet"},
				"note": secret("made")}})
		case strings.HasSuffix(r.URL.Path, "/away"):
			http.Redirect(w, r, "http://user:"+secret("away")+"@other.example/v1/x?token="+secret("query"), http.StatusFound)
		case strings.HasSuffix(r.URL.Path, "/page"):
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			_, _ = fmt.Fprintf(w, "<p>%v %s", r.Header, url.QueryEscape(r.Header.Get("X-Auth-Token")))
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{"api_key": secret("new"), "links": []any{}, "note": "again " + secret("new"), "hosts": []any{}, "variables": map[string]any{"db_password": secret("var"),
				"deep": map[string]any{"ssh_private_key": []string{secret("list")}}, "admin_token": map[string]any{"a": secret("map")}},
				"changes": []any{map[string]any{"key": "root_passwd", "before": map[string]any{"value": secret("old")}}},
				"echo":    fmt.Sprint(r.Header, string(body)), "long": strings.Repeat("x", 100_000), "password": secret("cut")})
		}
	}))
	t.Cleanup(s.Close)
	at := strings.TrimPrefix(s.URL, "http://")
	for name, c := range map[string]struct {
		env      map[string]string
		args     []string
		iotronic bool
	}{
		"Craton's own":              {nil, []string{"--craton-url", s.URL, "--os-username", "u", "--os-password", canary, "--os-project-id", "p"}, false},
		"a password in the URL":     {nil, []string{"--craton-url", "http://someone:" + canary + "@" + at, "--os-username", "u", "--os-password", secret("hidden"), "--os-project-id", "p"}, false},
		"Keystone":                  {map[string]string{"OS_AUTH_URL": s.URL + "/v3", "OS_USERNAME": "deploy", "OS_PASSWORD": canary, "OS_PROJECT_NAME": "fleet"}, []string{"--craton-url", s.URL, "--no-token-cache"}, false},
		"an application credential": {map[string]string{"OS_AUTH_URL": s.URL + "/v3", "OS_APPLICATION_CREDENTIAL_ID": "a", "OS_APPLICATION_CREDENTIAL_SECRET": canary}, []string{"--craton-url", s.URL, "--no-token-cache"}, false},
		"a token":                   {map[string]string{"OS_AUTH_URL": s.URL + "/v3", "OS_AUTH_TYPE": "token", "OS_TOKEN": canary, "OS_PROJECT_ID": "p"}, []string{"--craton-url", s.URL, "--no-token-cache"}, false},
		"Ironic, with a token":      {map[string]string{"IRONIC_URL": s.URL, "OS_TOKEN": canary}, []string{"--dialect", "ironic"}, true},
		"Ironic, with its own user": {map[string]string{"IRONIC_URL": s.URL, "OS_AUTH_TYPE": "http_basic", "OS_USERNAME": "u", "OS_PASSWORD": canary}, []string{"--dialect", "ironic"}, true},
	} {
		for _, whole := range []bool{false, true} {
			var told bytes.Buffer
			ctx := rest.ContextWithTrace(t.Context(), rest.NewTrace(&told, whole))
			var do func(method, path string, query url.Values, body any)
			if c.iotronic {
				client, err := Iotronic(iotronicValues(t, c.env, "", append(c.args, "--max-retries", "0")...))
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				_, _ = client.Nodes.List(ctx, iotronic.NodeListOptions{})
				do = func(method, path string, query url.Values, body any) {
					_, _ = client.Do(ctx, method, path, query, body)
				}
			} else {
				client, err := Open(ctx, valuesOf(t, c.env, "", append(c.args, "--retries", "0")...), ReadOnly)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				do = func(method, path string, query url.Values, body any) {
					_, _ = client.Do(ctx, method, path, query, body)
				}
			}
			do(http.MethodGet, "/hosts", url.Values{"vars": {`db_password:"` + secret("filter") + `"`}, "limit": {"30"}}, nil)
			do(http.MethodPost, "/users", nil, map[string]any{"username": "ann", "api_key": secret("sent"), "password": secret("sent")})
			do(http.MethodGet, "/away", nil, nil)
			do(http.MethodGet, "/page", nil, nil)
			text := told.String()
			for _, hidden := range []string{canary, mark, base64.StdEncoding.EncodeToString([]byte("u:" + canary))} {
				if i := strings.Index(text, hidden); i >= 0 {
					t.Errorf("%s, %v: %s", name, whole, text[max(i-300, 0):min(i+60, len(text))])
				}
			}
			want := []string{"GET " + s.URL + "/v1/hosts?", "limit=30", "POST " + s.URL + "/v1/users 200, "}
			if whole {
				want = []string{"limit=30", "> POST " + s.URL + "/v1/users", `"username":"ann"`, "bytes)", "http://other.example/v1/x?token=********"}
			}
			for _, w := range want {
				if !strings.Contains(text, w) {
					t.Errorf("%s, %v: no %s in\n%s", name, whole, w, text[:min(len(text), 3000)])
				}
			}
			if len(text) > 200_000 {
				t.Errorf("%s: %d bytes are told", name, len(text))
			}
		}
	}
}
