package server_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/projects"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/internal/enginetest"
	"github.com/craton-fleet/craton/server/keystone"
)

// behindKeystone is a server behind a real Keystone.
type behindKeystone struct {
	*fixture
	keystone *openstacktest.Keystone
	log      *syncBuffer
}

// syncBuffer is what a server logs into.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// defaultRoles are those of the settings.
var defaultRoles = keystone.Roles{Admin: []string{"admin"}, Member: []string{"member"}, Reader: []string{"reader"}}

func newBehindKeystone(t *testing.T, k *openstacktest.Keystone, cacheTime time.Duration, roles keystone.Roles) *behindKeystone {
	t.Helper()
	v, err := keystone.New(keystone.Config{URL: k.URL, CacheTime: cacheTime})
	if err != nil {
		t.Fatal(err)
	}
	log := &syncBuffer{}
	database := enginetest.Database(t)
	s, err := server.Open(t.Context(), database, server.Options{Create: true, Logger: slog.New(slog.NewTextHandler(log, nil)), Logins: server.Logins{Failures: -1}})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s.KeystoneHandler(v, roles))
	t.Cleanup(func() {
		h.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &behindKeystone{fixture: &fixture{t: t, server: s, database: database, url: h.URL}, keystone: k, log: log}
}

// holder is someone with a token, who sends nothing else.
func holder(token string) caller { return caller{key: token} }

// someone is a new user with roles in a project, and its token there.
func (b *behindKeystone) someone(project openstacktest.Project, roles ...string) caller {
	b.t.Helper()
	user := b.keystone.User(b.t, "user")
	b.keystone.Grant(b.t, user, project, roles...)
	return holder(b.keystone.Token(b.t, user, project))
}

// Each role may do what the table of contract §1.5 says, without its holes.
func TestKeystoneRoles(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	b := newBehindKeystone(t, k, time.Minute, defaultRoles)
	project, other := k.Project(t, "team"), k.Project(t, "other")
	admin, member, reader := b.someone(project, "admin"), b.someone(project, "member"), b.someone(project, "reader")
	root := holder(k.Token(t, k.AdminUser(t), k.AdminProject(t)))
	stranger := b.someone(other, "member")
	id := keystone.ProjectUUID(project.ID)

	created := b.must(member, http.StatusCreated, "POST", "/v1/clouds", `{"name": "east"}`)
	if got := created.JSON["project_id"]; got != id {
		t.Errorf("a cloud's project is %v, want %s", got, id)
	}
	cloud := "/v1/clouds/" + created.id(t)
	for _, c := range b.must(admin, 200, "GET", "/v1/changes", "").objects(t, "changes") { // the project was made by the same request
		if user, _ := c["user"].(string); !strings.HasPrefix(user, "user") || c["user_project_id"] != id || c["address"] != "127.0.0.1" ||
			c["request_id"] != created.Header.Get("X-Openstack-Request-Id") {
			t.Errorf("%v", c)
		}
	}
	b.must(stranger, http.StatusCreated, "POST", "/v1/clouds", `{"name": "east"}`) // its own; the name is free there

	const anyone = http.StatusUnauthorized // contract §1.5: the role is missing
	for _, c := range []struct {
		who        string
		caller     caller
		method     string
		path, body string
		want       int
	}{
		{"member", member, "GET", cloud, "", 200},
		{"member", member, "PUT", cloud, `{"note": "by member"}`, 200},
		{"member", member, "PUT", cloud + "/variables", `{"a": 1}`, 200},
		{"member", member, "GET", "/v1/projects/" + id, "", anyone},
		{"member", member, "GET", "/v1/projects", "", anyone},
		{"member", member, "GET", "/v1/users", "", anyone},

		{"reader", reader, "GET", cloud, "", 200},
		{"reader", reader, "HEAD", cloud, "", 200},
		{"reader", reader, "OPTIONS", cloud, "", 200},
		{"reader", reader, "GET", cloud + "/variables", "", 200},
		{"reader", reader, "POST", "/v1/clouds", `{"name": "west"}`, 403},
		{"reader", reader, "PUT", cloud, `{"note": "by reader"}`, 403},
		{"reader", reader, "PUT", cloud + "/variables", `{"a": 2}`, 403},
		{"reader", reader, "DELETE", cloud + "/variables", `["a"]`, 403},
		{"reader", reader, "DELETE", cloud, "", 403},
		{"reader", reader, "GET", "/v1/projects/" + id, "", anyone},

		{"admin", admin, "GET", cloud, "", 200},
		{"admin", admin, "PUT", cloud, `{"note": "by admin"}`, 200},
		{"admin", admin, "GET", "/v1/projects/" + id, "", 200},
		{"admin", admin, "PUT", "/v1/projects/" + id + "/variables", `{"b": 1}`, 200},
		{"admin", admin, "GET", "/v1/projects/" + keystone.ProjectUUID(other.ID), "", 404},
		{"admin", admin, "GET", "/v1/projects", "", anyone},
		{"admin", admin, "GET", "/v1/users", "", 200},
		{"admin", admin, "POST", "/v1/users", `{"username": "backdoor", "project_id": "` + id + `"}`, 403},

		{"stranger", stranger, "GET", cloud, "", 404},
		{"stranger", stranger, "PUT", cloud, `{"note": "by stranger"}`, 404},
		{"stranger", stranger, "GET", cloud + "/variables", "", 404},
		{"stranger", stranger, "DELETE", cloud, "", 204}, // and does not delete; see below

		{"root", root, "GET", cloud, "", 200},
		{"root", root, "GET", "/v1/projects", "", 200},
		{"root", root, "POST", "/v1/users", `{"username": "backdoor", "project_id": "` + id + `"}`, 403},
	} {
		if r := b.call(c.caller, c.method, c.path, c.body); r.Status != c.want {
			t.Errorf("%s: %s %s: %d %s, want %d", c.who, c.method, c.path, r.Status, r.Text, c.want)
		}
	}
	if got := b.must(reader, http.StatusOK, "GET", cloud, "").JSON["note"]; got != "by admin" {
		t.Errorf("the note is %v, want what the admin wrote last", got)
	}
	for name, c := range map[string]struct {
		caller caller
		want   int
	}{"reader": {reader, 1}, "stranger": {stranger, 1}, "root": {root, 2}} {
		if got := b.must(c.caller, http.StatusOK, "GET", "/v1/clouds", "").objects(t, "clouds"); len(got) != c.want {
			t.Errorf("%s sees %d clouds, want %d", name, len(got), c.want)
		}
	}
}

// The settings decide what a role means.
func TestKeystoneOtherRoles(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	project, trusted := k.Project(t, "team"), k.Project(t, "trusted")
	b := newBehindKeystone(t, k, time.Minute, keystone.Roles{
		Admin: []string{"fleet-admin"}, Member: []string{"fleet-operator"}, Root: []string{"fleet-root"}, RootProject: trusted.ID,
	})
	for _, c := range []struct {
		roles   string
		project openstacktest.Project
		get     int // of /v1/clouds?limit=10
		all     int // of /v1/projects: root only
	}{
		{"fleet-operator", project, 200, 401},
		{"fleet-admin", project, 200, 401},
		{"fleet-root", project, 200, 200},
		{"fleet-admin", trusted, 200, 200},
		{"fleet-operator", trusted, 200, 401},
		{"member", project, 403, 403},
		{"admin", k.AdminProject(t), 403, 403},
	} {
		who := b.someone(c.project, c.roles)
		if r := b.call(who, "GET", "/v1/clouds", ""); r.Status != c.get {
			t.Errorf("%s in %s: clouds: %d %s, want %d", c.roles, c.project.Name, r.Status, r.Text, c.get)
		} else if c.get == 403 && !strings.Contains(r.message(), "It takes one of: fleet-admin, fleet-operator.") {
			t.Errorf("%s in %s: the refusal does not say what is missing: %s", c.roles, c.project.Name, r.message())
		}
		if r := b.call(who, "GET", "/v1/projects", ""); r.Status != c.all {
			t.Errorf("%s in %s: projects: %d %s, want %d", c.roles, c.project.Name, r.Status, r.Text, c.all)
		}
	}
}

// Tokens are told from what is none, however they were made, and what else a request says of its sender means nothing.
func TestKeystoneTokens(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	b := newBehindKeystone(t, k, 0, defaultRoles)
	local, err := b.server.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	project, user, trustee := k.Project(t, "team"), k.User(t, "ann"), k.User(t, "bob")
	k.Grant(t, user, project, "member")
	password := k.Auth(user, project)
	app := k.ApplicationCredential(t, user, project, time.Time{})
	elsewhere := openstacktest.NewKeystone(t, openstacktest.NoAdminProject())
	unscoped := gophercloud.AuthOptions{UserID: user.ID, Password: user.Password}
	// Only the admin has roles in a domain or the system.
	administrator := k.AdminUser(t)
	ofDomain := gophercloud.AuthOptions{UserID: administrator.ID, Password: administrator.Password, Scope: &gophercloud.AuthScope{DomainID: openstacktest.DomainID}}
	k.GrantDomain(t, administrator, "admin")
	ofSystem := ofDomain
	ofSystem.Scope = &gophercloud.AuthScope{System: true}

	const (
		unauthorized = "The request could not be authenticated."
		noProject    = "The token is not for a project"
	)
	for name, c := range map[string]struct {
		caller  caller
		want    int
		message string
	}{
		"password":               {holder(k.TokenOf(t, password)), 200, ""},
		"application credential": {holder(k.TokenOf(t, gophercloud.AuthOptions{ApplicationCredentialID: app.ID, ApplicationCredentialSecret: app.Secret})), 200, ""},
		"trust": {holder(k.TokenOf(t, gophercloud.AuthOptions{UserID: trustee.ID, Password: trustee.Password,
			Scope: &gophercloud.AuthScope{TrustID: k.Trust(t, user, trustee, project, "member")}})), 200, ""},
		"with another's name and project": {caller{local.ProjectID, local.Username, k.TokenOf(t, password)}, 200, ""},

		"none":                 {holder(""), 401, unauthorized},
		"garbage":              {holder("garbage"), 401, unauthorized},
		"not ASCII":            {holder("gär\xffbage"), 401, unauthorized},
		"with a space":         {holder("gar bage"), 401, unauthorized},
		"almost a token":       {holder(k.TokenOf(t, password) + "A"), 401, unauthorized},
		"very long":            {holder(strings.Repeat("g", 5000)), 401, unauthorized},
		"too long":             {holder(strings.Repeat("g", 100_000)), 401, unauthorized},
		"of another Keystone":  {holder(elsewhere.Token(t, elsewhere.AdminUser(t), elsewhere.AdminProject(t))), 401, unauthorized},
		"key of a local root":  {caller{local.ProjectID, local.Username, local.APIKey}, 401, unauthorized},
		"unscoped":             {holder(k.TokenOf(t, unscoped)), 403, noProject},
		"for a domain":         {holder(k.TokenOf(t, ofDomain)), 403, noProject},
		"for the whole system": {holder(k.TokenOf(t, ofSystem)), 403, noProject},
	} {
		r := b.call(c.caller, "GET", "/v1/clouds", "")
		if r.Status != c.want || !strings.Contains(r.message(), c.message) {
			t.Errorf("%s: %d %s, want %d %s", name, r.Status, r.Text, c.want, c.message)
		}
		challenge := ""
		if c.want == http.StatusUnauthorized {
			challenge = `Keystone uri="` + k.URL + `"`
		}
		if got := r.Header.Get("WWW-Authenticate"); got != challenge {
			t.Errorf("%s: WWW-Authenticate is %q, want %q", name, got, challenge)
		}
		if key := c.caller.key; key != "" && strings.Contains(b.log.String(), key) {
			t.Errorf("%s: the token is in the log", name)
		}
	}
}

// A token that is revoked works for the cache's time, and not after.
func TestKeystoneRevoked(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	project := k.Project(t, "team")
	never, short, long := newBehindKeystone(t, k, 0, defaultRoles), newBehindKeystone(t, k, time.Second, defaultRoles), newBehindKeystone(t, k, time.Hour, defaultRoles)
	who := never.someone(project, "member")
	servers := []*behindKeystone{never, short, long}
	for _, b := range servers {
		b.must(who, http.StatusOK, "GET", "/v1/clouds", "")
	}
	k.Revoke(t, who.key)
	never.must(who, http.StatusUnauthorized, "GET", "/v1/clouds", "")
	long.must(who, http.StatusOK, "GET", "/v1/clouds", "")
	for deadline := time.Now().Add(time.Minute); short.call(who, "GET", "/v1/clouds", "").Status != http.StatusUnauthorized; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a minute after it was revoked, a token works with a cache of one second")
		}
	}
}

