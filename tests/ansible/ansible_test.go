// Package ansible_test runs real Ansible with the real program, as a user does who types ansible-playbook.
//
// The releases of ansible-core come from CRATON_TEST_ANSIBLE, a list of bin directories separated by ":", which `make
// test` sets to the oldest and the newest that run on this machine (tests/ansible/venvs creates them). Without it, the
// ansible-playbook on PATH is used, and without that the tests are skipped.
package ansible_test

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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/craton-fleet/craton/tools/compile"
)

// root is the repository's root: tests run in their package's directory.
var root = func() string {
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		panic(err)
	}
	return dir
}()

// scratch is a directory for what all tests share: the binary, the example fleet. It is deleted after the tests.
var scratch string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "craton-ansible")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scratch = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// program builds the program once and returns the directory of craton and craton-inventory.
func program(t *testing.T) string {
	t.Helper()
	dir, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// version is what the program of the tests prints as its version.
const version = "0.9.9"

var buildOnce = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "bin")
	if err := (compile.Program{Version: version}).Build(context.Background(), filepath.Join(dir, "craton")); err != nil {
		return "", err
	}
	return dir, os.Symlink("craton", filepath.Join(dir, "craton-inventory"))
})

// release is one installed ansible-core.
type release struct {
	version string // such as 2.14.18
	bin     string // the directory of its commands
}

// releases returns the releases of ansible-core to test with.
var releases = sync.OnceValues(func() ([]release, error) {
	bins := filepath.SplitList(os.Getenv("CRATON_TEST_ANSIBLE"))
	given := len(bins) > 0
	if !given {
		path, err := exec.LookPath("ansible-playbook")
		if err != nil {
			return nil, nil
		}
		bins = []string{filepath.Dir(path)}
	}
	var found []release
	for _, bin := range bins {
		out, err := exec.Command(filepath.Join(bin, "ansible-playbook"), "--version").CombinedOutput()
		if m := regexp.MustCompile(`\[core ([^\]]+)\]`).FindSubmatch(out); err == nil && m != nil {
			found = append(found, release{string(m[1]), bin})
		} else if given {
			return nil, fmt.Errorf("CRATON_TEST_ANSIBLE names %s, where ansible-playbook --version fails: %w\n%s", bin, errors.Join(err), out)
		}
	}
	return found, nil
})

// withAnsible runs a test once for each ansible-core.
func withAnsible(t *testing.T, test func(t *testing.T, r release)) {
	t.Helper()
	found, err := releases()
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Skip("no Ansible here: `make test` brings the releases that these tests want")
	}
	for _, r := range found {
		t.Run("ansible-core "+r.version, func(t *testing.T) {
			t.Parallel()
			test(t, r)
		})
	}
}

// onlyNewest skips a test except with the newest release, for what hardly depends on Ansible; `make proof` runs it with
// all.
func (r release) onlyNewest(t *testing.T) {
	t.Helper()
	if found, err := releases(); err == nil && r != found[len(found)-1] && os.Getenv("CRATON_TEST_PROOF") == "" {
		t.Skip("the newest release is enough, but for make proof")
	}
}

// environment returns an environment without any of the developer's Ansible or Craton settings. Ansible's settings are
// those of examples/ansible.cfg, which we recommend to users.
func environment(t *testing.T, r release, extra ...string) []string {
	t.Helper()
	home := t.TempDir()
	path := os.Getenv("PATH")
	if r.bin != "" {
		path = r.bin + string(os.PathListSeparator) + path
	}
	env := []string{
		"PATH=" + path, "HOME=" + home, "XDG_CONFIG_HOME=" + home, "TMPDIR=" + home,
		"LC_ALL=C.UTF-8", "TERM=dumb",
		"ANSIBLE_CONFIG=" + filepath.Join(root, "examples", "ansible.cfg"), "ANSIBLE_HOME=" + home,
	}
	return append(env, extra...)
}

// outcome is the result of a command.
type outcome struct {
	stdout, stderr string
	code           int
}

// run runs a command to its end, in some directory.
func run(t *testing.T, env []string, name string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // the machine may be busy
	defer cancel()
	if !strings.Contains(name, "/") { // of the environment's PATH, not of this process's
		for _, e := range env {
			if path, ok := strings.CutPrefix(e, "PATH="); ok {
				name = filepath.Join(filepath.SplitList(path)[0], name)
			}
		}
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Dir = env, scratch
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), ctx.Err(), &stdout, &stderr)
	}
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// mustRun runs a command that must exit with 0 and leave stderr empty, and returns its stdout.
func mustRun(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	out := run(t, env, name, args...)
	if out.code != 0 || out.stderr != "" {
		t.Fatalf("%s %s: exit %d, stderr:\n%s\nstdout:\n%s",
			name, strings.Join(args, " "), out.code, out.stderr, shorten(out.stdout))
	}
	return out.stdout
}

func shorten(s string) string {
	if len(s) > 4000 {
		return s[:2000] + "\n...\n" + s[len(s)-2000:]
	}
	return s
}

// load creates an SQLite file with the fleet of a file, and returns its URL.
func load(t *testing.T, fleet string) string {
	t.Helper()
	url, err := loadInto(t, t.TempDir(), fleet)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

func loadInto(t *testing.T, dir, fleet string) (string, error) {
	t.Helper()
	url := "sqlite:" + filepath.Join(dir, "fleet.db")
	out := run(t, environment(t, release{}, "CRATON_URL="+url), filepath.Join(program(t), "craton"), "apply", fleet)
	said := strings.TrimPrefix(out.stderr, made(url))
	if out.code != 0 || said != "" && !strings.HasPrefix(said, "WARNING: ") { // of templates
		return "", fmt.Errorf("craton apply %s: exit %d\n%s", fleet, out.code, out.stderr)
	}
	return url, nil
}

// made returns the message about a database that was created.
func made(url string) string {
	return "created the database " + strings.TrimPrefix(url, "sqlite:") + "\n"
}

var (
	exampleMu  sync.Mutex
	exampleURL string
)

// example returns the URL of the example fleet, loaded once for the tests that only read it.
func example(t *testing.T) string {
	t.Helper()
	exampleMu.Lock()
	defer exampleMu.Unlock()
	if exampleURL == "" {
		url, err := loadInto(t, scratch, filepath.Join(root, "examples", "fleet.yml"))
		if err != nil {
			t.Fatal(err)
		}
		exampleURL = url
	}
	return exampleURL
}

// document is an inventory as printed by --list; numbers keep their spelling.
type document map[string]any

func decode(t *testing.T, text string) document {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var doc document
	if err := d.Decode(&doc); err != nil {
		t.Fatalf("not a JSON object: %v\n%s", err, shorten(text))
	}
	return doc
}

// hostvars returns the variables of each host.
func (d document) hostvars(t *testing.T) map[string]any {
	t.Helper()
	meta, _ := d["_meta"].(map[string]any)
	vars, ok := meta["hostvars"].(map[string]any)
	if !ok {
		t.Fatal("the document has no _meta.hostvars")
	}
	return vars
}

// unmarked removes the marks from strings that Ansible must not read as templates (contract §A4).
func unmarked(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if text, ok := v["__ansible_unsafe"]; ok && len(v) == 1 {
			return text
		}
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = unmarked(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = unmarked(value)
		}
		return out
	}
	return v
}
