package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/iotronictest"
)

// TestWhichInventory: the name tells which of the two inventories Ansible gets, and people.
func TestWhichInventory(t *testing.T) {
	t.Parallel()
	bin := binaries(t)
	api := iotronictest.Start(t, iotronictest.Boards2019, iotronictest.NoAuth())
	api.Add("boards", iotronictest.Object{"name": "pi-01", "code": "c1", "status": "online"})
	dir := t.TempDir()
	for _, c := range []struct {
		command, stdout, stderr string // what it begins with
	}{
		{"iotronic-inventory --list", `{"_meta":{"hostvars":{` + "\n" + `"pi-01":`, ""},
		{"iotronic-inventory --graph --groups status", "@all (1 host)\n  |--@status_online (1 host)\n", ""},
		{"iotronic-inventory --version", "iotronic-inventory ", ""},
		{"iotronic-inventory --lits", "", "iotronic-inventory: unknown flag: --lits; see iotronic-inventory --help\n"},
		{"20-iotronic --list", `{"_meta":`, ""},
		{"20-ironic-lab --list", `{"_meta":`, ""},
		{"20-ironic --host pi-02", "", `20-ironic: the inventory has no host "pi-02"` + "\n"},
		{"craton iotronic-inventory --graph --groups status", "@all (1 host)\n", ""},
		{"10-craton --list", "", "10-craton: no fleet to talk to: set CRATON_URL "},
		{"fleet --list", "", "fleet: no fleet to talk to: set CRATON_URL "},
		{"craton-inventory --list", "", "craton-inventory: no fleet to talk to: set CRATON_URL "},
	} {
		name, args, _ := strings.Cut(c.command, " ")
		link := filepath.Join(dir, name)
		if err := os.Symlink(filepath.Join(bin, "craton"), link); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		cmd := exec.CommandContext(t.Context(), link, strings.Fields(args)...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		cmd.Env = []string{"HOME=" + dir, "IOTRONIC_URL=" + api.URL}
		err := cmd.Run()
		if (err == nil) != (c.stderr == "") || !strings.HasPrefix(stdout.String(), c.stdout) || !strings.HasPrefix(stderr.String(), c.stderr) ||
			c.stdout == "" && stdout.Len() > 0 || c.stderr == "" && stderr.Len() > 0 || strings.Count(stderr.String(), "\n") > 1 {
			t.Errorf("%s: %v\nstdout %s\nstderr %s", c.command, err, &stdout, &stderr)
		}
	}
}
