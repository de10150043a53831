package fleetfile

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A pipe in a folder, of which no end may come, is refused before anything waits for it; one that is named itself is
// read.
func TestFilesOfDirectories(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "p.yml")
	if err := os.WriteFile(filepath.Join(dir, "a.yml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a.yml", filepath.Join(dir, "b.yml")); err != nil {
		t.Fatal(err)
	}
	if list := Files(dir); len(list) != 2 {
		t.Fatal(list)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ParseAll(Files(dir)); err == nil || !strings.Contains(err.Error(), pipe+": it is not a regular file") {
		t.Error(err)
	}
	if list := Files(pipe); len(list) != 1 {
		t.Error(list)
	}
}
