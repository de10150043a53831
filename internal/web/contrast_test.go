package web_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestContrast: every colour of a text has a contrast of at least 4.5 on every ground that it stands on (WCAG AA),
// light and dark.
func TestContrast(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("assets/craton.css")
	if err != nil {
		t.Fatal(err)
	}
	before, after, _ := strings.Cut(string(css), "@media (prefers-color-scheme: dark)")
	dark, _, _ := strings.Cut(after, "* {")
	for name, text := range map[string]string{"light": before, "dark": dark} {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(text, -1) {
			colours[m[1]] = m[2]
		}
		for ground, on := range map[string]string{
			"ground": "text soft link own string number word less more", "raised": "text soft link own string number word less more", "sunken": "text soft link own string number word",
			"less-ground": "text less string number word", "more-ground": "text more string number word", "then": "then-text",
		} {
			for _, colour := range strings.Fields(on) {
				if c := contrast(t, colours[ground], colours[colour]); c < 4.5 {
					t.Errorf("%s: %s on %s: %.2f", name, colour, ground, c)
				}
			}
		}
		for _, ground := range []string{"ground", "raised", "sunken"} { // what is no text
			if c := contrast(t, colours[ground], colours["focus"]); c < 3 {
				t.Errorf("%s: focus on %s: %.2f", name, ground, c)
			}
		}
	}
}

// TestColoursAndWidths: no colour depends on the width of the window, so that what tests/browser finds of a wide dark
// page is so of a narrow one.
func TestColoursAndWidths(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("assets/craton.css")
	if err != nil {
		t.Fatal(err)
	}
	parts := regexp.MustCompile(`(?ms)^@media \(max-width.*?^}`).FindAllString(string(css), -1)
	if len(parts) < 2 {
		t.Fatalf("%d parts", len(parts))
	}
	for _, part := range parts {
		if found := regexp.MustCompile(`[\w-]*(color|background|opacity|filter|--)[\w-]*:`).FindAllString(part, -1); found != nil {
			t.Errorf("%q in %.60s", found, part)
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance returns that of WCAG 2.
func luminance(t *testing.T, colour string) (l float64) {
	t.Helper()
	if len(colour) != 6 {
		t.Fatalf("%q is no colour", colour)
	}
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		l += weight * c
	}
	return l
}
