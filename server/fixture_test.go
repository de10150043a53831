package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// caller is a user's credentials.
type caller struct{ project, user, key string }

func (c caller) sign(r *http.Request) {
	r.Header.Set("X-Auth-Project", c.project)
	r.Header.Set("X-Auth-User", c.user)
	r.Header.Set("X-Auth-Token", c.key)
}

// fixture is a server on an empty database with its first root user.
type fixture struct {
	t        testing.TB
	server   *server.Server
	database string
	url      string
	root     caller
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	return newFixtureWith(t, server.Limits{})
}

// limitsForOverload leave room for one answer of 9 MB.
var limitsForOverload = server.Limits{Temporary: 12 << 20}

func newFixtureWith(t testing.TB, l server.Limits) *fixture {
	t.Helper()
	return newFixtureOn(t, enginetest.Database(t), l)
}

func newFixtureOn(t testing.TB, database string, l server.Limits) *fixture {
	t.Helper()
	return newFixtureAs(t, database, server.Options{Create: true, Limits: l})
}

func newFixtureAs(t testing.TB, database string, o server.Options) *fixture {
	t.Helper()
	s, err := server.Open(t.Context(), database, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	b, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	enginetest.DisturbButIDs(t, database)
	h := httptest.NewServer(s.Handler())
	t.Cleanup(h.Close)
	return &fixture{t: t, server: s, database: database, url: h.URL, root: caller{b.ProjectID, b.Username, b.APIKey}}
}

// plain takes answers as they come: compression is not asked for unless a test does.
var plain = &http.Client{Transport: func() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true
	return t
}()}

func do(t testing.TB, req *http.Request) (*http.Response, []byte) {
	t.Helper()
	resp, err := plain.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

// reply is a response with its parsed body.
type reply struct {
	Status int
	Header http.Header
	Text   string
	JSON   map[string]any // numbers as json.Number
}

// message is the error's text.
func (r reply) message() string {
	m, _ := r.JSON["message"].(string)
	return m
}

// objects are the elements of a list body.
func (r reply) objects(t testing.TB, key string) []map[string]any {
	t.Helper()
	list, ok := r.JSON[key].([]any)
	if !ok {
		t.Fatalf("no list %q in %d %s", key, r.Status, r.Text)
	}
	objects := make([]map[string]any, len(list))
	for i, v := range list {
		objects[i] = v.(map[string]any)
	}
	return objects
}

// link is the href of a list's link, "" if there is none.
func (r reply) link(rel string) string {
	links, _ := r.JSON["links"].([]any)
	for _, l := range links {
		if m := l.(map[string]any); m["rel"] == rel {
			return m["href"].(string)
		}
	}
	return ""
}

// call sends a request; body is JSON text, "" for none. path may be a whole URL.
func (f *fixture) call(who caller, method, path, body string) reply {
	f.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = f.url + path
	}
	req, err := http.NewRequestWithContext(f.t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	who.sign(req)
	return f.send(req)
}

// send sends a request as it is.
func (f *fixture) send(req *http.Request) reply {
	f.t.Helper()
	resp, data := do(f.t, req)
	r := reply{Status: resp.StatusCode, Header: resp.Header, Text: string(data)}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	_ = d.Decode(&r.JSON) // not every body is an object
	return r
}

// must is call for what has to succeed with a status.
func (f *fixture) must(who caller, status int, method, path, body string) reply {
	f.t.Helper()
	r := f.call(who, method, path, body)
	if r.Status != status {
		f.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, r.Status, r.Text, status)
	}
	return r
}

// id is the id of what a request created, as text.
func (r reply) id(t testing.TB) string {
	t.Helper()
	switch id := r.JSON["id"].(type) {
	case json.Number:
		return id.String()
	case string:
		return id
	}
	t.Fatalf("no id in %d %s", r.Status, r.Text)
	return ""
}

// place makes a cloud, a region and a cell, each with id 1 in a new database.
func (f *fixture) place(cloud, region, cell string) {
	f.t.Helper()
	c := f.must(f.root, 201, "POST", "/v1/clouds", `{"name":"`+cloud+`"}`).id(f.t)
	r := f.must(f.root, 201, "POST", "/v1/regions", `{"name":"`+region+`","cloud_id":`+c+`}`).id(f.t)
	f.must(f.root, 201, "POST", "/v1/cells", `{"name":"`+cell+`","cloud_id":`+c+`,"region_id":`+r+`}`)
}

// logSize is that of the write-ahead log, in bytes; 0 if the database is no file.
func (f *fixture) logSize() int64 {
	f.t.Helper()
	path, ok := strings.CutPrefix(f.database, "sqlite:")
	if !ok {
		return 0
	}
	info, err := os.Stat(path + "-wal")
	if err != nil {
		f.t.Fatal(err)
	}
	return info.Size()
}

// count runs a query for one number on the database itself.
func (f *fixture) count(t testing.TB, query string) int {
	t.Helper()
	return enginetest.Count(t, f.database, query)
}
