package collection_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/tools/compile"
)

// noexec mounts a file system on a new directory of the home that runs no programs.
func (h *home) noexec(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(h.dir, "noexec")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "noexec,size=256m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a file system cannot be mounted noexec here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

const oneCloud = `
- hosts: localhost
  gather_facts: false
  environment: {CRATON_URL: "{{ fleet }}"}
  tasks:
    - craton.fleet.craton_cloud: {name: east}
      become: "{{ copied | default(false) | bool }}"
      become_method: craton.test.plain
`

// TestBuildMayNotRun: where the controller may not run the collection's build, it runs the craton of the PATH if that
// is the same version, and otherwise says what to do.
func TestBuildMayNotRun(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.ownCollection(t)
		bin := filepath.Join(h.dir, fleetDir, "bin", "craton-"+strings.ReplaceAll(dirHere, "_", "-"))
		if err := os.Chmod(bin, 0o644); err != nil {
			t.Fatal(err)
		}
		file := h.write(t, "cloud.yml", oneCloud)
		path := filepath.Join(h.dir, "path")
		env := []string{"PATH=" + strings.Join([]string{path, h.bin, "/usr/bin", "/bin"}, string(os.PathListSeparator))}
		play := func(want string, ok bool) {
			t.Helper()
			stdout, stderr, code := h.try(t, env, "ansible-playbook", "-i", "localhost,", "-c", "local", "-e", "fleet="+h.fleet, file)
			said := strings.Join(strings.Fields(stdout+stderr), " ") // Ansible breaks the lines of warnings
			if (code == 0) != ok || !strings.Contains(said, ": Permission denied. The file is not executable") || !strings.Contains(said, want) {
				t.Errorf("exit %d, want %q:\n%s%s", code, want, stdout, stderr)
			}
		}
		play("or put craton into a directory in PATH", false)
		h.write(t, "path/craton", "#!/bin/sh\necho craton 9.9.9\n")
		if err := os.Chmod(filepath.Join(path, "craton"), 0o755); err != nil {
			t.Fatal(err)
		}
		play("it has version 9.9.9, and the collection has version", false)
		version := collectionVersion(t)
		if err := os.Remove(filepath.Join(path, "craton")); err != nil {
			t.Fatal(err)
		}
		released := filepath.Join(path, "craton")
		if err := (compile.Program{Version: version}).Build(t.Context(), released); err != nil {
			t.Fatal(err)
		}
		play("from PATH instead, which has the same version", true)
	})
}

// TestMachineMayNotRun: where a machine may not run what is copied to it, the error says why and what to do.
func TestMachineMayNotRun(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.write(t, plainBecomeFile, plainBecome)
		dir := h.noexec(t)
		file := h.write(t, "cloud.yml", oneCloud)
		stdout, stderr, code := h.try(t, nil, "ansible-playbook", "-i", "localhost,", "-c", "local", "-e", "fleet="+h.fleet, "-e", "copied=true", "-e", "ansible_remote_tmp="+dir, file)
		if want := "The machine does not allow programs to run in " + dir; code == 0 || !strings.Contains(stdout, want) || !strings.Contains(stdout, "Set ansible_remote_tmp") {
			t.Errorf("exit %d:\n%s%s", code, stdout, stderr)
		}
	})
}
