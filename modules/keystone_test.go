package modules

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/wording"
)

// TestKeystoneOfTask: of a cloud that the task names nothing is replaced by the environment, but by the task.
func TestKeystoneOfTask(t *testing.T) {
	var asked string
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = gjson.GetBytes(body, "auth.identity.password.user.name").String() + " for " + gjson.GetBytes(body, "auth.scope.project").Raw
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(refusing.Close)
	dir := t.TempDir()
	clouds := filepath.Join(dir, "clouds.yaml")
	text := fmt.Sprintf("clouds: {prod: {auth: {auth_url: %s, username: deploy, password: hush-hush, project_id: fleet}}}\n", refusing.URL)
	if err := os.WriteFile(clouds, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OS_CLIENT_CONFIG_FILE", clouds)
	t.Setenv("XDG_CACHE_HOME", dir)
	t.Setenv("CRATON_CONFIG", "")
	t.Setenv("XDG_CONFIG_HOME", dir)

	cratonrc := map[string]string{"OS_USERNAME": "ann", "OS_PASSWORD": "hush-hush", "OS_PROJECT_ID": "lab"}
	inEnvironment := map[string]string{"OS_CLOUD": "prod", "OS_USERNAME": "ann"}
	for name, c := range map[string]struct {
		in   args
		env  map[string]string
		want string
	}{
		"a cloud of the task":                    {args{"os_cloud": "prod"}, cratonrc, `deploy for {"id":"fleet"}`},
		"a cloud and a project of the task":      {args{"os_cloud": "prod", "project_name": "dev"}, cratonrc, `deploy for {"domain":{"id":"default"},"name":"dev"}`},
		"a cloud and a user of the environment":  {args{}, inEnvironment, `ann for {"id":"fleet"}`},
		"a tenant of the environment":            {args{}, map[string]string{"OS_CLOUD": "prod", "OS_TENANT_ID": "dev"}, `deploy for {"id":"dev"}`},
		"a project of the task, not the tenant":  {args{"project_id": "qa"}, map[string]string{"OS_CLOUD": "prod", "OS_TENANT_ID": "dev"}, `deploy for {"id":"qa"}`},
		"a cloud with all of it in the task":     {args{"auth_url": refusing.URL, "username": "bob", "password": "hush-hush", "project_id": "p"}, nil, `bob for {"id":"p"}`},
		"a cloud, and an option that is no text": {args{"os_cloud": "prod", "no_token_cache": "yes", "timeout": 5}, nil, `deploy for {"id":"fleet"}`},
	} {
		asked = ""
		out, raw := run(t, "craton_cloud_info", c.in, c.env)
		if asked != c.want || !wording.Has(out.Msg(), "refuses ... user") || strings.Contains(raw, "hush-hush") {
			t.Errorf("%s: Keystone was asked %s, want %s; %s", name, asked, c.want, raw)
		}
	}
	if out, _ := run(t, "craton_cloud_info", args{}, nil); !wording.Has(out.Msg(), "no fleet ... url ... os_cloud or auth_url") {
		t.Errorf("nothing set: %v", out)
	}
}
