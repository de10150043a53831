package keystone_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/internal/wording"
	"github.com/craton-fleet/craton/keystone"
)

// counted is a Keystone that counts the tokens it is asked to make.
type counted struct {
	*openstacktest.Keystone
	url  string // with the path /v3
	made atomic.Int32
}

func startKeystone(t testing.TB) *counted { return count(t, openstacktest.StartKeystone(t)) }

func count(t testing.TB, k *openstacktest.Keystone) *counted {
	t.Helper()
	c := &counted{Keystone: k}
	base, err := url.Parse(k.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: base.Scheme, Host: base.Host})
	proxy.ModifyResponse = func(resp *http.Response) error {
		// What a busy Keystone answers with 500 is asked again.
		if r := resp.Request; r.Method == http.MethodPost && r.URL.Path == "/v3/auth/tokens" && resp.StatusCode != http.StatusInternalServerError {
			c.made.Add(1)
		}
		return nil
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	c.url = server.URL + "/v3"
	return c
}

// someone returns a user with a role in a project, and the Config to sign in with.
func (c *counted) someone(t testing.TB) (openstacktest.User, openstacktest.Project, keystone.Config) {
	t.Helper()
	user, project := c.User(t, "ann"), c.Project(t, "team")
	c.Grant(t, user, project, "member")
	return user, project, keystone.Config{AuthURL: c.url, Username: user.Name, Password: user.Password, ProjectName: project.Name}
}

