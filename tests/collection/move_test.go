package collection_test

import (
	"strings"
	"testing"
)

// movePlay moves a host by move and by recreate, in check mode, for real, and again, and asks for what is protected.
const movePlay = `
- hosts: localhost
  gather_facts: false
  module_defaults: {group/craton.fleet.craton: {url: "{{ fleet }}"}}
  tasks:
    - craton.fleet.craton_fleet:
        fleet:
          clouds:
            - name: east
              regions:
                - name: dfw
                  cells:
                    - name: row-a
                      hosts:
                        - name: kvm1
                          ip_address: 10.0.0.1
                          device_type: server
                          labels: [kvm]
                          variables: {rack: 7}
                          interfaces: [{name: eth0, interface_type: ethernet, ip_address: 10.0.0.1}]
                    - {name: row-b, hosts: [{name: vm1, ip_address: 10.0.0.2, device_type: vm, parent: kvm1, protected: true}]}
                - name: ord
    - craton.fleet.craton_host_info: {name: kvm1}
      register: before
    - craton.fleet.craton_host: &move {name: kvm1, region: dfw, cell: row-b, move: true, note: moved, labels: [new]}
      check_mode: true
      register: predicted
    - craton.fleet.craton_host: *move
      diff: true
      register: moved
    - craton.fleet.craton_host: *move
      register: again
    - ansible.builtin.assert:
        that:
          - predicted is changed
          - moved is changed
          - again is not changed
          - moved.host.id == before.hosts[0].id
          - moved.host.cell_id != before.hosts[0].cell_id
          - moved.host.note == 'moved'
          - moved.host.labels | sort == ['kvm', 'new']
          - predicted.host.cell_id == moved.host.cell_id
    - craton.fleet.craton_host: &recreate {name: kvm1, region: dfw, cell: row-a, recreate: true}
      check_mode: true
      register: predicted
    - craton.fleet.craton_host: *recreate
      diff: true
      register: anew
    - craton.fleet.craton_host: *recreate
      register: again
    - craton.fleet.craton_network_interface_info: {device: kvm1}
      register: interfaces
    - craton.fleet.craton_host_info: {protected: true}
      register: protected
    - craton.fleet.craton_host_info: {name: kvm1}
      register: after
    - ansible.builtin.assert:
        that:
          - predicted is changed
          - anew is changed
          - again is not changed
          - again.carried is not defined
          - predicted.carried == anew.carried
          - anew.carried | length == 2
          - anew.host.id != moved.host.id
          - anew.host.variables.rack == 7
          - interfaces.network_interfaces | map(attribute='name') | list == ['eth0']
          - interfaces.network_interfaces[0].device_id == anew.host.id
          - protected.hosts | map(attribute='name') | list == ['vm1']
          - protected.hosts[0].parent_id == anew.host.id
          - after.hosts | length == 1
          - after.hosts[0].protected == false
    - craton.fleet.craton_fleet:
        fleet: {clouds: [{name: east, regions: [{name: ord, hosts: [{name: kvm1, ip_address: 10.0.0.1, device_type: server}]}]}]}
      register: refused
      ignore_errors: true
    - ansible.builtin.assert:
        that:
          - refused is failed
          - refused is not changed
          - refused.plan.refused | length == 1
          - refused.plan.refused[0].reason == 'elsewhere'
          - refused.plan.refused[0].name == 'east/ord/kvm1'
          - refused.plan.refused[0].other == 'east/dfw/row-a/kvm1'
    - ansible.builtin.debug: {msg: "seen to the end"}
`

// TestMoveAndRecreate: a host is moved, and made anew with its interface and child, by real tasks, which check mode
// predicts; what is refused is told.
func TestMoveAndRecreate(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		if out := h.play(t, movePlay); !strings.Contains(out, "seen to the end") {
			t.Error(out)
		}
	})
}
