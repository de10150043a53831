package yaml11

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestRead has a spelling of each kind; internal/fleetfile compares thousands with Ansible's own loader.
func TestRead(t *testing.T) {
	t.Parallel()
	for plain, want := range map[string]Scalar{
		"": {Null, "null", false, ""}, "~": {Null, "null", false, ""}, "yes": {Bool, "true", false, ""}, "Off": {Bool, "false", false, ""}, "y": {Text, "y", false, ""}, "yEs": {Text, "yEs", false, ""},
		"0644": {Int, "420", false, ""}, "0819": {Text, "0819", false, ""}, "0o17": {Text, "0o17", false, ""}, "-0x1_F": {Int, "-31", false, ""}, "0b_": {Int, "", false, "is a number that Python cannot read"},
		"1:30": {Int, "90", true, ""}, "-190:20:30": {Int, "-685230", true, ""}, "1:60": {Text, "1:60", false, ""}, "1:30.5": {Float, "90.5", true, ""}, "08:30": {Text, "08:30", false, ""},
		"1e3": {Text, "1e3", false, ""}, "1.e+3": {Float, "1.0e+3", false, ""}, "-00.50": {Float, "-0.50", false, ""}, ".5": {Float, "0.5", false, ""}, "-.5": {Text, "-.5", false, ""}, ".inf": {Float, "", false, "is not a number that JSON can represent"},
		"2024-01-02": {Date, "2024-01-02", false, ""}, "2024-1-2 3:04:05.10 -5:30": {Date, "2024-01-02T03:04:05.100000-05:30", false, ""}, "<<": {Merge, "<<", false, ""}, "=": {Value, "=", false, ""}, "é": {Text, "é", false, ""},
		strings.Repeat("9", 4301): {Int, "", false, "is a number that Python cannot read"}, "0x" + strings.Repeat("f", 3600): {Int, "", false, "is a number that Python cannot read"},
	} {
		got := Read(plain)
		if got.Problem != "" {
			got.Text = ""
		}
		if got != want {
			t.Errorf("%.40s: %.200v, want %v", plain, got, want)
		}
	}
}

// FuzzRead: a number, a boolean and null are JSON, whatever the spelling.
func FuzzRead(f *testing.F) {
	for _, plain := range []string{"0_", "1:30", "1_0.5e+3", "-0:59.", "2024-01-02T03:04:05Z", "1" + strings.Repeat(":00", 400) + ".0"} {
		f.Add(plain)
	}
	f.Fuzz(func(t *testing.T, plain string) {
		switch s := Read(plain); s.Kind {
		case Null, Bool, Int, Float:
			if s.Problem == "" && !json.Valid([]byte(s.Text)) {
				t.Errorf("%q: %q is not JSON", plain, s.Text)
			}
		}
		if s, ok := ReadFloat(plain); ok && s.Problem == "" && !json.Valid([]byte(s.Text)) {
			t.Errorf("%q: %q is not JSON", plain, s.Text)
		}
	})
}
