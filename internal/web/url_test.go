package web_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestURLs: what cannot be read of a URL is refused, never left out; a page does not grow with its URL; a slash too
// much leads on.
func TestURLs(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	for _, path := range []string{"/ui/hosts", "/ui/hosts/1", "/ui/", "/ui/variables/ntp", "/ui/changes"} {
		for _, query := range []string{"where=name%3Dweb-01%zz", "where=a;b", "%zz", "at=%"} {
			for _, at := range []string{path, twinOf(path)} {
				if w := f.get(at + "?" + query); w.Code != http.StatusBadRequest {
					t.Errorf("%s?%s: %d", at, query, w.Code)
				}
			}
		}
	}
	for _, mark := range []string{"%3C", "%22", "'", "%5C", "%F0%9F%99%82", "a"} {
		for _, count := range []int{400, 1600, 2700, 8100, 11_000, 40_000} {
			long := strings.Repeat(mark, count)
			for _, path := range []string{"hosts?where=name%3D", "hosts?where=", "hosts?at=", "hosts?marker=", "hosts?any=", "hosts/1?key=", "hosts/1?q=", "hosts/1?after=", "variables/", "variables?q=", "variables?after=", "find?q=", "compare?b=web-01&a=", "compare?a=web-01&then=", "changes?user=", "changes?since=", "changes?before=", "changes?kind=", "", "hosts/", "users?where="} {
				path := "/ui/" + path + long
				if w := f.get(path); w.Code >= 500 {
					t.Errorf("%.60s: %d", path, w.Code)
				} else if w.Code != http.StatusSeeOther {
					f.check(path[:20], w)
				}
			}
		}
	}
	for path, want := range map[string]string{"/ui/hosts/": "/ui/hosts", "/ui/hosts/?where=label%3Dweb": "/ui/hosts?where=label%3Dweb", "/ui/changes/": "/ui/changes", "/ui/variables/?at=2": "/ui/variables?at=2", "/ui//": "/ui/"} {
		if w := f.get(path); w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Location"))
		}
	}
	for _, path := range []string{"/ui/hosts/1/", "/ui//hosts", "/ui/hosts//1", "/ui/../v1/hosts", "/ui/hosts/../1", "/ui/hosts/%2e%2e", "/ui/hosts%2f1%2f"} {
		if w := f.get(path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
