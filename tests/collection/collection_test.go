// Package collection_test installs the collection from its tarball, as a user does, into an empty home, and runs real
// Ansible with it.
//
// The releases of ansible-core come from CRATON_TEST_ANSIBLE, a list of bin directories separated by ":", which `make
// test` sets to the oldest and the newest that run on this machine. Without it the tests are skipped.
//
// Starting Ansible takes most of the time: a second of processor time, while a task takes some hundredths. So the
// collection is packed once and installed once for each release, and a test has few plays with many tasks.
package collection_test

import (
	"bytes"
	"context"
	"encoding/json"
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

	"github.com/craton-fleet/craton/tools/collection"
	"github.com/craton-fleet/craton/tools/compile"
)

// root is the repository; scratch is a directory for what all tests share, deleted after them.
var root, scratch string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if root, err = filepath.Abs(filepath.Join("..", "..")); err == nil {
			scratch, err = os.MkdirTemp("", "craton-collection")
		}
		if err == nil {
			err = os.WriteFile(noSettings(), []byte("[defaults]\n"), 0o644)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(scratch) //nolint:errcheck // of no importance
		return m.Run()
	}())
}

// program builds the collection's program for this machine once.
var program = sync.OnceValues(func() (string, error) {
	file := filepath.Join(scratch, "bin", "craton")
	return file, compile.Program{Tags: collection.Tag}.Build(context.Background(), file)
})

// pack packs the collection for some platforms: those without a program get the one for this machine.
func pack(dir string, platforms ...collection.Platform) (string, error) {
	own, err := program()
	if err != nil {
		return "", err
	}
	for i := range platforms {
		if platforms[i].Program == "" {
			platforms[i].Program = own
		}
	}
	version, err := readVersion()
	if err != nil {
		return "", err
	}
	file, _, err := collection.Build(context.Background(), root, version, filepath.Join(scratch, dir), collection.Quickest, platforms)
	return file, err
}

// readVersion returns the version in the Makefile, which is the collection's.
func readVersion() (string, error) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		return "", err
	}
	return string(regexp.MustCompile(`(?m)^VERSION := (.*)$`).FindSubmatch(makefile)[1]), nil
}

func collectionVersion(t *testing.T) string {
	t.Helper()
	version, err := readVersion()
	if err != nil {
		t.Fatal(err)
	}
	return version
}

// here is this machine.
var here = collection.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH}

// dirHere is the directory in plugins/modules with the modules for this machine.
const dirHere = runtime.GOOS + "_" + runtime.GOARCH

// tarball is the collection for most tests: with the program for this machine only.
var tarball = sync.OnceValues(func() (string, error) { return pack("dist", here) })

// fleetDir is the path of the collection in a home.
const fleetDir = ".ansible/collections/ansible_collections/craton/fleet"

// installs has, by the bin directory of a release, the function that installs the collection once, in an empty home,
// and returns the home.
var installs sync.Map

func installed(bin string) (string, error) {
	once, _ := installs.LoadOrStore(bin, sync.OnceValues(func() (string, error) {
		file, err := tarball()
		if err != nil {
			return "", err
		}
		home := filepath.Join(scratch, filepath.Base(filepath.Dir(bin)))
		if err := os.Mkdir(home, 0o755); err != nil {
			return "", err
		}
		install := exec.Command(filepath.Join(bin, "ansible-galaxy"), "collection", "install", file)
		install.Env = clean(bin, home)
		if out, err := install.CombinedOutput(); err != nil {
			return "", fmt.Errorf("ansible-galaxy: %w\n%s", err, out)
		}
		return filepath.Join(home, fleetDir), nil
	}))
	return once.(func() (string, error))()
}

// noSettings is an ansible.cfg that keeps Ansible from looking for another one.
func noSettings() string { return filepath.Join(scratch, "ansible.cfg") }