// api returns a Craton API of no clouds, for those with a token of this Keystone.
func (c *counted) api(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		token := r.Header.Get("X-Auth-Token")
		ok, err := tokens.Validate(r.Context(), c.Admin(), token)
		if err != nil { // Keystone is busy; clients come again
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		if !ok {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"message": "The request could not be authenticated.", "status": 401}`)
			return
		}
		fmt.Fprint(w, `{"clouds": [], "links": [{"rel": "first", "href": "/v1/clouds"}, {"rel": "self", "href": "/v1/clouds"}]}`)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func newAuth(t testing.TB, c keystone.Config, options ...keystone.Option) *keystone.Auth {
	t.Helper()
	a, err := keystone.New(c, append([]keystone.Option{keystone.WithRetries(2)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newClient(t testing.TB, url string, a craton.Auth) *craton.Client {
	t.Helper()
	c, err := craton.New(url, craton.WithAuth(a))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func ask(t testing.TB, c *craton.Client) error {
	t.Helper()
	_, err := c.Clouds.List(t.Context(), craton.CloudListOptions{})
	return err
}

// tokenOf returns the token that requests get.
func tokenOf(t testing.TB, a *keystone.Auth) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	if err := a.Authenticate(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return r.Header.Get("X-Auth-Token")
}

// TestSignIn: every way to say who one is and what for leads there.
func TestSignIn(t *testing.T) {
	t.Parallel()
	k := startKeystone(t)
	user, project, byName := k.someone(t)
	app := k.ApplicationCredential(t, user, project, time.Time{})
	passing := k.ApplicationCredential(t, user, project, time.Now().Add(10*time.Minute))
	trustee := k.User(t, "bob")
	trust := k.Trust(t, user, trustee, project, "member")
	given := k.Token(t, user, project)

	for name, tt := range map[string]struct {
		change func(*keystone.Config)
		of     openstacktest.User // whose token it is
	}{
		"names":              {func(*keystone.Config) {}, user},
		"the type":           {func(c *keystone.Config) { c.AuthType = "v3password" }, user},
		"no version":         {func(c *keystone.Config) { c.AuthURL = strings.TrimSuffix(c.AuthURL, "/v3") }, user},
		"a slash":            {func(c *keystone.Config) { c.AuthURL += "/" }, user},
		"an ancient version": {func(c *keystone.Config) { c.AuthURL = strings.TrimSuffix(c.AuthURL, "3") + "2.0/" }, user},
		"ids": {func(c *keystone.Config) {
			c.Username, c.ProjectName, c.UserID, c.ProjectID = "", "", user.ID, project.ID
		}, user},
		"ids and other names": {func(c *keystone.Config) {
			c.Username, c.ProjectName, c.UserID, c.ProjectID = "nobody", "nothing", user.ID, project.ID
		}, user},
		"domains by name": {func(c *keystone.Config) {
			c.UserDomainName, c.ProjectDomainName = openstacktest.DomainName, openstacktest.DomainName
		}, user},
		"domains by id": {func(c *keystone.Config) {
			c.UserDomainID, c.ProjectDomainID, c.UserDomainName = openstacktest.DomainID, openstacktest.DomainID, "nowhere"
		}, user},
		"one domain for both": {func(c *keystone.Config) { c.DefaultDomain, c.DomainName = "nowhere", openstacktest.DomainName }, user},
		"a default domain":    {func(c *keystone.Config) { c.DefaultDomain = openstacktest.DomainID }, user},
		"application credential": {func(c *keystone.Config) {
			*c = keystone.Config{AuthURL: k.url, ApplicationCredentialID: app.ID, ApplicationCredentialSecret: app.Secret}
		}, user},
		"application credential that ends": {func(c *keystone.Config) {
			*c = keystone.Config{AuthURL: k.url, ApplicationCredentialID: passing.ID, ApplicationCredentialSecret: passing.Secret}
		}, user},
		"application credential beside a project": {func(c *keystone.Config) {
			c.ApplicationCredentialID, c.ApplicationCredentialSecret, c.ProjectID = app.ID, app.Secret, project.ID
		}, user},
		"application credential by name": {func(c *keystone.Config) {
			c.AuthType, c.ApplicationCredentialName, c.ApplicationCredentialSecret = keystone.ApplicationCredential, app.Name, app.Secret
		}, user},
		"application credential by name of a user by id": {func(c *keystone.Config) {
			*c = keystone.Config{AuthURL: k.url, UserID: user.ID, ApplicationCredentialName: app.Name, ApplicationCredentialSecret: app.Secret}
		}, user},
		"a token": {func(c *keystone.Config) { *c = keystone.Config{AuthURL: k.url, Token: given} }, user},
		"a token for a project": {func(c *keystone.Config) {
			*c = keystone.Config{AuthURL: k.url, AuthType: keystone.Token, Token: given, ProjectName: project.Name}
		}, user},
		"a trust": {func(c *keystone.Config) {
			*c = keystone.Config{AuthURL: k.url, Username: trustee.Name, Password: trustee.Password, TrustID: trust, ProjectID: "not looked at"}
		}, trustee}, // without impersonation
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := byName
			tt.change(&c)
			a := newAuth(t, c)
			id, err := a.Identity(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if id.User != tt.of.Name || id.UserID != tt.of.ID || id.Project != project.Name || id.ProjectID != project.ID {
				t.Errorf("signed in as %+v, not %+v in %+v", id, tt.of, project)
			}
			if diff := cmp.Diff([]string{"member"}, without(id.Roles, "reader")); diff != "" {
				t.Error(diff)
			}
			if left := time.Until(id.Expires); left < 5*time.Minute || left > time.Hour {
				t.Errorf("the token ends in %v", left)
			}
			if err := ask(t, newClient(t, k.api(t), a)); err != nil {
				t.Error(err)
			}
		})
	}
}

func without(list []string, word string) []string {
	var rest []string
	for _, w := range list {
		if w != word {
			rest = append(rest, w)
		}
	}
	return rest
}

// TestRefusals: errors say what was refused, by whom, and what to do, and never hold a secret.
func TestRefusals(t *testing.T) {
	t.Parallel()
	k := startKeystone(t)
	user, project, good := k.someone(t)
	other := k.Project(t, "other")
	app := k.ApplicationCredential(t, user, project, time.Time{})
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<p>welcome</p>") }))
	t.Cleanup(html.Close)
	created := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }))
	t.Cleanup(created.Close)
	elsewhere := httptest.NewServer(http.RedirectHandler(k.url+"/auth/tokens", http.StatusPermanentRedirect))
	t.Cleanup(elsewhere.Close)
	const hush = "hush-hush"

	for name, tt := range map[string]struct {
		change func(*keystone.Config)
		want   []string
	}{
		"wrong password": {func(c *keystone.Config) { c.Password = hush },
			[]string{`refuses to sign in user "` + user.Name + `" of domain "default" for project "` + project.Name, "401 Unauthorized", "check the user, the password"}},
		"wrong domain": {func(c *keystone.Config) { c.Password, c.UserDomainName = hush, "Nowhere" }, []string{`of domain "Nowhere"`}},
		"no role": {func(c *keystone.Config) { c.ProjectName, c.ProjectID = "", other.ID },
			[]string{"for the project with id " + other.ID, "has a role in"}},
		"no project": {func(c *keystone.Config) { c.ProjectName = "" }, []string{"is not for a project", "set project_id (OS_PROJECT_ID)"}},
		"application credential": {func(c *keystone.Config) { c.ApplicationCredentialID, c.ApplicationCredentialSecret = app.ID, hush },
			[]string{"refuses to sign in application credential " + app.ID, "check the application credential's id and secret"}},
		"application credential for another project": {func(c *keystone.Config) {
			c.ApplicationCredentialID, c.ApplicationCredentialSecret, c.ProjectID = app.ID, app.Secret, other.ID
		}, []string{"the application credential is for project " + project.Name, "not for " + other.ID}},
		"wrong token":                {func(c *keystone.Config) { *c = keystone.Config{AuthURL: k.url, Token: hush} }, []string{"who has the given token", "get a new one"}},
		"wrong token, for a project": {func(c *keystone.Config) { c.AuthType, c.Token = "v3token", hush }, []string{"who has the given token", "get a new one"}},
		"trust":                      {func(c *keystone.Config) { c.TrustID = "nonesuch" }, []string{"with trust nonesuch"}},
		"not Keystone": {func(c *keystone.Config) { c.AuthURL, c.Password = html.URL, hush },
			[]string{html.URL + "/v3 refuses to sign in", "200 OK: <p>welcome</p>", "check that auth_url (OS_AUTH_URL) is Keystone's address"}},
		"almost Keystone": {func(c *keystone.Config) { c.AuthURL, c.Password = created.URL, hush },
			[]string{"its response cannot be understood", "check that auth_url (OS_AUTH_URL) is Keystone's address"}},
		"wrong path":  {func(c *keystone.Config) { c.AuthURL += "/identity" }, []string{"404 Not Found", "check that auth_url (OS_AUTH_URL) is Keystone's address"}},
		"redirect":    {func(c *keystone.Config) { c.AuthURL = elsewhere.URL }, []string{"a redirect, which is not followed"}},
		"unreachable": {func(c *keystone.Config) { c.AuthURL = "http://127.0.0.1:1" }, []string{"Keystone at http://127.0.0.1:1/v3: cannot be reached: ", "connection refused", "check auth_url (OS_AUTH_URL)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := good
			tt.change(&c)
			_, err := newAuth(t, c).Identity(t.Context())
			if _, ok := errors.AsType[*keystone.Error](err); !ok {
				t.Fatalf("error %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q has no %q", err, want)
				}
			}
			for _, secret := range []string{hush, user.Password, app.Secret} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("error %q has the secret", err)
				}
			}
		})
	}

	t.Run("of a call", func(t *testing.T) {
		t.Parallel()
		c := good
		c.Password = hush
		err := ask(t, newClient(t, "http://127.0.0.1:1", newAuth(t, c)))
		if !craton.IsUnauthenticated(err) || craton.IsForbidden(err) || !wording.Has(err.Error(), "Keystone at "+k.url+" ... refuses ... user") {
			t.Errorf("error %v", err)
		}
	})
}

