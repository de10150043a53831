package connect

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/keystone"
)

// iotronicValues returns the settings of an environment, a configuration file and flags.
func iotronicValues(t testing.TB, env map[string]string, file string, args ...string) *settings.Values {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	settings.AddFlags(f, settings.SignIn, settings.Iotronic)
	if err := f.Parse(append(args, "--config", path, "--no-token-cache")); err != nil {
		t.Fatal(err)
	}
	v, err := settings.LoadEnv(f, func(name string) (string, bool) { text, ok := env[name]; return text, ok }, settings.SignIn, settings.Iotronic)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestIotronicSignIn: whose token, if any, reaches an Iotronic.
func TestIotronicSignIn(t *testing.T) {
	t.Parallel()
	const token = "a token of some time ago"
	own := map[string]string{"OS_USERNAME": "u", "OS_PASSWORD": "an api key", "OS_PROJECT_ID": "p"} // Craton's
	for name, c := range map[string]struct {
		env  map[string]string
		file string
		args []string
		want string
	}{
		"nobody":                     {nil, "", []string{"--iotronic-url", "URL"}, ""},
		"the old name":               {map[string]string{"IOTRONIC_URL": "URL"}, "", nil, ""},
		"an older one":               {map[string]string{"OS_SERVICE_ENDPOINT": "URL/v1"}, "", nil, ""},
		"the file":                   {nil, "iotronic:\n  url: URL/\n", nil, ""},
		"Craton's own user":          {own, "iotronic:\n  url: URL\n", nil, ""},
		"a token":                    {map[string]string{"IOTRONIC_URL": "URL", "OS_AUTH_TOKEN": token}, "", nil, token},
		"a token beside Craton's":    {own, "iotronic:\n  url: URL\n", []string{"--os-token", token}, token},
		"a token, Keystone or no":    {map[string]string{"IOTRONIC_URL": "URL", "OS_AUTH_TOKEN": token, "OS_AUTH_URL": "http://127.0.0.1:1"}, "", nil, token},
		"a token that is not wanted": {map[string]string{"OS_ENDPOINT": "URL", "OS_TOKEN": token, "OS_AUTH_TYPE": "none"}, "", nil, ""},
		"no Keystone either":         {map[string]string{"OS_ENDPOINT": "URL", "OS_AUTH_URL": "http://127.0.0.1:1", "OS_AUTH_TYPE": "none"}, "", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := iotronictest.Start(t, iotronictest.Boards2019, iotronictest.NoAuth())
			at := func(s string) string { return strings.ReplaceAll(s, "URL", api.URL) }
			env := map[string]string{}
			for k, v := range c.env {
				env[k] = at(v)
			}
			var args []string
			for _, a := range c.args {
				args = append(args, at(a))
			}
			client, err := Iotronic(iotronicValues(t, env, at(c.file), args...))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.Boards.List(t.Context(), iotronic.BoardListOptions{}); err != nil {
				t.Fatal(err)
			}
			for _, r := range api.Requests() {
				if r.Token != c.want {
					t.Errorf("%s %s had the token %q", r.Method, r.Path, r.Token)
				}
			}
		})
	}
}

