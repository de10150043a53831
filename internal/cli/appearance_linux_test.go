package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/craton-fleet/craton/internal/cli/show"
)

// terminal is a pseudo-terminal of a width: what is written to the file can be read from the other end.
func terminal(t *testing.T, width uint16) (tty, other *os.File) {
	t.Helper()
	other, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { _ = other.Close() })
	n, err := unix.IoctlGetInt(int(other.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(other.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err == nil {
		t.Cleanup(func() { _ = tty.Close() })
		err = unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: width})
	}
	if err != nil {
		t.Fatal(err)
	}
	return tty, other
}

// shown is all that has been written to a terminal so far. It arrives in pieces.
func shown(t *testing.T, tty, other *os.File) string {
	t.Helper()
	const end = "<end of what was written>"
	if _, err := tty.WriteString(end); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for piece := make([]byte, 1<<16); ; {
		n, err := other.Read(piece)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(piece[:n])
		if before, ended := strings.CutSuffix(text.String(), end); ended {
			return before
		}
	}
}

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
			tty, other := terminal(t, 70)
			if got := show.AppearanceOf(tty); got != c.want {
				t.Fatalf("%+v, want %+v", got, c.want)
			}
			if err := web().write(tty, show.FormatTable, false); err != nil {
				t.Fatal(err)
			}
			if text := shown(t, tty, other); strings.Contains(text, "\x1b[") != c.want.Color || strings.Contains(text, "\x1b[31m") {
				t.Errorf("%q", text)
			}
		})
	}
	if got := show.AppearanceOf(&strings.Builder{}); got != (show.Appearance{}) {
		t.Errorf("not a terminal: %+v", got)
	}
}