// TestRevoked: a token that is no longer good is replaced once, whoever needs it, and the request is sent again.
func TestRevoked(t *testing.T) {
	t.Parallel()
	k := startKeystone(t)
	_, _, config := k.someone(t)
	a := newAuth(t, config)
	client := newClient(t, k.api(t), a)
	if err := ask(t, client); err != nil || k.made.Load() != 1 {
		t.Fatalf("%d tokens, %v", k.made.Load(), err)
	}
	k.Revoke(t, tokenOf(t, a))
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if err := ask(t, client); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if k.made.Load() != 2 {
		t.Errorf("%d tokens made, want 2", k.made.Load())
	}

	config.Once = true
	a = newAuth(t, config)
	client = newClient(t, k.api(t), a)
	k.Revoke(t, tokenOf(t, a))
	if err := ask(t, client); !craton.IsUnauthenticated(err) || k.made.Load() != 3 {
		t.Errorf("%d tokens, %v", k.made.Load(), err)
	}
}

// TestForeign: a service that does not take this Keystone's tokens costs one token more and no further one.
func TestForeign(t *testing.T) {
	t.Parallel()
	k := startKeystone(t)
	_, _, config := k.someone(t)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"message": "The request could not be authenticated.", "status": 401}`)
	}))
	t.Cleanup(other.Close)
	client := newClient(t, other.URL, newAuth(t, config))
	for range 5 {
		if err := ask(t, client); !craton.IsUnauthenticated(err) {
			t.Error(err)
		}
	}
	if k.made.Load() != 2 {
		t.Errorf("%d tokens made, want 2", k.made.Load())
	}
}

// TestExpired: a token ends while nobody looks. It lives long enough to be used on a busy machine.
func TestExpired(t *testing.T) {
	t.Parallel()
	k := count(t, openstacktest.NewKeystone(t, openstacktest.TokenExpiration(5*time.Second)))
	user, project := k.AdminUser(t), k.AdminProject(t)
	a := newAuth(t, keystone.Config{AuthURL: k.url, UserID: user.ID, Password: user.Password, ProjectID: project.ID})
	keystone.StopClock(a)
	first := tokenOf(t, a)
	client := newClient(t, k.api(t), a)
	for deadline := time.Now().Add(time.Minute); k.made.Load() < 2; {
		if err := ask(t, client); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("the first token still is good")
		}
	}
	if second := tokenOf(t, a); second == first {
		t.Error("the token is the same")
	}
}

// TestCatalogue: a service is found by its type, region and interface.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	k := startKeystone(t)
	_, _, config := k.someone(t)
	region := k.Service(t, "fleet_management", "http://craton.example:7780/")
	elsewhere := k.Service(t, "iot", "http://iot.example:8812")
	for name, tt := range map[string]struct{ region, iface, service, want string }{
		"there":         {region, "", "fleet_management", "http://craton.example:7780"},
		"interface":     {region, "internal", "fleet_management", "http://craton.example:7780"},
		"old interface": {region, "adminURL", "fleet_management", "http://craton.example:7780"},
		"any region":    {"", "", "iot", "http://iot.example:8812"},
		"preferences":   {region, "private, admin,public", "fleet_management", "http://craton.example:7780"},
	} {
		c := config
		c.Region, c.Interface = tt.region, tt.iface
		if got, err := newAuth(t, c).Endpoint(t.Context(), tt.service); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, tt := range map[string]struct{ region, iface, service, want string }{
		"service":   {"", "", "nonesuch", `no public endpoint of a service "nonesuch"; it has `},
		"region":    {elsewhere, "", "fleet_management", `in region "` + elsewhere + `", only `},
		"interface": {"", "private", "iot", `no private endpoint of a service "iot", only `},
		"several":   {"", "private,secret", "iot", `no private or secret endpoint of a service "iot", only `},
	} {
		c := config
		c.Region, c.Interface = tt.region, tt.iface
		_, err := newAuth(t, c).Endpoint(t.Context(), tt.service)
		if _, ok := errors.AsType[*keystone.EndpointNotFoundError](err); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	k.ServiceNamed(t, region, "twofold", "first", "http://first.example")
	k.ServiceNamed(t, region, "twofold", "second", "http://second.example")
	c := config
	for name, want := range map[string]string{"first": "http://first.example", "second": "http://second.example"} {
		c.ServiceNames = map[string]string{"twofold": name}
		if got, err := newAuth(t, c).Endpoint(t.Context(), "twofold"); err != nil || got != want {
			t.Errorf("the service named %s: %q, %v", name, got, err)
		}
	}
	c.ServiceNames["twofold"] = "third"
	if _, err := newAuth(t, c).Endpoint(t.Context(), "twofold"); err == nil || !wording.Has(err.Error(), `"twofold" ... "third" ... "second"`) {
		t.Errorf("a service that is not there: %v", err)
	}
	if given := k.Token(t, k.AdminUser(t), k.AdminProject(t)); given != "" {
		a := newAuth(t, keystone.Config{AuthURL: k.url, Token: given, Region: region})
		if got, err := a.Endpoint(t.Context(), "fleet_management"); err != nil || got != "http://craton.example:7780" {
			t.Errorf("with a token: %q, %v", got, err)
		}
		if tokenOf(t, a) != given {
			t.Error("the given token is not used")
		}
	}
}

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(child())
	}
	os.Exit(m.Run())
}
