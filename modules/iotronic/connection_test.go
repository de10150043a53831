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

// TestEnvironment: where the API is is taken from the task, then from the environment, by the names of the Python clients
// too, and then from the configuration file.
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
	if !strings.Contains(out.Msg(), "does not sign in user") || strings.Contains(text, "not this one") {
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
