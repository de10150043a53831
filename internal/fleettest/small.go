package fleettest

import (
	"encoding/json"
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// The names of small fleets: of what contains something, and of devices. They are few, so that a second fleet meets the
// first one, and that whoever renames something meets another.
var (
	Clouds  = []string{"e", "w"}
	Regions = []string{"r", "s"}
	Cells   = []string{"c", "d"}
	Devices = []string{"h1", "h2", "h3", "sw"}
)

// Small draws small fleets whose names collide across clouds, regions and kinds. What may be absent is absent half of
// the time.
func Small() *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any { return small(t).draw(t) })
}

// small returns the shape of small fleets.
func small(t *rapid.T) *shape {
	return &shape{
		sparse: true,
		places: func(kind string) []string {
			switch kind {
			case "cloud":
				return rapid.SliceOfNDistinct(rapid.SampledFrom(Clouds), 0, 2, rapid.ID).Draw(t, "clouds")
			case "region":
				return rapid.SliceOfNDistinct(rapid.SampledFrom(Regions), 0, 2, rapid.ID).Draw(t, "regions")
			}
			return rapid.SampledFrom([][]string{{"c"}, {"c"}, {"c", "d"}, nil}).Draw(t, "cells")
		},
		devices: func() []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(Devices), 0, 4, rapid.ID).Draw(t, "devices")
		},
		inCell: func(name string) bool { // h2 mostly, and few others, for not every server can move them
			return rapid.IntRange(0, 15).Draw(t, "moves") == 0 != (name == "h2")
		},
		isNetworkDevice: func(name string) bool { return name == "sw" },
		variables:       func(label string) map[string]any { return smallVariables.Draw(t, label) },
		note:            someText,
		line:            someText,
		address: func() string {
			return rapid.SampledFrom([]string{"10.0.0.1", "10.0.0.2", "2001:DB8::0:1", "2001:db8::1"}).Draw(t, "ip")
		},
		types: []string{"x", "y"},
		labels: func() []any {
			return rapid.SliceOfN(rapid.SampledFrom([]any{"l1", "l2", "L 3"}), 0, 3).Draw(t, "labels")
		},
		// Whole names only: what names the parent is a matter of the tests of parents. All but the null may be absent.
		parent: func(cloud, region, name string) (parent any, has bool) {
			if !rapid.Bool().Draw(t, "has parent") {
				return nil, false
			}
			parent = anyOf[any](nil, "e/r/h1", "e/r/h2", "e/s/sw", "w/s/h3", "w/r/sw").Draw(t, "parent")
			return parent, parent != cloud+"/"+region+"/"+name
		},
	}
}

var someText = anyOf[any]("", "x", "☃", nil)

var smallVariables = rapid.Custom(func(t *rapid.T) map[string]any {
	return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "ä/ö", "{{ x }}"}), rapid.SampledFrom([]any{nil, true, "", "1", "<&>", json.Number("1"), json.Number("1.0"),
		json.Number("100000000000000000001"), json.Number("1e3"), []any{}, []any{map[string]any{"x": nil}}, map[string]any{}}), 0, 3).Draw(t, "variables")
})

// Written are names and texts that YAML, terminals or people take for something else.
var Written = []string{"yes", "on", "~", "null", "1e3", "0644", "12:30", "2024-01-02", "=", "<<", "a: b", "- a", "#a", "a #b", "{{ x }}", "!unsafe x", "*a", "&a", "|", "'", `"`, `\n`, "a/b", "e/r", "e/r/h1", "é", "🚀", "[a]", "a,b", "?", " a ", "@0", "%YAML 1.1", "clouds:", "hosts:", "- name: x"}

// Texty draws small fleets whose clouds have hostile names, and whose variables, labels and notes are texts of one and
// of several lines that look like a fleet file's own.
func Texty() *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		text := rapid.OneOf(rapid.SampledFrom(Written), rapid.StringMatching(`[ -~]{0,20}`))
		block := rapid.SampledFrom([]string{"a\nb", "hosts:\n  - name: x\n", "clouds:\n- a\n\n- b\n", " a\nb", "#x\n#y\n", "a\x1b\nb", "a\u2028b", "\n\n", "---\nx\n...\n", "- name: y\n  ip_address: z\n", strings.Repeat("line of text\n", 60)})
		asAny := func(s string) any { return s }
		value := rapid.OneOf(rapid.Map(text, asAny), rapid.Map(block, asAny), rapid.Map(text, func(s string) any { return []any{s, map[string]any{s: []any{s}}} }))
		s := small(t)
		places := s.places
		s.places = func(kind string) []string {
			names := places(kind)
			for i := range names {
				if kind == "cloud" {
					names[i] = fmt.Sprintf("%s%d", text.Draw(t, kind), i)
				}
			}
			return names
		}
		s.variables = func(label string) map[string]any {
			m := smallVariables.Draw(t, label)
			for _, name := range rapid.SliceOfNDistinct(rapid.StringMatching(`[ -~]{1,12}`), 0, 3, rapid.ID).Draw(t, "names") {
				m[name] = value.Draw(t, "value")
			}
			return m
		}
		s.note, s.line = rapid.OneOf(rapid.Map(text, asAny), rapid.Map(block, asAny)), rapid.Map(text, asAny)
		s.labels = func() []any { return []any{text.Filter(func(s string) bool { return s != "" }).Draw(t, "label")} }
		s.parent = func(_, _, _ string) (any, bool) { return nil, false } // what they name has other names
		return s.draw(t)
	})
}

// Protect says of some objects of a fleet whether they are protected.
func Protect(t *rapid.T, fleet map[string]any) {
	for _, key := range []string{"clouds", "regions", "cells", "networks", "hosts", "network_devices", "interfaces"} {
		list, _ := fleet[key].([]any)
		for _, item := range list {
			o := item.(map[string]any)
			if rapid.IntRange(0, 3).Draw(t, "protects") == 0 {
				o["protected"] = rapid.Bool().Draw(t, "protected")
			}
			Protect(t, o)
		}
	}
}
