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

// allocationResource describes what iotronic_allocation writes.
var allocationResource = &resource{
	kind: allocation, by: keyName, store: stored[api.Allocation, api.AllocationCreate]{
		of:     func(c *api.Client) collection[api.Allocation, api.AllocationCreate] { return c.Allocations },
		made:   func(o api.Object) api.AllocationCreate { return api.AllocationCreate{More: o} },
		object: allocationObject,
	}, guard: guardAllocation, wait: awaitNode, failed: checkFound, timeoutSeconds: 300, outcome: outcomeOfAllocation,
	fields: []field{
		{option: keyName, on: onIronic, check: isName, doc: []string{"The name of the allocation, unique among all allocations. With O(uuid), the allocation is renamed to this; an empty string removes the name."}},
		{option: optClass, on: onIronic, fixed: true, stays: true, doc: []string{"The resource class that the node must have. Required to create the allocation, unless O(node) is set."}},
		{option: optTraits, form: formList, on: onIronic, fixed: true, doc: []string{"Traits that the node must have, all of them."}},
		{option: optCandidates, form: formList, on: onIronic, fixed: true, resolve: resolveNode, doc: []string{"The nodes to choose from, by name or UUID. By default, all nodes."}},
		{option: optNode, on: onIronic, seen: keyNodeUUID, fixed: true, stays: true, resolve: resolveNode, doc: []string{
			"A node, by name or UUID, that is already deployed without an allocation. It gets this allocation, and Ironic does not look for another node."}},
		{option: "owner", on: onIronic, fixed: true, stays: true, doc: []string{"The owner of the allocation, usually the id of a project. Only nodes of this owner are chosen."}},
		{option: "extra", form: formDict, on: onIronic, doc: []string{"Arbitrary data to store with the allocation."}},
	},
	creates:  "Finds an allocation by its name or UUID, creates it if it does not exist, and waits until Ironic has found a node for it.",
	identity: "The UUID of the allocation, instead of its name. It becomes the C(instance_uuid) of the node.",
	moreNotes: []string{
		"Ironic chooses among nodes that are V(available), have a known power state, are not in maintenance, and have no instance.",
		"An allocation for which Ironic found no node stays in that state, and every run of the task fails and says why. Remove it with O(state=absent), and create it again.",
		"Ironic changes only the name and C(extra) of an allocation, which requires API version 1.57 or later. If another option differs, the task fails, in check mode too.",
		"Ironic does not remove the allocation of a node that is V(active), unless the node is in maintenance. Tearing down the node removes its allocation.",
	},
	examples: `
- name: Reserve any large node with a GPU
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

- name: Reserve one of two nodes, and wait for at most a minute
  craton.fleet.iotronic_allocation:
    name: render-02
    resource_class: large
    candidate_nodes: [metal-01, metal-02]
    wait_timeout: 60

- name: Release it
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
		{option: "owner", doc: "Only allocations of this owner. Requires O(api_version=1.60) or later."},
	},
	returns: []ansible.Return{
		always(keyUUID, ansible.Str, "5344a3e2-978a-444e-990a-cbf47c62ef88", "The UUID, which is the C(instance_uuid) of the node."),
		always(keyName, ansible.Str, "render-01", "The name, or null."),
		always(keyState, ansible.Str, "active", "V(allocating) while Ironic looks for a node, V(active) if it found one, V(error) if it did not."),
		always(keyNodeUUID, ansible.Str, "1be26c0b-03f2-4d2e-ae87-c02d7f33c123", "The UUID of the node; null if none was found yet."),
		always(keyError, ansible.Str, "No available nodes match the resource class large", "Why no node was found, or null."),
		always(optClass, ansible.Str, "large", "The resource class that the node must have."),
		always(optTraits, ansible.List, []string{"CUSTOM_GPU"}, "The traits that the node must have."),
		always(optCandidates, ansible.List, []string{"1be26c0b-03f2-4d2e-ae87-c02d7f33c123"}, "The UUIDs of the nodes to choose from; empty for all nodes."),
		returned("from API version 1.60 on", "owner", ansible.Str, "b9f10eca66ac4c279c139d01e65f96b4", "The owner, or null."),
		always("extra", ansible.Dict, map[string]any{"for": "rendering"}, "The data stored with the allocation."),
	},
	doc: docs{
		is:    "An allocation reserves a node of Ironic that has the required resource class and traits.",
		notes: []string{"Ironic has allocations from API version 1.52 on."},
		examples: `
- name: Read all allocations
  craton.fleet.iotronic_allocation_info:
  register: found

- name: Read those for which no node was found, and why
  craton.fleet.iotronic_allocation_info:
    state: error
    fields: [name, last_error]

- name: Read the allocation of a node
  craton.fleet.iotronic_allocation_info:
    node: metal-01
`},
	list: walking(func(c *api.Client) func(context.Context, api.AllocationListOptions) iterAllocation {
		return c.Allocations.All
	}, allocationObject),
	get: getting(func(c *api.Client) func(context.Context, string, ...string) (*api.Allocation, error) {
		return c.Allocations.Get
	}, allocationObject),
}

func allocationObject(o *api.Allocation) api.Object { return o.Fields }

// isName returns an error for a text that Ironic does not accept as a name.
func isName(text string) error {
	switch {
	case value.IsUUID(text):
		return fmt.Errorf("%q is a UUID, which cannot be a name; set it as uuid", text)
	case !isLogicalName(text):
		return fmt.Errorf("%q is not valid in Ironic; use up to 255 letters, digits and the characters . _ ~ -", text)
	}
	return nil
}

// guardAllocation refuses an allocation without a resource class, changes that Ironic does not allow, and the removal
// of an allocation whose node is active.
func guardAllocation(ctx context.Context, s *service, p *plan) error {
	name := p.before.Text(keyName)
	switch {
	case p.create != nil && isNone(p.create[optClass]) && isNone(p.create[optNode]):
		return errors.New("there is no such allocation; to create it, set resource_class, or node")
	case !p.remove || p.before.Text(keyNodeUUID) == "":
		return nil
	}
	n, err := s.client.Nodes.Get(ctx, p.before.Text(keyNodeUUID))
	if api.IsNotFound(err) {
		return nil
	}
	if err == nil && n.ProvisionState == active && !n.Maintenance {
		err = fmt.Errorf("the allocation %s is of the node %s, which is active; tear the node down, which also removes the allocation, or put it into maintenance first",
			called(name, p.before.Text(keyUUID)), called(n.Name, n.UUID))
	}
	return err
}

// outcomeOfAllocation predicts a new allocation after its node has been found.
func outcomeOfAllocation(w *want, p *plan) {
	p.set(keyState, null)
	p.set(keyError, null)
	if w.wait {
		p.set(keyState, raw(api.AllocationActive))
	}
}

// checkFound returns an error if an allocation has failed to find a node.
func checkFound(o api.Object) error {
	if o.Text(keyState) != api.AllocationError {
		return nil
	}
	return noNodeError(o, o.Text(keyError))
}

func noNodeError(o api.Object, reason string) error {
	return fmt.Errorf("the allocation %s has found no node: %s; Ironic does not look again: remove it with state: absent, and create it again",
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
		return o, noNodeError(o, failed.Reason)
	}
	if _, late := errors.AsType[*api.StateTransitionTimeoutError](err); late && ctx.Err() == nil {
		return o, fmt.Errorf("the allocation %s has no node after %g seconds; set a longer %s, or find out what keeps it",
			called(o.Text(keyName), o.Text(keyUUID)), timeout.Seconds(), optTimeout)
	}
	return o, err
}
