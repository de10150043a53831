package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
)

// TestKeysOfFleet: the index has every variable, on how many hosts and where it was set, finds names, and goes page by
// page.
func TestKeysOfFleet(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	text := f.words("/ui/variables")
	has(t, text, "ansible_connection 3 1 1 cloud", "dns 3 1 1 project", "ntp 3 4 1 project, 1 cloud, 1 region, 1 host", "role 1 1 1 host", "craton explain --keys")
	if links := f.read("/ui/variables").links; !slices.Contains(links, "/ui/variables/ntp") {
		t.Errorf("%v", links)
	}
	for q, want := range map[string]string{"NT": "ntp", "ansible_*": "ansible_connection", "*s": "dns"} {
		if text := f.words("/ui/variables?q=" + q); !strings.Contains(text, want) || strings.Contains(text, "role") {
			t.Errorf("%s:\n%s", q, text)
		}
	}
	has(t, f.words("/ui/variables?q=nothing"), "No variable has a name like this.")
	var more strings.Builder
	for i := range 230 {
		fmt.Fprintf(&more, "k%03d: 1, ", i)
	}
	revision := f.revision()
	f.apply(strings.Replace(smallFleet, "role: front", more.String()+"role: front", 1))
	if text := f.words("/ui/variables?at=" + revision); strings.Contains(text, "k000") {
		t.Errorf("then:\n%s", text)
	}
	seen, path := 0, "/ui/variables?q=k"
	for range 5 {
		page := f.read(path)
		seen += strings.Count(page.text, "1 host")
		i := slices.IndexFunc(page.links, func(l string) bool { return strings.Contains(l, "after=") })
		if i < 0 {
			break
		}
		path = page.links[i]
	}
	if seen != 230 {
		t.Errorf("%d variables", seen)
	}
	var twin struct {
		Hosts int
		Keys  []struct {
			Key    string
			Hosts  int
			Levels map[string]int
		}
	}
	if err := json.Unmarshal(f.get("/ui/variables.json").Body.Bytes(), &twin); err != nil || twin.Hosts != 3 || len(twin.Keys) != 234 || twin.Keys[len(twin.Keys)-2].Levels["region"] != 1 {
		t.Errorf("%v %+v", err, twin)
	}
}

