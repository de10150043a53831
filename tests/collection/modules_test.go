package collection_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/tools/collection"
)

// samePlay makes a cloud by each way that a task can take, in check mode and for real, twice, and writes what it saw.
// The way is told by -vvv.
const samePlay = `
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/craton.fleet.craton:
      url: "{{ fleet }}"
      timeout: 30
  tasks:
    - craton.fleet.craton_cloud: &cloud
        name: same
        note: !unsafe "{{ 1 }}"
        variables: {a: 1, big: 12345678901234567890, deep: {list: [1, null, ü], day: 2024-01-02}}
      become: "{{ way == 'become' }}"
      become_user: root
      become_method: craton.test.plain
      check_mode: true
      diff: true
      register: check
    - craton.fleet.craton_cloud: *cloud
      become: "{{ way == 'become' }}"
      become_method: craton.test.plain
      register: create
    - craton.fleet.craton_cloud: *cloud
      become: "{{ way == 'become' }}"
      become_method: craton.test.plain
      register: again
    - craton.fleet.craton_cloud: {name: same, nmae: x}
      become: "{{ way == 'become' }}"
      become_method: craton.test.plain
      register: wrong
      ignore_errors: true
    - ansible.builtin.debug:
        msg: "seen results {{ {'check': check, 'create': create, 'again': again, 'wrong': wrong} | to_json }}"
`

// plainBecome is a way to become another user that needs no rights: it runs the command as it is.
const (
	plainBecomeFile = ".ansible/collections/ansible_collections/craton/test/plugins/become/plain.py"
	plainBecome     = `
DOCUMENTATION = '''
name: plain
short_description: nobody else
description: Runs the command.
options:
  become_user: {description: user, default: root}
  become_pass: {description: password}
  become_exe: {description: program}
  become_flags: {description: flags}
'''
from ansible.plugins.become import BecomeBase
class BecomeModule(BecomeBase):
    name = 'craton.test.plain'
    def build_become_command(self, cmd, shell):
        super().build_become_command(cmd, shell)
        return self._build_success_command(cmd, shell)
`
)

// TestSameOnBothWays: a task run by the program on the controller and one that Ansible copies give the same results,
// and module_defaults reach both.
func TestSameOnBothWays(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.write(t, plainBecomeFile, plainBecome)
		results := map[string]map[string]map[string]any{}
		for _, way := range []string{"straight", "become"} {
			out := h.play(t, samePlay, "-e", "way="+way, "-e", "fleet="+h.fleet+way, "-vvv")
			if direct := strings.Contains(out, "bin/craton-") && strings.Contains(out, " as craton_cloud"); direct != (way == "straight") {
				t.Errorf("%s: run by the program itself: %v\n%s", way, direct, out)
			}
			if copied := strings.Contains(out, "plugins/modules/"+dirHere+"/craton_cloud"); copied != (way == "become") {
				t.Errorf("%s: copied: %v", way, copied)
			}
			var got map[string]map[string]any
			seen(t, out, "results", &got)
			for _, result := range got { // what tells one object from another, and one call from another
				delete(result, "invocation")
				if cloud, ok := result["cloud"].(map[string]any); ok {
					for _, key := range []string{"id", "project_id", "created_at", "updated_at"} {
						delete(cloud, key)
					}
				}
			}
			results[way] = got
		}
		if diff := cmp.Diff(results["straight"], results["become"]); diff != "" {
			t.Errorf("the ways differ (-straight +become):\n%s", diff)
		}
		got := results["straight"]
		for task, want := range map[string]bool{"check": true, "create": true, "again": false, "wrong": false} {
			if got[task]["changed"] != want {
				t.Errorf("%s: changed is %v: %v", task, got[task]["changed"], got[task])
			}
		}
		if _, ok := got["check"]["diff"]; !ok {
			t.Error("no diff where one was asked for")
		}
		if _, ok := got["create"]["diff"]; ok {
			t.Error("a diff that nobody asked for")
		}
		if msg := fmt.Sprint(got["wrong"]["msg"]); got["wrong"]["failed"] != true || !strings.Contains(msg, "Did you mean name instead of nmae?") {
			t.Errorf("wrong: %v", got["wrong"])
		}
		cloud, _ := got["create"]["cloud"].(map[string]any)
		if variables, _ := cloud["variables"].(map[string]any); fmt.Sprint(variables["deep"]) != "map[day:2024-01-02 list:[1 <nil> ü]]" {
			t.Errorf("variables: %v", cloud)
		}
	})
}

// TestWays: loops, async, delegation, the task's environment, no_log, ad hoc calls, and short names.
func TestWays(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		out := h.play(t, `
- hosts: localhost
  gather_facts: false
  collections: [craton.fleet]
  environment: {CRATON_URL: "{{ fleet }}"}
  vars: {secret: "{{ lookup('env', 'A_SECRET') }}"}
  tasks:
    - craton.fleet.craton_cloud: {name: "c{{ item }}"}
      loop: [1, 2]
      register: looped
    - craton.fleet.craton_cloud: {name: later}
      async: 60
      poll: 1
      register: later
    - craton_cloud: name=short note={{ secret }}
      no_log: true
      register: short
    - craton.fleet.craton_cloud: {name: wrong, password: "{{ secret }}", variables: 5}
      ignore_errors: true
    - craton.fleet.craton_cloud_info:
      no_log: true
      register: clouds
    - ansible.builtin.debug:
        msg: "seen results {{ {'loop': looped.results | map(attribute='changed'), 'later': later.changed, 'short': short.changed, 'clouds': clouds.clouds | map(attribute='name') | sort} | to_json }}"
- hosts: away
  gather_facts: false
  tasks:
    - craton.fleet.craton_cloud: {name: delegated, url: "{{ fleet }}"}
      delegate_to: localhost
`, "-vvv")
		if strings.Contains(out, "hunter2hunter2") {
			t.Error("a secret is shown")
		}
		var got map[string]any
		seen(t, out, "results", &got)
		want := map[string]any{"loop": []any{true, true}, "later": true, "short": true, "clouds": []any{"c1", "c2", "later", "short"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		adhoc := h.runWith(t, []string{"CRATON_URL=" + h.fleet}, "ansible", "localhost", "-m", "craton.fleet.craton_cloud_info", "-a", "name=delegated")
		if !strings.Contains(adhoc, "SUCCESS") || !strings.Contains(adhoc, `"delegated"`) {
			t.Error(adhoc)
		}
		if _, _, code := h.try(t, []string{"CRATON_URL="}, "ansible", "localhost", "-m", "craton.fleet.craton_cloud_info"); code == 0 {
			t.Error("no fleet, and no error")
		}
	})
}

