package iotronictest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
)

// asked is what a test wants to know of an answer.
type asked struct {
	status int
	header http.Header
	body   map[string]any
}

// ask sends a request as a user; the body is sent if it is not empty.
func ask(t *testing.T, s *iotronictest.Server, by iotronictest.User, method, path, body string, headers ...string) asked {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", by.Token)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := asked{status: resp.StatusCode, header: resp.Header}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &a.body); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
	return a
}

// message returns the text inside an error's string of JSON.
func (a asked) message() string {
	text, _ := a.body["error_message"].(string)
	var inner map[string]any
	if json.Unmarshal([]byte(text), &inner) != nil {
		return text
	}
	for _, key := range []string{"faultstring", "description", "title"} {
		if s, _ := inner[key].(string); s != "" {
			return s
		}
	}
	return ""
}

// names are the members of the objects in a list.
func (a asked) values(key, member string) []any {
	values := []any{}
	list, _ := a.body[key].([]any)
	for _, o := range list {
		values = append(values, o.(map[string]any)[member])
	}
	return values
}

// keys are the fields of the first object of a list.
func (a asked) fields(key string) string {
	list, _ := a.body[key].([]any)
	if len(list) == 0 {
		return ""
	}
	return keysOf(list[0].(map[string]any))
}

func keysOf(o map[string]any) string {
	q := url.Values{}
	for k := range o {
		q.Set(k, "")
	}
	return strings.ReplaceAll(strings.ReplaceAll(q.Encode(), "=", ""), "&", " ") // sorted
}

var admin = iotronictest.Admin

func TestRoots(t *testing.T) { // §2.1
	t.Parallel()
	for era, want := range map[iotronictest.Era]struct{ v1, version string }{
		iotronictest.Nodes2016:  {"id nodes", "id links"},
		iotronictest.Nodes2017:  {"id nodes plugins", "id links min_version status version"},
		iotronictest.Boards2019: {"boards id plugins ports services webservices", "id links min_version status version"},
	} {
		s := iotronictest.Start(t, era)
		nobody := iotronictest.User{}
		root := ask(t, s, nobody, "GET", "/", "")
		if got := keysOf(root.body["versions"].([]any)[0].(map[string]any)); root.status != 200 || got != want.version || root.body["name"] != "OpenStack Iotronic API" {
			t.Errorf("%d: /: %s", era, got)
		}
		v1 := ask(t, s, nobody, "GET", "/v1", "")
		if got := keysOf(v1.body); v1.status != 200 || got != want.v1 {
			t.Errorf("%d: /v1: %s", era, got)
		}
		for _, h := range []string{"", "-Minimum", "-Maximum"} {
			if v := v1.header.Get("X-OpenStack-Iotronic-API" + h + "-Version"); v != "1.0" {
				t.Errorf("%d: %s %q", era, h, v)
			}
		}
	}
}

func TestVersions(t *testing.T) { // §1.5
	t.Parallel()
	s := iotronictest.Start(t, iotronictest.Boards2019)
	const header = "X-OpenStack-Iotronic-API-Version"
	for version, want := range map[string]struct {
		status int
		most   string
	}{"": {200, "1.0"}, "1.0": {200, "1.0"}, "latest": {200, "1.0"}, "1.9": {406, "1.0"}, "foo": {406, ""}} {
		got := ask(t, s, admin, "GET", "/v1/boards", "", header, version)
		if got.status != want.status || got.header.Get("X-OpenStack-Iotronic-API-Maximum-Version") != want.most || (got.header.Get(header) == "") != (want.status == 406) {
			t.Errorf("version %q: %d %v", version, got.status, got.header)
		}
	}
	// Another service's header counts for nothing.
	if got := ask(t, s, admin, "GET", "/v1/boards", "", "X-OpenStack-Ironic-API-Version", "1.82"); got.status != 200 {
		t.Errorf("Ironic's header: %d", got.status)
	}
}

