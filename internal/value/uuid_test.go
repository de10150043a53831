package value_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/value"
)

func TestIsUUID(t *testing.T) {
	t.Parallel()
	const canonical = "0123abcd-4567-89ab-cdef-0123456789ab"
	form := regexp.MustCompile(`^(?i:[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12})$`)
	bare := strings.ReplaceAll(canonical, "-", "")
	candidates := []string{"", "web1", canonical, bare, strings.ToUpper(canonical), canonical + "0", canonical + "-", "-" + canonical, canonical[1:],
		strings.Replace(canonical, "-", "--", 1), strings.Replace(canonical, "-", "", 2), bare[:9] + "-" + bare[9:], canonical[:35] + "g", canonical + "\n", bare[:24] + "-" + bare[24:]}
	for _, s := range candidates {
		want, is := s, form.MatchString(s)
		if is {
			want = canonical
		}
		if value.IsUUID(s) != is || value.CanonicalUUID(s) != want {
			t.Errorf("%q: %v, %s", s, value.IsUUID(s), value.CanonicalUUID(s))
		}
	}
}

func TestParseUUID(t *testing.T) {
	t.Parallel()
	const id = "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c"
	for text, want := range map[string]string{
		id: id, "5D1B7C0E6A0B4C529A550D6F5F1A2B3C": id, "{" + id + "}": id, "urn:uuid:" + id: id,
		"": "", "None": "", id[1:]: "", id + "0": "", "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3g": "",
	} {
		got, ok := value.ParseUUID(text)
		if got != want || ok != (want != "") {
			t.Errorf("ParseUUID(%q) = %q, %v; want %q", text, got, ok, want)
		}
	}
}

func TestSameUUID(t *testing.T) {
	t.Parallel()
	const id = "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c"
	for other, want := range map[string]bool{
		id: true, "5D1B7C0E6A0B4C529A550D6F5F1A2B3C": true, "{" + id + "}": true, "urn:uuid:" + id: true, id[:35] + "d": false, id[1:]: false, "": false,
	} {
		if value.SameUUID(id, other) != want || value.SameUUID(other, id) != want {
			t.Errorf("%q: want %v", other, want)
		}
	}
	if !value.SameUUID("default", "default") || value.SameUUID("default", "Default") || value.SameUUID("a-b", "ab") {
		t.Error("what is no UUID is compared as text")
	}
	if a, b := value.NewUUID(), value.NewUUID(); !value.IsUUID(a) || a == b || value.CanonicalUUID(a) != a {
		t.Errorf("%s and %s", a, b)
	}
}
