package ansible_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/craton-fleet/craton/internal/skip"
)

// added are the variables that the inventory adds to those of the fleet.
var added = []string{"ansible_host", "craton"}

// internal are variables that Ansible sets itself, and that ansible-inventory therefore does not print.
var internal = []string{
	"ansible_check_mode", "ansible_config_file", "ansible_diff_mode", "ansible_facts", "ansible_forks",
	"ansible_inventory_sources", "ansible_limit", "ansible_playbook_python", "ansible_run_tags", "ansible_skip_tags",
	"ansible_verbosity", "ansible_version", "group_names", "groups", "hostvars", "inventory_dir", "inventory_file",
	"inventory_hostname", "inventory_hostname_short", "omit", "playbook_dir", "role_name",
}

// sameNumbers compares numbers by value where they are written differently: Ansible writes 1e3 as 1000.0.
// Integers must be the same to the last digit.
var sameNumbers = cmp.Comparer(func(a, b json.Number) bool {
	if a == b {
		return true
	}
	if !strings.ContainsAny(string(a)+string(b), ".eE") {
		return false
	}
	x, errX := a.Float64()
	y, errY := b.Float64()
	return errX == nil && errY == nil && x == y
})

// without ignores variables of every host.
func without(names []string) cmp.Option {
	return cmpopts.IgnoreMapEntries(func(key string, _ any) bool {
		for _, name := range names {
			if key == name {
				return true
			}
		}
		return false
	})
}

// TestSameVariables: with every layout, Ansible ends up with the same variables for every host; they are the binary's
// own resolved ones, and those in the fleet file.
func TestSameVariables(t *testing.T) {
	t.Parallel()
	fleets := []struct{ name, path string }{
		{"example", filepath.Join(root, "examples", "fleet.yml")},
		{"hard", filepath.Join(root, "tests", "ansible", "testdata", "hard.yml")},
		// A real fleet of 351 hosts, which is not part of this repository.
		{"fedora", ""},
	}
	for _, f := range fleets {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			if f.path == "" {
				f.path = skip.RealFleet(t)
			}
			url := load(t, f.path)
			inventory := filepath.Join(program(t), "craton-inventory")
			own := map[string]map[string]any{}
			for _, layout := range []string{"merged", "layered"} {
				env := environment(t, release{}, "CRATON_URL="+url, "CRATON_INVENTORY_VARS="+layout)
				own[layout] = decode(t, mustRun(t, env, inventory, "--list")).hostvars(t)
			}
			if f.name != "hard" { // TestHardValues knows better than a YAML library what those are
				want := resolve(t, f.path)
				if diff := cmp.Diff(any(want), unmarked(own["merged"]), sameNumbers, without(added)); diff != "" {
					t.Errorf("the fleet file and --list differ (-file +list):\n%s", shorten(diff))
				}
			}
			if len(own["layered"]) != len(own["merged"]) {
				t.Errorf("layered has %d hosts, merged %d", len(own["layered"]), len(own["merged"]))
			}

			withAnsible(t, func(t *testing.T, r release) {
				if f.name == "fedora" { // it takes long
					r.onlyNewest(t)
				}
				got := map[string]map[string]any{}
				for _, layout := range []string{"merged", "layered"} {
					env := environment(t, r, "CRATON_URL="+url, "CRATON_INVENTORY_VARS="+layout)
					out := run(t, env, "ansible-inventory", "-i", inventory, "--list")
					if out.code != 0 {
						t.Fatalf("%s: exit %d\n%s", layout, out.code, out.stderr)
					}
					if f.name == "example" && out.stderr != "" {
						t.Errorf("%s: Ansible complains:\n%s", layout, out.stderr)
					}
					got[layout] = decode(t, out.stdout).hostvars(t)
				}
				if diff := cmp.Diff(got["merged"], got["layered"]); diff != "" {
					t.Errorf("merged and layered differ in Ansible (-merged +layered):\n%s", shorten(diff))
				}
				if diff := cmp.Diff(unmarked(own["merged"]), unmarked(got["merged"]), sameNumbers, without(internal)); diff != "" {
					t.Errorf("--list and Ansible differ (-list +ansible):\n%s", shorten(diff))
				}
			})
		})
	}
}

// TestHardValues: values reach a play as they are in the fleet file. Templates are text, and stay text.
func TestHardValues(t *testing.T) {
	t.Parallel()
	url := load(t, filepath.Join(root, "tests", "ansible", "testdata", "hard.yml"))
	text, err := os.ReadFile(filepath.Join("testdata", "hard.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := decode(t, string(text))
	inventory := filepath.Join(program(t), "craton-inventory")
	withAnsible(t, func(t *testing.T, r release) {
		for _, layout := range []string{"merged", "layered"} {
			canary := filepath.Join(t.TempDir(), "canary") // the fleet's templates would make this file
			env := environment(t, r, "CRATON_URL="+url, "CRATON_INVENTORY_VARS="+layout, "CANARY="+canary,
				"ANSIBLE_CALLBACK_RESULT_FORMAT=json")
			out := mustRun(t, env, "ansible-playbook", "-i", inventory, filepath.Join(root, "tests", "ansible", "testdata", "hard-play.yml"))
			if _, err := os.Stat(canary); err == nil {
				t.Errorf("%s: a template of the fleet was executed", layout)
			}
			got := document{}
			for _, m := range regexp.MustCompile(`(?ms)^ok: \[(\S+)\] => (\{\n.*?\n\})$`).FindAllStringSubmatch(out, -1) {
				msg := decode(t, m[2])["msg"].(string)
				got[m[1]] = map[string]any(decode(t, strings.TrimPrefix(msg, "values ")))
			}
			if diff := cmp.Diff(want, got, sameNumbers); diff != "" {
				t.Errorf("%s (-want +got):\n%s\n%s", layout, diff, shorten(out))
			}
		}
	})
}