func TestFields(t *testing.T) { // §2.3 to 2.5
	t.Parallel()
	for _, c := range []struct {
		era  iotronictest.Era
		path string
		want string
	}{
		{iotronictest.Nodes2016, "/v1/nodes", "code name session status uuid"},
		{iotronictest.Nodes2017, "/v1/nodes", "code links location name session status type uuid"},
		{iotronictest.Nodes2017, "/v1/nodes?fields=name", "links location name"},
		{iotronictest.Nodes2017, "/v1/nodes/detail", "code created_at extra links location mobile name owner project session status type updated_at uuid"},
		{iotronictest.Boards2019, "/v1/boards", "code connectivity fleet links location lr_version name session status type uuid"},
		{iotronictest.Boards2019, "/boards", "code connectivity fleet links location lr_version name session status type uuid"},
		{iotronictest.Boards2019, "/v1/boards/?fields=NAME,bogus", "links location name session"},
		{iotronictest.Boards2019, "/v1/boards/detail", "code connectivity created_at extra fleet links location lr_version mobile name owner project session status type updated_at uuid"},
	} {
		s := iotronictest.Start(t, c.era)
		key := map[bool]string{true: "boards", false: "nodes"}[c.era == iotronictest.Boards2019]
		s.Add(key, iotronictest.Object{"name": "a", "code": "c"})
		got := ask(t, s, admin, "GET", c.path, "")
		if got.status != 200 || got.fields(key) != c.want {
			t.Errorf("%s: %d %s, want %s", c.path, got.status, got.fields(key), c.want)
		}
	}
}

// TestNext: the link that forgets (§6, 1 and 2).
func TestNext(t *testing.T) {
	t.Parallel()
	s := iotronictest.Start(t, iotronictest.Boards2019, iotronictest.MaxLimit(2))
	fleet := s.Add("fleets", iotronictest.Object{"name": "f"})
	var last string
	for _, name := range []string{"a", "b", "c", "d"} {
		last = s.Add("boards", iotronictest.Object{"name": name, "code": name, "status": "online", "fleet": fleet})
	}
	second := strings.Replace(last, "5", "3", 2)
	link := "http://iotronic.invalid:1288/v1/boards?limit=2&marker="
	for path, want := range map[string]any{
		"/v1/boards":                                 link + second,
		"/v1/boards/detail?status=online":            link + second,
		"/v1/boards?fields=uuid,name&sort_key=name":  link + second + "&sort_key=name",
		"/v1/boards?fields=name":                     link + "Unset",
		"/v1/boards?limit=2&marker=" + second:        link + last, // the page is just full
		"/v1/boards?limit=2&marker=" + last:          nil,
		"/v1/boards?limit=1000":                      link + second,
		"/v1/fleets/" + fleet + "/boards?limit=2":    link + second,
		"/v1/fleets/" + fleet + "/boards":            nil,
		"/v1/fleets/f/boards":                        nil,
		"/v1/boards?status=offline":                  nil,
		"/v1/boards?sort_dir=desc&limit=3&status=no": nil,
	} {
		got := ask(t, s, admin, "GET", path, "")
		if diff := cmp.Diff(want, got.body["next"]); got.status != 200 || diff != "" {
			t.Errorf("%s: %d %s", path, got.status, diff)
		}
	}
	if got := ask(t, s, admin, "GET", "/v1/fleets/"+fleet+"/boards", "").values("boards", "name"); len(got) != 4 {
		t.Errorf("a fleet's boards are cut: %v", got)
	}
	if got := ask(t, s, admin, "GET", "/v1/fleets/f/boards", "").values("boards", "name"); len(got) != 0 {
		t.Errorf("a fleet's name has boards: %v", got)
	}
}