// No cache keeps a token beyond its expiry.
func TestKeystoneExpired(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	b := newBehindKeystone(t, k, time.Hour, defaultRoles)
	project, user := k.Project(t, "team"), k.User(t, "ann")
	k.Grant(t, user, project, "member")
	// Long enough to be seen alive on a busy machine, and ended with certainty.
	expires := time.Now().Add(30 * time.Second)
	app := k.ApplicationCredential(t, user, project, expires)
	who := holder(k.TokenOf(t, gophercloud.AuthOptions{ApplicationCredentialID: app.ID, ApplicationCredentialSecret: app.Secret}))
	if r := b.call(who, "GET", "/v1/clouds", ""); r.Status != http.StatusOK && time.Now().Before(expires) {
		t.Errorf("before its expiry a token gives %d %s", r.Status, r.Text)
	}
	time.Sleep(time.Until(expires.Add(10 * time.Millisecond)))
	b.must(who, http.StatusUnauthorized, "GET", "/v1/clouds", "")
}

// The first requests of a project, all at once, make it once.
func TestKeystoneProjectRace(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	b := newBehindKeystone(t, k, time.Minute, defaultRoles)
	project := k.Project(t, "team")
	callers := make([]caller, 4)
	for i := range callers {
		callers[i] = b.someone(project, "member")
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			name := "cloud-" + string(rune('a'+i))
			if r := b.call(callers[i%len(callers)], "POST", "/v1/clouds", `{"name": "`+name+`"}`); r.Status != http.StatusCreated {
				t.Errorf("POST %s: %d %s", name, r.Status, r.Text)
			}
		})
	}
	wg.Wait()
	root := holder(k.Token(t, k.AdminUser(t), k.AdminProject(t)))
	got := b.must(root, http.StatusOK, "GET", "/v1/projects?name="+project.Name, "").objects(t, "projects")
	if len(got) != 1 || got[0]["id"] != keystone.ProjectUUID(project.ID) {
		t.Errorf("there are the projects %v, want one with the id of %s", got, project.ID)
	}
	if got := b.must(callers[0], http.StatusOK, "GET", "/v1/clouds?limit=100", "").objects(t, "clouds"); len(got) != 20 {
		t.Errorf("there are %d clouds, want 20", len(got))
	}
}

