package table

import "testing"

func TestLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line          string
		width         int
		padded, short string
	}{
		{"", 3, "   ", ""},
		{"abc", 3, "abc", "abc"},
		{"abcd", 3, "abcd", "ab…"},
		{"é", 3, "é  ", "é"},
		{"日本", 3, "日本", "日…"},
		{"日本", 5, "日本 ", "日本"},
	} {
		if got := Pad(c.line, c.width); got != c.padded {
			t.Errorf("Pad(%q, %d) = %q", c.line, c.width, got)
		}
		if got := Shorten(c.line, c.width); got != c.short {
			t.Errorf("Shorten(%q, %d) = %q", c.line, c.width, got)
		}
		if got := Width(Shorten(c.line, c.width)); got > c.width {
			t.Errorf("Shorten(%q, %d) has %d columns", c.line, c.width, got)
		}
	}
}
