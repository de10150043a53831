package connect

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/keystone"
)

func TestUsesKeystone(t *testing.T) {
	t.Parallel()
	own := map[string]string{"OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_ID": "i"}
	for name, c := range map[string]struct {
		env  map[string]string
		more []string
		want bool
	}{
		"nothing":                        {nil, nil, false},
		"Craton's own":                   {own, nil, false},
		"an address":                     {own, []string{"--os-auth-url", "http://k"}, true},
		"a cloud":                        {nil, []string{"--os-cloud", "prod"}, true},
		"Craton's own all the same":      {own, []string{"--os-auth-url", "http://k", "--os-auth-type", "local"}, false},
		"Craton's own, called password":  {own, []string{"--os-auth-type", "v3password"}, false},
		"of an Ironic, without a user":   {own, []string{"--os-auth-type", "none"}, false},
		"of an Ironic, with its own":     {own, []string{"--os-auth-type", "http_basic"}, false},
		"of an Ironic, and Keystone":     {own, []string{"--os-auth-type", "none", "--os-auth-url", "http://k"}, true},
		"a token":                        {nil, []string{"--os-token", "t"}, true},
		"a token beside Craton's own":    {own, []string{"--os-token", "t"}, false},
		"a token, of which there are":    {own, []string{"--os-token", "t", "--os-auth-type", "token"}, true},
		"an application credential":      {nil, []string{"--os-application-credential-id", "a"}, true},
		"an application credential name": {nil, []string{"--os-application-credential-name", "a"}, true},
	} {
		if got := UsesKeystone(valuesOf(t, c.env, "", c.more...)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// fields returns a Config's, which does not print them.
func fields(c keystone.Config) any {
	type plain keystone.Config
	return plain(c)
}

// TestCloudAndSettings: which settings count beside a clouds.yaml.
func TestCloudAndSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clouds.yaml")
	const text = `
clouds:
  prod:
    auth: {auth_url: http://prod.example, username: deploy, password: in the cloud, project_name: fleet, project_domain_name: d}
    region_name: north
    verify: false
    cacert: cloud.pem
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OS_CLIENT_CONFIG_FILE", file)
	prod := func(change func(*keystone.Config)) keystone.Config {
		c := keystone.Config{AuthURL: "http://prod.example", Username: "deploy", Password: "in the cloud", ProjectName: "fleet",
			ProjectDomainName: "d", Region: "north", Insecure: true, CACert: "cloud.pem"}
		if change != nil {
			change(&c)
		}
		return c
	}
	cratonrc := map[string]string{"OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_ID": "i"}
	for name, c := range map[string]struct {
		env  map[string]string
		file string
		args []string
		want keystone.Config
	}{
		"the cloud alone":                {nil, "", []string{"--os-cloud", "prod"}, prod(nil)},
		"a flag beats the environment":   {cratonrc, "", []string{"--os-cloud", "prod"}, prod(nil)},
		"the environment beats the file": {map[string]string{"OS_CLOUD": "prod"}, "username: u\npassword: p\nproject_id: i\n", nil, prod(nil)},
		"beside it": {map[string]string{"OS_CLOUD": "prod", "OS_PASSWORD": "p", "OS_REGION_NAME": "north"}, "", nil,
			prod(func(c *keystone.Config) { c.Password = "p" })},
		"another region as a flag":                               {map[string]string{"OS_CLOUD": "prod"}, "", []string{"--os-region-name", "south"}, prod(func(c *keystone.Config) { c.Region = "south" })},
		"another region in the file":                             {nil, "os_cloud: prod\nos_region_name: south\n", nil, prod(func(c *keystone.Config) { c.Region = "south" })},
		"one service's, of the environment, which is no cloud's": {map[string]string{"OS_FLEET_MANAGEMENT_REGION_NAME": "south"}, "", []string{"--os-cloud", "prod"}, prod(nil)},
		"one service's": {map[string]string{"OS_AUTH_URL": "http://k", "OS_FLEET_MANAGEMENT_REGION_NAME": "south"}, "", nil,
			keystone.Config{AuthURL: "http://k", Regions: map[string]string{"fleet_management": "south"}}},
		"one service's, and a flag": {map[string]string{"OS_AUTH_URL": "http://k", "OS_FLEET_MANAGEMENT_REGION_NAME": "south"}, "", []string{"--os-region-name", "west"},
			keystone.Config{AuthURL: "http://k", Region: "west"}},
		"an id replaces a name": {map[string]string{"OS_CLOUD": "prod"}, "", []string{"--os-project-id", "i"},
			prod(func(c *keystone.Config) { c.ProjectID, c.ProjectName = "i", "" })},
		"a stronger place": {map[string]string{"OS_USER_ID": "i"}, "os_cloud: prod\n", nil,
			prod(func(c *keystone.Config) { c.UserID, c.Username = "i", "" })},
		"the way there": {map[string]string{"OS_CACERT": "env.pem", "OS_INSECURE": "False"}, "reauthenticate: no\n", []string{"--os-cloud", "prod"},
			prod(func(c *keystone.Config) { c.CACert, c.Insecure, c.Once = "env.pem", false, true })},
		"no cloud": {map[string]string{"OS_AUTH_URL": "http://k", "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_TENANT_NAME": "t", "OS_ENDPOINT_TYPE": "internalURL",
			"OS_DEFAULT_DOMAIN_ID": "d"}, "user_domain_name: x\n", nil,
			keystone.Config{AuthURL: "http://k", Username: "u", Password: "p", ProjectName: "t", Interface: "internalURL", DefaultDomain: "d", UserDomainName: "x"}},
	} {
		got, err := keystoneConfig(valuesOf(t, c.env, c.file, c.args...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(fields(c.want), fields(got)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for name, c := range map[string]struct {
		env  map[string]string
		file string
		args []string
	}{
		"left in the environment":      {map[string]string{"OS_REGION_NAME": "south"}, "", []string{"--os-cloud", "prod"}},
		"in the same place":            {map[string]string{"OS_REGION_NAME": "south", "OS_CLOUD": "prod"}, "", nil},
		"in a stronger place":          {map[string]string{"OS_REGION_NAME": "south"}, "os_cloud: prod\n", nil},
		"in the file, of another":      {nil, "os_region_name: south\n", []string{"--os-cloud", "prod"}},
		"in the file, of another, too": {map[string]string{"OS_CLOUD": "prod"}, "os_region_name: south\n", nil},
	} {
		if _, err := keystoneConfig(valuesOf(t, c.env, c.file, c.args...)); err == nil || !strings.Contains(err.Error(), "south, which ") ||
			!strings.Contains(err.Error(), "is not a valid region name for it. Valid choices are north") {
			t.Errorf("another region %s: %v", name, err)
		}
	}
	if _, err := Open(t.Context(), values(t, "--os-cloud", "prdo"), ReadOnly); err == nil || !strings.Contains(err.Error(), `no cloud "prdo"; it has prod`) {
		t.Errorf("another cloud: %v", err)
	}
}

// TestTLSOfBoth: what is said of Keystone's certificates counts for the service, and the other way round, unless it is
// said twice.
func TestTLSOfBoth(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that are meant to fail
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, certPEM(server), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want craton.TLS
		err  string // of Keystone, which is not one
	}{
		"nothing":           {nil, craton.TLS{}, "failed to verify certificate"},
		"Keystone's":        {[]string{"--os-cacert", ca}, craton.TLS{CAPath: ca}, "404"},
		"the service's":     {[]string{"--ca-path", ca}, craton.TLS{CAPath: ca}, "404"},
		"both":              {[]string{"--ca-path", "/other", "--os-cacert", ca}, craton.TLS{CAPath: "/other"}, "404"},
		"none of Keystone":  {[]string{"--insecure"}, craton.TLS{Insecure: true}, "404"},
		"none at all":       {[]string{"--validate-certs=no"}, craton.TLS{Insecure: true}, "404"},
		"that of Keystone":  {[]string{"--validate-certs=no", "--insecure=no"}, craton.TLS{Insecure: true}, "failed to verify certificate"},
		"that of a service": {[]string{"--validate-certs", "--insecure"}, craton.TLS{}, "404"},
	} {
		k, err := NewKeystone(values(t, append(c.args, "--os-auth-url", server.URL, "--os-username", "u", "--os-password", "p", "--no-token-cache", "--retries=0")...), ReadOnly)
		if err != nil {
			t.Fatal(err)
		}
		if k.TLS != c.want {
			t.Errorf("%s: %+v", name, k.TLS)
		}
		if _, err := k.Identity(t.Context()); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNoKeystone: what says that there is no Keystone is an error for Craton that says what to do.
func TestNoKeystone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clouds.yaml")
	if err := os.WriteFile(file, []byte("clouds: {bifrost: {auth_type: none, endpoint: http://i}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OS_CLIENT_CONFIG_FILE", file)
	for want, args := range map[string][]string{
		`the cloud "bifrost" is a standalone Ironic (auth_type none)`:                                            {"--os-cloud", "bifrost"},
		"auth_type http_basic (OS_AUTH_TYPE) is for a standalone Ironic, but auth_url (OS_AUTH_URL) or os_cloud": {"--os-auth-url", "http://k", "--os-auth-type", "http_basic"},
	} {
		if _, err := NewKeystone(values(t, args...), ReadOnly); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// TestThroughKeystone connects with nothing but Keystone's address and a user: the catalogue says where Craton is.
func TestThroughKeystone(t *testing.T) {
	k := openstacktest.StartKeystone(t)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch ok, err := tokens.Validate(r.Context(), k.Admin(), r.Header.Get("X-Auth-Token")); {
		case err != nil: // Keystone is busy; clients come again
			w.WriteHeader(http.StatusInternalServerError)
			return
		case !ok || r.URL.Path != "/v1/clouds" || r.Header.Get("X-Auth-User") != "":
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"clouds": [], "links": [{"rel": "first", "href": "/v1/clouds"}, {"rel": "self", "href": "/v1/clouds"}]}`)
	}))
	t.Cleanup(api.Close)
	region := k.Service(t, ServiceType, api.URL)
	user, project := k.User(t, "ann"), k.Project(t, "team")
	k.Grant(t, user, project, "member")
	app := k.ApplicationCredential(t, user, project, time.Time{})
	t.Setenv("XDG_CACHE_HOME", t.TempDir())

	signIn := []string{"--os-auth-url", k.URL, "--os-username", user.Name, "--os-password", user.Password, "--os-project-name", project.Name}
	list := func(what string, args ...string) {
		t.Helper()
		c, err := Open(t.Context(), values(t, args...), ReadOnly)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			return
		}
		defer c.Close()
		if _, err := c.Clouds.List(t.Context(), craton.CloudListOptions{}); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if id, err := c.Project(t.Context()); err != nil || id != project.ID && !strings.HasPrefix(what, "a token") {
			t.Errorf("%s: project %q, %v", what, id, err)
		}
	}
	list("the catalogue", append(signIn, "--os-region-name", region)...)
	list("a url", append(signIn, "--craton-url", api.URL, "--no-token-cache")...)
	list("an application credential", "--os-auth-url", k.URL, "--os-application-credential-id", app.ID, "--os-application-credential-secret", app.Secret, "--os-region-name", region)
	list("a token alone", "--craton-url", api.URL, "--os-token", k.Token(t, user, project))

	files, err := filepath.Glob(filepath.Join(keystone.CacheDir(), "*.json"))
	if err != nil || len(files) != 2 {
		t.Errorf("the cache holds %v, want the tokens of the first and of the application credential: %v", files, err)
	}
	_, err = Open(t.Context(), values(t, append(signIn, "--os-region-name", "nowhere")...), ReadOnly)
	if err == nil || !strings.Contains(err.Error(), "no fleet is configured: CRATON_URL is not set, and the catalogue of Keystone at "+k.URL) ||
		!strings.Contains(err.Error(), `in region "nowhere", only `) {
		t.Errorf("another region: %v", err)
	}
	_, err = Open(t.Context(), values(t, "--os-auth-url", k.URL, "--os-username", user.Name), ReadOnly)
	if err == nil || err.Error() != "keystone: cannot sign in: set password (OS_PASSWORD)" {
		t.Errorf("no password: %v", err)
	}
}
