package openstacktest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/openstacktest"
)

// get reads a page of Ironic, with a token if there is one.
func get(t *testing.T, url, token string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", token)
	req.Header.Set("X-OpenStack-Ironic-API-Version", "1.35")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// Without credentials, all is open, and the fake hardware is there.
func TestIronic(t *testing.T) {
	t.Parallel()
	i := openstacktest.StartIronic(t)
	resp, body := get(t, i.URL+"/v1/drivers", "")
	if resp.StatusCode != http.StatusOK || !strings.Contains(body, `"name": "`+openstacktest.IronicDriver+`"`) {
		t.Errorf("%s: %s", resp.Status, body)
	}
	want := "1.82"
	if openstacktest.NewestIronic() {
		want = openstacktest.NewestIronicVersion
	}
	if last := resp.Header.Get("X-Openstack-Ironic-Api-Maximum-Version"); last != want {
		t.Errorf("the last version is %q", last)
	}
}

// Nodes fill pages.
func TestIronicNodes(t *testing.T) {
	t.Parallel()
	i := openstacktest.StartIronic(t)
	class, names := i.Nodes(t, openstacktest.IronicPageSize+1, "")
	if _, body := get(t, i.URL+"/v1/nodes?resource_class="+class, ""); strings.Count(body, `"uuid"`) != openstacktest.IronicPageSize || !strings.Contains(body, `"next"`) {
		t.Errorf("the first page of %d nodes: %s", len(names), body)
	}
}

// Behind Keystone, the catalogue leads to Ironic, and a token opens it.
func TestIronicBehindKeystone(t *testing.T) {
	t.Parallel()
	i, k := openstacktest.StartIronicBehindKeystone(t)
	if resp, body := get(t, i.URL+"/v1/nodes", ""); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %s: %s", resp.Status, body)
	}
	token := k.Token(t, k.AdminUser(t), k.AdminProject(t))
	if resp, body := get(t, i.URL+"/v1/nodes", token); resp.StatusCode != http.StatusOK {
		t.Errorf("with a token of the admin: %s: %s", resp.Status, body)
	}
}

// An earlier release has an earlier last version.
func TestIronicRelease(t *testing.T) {
	t.Parallel()
	i := openstacktest.NewIronic(t, openstacktest.IronicRelease("9.2"))
	resp, _ := get(t, i.URL+"/v1", "")
	if last := resp.Header.Get("X-Openstack-Ironic-Api-Maximum-Version"); last != "1.35" {
		t.Errorf("the last version is %q", last)
	}
}
