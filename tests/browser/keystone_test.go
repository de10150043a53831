package browser_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/openstacktest"
)

// TestKeystone: a user of a real Keystone signs in by its form with a token, sees the page, and is out when the token
// is revoked.
func TestKeystone(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	needAxe(t)
	k := openstacktest.StartKeystone(t)
	s, err := newSite()
	if err != nil {
		t.Fatal(err)
	}
	database := "sqlite:" + filepath.Join(s.dir, "server.db")
	if _, err := s.run("server", "bootstrap", "--database", database); err != nil {
		t.Fatal(err)
	}
	s.env = append(s.env, "CRATON_KEYSTONE_CACHE_TIME=1ms")
	url, err := s.start(regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`), "server", "--database", database, "--listen", "127.0.0.1:0", "--log-format", "json", "--auth", "keystone", "--keystone-url", k.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.base = url + "/ui/"
	project, user := k.Project(t, "team"), k.User(t, "member")
	k.Grant(t, user, project, "member")
	token := k.Token(t, user, project)
	b := newTab(t, s, signedOut())
	b.load(s.base + "hosts")
	b.has("Sign in", "Keystone token", "openstack token issue")
	if js[bool](b, "document.querySelector('#user, #project') !== null") {
		t.Error("it asks for more than a token")
	}
	b.inspect()
	b.picture("keystone", "sign-in")
	b.click("#secret")
	b.write("no-token")
	b.leads(func() { b.press("Enter") })
	if !js[bool](b, "document.querySelector('[role=alert]').checkVisibility()") || js[string](b, "document.querySelector('#secret').value") != "" {
		t.Error(b.text())
	}
	b.click("#secret")
	js[bool](b, "(document.querySelector('#secret').value = "+quote(token)+") !== ''")
	b.leads(func() { b.press("Enter") })
	if at := b.at(); at != "hosts" || js[string](b, "document.cookie") != "" {
		t.Errorf("%s: %s", at, b.text())
	}
	b.has("Sign out", "There are no hosts yet.")
	k.Revoke(t, token)
	b.load(s.base + "hosts")
	if at := b.at(); !strings.HasPrefix(at, "sign-in") {
		t.Errorf("with a token that was revoked: %s: %s", at, b.text())
	}
}
