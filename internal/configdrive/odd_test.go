//go:build unix

package configdrive

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidwall/gjson"
)

// TestOddFiles: a directory with what is no file is refused by its name, and never waited for; links are followed, also
// in an image.
func TestOddFiles(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.WriteFile(outside, []byte("what is linked"), 0o600); err != nil {
		t.Fatal(err)
	}
	const metaData, latest = "openstack/latest/meta_data.json", "openstack/latest"
	for name, c := range map[string]struct {
		odd  func(dir string) error
		want string // of the error, with the directory cut off; "" for a drive that Ironic builds
	}{
		"pipe":             {func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, latest, "user_data"), 0o600) }, "/openstack/latest/user_data is not a regular file"},
		"pipe of an image": {func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600) }, "/fifo is not a regular file"},
		"device":           {func(dir string) error { return os.Symlink("/dev/zero", filepath.Join(dir, latest, "user_data")) }, "/openstack/latest/user_data is not a regular file"},
		"dangling":         {func(dir string) error { return os.Symlink("nowhere", filepath.Join(dir, "readme")) }, "/readme is a broken link"},
		"loop":             {func(dir string) error { return os.Symlink("..", filepath.Join(dir, "openstack", "up")) }, "/openstack/up is a link to a directory that contains it"},
		"link":             {func(dir string) error { return os.Symlink(outside, filepath.Join(dir, latest, "user_data")) }, ""},
	} {
		dir := filepath.Join(t.TempDir(), strings.ReplaceAll(name, " ", "-"))
		oddDirectory(t, dir, metaData)
		if err := c.odd(dir); err != nil {
			t.Fatal(err)
		}
		type outcome struct {
			drive []byte
			err   error
		}
		done := make(chan outcome, 1)
		go func() {
			drive, err := Read(t.Context(), dir)
			done <- outcome{drive, err}
		}()
		select {
		case got := <-done:
			if c.want == "" && (got.err != nil || gjson.GetBytes(got.drive, "user_data").Str != "what is linked") {
				t.Errorf("%s: %s, %v", name, got.drive, got.err)
			}
			if c.want != "" && (got.err == nil || !strings.HasPrefix(got.err.Error(), dir+c.want)) {
				t.Errorf("%s: %v", name, got.err)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: it is waited for", name)
		}
	}
	if _, err := exec.LookPath("genisoimage"); err != nil {
		t.Skip("no program for images")
	}
	dir := filepath.Join(t.TempDir(), "image")
	oddDirectory(t, dir, metaData)
	oddDirectory(t, dir, "openstack/2018-08-27/user_data")
	if err := os.Symlink(outside, filepath.Join(dir, "linked")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("2018-08-27", filepath.Join(dir, "openstack", "second")); err != nil {
		t.Fatal(err)
	}
	drive, err := Read(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if image := unpacked(t, gjson.ParseBytes(drive).Str); !strings.Contains(image, "what is linked") || strings.Contains(image, "elsewhere") {
		t.Error("the image has a link instead of what it leads to")
	}
}

// oddDirectory writes a file of a config drive.
func oddDirectory(t *testing.T, dir, name string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
}
