// Package collection_test installs the collection from its tarball, as a user does, into an empty home, and runs real
// Ansible on it.
//
// The releases of ansible-core come from CRATON_TEST_ANSIBLE, a list of bin directories parted by ":", which
// `make test` sets to the oldest and the newest that run on this machine. Without it the tests are skipped.
package collection_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/collection"
)

var root, scratch string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if root, err = filepath.Abs(filepath.Join("..", "..")); err == nil {
			scratch, err = os.MkdirTemp("", "craton-collection")
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(scratch) //nolint:errcheck // of no importance
		return m.Run()
	}())
}

// packed is the collection with the program for this machine, once as it is, and once as a packed second build of a
// collection whose first build is for another system.
type packed struct{ first, second, program string }

var pack = sync.OnceValues(func() (packed, error) {
	p := packed{program: filepath.Join(scratch, "craton")}
	build := exec.Command("go", "build", "-o", p.program, "./cmd/craton")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return p, fmt.Errorf("go build: %w\n%s", err, out)
	}
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		return p, err
	}
	version := string(regexp.MustCompile(`(?m)^VERSION := (.*)$`).FindSubmatch(makefile)[1])
	here := collection.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH, Program: p.program}
	if p.first, _, err = collection.Build(context.Background(), root, version, filepath.Join(scratch, "first"), []collection.Platform{here}); err != nil {
		return p, err
	}
	strange := filepath.Join(scratch, "strange")
	if err := os.WriteFile(strange, []byte("\x00not for this machine"), 0o755); err != nil {
		return p, err
	}
	p.second, _, err = collection.Build(context.Background(), root, version, filepath.Join(scratch, "second"),
		[]collection.Platform{{OS: "plan9", Arch: "mips", Program: strange}, here})
	return p, err
})

// home is an empty home with the collection in it, and one release of ansible-core to use it.
type home struct {
	dir, bin string
	release  string // of ansible-core
	fleet    string // CRATON_URL of a fleet of its own
	env      []string
}

// withAnsible runs a test once for each release of ansible-core, in a home of its own.
func withAnsible(t *testing.T, tarball func(packed) string, test func(t *testing.T, h *home)) {
	t.Helper()
	t.Parallel()
	bins := filepath.SplitList(os.Getenv("CRATON_TEST_ANSIBLE"))
	if len(bins) == 0 {
		t.Skip("no Ansible here: `make test` brings the releases that these tests want")
	}
	p, err := pack()
	if err != nil {
		t.Fatal(err)
	}
	for _, bin := range bins {
		release := filepath.Base(filepath.Dir(bin))
		t.Run("ansible-core "+release, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			h := &home{dir: dir, bin: bin, release: release, fleet: "sqlite:" + filepath.Join(dir, "fleet.db")}
			h.env = []string{
				"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "TERM=dumb", "A_SECRET=hunter2hunter2",
				"LC_ALL=C.UTF-8", "ANSIBLE_NOCOLOR=1", "ANSIBLE_LOCALHOST_WARNING=0", "ANSIBLE_INVENTORY_UNPARSED_WARNING=0",
				"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=1", "ANSIBLE_PYTHON_INTERPRETER=" + filepath.Join(bin, "python3"),
				"ANSIBLE_ASYNC_DIR=" + filepath.Join(dir, "async"), "ANSIBLE_CONFIG=" + h.write(t, "ansible.cfg", "[defaults]\n"),
			}
			h.run(t, "ansible-galaxy", "collection", "install", tarball(p))
			test(t, h)
		})
	}
}

func first(p packed) string { return p.first }

// write puts a file into the home.
func (h *home) write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// try runs a command in the home, with more of an environment, and returns its stdout, stderr and exit code.
func (h *home) try(t *testing.T, env []string, name string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if !strings.Contains(name, "/") {
		name = filepath.Join(h.bin, name)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = h.dir, append(h.env[:len(h.env):len(h.env)], env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%s %s: %v %v\n%s%s", name, strings.Join(args, " "), err, ctx.Err(), &out, &errs)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// run runs a command that has to succeed.
func (h *home) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	return h.runWith(t, nil, name, args...)
}

func (h *home) runWith(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	stdout, stderr, code := h.try(t, env, name, args...)
	if code != 0 {
		t.Fatalf("%s %s: exit %d\n%s\n%s", name, strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}

// play runs a playbook on localhost with the home's fleet in the variable fleet.
func (h *home) play(t *testing.T, playbook string, args ...string) string {
	t.Helper()
	file := h.write(t, "play.yml", playbook)
	hosts := h.write(t, "hosts", "localhost ansible_connection=local\naway ansible_host=192.0.2.1\n")
	return h.run(t, "ansible-playbook", append([]string{"-i", hosts, "-e", "fleet=" + h.fleet, file}, args...)...)
}
