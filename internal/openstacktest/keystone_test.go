package openstacktest_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/craton-fleet/craton/internal/openstacktest"
)

// What the helper makes is what Keystone then says.
func TestKeystone(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	project, user := k.Project(t, "team"), k.User(t, "ann")
	k.Grant(t, user, project, "member", "observer-of-tests")

	app := k.ApplicationCredential(t, user, project, time.Time{})
	trustee := k.User(t, "bob")
	trust := k.Trust(t, user, trustee, project, "member")
	for name, token := range map[string]string{
		"password":               k.Token(t, user, project),
		"application credential": k.TokenOf(t, gophercloud.AuthOptions{ApplicationCredentialID: app.ID, ApplicationCredentialSecret: app.Secret}),
		"trust":                  k.TokenOf(t, gophercloud.AuthOptions{UserID: trustee.ID, Password: trustee.Password, Scope: &gophercloud.AuthScope{TrustID: trust}}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tokens.Get(t.Context(), k.Admin(), token).ExtractProject()
			if err != nil {
				t.Fatal(err)
			}
			if got.ID != project.ID || got.Name != project.Name {
				t.Errorf("the token is for project %+v, want %+v", got, project)
			}
			k.Revoke(t, token)
			if err := tokens.Get(t.Context(), k.Admin(), token).Err; !gophercloud.ResponseCodeIs(err, http.StatusNotFound) {
				t.Errorf("a revoked token gives %v, want 404", err)
			}
		})
	}
}

func TestService(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	for range 2 { // two endpoints of one service
		const url = "http://127.0.0.1:7780/v1"
		region := k.Service(t, "fleet_management", url)
		provider, err := openstack.AuthenticatedClient(t.Context(), k.Auth(k.AdminUser(t), k.AdminProject(t)))
		if err != nil {
			t.Fatal(err)
		}
		eo := gophercloud.EndpointOpts{Type: "fleet_management", Region: region, Availability: gophercloud.AvailabilityInternal}
		got, err := provider.EndpointLocator(eo)
		if err != nil || got != url+"/" {
			t.Errorf("the catalogue gives %q, %v, want %s/", got, err, url)
		}
	}
}

func TestOwnKeystone(t *testing.T) {
	t.Parallel()
	k := openstacktest.NewKeystone(t, openstacktest.TokenExpiration(90*time.Second), openstacktest.NoAdminProject())
	token := k.Token(t, k.AdminUser(t), k.AdminProject(t))
	result := tokens.Get(t.Context(), k.Admin(), token)
	got, err := result.ExtractToken()
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(got.ExpiresAt); left > 91*time.Second {
		t.Errorf("a token lives for %v, want 90 s", left)
	}
	if body := result.Body.(map[string]any)["token"].(map[string]any); body["is_admin_project"] != nil {
		t.Errorf("the token says is_admin_project %v, want nothing", body["is_admin_project"])
	}
	k.Stop()
	if err := tokens.Get(t.Context(), k.Admin(), token).Err; err == nil {
		t.Error("Keystone answers after Stop")
	}
}

// A service must not outlive the tests, however they end: this test runs itself as the process that is killed.
func TestEndsWithTheTests(t *testing.T) {
	t.Parallel()
	openstacktest.StartKeystone(t) // or skip
	cmd := exec.Command(os.Args[0], "-test.run=^TestToBeKilled$")
	tmp := t.TempDir()
	cmd.Env = append(os.Environ(), "OPENSTACKTEST_TO_BE_KILLED=1", "TMPDIR="+tmp)
	out, err := cmd.Output()
	if cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("the process was not killed: %v\n%s", err, out)
	}
	url := string(out)
	deadline := time.Now().Add(time.Minute)
	for {
		resp, err := http.Get(url)
		left, _ := filepath.Glob(filepath.Join(tmp, "craton-test-*"))
		if err != nil && len(left) == 0 {
			return
		}
		if err == nil {
			_ = resp.Body.Close()
		}
		if time.Now().After(deadline) {
			t.Fatalf("a minute after the tests, Keystone answers with %v and its directories are %s", err, strings.Join(left, " "))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestToBeKilled(t *testing.T) {
	if os.Getenv("OPENSTACKTEST_TO_BE_KILLED") == "" {
		t.Skip("only as a part of TestEndsWithTheTests")
	}
	k := openstacktest.NewKeystone(t)
	_, _ = os.Stdout.WriteString(k.URL)
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	_ = self.Kill()
	select {}
}
