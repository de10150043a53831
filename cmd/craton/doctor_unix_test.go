//go:build unix

package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/craton-fleet/craton/server"
)

// nobody is a user without rights.
const nobody = 65534

// TestDoctorOtherUser: a SQLite file as a user sees it who may not do everything with it.
func TestDoctorOtherUser(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "craton-doctor") //nolint:usetesting // others must be let in, which t.TempDir does not
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "closed"), 0o700); _ = os.RemoveAll(dir) })
	program := filepath.Join(dir, "craton")
	text, err := os.ReadFile(filepath.Join(binaries(t), "craton"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(program, text, 0o755), os.Chmod(program, 0o755), os.Chmod(dir, 0o755)); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	// place makes a directory with a fleet in it, and gives both permissions.
	place := func(name string, dirMode, fileMode os.FileMode) string {
		in := filepath.Join(dir, name)
		file := filepath.Join(in, "fleet.db")
		if err := os.Mkdir(in, 0o700); err != nil {
			t.Fatal(err)
		}
		s, err := server.Open(t.Context(), "sqlite:"+file, server.Options{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Bootstrap(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.Close(), os.Chmod(file, fileMode), os.Chmod(in, dirMode)); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for name, c := range map[string]struct {
		file, check, want string
	}{
		"no way in":       {place("closed", 0o700, 0o644), "file", "problem: .*permission denied -> .*access to " + dir + "/closed"},
		"not readable":    {place("secret", 0o755, 0o600), "file", "problem: .*fleet.db.* -> .* read access to " + dir + "/secret/fleet.db"},
		"not writable":    {place("fixed", 0o755, 0o644), "file", "problem: .*fleet.db.* -> .* write access to " + dir + "/fixed"},
		"only the file":   {place("half", 0o755, 0o666), "file", "problem: .*fleet.db.* -> .* write access to " + dir + "/half"},
		"log may be made": {place("log", 0o777, 0o644), "writing", "warning: .*read the fleet, .*not change it -> .* write access to " + dir + "/log/fleet.db"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), program, "doctor", "--format", "json")
			cmd.Dir = "/"
			cmd.Env = []string{"PATH=/nonexistent", "HOME=/nonexistent", "XDG_CONFIG_HOME=/nonexistent", "CRATON_URL=sqlite:" + c.file}
			if os.Geteuid() == 0 {
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
			} else if name == "no way in" { // the owner may need no more than this
				if err := os.Chmod(filepath.Dir(c.file), 0); err != nil {
					t.Fatal(err)
				}
			} else {
				t.Skip("only root can be another user")
			}
			var out bytes.Buffer
			cmd.Stdout = &out
			err := cmd.Run()
			if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			var doc struct {
				Checks []struct{ Check, Status, Message, Advice string }
			}
			if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			d := diagnosis{}
			for _, f := range doc.Checks {
				d[f.Check] = strings.TrimSuffix(f.Status+": "+f.Message+" -> "+f.Advice, " -> ")
			}
			d.expect(t, map[string]string{c.check: c.want})
		})
	}
}
