package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestTwins: every page that pages lead to, now and then, has a twin that is JSON, loads nothing but its own files, and
// shows a command that prints the same.
func TestTwins(t *testing.T) {
	t.Parallel()
	f := newFixture(t, wiredFleet)
	f.apply(strings.Replace(wiredFleet, "parent: kvm", "parent: tor", 1))
	seen, twins := map[string]bool{}, 0
	for todo := []string{"/ui/", "/ui/?at=" + f.revision(), "/ui/find?q=kvm", "/ui/compare?a=kvm&b=vm", "/ui/compare?a=kvm&then=2"}; len(todo) > 0; todo = todo[1:] {
		path := todo[0]
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(u.Path, ".json") || seen[path] || len(seen) > 150 {
			continue
		}
		seen[path] = true
		w := f.get(path)
		body := w.Body.String()
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
			continue
		}
		twin := ""
		for _, link := range f.check(path, w).links {
			if strings.Contains(strings.SplitN(link, "?", 2)[0], ".json") {
				twin = link
			} else {
				todo = append(todo, link)
			}
		}
		asks := u.RawQuery != "" || u.Path != "/ui/find" && u.Path != "/ui/compare"
		told := u.Query().Has("q") && u.Path == "/ui/variables" || u.Query().Has("name") || u.Query().Has("before") || u.Query().Has("key") && u.Query().Get("kind") == "" && u.Path == "/ui/changes" // which no command prints
		about := u.Path == "/ui/compare" && !u.Query().Has("b") && !u.Query().Has("then") || u.Path == "/ui/find" && !u.Query().Has("q")
		if !strings.Contains(body, "<code>craton ") && asks && !told && !about {
			t.Errorf("%s shows no command", path)
		}
		if twin == "" {
			t.Errorf("%s has no twin: %.1000s", path, f.words(path))
			continue
		}
		j := f.get(twin)
		if strings.Contains(body, `class="problem"`) {
			t.Errorf("%s has a problem: %.300s", path, f.words(path))
		}
		if j.Code != http.StatusOK || j.Header().Get("Content-Type") != "application/json" || !json.Valid(j.Body.Bytes()) {
			t.Errorf("%s: its twin %q: %d", path, twin, j.Code)
		}
		hardened(t, twin, j.Result())
		twins++
	}
	if twins < 100 {
		t.Errorf("only %d pages", twins)
	}
	t.Logf("%d pages", twins)
}