// A project follows its name in Keystone, and comes back empty when root has deleted it here.
func TestKeystoneProjectChanges(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	b := newBehindKeystone(t, k, time.Hour, defaultRoles)
	project := k.Project(t, "team")
	before := b.someone(project, "admin")
	path := "/v1/projects/" + keystone.ProjectUUID(project.ID)
	b.must(before, http.StatusCreated, "POST", "/v1/clouds", `{"name": "east"}`)

	renamed := project.Name + "-renamed"
	if _, err := projects.Update(t.Context(), k.Admin(), project.ID, projects.UpdateOpts{Name: renamed}).Extract(); err != nil {
		t.Fatal(err)
	}
	after := b.someone(project, "admin")
	for _, who := range []caller{after, before, after} { // the one before is cached with the old name
		if got := b.must(who, http.StatusOK, "GET", path, "").JSON["name"]; got != renamed {
			t.Errorf("the project is called %v, want %s", got, renamed)
		}
	}

	root := holder(k.Token(t, k.AdminUser(t), k.AdminProject(t)))
	b.must(root, http.StatusNoContent, "DELETE", path, "")
	if got := b.must(before, http.StatusOK, "GET", "/v1/clouds", "").objects(t, "clouds"); len(got) != 0 {
		t.Errorf("a deleted project still has %v", got)
	}
	b.must(before, http.StatusCreated, "POST", "/v1/clouds", `{"name": "east"}`)
}

