package snapshot

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestAround: what is shown of a text is a part of it, whole characters, with the place in it.
func TestAround(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.StringOfN(rapid.SampledFrom([]rune("aA\u00e4\u00c4\u0130\u023a\u2126x \n\U0001f600")), 0, 200, -1)
		text, want := some.Draw(t, "text"), some.Draw(t, "want")
		lower := strings.ToLower(text)
		at := strings.Index(lower, strings.ToLower(want))
		if at < 0 {
			return
		}
		part := excerpt(text, at, len(strings.ToLower(want)))
		plain := strings.TrimSuffix(strings.TrimPrefix(part, "…"), "…")
		if !utf8.ValidString(part) || !strings.Contains(text, plain) {
			t.Fatalf("%q of %q", part, text)
		}
		if len(lower) == len(text) && !strings.Contains(strings.ToLower(plain), strings.ToLower(want)) {
			t.Fatalf("%q of %q has no %q", part, text, want)
		}
	})
}
