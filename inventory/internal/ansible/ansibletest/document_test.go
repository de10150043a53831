package ansibletest

import (
	"encoding/json"
	"reflect"
	"testing"
)

// TestModel makes sure that the model refuses what Ansible refuses: a test that cannot fail proves nothing.
func TestModel(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		`[]` + "\n", `{}`, `{"_meta":{"hostvars":null}}` + "\n", `{"_meta":{}}` + "\n",
		`{"_meta":{"hostvars":{}},"g":{}}` + "\n", `{"_meta":{"hostvars":{}},"g":{"hosts":null}}` + "\n",
		`{"_meta":{"hostvars":{"h":{}}}}` + "\n", `{"_meta":{"hostvars":{}},"g-1":{"hosts":[]}}` + "\n",
		`{"_meta":{"hostvars":{}},"g":{"hosts":[],"vars":{"a":{"__ansible_vault":"x"}}}}` + "\n",
		`{"_meta":{"hostvars":{}},"g":{"children":["h"]}}` + "\n",
	} {
		if _, err := Read(bad); err == nil {
			t.Errorf("the model takes %s", bad)
		}
	}
	d, err := Read(`{"_meta":{"hostvars":{"h":{"a":{"__ansible_unsafe":"{{"}}}},"b":{"children":["c"],"vars":{"x":1,"y":1}},"c":{"hosts":["h"],"vars":{"x":2}},"z":{"hosts":["h"],"vars":{"x":3,"y":3}}}` + "\n")
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Variables()
	want := map[string]map[string]any{"h": {"a": UnsafeText("{{"), "x": json.Number("2"), "y": json.Number("3")}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}
