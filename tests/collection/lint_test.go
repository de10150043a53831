package collection_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// argumentCases are arguments of modules, as JSON, and what those who read the Python file say to them; to right ones
// nothing.
var argumentCases = []struct{ module, args, want string }{
	{"craton_cloud", `{"name": "east", "variables": {"a": 1}}`, ""},
	{"craton_cloud", `{"name": "east", "nmae": "east"}`, "Unsupported parameters for (basic.py) module: nmae"},
	{"craton_cloud", `{"note": "n"}`, "one of the following is required: name, id"},
	{"craton_cloud", `{"name": "east", "id": "seven"}`, "and we were unable to convert to int"},
	{"craton_cloud", `{"name": "east", "state": "gone"}`, "value of state must be one of: present, absent, got: gone"},
	{"craton_host", `{"name": "web1", "region": "dfw", "ip_address": "10.0.0.1", "device_type": "server", "labels": ["web"]}`, ""},
	{"craton_variables", `{"name": "dfw"}`, "missing required arguments: kind"},
	{"craton_fleet", `{"src": "fleet.yml", "fleet": {"clouds": []}}`, "parameters are mutually exclusive: fleet|src"},
	{"iotronic_node", `{"name": "metal-01", "location": {"latitude": "1"}}`, "missing required arguments: altitude, longitude found in location"},
	{"iotronic_node", `{"name": "metal-01", "driver_info": {"ipmi_password": "x"}, "power": "on"}`, ""},
}

// TestPythonArguments: the Python file of a module knows its arguments, for every release, and says what to do when
// somebody runs it for the module.
func TestPythonArguments(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		for _, c := range argumentCases {
			file := filepath.Join(h.dir, fleetDir, "plugins/modules", c.module+".py")
			cmd := exec.CommandContext(t.Context(), filepath.Join(h.bin, "python3"), file)
			cmd.Env, cmd.Stdin = h.env, strings.NewReader(`{"ANSIBLE_MODULE_ARGS": `+c.args+`}`)
			out, _ := cmd.CombinedOutput() // it always fails
			want := c.want
			if want == "" {
				want = c.module + ".py only describes the module, which is a program. Call it craton.fleet." + c.module
			}
			said := strings.NewReplacer(`\"`, `"`, `(`+c.module+`)`, "(basic.py)").Replace(string(out))
			if !strings.Contains(said, want) {
				t.Errorf("%s %s: %s", c.module, c.args, out)
			}
		}
	})
}

