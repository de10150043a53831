package keystone

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/private"
	"github.com/craton-fleet/craton/internal/wording"
)

func TestNotEnough(t *testing.T) {
	t.Parallel()
	const url, hush = "http://keystone.example", "hush"
	for name, tt := range map[string]struct {
		config Config
		want   string
	}{
		"nothing":                             {Config{}, "set username (OS_USERNAME), password (OS_PASSWORD)"},
		"no password":                         {Config{AuthURL: url, Username: "u"}, "set password (OS_PASSWORD)"},
		"no user":                             {Config{AuthURL: url, Password: hush}, "set username (OS_USERNAME)"},
		"no address":                          {Config{Username: "u", Password: hush}, "set auth_url (OS_AUTH_URL)"},
		"half an app":                         {Config{AuthURL: url, ApplicationCredentialID: "a"}, "set application_credential_secret (OS_APPLICATION_CREDENTIAL_SECRET)"},
		"no app":                              {Config{AuthURL: url, AuthType: ApplicationCredential, Password: hush}, "set application_credential_id (OS_APPLICATION_CREDENTIAL_ID), application_credential_secret"},
		"a named app":                         {Config{AuthURL: url, ApplicationCredentialName: "a", ApplicationCredentialSecret: hush}, "set username (OS_USERNAME) of the application credential's user"},
		"no token":                            {Config{AuthURL: url, AuthType: Token}, "set token (OS_TOKEN)"},
		"unknown type":                        {Config{AuthURL: url, AuthType: "v3oidcpassword", Password: hush}, `auth_type "v3oidcpassword" is not supported; supported are password, v3applicationcredential and token`},
		"half a system":                       {Config{AuthURL: url, Username: "u", Password: hush, SystemScope: "some"}, "system_scope (OS_SYSTEM_SCOPE) must be all"},
		"no url":                              {Config{AuthURL: "keystone.example", Username: "u", Password: hush}, "must begin with http:// or https://"},
		"secret in url":                       {Config{AuthURL: "ftp://u:hush@keystone.example", Username: "u", Password: hush}, "must begin with http:// or https://"},
		"no certificate":                      {Config{AuthURL: url, Username: "u", Password: hush, CACert: "/nonexistent"}, "/nonexistent"},
		"token and no address to exchange it": {Config{Token: hush, ProjectID: "p"}, "set auth_url (OS_AUTH_URL)"},
	} {
		_, err := New(tt.config)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), hush) {
			t.Errorf("%s: %v", name, err)
		}
	}

	a, err := New(Config{Token: hush}) // as a token alone needs no Keystone
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	if err := a.Authenticate(t.Context(), r); err != nil || r.Header.Get("X-Auth-Token") != hush {
		t.Errorf("%v, %v", r.Header, err)
	}
	if again, err := a.Renew(t.Context(), r); again || err != nil {
		t.Errorf("renewed: %v, %v", again, err)
	}
	if _, err := a.Endpoint(t.Context(), "fleet_management"); err == nil || !wording.Has(err.Error(), "auth_url ... OS_AUTH_URL") {
		t.Errorf("a catalogue of nobody: %v", err)
	}
}

func TestPrinting(t *testing.T) {
	t.Parallel()
	c := Config{AuthURL: "http://me:hush@keystone.example", Username: "u", Password: "hush", Token: "hush", ApplicationCredentialSecret: "hush"}
	a, err := New(c, WithCache(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{c, &c, a, struct{ C Config }{c}, []*Auth{a}, struct{ inside any }{a}, struct{ inside *Auth }{a}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%t"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "hush") {
				t.Errorf("%s of a %T prints %s", verb, v, text)
			}
		}
	}
}

// TestErrorsHideTheURLsPassword: an address with a user and a password in it is shown without them.
func TestErrorsHideTheURLsPassword(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"refused": http.StatusUnauthorized, "nonsense": http.StatusCreated} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
			defer server.Close()
			host := strings.TrimPrefix(server.URL, "http://")
			a, err := New(Config{AuthURL: "http://u:hush@" + host, Username: "u", Password: "p", ProjectID: "p"}, WithRetries(0))
			if err != nil {
				t.Fatal(err)
			}
			_, err = a.Endpoint(context.Background(), "iot")
			if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "Keystone at http://"+host+"/v3") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// clocked returns a Keystone whose tokens live for an hour by its own clock, which is a day ahead, and an Auth whose
