package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// words returns a page's text on one line.
func (f *fixture) words(path string) string {
	f.t.Helper()
	return strings.Join(strings.Fields(f.read(path).text), " ")
}

// has finds what a text lacks.
func has(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// TestVariable: every value of a variable in the fleet, from where, on how many hosts; terms choose; names that are odd
// in a path work.
func TestVariable(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet+`              - {name: odd, ip_address: 10.20.0.14, device_type: server, variables: {"a/b.json": 1, "..": 2, "label": 3, "ntp": [1, 2]}}
`)
	has(t, f.words("/ui/variables/ntp"), "Hosts with this variable: 4", `2 "ntp.dfw" region east/dfw 2`, `1 "10.0.0.1" host east/dfw/c1/web-01`, `0 "pool.ntp.org" project default 4`, "craton explain --key ntp")
	has(t, f.words("/ui/variables/ntp?where=name%3Dweb-*"), "Hosts with this variable: 2", "craton explain --key ntp --where 'name=web-*'")
	has(t, f.words("/ui/variables/role"), "without it: 3, such as east/dfw/c1/")
	has(t, f.words("/ui/variables/npt"), `None of the 4 hosts has a variable "npt"; did you mean "ntp"?`)
	has(t, f.words("/ui/variables?where=x&key=ntp"), "Hosts with this variable: 0")
	has(t, f.words("/ui/variables?key=ntp&where=%3D"), "column 1")
	for _, key := range []string{"a/b.json", "..", "label", "ntp"} {
		page := f.read(f.at("odd") + "?key=" + url.QueryEscape(key))
		i := slices.IndexFunc(page.links, func(l string) bool { return strings.HasPrefix(l, "/ui/variables") && l != "/ui/variables" })
		if i < 0 {
			t.Fatalf("%s: %v", key, page.links)
		}
		spread := f.read(page.links[i])
		own := slices.IndexFunc(spread.links, func(l string) bool {
			return strings.HasPrefix(l, "/ui/hosts?where=own") && strings.Contains(spread.text, "odd")
		})
		if own < 0 {
			t.Fatalf("%s: %v", key, spread.links)
		}
		found := false
		for _, l := range spread.links {
			found = found || strings.HasPrefix(l, "/ui/hosts?where=own") && strings.Contains(f.read(l).text, "odd")
		}
		if !found {
			t.Errorf("%s: the links do not find the host: %v", key, spread.links)
		}
	}
	var twin struct {
		Key    string
		Hosts  int
		Values []struct{ Hosts int }
	}
	if err := json.Unmarshal(f.get("/ui/variables/ntp.json").Body.Bytes(), &twin); err != nil || twin.Key != "ntp" || twin.Hosts != 4 || len(twin.Values) != 5 {
		t.Errorf("%v %+v", err, twin)
	}
}

// TestCompare: what one host has otherwise than another, by name or id, and than itself before.
func TestCompare(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	revision := f.revision()
	has(t, f.words("/ui/compare"), "Compare")
	id := strings.TrimPrefix(f.at("web-01"), "/ui/hosts/")
	text := f.words("/ui/compare?a=" + id + "&b=web-02")
	has(t, text, `ntp "10.0.0.1"itself "ntp.dfw"region dfw`, `role "front"itself –`, "craton diff "+id+" ")
	if strings.Contains(text, "dns") {
		t.Errorf("what is the same:\n%s", text)
	}
	has(t, f.words("/ui/compare?a=web-02&b=guest"), "Both have the same values of all variables.")
	has(t, f.words("/ui/compare?a=web-01&then="+revision), "There are no differences.")
	f.apply(strings.Replace(smallFleet, "ntp: 10.0.0.1", "ntp: 10.9.9.9", 1))
	has(t, f.words("/ui/compare?a=web-01&then="+revision), "from revision "+revision+" to now", `ntp "10.0.0.1" "10.9.9.9"`, "craton diff --from "+revision+" --kind host "+id)
	has(t, f.words("/ui/compare?a=web-01&b=web-02&at="+revision), "Past state", `"10.0.0.1"`, "--to "+revision+" --omit-hashed")
	var twin struct {
		Keys []struct {
			Key    string
			Values []*struct{ Value any }
		}
	}
	if err := json.Unmarshal(f.get("/ui/compare.json?a=web-01&b=web-02").Body.Bytes(), &twin); err != nil || len(twin.Keys) != 2 || twin.Keys[1].Values[1] != nil {
		t.Errorf("%v %+v", err, twin)
	}
}

