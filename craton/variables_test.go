package craton_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
)

// TestVariablesExact: values keep their text.
func TestVariablesExact(t *testing.T) {
	t.Parallel()
	var v craton.Variables
	const text = `
	{ "big": 123456789012345678901234567890, "float": 1.0, "huge": 1e400, "neg": -0, "null": null, "é\u0301": "\u00e9 \ud83d\ude00 <&>",
	  "nested" : { "b" : [ 1 , { "c" : null } , "a b\" c" ] , "a" : { } }, "empty": "", "again": 1, "again": 2 } `
	if err := v.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	want := craton.Variables{
		"big": []byte("123456789012345678901234567890"), "float": []byte("1.0"), "huge": []byte("1e400"), "neg": []byte("-0"), "null": []byte("null"),
		"é\u0301": []byte(`"\u00e9 \ud83d\ude00 <&>"`), "nested": []byte(`{"b":[1,{"c":null},"a b\" c"],"a":{}}`), "empty": []byte(`""`), "again": []byte("2"),
	}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Values share memory, but growing one must not touch its neighbour.
	_ = append(v["big"], "xxxxxxxxxx"...)
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("after append (-want +got):\n%s", diff)
	}
	for _, bad := range []string{``, `5`, `[]`, `"x"`, `{`, `{"a"}`, `{"a": }`, `{} {}`, `nul`, `{"a": 01}`} {
		if err := v.UnmarshalJSON([]byte(bad)); err == nil {
			t.Errorf("%s is taken for variables", bad)
		}
	}
	if err := v.UnmarshalJSON([]byte(" null ")); err != nil || v != nil {
		t.Errorf("null: %v, %v", v, err)
	}
}

// TestVariablesGoValues: setting, reading, sorting.
func TestVariablesGoValues(t *testing.T) {
	t.Parallel()
	v := craton.Vars(map[string]any{"b": 9000, "a": []string{"<x>"}, "c": nil})
	if diff := cmp.Diff(craton.Variables{"a": []byte(`["<x>"]`), "b": []byte("9000"), "c": []byte("null")}, v); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, v.Keys()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	n := 1
	if ok, err := v.Get("b", &n); !ok || err != nil || n != 9000 {
		t.Errorf("b: %v, %v, %d", ok, err, n)
	}
	if ok, err := v.Get("none", &n); ok || err != nil || n != 9000 {
		t.Errorf("none: %v, %v, %d", ok, err, n)
	}
	if ok, err := v.Get("a", &n); !ok || err == nil || !strings.Contains(err.Error(), `variable "a"`) {
		t.Errorf("a: %v, %v", ok, err)
	}
	if err := v.Set("x", math.NaN()); err == nil || v["x"] != nil {
		t.Errorf("NaN: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("Vars holds what JSON cannot")
		}
	}()
	craton.Vars(map[string]any{"x": make(chan int)})
}
