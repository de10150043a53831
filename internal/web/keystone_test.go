package web_test

import (
	"context"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/internal/web"
	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/keystone"
)

// newKeystoneTeam returns the page of a server whose users come from Keystone.
func newKeystoneTeam(t *testing.T, k *openstacktest.Keystone, cacheTime time.Duration) (*team, *server.Server) {
	t.Helper()
	v, err := keystone.New(keystone.Config{URL: k.URL, CacheTime: cacheTime})
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	api := s.KeystoneHandler(v, keystone.Roles{Admin: []string{"admin"}, Member: []string{"member"}, Reader: []string{"reader"}})
	tm := &team{t: t, api: api, keys: []web.Key{sealedBy(1)}}
	tm.page = web.NewTeam(web.TeamOptions{API: api, Keys: tm.sealing, Keystone: true, Encrypted: s.Encrypted})
	return tm, s
}

// TestKeystone: users of a real Keystone sign in with a token, see their project with their role, and are out once the
// token is.
func TestKeystone(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	tm, s := newKeystoneTeam(t, k, time.Nanosecond) // so that Keystone is asked each time
	project, other := k.Project(t, "team"), k.Project(t, "other")
	tokenOf := func(role string, in openstacktest.Project) string {
		user := k.User(t, role)
		k.Grant(t, user, in, role)
		return k.Token(t, user, in)
	}
	tokens := map[string]string{"member": tokenOf("member", project), "reader": tokenOf("reader", project), "stranger": tokenOf("member", other)}
	c, err := craton.New("http://embedded", craton.WithTransport(connect.InProcess(tm.api)), craton.WithAuth(bearer(tokens["member"])))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Clouds.Create(t.Context(), craton.CloudCreate{Name: "east"}); err != nil {
		t.Fatal(err)
	}
	signIn := func(token string) *http.Response {
		return tm.send(http.MethodPost, "/ui/sign-in", url.Values{"secret": {token}}.Encode(), nil)
	}
	look := func(path string, c *http.Cookie) (int, string) {
		r := tm.send(http.MethodGet, path, "", with(c))
		var text strings.Builder
		_ = r.Write(&text)
		return r.StatusCode, text.String()
	}
	if _, form := look("/ui/sign-in", &http.Cookie{Name: "x", Value: "y"}); !strings.Contains(form, "Keystone token") || strings.Contains(form, `name="user"`) {
		t.Errorf("%s", form)
	}
	cookies := map[string]*http.Cookie{}
	for who, token := range tokens {
		r := signIn(token)
		if r.StatusCode != http.StatusSeeOther || len(r.Cookies()) != 1 || strings.Contains(r.Cookies()[0].Value, token) {
			t.Fatalf("%s: %d %v", who, r.StatusCode, r.Header)
		}
		cookies[who] = r.Cookies()[0]
	}
	for who, want := range map[string]bool{"member": true, "reader": true, "stranger": false} {
		if status, text := look("/ui/clouds", cookies[who]); status != http.StatusOK || strings.Contains(text, "east") != want {
			t.Errorf("%s: %d\n%s", who, status, text)
		}
	}
	// A key of the database opens nothing here, nor does a cookie of the other way to sign in.
	b, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r := signIn(b.APIKey); r.StatusCode != http.StatusUnauthorized || len(r.Cookies()) != 0 {
		t.Errorf("an API key: %d", r.StatusCode)
	}
	tm.page = web.NewTeam(web.TeamOptions{API: s.Handler(), Keys: tm.sealing, Encrypted: s.Encrypted})
	if status, _ := look("/ui/clouds", cookies["member"]); status != http.StatusSeeOther {
		t.Errorf("by key: %d", status)
	}
	tm.page = web.NewTeam(web.TeamOptions{API: tm.api, Keys: tm.sealing, Keystone: true, Encrypted: s.Encrypted})

	k.Revoke(t, tokens["member"])
	for path, want := range map[string]int{"/ui/clouds": http.StatusSeeOther, "/ui/clouds/1": http.StatusSeeOther, "/ui/clouds.json": http.StatusUnauthorized} {
		if status, text := look(path, cookies["member"]); status != want || strings.Contains(text, "east") {
			t.Errorf("%s, revoked: %d\n%s", path, status, text)
		}
	}
	if status, _ := look("/ui/clouds", cookies["reader"]); status != http.StatusOK {
		t.Errorf("another token: %d", status)
	}
	if r := signIn(tokens["member"]); r.StatusCode != http.StatusUnauthorized || len(r.Cookies()) != 0 {
		t.Errorf("signing in with a revoked token: %d", r.StatusCode)
	}
}

// TestKeystoneExpiry: a token that expires ends the sign-in.
func TestKeystoneExpiry(t *testing.T) {
	t.Parallel()
	k := openstacktest.NewKeystone(t, openstacktest.TokenExpiration(4*time.Second))
	tm, _ := newKeystoneTeam(t, k, time.Minute)
	user, project := k.User(t, "ann"), k.Project(t, "team")
	k.Grant(t, user, project, "member")
	r := tm.send(http.MethodPost, "/ui/sign-in", url.Values{"secret": {k.Token(t, user, project)}}.Encode(), nil)
	if len(r.Cookies()) != 1 {
		t.Fatalf("%d", r.StatusCode)
	}
	cookie, deadline := r.Cookies()[0], time.Now().Add(30*time.Second)
	for r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/ui/sign-in" {
		if time.Now().After(deadline) {
			t.Fatalf("the token does not end: %d %v", r.StatusCode, r.Header)
		}
		time.Sleep(300 * time.Millisecond)
		r = tm.send(http.MethodGet, "/ui/clouds", "", with(cookie))
	}
}

// bearer signs in with a token.
type bearer string

func (b bearer) Authenticate(_ context.Context, r *http.Request) error {
	r.Header.Set("X-Auth-Token", string(b))
	return nil
}