// TestRefusals: what is refused, and with which words.
func TestRefusals(t *testing.T) {
	t.Parallel()
	servers := map[iotronictest.Era]*iotronictest.Server{}
	for _, era := range []iotronictest.Era{iotronictest.Nodes2016, iotronictest.Nodes2017, iotronictest.Boards2019} {
		servers[era] = iotronictest.Start(t, era)
	}
	n16, n17, b19 := servers[iotronictest.Nodes2016], servers[iotronictest.Nodes2017], servers[iotronictest.Boards2019]
	old := n16.Add("nodes", iotronictest.Object{"name": "one", "code": "c1"})
	n17.Add("nodes", iotronictest.Object{"name": "one", "code": "c1"})
	board := b19.Add("boards", iotronictest.Object{"name": "twin", "code": "c1"})
	b19.Add("boards", iotronictest.Object{"name": "twin", "code": "c2"})
	const place = `"location":[{"latitude":"1","longitude":"2","altitude":"3"}]`
	for _, c := range []struct {
		s            *iotronictest.Server
		by           iotronictest.User
		method, path string
		body         string
		status       int
		message      string
	}{
		{n16, admin, "GET", "/v1/nodes?fields=name", "", 400, "Unknown argument"},
		{n16, admin, "GET", "/v1/nodes/detail", "", 404, "Node detail could not be found"},
		{n16, admin, "GET", "/v1/nodes/one", "", 404, "could not be found"}, // by name is impossible
		{n16, admin, "PATCH", "/v1/nodes/" + old, `{}`, 405, "not allowed"},
		{n16, iotronictest.Member, "GET", "/v1/nodes", "", 403, "denied"},
		{n16, admin, "POST", "/v1/nodes", `{"name":"x","code":"c9"}`, 400, "location"},
		{n16, admin, "GET", "/v1/drivers", "", 404, "Not Found"}, // §6, 6
		{n17, admin, "GET", "/v1/nodes?status=x", "", 400, "Unknown argument"},
		{n17, admin, "GET", "/v1/nodes?project=x", "", 400, "Unknown argument"},
		{n17, admin, "GET", "/v1/nodes/detail?project=x", "", 200, ""},
		{n17, admin, "GET", "/v1/nodes/one", "", 200, ""},
		{b19, iotronictest.User{}, "GET", "/v1/boards", "", 401, ""},
		{b19, admin, "GET", "/v1/nodes", "", 404, "Not Found"},
		{b19, admin, "GET", "/v1/boards?limit=0", "", 400, "Limit must be positive"},
		{b19, admin, "GET", "/v1/boards?limit=-1", "", 400, "Limit must be positive"},
		{b19, admin, "GET", "/v1/boards?limit=x", "", 400, "convert to int"},
		{b19, admin, "GET", "/v1/boards?sort_dir=up", "", 400, "sort direction"},
		{b19, admin, "GET", "/v1/boards?sort_key=extra", "", 400, "sorting"},
		{b19, admin, "GET", "/v1/boards?sort_key=bogus", "", 400, "sorting"},
		{b19, admin, "GET", "/v1/boards?marker=Unset", "", 400, "Expected a uuid"},
		{b19, admin, "GET", "/v1/boards?marker=00000000-0000-0000-0000-000000000000", "", 404, "could not be found"},
		{b19, admin, "GET", "/v1/boards?bogus=1", "", 400, "Unknown argument"},
		{b19, iotronictest.Member, "GET", "/v1/boards?project=x", "", 400, "only by the administrator"},
		{b19, admin, "GET", "/v1/fleets?fields=bogus", "", 400, "not valid"},
		{b19, admin, "GET", "/v1/ports?fields=MAC_add", "", 400, "not valid"}, // lower-cased
		{b19, admin, "GET", "/v1/fleets/detail", "", 500, ""},
		{b19, admin, "GET", "/v1/webservices/detail", "", 500, ""},
		{b19, admin, "GET", "/v1/fleets/x", "", 404, "Fleet %(Fleet)s could not be found."},
		{b19, iotronictest.Member, "GET", "/v1/fleets/x", "", 403, "Policy"},
		{b19, admin, "GET", "/v1/boards/twin", "", 500, "Multiple rows were found when exactly one was required"},
		{b19, admin, "DELETE", "/v1/boards/twin", "", 500, "Multiple rows"},
		{b19, admin, "POST", "/v1/boards", `{"name":"x","code":"c3",` + place + `}`, 403, "Policy"}, // an admin
		{b19, iotronictest.Manager, "POST", "/v1/boards", `{"name":"x","code":"c1",` + place + `}`, 409, "A board with code c1 already exists."},
		{b19, iotronictest.Manager, "POST", "/v1/boards", `{"name":"X Y","code":"c3",` + place + `}`, 400, "invalid name"},
		{b19, iotronictest.Manager, "POST", "/v1/boards", `{"name":"` + board + `","code":"c3",` + place + `}`, 400, "invalid name"},
		{b19, iotronictest.Manager, "POST", "/v1/boards", `{"name":"x","code":"c3","location":[]}`, 400, "location"},
		{b19, iotronictest.Manager, "POST", "/v1/boards", `{"name":"x","code":"c3","links":[],` + place + `}`, 400, "Unknown attribute"},
		{b19, iotronictest.Manager, "POST", "/v1/boards", `{"name":"x","code":"c4",` + place + `}`, 201, ""},
		{b19, admin, "PATCH", "/v1/boards/" + board, `[{"op":"add","path":"/name","value":"y"}]`, 500, "'list' object has no attribute 'keys'"},
		{b19, admin, "PATCH", "/v1/boards/" + board, `{"uuid":"y"}`, 400, "uuid"},
		{b19, admin, "PATCH", "/v1/boards/" + board, `{"created_at":"y"}`, 400, "Unknown attribute"},
		{b19, iotronictest.Member, "PATCH", "/v1/boards/" + board, `{"type":"y"}`, 403, "Policy"},
		{b19, admin, "PUT", "/v1/boards/" + board + "/plugins", `{"plugin":"p"}`, 400, "Board " + board + " is not connected."},
		{b19, admin, "POST", "/v1/fleets/" + board + "/boards/detail", "", 405, ""},
		{b19, admin, "GET", "/v1/fleets/" + board + "/boards?marker=" + board, "", 500, ""},
	} {
		got := ask(t, c.s, c.by, c.method, c.path, c.body)
		if got.status != c.status || !strings.Contains(got.message(), c.message) {
			t.Errorf("%s %s: %d %q, want %d %q", c.method, c.path, got.status, got.message(), c.status, c.message)
		}
	}
}

