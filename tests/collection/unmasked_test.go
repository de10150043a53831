package collection_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/openstacktest"
)

// unmasked reads a fleet that holds the connection's password, and writes back what it has read.
const unmasked = `
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/craton.fleet.craton: {url: "{{ fleet }}", username: "{{ secret }}", password: "{{ secret }}"}
    group/craton.fleet.iotronic: {url: "{{ ironic }}", max_retries: 20, password: "{{ secret }}"}
  vars:
    data: {same: "{{ secret }}", inside: "x {{ secret }} y", number: 1, yes: true, deep: [{"{{ secret }}": "{{ secret }}"}]}
  tasks:
    - craton.fleet.craton_cloud: {name: "{{ secret }}", note: "is {{ secret }}", variables: "{{ data }}"}
      register: made
      diff: true
    - craton.fleet.craton_cloud_info: {name: "{{ secret }}"}
      register: read
    - craton.fleet.craton_cloud: {name: "{{ read.clouds[0].name }}", note: "{{ read.clouds[0].note }}", variables: "{{ read.clouds[0].variables }}", variables_mode: replace}
      register: back
    - craton.fleet.craton_variables: {kind: cloud, name: "{{ secret }}", variables: "{{ made.diff.after.variables }}", variables_mode: replace}
      register: again
    - craton.fleet.craton_host: {name: h, region: "no {{ secret }} there", ip_address: 10.0.0.1, device_type: server}
      register: missing
      ignore_errors: true
    - craton.fleet.iotronic_node: {name: "{{ node }}", driver: fake-hardware, extra: "{{ data }}", driver_info: {ipmi_username: "{{ secret }}", ipmi_password: "{{ secret }}"}}
      register: metal
    - craton.fleet.iotronic_node: {name: "{{ node }}", extra: "{{ metal.node.extra }}", extra_mode: replace, driver_info: {ipmi_username: "{{ metal.node.driver_info.ipmi_username }}"}}
      register: metal_back
    - craton.fleet.iotronic_node_info: {name: "{{ node }}"}
      register: metal_read
    - craton.fleet.iotronic_node: {name: "{{ node }}", state: absent}
    - ansible.builtin.debug:
        msg: "seen {{ node }} {{ {'data': data, 'made': made, 'read': read, 'back': back, 'again': again, 'missing': missing, 'metal': metal,
          'metal_back': metal_back, 'metal_read': metal_read} | to_json }}"
`

// TestReturnedIsWrittenBack: a fleet may hold the very text that somebody has for a password, be it a short one. What a
// module returns is what the fleet has, so that a task that stores it changes nothing; what the module says has no
// password. Other passwords are tried without Ansible.
func TestReturnedIsWrittenBack(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		metal := openstacktest.StartIronic(t)
		for i, secret := range []string{"a", "true"} {
			node := "unmasked-" + strings.ReplaceAll(h.release, ".", "-") + "-" + string(rune('a'+i))
			vars := h.write(t, "vars.yml", "{secret: '"+secret+"', node: "+node+", ironic: '"+metal.URL+"'}")
			out := h.play(t, unmasked, "-e", "@"+vars, "-e", "fleet="+h.fleet+node)
			var got map[string]map[string]any
			seen(t, out, node, &got)
			made := got["made"]["cloud"].(map[string]any)
			read := got["read"]["clouds"].([]any)[0].(map[string]any)
			after := got["made"]["diff"].(map[string]any)["after"].(map[string]any)
			for at, cloud := range map[string]map[string]any{"made": made, "read": read, "diff": after} {
				want := map[string]any{"name": secret, "note": "is " + secret, "variables": got["data"]}
				have := map[string]any{"name": cloud["name"], "note": cloud["note"], "variables": cloud["variables"]}
				if d := cmp.Diff(want, have); d != "" {
					t.Errorf("%q: %s: %s", secret, at, d)
				}
			}
			for _, step := range []string{"back", "again", "metal_back"} {
				if got[step]["changed"] != false {
					t.Errorf("%q: %s: what was read and is written again changes the fleet: %v", secret, step, got[step])
				}
			}
			nodes := got["metal_read"]["nodes"].([]any)
			for at, n := range map[string]any{"metal": got["metal"]["node"], "metal_read": nodes[0]} {
				n := n.(map[string]any)
				if d := cmp.Diff(got["data"], n["extra"]); d != "" {
					t.Errorf("%q: %s: %s", secret, at, d)
				}
				if d := cmp.Diff(map[string]any{"ipmi_username": secret, "ipmi_password": "******"}, n["driver_info"]); d != "" {
					t.Errorf("%q: %s: %s", secret, at, d)
				}
			}
			if msg, _ := got["missing"]["msg"].(string); !strings.Contains(msg, `there is no region "no ******** there"`) {
				t.Errorf("%q: missing: %s", secret, msg)
			}
		}
	})
}
