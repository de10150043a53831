package rest_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/rest"
)

func TestUUID(t *testing.T) {
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
		if rest.IsUUID(s) != is || rest.CanonicalUUID(s) != want {
			t.Errorf("%q: %v, %s", s, rest.IsUUID(s), rest.CanonicalUUID(s))
		}
	}
}

func TestIsLinks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`[{"href": "x", "rel": "self"}, {"href": "y"}]`: true,
		`[{"href": "x"}, {"href": "y", "name": "z"}]`:   false,
		`[{"rel": "self"}]`:                             false, `[{"href": "x"}, "y"]`: false, `[]`: false, `null`: false, `{"href": "x"}`: false, `"href"`: false,
	} {
		if got := rest.IsLinks(gjson.Parse(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
