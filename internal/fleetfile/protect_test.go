package fleetfile

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/wording"
)

const protectedFleet = `
project: {protected: true}
clouds:
- name: e
  protected: true
  regions:
  - name: r
    protected: true
    cells: [{name: c, protected: true}]
    networks: [{name: n, cidr: 10.0.0.0/8, gateway: 10.0.0.1, netmask: 255.0.0.0, protected: true}]
    hosts:
    - {name: h, ip_address: 10.0.0.1, device_type: x, protected: true, interfaces: [{name: eth0, interface_type: x, ip_address: 10.0.0.1, protected: true}]}
    - {name: free, ip_address: 10.0.0.2, device_type: x, protected: false}
    network_devices: [{name: sw, ip_address: 10.0.0.3, device_type: x, protected: true}]
`

// TestProtected says of every kind of object whether it is protected, and does no more than that.
func TestProtected(t *testing.T) {
	t.Parallel()
	s := serverAPI(t)
	ctx := t.Context()
	apply(t, s.Client, protectedFleet, Options{Parallel: 1})
	if w := s.writes(); len(w) != 8+8 {
		t.Errorf("%d writes: %v", len(w), w)
	}
	r, err := Apply(ctx, s.Client, parse(t, protectedFleet), Options{})
	if err != nil || r.Changed() || len(s.writes()) > 0 {
		t.Errorf("again: %v %+v", err, r)
	}
	all, err := s.Protected(ctx, craton.ProtectedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range schema.All() {
		if k.InSets() && len(all[craton.Kind(k.Name)]) != 1 {
			t.Errorf("%s: %v", k.Name, all[craton.Kind(k.Name)])
		}
		if specOf(k) != nil && !k.Protects() || specOf(k) == nil && k.Protects() {
			t.Errorf("%s: a fleet file cannot say whether it is protected", k.Name)
		}
	}
	// What is not said stays.
	r = apply(t, s.Client, "clouds: [{name: e, regions: [{name: r, cells: [{name: c}], hosts: [{name: h, ip_address: 10.0.0.1, device_type: x}]}]}]", Options{})
	if r.Changed() {
		t.Errorf("not said: %+v", r.Changes)
	}
	changed := strings.Replace(protectedFleet, "protected: false}", "protected: true}", 1)
	changed = strings.Replace(changed, "device_type: x, protected: true, interfaces", "device_type: x, protected: false, note: x, interfaces", 1)
	r = apply(t, s.Client, strings.Replace(changed, "project: {protected: true}", "project: {protected: false}", 1), Options{Check: true, Effects: true})
	var got []Change
	for _, c := range r.Changes {
		if c.Action != Unchanged {
			c.ID = nil
			got = append(got, c)
		}
	}
	want := []Change{
		{Action: Updated, Kind: "project", Fields: []string{"protected"}, Before: map[string]any{"protected": true}, After: map[string]any{"protected": false}},
		{Action: Updated, Kind: "host", Name: "e/r/h", Fields: []string{"note", "protected"}, Before: map[string]any{"note": "", "protected": true}, After: map[string]any{"note": "x", "protected": false}},
		{Action: Updated, Kind: "host", Name: "e/r/free", Fields: []string{"protected"}, Before: map[string]any{"protected": false}, After: map[string]any{"protected": true}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if e := r.Effects; e == nil || e.Hosts+e.NetworkDevices != 0 {
		t.Errorf("effects: %+v", e)
	}
	f, text := exported(t, s.fleet())
	if n := strings.Count(text, "protected: true"); n != 8 || f.Len() != 9 {
		t.Errorf("%d of %d objects are protected:\n%s", n, f.Len(), text)
	}
	// A delete of what holds something protected says what it is, and what to do.
	fl := &reconcile.Fleet{Client: s.Client}
	for word, want := range map[string]string{
		"h":    `host "h" (id 1) ... protected ... (craton unprotect host 1, in a task protected: false)`,
		"free": "",
	} {
		_, err := fl.Plan(ctx, &reconcile.Wanted{Kind: schema.Host, Name: word, Absent: true})
		if (err == nil) != (want == "") || err != nil && !wording.Has(err.Error(), want) {
			t.Errorf("%s: %v", word, err)
		}
	}
	if err := s.Collection(craton.KindRegion).Protect(ctx, "1", false); err != nil {
		t.Fatal(err)
	}
	_, err = fl.Plan(ctx, &reconcile.Wanted{Kind: schema.Region, Name: "r", Absent: true, Force: true})
	wording.Want(t, err, `region "r" (id 1) ... cell "c" (id 1), host "h" (id 1), network device "sw" (id 3) and 2 more ... protected ... `+
		`(craton unprotect cell 1, craton unprotect host 1, craton unprotect network-device 3, in a task protected: false)`)
}

// TestProtectedUnsupported tells before anything is written.
func TestProtectedUnsupported(t *testing.T) {
	t.Parallel()
	s := &original{}
	c := s.client(t)
	_, err := Apply(t.Context(), c, parse(t, protectedFleet), Options{})
	e, ok := errors.AsType[*Error](err)
	if !ok || len(e.Problems) < 5 || !wording.Has(err.Error(), "f.yml:4: clouds[e].protected: ... cannot protect ... craton server ... CRATON_URL=sqlite:PATH ... remove") {
		t.Errorf("%v", err)
	}
	if w := s.writes(); len(w) > 0 {
		t.Errorf("it wrote %v", w)
	}
	for file, want := range map[string]string{
		`clouds: [{name: e, protected: 1}]`:       "true or false ... number 1",
		`clouds: [{name: e, protected: null}]`:    "e].protected: ... true or false",
		`clouds: [{name: e, protected: "true"}]`:  `true or false ... text "true"`,
		`clouds: [{name: e, protect: true}]`:      `e].protect: ... known ... "protected"`,
		`clouds: [{name: e, protected: {x: 1}}]`:  "protected: ... true or false",
		`clouds: [{name: e, Protected: true}]`:    `e].Protected: ... "protected"`,
		`{clouds: [], project: {protected: nix}}`: "protected: ... true or false",
	} {
		if _, err := Parse("x", strings.NewReader(file)); err == nil || !wording.Has(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
}