// TestFind: a text is found wherever it stands, each place leads there, and the values of secrets are not looked at.
func TestFind(t *testing.T) {
	t.Parallel()
	f := newFixture(t, strings.Replace(smallFleet, "role: front", "role: front, secret_word: hush", 1))
	has(t, f.words("/ui/find"), "It ignores case")
	page := f.read("/ui/find?q=NTP.d")
	has(t, strings.Join(strings.Fields(page.text), " "), "region east/dfw ntp = ntp.dfw", "craton find NTP.d")
	if !slices.Contains(page.links, "/ui/regions/1?key=ntp") || !slices.Contains(page.links, "/ui/regions/1") {
		t.Errorf("%v", page.links)
	}
	id := strings.TrimPrefix(f.at("web-01"), "/ui/hosts/")
	page = f.read("/ui/find?q=web")
	has(t, strings.Join(strings.Fields(page.text), " "), "host east/dfw/c1/web-01 name = web-01label web")
	if !slices.Contains(page.links, "/ui/hosts/"+id) || !slices.Contains(page.links, "/ui/hosts?where=label%3Dweb") {
		t.Errorf("%v", page.links)
	}
	has(t, f.words("/ui/find?q=hush"), "Nothing contains this text.")
	has(t, f.words("/ui/find?q=secret_w"), "variable secret_word")
	if w := f.get("/ui/find.json"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"objects": []`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	var twin struct {
		Objects []struct{ Path string }
		More    int
	}
	if err := json.Unmarshal(f.get("/ui/find.json?q=10.20.0").Body.Bytes(), &twin); err != nil || len(twin.Objects) != 3 {
		t.Errorf("%v %+v", err, twin)
	}
}

// TestUsers: users are shown as the API lets the caller see them, with their roles, and never a key.
func TestUsers(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	projects, err := f.client.Projects.List(t.Context(), craton.ProjectListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	revision := f.revision()
	for name, role := range map[string]craton.Role{"ann": craton.RoleReader, "bob": craton.RoleAdmin} {
		u, err := f.client.Users.Create(t.Context(), craton.UserCreate{Username: name, ProjectID: projects.Items[0].ID, Role: role})
		if err != nil {
			t.Fatal(err)
		}
		has(t, f.words(fmt.Sprintf("/ui/users/%d", u.ID)), "user "+name, "Role"+string(role), "project default", fmt.Sprintf("craton user-show %d", u.ID))
		has(t, f.words(fmt.Sprintf("/ui/users/%d?at=%s", u.ID, revision)), "user "+name)
	}
	has(t, f.words("/ui/users"), "ann reader default", "bob admin default", "craton user-list")
	has(t, f.words("/ui/users?at="+revision), "ann reader default")
	for _, path := range []string{"/ui/users.json", "/ui/users/1.json"} {
		if w := f.get(path); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "api_key") || !strings.Contains(w.Body.String(), `"role"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if links := f.read("/ui/projects/" + projects.Items[0].ID).links; !slices.Contains(links, "/ui/users") {
		t.Errorf("%v", links)
	}
	for _, path := range []string{"/ui/users", "/ui/projects", "/ui/network-interfaces"} {
		if links := f.read("/ui/").links; !slices.Contains(links, path) {
			t.Errorf("no link to %s: %v", path, links)
		}
	}
}

// TestVariablesByName: of many variables of an object those are found that are called so, page by page; few are at a
// glance.
func TestVariablesByName(t *testing.T) {
	t.Parallel()
	var variables []string
	for i := range 230 {
		variables = append(variables, fmt.Sprintf("key_%03d: %d", i, i))
	}
	f := newFixture(t, "clouds: [{name: c, variables: {ntp: a, ntp_old: b}, regions: [{name: r, hosts: [{name: many, ip_address: 10.0.0.1, device_type: x, note: \"one\\ntwo\", labels: [a, b, c, d, e, f], variables: {"+strings.Join(variables, ", ")+"}}]}]}, {name: few, variables: {x: 1}}]")
	at := f.at("many")
	text := f.words(at)
	has(t, text, "Variables 232", "key_000 0", "1 to 100 of 232.", "Next page", "one two")
	has(t, f.words(at+"?after=key_099"), "101 to 200 of 232.", "key_100 100")
	has(t, f.words(at+"?q=NTP"), "Variables 232", `ntp "a" cloud c`, "ntp_old", "All")
	has(t, f.words(at+"?q=key_*"), "1 to 100 of 230.", "key_000 0")
	has(t, f.words(at+"?q=key_*&after=key_199"), "201 to 230 of 230.", "First page")
	has(t, f.words(at+"?q=none"), "No variable has a name like this.")
	if links := f.read(at + "?q=ntp").links; !slices.Contains(links, at+"?key=ntp_old") || slices.Contains(links, at+"?key=key_000") {
		t.Error(links)
	}
	if text := f.words("/ui/clouds/2"); strings.Contains(text, "ntp, ansible_*") {
		t.Error(text)
	}
	if links := f.read(at + "?q=key_*").links; !slices.Contains(links, at+"?after=key_099&q=key_%2A") {
		t.Error(links)
	}
	has(t, f.words("/ui/hosts"), "a b c d and 2 more")
	has(t, f.words("/ui/compare?a=many"), "Enter a second host, or an earlier time.")
	has(t, f.words("/ui/hosts?at=1"), "There were no hosts.")
	has(t, f.words("/ui/hosts?where=name%3D*few*"), "No name contains few. Search everywhere")
	if links := f.read("/ui/hosts?where=name%3D*few*").links; !slices.Contains(links, "/ui/find?q=few") {
		t.Error(links)
	}
	if text := f.words("/ui/hosts?where=name%3Dfew*"); strings.Contains(text, "anywhere") {
		t.Error(text)
	}
	has(t, f.words("/ui/?at=0"), "This fleet had no clouds.")
}
