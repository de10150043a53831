//go:build linux && !collection && !nopage

package ui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBrowse: the browser is given a file that nobody else can read, and leads to the address; the token is no
// argument, which all users of a machine see.
func TestBrowse(t *testing.T) {
	dir := t.TempDir()
	told := filepath.Join(dir, "told")
	script := "#!/bin/sh\n{ echo \"$*\"; stat -c '%a' \"$1\" \"${1%/*}\"; cat \"$1\"; } >" + told + ".new && mv " + told + ".new " + told + "\n"
	if err := os.WriteFile(filepath.Join(dir, "xdg-open"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("DISPLAY", ":7")
	t.Setenv("TMPDIR", dir)
	const address = "http://127.0.0.1:4711/NAME/ui/enter?token=TOKEN"
	clean, err := browse(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for begin := time.Now(); len(lines) == 0; time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(told); err == nil {
			lines = strings.SplitN(string(text), "\n", 4)
		} else if time.Since(begin) > 10*time.Second {
			t.Fatal("no browser was opened")
		}
	}
	if strings.Contains(lines[0], "TOKEN") || lines[1] != "600" || lines[2] != "700" || !strings.Contains(lines[3], `url=`+address+`"`) {
		t.Errorf("%q", lines)
	}
	clean()
	if _, err := os.Stat(lines[0]); !os.IsNotExist(err) {
		t.Errorf("the file is left: %v", err)
	}
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	if _, err := browse(t.Context(), address); err == nil {
		t.Error("a browser without a screen")
	}
}
