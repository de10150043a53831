package ansible_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/craton-fleet/craton/internal/skip"
)

// exportStatic exports a static inventory of a fleet.
func exportStatic(t *testing.T, url string, settings ...string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "static.yml")
	env := environment(t, release{}, append([]string{"CRATON_URL=" + url}, settings...)...)
	mustRun(t, env, filepath.Join(program(t), "craton"), "export", "--format", "ansible", "--output", path)
	return path
}

// TestExportAnsible: Ansible reads the same from a static inventory as from craton-inventory: the same groups, and for
// each host the same variables with the same marks.
func TestExportAnsible(t *testing.T) {
	t.Parallel()
	for _, f := range []struct {
		name, path string
		settings   []string
	}{
		{"example", filepath.Join(root, "examples", "fleet.yml"), []string{"CRATON_INVENTORY_VARS=merged", "CRATON_INVENTORY_HOSTNAME=qualified", "CRATON_INVENTORY_GROUPS=region,active,kind,parent"}},
		{"hard", filepath.Join(root, "tests", "ansible", "testdata", "hard.yml"), nil},
		{"fedora", "", nil},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			if f.path == "" {
				f.path = skip.RealFleet(t)
			}
			url := load(t, f.path)
			static := exportStatic(t, url, f.settings...)
			inventory := filepath.Join(program(t), "craton-inventory")
			own := decode(t, mustRun(t, environment(t, release{}, append(f.settings, "CRATON_URL="+url)...), inventory, "--list")).hostvars(t)
			withAnsible(t, func(t *testing.T, r release) {
				if f.name == "fedora" { // it takes long
					r.onlyNewest(t)
				}
				read := func(source string) document {
					out := run(t, environment(t, r, append(f.settings, "CRATON_URL="+url, "ANSIBLE_INVENTORY_ENABLED=script,yaml")...), "ansible-inventory", "-i", source, "--list")
					if out.code != 0 {
						t.Fatalf("exit %d\n%s", out.code, out.stderr)
					}
					return decode(t, out.stdout)
				}
				got := read(static)
				if diff := cmp.Diff(unmarked(own), unmarked(got.hostvars(t)), sameNumbers, without(internal)); diff != "" {
					t.Errorf("--list and the static inventory differ (-list +static):\n%s", shorten(diff))
				}
				if f.name == "fedora" { // it shows no more
					return
				}
				want := read(inventory)
				if diff := cmp.Diff(want.hostvars(t), got.hostvars(t)); diff != "" {
					t.Errorf("hostvars (-craton-inventory +static):\n%s", shorten(diff))
				}
				delete(want, "_meta")
				delete(got, "_meta")
				if diff := cmp.Diff(want, got, cmpopts.SortSlices(func(a, b any) bool { return fmt.Sprint(a) < fmt.Sprint(b) })); diff != "" {
					t.Errorf("groups (-craton-inventory +static):\n%s", shorten(diff))
				}
			})
		})
	}
}

// TestExportAnsibleInert: Ansible trusts files, and yet no template of the fleet is executed.
func TestExportAnsibleInert(t *testing.T) {
	t.Parallel()
	static := exportStatic(t, load(t, filepath.Join(root, "tests", "ansible", "testdata", "hard.yml")))
	text, err := os.ReadFile(filepath.Join("testdata", "hard.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := decode(t, string(text))
	withAnsible(t, func(t *testing.T, r release) {
		canary := filepath.Join(t.TempDir(), "canary")
		env := environment(t, r, "CANARY="+canary, "ANSIBLE_CALLBACK_RESULT_FORMAT=json", "ANSIBLE_INVENTORY_ENABLED=yaml")
		out := mustRun(t, env, "ansible-playbook", "-i", static, filepath.Join(root, "tests", "ansible", "testdata", "hard-play.yml"))
		if _, err := os.Stat(canary); err == nil {
			t.Error("a template of the fleet was executed")
		}
		got := document{}
		for _, m := range regexp.MustCompile(`(?ms)^ok: \[(\S+)\] => (\{\n.*?\n\})$`).FindAllStringSubmatch(out, -1) {
			msg := decode(t, m[2])["msg"].(string)
			got[m[1]] = map[string]any(decode(t, strings.TrimPrefix(msg, "values ")))
		}
		if diff := cmp.Diff(want, got, sameNumbers); diff != "" {
			t.Errorf("(-want +got):\n%s\n%s", diff, shorten(out))
		}
	})
}
