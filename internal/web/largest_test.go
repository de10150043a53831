package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestLargest: whatever stands in a fleet, a page has at most 100 KB, which [fixture.check] looks at, and leads on to
// the rest.
func TestLargest(t *testing.T) {
	t.Parallel()
	long := func(n int, marks string) string {
		return fmt.Sprintf("%03d", n) + strings.Repeat(marks, 200/len(marks))
	}
	type object = map[string]any
	variables := func(n int) object {
		all := object{}
		for i := range n {
			all[long(i, `"`)] = strings.Repeat("<&'", 700)
		}
		return all
	}
	var hosts, clouds []object
	const many = 110
	for i := range many {
		var labels []string
		for n := range 14 {
			labels = append(labels, long(n, "&"))
		}
		hosts = append(hosts, object{"name": long(i, "<"), "ip_address": fmt.Sprintf("10.0.0.%d", i), "device_type": long(0, "'"), "labels": labels, "variables": object{"same": long(i, "<"), `"`: strings.Repeat("'", 3<<10)}})
	}
	hosts[0]["variables"], hosts[1]["variables"] = variables(150), object{"huge": strings.Repeat("<", 300<<10)}
	for i := range 90 {
		clouds = append(clouds, object{"name": long(i, "&"), "variables": variables(3), "regions": []object{{"name": long(i, "<"), "variables": object{"same": 1}}}})
	}
	clouds[0]["regions"].([]object)[0]["hosts"] = hosts
	text, err := json.Marshal(object{"clouds": clouds})
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, string(text))
	first, second := strings.TrimPrefix(f.at(long(0, "<")), "/ui/hosts/"), strings.TrimPrefix(f.at(long(1, "<")), "/ui/hosts/")
	for _, path := range []string{
		"/ui/", "/ui/clouds", "/ui/regions", "/ui/clouds/1", "/ui/regions/1", "/ui/hosts/" + first, "/ui/hosts/" + second, "/ui/hosts/" + second + "?key=huge", "/ui/variables/same", "/ui/variables/huge",
		"/ui/compare?a=" + first + "&b=" + second, "/ui/compare?a=" + first + "&then=1", "/ui/changes", "/ui/changes?kind=host&id=" + first,
	} {
		f.read(path)
	}
	for path, want := range map[string]int{"/ui/hosts": many, "/ui/hosts?where=" + "name%3D0*%2C1*": many, "/ui/variables/same": many - 2 + 1} {
		seen, pages := map[string]bool{}, 0
		for path != "" && pages < 200 {
			w := f.get(path)
			if w.Code != http.StatusOK || w.Body.Len() > 100<<10 {
				t.Fatalf("%s: %d, %d bytes", path, w.Code, w.Body.Len())
			}
			rows := strings.Split(w.Body.String(), "<tr")
			if len(rows) < 2 {
				t.Fatalf("%s has no rows:\n%.3000s", path, w.Body)
			}
			for _, row := range rows[2:] {
				row, _, _ = strings.Cut(row, "</tr>")
				seen[row] = true
			}
			pages++
			links := f.check(path, w).links
			path = ""
			if i := slices.IndexFunc(links, func(l string) bool {
				return !strings.Contains(l, ".json") && (strings.Contains(l, "marker=") || strings.Contains(l, "from="))
			}); i >= 0 {
				path = links[i]
			}
		}
		if len(seen) != want || pages < 3 {
			t.Errorf("%d of %d rows on %d pages", len(seen), want, pages)
		}
	}
}
