package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAppendTime(t *testing.T) {
	t.Parallel()
	s := hosts.shape()
	for micros, want := range map[int64]string{
		0:                `"1970-01-01T00:00:00.000000"`,
		1490861742318274: `"2017-03-30T08:15:42.318274"`,
		1490861742000001: `"2017-03-30T08:15:42.000001"`,
		1490861743000000: `"2017-03-30T08:15:43.000000"`,
	} {
		if got := string(s.appendTime(nil, micros)); got != want {
			t.Errorf("appendTime(%d) = %s, want %s", micros, got, want)
		}
	}
}

func TestQueryKeepsTheFirst(t *testing.T) {
	t.Parallel()
	names, values := splitQuery("b=1&a=%20x+y&b=2&&c&bad=%zz")
	if diff := cmp.Diff([]string{"b", "a", "c", "bad"}, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"b": "1", "a": " x y", "c": "", "bad": "%zz"}, values); diff != "" {
		t.Error(diff)
	}
}

// TestFieldsAreSorted: representations are written in the fields' order.
func TestFieldsAreSorted(t *testing.T) {
	t.Parallel()
	for _, r := range resources {
		for i := 1; i < len(r.fields); i++ {
			if r.fields[i-1].name >= r.fields[i].name {
				t.Errorf("%s: field %s stands after %s", r.Path, r.fields[i].name, r.fields[i-1].name)
			}
		}
		for _, p := range r.params {
			if p.column != "" && r.entity.Index(p.column) < 0 {
				t.Errorf("%s: parameter %s names no column: %s", r.Path, p.name, p.column)
			}
		}
	}
}
