package fleetfile

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/postgrestest"
	"github.com/craton-fleet/craton/internal/skip"
	"github.com/craton-fleet/craton/internal/wording"
	"github.com/craton-fleet/craton/server"
)

// recorder notes the requests that a handler gets.
type recorder struct {
	http.Handler
	mu       sync.Mutex
	requests []string
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.requests = append(r.requests, req.Method+" "+req.URL.Path)
	r.mu.Unlock()
	r.Handler.ServeHTTP(w, req)
}

// taken returns the requests so far; they are forgotten.
func (r *recorder) taken() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	requests := r.requests
	r.requests = nil
	return requests
}

func (r *recorder) writes() []string {
	return slices.DeleteFunc(r.taken(), func(req string) bool { return req[:4] == "GET " })
}

// serverAPI returns craton server on an empty file, in this process.
func serverAPI(t testing.TB) api {
	t.Helper()
	r := newServer(t, t.TempDir())
	return api{Client: clientOf(t, r), writes: r.writes, moves: true}
}

// fixture is testing.TB or *rapid.T.
type fixture interface {
	Helper()
	Context() context.Context
	Fatal(...any)
	Cleanup(func())
}

// database returns a file in dir, or what CRATON_TEST_ENGINE says: an empty database of PostgreSQL, straight or through
// a pgbouncer.
func database(t fixture, dir string) string {
	t.Helper()
	switch engine := os.Getenv("CRATON_TEST_ENGINE"); engine {
	case "", "sqlite":
		return "sqlite:" + filepath.Join(dir, "fleet.db")
	case "postgres":
		return postgrestest.Database(asTB{t: t})
	case "pgbouncer":
		return postgrestest.Bounced(asTB{t: t})
	default:
		t.Fatal("CRATON_TEST_ENGINE: there are sqlite, postgres and pgbouncer here, and not ", engine)
		return ""
	}
}

// size returns how many random fleets a test tries on the server: 1,000 where CRATON_TEST_PROOF is set, and fewer where
// each needs a database of PostgreSQL.
func size(usual int) int {
	switch engine := os.Getenv("CRATON_TEST_ENGINE"); {
	case engine != "" && engine != "sqlite":
		return max(usual/5, 4)
	case os.Getenv("CRATON_TEST_PROOF") != "":
		return 1000
	}
	return usual
}

// asTB is a fixture for what takes a test.
type asTB struct {
	testing.TB // nil
	t          fixture
}

func (a asTB) Helper()                      { a.t.Helper() }
func (a asTB) Context() context.Context     { return a.t.Context() }
func (a asTB) Cleanup(f func())             { a.t.Cleanup(f) }
func (a asTB) Error(args ...any)            { a.t.Fatal(args...) }
func (a asTB) Fatal(args ...any)            { a.t.Fatal(args...) }
func (a asTB) Fatalf(f string, args ...any) { a.t.Fatal(fmt.Sprintf(f, args...)) }
func (a asTB) Skipf(f string, args ...any)  { a.t.Fatal(fmt.Sprintf(f, args...)) }
func (a asTB) Skip(args ...any)             { a.t.Fatal(args...) }

