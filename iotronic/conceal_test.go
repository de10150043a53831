package iotronic_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/iotronic"
)

// TestServersRepeatSecrets: neither an Ironic, nor what stands in front of it, has credentials printed by repeating
// them.
func TestServersRepeatSecrets(t *testing.T) {
	t.Parallel()
	const hush = `hu&sh/ed-1`
	for name, option := range map[string]iotronic.Option{"token": iotronic.WithToken(hush), "basic": iotronic.WithBasicAuth("ann", hush)} {
		for form, c := range map[string]struct {
			status     int
			kind, body string
		}{
			"fault":    {400, "application/json", `{"error_message": "{\"faultstring\": \"bad hu\\u0026sh\\/ed-1\", \"debuginfo\": \"hu&sh/ed-1\", \"faultcode\": \"Client\"}"}`},
			"Keystone": {401, "application/json", `{"error": {"code": 401, "message": "bad hu\u0026sh/ed-1"}}`},
			"HTML":     {502, "text/html", `<b>hu&amp;sh/ed-1</b>`},
			"headers":  {500, "text/plain", "Basic " + "YW5uOmh1JnNoL2VkLTE="},
			"redirect": {302, "text/plain", ""},
		} {
			t.Run(name+", "+form, func(t *testing.T) {
				t.Parallel()
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", c.kind)
					w.Header().Set("Openstack-Request-Id", hush)
					w.Header().Set("Location", "http://elsewhere.example/"+hush)
					w.WriteHeader(c.status)
					_, _ = fmt.Fprint(w, c.body)
				}))
				t.Cleanup(server.Close)
				client, err := iotronic.New(server.URL, option, iotronic.WithRetries(0), iotronic.WithDialect(iotronic.DialectIronic))
				if err != nil {
					t.Fatal(err)
				}
				_, err = client.Nodes.Get(t.Context(), "n")
				if err == nil {
					t.Fatal("no error")
				}
				for _, part := range []string{"hu&sh", "hu&amp;sh", "hu%26sh", `hu\u0026sh`, "YW5uOmh1JnNoL2VkLTE"} {
					if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, part) {
						t.Errorf("the error shows %s: %s", part, text)
					}
				}
			})
		}
	}
}

// TestConfigDriveIsConcealed: what Ironic says of a deployment has nothing of the config drive but the UUID of the
// node.
func TestConfigDriveIsConcealed(t *testing.T) {
	t.Parallel()
	const id, hush = "5344a3e2-978a-444e-990a-cbf47c62ef88", "c1f7a6f4-1f2e-4ad8-9b0c-6c2b1e0d7a11"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"error_message": {"faultstring": "Node %s does not like %s", "faultcode": "Client"}}`, id, hush)
	}))
	t.Cleanup(server.Close)
	client, err := iotronic.New(server.URL, iotronic.WithRetries(0), iotronic.WithDialect(iotronic.DialectIronic))
	if err != nil {
		t.Fatal(err)
	}
	drive := fmt.Sprintf(`{"meta_data": {"uuid": %q, "token": {"uuid": %q}}}`, id, hush)
	err = client.Nodes.SetProvision(t.Context(), "n", iotronic.Provision{Target: iotronic.ProvisionActive, ConfigDrive: json.RawMessage(drive)})
	if err == nil || !strings.Contains(err.Error(), "Node "+id+" does not like ******") {
		t.Error(err)
	}
}
