package keystone

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/wording"
)

const cloudsYAML = `
clouds:
  prod:
    auth: &prod
      auth_url: https://keystone.example:5000/v3
      username: deploy
      password: in the open
      project_name: fleet
      user_domain_name: people
      project_domain_id: 4711
    region_name: north
    interface: internal
    cacert: ~/ca.pem
    cert: client.pem
    key: client.key
    verify: false
    identity_api_version: 3
    compute_api_version: '2.1'
  merged:
    auth:
      <<: *prod
      project_name: lab
      trust_id: trust-1
  app:
    auth_type: v3applicationcredential
    auth: {auth_url: "https://keystone.example/identity", application_credential_id: abc, application_credential_secret: hush}
    verify: true
  old:
    auth: {auth-url: "http://keystone.example:5000/v2.0", user_name: deploy, tenant_name: fleet, password: 12345}
    endpoint_type: adminURL
    auth_plugin: password
    insecure: 'yes'
  older:
    username: deploy
    tenant-id: 47
    auth: {auth_url: "http://keystone.example", password: x}
  regional:
    auth: {auth_url: "http://keystone.example", username: deploy}
    regions:
    - north
    - name: south
      values: {auth: {auth_url: "http://south.example"}, interface: admin, bare-metal-endpoint-override: "http://south.example:6385"}
  provided:
    profile: provider
    auth: {username: deploy, project_id: p}
  lost:
    profile: nobody
    auth: {username: deploy}
  empty: {}
  alone: {auth_type: none, endpoint: http://some.example, baremetal_endpoint_override: http://ironic.example}
  basic: {auth_type: http_basic, auth: {username: operator, password: hush, endpoint: http://ironic.example}, iot_endpoint_override: ""}
  odd: {auth_type: kerberos}
  python: {auth_type: None, endpoint: http://ironic.example}
  blank:
  list: [1]
`