func newServer(t fixture, dir string) *recorder {
	t.Helper()
	s, err := server.Open(t.Context(), database(t, dir), server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h, err := s.Embedded(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return &recorder{Handler: h}
}

// TestRulesOnServer is TestRules with craton server. A file for each fleet takes its time, so there are fewer of them.
func TestRulesOnServer(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("opens many databases")
	}
	dir := t.TempDir()
	most := size(12)
	runs, failed := 0, false
	rapid.Check(t, func(t *rapid.T) {
		if runs++; runs > most && !failed { // once one failed, rapid repeats it to make it small
			return
		}
		failed = true // until it is known to have passed
		d, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		s, others := oneOfSeveral(t, d)
		checkRules(t, s)
		others()
		failed = false
	})
}

// TestFedora loads the real fleet.
func TestFedora(t *testing.T) {
	t.Parallel()
	file, err := os.Open(skip.RealFleet(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	begin := time.Now()
	f, err := Parse("fedora-fleet.yml", file)
	if err != nil {
		t.Fatal(err)
	}
	parsed := time.Since(begin)
	r := newServer(t, t.TempDir())
	c := clientOf(t, r)
	begin = time.Now()
	first, err := Apply(t.Context(), c, f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d objects: parsed in %v, loaded in %v", f.Len(), parsed, time.Since(begin))
	if got, want := counts(first), [3]int{1 + 10 + 58 + 351, 1, 0}; got != want {
		t.Errorf("created, updated, unchanged: %v, want %v", got, want)
	}
	r.taken()
	begin = time.Now()
	again, err := Apply(t.Context(), c, f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	requests := r.taken()
	t.Logf("compared in %v with %d requests", time.Since(begin), len(requests))
	if again.Changed() || again.Unchanged != f.Len() {
		t.Errorf("again: %v", counts(again))
	}
	if i := slices.IndexFunc(requests, func(r string) bool { return r[:4] != "GET " }); i >= 0 {
		t.Errorf("the second run wrote: %s", requests[i])
	}
	if len(requests) > 60 {
		t.Errorf("%d requests for 351 hosts in 10 regions", len(requests))
	}
	hosts, parents := 0, 0
	for h, err := range c.Hosts.All(t.Context(), craton.HostListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		hosts++
		if h.ParentID != 0 {
			parents++
		}
	}
	if hosts != 351 || parents != 230 {
		t.Errorf("%d hosts, %d of them with a parent", hosts, parents)
	}
}

// TestRoles applies a file over the network as the roles of the v1 contract §1.5.
func TestRoles(t *testing.T) {
	t.Parallel()
	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s.Handler())
	t.Cleanup(h.Close)
	client := func(user, key, project string) *craton.Client {
		c, err := craton.New(h.URL, craton.WithLocalAuth(user, key, project))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	root := client(b.Username, b.APIKey, b.ProjectID)
	users, projects := map[string]*craton.Client{}, map[string]string{}
	for _, name := range []string{"blue", "green"} {
		p, err := root.Projects.Create(t.Context(), craton.ProjectCreate{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		projects[name] = p.ID
		for _, admin := range []bool{true, false} {
			u, err := root.Users.Create(t.Context(), craton.UserCreate{Username: "u" + strconv.FormatBool(admin), ProjectID: p.ID, IsAdmin: admin})
			if err != nil {
				t.Fatal(err)
			}
			users[name+strconv.FormatBool(admin)] = client(u.Username, string(u.APIKey), p.ID)
		}
	}
	// Nothing tells an admin of an empty project which one it is.
	if _, err := Apply(t.Context(), users["bluetrue"], parse(t, fleet), Options{}); err == nil || !strings.Contains(err.Error(), "OS_PROJECT_ID") {
		t.Errorf("%v", err)
	}
	// The same names in two projects do not meet.
	for _, name := range []string{"blue", "green"} {
		r, err := applyAs(t.Context(), users[name+"true"], projects[name], parse(t, fleet), Options{})
		if err != nil || counts(r) != [3]int{10, 1, 0} {
			t.Fatalf("%s: %v %+v", name, err, r)
		}
	}
	// A member finds everything true, the project's variables too, and may change all but those.
	member := users["greenfalse"]
	r, err := Apply(t.Context(), member, parse(t, fleet), Options{})
	if err != nil || r.Changed() || len(r.Changes) != 11 {
		t.Fatalf("%v %+v", err, r)
	}
	_, err = Apply(t.Context(), member, parse(t, strings.Replace(fleet, "ntp1", "ntp2", 1)), Options{})
	wording.Want(t, err, "f.yml:3: project.variables: ntp ... not allowed to change ... variables ... admin")
	r, err = Apply(t.Context(), member, parse(t, strings.Replace(fleet, "row 1", "row 2", 1)), Options{})
	if err != nil || counts(r) != [3]int{0, 1, 10} {
		t.Errorf("%v %+v", err, r)
	}
	// Root sees both projects and must say which one it means.
	if _, err := Apply(t.Context(), root, parse(t, fleet), Options{Check: true}); err == nil || !strings.Contains(err.Error(), "OS_PROJECT_ID") {
		t.Errorf("%v", err)
	}
	if r, err := applyAs(t.Context(), root, strings.ReplaceAll(strings.ToUpper(projects["green"]), "-", ""), parse(t, fleet), Options{Check: true}); err != nil || counts(r) != [3]int{0, 1, 10} {
		t.Errorf("%v %+v", err, r)
	}
}
