package iotronic

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/value"
	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
)

type (
	iterChassis    = iter.Seq2[*api.Chassis, error]
	iterAllocation = iter.Seq2[*api.Allocation, error]
)

// Fields of an allocation.
const (
	optClass      = "resource_class"
	optCandidates = "candidate_nodes"
	keyNodeUUID   = "node_uuid"
	keyState      = "state"
)

// allocationResource is what iotronic_allocation writes.
var allocationResource = &resource{
	kind: allocation, by: keyName, store: stored[api.Allocation, api.AllocationCreate]{
		of:    func(c *api.Client) collection[api.Allocation, api.AllocationCreate] { return c.Allocations },
		made:  func(o api.Object) api.AllocationCreate { return api.AllocationCreate{More: o} },
		whole: wholeAllocation,
	}, guard: guardAllocation, arrives: awaitNode, failed: foundNone, patience: 300, outcome: outcomeOfAllocation,
	fields: []field{
		{option: keyName, on: onIronic, check: isName, doc: []string{"The name of the allocation, which no other one has. With O(uuid) the allocation gets this name, and an empty string takes it away."}},
		{option: optClass, on: onIronic, fixed: true, stays: true, doc: []string{"The resource class that the node is to be of. Required to create the allocation, unless O(node) is given."}},
		{option: optTraits, form: formList, on: onIronic, fixed: true, doc: []string{"Traits that the node is to have, all of them."}},
		{option: optCandidates, form: formList, on: onIronic, fixed: true, meant: meantNode, doc: []string{"Nodes that may be chosen, by name or UUID. Any that fits if there are none."}},
		{option: optNode, on: onIronic, seen: keyNodeUUID, fixed: true, stays: true, meant: meantNode, doc: []string{
			"The node, by name or UUID, that is in use already without an allocation, so that it gets one. Nothing is looked for then."}},
		{option: "owner", on: onIronic, fixed: true, stays: true, doc: []string{"Whom the allocation belongs to, a project as a rule. Only nodes of that owner are chosen."}},
		{option: "extra", form: formDict, on: onIronic, doc: []string{"What you want to keep with the allocation."}},
	},
	creates:  "Finds the allocation by its name or UUID, creates it if it is not there, and waits until Ironic has found its node.",
	identity: "The UUID of the allocation, instead of its name. It becomes the C(instance_uuid) of the node.",
	moreNotes: []string{
		"Ironic chooses among nodes that are V(available), have their power known, are in no maintenance, and have no instance.",
		"An allocation that found no node stays so, and is an error each time, which says why. Remove it, by O(state=absent), and create it anew.",
		"What Ironic does not change of an allocation, and another value is given for, is an error, in check mode too. Names and C(extra) are changed from API version 1.57 on.",
		"Ironic removes no allocation of a node that is V(active), unless that is in maintenance; tearing the node down removes it.",
	},
	examples: `
- name: Any large node with a GPU
  craton.fleet.iotronic_allocation:
    name: render-01
    resource_class: large
    traits: [CUSTOM_GPU]
  register: render

- name: Deploy it
  craton.fleet.iotronic_node:
    uuid: "{{ render.allocation.node_uuid }}"
    instance_info:
      image_source: http://images.example/debian.qcow2
    provision_state: active

- name: One of two, and no longer than a minute
  craton.fleet.iotronic_allocation:
    name: render-02
    resource_class: large
    candidate_nodes: [metal-01, metal-02]
    wait_timeout: 60

- name: Not needed any more
  craton.fleet.iotronic_allocation:
    name: render-02
    state: absent
`,
}

