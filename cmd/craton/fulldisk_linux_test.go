package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFullDevice: what cannot be printed is a failure that is said, whatever the command; and global options stand
// before and behind every command.
func TestFullDevice(t *testing.T) {
	t.Parallel()
	bin, dir := binaries(t), t.TempDir()
	env := append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "CRATON_URL=sqlite:"+filepath.Join(dir, "fleet.db"))
	file := filepath.Join(dir, "fleet.yml")
	if err := os.WriteFile(file, []byte("clouds: [{name: east, regions: [{name: dfw, hosts: [{name: web, ip_address: 10.0.0.1, device_type: s}]}]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(out *os.File, line string) (text, errs string, err error) {
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "craton"), strings.Fields(line)...)
		var o, e bytes.Buffer
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &o, &e
		if out != nil {
			cmd.Stdout = out
		}
		err = cmd.Run()
		return o.String(), e.String(), err
	}
	for _, c := range [][2]string{
		{"--format json apply fleet.yml", `"created": 3,`},
		{"apply fleet.yml --format=json", `"changes": []`},
		{"--format csv apply --check fleet.yml", "action,kind,name,fields,from\n"},
		{"--format json inventory --graph", "@all"},
		{"inventory --graph --format json", "@all"},
		{"--format yaml help", "usage: craton"},
		{"--format json help host-list", "usage: craton host-list"},
		{"--craton-version 1 explain web", "host web"},
		{"--retries 1 completion bash", "complete -F"},
		{"--format json doctor", `"status"`},
		{"--format json server bootstrap --help", "bootstrap"},
	} {
		out, errs, err := run(nil, c[0])
		if err != nil || !strings.Contains(out, c[1]) {
			t.Errorf("%s: %v %s%s", c[0], err, out, errs)
		}
	}
	if _, errs, err := run(nil, "--format jsn apply fleet.yml"); err == nil || !strings.Contains(errs, "argument --format: invalid choice: 'jsn'") {
		t.Errorf("%v %s", err, errs)
	}
	if _, errs, err := run(nil, "--format jsn inventory --graph"); err == nil || !strings.Contains(errs, "argument --format: invalid choice: 'jsn'") {
		t.Errorf("%v %s", err, errs)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close() //nolint:errcheck // only written to, in vain
	for _, line := range []string{
		"", "--version", "version", "help", "--help", "help options", "help host-list", "host-list -h", "host-list", "--format json host-list", "--format csv host-list", "config",
		"explain web", "inventory --list", "inventory --graph", "completion fish", "doctor", "host-show web", "apply --check fleet.yml", "host-vars-get web",
		"host-vars-delete web x", "host-update web --note x", "iotronic", "iotronic help", "server --help", "__complete host-s",
	} {
		_, errs, err := run(full, line)
		if err == nil || !strings.Contains(errs, "no space left on device") || strings.Count(errs, "no space") != 1 {
			t.Errorf("craton %s: %v %q", line, err, errs)
		}
	}
}
