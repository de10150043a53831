package web_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/web"
	"github.com/craton-fleet/craton/server"
)

// team is the page of a server with a fleet, and its users.
type team struct {
	t       *testing.T
	page    http.Handler
	api     http.Handler
	root    *craton.Client
	project string
	user    map[string]string // keys by user
	keys    []web.Key
}

func (tm *team) sealing(context.Context) ([]web.Key, error) { return tm.keys, nil }

// sealedBy returns a key that seals cookies.
func sealedBy(number int64) web.Key {
	return web.Key{Number: number, Secret: bytes.Repeat([]byte{byte(number)}, 32)}
}

func newTeam(t *testing.T, o server.Options) *team {
	t.Helper()
	o.Create = true
	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	api := s.Handler()
	tm := &team{t: t, api: api, project: b.ProjectID, user: map[string]string{"bootstrap": b.APIKey}, keys: []web.Key{sealedBy(1)}}
	tm.page = web.NewTeam(web.TeamOptions{API: api, Keys: tm.sealing, Encrypted: s.Encrypted})
	if tm.root, err = craton.New("http://embedded", craton.WithTransport(connect.InProcess(api)), craton.WithLocalAuth(b.Username, b.APIKey, b.ProjectID)); err != nil {
		t.Fatal(err)
	}
	return tm
}

// send sends a request as a browser on this machine does.
func (tm *team) send(method, path, form string, change func(*http.Request)) *http.Response {
	tm.t.Helper()
	r := httptest.NewRequestWithContext(tm.t.Context(), method, path, strings.NewReader(form))
	r.RemoteAddr, r.Host = "127.0.0.1:5000", "localhost:7780"
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	tm.page.ServeHTTP(w, r)
	return w.Result()
}

func (tm *team) form(user string) string {
	return url.Values{"user": {user}, "project": {tm.project}, "secret": {tm.user[user]}, "next": {"/ui/hosts?where=name%3Dx"}}.Encode()
}

