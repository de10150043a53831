package browser_test

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestHorizon: a moment of which the change log knows nothing any more is told as a page that leads on, and what is
// left of a history says where it begins.
func TestHorizon(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	needAxe(t)
	s, err := newUI(small("old"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"a", "b", "c"} {
		if _, err := s.run("host-vars-set", "old-host", "shared="+text); err != nil {
			t.Fatal(err)
		}
	}
	server := &site{dir: s.dir, env: append(s.env[:len(s.env):len(s.env)], "CRATON_KEEP_CHANGES=1ms")}
	if _, err := server.start(regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`), "server", "--database", "sqlite:"+s.dir+"/fleet.db", "--listen", "127.0.0.1:0"); err != nil { // which forgets
		t.Fatal(err)
	}
	b := enter(t, s)
	for begin := time.Now(); b.load(s.base+"hosts?at=1") != 410; time.Sleep(100 * time.Millisecond) {
		if time.Since(begin) > patience {
			t.Fatalf("%s", b.text())
		}
	}
	b.has("Too long ago", "The change log begins at", "Go to the fleet")
	b.inspect()
	b.picture("old", "hosts-410")
	if got := b.fetch(s.base + "hosts.json?at=1")[0]; got.Status != 410 || !strings.Contains(got.Text, "The change log begins at") {
		t.Errorf("%+v", got)
	}
	b.load(s.base + "compare?a=old-host&then=1")
	b.has("The change log begins at", "or with its past state at")
	for _, path := range []string{"changes", b.firstOf("hosts")} {
		b.open(path)
		b.has("The change log has only just begun. Earlier changes are not in it.")
	}
	if _, err := s.run("host-vars-set", "old-host", "shared=d"); err != nil {
		t.Fatal(err)
	}
	b.open("changes")
	b.has("The change log is complete since 2")
}
