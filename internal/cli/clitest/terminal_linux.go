package clitest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Terminal returns a pseudo-terminal with a width: what is written to the file can be read from the other end.
func Terminal(t *testing.T, width uint16) (tty, other *os.File) {
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

// Shown returns everything that has been written to a terminal so far. It arrives in pieces.
func Shown(t *testing.T, tty, other *os.File) string {
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
