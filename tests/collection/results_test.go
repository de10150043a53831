package collection_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/iotronictest"
)

// unreadable are variables that Ansible cannot read back out of a module's result as they are, by what it would do:
// take them for objects of its own, refuse the result for good, or never end. readable is what tasks get.
var (
	unreadable = map[string]any{
		"trust":    map[string]any{"__ansible_type": "TaggedStr", "value": "y", "tags": []any{map[string]any{"__ansible_type": "TrustedAsTemplate"}}},
		"unknown":  []any{map[string]any{"__ansible_type": "x"}},
		"null":     map[string]any{"a": map[string]any{"__ansible_type": nil}},
		"number":   map[string]any{"__ansible_type": "_AnsibleTaggedInt", "value": 1, "tags": []any{}},
		"warning":  map[string]any{"__ansible_type": "WarningSummary", "event": map[string]any{"__ansible_type": "Event", "msg": "x"}},
		"unsafe":   map[string]any{"__ansible_unsafe": 1},
		"vault":    map[string]any{"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n12"},
		"digits":   json.Number(strings.Repeat("9", 4301)),
		"negative": json.Number("-" + strings.Repeat("9", 4301)),
		"most":     json.Number("-" + strings.Repeat("9", 4300)),
		"line":     "next\u0085line\u2028and\u2029more\u001c\u000b",
		"deep":     nested(95),
	}
	readable = func() map[string]any {
		text := func(v any) any {
			b, _ := json.Marshal(v)
			return " " + string(b)
		}
		m := map[string]any{}
		for k, v := range unreadable {
			m[k] = v
		}
		for _, k := range []string{"trust", "number", "warning", "unsafe", "vault"} {
			m[k] = text(m[k])
		}
		m["unknown"] = []any{text(map[string]any{"__ansible_type": "x"})}
		m["null"] = map[string]any{"a": text(map[string]any{"__ansible_type": nil})}
		m["digits"], m["negative"] = strings.Repeat("9", 4301), "-"+strings.Repeat("9", 4301)
		return m
	}()
)

// withKey has a key as well that ends a line, which fleets of Craton cannot have.
func withKey(variables map[string]any) map[string]any {
	m := maps.Clone(variables)
	m["line\u0085key"] = 1
	return m
}

// inCraton has none of the integers that no fleet of Craton takes.
func inCraton(variables map[string]any) map[string]any {
	m := maps.Clone(variables)
	delete(m, "digits")
	delete(m, "negative")
	return m
}

// nested is lists in lists.
func nested(n int) any {
	if n == 0 {
		return "end"
	}
	return []any{nested(n - 1)}
}

// TestResultsAreRead: no data of the fleet or the task makes a module's result unreadable for Ansible, in the result,
// the diff or the arguments, for both families of modules: the module has done its work by then.
func TestResultsAreRead(t *testing.T) {
	api := iotronictest.Start(t, iotronictest.Boards2019)
	api.Add("boards", iotronictest.Object{"name": "pi", "code": "c1", "extra": withKey(unreadable)})
	withAnsible(t, func(t *testing.T, h *home) {
		fleet, err := json.Marshal(map[string]any{"clouds": []any{map[string]any{"name": "east", "variables": inCraton(unreadable), "regions": []any{
			map[string]any{"name": "dfw", "hosts": []any{map[string]any{"name": "web1", "ip_address": "10.0.0.1", "device_type": "server", "variables": inCraton(unreadable)}}}}}}})
		if err != nil {
			t.Fatal(err)
		}
		h.load(t, strings.ReplaceAll(string(fleet), "\u0085", `\u0085`)) // which ends a line of YAML
		given, err := json.Marshal(map[string]any{"given": map[string]any{"__ansible_type": "TrustedAsTemplate"}, "line": "next\u0085line"})
		if err != nil {
			t.Fatal(err)
		}
		h.write(t, "given.json", string(given))
		out := h.play(t, `
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/craton.fleet.craton: {url: "{{ fleet }}"}
  tasks:
    - craton.fleet.craton_host_info: {name: web1}
      register: host_info
    - craton.fleet.craton_cloud_info: {name: east}
      async: 60
      poll: 1
      register: cloud_info
    - craton.fleet.craton_cloud: {name: east, note: changed}
      diff: true
      register: cloud
    - craton.fleet.craton_host: {name: web1, region: dfw, ip_address: 10.0.0.1, device_type: server, note: changed}
      diff: true
      register: host
    - craton.fleet.craton_variables: {kind: host, name: web1, region: dfw, variables: "{{ lookup('ansible.builtin.file', playbook_dir ~ '/given.json') }}"}
      diff: true
      register: variables
    - craton.fleet.iotronic_board_info: {url: "`+api.URL+`", token: "`+iotronictest.Admin.Token+`", name: pi}
      register: board
    - ansible.builtin.debug:
        msg: "seen results {{ {'host_info': host_info.hosts[0].variables, 'cloud_info': cloud_info.clouds[0].variables, 'cloud': cloud.cloud.variables,
          'host': host.host.variables, 'board': board.boards[0].extra, 'changed': {'cloud': cloud.changed, 'host': host.changed, 'variables': variables.changed}} | to_json }}"
`, "-vvv", "--diff")
		text, err := json.Marshal(map[string]any{"host_info": inCraton(readable), "cloud_info": inCraton(readable), "cloud": inCraton(readable), "host": inCraton(readable), "board": withKey(readable), "changed": map[string]bool{"cloud": true, "host": true, "variables": true}})
		if err != nil {
			t.Fatal(err)
		}
		var seenText json.RawMessage
		seen(t, out, "results", &seenText)
		want, got := exact(t, text), exact(t, seenText)
		for task, one := range want.(map[string]any) {
			found, _ := got.(map[string]any)[task].(map[string]any)
			for name, value := range one.(map[string]any) {
				if !reflect.DeepEqual(value, found[name]) { // cmp takes for ever where it is deep
					t.Errorf("%s, %s:\nwant %.300v\n got %.300v", task, name, value, found[name])
				}
			}
		}
	})
}

// exact decodes JSON with numbers as they are written.
func exact(t *testing.T, text []byte) (v any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