// signIn returns the cookie of a user.
func (tm *team) signIn(user string) *http.Cookie {
	tm.t.Helper()
	r := tm.send(http.MethodPost, "/ui/sign-in", tm.form(user), nil)
	if r.StatusCode != http.StatusSeeOther || len(r.Cookies()) != 1 || r.Header.Get("Location") != "/ui/hosts?where=name%3Dx" {
		tm.t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	return r.Cookies()[0]
}

func with(c *http.Cookie) func(*http.Request) { return func(r *http.Request) { r.AddCookie(c) } }

// TestSignIn: in by a key, out by a button or when the key ends; a cookie tells nothing, and another one is none.
func TestSignIn(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, server.Options{})
	for _, name := range []string{"ann", "bob"} {
		u, err := tm.root.Users.Create(t.Context(), craton.UserCreate{Username: name, ProjectID: tm.project})
		if err != nil {
			t.Fatal(err)
		}
		tm.user[name] = string(u.APIKey)
	}
	if r := tm.send(http.MethodGet, "/ui/hosts?where=x", "", nil); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/ui/sign-in?next=%2Fui%2Fhosts%3Fwhere%3Dx" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	if r := tm.send(http.MethodGet, "/ui/hosts.json", "", nil); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("%d", r.StatusCode)
	}
	if r := tm.send(http.MethodGet, "/ui/sign-in", "", nil); r.StatusCode != http.StatusOK {
		t.Errorf("%d", r.StatusCode)
	}
	ann := tm.signIn("ann")
	if !ann.HttpOnly || ann.SameSite != http.SameSiteStrictMode || ann.Secure || ann.MaxAge != 8*60*60 || strings.Contains(ann.Value, tm.user["ann"]) {
		t.Errorf("%+v", ann)
	}
	if r := tm.send(http.MethodGet, "/ui/hosts", "", with(ann)); r.StatusCode != http.StatusOK || !strings.Contains(read(t, r), ">ann</bdi>") {
		t.Errorf("%d, or it does not say who is signed in", r.StatusCode)
	}
	for i := range ann.Value { // any change of it
		if i%17 != 0 {
			continue
		}
		other := *ann
		other.Value = ann.Value[:i] + map[bool]string{true: "B", false: "A"}[ann.Value[i] == 'A'] + ann.Value[i+1:]
		if r := tm.send(http.MethodGet, "/ui/hosts", "", with(&other)); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("%d: %d", i, r.StatusCode)
		}
	}
	if r := tm.send(http.MethodPost, "/ui/sign-out", "", with(ann)); r.StatusCode != http.StatusSeeOther || len(r.Cookies()) != 1 || r.Cookies()[0].MaxAge >= 0 {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	// Over TLS browsers keep the cookie to themselves; one of another connection is none.
	secure := func(r *http.Request) {
		r.TLS = httptest.NewRequest(http.MethodGet, "https://x/", nil).TLS
		r.RemoteAddr = "192.0.2.1:1"
	}
	if r := tm.send(http.MethodPost, "/ui/sign-in", tm.form("bob"), secure); len(r.Cookies()) != 1 || !r.Cookies()[0].Secure || r.Cookies()[0].Name != "__Host-craton" || r.Cookies()[0].Path != "/" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	// A key that ends, ends its cookies.
	for u, err := range tm.root.Users.All(t.Context(), craton.UserListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if u.Username == "ann" {
			if err := tm.root.Users.Delete(t.Context(), u.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	if r := tm.send(http.MethodGet, "/ui/hosts", "", with(ann)); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/ui/sign-in" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
}

// TestKeyRevoked: a key of several that is revoked ends its cookie at the next look, and no other.
func TestKeyRevoked(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, server.Options{})
	me, err := tm.root.Users.Create(t.Context(), craton.UserCreate{Username: "ann", ProjectID: tm.project})
	if err != nil {
		t.Fatal(err)
	}
	tm.user["ann"] = string(me.APIKey)
	lasting := tm.signIn("ann")
	key, err := tm.root.Users.CreateKey(t.Context(), me.ID, craton.UserKeyCreate{Name: "laptop"})
	if err != nil {
		t.Fatal(err)
	}
	tm.user["ann"] = string(key.Key)
	living := tm.signIn("ann")
	look := func(c *http.Cookie) int { return tm.send(http.MethodGet, "/ui/hosts.json", "", with(c)).StatusCode }
	if look(lasting) != http.StatusOK || look(living) != http.StatusOK {
		t.Fatal("both count")
	}
	if err := tm.root.Users.DeleteKey(t.Context(), me.ID, key.ID); err != nil {
		t.Fatal(err)
	}
	if got, other := look(living), look(lasting); got != http.StatusUnauthorized || other != http.StatusOK {
		t.Errorf("%d, and the other one %d", got, other)
	}
	if r := tm.send(http.MethodGet, "/ui/hosts", "", with(living)); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/ui/sign-in" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
}

// TestSignInRefused: no secret in the open, none from other pages, no lead to other sites, and guessing is held up as
// in the API.
func TestSignInRefused(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, server.Options{Logins: server.Logins{Failures: 2}})
	good := tm.form("bootstrap")
	for name, change := range map[string]func(*http.Request){
		"another machine":     func(r *http.Request) { r.RemoteAddr = "192.0.2.1:1" },
		"a machine that lies": func(r *http.Request) { r.RemoteAddr = "192.0.2.1:1"; r.Header.Set("X-Forwarded-Proto", "https") },
		"one that lies otherwise": func(r *http.Request) {
			r.RemoteAddr = "192.0.2.1:1"
			r.Header.Set("Forwarded", "for=127.0.0.1;proto=https")
		},
		"one that says it is here": func(r *http.Request) { r.RemoteAddr = "192.0.2.1:1"; r.Header.Set("X-Forwarded-For", "127.0.0.1") },
		"a proxy here":             func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") },
		"another proxy here":       func(r *http.Request) { r.Header.Set("Via", "1.1 front") },
		"a proxy by Forwarded":     func(r *http.Request) { r.Header.Set("Forwarded", "for=192.0.2.1") },
		"a proxy of another kind":  func(r *http.Request) { r.Header.Set("X-Real-IP", "192.0.2.1") },
		"a proxy that says TLS":    func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") },
		"a silent proxy here":      func(r *http.Request) { r.Host = "craton.example.net" },
		"another site":             func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"another port":             func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
		"an old browser": func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Set("Origin", "http://evil.example")
		},
		"an old browser that hides it": func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Set("Origin", "null")
		},
		"a browser that says nothing": func(r *http.Request) { r.Header.Del("Sec-Fetch-Site") },
	} {
		if r := tm.send(http.MethodPost, "/ui/sign-in", good, change); r.StatusCode != http.StatusForbidden || len(r.Cookies()) != 0 {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
	}
	old := func(r *http.Request) {
		r.Header.Del("Sec-Fetch-Site")
		r.Header.Set("Origin", "http://localhost:7780")
	}
	for name, change := range map[string]func(*http.Request){
		"an old browser": old, "by its address": func(r *http.Request) { r.Host = "127.0.0.1:7780" }, "by its IPv6 address": func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:5000", "[::1]:7780" },
	} {
		if r := tm.send(http.MethodPost, "/ui/sign-in", good, change); r.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
	}
	cookie := tm.signIn("bootstrap")
	foreign := func(r *http.Request) { r.AddCookie(cookie); r.Header.Set("Sec-Fetch-Site", "cross-site") }
	if r := tm.send(http.MethodPost, "/ui/sign-out", "", foreign); r.StatusCode != http.StatusForbidden || len(r.Cookies()) != 0 {
		t.Errorf("another page signs out: %d", r.StatusCode)
	}
	for next, want := range map[string]string{"//evil.example/ui/": "/ui/", "https://evil.example/ui/": "/ui/", `/\evil.example`: "/ui/", "/v1/hosts": "/ui/", "/ui/hosts/1?at=2": "/ui/hosts/1?at=2",
		"///evil.example/ui/": "/ui/", "/ui/../v1/hosts": "/ui/", "/ui/%2e%2e/v1/hosts": "/ui/", "javascript:alert(1)//ui/": "/ui/", "/ui/\r\nX: y": "/ui/", "\t//evil.example/ui/": "/ui/", "//evil.example\\@localhost/ui/": "/ui/",
		"ui/": "/ui/", "?a=b": "/ui/", "/ui": "/ui", "/uix": "/ui/", "http:/ui/": "/ui/", "//user@localhost:7780/ui/": "/ui/", "": "/ui/"} {
		form := strings.Replace(good, "next=%2Fui%2Fhosts%3Fwhere%3Dname%253Dx", "next="+url.QueryEscape(next), 1)
		if r := tm.send(http.MethodPost, "/ui/sign-in", form, nil); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != want {
			t.Errorf("%s: %d %s", next, r.StatusCode, r.Header.Get("Location"))
		}
	}
	tm.user["eve"] = "guess"
	refused := false
	for i := range 6 {
		tm.user["eve"] = "a-guess-" + strings.Repeat("g", i+1)
		r := tm.send(http.MethodPost, "/ui/sign-in", tm.form("eve"), nil)
		body := make([]byte, 8<<10)
		n, _ := r.Body.Read(body)
		if r.StatusCode != http.StatusUnauthorized || len(r.Cookies()) != 0 || strings.Contains(string(body[:n]), tm.user["eve"]) {
			t.Errorf("%d", r.StatusCode)
		}
		refused = refused || strings.Contains(string(body[:n]), "Too many wrong logins")
	}
	if !refused {
		t.Error("guessing is not held up")
	}
	tm.user["mallory"] = "a-guess"
	guess := tm.form("mallory")
	var tried atomic.Int32
	var all sync.WaitGroup
	for range 12 { // at once
		all.Go(func() {
			r := tm.send(http.MethodPost, "/ui/sign-in", guess, func(r *http.Request) { r.RemoteAddr = "[::1]:5000"; r.Host = "[::1]:7780" })
			text, err := io.ReadAll(r.Body)
			if err != nil || r.StatusCode != http.StatusUnauthorized || len(r.Cookies()) != 0 {
				t.Errorf("%d %v", r.StatusCode, err)
			}
			if !strings.Contains(string(text), "Too many wrong logins") {
				tried.Add(1)
			}
		})
	}
	if all.Wait(); tried.Load() > 2+4 { // of which four are looked up side by side
		t.Errorf("%d guesses at once were looked at", tried.Load())
	}
}

