package private_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/private"
)

// TestHomes: nothing is kept for a user whose home directory is not there, unless in another place.
func TestHomes(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", "")
	if path, err := private.CachePath("things"); err == nil || !strings.Contains(err.Error(), "no home directory") {
		t.Errorf("no home: %q, %v", path, err)
	}
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if path, err := private.CachePath("things"); err != nil || !strings.HasPrefix(path, home) || filepath.Base(path) != "things" {
		t.Errorf("a home: %q, %v", path, err)
	}
}

func TestDirectoryAndFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "kept")
	if err := private.MakeFolder(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "one")
	if _, err := private.Open(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	f, err := private.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString("text")
	if err := private.Keep(f, path, nil); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]fs.FileMode{dir: 0o700, path: 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
	half, err := private.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := private.Keep(half, path, errors.New("no")); err == nil {
		t.Error("half a file is kept")
	}
	if all, _ := os.ReadDir(dir); len(all) != 1 {
		t.Errorf("left behind: %v", all)
	}
	refused := func(what string, err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	link := filepath.Join(dir, "link")
	_ = os.Symlink("one", link)
	_, err = private.Open(link)
	refused("a link", err, "is a symbolic link")
	refused("a linked folder", private.MakeFolder(func() string { p := dir + ".link"; _ = os.Symlink(dir, p); return p }()), "is a symbolic link")
	_ = os.Chmod(path, 0o640)
	_, err = private.Open(path)
	refused("open to others", err, "chmod go=")
	_, err = private.Open(dir)
	refused("a folder", err, "is not a file")
	refused("a file", private.MakeFolder(path), "is not a directory")
	_ = os.Chmod(dir, 0o750) //nolint:gosec // that is what is refused
	refused("a folder for others", private.MakeFolder(dir), "users other than its owner")
	if os.Geteuid() != 0 {
		refused("another's", private.MakeFolder("/"), "another user")
	}
}
