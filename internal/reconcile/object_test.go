package reconcile

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
)

func raw(t *testing.T, text string) (o craton.Object) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestDecode: an object has all fields of its kind and nothing else, in one form, whatever a server wrote.
func TestDecode(t *testing.T) {
	t.Parallel()
	got, err := decode(schema.NetworkInterface, raw(t, `{"id": 7, "name": "eth0", "device_id": 3, "network_id": null, "interface_type": "e", "ip_address": "10.0.0.1",
		"speed": "1000", "port": 0, "vlan": "", "project_id": "p", "created_at": "2017-03-30T08:15:42.318274", "updated_at": null, "rack": 4, "links": [], "api_key": "secret"}`))
	want := Object{"id": 7, "name": "eth0", "device_id": 3, "network_id": nil, "interface_type": "e", "ip_address": "10.0.0.1", "speed": 1000, "port": nil,
		"vlan": nil, "vlan_id": nil, "duplex": nil, "link": nil, "cdp": nil, "security": nil, "project_id": "p", "created_at": "2017-03-30T08:15:42.000000", "updated_at": nil}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
	got, err = decode(schema.Device, raw(t, `{"kind": "network-device", "id": 7, "model_name": "x", "vlans": null, "labels": ["b"], "variables": {"n": 1.0}}`))
	if err != nil || got["model_name"] != "x" || got[KeyKind] != "network_device" || got["active"] != false || kindOf(schema.Device, got) != schema.NetworkDevice {
		t.Errorf("%v %v", got, err)
	}
	if _, ok := got["vlans"]; ok {
		t.Error("a device shows what only others of its kind have")
	}
	if string(got.Variables()["n"]) != "1.0" || len(got.Labels()) != 1 {
		t.Errorf("%v", got)
	}
	for text, want := range map[string]string{
		`{"id": true}`: "its id is true, which is not a whole number", `{"name": 5}`: "its name is 5, which is not text",
		`{"active": "yes"}`: `its active is "yes", which is neither`, `{"cell_id": 1.5}`: "its cell_id is 1.5", `{"created_at": "soon"}`: `its created_at is "soon"`,
		`{"labels": "web"}`: "its labels", `{"variables": []}`: "its variables",
	} {
		if o, err := decode(schema.Host, raw(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", text, o, err)
		}
	}
}

// TestEqual: spellings of one thing are equal.
func TestEqual(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		f    *schema.Field
		a, b any
		want bool
	}{
		{schema.Host.Field("ip_address"), "2001:db8::1", "2001:DB8:0::1", true},
		{schema.Host.Field("ip_address"), "10.0.0.1", "10.0.0.2", false},
		{schema.Network.Field("cidr"), "2001:db8::/32", "2001:DB8::/32", true},
		{schema.User.Field("project_id"), "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c", "5D1B7C0E6A0B4C529A550D6F5F1A2B3C", true},
		{schema.Host.Field("note"), "a", "A", false},
		{schema.Host.Field("parent_id"), 3, nil, false},
		{schema.Host.Field("parent_id"), 3, 3, true},
	} {
		if got := Equal(c.f, c.a, c.b); got != c.want {
			t.Errorf("%s: %v and %v: %v", c.f.Key, c.a, c.b, got)
		}
	}
}