// TestChangedCookie: a cookie of which one character is another is none, the last one too, of which base64 needs a part
// of the bits only.
func TestChangedCookie(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, server.Options{})
	good := tm.signIn("bootstrap")
	for _, at := range []int{0, 1, 2, len(good.Value) / 2, len(good.Value) - 1} {
		for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_." {
			changed := *good
			if changed.Value = good.Value[:at] + string(c) + good.Value[at+1:]; changed.Value == good.Value {
				continue
			}
			if r := tm.send(http.MethodGet, "/ui/clouds.json", "", with(&changed)); r.StatusCode != http.StatusUnauthorized {
				t.Errorf("%q at %d: %d", c, at, r.StatusCode)
			}
		}
	}
	for _, before := range []string{"0", "+"} {
		changed := *good
		changed.Value = before + good.Value
		if r := tm.send(http.MethodGet, "/ui/clouds.json", "", with(&changed)); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("%q before it: %d", before, r.StatusCode)
		}
	}
}

// TestKeys: cookies are sealed with the newest key, and of the others opened as long as they are there; servers learn
// of keys that others have made.
func TestKeys(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, server.Options{})
	looks := func(page http.Handler, c *http.Cookie) bool {
		t.Helper()
		tm.page = page
		r := tm.send(http.MethodGet, "/ui/hosts", "", with(c))
		return r.StatusCode == http.StatusOK
	}
	other := func() http.Handler {
		return web.NewTeam(web.TeamOptions{API: tm.api, Keys: tm.sealing, Encrypted: func(*http.Request) bool { return false }})
	}
	one, two := tm.page, other()
	first := tm.signIn("bootstrap")
	if !strings.HasPrefix(first.Value, "1.") || !looks(one, first) || !looks(two, first) {
		t.Errorf("%s", first.Value)
	}
	tm.keys = []web.Key{sealedBy(2), sealedBy(1)}
	second := tm.signIn("bootstrap") // at the other one
	if !strings.HasPrefix(second.Value, "2.") || !looks(one, second) || !looks(two, second) || !looks(one, first) || !looks(two, first) {
		t.Errorf("%s", second.Value)
	}
	forged := *second
	forged.Value = "1" + strings.TrimPrefix(second.Value, "2")
	if looks(one, &forged) {
		t.Error("the number of a key is taken for granted")
	}
	tm.keys = tm.keys[:1]
	tm.signIn("bootstrap") // by which this one forgets
	if looks(one, first) || looks(other(), first) || !looks(one, second) {
		t.Error("a key that is gone counts")
	}
}

