package connect

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/iotronic"
)

// refusing returns a server that refuses all credentials.
func refusing(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, `{"status": 401, "message": "The request could not be authenticated.", "error": {"code": 401, "message": "The request you have made requires authentication."}}`)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestTriedUser: the error of a 401 says which URL, user and project were tried, what has set each, and what to do;
// never the key.
func TestTriedUser(t *testing.T) {
	t.Parallel()
	url := refusing(t)
	const project = "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c"
	v := valuesOf(t, map[string]string{"CRATON_URL": url, "OS_USERNAME": "ann", "OS_TENANT_ID": project}, "password: hush-hush\n")
	c, err := Open(t.Context(), v, ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Clouds.List(t.Context(), craton.CloudListOptions{})
	want := fmt.Sprintf(" Tried %s (environment CRATON_URL) as user ann (environment OS_USERNAME), project %s (environment OS_TENANT_ID), the API key (%s); run `craton doctor`",
		url, project, v.Source("password"))
	if !craton.IsUnauthenticated(err) || !strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), "hush") {
		t.Errorf("Craton: %v\nwant %s", err, want)
	}

	c, err = Open(t.Context(), values(t, "--craton-url", "http://127.0.0.1:1", "--os-auth-url", url, "--os-username", "ann", "--os-password", "hush-hush", "--os-project-name", "team", "--no-token-cache"), ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Clouds.List(t.Context(), craton.CloudListOptions{})
	want = "tried Keystone " + url + " (flag --os-auth-url), user ann (flag --os-username), project team (flag --os-project-name), the password (flag --os-password); run `craton doctor`"
	if !craton.IsUnauthenticated(err) || !strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), "hush") {
		t.Errorf("Keystone: %v\nwant %s", err, want)
	}

	i, err := Iotronic(iotronicValues(t, map[string]string{"IRONIC_URL": url, "OS_TOKEN": "hush-hush"}, "", "--dialect", "ironic"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = i.Nodes.List(t.Context(), iotronic.NodeListOptions{})
	want = "tried " + url + " (environment IRONIC_URL) as the owner of the token (environment OS_TOKEN); `craton config` shows what is set where"
	if err = Advised(err); !iotronic.IsUnauthenticated(err) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
		t.Errorf("Ironic: %v\nwant %s", err, want)
	}
}

// TestWhatNamedTheProject: a project that a file does not have was named by some setting, which is often meant for
// something else.
func TestWhatNamedTheProject(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + filepath.Join(t.TempDir(), "fleet.db")
	makeFile(t, url)
	const other = "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c"
	for name, c := range map[string]struct {
		env  map[string]string
		file string
		args []string
		want string
	}{
		"an openrc's":     {map[string]string{"OS_PROJECT_ID": other}, "", nil, "no project " + other + "; environment OS_PROJECT_ID names this project"},
		"an older one's":  {map[string]string{"OS_TENANT_ID": other}, "", nil, "environment OS_TENANT_ID names this project"},
		"of the file":     {nil, "project_id: " + other + "\n", nil, "config.yml:1 names this project"},
		"a flag":          {nil, "", []string{"--os-project-id", other}, "flag --os-project-id names this project"},
		"no UUID":         {map[string]string{"OS_PROJECT_ID": "team"}, "", nil, `project "team" is not a UUID`},
		"no UUID, either": {map[string]string{"OS_PROJECT_ID": "team"}, "", nil, "environment OS_PROJECT_ID names this project"},
	} {
		_, err := Open(t.Context(), valuesOf(t, c.env, c.file, append(c.args, "--craton-url", url)...), ReadOnly)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "unset it") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
