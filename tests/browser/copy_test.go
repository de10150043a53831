package browser_test

import (
	"strings"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
)

// TestCopy: what the buttons copy is the command, or the value, and nothing else; the command prints what the page
// shows.
func TestCopy(t *testing.T) {
	t.Parallel()
	s := need(t, shop)
	b := enter(t, s)
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		call(b, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{Origin: s.origin(), Permission: &cdpbrowser.PermissionDescriptor{Name: name}, Setting: cdpbrowser.PermissionSettingGranted})
	}
	copied := func(button string) string {
		t.Helper()
		js[bool](b, "navigator.clipboard.writeText('nothing').then(() => true)")
		b.click(button)
		b.until("document.querySelector(" + quote(button) + ").textContent === 'Copied'")
		return js[string](b, "navigator.clipboard.readText()")
	}
	b.open("hosts?where=name%3D%22web-ams1%22%20role%3Dfront*")
	if got := copied(".command .copy"); got != "craton host-list --where 'name=web-ams1 role=front*' --limit 100" {
		t.Errorf("%q", got)
	} else if out, err := s.run("host-list", "--where", "name=web-ams1 role=front*", "--limit", "100"); err != nil || !strings.Contains(out, "web-ams1") {
		t.Errorf("%s %v", out, err)
	}
	b.leads(func() { b.click("tbody th a") })
	for _, key := range []string{"ntp_servers", "workers"} {
		b.follow(key)
		want := map[string]string{"ntp_servers": "[\n  \"0.pool.ntp.example\",\n  \"1.pool.ntp.example\"\n]", "workers": "24"}[key]
		if got := copied(".counts .copy"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		b.leads(func() { b.click(".path a") })
	}
	b.open("hosts?where=name%3Dweb-ams1&at=40")
	b.stops()
}