// TestTenants: two projects never see each other, and a reader sees what the API gives.
func TestTenants(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, server.Options{})
	for _, name := range []string{"blue", "green"} {
		p, err := tm.root.Projects.Create(t.Context(), craton.ProjectCreate{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		u, err := tm.root.Users.Create(t.Context(), craton.UserCreate{Username: name, ProjectID: p.ID})
		if err != nil {
			t.Fatal(err)
		}
		tm.project, tm.user[name] = p.ID, string(u.APIKey)
		c, err := craton.New("http://embedded", craton.WithTransport(connect.InProcess(tm.api)), craton.WithLocalAuth(name, string(u.APIKey), p.ID))
		if err != nil {
			t.Fatal(err)
		}
		file, err := fleetfile.Parse("f.yml", strings.NewReader("clouds: [{name: "+name+"-cloud, variables: {owner: "+name+"-team}, regions: [{name: r, hosts: [{name: "+name+"-host, ip_address: 10.0.0.1, device_type: x}]}]}]"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fleetfile.Apply(t.Context(), c, file, fleetfile.Options{}); err != nil {
			t.Fatal(err)
		}
		defer tm.sees(name, p.ID, map[string]string{"blue": "green", "green": "blue"}[name])
	}
}

func (tm *team) sees(name, project, other string) {
	tm.t.Helper()
	tm.project = project
	cookie := tm.signIn(name)
	can, err := tm.root.Capabilities(tm.t.Context())
	if err != nil {
		tm.t.Fatal(err)
	}
	head, _, _ := strings.Cut(can.Revision, "-")
	own := false
	for _, path := range []string{"/ui/", "/ui/hosts", "/ui/clouds", "/ui/hosts/1", "/ui/hosts/2", "/ui/clouds/1", "/ui/clouds/2", "/ui/regions/1", "/ui/regions/2", "/ui/variables/owner", "/ui/compare?a=1&b=2", "/ui/changes",
		"/ui/hosts?at=" + head, "/ui/?at=" + head, "/ui/hosts/1?at=" + head, "/ui/hosts/2?at=" + head, "/ui/variables/owner?at=" + head, "/ui/compare?a=1&then=1", "/ui/compare?a=2&then=1", "/ui/find?q=-team", "/ui/changes?at=" + head, "/ui/hosts?marker=1", "/ui/hosts?marker=2", "/ui/variables?at=" + head} {
		for _, path := range []string{path, twinOf(path)} {
			r := tm.send(http.MethodGet, path, "", with(cookie))
			w := new(strings.Builder)
			_ = r.Write(w)
			if strings.Contains(w.String(), other) {
				tm.t.Errorf("%s sees %s at %s:\n%s", name, other, path, w)
			}
			own = own || strings.Contains(w.String(), name+"-team")
		}
	}
	if !own {
		tm.t.Errorf("%s does not see its own", name)
	}
}
