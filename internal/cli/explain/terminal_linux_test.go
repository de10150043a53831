package explain

import (
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/cli/clitest"
	"github.com/craton-fleet/craton/internal/cli/show"
)

// TestTerminal: colours and the width are a terminal's, and what the user and the terminal do not want is left out.
func TestTerminal(t *testing.T) {
	for name, c := range map[string]struct {
		env  [2]string
		want show.Appearance
	}{
		"plain":    {[2]string{"TERM", "xterm"}, show.Appearance{Width: 70, Color: true}},
		"NO_COLOR": {[2]string{"NO_COLOR", "1"}, show.Appearance{Width: 70}},
		"dumb":     {[2]string{"TERM", "dumb"}, show.Appearance{Width: 70}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("NO_COLOR", "")
			t.Setenv("TERM", "xterm")
			t.Setenv(c.env[0], c.env[1])
			tty, other := clitest.Terminal(t, 70)
			if got := show.AppearanceOf(tty); got != c.want {
				t.Fatalf("%+v, want %+v", got, c.want)
			}
			if err := web().write(tty, show.FormatTable, false); err != nil {
				t.Fatal(err)
			}
			if text := clitest.Shown(t, tty, other); strings.Contains(text, "\x1b[") != c.want.Color || strings.Contains(text, "\x1b[31m") {
				t.Errorf("%q", text)
			}
		})
	}
	if got := show.AppearanceOf(&strings.Builder{}); got != (show.Appearance{}) {
		t.Errorf("not a terminal: %+v", got)
	}
}