// TestScope: lists are of the caller's project, an admin's too; single objects are not (§6, 9).
func TestScope(t *testing.T) {
	t.Parallel()
	s := iotronictest.Start(t, iotronictest.Boards2019)
	s.Add("boards", iotronictest.Object{"name": "mine", "code": "c1"})
	s.Add("boards", iotronictest.Object{"name": "theirs", "code": "c2", "project": iotronictest.Stranger.Project})
	s.Add("plugins", iotronictest.Object{"name": "own"})
	s.Add("plugins", iotronictest.Object{"name": "public", "owner": "x", "public": true})
	s.Add("plugins", iotronictest.Object{"name": "secret", "owner": "x"})
	for _, c := range []struct {
		by        iotronictest.User
		path, key string
		want      []any
	}{
		{admin, "/v1/boards", "boards", []any{"mine"}},
		{iotronictest.Stranger, "/v1/boards/detail", "boards", []any{"theirs"}},
		{admin, "/v1/boards?project=" + iotronictest.Stranger.Project, "boards", []any{"theirs"}},
		{admin, "/v1/plugins", "plugins", []any{"own"}},
		{admin, "/v1/plugins?with_public=true", "plugins", []any{"own", "public"}},
		{admin, "/v1/plugins?all_plugins=true", "plugins", []any{"own", "public", "secret"}},
		{iotronictest.Member, "/v1/plugins/public", "plugins", []any{"public"}},
	} {
		if diff := cmp.Diff(c.want, ask(t, s, c.by, "GET", c.path, "").values(c.key, "name")); diff != "" {
			t.Errorf("%s: %s", c.path, diff)
		}
	}
	if got := ask(t, s, iotronictest.Stranger, "GET", "/v1/boards/mine", ""); got.status != 200 {
		t.Errorf("another project's board: %d", got.status)
	}
	// Without authentication the headers say who asks (§4).
	open := iotronictest.Start(t, iotronictest.Boards2019, iotronictest.NoAuth())
	open.Add("boards", iotronictest.Object{"name": "mine", "code": "c1"})
	if got := ask(t, open, iotronictest.User{}, "GET", "/v1/boards", "", "X-Project-Id", "p"); len(got.values("boards", "name")) != 0 {
		t.Errorf("another project sees %v", got.body)
	}
}

