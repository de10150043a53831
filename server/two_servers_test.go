package server_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// beside is a second server of the same database.
func (f *fixture) beside() *fixture {
	f.t.Helper()
	return f.besideWith(server.Options{})
}

// besideWith is beside with options of its own.
func (f *fixture) besideWith(o server.Options) *fixture {
	f.t.Helper()
	s, err := server.Open(f.t.Context(), f.database, o)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = s.Close() })
	h := httptest.NewServer(s.Handler())
	f.t.Cleanup(h.Close)
	return &fixture{t: f.t, server: s, database: f.database, url: h.URL, root: f.root}
}

// TestTwoServers: what is done at one server of a database counts at the other one with its next request: keys, roles,
// what is protected, sets, variables that hosts inherit, and what a tag says of all that.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	here := newFixture(t)
	there := here.beside()
	root := here.root

	here.place("c", "r", "l")
	host := here.must(root, 201, "POST", "/v1/hosts", `{"name":"h","ip_address":"192.0.2.1","device_type":"server","cloud_id":1,"region_id":1}`).id(t)
	user := here.must(root, 201, "POST", "/v1/users", `{"username":"someone","project_id":"`+root.project+`"}`)
	someone := caller{root.project, "someone", user.JSON["api_key"].(string)}
	for n, at := range []*fixture{here, there, here, there} { // each writes, and the other one is asked
		other := map[*fixture]*fixture{here: there, there: here}[at]
		what := fmt.Sprint("round ", n)

		made := at.must(root, 201, "POST", "/v1/users/"+user.id(t)+"/keys", fmt.Sprintf(`{"name":"k%d"}`, n))
		with := caller{root.project, "someone", made.JSON["key"].(string)}
		other.must(with, 200, "GET", "/v1/hosts/"+host, "")
		at.must(root, 204, "DELETE", "/v1/users/"+user.id(t)+"/keys/"+made.id(t), "")
		other.must(with, 401, "GET", "/v1/hosts/"+host, "")

		at.must(root, 200, "PUT", "/v1/users/"+user.id(t)+"/role", `{"role":"reader"}`)
		other.must(someone, 403, "PUT", "/v1/hosts/"+host, `{"note":"`+what+`"}`)
		at.must(root, 200, "PUT", "/v1/users/"+user.id(t)+"/role", `{"role":"member"}`)
		other.must(someone, 200, "PUT", "/v1/hosts/"+host, `{"note":"`+what+`"}`)

		at.must(root, 200, "PUT", "/v1/hosts/"+host+"/protected", `{"protected":true}`)
		other.must(root, 409, "DELETE", "/v1/hosts/"+host, "")
		at.must(root, 200, "PUT", "/v1/hosts/"+host+"/protected", `{"protected":false}`)

		at.must(root, 204, "PUT", "/v1/sets/web", `{"members":{"host":[`+host+`]}}`)
		if r := other.must(root, 200, "GET", "/v1/sets/web", ""); !strings.Contains(r.Text, host) {
			t.Errorf("%s: the set at the other server is %s", what, r.Text)
		}
		at.must(root, 204, "DELETE", "/v1/sets/web", "")

		for _, path := range []string{"/v1/hosts?details=all", "/v1/hosts/" + host, "/v1/fleet"} {
			tag := other.must(root, 200, "GET", path, "").Header.Get("ETag")
			at.must(root, 200, "PUT", "/v1/regions/1/variables", fmt.Sprintf(`{"ntp":"%d%s"}`, n, path))
			r := other.must(root, 200, "GET", path, "")
			if r.Header.Get("ETag") == tag || !strings.Contains(r.Text, fmt.Sprintf("%d%s", n, path)) {
				t.Errorf("%s: %s at the other server is as it was: %s", what, path, r.Text)
			}
		}
	}
}

// TestTwoServersRetain: two servers that remove old changes at once, and write meanwhile, leave what one would.
func TestTwoServersRetain(t *testing.T) {
	t.Parallel()
	here := newFixture(t)
	there := here.beside()
	here.place("c", "r", "l")
	for n := range 30 {
		here.must(here.root, 200, "PUT", "/v1/clouds/1", fmt.Sprintf(`{"note":"%d"}`, n))
	}
	ctx, stop := context.WithCancel(t.Context())
	var both sync.WaitGroup
	for _, s := range []*server.Server{here.server, there.server} {
		both.Add(1)
		wait := s.Retain(ctx, time.Nanosecond)
		go func() { defer both.Done(); wait() }()
	}
	left := func() int {
		return enginetest.Count(t, here.database, "SELECT count(*) FROM changes WHERE kind = 'cloud'")
	}
	for deadline := time.Now().Add(time.Minute); left() > 2 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	both.Wait()
	if n := left(); n != 2 { // its creation and its last change
		t.Errorf("%d changes of the cloud are left", n)
	}
	here.must(here.root, 200, "PUT", "/v1/clouds/1", `{"note":"after"}`)
	if n := left(); n != 3 {
		t.Errorf("%d changes of the cloud after another one", n)
	}
}

// TestTwoServersRecordUses: two servers that store the last use of the same keys at once do it without errors, and
// neither takes back what the other one has stored since.
func TestTwoServersRecordUses(t *testing.T) {
	t.Parallel()
	here := newFixture(t)
	there := here.beside()
	keys := []caller{here.root}
	user := here.must(here.root, 201, "POST", "/v1/users", `{"username":"someone","project_id":"`+here.root.project+`"}`)
	for n := range 20 {
		made := here.must(here.root, 201, "POST", "/v1/users/"+user.id(t)+"/keys", fmt.Sprintf(`{"name":"k%d"}`, n))
		keys = append(keys, caller{here.root.project, "someone", made.JSON["key"].(string)})
	}
	changes := here.cursor(here.root)
	for n := range keys {
		here.must(keys[n], 200, "GET", "/v1/clouds", "")
		there.must(keys[len(keys)-1-n], 200, "GET", "/v1/clouds", "")
	}
	const later = 1_111_112 * 3600 // by a server whose clock is ahead, or that was faster
	enginetest.Exec(t, here.database, fmt.Sprintf("UPDATE user_keys SET used_at = %d WHERE name = 'k7'", later))
	ctx, end := context.WithCancel(t.Context())
	waits := []func(){here.server.RecordUses(ctx), there.server.RecordUses(ctx)}
	end() // both store now
	for _, wait := range waits {
		wait()
	}
	if n := enginetest.Count(t, here.database, "SELECT count(*) FROM user_keys WHERE used_at % 3600 = 0"); n != len(keys) {
		t.Errorf("the last use of %d keys of %d is stored", n, len(keys))
	}
	if n := enginetest.Count(t, here.database, "SELECT used_at FROM user_keys WHERE name = 'k7'"); n != later {
		t.Errorf("a later use became %d", n)
	}
	if after := here.cursor(here.root); after != changes {
		t.Errorf("the change log was at %s and is at %s", changes, after)
	}
}
