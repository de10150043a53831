package moduletest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/modules/ansible"
)

// T has the methods that *testing.T and *rapid.T share.
type T interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// Main runs the tests of a package in an environment without the developer's own settings.
func Main(m *testing.M) {
	ours := []string{"CRATON_", "OS_", "IRONIC_", "IOTRONIC_"}
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		begins := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
		if slices.ContainsFunc(ours, begins) && !begins("CRATON_TEST_") {
			_ = os.Unsetenv(name)
		}
	}
	_ = os.Setenv("XDG_CONFIG_HOME", filepath.Join(os.TempDir(), "craton-no-such-folder"))
	os.Exit(m.Run())
}

// Args are a task's arguments.
type Args map[string]any

// With returns a copy of the arguments with those in more added or replaced.
func (a Args) With(more Args) Args {
	out := Args{}
	maps.Copy(out, a)
	maps.Copy(out, more)
	return out
}

// Checking and Diffing are the arguments that Ansible adds for --check --diff and for --diff.
var (
	Checking = Args{"_ansible_check_mode": true, "_ansible_diff": true}
	Diffing  = Args{"_ansible_diff": true}
)

// Output is a module's output.
type Output map[string]any

// Dict returns a dictionary of the result, or nil if the key does not have one.
func (o Output) Dict(key string) map[string]any { d, _ := o[key].(map[string]any); return d }

// Msg returns the error message, or "" if there is none.
func (o Output) Msg() string { s, _ := o["msg"].(string); return s }

// Names returns the names of the objects in a list, in the list's order.
func (o Output) Names(t T, plural string) []string {
	t.Helper()
	list, ok := o[plural].([]any)
	if !ok {
		t.Fatalf("no list %s in %v", plural, o)
	}
	names := []string{}
	for _, item := range list {
		names = append(names, fmt.Sprint(item.(map[string]any)["name"]))
	}
	return names
}

// Lookup finds a module by its name.
type Lookup func(name string) (*ansible.Module, bool)

// Run runs a module in an environment, and returns its result, both decoded and as text.
func Run(t T, lookup Lookup, name string, in Args, env map[string]string) (Output, string) {
	t.Helper()
	text, err := json.Marshal(in.With(nil))
	if err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	p := &ansible.Process{Args: []string{"AnsiballZ_" + name, "-"}, Stdin: bytes.NewReader(text), Stdout: &stdout, Lookup: lookup,
		LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok }, Signals: make(chan os.Signal)}
	p.Run(context.Background())
	var out Output
	if err := json.Unmarshal(stdout.Bytes(), &out); err != nil {
		t.Fatalf("%s wrote %q: %v", name, stdout.String(), err)
	}
	return out, stdout.String()
}
