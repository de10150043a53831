package hierarchy_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/schema"
)

// draw makes levels, nearest first, as maps: few names, so that they shadow each other, and values that differ only in
// how they are written.
func draw(t *rapid.T, most int) (maps []map[string]string, levels []hierarchy.Variables) {
	name := rapid.SampledFrom([]string{"", "a", "b", "Z", "é", "a b", "aa"})
	val := rapid.SampledFrom([]string{`null`, `1`, `1.0`, `1e0`, `""`, `{}`, `{"b":1,"a":2}`, `12345678901234567890123`, `" "`})
	for i := range rapid.IntRange(0, most).Draw(t, "levels") {
		m := rapid.MapOfN(name, val, 0, 5).Draw(t, fmt.Sprintf("level %d", i))
		maps, levels = append(maps, m), append(levels, hierarchy.Of(m))
	}
	return maps, levels
}

// winners returns what the levels resolve to, said as simply as can be: the farthest first, each over what is there.
func winners(levels []map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range slices.Backward(levels) {
		maps.Copy(all, m)
	}
	return all
}

func asMap(v hierarchy.Variables) map[string]string { return maps.Collect(v.All()) }

func isTidy(v hierarchy.Variables) bool {
	for i := 1; i < len(v); i++ {
		if v[i-1].Name >= v[i].Name {
			return false
		}
	}
	return true
}

// TestMerge: of each name the nearest level counts, whole, byte for byte; in order; and merging two by two is the same,
// from either end, with more levels than are merged without memory too.
func TestMerge(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all, levels := draw(t, 40)
		want := winners(all)
		var got hierarchy.Variables
		for v, at := range hierarchy.Merge(levels...) {
			got = append(got, v)
			for i, m := range all {
				if value, has := m[v.Name]; has {
					if i != at || value != v.Value {
						t.Fatalf("%q is %s of level %d; the nearest is %d with %s", v.Name, v.Value, at, i, value)
					}
					break
				}
			}
		}
		if d := cmp.Diff(want, asMap(got)); d != "" || !isTidy(got) {
			t.Fatalf("%v\n%s", got, d)
		}
		var up, down hierarchy.Variables
		for i := range levels {
			up, down = hierarchy.Over(levels[len(levels)-1-i], up), hierarchy.Over(down, levels[i])
		}
		if !slices.Equal(up, got) || !slices.Equal(down, got) {
			t.Fatalf("in pairs: %v, %v; at once: %v", up, down, got)
		}
		for range hierarchy.Merge(levels...) { // may be left at any time
			break
		}
	})
}

// TestExplain: the first value of a name is what counts, and the others are all that is shadowed, nearest first.
func TestExplain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all, levels := draw(t, 6)
		want := map[string][]hierarchy.At{}
		for i, m := range all {
			for name, value := range m {
				want[name] = append(want[name], hierarchy.At{Level: i, Value: value})
			}
		}
		got := maps.Collect(hierarchy.Explain(levels...))
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		counts := winners(all)
		for name, values := range got {
			if values[0].Value != counts[name] {
				t.Fatalf("%q: %v, but %s counts", name, values, counts[name])
			}
		}
	})
}

// TestWithout: what the levels resolve to, without all of them but the last, is what of the last nobody shadows; put
// under the others again it resolves to the same.
func TestWithout(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all, levels := draw(t, 6)
		if len(levels) == 0 {
			return
		}
		last := len(levels) - 1
		resolved := hierarchy.Of(winners(all))
		left := resolved.Without(levels[:last]...)
		for name, value := range left.All() {
			if of, has := all[last][name]; !has || of != value {
				t.Fatalf("%q is %s, of the last level %q", name, value, of)
			}
		}
		again := slices.Concat(levels[:last], []hierarchy.Variables{left})
		var got hierarchy.Variables
		for v := range hierarchy.Merge(again...) {
			got = append(got, v)
		}
		if !slices.Equal(got, resolved) {
			t.Fatalf("%v and not %v", got, resolved)
		}
	})
}

// TestTidy: the last of several with one name stays.
func TestTidy(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v, want := hierarchy.Variables{}, map[string]string{}
		for range rapid.IntRange(0, 6).Draw(t, "n") {
			one := hierarchy.Variable{Name: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"), Value: rapid.StringN(1, 1, 1).Draw(t, "value")}
			v, want[one.Name] = append(v, one), one.Value
		}
		v = v.Tidy()
		if d := cmp.Diff(want, asMap(v)); d != "" || !isTidy(v) {
			t.Fatalf("%v\n%s", v, d)
		}
		for name, value := range want {
			if got, ok := v.Find(name); !ok || got != value {
				t.Fatalf("%q is %q", name, got)
			}
		}
		if _, ok := v.Find("x"); ok {
			t.Fatal("what is not there is found")
		}
	})
}

// TestLevels: itself, the chain of parents, its own places, its project (v1 contract §5.2).
func TestLevels(t *testing.T) {
	t.Parallel()
	above := map[string]map[string]string{
		"web":    {"parent_id": "blade", "cell_id": "c1", "region_id": "dfw", "cloud_id": "east", "project_id": "ops"},
		"blade":  {"parent_id": "frame", "cell_id": "c2", "region_id": "iad", "cloud_id": "west", "project_id": "dev"},
		"frame":  {"region_id": "iad", "cloud_id": "west", "project_id": "dev"},
		"c1":     {"region_id": "dfw", "cloud_id": "east", "project_id": "ops"},
		"dfw":    {"cloud_id": "east", "project_id": "ops"},
		"east":   {"project_id": "ops"},
		"vlan10": {"cloud_id": "east", "region_id": "dfw", "project_id": "ops"},
	}
	for _, tc := range []struct {
		kind   *schema.Kind
		object string
		want   []string
	}{
		{schema.Host, "web", []string{"web", "blade", "frame", "c1", "dfw", "east", "ops"}},
		{schema.NetworkDevice, "frame", []string{"frame", "iad", "west", "dev"}},
		{schema.Cell, "c1", []string{"c1", "dfw", "east", "ops"}},
		{schema.Region, "dfw", []string{"dfw", "east", "ops"}},
		{schema.Cloud, "east", []string{"east"}}, // a cloud does not inherit from its project
		{schema.Network, "vlan10", []string{"vlan10"}},
	} {
		up := func(of, key string) (string, bool) { id, ok := above[of][key]; return id, ok }
		got := slices.Collect(hierarchy.Levels(tc.kind, tc.object, up))
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s:\n%s", tc.object, d)
		}
		for range hierarchy.Levels(tc.kind, tc.object, up) {
			break
		}
	}
}
