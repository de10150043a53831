//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package private_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/craton-fleet/craton/internal/private"
)

// TestPipe: a pipe in the place of a file is refused, and not waited for.
func TestPipe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := private.Open(path); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("%v", err)
	}
}
