package ansible

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// TestPlaybook runs real modules, which the test binary is, by ansible-playbook.
func TestPlaybook(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, bin := range ansibles(t) {
		t.Run(release(t, bin), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			library := filepath.Join(dir, "library")
			if err := os.Mkdir(library, 0o755); err != nil {
				t.Fatal(err)
			}
			for name := range demoModules {
				if err := os.Symlink(exe, filepath.Join(library, name)); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command(filepath.Join(bin, "ansible-playbook"), "-i", "localhost,", "-c", "local", "--diff", "-vvv", "-e", "dir="+dir, "testdata/playbook.yml")
			cmd.Env = cleanEnv("ANSIBLE_LIBRARY="+library, "ANSIBLE_CONFIG=testdata/ansible.cfg", "ANSIBLE_LOCAL_TEMP="+dir+"/tmp", "ANSIBLE_REMOTE_TMP="+dir+"/rtmp", "ANSIBLE_ASYNC_DIR="+dir+"/async",
				"ANSIBLE_NOCOLOR=1", "LC_ALL=C.UTF-8", "ANSIBLE_PYTHON_INTERPRETER="+runPython(bin))
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			data, err := os.ReadFile(filepath.Join(dir, "seen.json"))
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			seen := map[string]map[string]any{}
			dec := json.NewDecoder(bytes.NewReader(data))
			dec.UseNumber()
			if err := dec.Decode(&seen); err != nil {
				t.Fatal(err)
			}
			checkPlay(t, seen, string(out))
			for _, secret := range []string{"hunter22", "hunter33", "envsecret", "crashsecret", "issued-"} {
				if bytes.Contains(data, []byte(secret)) {
					t.Errorf("%s is in a result", secret)
				}
			}
		})
	}
}

