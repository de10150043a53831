package iotronic

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFields: whatever the names, and in whatever order they come; nothing of the object is kept.
func TestFields(t *testing.T) {
	t.Parallel()
	d := newDecoder()
	for text, want := range map[string]map[string]string{
		`{}`:                              {},
		`{"b": 1, "a": [1,  2]}`:          {"a": "[1,2]", "b": "1"},
		`{"a": 1, "b": {"x" : null}}`:     {"a": "1", "b": `{"x":null}`},
		`{"a": 1, "b": 2, "a": 3}`:        {"a": "3", "b": "2"},
		`{"ab": 1, "c": 2}`:               {"ab": "1", "c": "2"},
		`{"a": 1, "bc": 2}`:               {"a": "1", "bc": "2"},
		`{"a\u0000b": 1, "": 2}`:          {"a\x00b": "1", "": "2"},
		`{"a": 1, "b\u0000": 2, "c": ""}`: {"a": "1", "b\x00": "2", "c": `""`},
		`{"links": 1, "a": 2, "ports": [{"href": "x", "rel": "self"}], "list": [{"href": "x", "of": 1}]}`: {"a": "2", "list": `[{"href":"x","of":1}]`},
	} {
		for range 2 { // with names that are new, and that are known
			object := []byte(text)
			f := d.fields(object)
			clear(object)
			if diff := cmp.Diff(want, maps.Collect(f.All())); diff != "" {
				t.Errorf("%s: %s", text, diff)
			}
			for name, value := range want {
				if got, ok := f.Find(name); !ok || got != value {
					t.Errorf("%s: %q is %s", text, name, got)
				}
			}
			if _, ok := f.Find("other"); ok {
				t.Errorf("%s: has another field", text)
			}
		}
	}
}