// A project whose id is no UUID gets one, always the same.
func TestKeystoneProjectWithoutUUID(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	b := newBehindKeystone(t, k, 0, defaultRoles)
	project := k.ProjectWithID(t, "default-team-"+string(enginetest.Now()))
	who := b.someone(project, "admin")
	id := keystone.ProjectUUID(project.ID)
	for _, name := range []string{"east", "west"} {
		r := b.must(who, http.StatusCreated, "POST", "/v1/clouds", `{"name": "`+name+`"}`)
		if r.JSON["project_id"] != id {
			t.Errorf("a cloud's project is %v, want %s", r.JSON["project_id"], id)
		}
	}
	if got := b.must(who, http.StatusOK, "GET", "/v1/projects/"+id, "").JSON["name"]; got != project.Name {
		t.Errorf("the project is called %v, want %s", got, project.Name)
	}
}

// Without Keystone no new token is accepted, and the answer says why.
func TestKeystoneDown(t *testing.T) {
	t.Parallel()
	k := openstacktest.NewKeystone(t)
	b := newBehindKeystone(t, k, time.Hour, defaultRoles)
	project := k.Project(t, "team")
	known, unknown := b.someone(project, "member"), b.someone(project, "member")
	b.must(known, http.StatusOK, "GET", "/v1/clouds", "")
	k.Stop()

	b.must(known, http.StatusOK, "GET", "/v1/clouds", "")
	// 503 would be truer, but the python client dies of it (contract §9.5).
	r := b.must(unknown, http.StatusInternalServerError, "GET", "/v1/clouds", "")
	if !strings.Contains(r.message(), "Keystone is unavailable") {
		t.Errorf("the message is %q", r.message())
	}
	if log := b.log.String(); !strings.Contains(log, "no answer from Keystone at "+k.URL) || strings.Contains(log, unknown.key) {
		t.Errorf("the log must have the reason, and not the token:\n%s", log)
	}
	resp, err := http.Get(b.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Errorf("healthz: %d %s", resp.StatusCode, body)
	}
}

