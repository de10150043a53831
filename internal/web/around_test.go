package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/server"
)

const wiredFleet = `
clouds:
  - name: east
    regions:
      - name: dfw
        networks: [{name: mgmt, cidr: 10.20.0.0/24, gateway: 10.20.0.1, netmask: 255.255.255.0, variables: {vlan: 20}}]
        network_devices: [{name: tor, ip_address: 10.20.0.2, device_type: switch, model_name: qfx, labels: [core]}]
        hosts:
          - {name: kvm, ip_address: 10.20.0.3, device_type: server, parent: tor, labels: [virt], interfaces: [{name: eth0, interface_type: ethernet, ip_address: 10.20.0.4, network: mgmt}]}
          - {name: vm, ip_address: 10.20.0.5, device_type: vm, parent: kvm}
`

// TestAround: a device's page leads to what it is in, to what is in it, to its interfaces and labels, and those lead
// on; then as now.
func TestAround(t *testing.T) {
	t.Parallel()
	f := newFixture(t, wiredFleet)
	kvm, vm, then := f.at("kvm"), f.at("vm"), f.revision()
	id := func(kind, name string) string {
		for o, err := range f.client.Collection(craton.Kind(kind)).All(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Text("name") == name {
				return o.ID()
			}
		}
		t.Fatalf("no %s %s", kind, name)
		return ""
	}
	tor, network, eth := "/ui/network-devices/"+id("network-device", "tor"), "/ui/networks/"+id("network", "mgmt"), "/ui/network-interfaces/"+id("network-interface", "eth0")
	leads := map[string][]string{
		kvm: {tor, vm, eth, "/ui/clouds/1", "/ui/regions/1", "/ui/hosts?where=label%3Dvirt", "/ui/hosts?where=type%3Dserver"}, vm: {kvm}, tor: {kvm, "/ui/network-devices?where=label%3Dcore"}, eth: {kvm, network},
		network: {"/ui/regions/1", network + "?key=vlan"}, "/ui/networks": {network}, "/ui/network-devices": {tor}, "/ui/network-interfaces": {eth, kvm, network}, "/ui/projects": nil, "/ui/regions/1": {"/ui/networks?where=region_id%3D1", "/ui/hosts?where=region_id%3D1"},
	}
	check := func(suffix string) {
		t.Helper()
		for path, wants := range leads {
			links := f.read(path + suffix).links
			for _, want := range wants {
				if suffix != "" && strings.Contains(want, "?") {
					want = strings.Replace(want, "?", suffix+"&", 1)
				} else {
					want += suffix
				}
				if !slices.Contains(links, want) {
					t.Errorf("%s%s does not lead to %s: %v", path, suffix, want, links)
				}
			}
		}
	}
	check("")
	has(t, f.words(kvm), "parent tor", "Interfaces eth0 10.20.0.4", "Children vm", "create host east/dfw/kvm")
	has(t, f.words(network), "CIDR10.20.0.0/24", "vlan 20")
	has(t, f.words(eth), "network interface eth0", "network mgmt")
	f.apply(strings.Replace(strings.Replace(wiredFleet, "parent: kvm", "parent: tor", 1), "labels: [virt]", "labels: [other]", 1))
	if text := f.words(kvm); strings.Contains(text, "Children vm") || !strings.Contains(text, "label_other") {
		t.Errorf("now:\n%s", text)
	}
	has(t, f.words(kvm+"?at="+then), "parent tor", "Interfaces eth0 10.20.0.4", "Children vm", "create host east/dfw/kvm")
	check("?at=" + then)
}

// TestRoles: everybody sees what the API gives to the role, and is told in a sentence where it gives nothing.
func TestRoles(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, server.Options{})
	c, err := craton.New("http://embedded", craton.WithTransport(connect.InProcess(tm.api)), craton.WithLocalAuth("bootstrap", tm.user["bootstrap"], tm.project))
	if err != nil {
		t.Fatal(err)
	}
	(&fixture{t: t, client: c}).apply(wiredFleet)
	for _, role := range []craton.Role{craton.RoleReader, craton.RoleMember, craton.RoleAdmin} {
		u, err := c.Users.Create(t.Context(), craton.UserCreate{Username: string(role), ProjectID: tm.project, Role: role})
		if err != nil {
			t.Fatal(err)
		}
		tm.user[string(role)] = string(u.APIKey)
		cookie := tm.signIn(string(role))
		get := func(path string) (int, string) {
			r := tm.send(http.MethodGet, path, "", with(cookie))
			var text strings.Builder
			_ = r.Write(&text)
			return r.StatusCode, text.String()
		}
		for _, path := range []string{"/ui/", "/ui/hosts", "/ui/hosts/2", "/ui/hosts/2?at=1", "/ui/variables", "/ui/variables/vlan", "/ui/find?q=kvm", "/ui/changes", "/ui/compare?a=kvm&b=vm", "/ui/networks/1", "/ui/network-interfaces/1"} {
			if status, text := get(path); status != http.StatusOK && !strings.Contains(path, "at=") || strings.Contains(text, "does not answer") {
				t.Errorf("%s, %s: %d\n%s", role, path, status, text)
			}
		}
		for _, path := range []string{"/ui/users", fmt.Sprintf("/ui/users/%d", u.ID), "/ui/projects/" + tm.project} {
			status, text := get(path)
			if may := role == craton.RoleAdmin; may && status != http.StatusOK || !may && (status == http.StatusOK || !strings.Contains(text, "Your role may not see this")) {
				t.Errorf("%s, %s: %d\n%s", role, path, status, text)
			}
		}
	}
}