// TestChange: an object patch, whose answer shows the time before (§2.5).
func TestChange(t *testing.T) {
	t.Parallel()
	s := iotronictest.Start(t, iotronictest.Boards2019)
	board := s.Add("boards", iotronictest.Object{"name": "a", "code": "c", "extra": iotronictest.Object{"k": 1}})
	first := ask(t, s, admin, "PATCH", "/v1/boards/a", `{"type":"server"}`)
	if first.body["type"] != "server" || first.body["updated_at"] != nil || first.body["name"] != "a" {
		t.Errorf("first: %v", first.body)
	}
	if now := ask(t, s, admin, "GET", "/v1/boards/"+board, ""); now.body["updated_at"] == nil || now.body["type"] != "server" {
		t.Errorf("afterwards: %v", now.body)
	}
	if got := ask(t, s, admin, "DELETE", "/v1/boards/"+board, ""); got.status != 204 {
		t.Errorf("delete: %d", got.status)
	}
	if got := ask(t, s, admin, "GET", "/v1/boards/"+board, ""); got.status != 404 {
		t.Errorf("afterwards: %d", got.status)
	}
}

// TestBelow: the lists below a board, and the one that does something (§6, 8).
func TestBelow(t *testing.T) {
	t.Parallel()
	s := iotronictest.Start(t, iotronictest.Boards2019)
	board := s.Add("boards", iotronictest.Object{"name": "a", "code": "c"})
	s.Add("injections", iotronictest.Object{"board_uuid": board, "plugin": "p"})
	s.Add("exposed", iotronictest.Object{"board_uuid": board, "service": "s", "public_port": 50022})
	s.Add("ports", iotronictest.Object{"board_uuid": board, "ip": "10.0.0.7"})
	s.Add("webservices", iotronictest.Object{"board_uuid": board, "name": "w", "port": 80})
	s.Add("enabledwebservices", iotronictest.Object{"board_uuid": board, "dns": "d"})
	for path, want := range map[string]struct {
		key, member string
		value       any
	}{
		"/v1/boards/a/plugins":     {"injections", "plugin", "p"},
		"/v1/boards/a/services":    {"exposed", "public_port", 50022.0},
		"/v1/boards/a/ports":       {"ports", "ip", "10.0.0.7"},
		"/v1/boards/a/webservices": {"webservices", "name", "w"},
		"/v1/enabledwebservices":   {"EnabledWebservices", "dns", "d"},
	} {
		if got := ask(t, s, admin, "GET", path, "").values(want.key, want.member); len(got) != 1 || got[0] != want.value {
			t.Errorf("%s: %v", path, got)
		}
	}
	if s.Restored() != 0 {
		t.Error("reading restores")
	}
	ask(t, s, admin, "GET", "/v1/boards/a/services/restore", "")
	if s.Restored() != 1 {
		t.Error("restore is not counted")
	}
}
