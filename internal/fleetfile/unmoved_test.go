package fleetfile

import (
	"testing"

	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/wording"
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
		`clouds: [{name: a, regions: [{name: n, hosts: [{name: two, ip_address: 10.0.0.2, device_type: s}]}]}]`:                                                                        "two ... host a/r/two ... 1 more ... --move ... rename",
		`clouds: [{name: a, regions: [{name: n, network_devices: [{name: one, ip_address: 10.0.0.2, device_type: s}]}]}]`:                                                              "one ... host a/r/one ... --move ... network device ... rename",
		`clouds: [{name: a, regions: [{name: r, hosts: [{name: one, ip_address: 10.0.0.1, device_type: s}]}, {name: n, hosts: [{name: one, ip_address: 10.0.0.9, device_type: s}]}]}]`: "one ... host a/r/one",
	} {
		_, err := Apply(t.Context(), s.Client, parse(t, file), move)
		if err == nil || !wording.Has(err.Error(), want) {
			t.Errorf("%s:\n%v\nwant %s", file, err, want)
		}
	}
	o := &original{}
	c := o.client(t)
	if _, err := Apply(t.Context(), c, parse(t, `clouds: [{name: a, regions: [{name: r, cells: [{name: c}], hosts: [{name: one, ip_address: 10.0.0.1, device_type: s}]}]}]`), Options{}); err != nil {
		t.Fatal(err)
	}
	_, err := Apply(t.Context(), c, parse(t, `clouds: [{name: a, regions: [{name: r, cells: [{name: c, hosts: [{name: one, ip_address: 10.0.0.1, device_type: s}]}]}]}]`), move)
	const want = "its cell ... none ... API ... c here ... cannot move ... (craton server can) ... delete the host"
	if err == nil || !wording.Has(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}
