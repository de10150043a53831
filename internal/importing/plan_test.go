package importing

import (
	"errors"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/wording"
)

// ofSites is an inventory of two sites and a role that overrides one of their variables, as ansible-inventory prints
// it.
const (
	ofSites = `{"_meta": {"hostvars": {"a1": {"ntp": "a", "port": 1, "t": "{{ x }}"}, "a2": {"ntp": "a", "port": 80, "t": "{{ x }}"}, "b1": {"ntp": "pool", "port": 80, "t": "{{ x }}", "own": NaN}}},
 "all": {"children": ["ungrouped", "site_a", "site_b", "web"]}, "site_a": {"hosts": ["a1", "a2"]}, "site_b": {"hosts": ["b1"]}, "web": {"hosts": ["a2", "b1"]}}`
	ofSitesOwn = `{"_meta": {"hostvars": {"a1": {"port": 1}, "b1": {"own": NaN}}},
 "all": {"children": ["ungrouped", "site_a", "site_b", "web"], "vars": {"ntp": "pool", "t": "{{ x }}"}},
 "site_a": {"hosts": ["a1", "a2"], "vars": {"ntp": "a"}}, "site_b": {"hosts": ["b1"]}, "web": {"hosts": ["a2", "b1"], "vars": {"port": 80}}}`
)

func TestPlan(t *testing.T) {
	t.Parallel()
	inert := func(s string) bool { return !strings.Contains(s, "{") }
	v, err := NewInventory([]byte(ofSites), []byte(ofSitesOwn), inert)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Infer: true, Cloud: "default", Region: "default", DeviceType: "server", Rules: Rules{
		GroupName:     func(kind string, names ...string) string { return kind + "_" + strings.Join(names, "_") },
		CheckHostName: func(string) error { return nil },
		Inert:         inert,
	}}
	if _, err := Plan(v, o); err == nil || !wording.Has(err.Error(), "1 ... templates ... t of group all") {
		t.Errorf("a template wants no decision: %v", err)
	} else if _, ok := errors.AsType[*UndecidedError](err); !ok {
		t.Errorf("%T", err)
	}
	o.Templates = Keep
	r, err := Plan(v, o)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range r.Files {
		files[f.Path] = string(f.Content)
	}
	for name, parts := range map[string][]string{
		"fleet.yml":                          {"project:\n  variables:\n    ntp: pool\n", "- name: site_a\n        variables:\n          ntp: a\n", "port: 1\n", "labels:\n              - web\n"},
		"inventory/group_vars/all.yml":       {`t: "{{ x }}"`},
		"inventory/group_vars/label_web.yml": {"port: 80"},
		"inventory/host_vars/b1.yml":         {`own: !!float ".nan"`},
		"inventory/20-groups.yml":            {"site_a:\n  children:\n    region_default_site_a: {}\n", "web:\n  children:\n    label_web: {}\n"},
	} {
		for _, part := range parts {
			if !strings.Contains(files[name], part) {
				t.Errorf("%q is not in %s:\n%s", part, name, files[name])
			}
		}
	}
}

// TestTypes: a number as a key is not its text, and a date is none either.
func TestTypes(t *testing.T) {
	t.Parallel()
	list := `{"_meta": {"hostvars": {"h": {"v": {"10": "a", "true": [{"null": "2024-01-02"}], "20": "b", "x": "2024-01-02"}, "w": {"10": 1}, "d": "2024-01-02"}}}, "all": {"children": ["ungrouped"]}, "ungrouped": {"hosts": ["h"]}}`
	types := "all:\n  children:\n    ungrouped:\n      hosts:\n        h:\n          v:\n            10: a\n            true: [{null: 2024-01-02}]\n            '20': b\n            x: '2024-01-02'\n          w: &w\n            '10': 1\n          d: '2024-01-02'\n"
	asked := 0
	v, err := newInventory([]byte(list), []byte(list), func(string) bool { return true }, func() ([]byte, []byte, error) {
		asked++
		return []byte(types), []byte(types), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"v": `{"20":"b","__craton_key_bool:true":[{"__craton_key_null:null":{"__craton_date":"2024-01-02"}}],"__craton_key_int:10":"a","x":"2024-01-02"}`, "w": `{"10":1}`, "d": `"2024-01-02"`,
	} {
		if got := v.Resolved["h"][name]; got.JSON != want || (got.Bad != "") != (name == "v") {
			t.Errorf("%s: %s %q", name, got.JSON, got.Bad)
		}
	}
	if asked != 1 || !v.Typed {
		t.Errorf("asked %d times", asked)
	}
}