// TestKeystoneHistory: what a user of Keystone's has done is told with that user, and taken back by whoever may do it.
func TestKeystoneHistory(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	b := newBehindKeystone(t, k, time.Minute, defaultRoles)
	project := k.Project(t, "team")
	as := func(of openstacktest.Project, roles ...string) (caller, string) {
		user := k.User(t, "user")
		k.Grant(t, user, of, roles...)
		return holder(k.Token(t, user, of)), user.Name
	}
	member, memberName := as(project, "member")
	other, otherName := as(project, "member")
	admin, adminName := as(project, "admin")
	reader, _ := as(project, "reader")
	stranger, _ := as(k.Project(t, "other"), "admin")
	region := b.must(member, 201, "POST", "/v1/regions", `{"name": "dfw", "cloud_id": `+b.must(member, 201, "POST", "/v1/clouds", `{"name": "east"}`).id(t)+`}`).id(t)
	variables := "/v1/regions/" + region + "/variables"
	slip := b.must(member, 200, "PUT", variables, `{"ntp": "wrong"}`).Header.Get("X-Openstack-Request-Id")
	b.must(admin, 200, "PUT", "/v1/projects/"+keystone.ProjectUUID(project.ID)+"/variables", `{"all": 1}`)
	revision := func() string {
		number, _, _ := strings.Cut(b.cursor(admin), "-")
		return `{"revision": ` + number + `}`
	}
	ofAdmin := revision()
	newest := func(who caller) string {
		return happened(t, b.must(who, 200, "GET", "/v1/history?kind=region&limit=1&id="+region, ""))[0]
	}
	if got, want := newest(admin), fmt.Sprintf("%s update project %s: all ->1(project %[2]s)", adminName, project.Name); got != want {
		t.Errorf("an admin sees %q, want %q", got, want)
	}
	if got, want := newest(reader), `<nil> update project <nil>: all ->1(project <nil>)`; got != want {
		t.Errorf("a reader sees %q, want %q", got, want)
	}
	mine := happened(t, b.must(reader, 200, "GET", "/v1/history?kind=region&id="+region+"&user="+memberName+"&request_id="+slip, ""))
	if want := memberName + ` update region east/dfw: ntp ->"wrong"(region dfw)`; len(mine) != 1 || mine[0] != want {
		t.Errorf("of the member there is %q, want %q", mine, want)
	}

	undo := `{"request_id": "` + slip + `"}`
	b.status(reader, 403, "POST", "/v1/undo", undo)
	b.status(stranger, 404, "POST", "/v1/undo", undo)
	b.status(member, 401, "POST", "/v1/undo", ofAdmin)
	if text := b.must(reader, 200, "GET", variables, "").Text; !strings.Contains(text, "wrong") {
		t.Errorf("who may not has undone it: %s", text)
	}
	b.must(member, 200, "POST", "/v1/undo", undo)
	if got, want := newest(reader), memberName+` update region east/dfw: ntp "wrong"(region dfw)>-`; got != want {
		t.Errorf("behind the undo there is %q, want %q", got, want)
	}
	b.must(other, 200, "POST", "/v1/undo", revision()) // of the undo, by a colleague
	if got, want := newest(member), otherName+` update region east/dfw: ntp ->"wrong"(region dfw)`; got != want {
		t.Errorf("behind the undo of the undo there is %q, want %q", got, want)
	}
}
