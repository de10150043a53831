package fleetfile

import (
	"bytes"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/wording"
)

// TestEditedPlan: a kept plan that would write something else than it shows, because somebody has edited one of both,
// is refused.
func TestEditedPlan(t *testing.T) {
	t.Parallel()
	s := serverAPI(t)
	apply(t, s.Client, twoRegions, Options{})
	const changes = `
clouds:
- name: e
  variables: {ntp: cloud2, one: [1, 2.0]}
  regions:
  - name: r
    note: noted
    hosts: [{name: h2, ip_address: 10.0.0.22, device_type: x, active: false, labels: [a, b], variables: {ntp: null}}, {name: new, ip_address: 10.0.0.7, device_type: x, labels: [n], variables: {k: v}}]
`
	p, err := planOf(t, s.Client, changes, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := (&reconcile.Fleet{Client: s.Client}).Save(t.Context(), p, &b, Options{}); err != nil {
		t.Fatal(err)
	}
	whole := b.String()
	if _, err := reconcile.ReadPlan(strings.NewReader(whole)); err != nil {
		t.Fatal(err)
	}
	for _, edit := range [][2]string{
		{`"name":"e/r/new"`, `"name":"e/r/old"`},
		{`"name":{"value":"new"}`, `"name":{"value":"old"}`},
		{`"name":"e/r/h2"`, `"name":"e/r/h3"`},
		{`"ip_address":{"value":"10.0.0.7"}`, `"ip_address":{"value":"10.0.0.8"}`},
		{`"ip_address":{"value":"10.0.0.22"}`, `"ip_address":{"value":"10.0.0.23"}`},
		{`"after":{"note":"noted"`, `"after":{"note":"other"`},
		{`"set":{"ntp":"cloud2"`, `"set":{"ntp":"cloud3"`},
		{`"set":{"ntp":"cloud2"`, `"set":{"more":1,"ntp":"cloud2"`},
		{`"set":{"ntp":"cloud2","one":[1,2.0]}`, `"set":{"ntp":"cloud2"}`},
		{`"add_labels":["a","b"]`, `"add_labels":["a","c"]`},
		{`"add_labels":["a","b"]`, `"add_labels":["a"]`},
	} {
		edited := strings.Replace(whole, edit[0], edit[1], 1)
		if edited == whole {
			t.Errorf("%s is not in the plan:\n%s", edit[0], whole)
			continue
		}
		if _, err := reconcile.ReadPlan(strings.NewReader(edited)); err == nil || !wording.Has(err.Error(), "differs ... new plan") {
			t.Errorf("%s: %v", edit[1], err)
		}
	}
}