// TestBroken: a program that fails without a result, or prints more than one, is an error that shows no argument; one
// that hangs ends with the task.
func TestBroken(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.ownCollection(t)
		bins, err := filepath.Glob(filepath.Join(h.dir, fleetDir, "bin/craton-*"))
		if err != nil || len(bins) != 1 {
			t.Fatal(bins, err)
		}
		cases := map[string]struct{ script, want string }{
			"crash":   {`printf '%s' "$in" >&2; exit 7`, "failed with status 7 and without a result"},
			"silence": {"", "failed with status 0 and without a result"},
			"junk":    {`echo '{"changed": false} and more'`, "without a result"},
			"list":    {"echo '[]'", "without a result"},
			"latin-1": {`printf '{"a": "\377"}'`, "without a result"},
			"hangs":   {"echo $$ >hung; exec sleep 300", "time"},
		}
		script, names := "#!/bin/sh\nin=$(cat)\ncase $in in\n", slices.Sorted(maps.Keys(cases))
		for _, name := range names {
			script += fmt.Sprintf("*'\"%s\"'*) %s ;;\n", name, cases[name].script)
		}
		if err := os.WriteFile(bins[0], []byte(script+"esac\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		out := h.play(t, `
- hosts: localhost
  gather_facts: false
  tasks:
    - craton.fleet.craton_cloud: {name: "{{ item }}", password: "{{ lookup('env', 'A_SECRET') }}"}
      timeout: "{{ 5 if item == 'hangs' else 60 }}"
      loop: [`+strings.Join(names, ", ")+`]
      register: broken
      ignore_errors: true
    - ansible.builtin.debug: {msg: "seen results {{ broken.results | to_json }}"}
`)
		var results []struct {
			Item, Msg string
			Failed    bool
		}
		seen(t, out, "results", &results)
		for _, r := range results {
			if want := cases[r.Item].want; !r.Failed || !strings.Contains(strings.ToLower(r.Msg), want) {
				t.Errorf("%s: want %q, got %+v", r.Item, want, r)
			}
		}
		if len(results) != len(cases) || strings.Contains(out, "hunter2") {
			t.Errorf("%d results, or a secret is shown:\n%s", len(results), out)
		}
		pid, err := os.ReadFile(filepath.Join(h.dir, "hung"))
		if err != nil {
			t.Fatal(err)
		}
		if state, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/cmdline"); err == nil && strings.Contains(string(state), "sleep") {
			t.Error("the program outlives its task")
		}
	})
}

// ownCollection gives the home a copy of the collection, so that a test may spoil it.
func (h *home) ownCollection(t *testing.T) {
	t.Helper()
	at := filepath.Join(h.dir, fleetDir)
	shared, err := filepath.EvalSymlinks(at)
	if err == nil {
		err = os.Remove(at)
	}
	if err == nil {
		err = os.CopyFS(at, os.DirFS(shared))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// secondTarball is a collection whose first build is for another system, and that has this machine's packed, behind a
// third.
var secondTarball = sync.OnceValues(func() (string, error) {
	strange := filepath.Join(scratch, "strange")
	if err := os.WriteFile(strange, []byte("\x00not for this machine"), 0o755); err != nil {
		return "", err
	}
	return pack("second", collection.Platform{OS: "plan9", Arch: "mips", Program: strange}, collection.Platform{OS: "plan9", Arch: "arm", Program: strange}, here)
})

// TestPackedBuild: where the controller's build is not the first one, it is unpacked when it is wanted, for the task on
// the controller, for one that is copied, and for the inventory.
func TestPackedBuild(t *testing.T) {
	inEmptyHome(t, func(t *testing.T, h *home) {
		h.onlyNewest(t)
		file, err := secondTarball()
		if err != nil {
			t.Fatal(err)
		}
		h.run(t, "ansible-galaxy", "collection", "install", file)
		h.write(t, plainBecomeFile, plainBecome)
		for _, way := range []string{"become", "straight"} {
			if out := h.play(t, samePlay, "-e", "way="+way); !strings.Contains(out, "failed=0") {
				t.Error(out)
			}
		}
		if _, hosts := h.list(t, []string{h.write(t, "f.craton.yml", "plugin: craton.fleet.craton\nurl: "+h.fleet+"\n")}); len(hosts) != 0 {
			t.Errorf("hosts of a fleet that has none: %v", hosts)
		}
		bins, err := os.ReadDir(filepath.Join(h.dir, fleetDir, "bin"))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, b := range bins {
			names = append(names, b.Name())
		}
		if len(names) != 5 { // craton, the strange one, ours packed, where in that, and unpacked
			t.Error(names)
		}
	})
}
