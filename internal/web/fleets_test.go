package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/web"
	"github.com/craton-fleet/craton/server"
)

// TestKept: what looks at the whole fleet reads it once as long as nothing changes, and shows a change, whoever made
// it, at the next look.
func TestKept(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	api := &counting{Handler: f.api}
	c := clientOf(t, api)
	f.page = web.New(web.Options{Client: func(*http.Request) (*craton.Client, error) { return c, nil }})
	paths := []string{"/ui/", "/ui/index.json", "/ui/variables/ntp", "/ui/variables/ntp.json", "/ui/variables/ntp?where=label%3Dweb", "/ui/variables/none"}
	look := func() string {
		var all strings.Builder
		for _, path := range paths {
			all.WriteString(f.get(path).Body.String())
		}
		return all.String()
	}
	first := look()
	if n := api.fleets.Load(); n != 4 {
		t.Errorf("%d fleets are read for the tree, a variable, with terms, and one that is not there", n)
	}
	if again := look(); again != first || api.fleets.Load() != 4 {
		t.Errorf("%d fleets are read, and the pages are the same: %v", api.fleets.Load(), again == first)
	}
	f.apply(strings.Replace(smallFleet, "ntp: 10.0.0.1", "ntp: 10.9.9.9", 1))
	changed := look()
	if !strings.Contains(changed, "10.9.9.9") || strings.Contains(changed, "10.0.0.1") {
		t.Error("a change is not shown")
	}
	if n := api.fleets.Load(); n != 8 {
		t.Errorf("%d fleets are read behind a change", n)
	}
	if past := f.get("/ui/variables/ntp?at=" + "1").Body.String(); strings.Contains(past, "10.9.9.9") {
		t.Error("the present is taken for the past")
	}
	if now := look(); now != changed {
		t.Error("the past is taken for the present")
	}
}

// TestKeptApart: what is kept for one tenant or role is shown to no other.
func TestKeptApart(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, server.Options{})
	cookies := map[string]*http.Cookie{}
	for _, name := range []string{"blue", "green"} {
		p, err := tm.root.Projects.Create(t.Context(), craton.ProjectCreate{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		tm.project = p.ID
		for _, role := range []string{"admin", "member", "reader"} {
			u, err := tm.root.Users.Create(t.Context(), craton.UserCreate{Username: name + role, ProjectID: p.ID})
			if err != nil {
				t.Fatal(err)
			}
			if err := tm.root.Users.SetRole(t.Context(), u.ID, craton.Role(role)); err != nil {
				t.Fatal(err)
			}
			tm.user[name+role] = string(u.APIKey)
			cookies[name+role] = tm.signIn(name + role)
		}
		c, err := craton.New("http://embedded", craton.WithTransport(connect.InProcess(tm.api)), craton.WithLocalAuth(name+"admin", tm.user[name+"admin"], p.ID))
		if err != nil {
			t.Fatal(err)
		}
		file, err := fleetfile.Parse("f.yml", strings.NewReader("clouds: [{name: "+name+"-cloud, variables: {owner: "+name+"-team, secret: x}, regions: [{name: r, hosts: [{name: "+name+"-host, ip_address: 10.0.0.1, device_type: x, variables: {owner: a}}]}]}]"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fleetfile.Apply(t.Context(), c, file, fleetfile.Options{}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Projects.SetVariables(t.Context(), p.ID, craton.Vars(map[string]any{"owner": name + "-project", "secret": name + "-secret"})); err != nil {
			t.Fatal(err)
		}
	}
	paths := []string{"/ui/", "/ui/index.json", "/ui/variables/owner", "/ui/variables/owner.json", "/ui/variables/secret.json"}
	alone := map[string]string{} // what each sees that nobody else has looked
	see := func(who string) (all string) {
		for _, path := range paths {
			r := tm.send(http.MethodGet, path, "", with(cookies[who]))
			w := new(strings.Builder)
			_ = r.Write(w)
			all += w.String()
		}
		return all
	}
	for who := range cookies {
		tm.page = web.NewTeam(web.TeamOptions{API: tm.api, Keys: tm.sealing, Encrypted: func(*http.Request) bool { return false }})
		alone[who] = see(who)
	}
	if strings.Contains(alone["bluemember"], "blue-secret") || !strings.Contains(alone["blueadmin"], "blue-secret") {
		t.Error("the roles see the same: there is nothing to be kept apart")
	}
	for range 2 {
		for who, want := range alone {
			if got := see(who); got != want {
				t.Errorf("%s sees what it does not alone:\n%s\nand not\n%s", who, got, want)
			}
			if other := map[bool]string{true: "green-", false: "blue-"}[strings.HasPrefix(who, "blue")]; strings.Contains(want, other) {
				t.Errorf("%s sees %s", who, other)
			}
		}
	}
}

// TestTogether: many who look at the same time share one fleet, and none is left behind.
func TestTogether(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	gate := make(chan struct{})
	api := &counting{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == "/v1/fleet" {
			<-gate
		}
		f.api.ServeHTTP(w, r)
	})}
	c := clientOf(t, api)
	f.page = web.New(web.Options{Client: func(*http.Request) (*craton.Client, error) { return c, nil }})
	var group sync.WaitGroup
	for _, path := range []string{"/ui/", "/ui/variables/ntp", "/ui/variables/dns", "/ui/variables/role", "/ui/", "/ui/variables/ntp", "/ui/variables/dns", "/ui/variables/role"} {
		group.Go(func() {
			if w := f.get(path); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "</html>") || strings.Contains(w.Body.String(), `class="problem"`) {
				t.Errorf("%s: %d\n%s", path, w.Code, w.Body)
			}
		})
	}
	for api.count.Load() < 8*2+1 { // all have asked for the tag, and one for the fleet
		select {
		case <-t.Context().Done():
			t.Fatal("they do not come")
		default:
		}
	}
	close(gate)
	group.Wait()
	if n := api.fleets.Load(); n > 2 { // one who came when the others had just left
		t.Errorf("%d fleets are read", n)
	}
}

// TestBegins: a page that reads much begins before that is there.
func TestBegins(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	for _, tc := range []struct{ page, late string }{
		{"/ui/", "/v1/fleet"}, {"/ui/variables/ntp", "/v1/fleet"}, {f.at("web-01"), "/v1/changes"}, {"/ui/hosts?where=ntp", "/v1/hosts"}, {"/ui/hosts", "/v1/regions/1"},
	} {
		gate := make(chan struct{})
		c := clientOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && r.URL.Path == tc.late {
				<-gate
			}
			f.api.ServeHTTP(w, r)
		}))
		s := httptest.NewServer(web.New(web.Options{Client: func(*http.Request) (*craton.Client, error) { return c, nil }}))
		t.Cleanup(s.Close)
		resp, err := s.Client().Get(s.URL + tc.page)
		if err != nil {
			t.Fatal(err)
		}
		begin := make([]byte, 100)
		_, err = io.ReadFull(resp.Body, begin)
		close(gate)
		if err != nil || !strings.HasPrefix(string(begin), "<!doctype html>") {
			t.Errorf("%s: %v %s", tc.page, err, begin)
		}
		rest, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !strings.Contains(string(rest), "</html>") || strings.Contains(string(rest), `class="problem"`) {
			t.Errorf("%s: %v\n%s", tc.page, err, rest)
		}
	}
}
