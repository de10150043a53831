package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/hierarchy"
)

// TestUnpack: keys may contain the separators.
func TestUnpack(t *testing.T) {
	t.Parallel()
	for packed, want := range map[string]hierarchy.Variables{
		"":                     {},
		"1:a1":                 {{Name: "a", Value: "1"}},
		"3:a\n:[1,2]\n0:null":  {{Name: "", Value: "null"}, {Name: "a\n:", Value: "[1,2]"}},
		"2:é\"5:x\\n\"\n1:b{}": {{Name: "b", Value: "{}"}, {Name: "é", Value: `"5:x\n"`}},
	} {
		got, err := unpack(packed)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got):\n%s", packed, err, diff)
		}
	}
	for _, packed := range []string{"a", "x:a1", "9:a1", "-1:a", "1:a1\nb"} {
		if got, err := unpack(packed); err == nil {
			t.Errorf("%q: %v", packed, got)
		}
	}
}

// TestSpan: ids are a range if at least half of the numbers in it are ids.
func TestSpan(t *testing.T) {
	t.Parallel()
	ids := func(first, step int64, n int) (all []any) {
		for i := range n {
			all = append(all, first+step*int64(n-1-i))
		}
		return all
	}
	for _, tt := range []struct {
		ids         []any
		first, last int64
		dense       bool
	}{
		{ids(1, 1, minRange), 1, minRange, true},
		{ids(5, 2, 100), 5, 203, true},
		{ids(1, 1, minRange-1), 0, 0, false},
		{ids(1, 3, 100), 0, 0, false},
		{append(ids(1, 1, 100), "a"), 0, 0, false},
		{append(ids(-1<<62, 1, 100), int64(1<<62)), 0, 0, false},
		{append(ids(-1<<63, 1, 100), int64(1<<63-1)), 0, 0, false},
	} {
		first, last, dense := span(tt.ids)
		if dense != tt.dense || dense && (first != tt.first || last != tt.last) {
			t.Errorf("%v...: %d %d %v", tt.ids[0], first, last, dense)
		}
	}
}
