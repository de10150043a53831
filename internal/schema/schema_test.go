package schema_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/schema"
)

// TestKindsAgree looks for what would contradict itself: references to what is not there, scopes that no field leads
// to.
func TestKindsAgree(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range schema.All() {
		if seen[k.Name] || schema.ByName(k.Name) != k {
			t.Errorf("%s: not one kind", k.Name)
		}
		seen[k.Name] = true
		keys := map[string]bool{}
		for _, f := range k.Fields {
			if keys[f.Key] || k.Field(f.Key) == nil || k.ByOption(f.Option()) == nil {
				t.Errorf("%s: %s is there twice, or not found", k.Name, f.Key)
			}
			keys[f.Key] = true
			if (f.Type == schema.Reference) != (f.To != nil) {
				t.Errorf("%s: %s: a reference names kinds, and nothing else does", k.Name, f.Key)
			}
			for _, to := range f.To {
				if schema.ByName(to) == nil {
					t.Errorf("%s: %s names %s, which is no kind", k.Name, f.Key, to)
				}
			}
		}
		for _, level := range k.Scope {
			if !slices.ContainsFunc(k.Fields, func(f schema.Field) bool { return slices.Equal(f.To, level) && f.Required }) {
				t.Errorf("%s: no required field names its %v", k.Name, level)
			}
		}
		for _, key := range k.Inherits {
			if k.Field(key) == nil {
				t.Errorf("%s inherits by %s, which it lacks", k.Name, key)
			}
		}
		for _, key := range k.Moves {
			if f := k.Field(key); f == nil || !f.Place() || !f.Fixed {
				t.Errorf("%s moves by %s, which is no place that an update refuses", k.Name, key)
			}
		}
		for _, rival := range k.Rivals {
			if other := schema.ByName(rival); other == nil || !slices.Contains(other.Rivals, k.Name) {
				t.Errorf("%s and %s are no rivals of each other", k.Name, rival)
			}
		}
	}
}

// TestContents is what deletes take along (v1 contract §6.3).
func TestContents(t *testing.T) {
	want := map[string][]string{
		"project":           {"user", "cloud", "region", "cell", "host", "network-device", "network", "network-interface"},
		"cloud":             {"region", "cell", "host", "network-device", "network"},
		"region":            {"cell", "host", "network-device", "network"},
		"cell":              {"host", "network-device", "network"},
		"host":              {"network-interface"},
		"network-device":    {"network-interface"},
		"network":           nil,
		"network-interface": nil,
		"user":              nil,
		"device":            nil,
	}
	for _, k := range schema.All() {
		var names []string
		for _, c := range k.Contents() {
			names = append(names, c.Name)
		}
		if d := cmp.Diff(want[k.Name], names); d != "" {
			t.Errorf("%s:\n%s", k.Name, d)
		}
	}
}

// TestContainer: what names are unique in (v1 contract §6.2).
func TestContainer(t *testing.T) {
	want := map[string]string{"user": "project_id", "region": "cloud_id", "cell": "region_id", "host": "region_id", "network-device": "region_id",
		"network": "region_id", "network-interface": "device_id", "device": "region_id"}
	for _, k := range schema.All() {
		got := ""
		if f := k.Container(); f != nil {
			got = f.Key
		}
		if got != want[k.Name] {
			t.Errorf("%s: %q, want %q", k.Name, got, want[k.Name])
		}
	}
}