var allocation = &kind{
	name: "allocation", plural: "allocations", identity: keyUUID, fielded: true, dialects: onIronic,
	filters: []filter{
		{option: optNode, doc: "Only the allocation of this node, by name or UUID."},
		{option: optClass, doc: "Only allocations of this resource class."},
		{option: keyState, doc: "Only allocations in this state: V(allocating), V(active) or V(error)."},
		{option: "owner", doc: "Only allocations of this owner. It needs O(api_version=1.60) or a later one."},
	},
	returns: []ansible.Return{
		always(keyUUID, ansible.Str, "5344a3e2-978a-444e-990a-cbf47c62ef88", "The UUID, which is the C(instance_uuid) of the node."),
		always(keyName, ansible.Str, "render-01", "The name. Null for none."),
		always(keyState, ansible.Str, "active", "V(allocating) while a node is looked for, V(active) with one, V(error) if there was none."),
		always(keyNodeUUID, ansible.Str, "1be26c0b-03f2-4d2e-ae87-c02d7f33c123", "The UUID of the node. Null as long as none is found."),
		always(keyError, ansible.Str, "No available nodes match the resource class large", "Why no node was found. Null for nothing."),
		always(optClass, ansible.Str, "large", "The resource class that is asked for."),
		always(optTraits, ansible.List, []string{"CUSTOM_GPU"}, "The traits that are asked for."),
		always(optCandidates, ansible.List, []string{"1be26c0b-03f2-4d2e-ae87-c02d7f33c123"}, "The UUIDs of the nodes that may be chosen. Empty for any."),
		returned("from API version 1.60 on", "owner", ansible.Str, "b9f10eca66ac4c279c139d01e65f96b4", "Whom it belongs to. Null for nobody."),
		always("extra", ansible.Dict, map[string]any{"for": "rendering"}, "What users keep there."),
	},
	doc: docs{
		is:    "An allocation is a node of Ironic that somebody has asked for by what it is like, instead of by its name.",
		notes: []string{"Ironic has allocations from API version 1.52 on."},
		examples: `
- name: All allocations
  craton.fleet.iotronic_allocation_info:
  register: found

- name: Those that found no node, and why
  craton.fleet.iotronic_allocation_info:
    state: error
    fields: [name, last_error]

- name: Whom a node was given to
  craton.fleet.iotronic_allocation_info:
    node: metal-01
`},
	list: walking(func(c *api.Client) func(context.Context, api.AllocationListOptions) iterAllocation {
		return c.Allocations.All
	}, wholeAllocation),
	get: getting(func(c *api.Client) func(context.Context, string, ...string) (*api.Allocation, error) {
		return c.Allocations.Get
	}, wholeAllocation),
}

func wholeAllocation(o *api.Allocation) api.Object { return o.Fields }

// isName refuses what Ironic does not take as a name.
func isName(text string) error {
	switch {
	case value.IsUUID(text):
		return fmt.Errorf("%q is a UUID, which no name may look like; give it as uuid", text)
	case !isLogicalName(text):
		return fmt.Errorf("Ironic takes letters, digits and the characters . _ ~ -, up to 255 of them, and not %q", text) //nolint:staticcheck // a name
	}
	return nil
}

// guardAllocation refuses an allocation of nothing, what Ironic does not change, and to remove that of a node that is active.
func guardAllocation(ctx context.Context, s *service, p *plan) error {
	name := p.before.Text(keyName)
	switch {
	case p.create != nil && isNone(p.create[optClass]) && isNone(p.create[optNode]):
		return errors.New("there is no such allocation; to create it, give resource_class, or the node that it is of")
	case !p.remove || p.before.Text(keyNodeUUID) == "":
		return nil
	}
	n, err := s.client.Nodes.Get(ctx, p.before.Text(keyNodeUUID))
	if api.IsNotFound(err) {
		return nil
	}
	if err == nil && n.ProvisionState == active && !n.Maintenance {
		err = fmt.Errorf("the allocation %s is of the node %s, which is active; tear that down, which removes the allocation, or put it into maintenance first",
			called(name, p.before.Text(keyUUID)), called(n.Name, n.UUID))
	}
	return err
}

// outcomeOfAllocation predicts what a new allocation is when its node is found.
func outcomeOfAllocation(w *want, p *plan) {
	p.set(keyState, null)
	p.set(keyError, null)
	if w.wait {
		p.set(keyState, raw(api.AllocationActive))
	}
}

// foundNone is the error of an allocation that has found no node.
func foundNone(o api.Object) error {
	if o.Text(keyState) != api.AllocationError {
		return nil
	}
	return noNode(o, o.Text(keyError))
}

func noNode(o api.Object, reason string) error {
	return fmt.Errorf("the allocation %s has found no node: %s; Ironic does not look again: remove it, by state: absent, and create it anew",
		called(o.Text(keyName), o.Text(keyUUID)), strings.TrimSuffix(reason, "."))
}

// awaitNode waits until an allocation has its node.
func awaitNode(ctx context.Context, s *service, o api.Object, timeout time.Duration) (api.Object, error) {
	if o.Text(keyState) == api.AllocationActive {
		return o, nil
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	a, err := s.client.Allocations.Wait(limited, o.Text(keyUUID))
	if a != nil {
		o = a.Fields
	}
	if failed, ok := errors.AsType[*api.StateTransitionFailedError](err); ok {
		return o, noNode(o, failed.Reason)
	}
	if _, late := errors.AsType[*api.StateTransitionTimeoutError](err); late && ctx.Err() == nil {
		return o, fmt.Errorf("the allocation %s has no node after %g seconds (%s); give it more time, or look what keeps it",
			called(o.Text(keyName), o.Text(keyUUID)), timeout.Seconds(), optTimeout)
	}
	return o, err
}
