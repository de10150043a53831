package iotronic

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/modules/internal/moduletest"
)

// TestEnvironment: where the API is is taken from the task, then from the environment, by the names of the Python
// clients too, and then from the configuration file.
func TestEnvironment(t *testing.T) {
	s := iotronictest.Start(t, iotronictest.Boards2019)
	s.Add("boards", iotronictest.Object{"name": "pi", "code": "c"})
	file := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(file, []byte("iotronic: {url: "+s.URL+", dialect: iotronic-boards}\ntoken: "+iotronictest.Admin.Token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const nowhere = "http://127.0.0.1:1"
	token := iotronictest.Admin.Token
	for name, c := range map[string]struct {
		in       args
		env      map[string]string
		file     string
		asksWhat bool // the dialect
	}{
		"task":               {in: args{"url": s.URL, "token": token}, asksWhat: true},
		"task before all":    {in: args{"url": s.URL + "/v1/", "token": token}, env: map[string]string{"IOTRONIC_URL": nowhere, "OS_TOKEN": "x"}, file: file},
		"our own names":      {env: map[string]string{"CRATON_IOTRONIC_URL": s.URL, "IOTRONIC_URL": nowhere, "OS_TOKEN": token, "CRATON_IOTRONIC_DIALECT": "iotronic-boards"}},
		"the Python clients": {env: map[string]string{"OS_SERVICE_ENDPOINT": s.URL, "OS_AUTH_TOKEN": token}, asksWhat: true},
		"the file":           {file: file},
		"no Craton":          {in: args{"username": "u", "password": "an API key", "project_id": "p"}, env: map[string]string{"CRATON_URL": nowhere}, file: file},
	} {
		t.Setenv("CRATON_CONFIG", c.file)
		before := len(s.Requests())
		out, text := run(t, board.infoName(), c.in, c.env)
		if out["failed"] != nil || len(out.Names(t, board.plural)) != 1 {
			t.Errorf("%s: %s", name, text)
		}
		if asked := s.Requests()[before].Path == "/v1"; asked != c.asksWhat {
			t.Errorf("%s: the dialect was asked for: %v", name, asked)
		}
		if strings.Contains(text, token) || strings.Contains(text, "an API key") {
			t.Errorf("%s: a secret is shown: %s", name, text)
		}
	}
}

// TestKeystone: a real Ironic that a real Keystone's catalogue leads to. Who may only read reads, and changes nothing.
func TestKeystone(t *testing.T) {
	t.Parallel()
	i, k := openstacktest.StartIronicBehindKeystone(t)
	region := k.Service(t, "baremetal", i.URL)
	signIn := func(u openstacktest.User) *world {
		return &world{Front: &moduletest.Front{Lookup: lookup, Connection: args{"auth_url": k.URL, "username": u.Name, "password": u.Password, "project_name": k.AdminProject(t).Name,
			"os_region_name": region, "no_token_cache": true, "max_retries": 20}}}
	}
	reader := k.User(t, "reader")
	k.Grant(t, reader, k.AdminProject(t), "reader")
	admin, other := signIn(k.AdminUser(t)), signIn(reader)

	made := admin.Task(t, nodeName, args{"name": "behind", "driver": openstacktest.IronicDriver, "driver_info": map[string]any{"redfish_password": "hush-hush"}})
	if made["failed"] != nil || made["changed"] != true {
		t.Fatalf("%v", made)
	}
	other.reads(t, node, args{"name": "behind", "fields": "name"}, "behind")
	if same := other.Task(t, nodeName, args{"name": "behind", "driver": openstacktest.IronicDriver, "maintenance": false}); same["changed"] != false || same["failed"] != nil {
		t.Errorf("%v", same)
	}
	if refused := other.Task(t, nodeName, args{"name": "behind", "state": "absent"}); refused["changed"] != false || !strings.Contains(refused.Msg(), "403 Forbidden") {
		t.Errorf("%v", refused)
	}
	wrong := signIn(openstacktest.User{Name: reader.Name, Password: "not this one"})
	out, text := run(t, node.infoName(), wrong.Connection, nil)
	if !strings.Contains(out.Msg(), "refuses to sign in user") || strings.Contains(text, "not this one") {
		t.Errorf("a wrong password: %s", text)
	}
	elsewhere, _ := run(t, node.infoName(), admin.Connection.With(args{"os_region_name": "nowhere"}), nil)
	if !strings.Contains(elsewhere.Msg(), "the catalogue has no endpoint of type iot or baremetal") {
		t.Errorf("another region: %v", elsewhere)
	}
	if gone := admin.Task(t, nodeName, args{"name": "behind", "state": "absent"}); gone["changed"] != true {
		t.Errorf("%v", gone)
	}
}

// TestStandalone: a real Ironic without Keystone, by its users and by clouds that know it.
func TestStandalone(t *testing.T) {
	i := openstacktest.NewIronic(t, openstacktest.IronicBasic())
	clouds := filepath.Join(t.TempDir(), "clouds.yaml")
	text := "clouds: {metal: {auth_type: http_basic, auth: {endpoint: " + i.URL + ", username: " + openstacktest.IronicUser + ", password: " + openstacktest.IronicPassword + "}}}\n"
	if err := os.WriteFile(clouds, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	in := args{"name": "alone", "driver": openstacktest.IronicDriver}
	for _, c := range []struct {
		connection args
		env        map[string]string
		changed    bool
		want       string
	}{
		{args{"url": i.URL, "auth_type": "http_basic", "username": openstacktest.IronicUser, "password": openstacktest.IronicPassword}, nil, true, ""},
		{args{"os_cloud": "metal"}, map[string]string{"IRONIC_URL": "http://127.0.0.1:1", "OS_TOKEN": "x", "OS_PASSWORD": "y"}, false, ""},
		{nil, map[string]string{"CRATON_IOTRONIC_CLOUD": "metal", "OS_USERNAME": "of Craton"}, false, ""},
		{args{"url": i.URL, "auth_type": "http_basic", "username": openstacktest.IronicUser, "password": "not-this-one"}, nil, false, "Incorrect username or password"},
		{args{"url": i.URL}, nil, false, "401 Unauthorized"},
	} {
		t.Setenv("OS_CLIENT_CONFIG_FILE", clouds)
		out, text := run(t, nodeName, in.With(c.connection), c.env)
		if (out["failed"] == nil) != (c.want == "") || out["changed"] != c.changed || !strings.Contains(out.Msg(), c.want) {
			t.Errorf("%v %v: %s", c.connection, c.env, text)
		}
		if strings.Contains(text, openstacktest.IronicPassword) || strings.Contains(text, "not-this-one") {
			t.Errorf("%v: a password is shown: %s", c.connection, text)
		}
	}
}