func checkPlay(t *testing.T, seen map[string]map[string]any, shown string) {
	t.Helper()
	get := func(path string) any {
		keys := strings.Split(path, ".")
		var v any = seen[keys[0]]
		for _, k := range keys[1:] {
			switch x := v.(type) {
			case map[string]any:
				v = x[k]
			case []any:
				v = x[int(k[0]-'0')]
			default:
				t.Errorf("%s: nothing at %s: %v", path, k, v)
				return nil
			}
		}
		return v
	}
	for path, want := range map[string]any{
		"check.changed": true, "check.thing.size": json.Number("5"), "check.diff.after_header": "after a",
		"create.changed": true, "create.thing.name": "a", "create.diff.after.size": json.Number("5"),
		"again.changed": false, "again.thing.size": json.Number("5"),
		"keyvalue.changed": true, "keyvalue.thing.shiny": true, "keyvalue.thing.labels": []any{"x", "y"}, "keyvalue.thing.settings.n": json.Number("123456789012345678901234567890"),
		"loop.changed": true, "loop.results.2.thing.size": json.Number("3"), "loop.results.0.thing.settings": map[string]any{"deep": []any{nil, json.Number("1.5")}},
		"secret.msg": "owned with ********", "fromenv.msg": "owned with ********",
		"nolog.thing.name": "d", "warned.thing.name": "e",
		"async.thing.name": "f",
		"unknown.failed":   true, "unknown.msg": "missing required arguments: name",
		"none.changed": true, "none.thing": map[string]any{"name": "h", "shiny": false, "labels": []any{}},
		"crash.failed": true, "crash.msg": "internal error: the module crashed: cannot use ********",
		"print.changed": false, "nocheck.skipped": true, "nocheck.msg": "remote module (demo_nocheck) does not support check mode",
		"absent.changed": true, "absent.thing": nil, "absentagain.changed": false,
	} {
		if diff := cmp.Diff(want, get(path)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	errs, _ := get("unknown.validation_errors").([]any)
	if len(errs) != 2 || !strings.HasPrefix(errs[1].(string), "Unsupported parameters for (demo_thing) module: nmae. Supported parameters include: file, labels, name, parts, settings, shiny, size, state, token, user, weight (api_token, thing). Did you mean name instead of nmae?") {
		t.Errorf("unknown: %q", errs)
	}
	for _, hidden := range []string{"hunter33", "d has 4 labels", "after d"} {
		if strings.Contains(shown, hidden) {
			t.Errorf("%q is shown though the task has no_log", hidden)
		}
	}
	for _, want := range []string{"--- before", "+++ after", `+    "size": 5`, "e has 4 labels", "Param 'weight' is deprecated"} {
		if !strings.Contains(strings.Join(strings.Fields(shown), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("%q is not shown:\n%s", want, shown)
		}
	}
}

// TestDocs reads the generated documentation back by ansible-doc.
func TestDocs(t *testing.T) {
	t.Parallel()
	sidecar, err := demoSpec.Sidecar()
	if err != nil {
		t.Fatal(err)
	}
	again, err := demoSpec.Sidecar()
	if err != nil || !bytes.Equal(sidecar, again) {
		t.Errorf("the same spec gives another sidecar: %v", err)
	}
	fragment, err := demoFragment.PythonFile()
	if err != nil {
		t.Fatal(err)
	}
	runtime, err := Runtime{RequiresAnsible: ">=2.14.0", ActionGroups: []ActionGroup{
		{Name: "things", Modules: []string{"demo_thing", "demo_a"}}, {Name: "all", Extends: []string{"things"}},
	}, ActionPlugin: "demo.things.thing"}.YAML(demoSpec, &Spec{Name: "demo_a"})
	if err != nil {
		t.Fatal(err)
	}
	var meta map[string]any
	if err := yaml.Unmarshal(runtime, &meta); err != nil {
		t.Fatal(err)
	}
	routed := map[string]any{"action_plugin": "demo.things.thing"}
	if diff := cmp.Diff(map[string]any{
		"requires_ansible": ">=2.14.0",
		"action_groups": map[string]any{
			"things": []any{"demo_a", "demo_thing"},
			"all":    []any{map[string]any{"metadata": map[string]any{"extend_group": []any{"things"}}}},
		},
		"plugin_routing": map[string]any{"modules": map[string]any{"demo_a": routed, "demo_thing": routed}},
	}, meta); diff != "" {
		t.Error(diff)
	}

	for _, bin := range ansibles(t) {
		t.Run(release(t, bin), func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			root := filepath.Join(home, "ansible_collections", "demo", "things")
			for name, data := range map[string][]byte{
				"plugins/modules/demo_thing.yml": sidecar,
				"plugins/modules/demo_thing":     []byte("\x7fELF\x00"),
				"plugins/doc_fragments/store.py": fragment,
				"meta/runtime.yml":               []byte("requires_ansible: '>=2.14.0'\n"),
				"galaxy.yml":                     []byte("namespace: demo\nname: things\nversion: 1.0.0\nauthors: [me]\nreadme: README.md\n"),
			} {
				file := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, data, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			doc := func(args ...string) []byte {
				t.Helper()
				cmd := exec.Command(filepath.Join(bin, "ansible-doc"), args...)
				cmd.Env = cleanEnv("ANSIBLE_COLLECTIONS_PATH="+home, "ANSIBLE_CONFIG=testdata/ansible.cfg", "ANSIBLE_LOCAL_TEMP="+home+"/tmp", "LC_ALL=C.UTF-8", "ANSIBLE_NOCOLOR=1")
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				out, err := cmd.Output()
				if err != nil || strings.Contains(stderr.String(), "WARN") || strings.Contains(stderr.String(), "ERR") {
					t.Fatalf("%v\n%s\n%s", err, stderr.Bytes(), sidecar)
				}
				return out
			}
			var all map[string]struct {
				Doc      map[string]any
				Examples string
				Return   map[string]any
			}
			if err := json.Unmarshal(doc("-j", "demo.things.demo_thing"), &all); err != nil {
				t.Fatal(err)
			}
			got := all["demo.things.demo_thing"]
			options, _ := got.Doc["options"].(map[string]any)
			if len(options) != len(demoSpec.AllOptions()) {
				t.Errorf("%d options, not %d", len(options), len(demoSpec.AllOptions()))
			}
			for _, c := range []struct {
				name, key string
				want      any
			}{
				{"state", "default", "present"}, {"state", "choices", []any{"present", "absent"}}, {"shiny", "default", false}, {"labels", "default", []any{}}, {"labels", "elements", "str"},
				{"name", "required", true}, {"name", "aliases", []any{"thing"}}, {"size", "type", "int"}, {"size", "version_added", "1.1.0"}, {"file", "required", true},
				{"size", "description", []any{"How big it is.", "Mutually exclusive with I(weight).", "Required if I(shiny=true), unless I(weight) is set."}},
				{"weight", "description", []any{"Kilograms.", "Mutually exclusive with I(size).", "Required if I(shiny=true), unless I(size) is set.", "Deprecated, will be removed in version 9.0.0 of C(demo.things). Things float. Use I(size) instead."}},
				{"token", "description", []any{"A secret: 'quoted' too.", "If the task does not set it, the environment variable C(DEMO_TOKEN) is used.", "Required if I(user) is set."}},
			} {
				option, _ := options[c.name].(map[string]any)
				if diff := cmp.Diff(c.want, option[c.key]); diff != "" {
					t.Errorf("%s.%s: %s", c.name, c.key, diff)
				}
			}
			parts, _ := options["parts"].(map[string]any)["suboptions"].(map[string]any)
			on, _ := parts["on"].(map[string]any)
			if diff := cmp.Diff(map[string]any{"choices": []any{"yes", "no"}, "default": "yes", "description": []any{"A word that YAML takes for a boolean."}, "type": "str"}, on); diff != "" {
				t.Error(diff)
			}
			thing, _ := got.Return["thing"].(map[string]any)
			if diff := cmp.Diff(map[string]any{"name": "a", "size": 5.0, "x": 1.0, "on": nil}, thing["sample"]); diff != "" {
				t.Error(diff)
			}
			if strings.TrimSpace(got.Examples) != strings.TrimSpace(demoSpec.Examples) {
				t.Errorf("examples: %q", got.Examples)
			}
			text := string(doc("demo.things.demo_thing"))
			for _, want := range []string{"Makes, changes and removes", "suboptions", "EXAMPLES", "RETURN VALUES", "check_mode"} {
				if !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
					t.Errorf("%q is not in the text:\n%s", want, text)
				}
			}
			doc("-s", "demo.things.demo_thing")
			if list := doc("-l", "demo.things"); !bytes.Contains(list, []byte("Manage things in a file")) {
				t.Errorf("not listed: %s", list)
			}
		})
	}
}

func TestDocsMissing(t *testing.T) {
	t.Parallel()
	_, err := (&Spec{Name: "demo", Options: []Option{{Name: "a"}}, Examples: "x: y", Returns: []Return{{Name: "r"}}}).Sidecar()
	if err == nil {
		t.Fatal("a sidecar without texts")
	}
	for _, want := range []string{"a short description", "a description", "description of option a", "examples", "return value r"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

// TestMarkup: a text that names an option of the module names one that there is.
func TestMarkup(t *testing.T) {
	t.Parallel()
	for text, wrong := range map[string]bool{
		"See O(a), O(a=1), O(a.b), O(a[].b) and O(craton.fleet.craton_host#module:name).": false,
		"See O(other).": true, "See O(other=true).": true, "See O(other[].a).": true,
	} {
		_, err := (&Spec{Name: "demo", Short: "Demo", Description: []string{text}, Options: []Option{{Name: "a", Description: []string{"It."}}},
			Examples: "- demo:\n", Returns: []Return{{Name: "r", Description: []string{"It."}, Returned: "always"}}}).Sidecar()
		if (err != nil) != wrong || wrong && !strings.Contains(err.Error(), "write C(other)") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