func TestIotronicProblems(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  map[string]string
		args []string
		want string
	}{
		"nothing":         {nil, nil, "no Ironic or Iotronic is configured: set CRATON_IOTRONIC_URL"},
		"a token alone":   {map[string]string{"OS_TOKEN": "hush", "OS_AUTH_TYPE": "none"}, nil, "no Ironic or Iotronic is configured"},
		"no URL":          {nil, []string{"--iotronic-url", "ironic"}, "https://ironic.example:6385"},
		"a version":       {nil, []string{"--iotronic-url", "http://i", "--iotronic-api-version", "new"}, `"new" is not a version`},
		"no password":     {map[string]string{"OS_AUTH_URL": "http://k", "OS_USERNAME": "u"}, nil, "set password (OS_PASSWORD)"},
		"a way to sign":   {map[string]string{"OS_AUTH_URL": "http://k", "OS_AUTH_TYPE": "kerberos"}, nil, "kerberos"},
		"no such cloud":   {nil, []string{"--iotronic-cloud", "no-such-cloud"}, `"no-such-cloud"`},
		"the stronger":    {map[string]string{"CRATON_IOTRONIC_CLOUD": "a-weaker-one"}, []string{"--os-cloud", "no-such-cloud"}, `"no-such-cloud"`},
		"the more own":    {map[string]string{"CRATON_IOTRONIC_CLOUD": "no-such-cloud", "OS_CLOUD": "of-craton"}, nil, `"no-such-cloud"`},
		"a certificate":   {nil, []string{"--iotronic-url", "https://i", "--ca-path", "/nonexistent"}, "/nonexistent"},
		"nobody's":        {map[string]string{"OS_AUTH_TYPE": "http_basic", "OS_ENDPOINT": "http://i", "OS_PASSWORD": "hush"}, nil, "set username (OS_USERNAME)"},
		"and of Keystone": {nil, []string{"--iotronic-url", "https://i", "--os-cacert", "/nonexistent"}, "/nonexistent"},
	} {
		_, err := Iotronic(iotronicValues(t, c.env, "", c.args...))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestIotronicPlaces: what says of Keystone more than the place that names a cloud, or Keystone, counts; what says less
// is for something else.
func TestIotronicPlaces(t *testing.T) {
	t.Parallel()
	stale := map[string]string{"IOTRONIC_URL": "http://i", "OS_TOKEN": "of somebody else"}
	none := map[string]string{"IOTRONIC_URL": "http://i", "OS_AUTH_TYPE": "none"}
	for name, c := range map[string]struct {
		env      map[string]string
		file     string
		args     []string
		keystone bool
	}{
		"a token, and Keystone as a flag":       {stale, "", []string{"--os-auth-url", "http://k", "--os-username", "u", "--os-password", "p"}, true},
		"nobody, and Keystone as a flag":        {none, "", []string{"--os-auth-url", "http://k", "--os-username", "u", "--os-password", "p"}, true},
		"local, and Keystone as a flag":         {map[string]string{"IOTRONIC_URL": "http://i", "OS_AUTH_TYPE": "local"}, "", []string{"--os-auth-url", "http://k", "--os-username", "u", "--os-password", "p"}, true},
		"a token, and Keystone in the file":     {stale, "auth_url: http://k\n", nil, false},
		"nobody, and Keystone in the file":      {none, "auth_url: http://k\n", nil, false},
		"both as flags":                         {nil, "", []string{"--iotronic-url", "http://i", "--os-token", "t", "--os-auth-url", "http://k"}, false},
		"a token in the file, Keystone outside": {map[string]string{"IOTRONIC_URL": "http://i", "OS_AUTH_URL": "http://k", "OS_USERNAME": "u", "OS_PASSWORD": "p"}, "token: x\n", nil, true},
	} {
		who, _, err := iotronicUser(iotronicValues(t, c.env, c.file, c.args...))
		if err != nil || who.StandsAlone() == c.keystone {
			t.Errorf("%s: %v, %v", name, who.AuthType, err)
		}
	}
}

// TestIotronicWhose: no user goes to a server that it is not for, and no address or certificate of a cloud counts for
// another.
func TestIotronicWhose(t *testing.T) {
	clouds := filepath.Join(t.TempDir(), "clouds.yaml")
	if err := os.WriteFile(clouds, []byte(`
clouds:
  none: {auth_type: none, endpoint: http://cloud}
  basic: {auth_type: http_basic, auth: {endpoint: http://cloud, username: of-cloud, password: p}}
  keystone: {verify: false, auth: {auth_url: http://k, username: of-cloud, password: p}, baremetal_endpoint_override: http://cloud}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OS_CLIENT_CONFIG_FILE", clouds)
	other := []string{"--os-auth-url", "http://other", "--os-username", "of-flag", "--os-password", "p"}
	env := func(pairs ...string) map[string]string {
		m := map[string]string{"OS_USERNAME": "of-env", "OS_PASSWORD": "p"}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	for name, c := range map[string]struct {
		env               map[string]string
		file              string
		args              []string
		kind, user, where string
	}{
		"Keystone as a flag, an override":     {map[string]string{"OS_CLOUD": "keystone"}, "", other, "", "of-flag", ""},
		"the same of a cloud for this":        {map[string]string{"CRATON_IOTRONIC_CLOUD": "keystone"}, "", other, "", "of-flag", ""},
		"Keystone as a flag, a cloud without": {map[string]string{"OS_CLOUD": "none"}, "", other, "", "of-flag", ""},
		"the same with users":                 {map[string]string{"OS_CLOUD": "basic"}, "", other, "", "of-flag", ""},
		"and for this alone":                  {map[string]string{"CRATON_IOTRONIC_CLOUD": "basic"}, "", other, "", "of-flag", ""},
		"Keystone outside":                    {env("OS_AUTH_URL", "http://k"), "os_cloud: basic\n", nil, "", "of-env", ""},
		"a user of Craton outside":            {env(), "os_cloud: basic\n", nil, keystone.HTTPBasic, "of-cloud", "http://cloud"},
		"the same in the same place":          {env("OS_CLOUD", "basic"), "", nil, keystone.HTTPBasic, "of-cloud", "http://cloud"},
		"a user as a flag":                    {env("OS_CLOUD", "basic"), "", []string{"--os-username", "of-flag"}, keystone.HTTPBasic, "of-flag", "http://cloud"},
		"nobody, and a cloud for more":        {env("OS_CLOUD", "keystone", "OS_AUTH_TYPE", "none", "IRONIC_URL", "http://i"), "", nil, keystone.None, "of-env", ""},
		"nobody, and a cloud elsewhere":       {env("OS_CLOUD", "gone", "OS_AUTH_TYPE", "none", "IRONIC_URL", "http://i"), "", nil, keystone.None, "of-env", ""},
		"no user, and a cloud for more":       {map[string]string{"OS_CLOUD": "keystone", "OS_AUTH_TYPE": "http_basic", "IRONIC_URL": "http://i"}, "", nil, keystone.HTTPBasic, "", ""},
		"no user, and a cloud in the file":    {map[string]string{"OS_AUTH_TYPE": "http_basic", "IRONIC_URL": "http://i"}, "os_cloud: keystone\n", nil, keystone.HTTPBasic, "", ""},
		"nobody, and a cloud of users":        {env("OS_CLOUD", "basic", "OS_AUTH_TYPE", "none", "IRONIC_URL", "http://i"), "", nil, keystone.None, "of-env", ""},
		"another Keystone in the same place":  {env("OS_CLOUD", "keystone", "OS_AUTH_URL", "http://other"), "", nil, "", "of-env", ""},
		"nobody at a cloud":                   {map[string]string{"OS_CLOUD": "none", "OS_AUTH_TYPE": "none"}, "", nil, keystone.None, "", "http://cloud"},
	} {
		who, _, err := iotronicUser(iotronicValues(t, c.env, c.file, c.args...))
		if err != nil || who.AuthType != c.kind || who.Username != c.user || who.EndpointOf("baremetal") != c.where || who.StandsAlone() && who.Insecure {
			t.Errorf("%s: %q of %q at %q, %v", name, who.AuthType, who.Username, who.EndpointOf("baremetal"), err)
		}
	}
}

// TestIotronicRegion: in which region of which cloud the API is looked for, and by what version.
func TestIotronicRegion(t *testing.T) {
	clouds := filepath.Join(t.TempDir(), "clouds.yaml")
	if err := os.WriteFile(clouds, []byte(`
clouds:
  south: {auth: {auth_url: http://k, username: u, password: p}, region_name: south, baremetal_api_version: '1.58'}
  many: {auth: {auth_url: http://k, username: u, password: p}, regions: [east, south], baremetal_interface: internal}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OS_CLIENT_CONFIG_FILE", clouds)
	for name, c := range map[string]struct {
		env           map[string]string
		args          []string
		region, wrong string
		version       string
	}{
		"a cloud's":                      {map[string]string{"CRATON_IOTRONIC_CLOUD": "south"}, nil, "south", "", "1.58"},
		"left in the environment":        {map[string]string{"OS_REGION_NAME": "north"}, []string{"--iotronic-cloud", "south"}, "", "Valid choices are south", ""},
		"of Craton's cloud":              {map[string]string{"OS_REGION_NAME": "north", "OS_CLOUD": "of-craton", "CRATON_IOTRONIC_CLOUD": "south"}, nil, "south", "", "1.58"},
		"one of several":                 {map[string]string{"OS_REGION_NAME": "south"}, []string{"--iotronic-cloud", "many"}, "south", "", ""},
		"the same of the common cloud":   {map[string]string{"OS_REGION_NAME": "south", "OS_CLOUD": "many"}, nil, "south", "", ""},
		"none of the common cloud":       {map[string]string{"OS_REGION_NAME": "north", "OS_CLOUD": "many"}, nil, "", "Valid choices are east, south", ""},
		"a flag":                         {map[string]string{"OS_CLOUD": "south"}, []string{"--os-region-name", "north"}, "north", "", "1.58"},
		"a version":                      {map[string]string{"OS_CLOUD": "south"}, []string{"--iotronic-api-version", "1.60"}, "south", "", "1.60"},
		"of the service":                 {map[string]string{"OS_AUTH_URL": "http://k", "OS_BAREMETAL_REGION_NAME": "west", "OS_BAREMETAL_API_VERSION": "1"}, nil, "west", "", ""},
		"of the service, by openstack's": {map[string]string{"OS_CLOUD": "many", "OS_BAREMETAL_API_VERSION": "1.61"}, nil, "east", "", "1.61"},
	} {
		v := iotronicValues(t, c.env, "", c.args...)
		who, _, err := iotronicUser(v)
		region := who.Regions["baremetal"]
		if region == "" {
			region = who.Region
		}
		if c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) || c.wrong == "" && err != nil || region != c.region {
			t.Errorf("%s: %q, %v", name, region, err)
		}
		if got := apiVersion(v, who, iotronic.ServiceTypes()); got != c.version {
			t.Errorf("%s: version %q", name, got)
		}
	}
	v := iotronicValues(t, map[string]string{"OS_AUTH_TYPE": "none", "OS_BAREMETAL_ENDPOINT_OVERRIDE": "http://ironic.example"}, "")
	if client, err := Iotronic(v); err != nil || client.String() != "iotronic client of http://ironic.example/v1" {
		t.Errorf("an address of the service: %v, %v", client, err)
	}
}

// TestIotronicSettings: the settings of how it is spoken to reach the client.
func TestIotronicSettings(t *testing.T) {
	t.Parallel()
	api := iotronictest.New(iotronictest.Nodes2017, iotronictest.NoAuth())
	server := httptest.NewTLSServer(api)
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, certPEM(server), 0o600); err != nil {
		t.Fatal(err)
	}
	list := func(env map[string]string, args ...string) error {
		t.Helper()
		client, err := Iotronic(iotronicValues(t, env, "", append(args, "--iotronic-url", server.URL)...))
		if err != nil {
			t.Fatal(err)
		}
		defer client.CloseIdleConnections()
		_, err = client.Nodes.List(t.Context(), iotronic.NodeListOptions{})
		return err
	}
	for _, args := range [][]string{{"--ca-path", ca}, {"--os-cacert", ca}, {"--insecure"}, {"--validate-certs=no"}} {
		if err := list(nil, args...); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
	if err := list(nil, "--max-retries", "0", "--validate-certs", "--insecure"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("verified: %v", err)
	}
	if err := list(map[string]string{"OS_CACERT": ca}, "--dialect", "iotronic-boards"); err == nil || !strings.Contains(err.Error(), "cannot list nodes") {
		t.Errorf("a dialect that is set: %v", err)
	}
	if err := list(map[string]string{"IOTRONIC_API_VERSION": "1.9", "OS_CACERT": ca}); err == nil || !strings.Contains(err.Error(), "1.9") {
		t.Errorf("a version that is set: %v", err)
	}
	failures := 0
	api.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v1/nodes" {
			failures++
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	})
	if err := list(map[string]string{"IOTRONIC_MAX_RETRIES": "2", "IOTRONIC_RETRY_INTERVAL": "0.001", "OS_CACERT": ca}); iotronic.StatusOf(err) != http.StatusServiceUnavailable {
		t.Error(err)
	}
	if failures != 3 {
		t.Errorf("%d requests, want 3", failures)
	}
}

// TestIronicThroughKeystone signs in to a real Keystone in every way, and reads nodes of a real Ironic.
func TestIronicThroughKeystone(t *testing.T) {
	ironic, k := openstacktest.StartIronicBehindKeystone(t)
	region := k.Service(t, "baremetal", ironic.URL)
	user, project := k.AdminUser(t), k.AdminProject(t)
	app := k.ApplicationCredential(t, user, project, time.Time{})
	class, names := ironic.Nodes(t, 1, k.Token(t, user, project))
	cloud := filepath.Join(t.TempDir(), "clouds.yaml")
	err := os.WriteFile(cloud, fmt.Appendf(nil, "clouds: {bare: {region_name: %s, auth: {auth_url: %q, username: %s, password: %s, project_name: %s}}}",
		region, k.URL, user.Name, user.Password, project.Name), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("OS_CLIENT_CONFIG_FILE", cloud)
	openrc := map[string]string{"OS_AUTH_URL": k.URL, "OS_USERNAME": user.Name, "OS_PASSWORD": user.Password, "OS_TENANT_NAME": project.Name, "OS_REGION_NAME": region}
	cratonrc := map[string]string{"OS_AUTH_URL": "http://127.0.0.1:1", "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_ID": "i", "OS_REGION_NAME": "elsewhere"}
	for name, c := range map[string]struct {
		env  map[string]string
		args []string
	}{
		"the catalogue":             {openrc, nil},
		"a type of service":         {openrc, []string{"--os-service-type", "baremetal"}},
		"a url counts for more":     {openrc, []string{"--os-region-name", "nowhere", "--iotronic-url", ironic.URL}},
		"a cloud":                   {map[string]string{"OS_CLOUD": "bare"}, nil},
		"a cloud of its own":        {cratonrc, []string{"--iotronic-cloud", "bare"}},
		"its flags":                 {cratonrc, []string{"--iotronic-cloud", "bare", "--os-region-name", region, "--os-username", user.Name}},
		"an application credential": {map[string]string{"OS_AUTH_URL": k.URL}, []string{"--os-application-credential-id", app.ID, "--os-application-credential-secret", app.Secret, "--os-region-name", region}},
		"a token":                   {map[string]string{"OS_TOKEN": k.Token(t, user, project), "OS_AUTH_URL": k.URL, "OS_REGION_NAME": region}, nil},
		"a token as it is":          {map[string]string{"OS_AUTH_TOKEN": k.Token(t, user, project), "IRONIC_URL": ironic.URL}, nil},
	} {
		client, err := Iotronic(iotronicValues(t, c.env, "", c.args...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		page, err := client.Nodes.List(t.Context(), iotronic.NodeListOptions{ResourceClass: class})
		if err != nil || len(page.Items) != 1 || page.Items[0].Name != names[0] {
			t.Errorf("%s: %v, %v", name, page, err)
		}
		client.CloseIdleConnections()
	}
	client, err := Iotronic(iotronicValues(t, openrc, "", "--os-service-type", "baremetel"))
	if err == nil {
		_, err = client.Dialect(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), `no public endpoint of a service "baremetel"`) {
		t.Errorf("a service that is not there: %v", err)
	}
	wrong := iotronicValues(t, openrc, "", "--os-password", "wrong-and-secret")
	client, err = Iotronic(wrong)
	if err == nil {
		_, err = client.Nodes.List(t.Context(), iotronic.NodeListOptions{})
	}
	if !iotronic.IsUnauthenticated(err) || strings.Contains(err.Error(), "wrong-and-secret") {
		t.Errorf("a wrong password: %v", err)
	}
}

// TestIronicAlone: an Ironic without Keystone that a clouds.yaml knows, or the environment, with users of its own or
// without any.
func TestIronicAlone(t *testing.T) {
	ironic, basic := openstacktest.NewIronic(t), openstacktest.NewIronic(t, openstacktest.IronicBasic())
	cloud := filepath.Join(t.TempDir(), "clouds.yaml")
	err := os.WriteFile(cloud, fmt.Appendf(nil, `
clouds:
  bifrost: {auth_type: "none", endpoint: %[1]q}
  override: {auth_type: none, bare_metal_endpoint_override: %[1]q, iot_endpoint_override: "http://127.0.0.1:1"}
  basic: {auth_type: http_basic, auth: {username: %[3]s, password: %[4]s, endpoint: %[2]q}}
  stale: {auth_type: http_basic, auth: {username: %[3]s, password: hush-hush, endpoint: %[2]q}}
  nowhere: {auth_type: none}
  keystone: {auth: {auth_url: "http://127.0.0.1:1", username: u, password: p}}
`, ironic.URL, basic.URL, openstacktest.IronicUser, openstacktest.IronicPassword), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("OS_CLIENT_CONFIG_FILE", cloud)
	elsewhere := map[string]string{"IRONIC_URL": "http://127.0.0.1:1", "OS_TOKEN": "of somebody else", "OS_CLOUD": "keystone"}
	list := func(env map[string]string, args ...string) error {
		client, err := Iotronic(iotronicValues(t, env, "", append(args, "--max-retries", "0")...))
		if err == nil {
			defer client.CloseIdleConnections()
			_, err = client.Nodes.List(t.Context(), iotronic.NodeListOptions{})
		}
		return err
	}
	for name, c := range map[string]struct {
		env  map[string]string
		args []string
	}{
		"bifrost":                       {map[string]string{"OS_CLOUD": "bifrost"}, nil},
		"a cloud beside Craton's own":   {map[string]string{"OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_ID": "i"}, []string{"--iotronic-cloud", "bifrost"}},
		"an override":                   {map[string]string{"OS_CLOUD": "override"}, []string{"--os-service-type", "baremetal"}},
		"a cloud of users":              {map[string]string{"OS_CLOUD": "basic"}, nil},
		"a cloud that is named":         {elsewhere, []string{"--os-cloud", "basic"}},
		"the same for this alone":       {elsewhere, []string{"--iotronic-cloud", "bifrost"}},
		"before what others call so":    {map[string]string{"OS_CLOUD": "bifrost", "IRONIC_URL": "http://127.0.0.1:1"}, nil},
		"but not our own":               {map[string]string{"OS_CLOUD": "override", "CRATON_IOTRONIC_URL": ironic.URL}, nil},
		"a url in the same place":       {map[string]string{"OS_CLOUD": "nowhere", "IRONIC_URL": ironic.URL}, nil},
		"another user":                  {map[string]string{"OS_CLOUD": "stale"}, []string{"--os-password", openstacktest.IronicPassword}},
		"nobody":                        {map[string]string{"OS_ENDPOINT": ironic.URL, "OS_AUTH_TYPE": "none"}, nil},
		"a user":                        {map[string]string{"OS_ENDPOINT": basic.URL, "OS_AUTH_TYPE": "http_basic", "OS_USERNAME": openstacktest.IronicUser, "OS_PASSWORD": openstacktest.IronicPassword}, nil},
		"a user, and Keystone for more": {map[string]string{"OS_ENDPOINT": basic.URL, "OS_AUTH_TYPE": "http_basic", "OS_USERNAME": openstacktest.IronicUser, "OS_PASSWORD": openstacktest.IronicPassword, "OS_AUTH_URL": "http://127.0.0.1:1"}, nil},
	} {
		if err := list(c.env, c.args...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for want, c := range map[string]struct {
		env  map[string]string
		args []string
	}{
		"no Ironic or Iotronic is configured":                    {map[string]string{"OS_CLOUD": "nowhere"}, nil},
		"with auth_type http_basic (OS_AUTH_TYPE), set username": {map[string]string{"IRONIC_URL": basic.URL}, nil},
		"or for a cloud in clouds.yaml":                          {nil, []string{"--os-cloud", "stale"}},
	} {
		if err := list(c.env, c.args...); err == nil || !strings.Contains(Advised(err).Error(), want) || strings.Contains(err.Error(), "hush-hush") {
			t.Errorf("not %q: %v", want, err)
		}
	}
}

// TestRetriesOfKeystone: max_retries holds for Keystone too, where it is set.
func TestRetriesOfKeystone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want int64
	}{
		{[]string{"--max-retries", "0"}, 1},
		{[]string{"--max-retries", "0", "--retries", "3"}, 1},
		{[]string{"--retries", "1"}, 2},
	} {
		var asked atomic.Int64
		down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
		}))
		t.Cleanup(down.Close)
		args := append(c.args, "--os-auth-url", down.URL+"/v3", "--os-username", "u", "--os-password", "p", "--os-project-name", "x", "--no-token-cache")
		client, err := Iotronic(iotronicValues(t, nil, "", args...))
		if err == nil {
			_, err = client.Nodes.List(t.Context(), iotronic.NodeListOptions{})
		}
		if err == nil || asked.Load() != c.want {
			t.Errorf("%q: asked %d times, %v", c.args, asked.Load(), err)
		}
	}
}