// clock the test moves.
func clocked(t *testing.T, options ...Option) (a *Auth, made *atomic.Int32, broken *atomic.Bool, pass func(time.Duration)) {
	t.Helper()
	made, broken = new(atomic.Int32), new(atomic.Bool)
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var passed atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		issued := start.Add(24*time.Hour + time.Duration(passed.Load()))
		w.Header().Set("X-Subject-Token", fmt.Sprintf("token-%d", made.Add(1)))
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]any{"token": map[string]any{
			"issued_at": issued, "expires_at": issued.Add(time.Hour), "project": map[string]string{"id": "p"},
		}})
	}))
	t.Cleanup(server.Close)
	a, err := New(Config{AuthURL: server.URL, Username: "u", Password: "p", ProjectID: "p"}, append(options, WithRetries(0))...)
	if err != nil {
		t.Fatal(err)
	}
	a.now = func() time.Time { return start.Add(time.Duration(passed.Load())) }
	return a, made, broken, func(d time.Duration) { passed.Add(int64(d)) }
}

// TestRenewEarly: a token is replaced before it ends, whatever Keystone's clock says; while Keystone is away the old
// one serves.
func TestRenewEarly(t *testing.T) {
	t.Parallel()
	a, made, broken, pass := clocked(t)
	expect := func(want string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		if err := a.Authenticate(t.Context(), r); err != nil || r.Header.Get("X-Auth-Token") != want {
			t.Errorf("%q, want %q: %v", r.Header.Get("X-Auth-Token"), want, err)
		}
	}
	expect("token-1")
	pass(57 * time.Minute)
	expect("token-1")
	pass(2 * time.Minute)
	broken.Store(true)
	expect("token-1")
	broken.Store(false)
	expect("token-2")
	pass(59 * time.Minute)
	a.config().Once = true
	expect("token-2")
	a.config().Once = false
	pass(2 * time.Minute)
	broken.Store(true)
	err := a.Authenticate(t.Context(), httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	if err == nil || !wording.Has(err.Error(), "500 Internal Server Error ... again") {
		t.Errorf("without Keystone, after the end: %v", err)
	}
	if made.Load() != 2 {
		t.Errorf("%d tokens made", made.Load())
	}
}

// TestRefusedAgain: after a refused token a second refusal counts only when time has passed.
func TestRefusedAgain(t *testing.T) {
	t.Parallel()
	a, made, _, pass := clocked(t)
	refuse := func(want bool) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		if err := a.Authenticate(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got, err := a.Renew(t.Context(), r); got != want || err != nil {
			t.Errorf("renewed: %v, want %v; %v", got, want, err)
		}
	}
	if again, err := a.Renew(t.Context(), nil); again || err != nil {
		t.Errorf("before there was one: %v, %v", again, err)
	}
	refuse(true)
	refuse(false)
	pass(refusedAgain - time.Second)
	refuse(false)
	pass(time.Second)
	refuse(true)
	pass(refusedAgain)
	if again, err := a.Renew(t.Context(), nil); !again || err != nil {
		t.Errorf("the current one: %v, %v", again, err)
	}
	if made.Load() != 4 {
		t.Errorf("%d tokens made, want 4", made.Load())
	}
}

// TestSweep: files that nobody has used for long go when a token is stored.
func TestSweep(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "tokens")
	a, _, _, _ := clocked(t, WithCache(folder))
	if err := private.MakeFolder(folder); err != nil {
		t.Fatal(err)
	}
	now := a.now()
	for name, age := range map[string]time.Duration{"old.json": maxFileAge + time.Hour, "old.lock": maxFileAge + time.Hour, "recent.json": time.Hour, a.cache.name + lockEnding: 10 * maxFileAge} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.token(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]bool{}
	for _, e := range entries {
		left[e.Name()] = true
	}
	if len(left) != 3 || !left["recent.json"] || !left[a.cache.name+".json"] || !left[a.cache.name+lockEnding] {
		t.Errorf("left are %v", left)
	}
}
