package fleetfile

import (
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/reconcile"
)

// TestUnmoved: what --move does not move is refused with its cause.
func TestUnmoved(t *testing.T) {
	t.Parallel()
	s := serverAPI(t)
	allow := Options{AllowDuplicates: true}
	apply(t, s.Client, `clouds: [{name: a, regions: [{name: r, cells: [{name: c}], hosts: [{name: one, ip_address: 10.0.0.1, device_type: s}, {name: two, ip_address: 10.0.0.2, device_type: s}]},
{name: t, hosts: [{name: two, ip_address: 10.0.0.3, device_type: s}]}, {name: n}]}]`, allow)
	move := Options{Move: true, Inventory: reconcile.Naming{NetworkDevices: true}}
	for file, want := range map[string]string{
		`clouds: [{name: a, regions: [{name: n, hosts: [{name: two, ip_address: 10.0.0.2, device_type: s}]}]}]`:                                                                        "two is the name in the inventory of the host a/r/two, and of 1 more: --move cannot tell which one you mean; rename one",
		`clouds: [{name: a, regions: [{name: n, network_devices: [{name: one, ip_address: 10.0.0.2, device_type: s}]}]}]`:                                                              "one is the name in the inventory of the host a/r/one, which --move does not make a network device; rename one",
		`clouds: [{name: a, regions: [{name: r, hosts: [{name: one, ip_address: 10.0.0.1, device_type: s}]}, {name: n, hosts: [{name: one, ip_address: 10.0.0.9, device_type: s}]}]}]`: "one is the name in the inventory of the host a/r/one",
	} {
		_, err := Apply(t.Context(), s.Client, parse(t, file), move)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n%v\nwant %s", file, err, want)
		}
	}
	o := &original{}
	c := o.client(t)
	if _, err := Apply(t.Context(), c, parse(t, `clouds: [{name: a, regions: [{name: r, cells: [{name: c}], hosts: [{name: one, ip_address: 10.0.0.1, device_type: s}]}]}]`), Options{}); err != nil {
		t.Fatal(err)
	}
	_, err := Apply(t.Context(), c, parse(t, `clouds: [{name: a, regions: [{name: r, cells: [{name: c, hosts: [{name: one, ip_address: 10.0.0.1, device_type: s}]}]}]}]`), move)
	const want = "its cell is none in the API and c here, and this server cannot move it (craton server can); delete the host and apply again"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}