func TestLoadCloud(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	here, mine, system := t.TempDir(), filepath.Join(home, ".config", "openstack"), t.TempDir()
	put := func(folder, name, text string) string {
		t.Helper()
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	in := places{folders: []string{here, mine, system}}
	prod := Config{
		AuthURL: "https://keystone.example:5000/v3", Username: "deploy", Password: "in the open", ProjectName: "fleet",
		UserDomainName: "people", ProjectDomainID: "4711", Region: "north", Interface: "internal", Insecure: true,
		CACert: filepath.Join(home, "ca.pem"), Cert: "client.pem", Key: "client.key",
		Versions: map[string]string{"identity": "3", "compute": "2.1"},
	}

	if _, err := in.load("prod", wanted{}); err == nil || !wording.Has(err.Error(), "no clouds.yaml ... "+here+", ") {
		t.Errorf("no file: %v", err)
	}
	put(system, "clouds.yaml", "clouds: {prod: {auth: {auth_url: http://system.example}}}\n")
	if got, err := in.load("prod", wanted{}); err != nil || got.AuthURL != "http://system.example" {
		t.Errorf("the system's file: %+v, %v", got.AuthURL, err)
	}
	put(mine, "clouds.yml", cloudsYAML)
	put(system, "clouds-public.yaml", "public-clouds: {provider: {auth: {auth_url: http://provider.example, username: nobody}, region_name: west}}\n")
	for name, tt := range map[string]struct {
		region string
		want   Config
	}{
		"prod": {"", prod},
		"merged": {"", Config{AuthURL: prod.AuthURL, Username: "deploy", Password: "in the open", ProjectName: "lab", TrustID: "trust-1",
			UserDomainName: "people", ProjectDomainID: "4711"}},
		"app": {"east", Config{AuthURL: "https://keystone.example/identity", AuthType: ApplicationCredential, ApplicationCredentialID: "abc",
			ApplicationCredentialSecret: "hush", Region: "east"}},
		"old": {"", Config{AuthURL: "http://keystone.example:5000/v2.0", Username: "deploy", ProjectName: "fleet", Password: "12345",
			Interface: "adminURL", AuthType: Password, Insecure: true}},
		"older":    {"", Config{AuthURL: "http://keystone.example", Username: "deploy", ProjectID: "47", Password: "x"}},
		"regional": {"", Config{AuthURL: "http://keystone.example", Username: "deploy", Region: "north"}},
		"alone":    {"", Config{AuthType: None, Endpoint: "http://some.example", Endpoints: map[string]string{"baremetal": "http://ironic.example"}}},
		"basic":    {"", Config{AuthType: HTTPBasic, Username: "operator", Password: "hush", Endpoint: "http://ironic.example"}},
		"python":   {"", Config{AuthType: None, Endpoint: "http://ironic.example"}},
		"provided": {"", Config{AuthURL: "http://provider.example", Username: "deploy", ProjectID: "p", Region: "west"}},
	} {
		got, err := in.load(name, wanted{region: tt.region})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(fields(tt.want), fields(got)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	got, err := in.load("regional", wanted{region: "south"})
	want := Config{AuthURL: "http://south.example", Username: "deploy", Region: "south", Interface: "admin", Endpoints: map[string]string{"bare_metal": "http://south.example:6385"}}
	if diff := cmp.Diff(fields(want), fields(got)); err != nil || diff != "" {
		t.Errorf("the second region: %s, %v", diff, err)
	}

	for name, want := range map[string]string{
		"prdo":  `clouds.yml has no cloud "prdo"; it has alone, app, basic, blank, empty, list, lost, merged, odd, old, older, prod, provided, python, regional`,
		"odd":   `auth_type "kerberos" is not supported; supported are password, v3applicationcredential and token, and none and http_basic for Ironic alone (cloud "odd" of `,
		"empty": `has no auth.auth_url`, "blank": `cloud "blank" must be a mapping`, "lost": `no profile of a clouds-public.yaml`,
	} {
		if _, err := in.load(name, wanted{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := in.load("regional", wanted{region: "west"}); err == nil || !wording.Has(err.Error(), `"west" ... north, south`) {
		t.Errorf("no such region: %v", err)
	}

	// A file of secrets beside clouds.yaml, or elsewhere, or named.
	put(system, "secure.yaml", "clouds: {prod: {auth: {password: of the system}}, other: {}}\n")
	secret := func(in places, want string) {
		t.Helper()
		if got, err := in.load("prod", wanted{}); err != nil || got.Password != want || got.Username != "deploy" {
			t.Errorf("the password is %q, not %q: %v", got.Password, want, err)
		}
	}
	secret(in, "of the system")
	put(mine, "secure.yaml", "clouds: {prod: {auth: {password: beside it}}}\n")
	secret(in, "beside it")
	named := put(t.TempDir(), "s.yaml", "clouds: {prod: {auth: {password: named}}}\n")
	secret(places{folders: in.folders, secure: named}, "named")

	// The working directory comes first, and a named file before all.
	put(here, "clouds.json", `{"clouds": {"prod": {"auth": {"auth_url": "http://here.example"}}}}`)
	if got, err := in.load("prod", wanted{}); err != nil || got.AuthURL != "http://here.example" {
		t.Errorf("the file here: %q, %v", got.AuthURL, err)
	}
	for text, want := range map[string]string{
		cloudsYAML: `cloud "list" must be a mapping`, "clouds: [": "c.yaml: yaml: ", "- a": "c.yaml: yaml: ", "": `it has none`, "clouds: x": "it has none",
	} {
		path := put(t.TempDir(), "c.yaml", text)
		if _, err := (places{named: path, folders: in.folders}).load("list", wanted{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.10q: %v", text, err)
		}
	}
	if _, err := (places{named: filepath.Join(here, "absent.yaml")}).load("prod", wanted{}); err == nil || !strings.Contains(err.Error(), "absent.yaml") {
		t.Errorf("a named file that is not there: %v", err)
	}
}

// fields returns a Config's, since it does not print them.
func fields(c Config) any {
	type plain Config
	return plain(c)
}

func TestDefaultPlaces(t *testing.T) {
	t.Setenv("HOME", "/home/ann")
	for name, tt := range map[string]struct {
		env  map[string]string
		want places
	}{
		"nothing set": {nil, places{folders: []string{".", "/home/ann/.config/openstack", "/etc/xdg/openstack", "/etc/openstack"}}},
		"all set": {map[string]string{"OS_CLIENT_CONFIG_FILE": "c", "OS_CLIENT_SECURE_FILE": "s", "XDG_CONFIG_HOME": "/x"},
			places{named: "c", secure: "s", folders: []string{".", "/x/openstack", "/etc/xdg/openstack", "/etc/openstack"}}},
	} {
		if diff := cmp.Diff(tt.want, defaultPlaces(func(n string) string { return tt.env[n] }), cmp.AllowUnexported(places{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestRegionBeside: a region that may be meant for something else fills a gap or chooses, and never takes the place of
// the cloud's.
func TestRegionBeside(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "clouds.yaml")
	public := filepath.Join(filepath.Dir(path), "clouds-public.yaml")
	for file, text := range map[string]string{path: `
clouds:
  none: {auth: {auth_url: http://k}}
  south: {auth: {auth_url: http://k}, region_name: south}
  many: {auth: {auth_url: http://k}, regions: [east, {name: south, values: {interface: admin}}]}
  commas: {auth: {auth_url: http://k}, region_name: "east, south"}
  list: {auth: {auth_url: http://k}, region-name: [east, south]}
  profile: {profile: provider, auth: {}}
  own: {profile: provider, region_name: west}
`, public: "public-clouds: {provider: {auth: {auth_url: http://k}, regions: [east, south]}}\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := places{named: path, folders: []string{filepath.Dir(path)}}
	for _, c := range []struct {
		cloud, region, want, wrong string
	}{
		{"none", "", "", ""}, {"none", "north", "north", ""},
		{"south", "", "south", ""}, {"south", "south", "south", ""},
		{"south", "north", "", "north ... environment OS_REGION_NAME ... Valid choices are south"},
		{"south", "South", "", "Valid choices are south"},
		{"many", "", "east", ""}, {"many", "south", "south", ""}, {"many", "north", "", "Valid choices are east, south"},
		{"commas", "", "east", ""}, {"commas", "south", "south", ""}, {"commas", "north", "", "Valid choices are east, south"},
		{"list", "", "east", ""}, {"list", "south", "south", ""}, {"list", "north", "", "Valid choices are east, south"},
		{"profile", "", "east", ""}, {"profile", "south", "south", ""}, {"profile", "west", "", "Valid choices are east, south"},
		{"own", "", "west", ""}, {"own", "east", "", "Valid choices are west"},
	} {
		got, err := in.load(c.cloud, wanted{c.region, "environment OS_REGION_NAME"})
		if c.wrong != "" && (err == nil || !wording.Has(err.Error(), c.wrong)) || c.wrong == "" && err != nil || got.Region != c.want {
			t.Errorf("%s, %q: %q, %v", c.cloud, c.region, got.Region, err)
		}
	}
	if got, err := in.load("south", wanted{region: "north"}); err != nil || got.Region != "north" {
		t.Errorf("said of the cloud: %q, %v", got.Region, err)
	}
}

// TestKeysOfServices: what a cloud, or the environment, says of one service counts for that alone, however it is
// spelled.
func TestKeysOfServices(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "clouds.yaml")
	if err := os.WriteFile(path, []byte(`
clouds:
  c:
    auth: {auth_url: http://k}
    region_name: north
    interface: internal
    fleet-management_region_name: south
    fleet_management_interface: admin
    fleet_management_endpoint: http://older
    bare-metal-region-name: east
    baremetal_interface: publicURL
    baremetal_endpoint_override: http://i
    baremetal_endpoint: http://older
    baremetal_api_version: 1.10
    iotronic_endpoint_type: admin
    iot_region_name: west
    compute_region_name: moon
    compute_service_type: computing
    compute_service_name: nova2
    volume_interface: [internalURL, admin]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	of := func(c Config, service string) [5]string {
		p := c.place(service)
		return [5]string{p.Type, p.Region, p.Interface, c.EndpointOf(service), p.Name}
	}
	c, err := places{named: path}.load("c", wanted{})
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"OS_FLEET_MANAGEMENT_REGION_NAME": "south", "OS_FLEET_MANAGEMENT_INTERFACE": "admin", "OS_FLEET_MANAGEMENT_ENDPOINT_OVERRIDE": "http://older",
		"OS_BARE_METAL_REGION_NAME": "east", "OS_BAREMETAL_INTERFACE": "public", "OS_BAREMETAL_ENDPOINT_OVERRIDE": "http://i", "OS_BAREMETAL_API_VERSION": "1.10",
		"OS_IOT_REGION_NAME": "west", "OS_IOTRONIC_ENDPOINT_TYPE": "admin", "OS_COMPUTE_SERVICE_TYPE": "computing", "OS_COMPUTE_REGION_NAME": "moon", "OS_COMPUTE_SERVICE_NAME": "nova2", "OS_VOLUME_INTERFACE": "internalURL, admin",
		"OS_REGION_NAME": "not this", "OS_INTERFACE": "not this",
	}
	e := Config{Region: "north", Interface: "internal"}
	e.SetService(func(name string) string { return env[name] }, "fleet_management", "baremetal", "iot", "compute", "volume")
	for where, c := range map[string]Config{"clouds.yaml": c, "environment": e} {
		for service, want := range map[string][5]string{
			"fleet_management": {"fleet_management", "south", "admin", "http://older", ""},
			"baremetal":        {"baremetal", "east", "public", "http://i", ""},
			"iot":              {"iot", "west", "admin", "", ""},
			"compute":          {"computing", "moon", "internal", "", "nova2"},
			"image":            {"image", "north", "internal", "", ""},
			"volume":           {"volume", "north", "internal,admin", "", ""},
		} {
			if got := of(c, service); got != want {
				t.Errorf("%s: %s: %v, want %v", where, service, got, want)
			}
		}
		if got := c.VersionOf("iot", "baremetal"); got != "1.10" {
			t.Errorf("%s: version %q", where, got)
		}
	}
}

// TestUnknownKeyOfAuth: a slip below auth is an error that names what was meant, whichever layer has it; keys of
// keystoneauth's other ways to sign in are none.
func TestUnknownKeyOfAuth(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cloud, secure, want string
	}{
		"a slip":          {"auth: {auth_url: http://k, project_nmae: p}", "", `clouds.yaml:3: ... auth ... "project_nmae" ... "project_name"`},
		"with dashes":     {"auth: {auth-url: http://k, project-nmae: p}", "", `unknown key "project-nmae" ... "project_name"`},
		"in capitals":     {"auth: {auth_url: http://k, Username: p}", "", `unknown key "Username" ... "username"`},
		"nothing near":    {"auth: {auth_url: http://k, colour: p}", "", `unknown key "colour" ... application_credential_id, `},
		"of a secret":     {"auth: {auth_url: http://k}", "auth: {pasword: hush}", `secure.yaml:3: ... auth ... "pasword" ... "password"`},
		"of a region":     {"auth: {auth_url: http://k}\n    regions: [{name: a, values: {auth: {usernam: x}}}]", "", `unknown key "usernam"`},
		"standing alone":  {"auth_type: none\n    auth: {endpiont: http://i}", "", `unknown key "endpiont" ... "endpoint"`},
		"another's way":   {"auth: {auth_url: http://k, passcode: '1', identity_provider: x, protocol: y, discovery_endpoint: z, tenant-name: t, auth_token: u, default_domain_name: d}", "", ""},
		"an unknown way":  {"auth_type: v3magic\n    auth: {auth_url: http://k, wand: yes}", "", ""},
		"beside auth":     {"auth: {auth_url: http://k}\n    project_nmae: p", "", ""},
		"a known service": {"auth: {auth_url: http://k}\n    compute_api_version: '2.1'", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for file, text := range map[string]string{"clouds.yaml": c.cloud, "secure.yaml": c.secure} {
				if text == "" {
					text = "{}"
				}
				if err := os.WriteFile(filepath.Join(dir, file), []byte("clouds:\n  c:\n    "+text+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := places{folders: []string{dir}}.load("c", wanted{})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !wording.Has(err.Error(), c.want)) {
				t.Error(err)
			}
			if err != nil && strings.Contains(err.Error(), "hush") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

// TestEndpointOf: what a Config says of where a service is.
func TestEndpointOf(t *testing.T) {
	t.Parallel()
	own := map[string]string{"bare_metal": "http://b/"}
	for _, c := range []struct {
		config Config
		types  []string
		want   string
	}{
		{Config{}, []string{"iot"}, ""},
		{Config{Endpoints: own}, []string{"iot", "bare-metal"}, "http://b/"},
		{Config{Endpoints: own, Endpoint: "http://e"}, []string{"iot"}, ""},
		{Config{Endpoints: own, Endpoint: "http://e", AuthType: HTTPBasic}, []string{"iot"}, "http://e"},
		{Config{Endpoints: own, Endpoint: "http://e", AuthType: None}, []string{"iot", "bare-metal"}, "http://b/"},
	} {
		if got := c.config.EndpointOf(c.types...); got != c.want {
			t.Errorf("%v of %v: %q", c.types, fields(c.config), got)
		}
	}
	a, err := New(Config{AuthURL: "http://127.0.0.1:1", Username: "u", Password: "p", Endpoints: own})
	if err != nil {
		t.Fatal(err)
	}
	if url, err := a.Endpoint(t.Context(), "bare-metal"); err != nil || url != "http://b" {
		t.Errorf("Endpoint: %q, %v", url, err)
	}
	for _, kind := range []string{None, HTTPBasic} {
		if _, err := New(Config{AuthURL: "http://k", AuthType: kind, Username: "u", Password: "p"}); err == nil || !strings.Contains(err.Error(), "standalone") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