// TestWithoutTheCollection: by its name alone a module is found in bin, where each name is a link to the program; of
// plugins/modules by itself, Ansible runs the Python file, which says what to do instead of doing nothing.
func TestWithoutTheCollection(t *testing.T) {
	inEmptyHome(t, func(t *testing.T, h *home) {
		craton, err := program()
		if err != nil {
			t.Fatal(err)
		}
		library := filepath.Join(h.dir, "library")
		if err := os.Mkdir(library, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(craton, filepath.Join(library, "craton_cloud")); err != nil {
			t.Fatal(err)
		}
		adhoc := []string{"localhost", "-c", "local", "-m", "craton_cloud", "-a", "name=east"}
		out := h.runWith(t, []string{"ANSIBLE_LIBRARY=" + library, "CRATON_URL=" + h.fleet}, "ansible", adhoc...)
		if !strings.Contains(out, `"name": "east"`) || !strings.Contains(out, "CHANGED") {
			t.Error(out)
		}
		stdout, stderr, code := h.try(t, []string{"ANSIBLE_LIBRARY=" + filepath.Join(root, "plugins/modules"), "CRATON_URL=" + h.fleet}, "ansible", adhoc...)
		if code == 0 || !strings.Contains(stdout, "craton_cloud.py only describes the module, which is a program. Call it craton.fleet.craton_cloud") {
			t.Errorf("exit %d\n%s%s", code, stdout, stderr)
		}
	})
}

// TestCheckout: where a checkout is the collection, its one build runs on the controller, and is what Ansible copies.
func TestCheckout(t *testing.T) {
	inEmptyHome(t, func(t *testing.T, h *home) {
		craton, err := program()
		if err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(h.dir, fleetDir)
		for _, dir := range []string{"meta", "plugins"} {
			if err := os.CopyFS(filepath.Join(at, dir), os.DirFS(filepath.Join(root, dir))); err != nil {
				t.Fatal(err)
			}
		}
		h.write(t, plainBecomeFile, plainBecome)
		playbook := `
- hosts: localhost
  gather_facts: false
  environment: {CRATON_URL: "{{ fleet }}"}
  tasks:
    - craton.fleet.craton_cloud: {name: "east"}
      become: true
      become_method: craton.test.plain
`
		file := h.write(t, "none.yml", playbook)
		if out, _, code := h.try(t, nil, "ansible-playbook", "-i", "localhost,", "-c", "local", "-e", "fleet="+h.fleet, file); code == 0 || !strings.Contains(out, `there is no build of craton to copy. Run \"make build\"`) {
			t.Errorf("without a build: exit %d\n%s", code, out)
		}
		data, err := os.ReadFile(craton)
		if err == nil {
			err = os.MkdirAll(filepath.Join(at, "bin"), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(at, "bin", "craton"), data, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
		out := h.play(t, playbook+"    - craton.fleet.craton_cloud: {name: west}\n", "-vvv")
		for _, want := range []string{"changed=2", "plugins/modules/" + dirHere + "/craton_cloud", "bin/craton as craton_cloud"} {
			if !strings.Contains(out, want) {
				t.Errorf("lacks %q:\n%s", want, out)
			}
		}
	})
}

// The tools of the package index, at the one version that everybody runs.
const (
	lintVersion      = "26.10.1"
	builderVersion   = "3.1.0"
	navigatorVersion = "26.10.0"
)

// linted is a file with a right task of every kind of ours, a wrong one of Ansible's own, and wrong ones of ours. What
// is mutually exclusive ansible-lint checks of no module, in case of templates.
const linted = `---
- name: Lint
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Right
      craton.fleet.craton_cloud:
        name: east
    - name: Right, too
      craton.fleet.craton_host:
        name: "{{ host }}"
        region: dfw
        active: "{{ active }}"
    - name: Wrong, of Ansible
      ansible.builtin.stat:
        path: /tmp/x
        patth: /tmp/x
    - name: Unknown option
      craton.fleet.craton_cloud:
        name: east
        nmae: east
    - name: No name
      craton.fleet.craton_region:
        cloud: east
    - name: Wrong type
      craton.fleet.craton_cloud:
        name: east
        id: seven
    - name: Wrong choice
      craton.fleet.craton_cloud:
        name: east
        state: gone
    - name: Unknown option of a node
      craton.fleet.iotronic_node:
        name: metal-01
        drvier: ipmi
`

// TestLint: ansible-lint checks the arguments of our tasks, and goes on to check those of others in the same file.
func TestLint(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.onlyNewest(t)
		lint := h.tool(t, "ansible-lint")
		h.write(t, "play.yml", linted)
		stdout, stderr, _ := h.try(t, toolEnv(lint), lint, "--offline", "--nocolor", "-p", "--project-dir", h.dir, "play.yml")
		var got []string
		for _, m := range regexp.MustCompile(`(?m)^play\.yml:(\d+)(?::\d+)?: args\[module\](?:\[/\])?: `).FindAllStringSubmatch(stdout, -1) {
			got = append(got, m[1])
		}
		var want []string
		for i, line := range strings.Split(linted, "\n") {
			if name, ok := strings.CutPrefix(line, "    - name: "); ok && !strings.HasPrefix(name, "Right") {
				want = append(want, strconv.Itoa(i+1))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("lines with args[module]: %s\n%s%s", diff, stdout, stderr)
		}
	})
}

// developerTools is what the tools of the package index are that everybody runs.
var developerTools = []string{"ansible-lint==" + lintVersion, "ansible-builder==" + builderVersion, "ansible-navigator==" + navigatorVersion}

// tool is one of developerTools, in a virtual environment below .cache that has the home's release, too. make sanity
// asks for tests of them, since they come from the package index.
func (h *home) tool(t *testing.T, name string) string {
	t.Helper()
	if os.Getenv("CRATON_TEST_SANITY") == "" {
		t.Skip("needs a package index: `make sanity` runs it")
	}
	return filepath.Join(h.packages(t, "lint", developerTools...), name)
}

// packages is the bin directory of a virtual environment below .cache that has packages of the index, and the home's
// release.
func (h *home) packages(t *testing.T, folder string, packages ...string) string {
	t.Helper()
	packagesOnce.Lock()
	defer packagesOnce.Unlock()
	wanted := strings.Join(append(slices.Clone(packages), "ansible-core=="+h.release), "\n")
	venv := filepath.Join(root, ".cache", folder, h.release)
	made, stamp := filepath.Join(venv, "made"), wanted+"\n"+venv // it cannot be moved
	if is, err := os.ReadFile(made); err != nil || string(is) != stamp {
		h.run(t, "python3", "-m", "venv", "--clear", venv)
		install := exec.CommandContext(t.Context(), filepath.Join(venv, "bin", "python"),
			append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check"}, strings.Split(wanted, "\n")...)...)
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("pip: %v\n%s", err, out)
		}
		if err := os.WriteFile(made, []byte(stamp), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(venv, "bin")
}

// packagesOnce is held while packages are installed.
var packagesOnce sync.Mutex

// toolEnv is the environment of a tool that calls others.
func toolEnv(tool string) []string {
	return []string{"PATH=" + filepath.Dir(tool) + string(os.PathListSeparator) + os.Getenv("PATH"), "ANSIBLE_CONFIG=" + noSettings()}
}

// TestExamplesLint: ansible-lint finds nothing in the examples, and ansible-navigator runs one.
func TestExamplesLint(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.onlyNewest(t)
		lint := h.tool(t, "ansible-lint")
		if err := os.CopyFS(filepath.Join(h.dir, "examples"), os.DirFS(filepath.Join(root, "examples"))); err != nil {
			t.Fatal(err)
		}
		stdout, stderr, code := h.try(t, toolEnv(lint), lint, "--offline", "--nocolor", "--format=pep8", "--project-dir", h.dir, "examples")
		if code != 0 || strings.TrimSpace(stdout) != "" || !strings.Contains(stderr, "Passed: 0 failure(s), 0 warning(s)") {
			t.Errorf("exit %d\n%s%s", code, stdout, stderr)
		}
		fleet, err := os.ReadFile(filepath.Join(root, "examples", "fleet.yml"))
		if err != nil {
			t.Fatal(err)
		}
		h.load(t, string(fleet))
		h.write(t, "fleet.craton.yml", "plugin: craton.fleet.craton\n")
		out := h.runWith(t, append(toolEnv(lint), "CRATON_URL="+h.fleet), filepath.Join(filepath.Dir(lint), "ansible-navigator"), "run", "examples/site.yml", "-i", "fleet.craton.yml",
			"--execution-environment", "false", "--mode", "stdout", "--playbook-artifact-enable", "false", "--log-append", "false")
		if ok, bad := strings.Count(out, " failed=0 "), regexp.MustCompile(`(unreachable|failed)=[1-9]`).FindString(out); ok < 20 || bad != "" {
			t.Errorf("%d hosts without a failure, %s\n%s", ok, bad, out)
		}
	})
}
