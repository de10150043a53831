package value

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestPath(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		names       []string
		path, shown string
	}{
		{[]string{"east", "dfw", "web-01"}, "east/dfw/web-01", "east/dfw/web-01"},
		{[]string{"a/b", "my region", `we"b`}, `"a/b"/my region/we"b`, `"a/b"/"my region"/we"b`},
		{[]string{"east", `"quoted"`}, `east/"\"quoted\""`, `east/"\"quoted\""`},
		{[]string{"east", "c from d", "\u00a0"}, "east/c from d/\u00a0", `east/"c from d"/"\u00a0"`},
		{[]string{"/", " ", `a\b`}, `"/"/ /a\b`, `"/"/" "/a\b`},
		{[]string{""}, "", `""`},
		{[]string{"München", "x y/z"}, `München/"x y/z"`, `München/"x y/z"`},
	} {
		got := Path(tt.names...)
		if got != tt.path || ShownPath(got) != tt.shown || !slices.Equal(PathNames(got), tt.names) {
			t.Errorf("%q: %s, %s, %q", tt.names, got, ShownPath(got), PathNames(got))
		}
	}
	if got := ShownPath("a/b/my region/x"); got != `a/b/"my region"/x` { // of a server: nobody knows where names end
		t.Error(got)
	}
	if _, ok := Unquoted(`"a"/b`); ok {
		t.Error("a path is no name")
	}
}

// What is shown means the same names, whatever they are, and two paths are never shown alike.
func TestPathNames(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a"/\\ '\x{e9}]{1,4}`)
		names := rapid.SliceOfN(name, 1, 4).Draw(t, "names")
		path := Path(names...)
		for _, text := range []string{path, ShownPath(path)} {
			if got := PathNames(text); !slices.Equal(got, names) {
				t.Fatalf("%q: %s means %q", names, text, got)
			}
		}
	})
}
