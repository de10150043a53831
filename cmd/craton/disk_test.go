package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBrokenDisk is what a user sees when the disk under a fleet is full or may only be read: the cause, the file, what
// to do, and no guess at what else may be wrong.
func TestBrokenDisk(t *testing.T) {
	t.Parallel()
	dir, bin := t.TempDir(), binaries(t)
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("only root may mount a file system: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
	file, craton := filepath.Join(dir, "fleet.db"), filepath.Join(bin, "craton")
	module := filepath.Join(t.TempDir(), "craton_cloud")
	if err := os.Symlink(filepath.Join(bin, "craton"), module); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "CRATON_URL=sqlite:" + file}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run(craton, "apply", filepath.Join("..", "..", "examples", "fleet.yml")); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	check := func(t *testing.T, cause, diagnosis string) {
		t.Helper()
		args := filepath.Join(t.TempDir(), "args.json")
		if err := os.WriteFile(args, []byte(`{"name": "new", "_ansible_module_name": "craton_cloud"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		bigger := filepath.Join(t.TempDir(), "more.yml")
		if err := os.WriteFile(bigger, []byte("clouds: [{name: new}]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, words := range [][]string{
			{craton, "cloud-create", "--name", "new"},
			{craton, "cloud-vars-set", "1", "big=" + strings.Repeat("x", 60_000)},
			{craton, "host-delete", "web-ams1"},
			{craton, "apply", bigger},
			{module, args},
		} {
			out, err := run(words[0], words[1:]...)
			if err == nil || !strings.Contains(out, cause) || !strings.Contains(out, file) || !strings.Contains(out, "craton doctor") ||
				strings.Contains(out, "unknown exception") || strings.Contains(out, "original server") {
				t.Errorf("%.60v: %v\n%s", words, err, out)
			}
		}
		if out, _ := run(craton, "doctor"); !strings.Contains(out, diagnosis) {
			t.Errorf("doctor does not say %q:\n%s", diagnosis, out)
		}
	}
	// The filler leaves no room; each write of the fleet is made to need some.
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", `dd if=/dev/zero of="$0" bs=1024 2>/dev/null; true`, filepath.Join(dir, "fill")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	check(t, "the disk is full", "the disk is full")
	// SQLite needs some room even to read, so this may fail, but never print another fleet.
	if out, err := run(filepath.Join(bin, "craton-inventory"), "--list"); err != nil && !strings.Contains(out, "the disk is full") || err == nil && !strings.Contains(out, "web-ams1") {
		t.Errorf("the inventory on a full disk: %v\n%.500s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), "mount", "-o", "remount,ro", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	check(t, "it is read-only", "this user can read the fleet, but not change it")
}

// TestNoTemporaryDirectory: an answer so large that it needs a temporary file says so where there is no place for one.
func TestNoTemporaryDirectory(t *testing.T) {
	t.Parallel()
	dir, craton := t.TempDir(), filepath.Join(binaries(t), "craton")
	fleet := filepath.Join(dir, "fleet.yml")
	if err := os.WriteFile(fleet, []byte("clouds: [{name: east, variables: {big: '"+strings.Repeat("x", 900_000)+"'}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(tmp string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), craton, args...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "CRATON_URL=sqlite:" + filepath.Join(dir, "fleet.db"), "TMPDIR=" + tmp}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run(dir, "apply", fleet); err != nil {
		t.Fatalf("%v\n%.500s", err, out)
	}
	if out, err := run(dir, "cloud-vars-get", "east"); err != nil {
		t.Errorf("with a temporary directory: %v\n%.500s", err, out)
	}
	missing := filepath.Join(dir, "missing")
	out, err := run(missing, "cloud-vars-get", "east")
	if err == nil || !strings.Contains(out, "cannot write a temporary file") || !strings.Contains(out, missing) || !strings.Contains(out, "smaller limit") {
		t.Errorf("without one: %v\n%.500s", err, out)
	}
}