// clean returns an environment without any of the developer's settings.
func clean(bin, home string) []string {
	return []string{
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home, "TERM=dumb", "A_SECRET=hunter2hunter2",
		"LC_ALL=C.UTF-8", "ANSIBLE_NOCOLOR=1", "ANSIBLE_LOCALHOST_WARNING=0", "ANSIBLE_INVENTORY_UNPARSED_WARNING=0",
		"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=1", "ANSIBLE_PYTHON_INTERPRETER=" + filepath.Join(bin, "python3"),
		"ANSIBLE_ASYNC_DIR=" + filepath.Join(home, "async"), "ANSIBLE_CONFIG=" + noSettings(),
	}
}

// home is a home with the collection in it, and one release of ansible-core to use it.
type home struct {
	dir, bin string
	release  string // of ansible-core
	oldest   bool   // the release is the first of those that are tested
	newest   bool   // or the last
	fleet    string // CRATON_URL of a fleet of its own
	env      []string
}

// withAnsible runs a test once for each release of ansible-core, in a home of its own. The collection there is the one
// that all tests of the release share.
func withAnsible(t *testing.T, test func(t *testing.T, h *home)) {
	t.Helper()
	inEmptyHome(t, func(t *testing.T, h *home) {
		at, err := installed(h.bin)
		if err != nil {
			t.Fatal(err)
		}
		link := filepath.Join(h.dir, fleetDir)
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(at, link); err != nil {
			t.Fatal(err)
		}
		test(t, h)
	})
}

// inEmptyHome runs a test once for each release of ansible-core, in a home without the collection.
func inEmptyHome(t *testing.T, test func(t *testing.T, h *home)) {
	t.Helper()
	t.Parallel()
	bins := filepath.SplitList(os.Getenv("CRATON_TEST_ANSIBLE"))
	if len(bins) == 0 {
		t.Skip("no Ansible here: `make test` brings the releases that these tests want")
	}
	for i, bin := range bins {
		release := filepath.Base(filepath.Dir(bin))
		t.Run("ansible-core "+release, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			test(t, &home{dir: dir, bin: bin, release: release, oldest: i == 0, newest: i == len(bins)-1,
				fleet: "sqlite:" + filepath.Join(dir, "fleet.db"), env: clean(bin, dir)})
		})
	}
}

// onlyNewest skips a test except with the newest release, for what does not depend on Ansible.
func (h *home) onlyNewest(t *testing.T) {
	t.Helper()
	if !h.newest {
		t.Skip("the same with every release: only the newest runs it")
	}
}

// onlyNewestUntilProof skips a test except with the newest release, for what takes long; `make proof` runs it with all.
func (h *home) onlyNewestUntilProof(t *testing.T) {
	t.Helper()
	if !h.newest && os.Getenv("CRATON_TEST_PROOF") == "" {
		t.Skip("the newest release is enough, but for make proof")
	}
}

// write creates a file in the home.
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

// try runs a command in the home, with additional environment variables, and returns its stdout, stderr and exit code.
func (h *home) try(t *testing.T, env []string, name string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // the machine may be busy
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

// run runs a command that must succeed.
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

// seen reads a value that a play prints by a task "debug: {msg: 'seen NAME JSON'}". Unlike a task that writes a file,
// it starts no Python, which would take longer than the whole play.
func seen(t *testing.T, output, name string, into any) {
	t.Helper()
	m := regexp.MustCompile(`"msg": ("seen ` + regexp.QuoteMeta(name) + ` .*")`).FindStringSubmatch(output)
	if m == nil {
		t.Fatalf("the play has not seen %s:\n%s", name, output)
	}
	var text string
	err := json.Unmarshal([]byte(m[1]), &text)
	if err == nil {
		err = json.Unmarshal([]byte(strings.TrimPrefix(text, "seen "+name+" ")), into)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, m[0])
	}
}

// load fills the home's fleet from a fleet file.
func (h *home) load(t *testing.T, fleet string) {
	t.Helper()
	craton, err := program()
	if err != nil {
		t.Fatal(err)
	}
	h.runWith(t, []string{"CRATON_URL=" + h.fleet}, craton, "apply", h.write(t, "fleet.yml", fleet))
}