// TestChanges: who did what, newest first, page by page, and filters.
func TestChanges(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	f.apply(strings.Replace(smallFleet, "ntp: 10.0.0.1", "ntp: 10.9.9.9", 1))
	id := strings.TrimPrefix(f.at("web-01"), "/ui/hosts/")
	has(t, f.words("/ui/changes"), "update host east/dfw/c1/web-01 by root", `ntp "10.0.0.1" "10.9.9.9"`, "create cloud east", "craton history")
	has(t, f.words("/ui/changes?kind=host&id="+id+"&key=ntp"), `ntp "10.0.0.1" "10.9.9.9"`, "craton history --kind host "+id+" ntp")
	var log struct {
		Events []struct {
			Revision int64
			Change   string
		}
	}
	if err := json.Unmarshal(f.get("/ui/changes.json").Body.Bytes(), &log); err != nil || len(log.Events) < 3 {
		t.Fatal(err, log)
	}
	older := fmt.Sprintf("/ui/changes?at=%d&before=%d-%s", log.Events[1].Revision, log.Events[1].Revision, log.Events[1].Change)
	has(t, f.words(older), "create host")
	for _, path := range []string{"/ui/changes?key=ntp", "/ui/changes?kind=host&key=ntp", older} {
		if words := f.words(path); strings.Contains(words, "craton history") {
			t.Errorf("%s: a command that prints more than the page: %s", path, words)
		}
	}
	has(t, f.words("/ui/changes?user=nobody"), "No change matches.")
	has(t, f.words("/ui/changes?name=guest"), "create host east/dfw/c1/guest")
	seen, path := 0, "/ui/changes?kind=host"
	for range 10 {
		var page struct {
			Events []struct{ Kind string }
			Next   string
		}
		if err := json.Unmarshal(f.get(strings.Replace(path, "/changes", "/changes.json", 1)).Body.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		if seen += len(page.Events); page.Next == "" {
			break
		}
		links := f.read(path).links
		i := slices.IndexFunc(links, func(l string) bool { return strings.Contains(l, "before=") })
		if i < 0 {
			t.Fatal(links)
		}
		path = links[i]
	}
	if seen != 4 {
		t.Errorf("%d changes of hosts", seen)
	}
	if w := f.get("/ui/changes?until=2001-01-01"); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestChangesThen: histories end at the state that is looked at, and each change leads to the object before and after
// it.
func TestChangesThen(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	host := f.at("web-01")
	id := strings.TrimPrefix(host, "/ui/hosts/")
	first := f.revision()
	f.apply(strings.Replace(smallFleet, "ntp: 10.0.0.1", "ntp: 10.9.9.9", 1))
	second := f.revision()
	f.apply(strings.Replace(smallFleet, "ntp: 10.0.0.1", "ntp: 10.8.8.8", 1))
	for _, path := range []string{"/ui/changes", "/ui/changes?kind=host&id=" + id, host} {
		sep := map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]
		now, then, before := f.words(path), f.words(path+sep+"at="+second), f.words(path+sep+"at="+first)
		has(t, now, `ntp "10.9.9.9" "10.8.8.8"`)
		has(t, then, `ntp "10.0.0.1" "10.9.9.9"`, "--until 20")
		if strings.Contains(then, "10.8.8.8") || strings.Contains(before, "10.9.9.9") || !strings.Contains(before, "create host east/dfw/c1/web-01") {
			t.Errorf("%s:\n%s\n%s", path, then, before)
		}
	}
	page := f.read("/ui/changes?kind=host&id=" + id + "&at=" + second)
	has(t, f.words("/ui/changes?at=0"), "No change matches.")
	links := map[string]string{}
	for _, l := range page.links {
		for _, end := range []string{first, second} {
			if l == host+"?at="+end {
				links[end] = l
			}
		}
	}
	if len(links) != 2 {
		t.Fatalf("%v", page.links)
	}
	has(t, f.words(links[first]), `ntp "10.0.0.1" overrides 3`)
	has(t, f.words(links[second]), `ntp "10.9.9.9" overrides 3`)
	number, err := strconv.Atoi(id)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.client.Hosts.Delete(t.Context(), number); err != nil {
		t.Fatal(err)
	}
	gone := f.read("/ui/changes?name=web-01")
	i := slices.IndexFunc(gone.links, func(l string) bool { return strings.HasPrefix(l, host+"?at=") })
	if i < 0 || slices.Contains(gone.links[:i], host) {
		t.Fatalf("%v", gone.links)
	}
	has(t, f.words(gone.links[i]), "host web-01", "10.8.8.8")
}

// TestSmallPrint: what a page says beside what it shows: commands print what it prints, errors are for people, twins
// are even.
func TestSmallPrint(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	has(t, f.words("/ui/variables"), "craton explain --keys")
	if text := f.words("/ui/variables?q=ntp"); strings.Contains(text, "craton explain") {
		t.Errorf("the command prints more: %s", text)
	}
	has(t, f.words("/ui/changes"), "craton history --limit 25")
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		f.page.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return w.Code, strings.Join(strings.Fields(w.Body.String()), " ")
	}
	for path, want := range map[string]string{"/ui/changes?before=what": "The cursor in the URL is invalid", "/ui/hosts?marker=4711": "The host 4711, after which this page begins"} {
		if status, text := get(path); status != http.StatusBadRequest || !strings.Contains(text, want) || strings.Contains(text, "/v1") || strings.Contains(text, "database") {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	for path, wants := range map[string][]string{
		"/ui/compare.json?a=web-01&b=web-02": {`"keys": [ {`, `"changes": []`},
		"/ui/compare.json?a=web-01&then=1":   {`"keys": []`, `"changes": [ {`},
		"/ui/compare.json":                   {`"devices": []`, `"keys": []`, `"changes": []`},
	} {
		_, text := get(path)
		has(t, text, wants...)
	}
}
