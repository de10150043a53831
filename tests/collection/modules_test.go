package collection_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
        name: "{{ way }}"
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
    - craton.fleet.craton_cloud: {name: "{{ way }}", nmae: x}
      become: "{{ way == 'become' }}"
      become_method: craton.test.plain
      register: wrong
      ignore_errors: true
    - ansible.builtin.copy:
        dest: "{{ playbook_dir }}/{{ way }}.json"
        content: "{{ {'check': check, 'create': create, 'again': again, 'wrong': wrong} | to_json }}"
`

// plainBecome is a way to become another user that needs no rights: it runs the command as it is.
const plainBecome = `
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

// TestSameOnBothWays: a task run by the program on the controller and one that Ansible copies give the same results,
// and module_defaults reach both.
func TestSameOnBothWays(t *testing.T) {
	withAnsible(t, first, func(t *testing.T, h *home) {
		h.write(t, ".ansible/collections/ansible_collections/craton/test/plugins/become/plain.py", plainBecome)
		results := map[string]map[string]map[string]any{}
		for _, way := range []string{"straight", "become"} {
			out := h.play(t, samePlay, "-e", "way="+way, "-vvv")
			if direct := strings.Contains(out, "bin/craton-") && strings.Contains(out, " as craton_cloud"); direct != (way == "straight") {
				t.Errorf("%s: run by the program itself: %v\n%s", way, direct, out)
			}
			if copied := strings.Contains(out, "plugins/modules/craton_cloud"); copied != (way == "become") {
				t.Errorf("%s: copied: %v", way, copied)
			}
			data, err := os.ReadFile(filepath.Join(h.dir, way+".json"))
			if err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(string(data), way, "WAY")
			var seen map[string]map[string]any
			if err := json.Unmarshal([]byte(text), &seen); err != nil {
				t.Fatal(err)
			}
			for _, result := range seen { // what tells one object from another, and one call from another
				delete(result, "invocation")
				if cloud, ok := result["cloud"].(map[string]any); ok {
					for _, key := range []string{"id", "created_at", "updated_at"} {
						delete(cloud, key)
					}
				}
			}
			results[way] = seen
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
	withAnsible(t, first, func(t *testing.T, h *home) {
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
    - ansible.builtin.copy:
        dest: "{{ playbook_dir }}/seen.json"
        content: "{{ {'loop': looped.results | map(attribute='changed'), 'later': later.changed, 'short': short.changed, 'clouds': clouds.clouds | map(attribute='name') | sort} | to_json }}"
- hosts: away
  gather_facts: false
  tasks:
    - craton.fleet.craton_cloud: {name: delegated, url: "{{ fleet }}"}
      delegate_to: localhost
`, "-vvv")
		if strings.Contains(out, "hunter2hunter2") {
			t.Error("a secret is shown")
		}
		data, err := os.ReadFile(filepath.Join(h.dir, "seen.json"))
		if err != nil {
			t.Fatal(err)
		}
		var seen map[string]any
		if err := json.Unmarshal(data, &seen); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"loop": []any{true, true}, "later": true, "short": true, "clouds": []any{"c1", "c2", "later", "short"}}
		if diff := cmp.Diff(want, seen); diff != "" {
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
	withAnsible(t, first, func(t *testing.T, h *home) {
		bins, err := filepath.Glob(filepath.Join(h.dir, ".ansible/collections/ansible_collections/craton/fleet/bin/craton-*"))
		if err != nil || len(bins) != 1 {
			t.Fatal(bins, err)
		}
		for name, c := range map[string]struct{ script, want string }{
			"crash":     {"cat >&2; exit 7", "ended with status 7 and without a result"},
			"silence":   {"cat >/dev/null", "ended with status 0 and without a result"},
			"junk":      {`cat >/dev/null; echo '{"changed": false} and more'`, "without a result"},
			"list":      {"cat >/dev/null; echo '[]'", "without a result"},
			"not utf-8": {`cat >/dev/null; printf '{"a": "\377"}'`, "without a result"},
			"hangs":     {"echo $$ >hung; exec sleep 300", "time"},
		} {
			if err := os.WriteFile(bins[0], []byte("#!/bin/sh\n"+c.script+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			file := h.write(t, "broken.yml", `
- hosts: localhost
  gather_facts: false
  tasks:
    - craton.fleet.craton_cloud: {name: x, password: "{{ lookup('env', 'A_SECRET') }}"}
      timeout: 2
`)
			stdout, stderr, code := h.try(t, nil, "ansible-playbook", "-c", "local", "-i", "localhost,", file)
			if all := stdout + stderr; code == 0 || !strings.Contains(strings.ToLower(all), c.want) || strings.Contains(all, "hunter2") {
				t.Errorf("%s: exit %d\n%s", name, code, all)
			}
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

// TestPackedBuild: where the controller's build is not the first one, it is unpacked when it is wanted, for the task on
// the controller, for one that is copied, and for the inventory.
func TestPackedBuild(t *testing.T) {
	withAnsible(t, func(p packed) string { return p.second }, func(t *testing.T, h *home) {
		collections := filepath.Join(h.dir, ".ansible/collections/ansible_collections")
		h.write(t, ".ansible/collections/ansible_collections/craton/test/plugins/become/plain.py", plainBecome)
		for _, way := range []string{"become", "straight"} {
			out := h.play(t, samePlay, "-e", "way="+way)
			if !strings.Contains(out, "failed=0") {
				t.Error(out)
			}
		}
		bins, err := os.ReadDir(filepath.Join(collections, "craton/fleet/bin"))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, b := range bins {
			names = append(names, b.Name())
		}
		if len(slices.Compact(names)) != 4 { // craton, the strange one, ours packed and unpacked
			t.Error(names)
		}
	})
}
