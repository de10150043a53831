package iotronic

import (
	"context"
	"fmt"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/walk"
	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
)

// optDescription is the field, besides the UUID, by which a chassis is found.
const optDescription = "description"

// chassisResource describes what iotronic_chassis writes.
var chassisResource = &resource{
	kind: chassis, by: optDescription, store: chassisStore{stored[api.Chassis, api.ChassisCreate]{
		of:     func(c *api.Client) collection[api.Chassis, api.ChassisCreate] { return c.Chassis },
		made:   func(o api.Object) api.ChassisCreate { return api.ChassisCreate{More: o} },
		object: chassisObject,
	}}, guard: guardChassis,
	fields: []field{
		{option: optDescription, on: onIronic, doc: []string{
			"A description for people. With O(uuid), the description of the chassis is changed to this; an empty string removes it.",
			"Without O(uuid), the chassis is found by its description. If several chassis have it, the task fails and lists their UUIDs."}},
		{option: "extra", form: formDict, on: onIronic, doc: []string{"Arbitrary data to store with the chassis."}},
	},
	creates:  "Finds a chassis by its UUID or its description, creates it if it does not exist, and changes what differs.",
	identity: "The UUID of the chassis. Nothing else of a chassis is unique, so set it if several hosts run the task at the same time.",
	moreNotes: []string{
		"Ironic does not remove a chassis that contains nodes. The task then fails, in check mode too.",
		"To put a node into a chassis, use M(craton.fleet.iotronic_node) with its option C(chassis_uuid).",
	},
	examples: `
- name: A rack
  craton.fleet.iotronic_chassis:
    description: rack b7
    extra:
      room: "2.04"
  register: rack

- name: Put a server into it
  craton.fleet.iotronic_node:
    name: metal-01
    driver: ipmi
    chassis_uuid: "{{ rack.chassis.uuid }}"

- name: Change its description
  craton.fleet.iotronic_chassis:
    uuid: "{{ rack.chassis.uuid }}"
    description: rack c1

- name: Take the server out of it
  craton.fleet.iotronic_node:
    name: metal-01
    chassis_uuid: ""

- name: Remove it
  craton.fleet.iotronic_chassis:
    description: rack c1
    state: absent
`,
}

var chassis = &kind{
	name: "chassis", plural: "chassis", identity: keyUUID, unnamed: true, detailed: true, fielded: true, dialects: onIronic,
	more: []ansible.Option{{Name: optDescription, Description: []string{"Only chassis with this description. Several can have the same one."}}},
	keep: filterByDescription,
	returns: []ansible.Return{
		always(keyUUID, ansible.Str, "1be26c0b-03f2-4d2e-ae87-c02d7f33c123", "The UUID."),
		always(optDescription, ansible.Str, "rack b7", "The description, or null."),
		detailed("extra", ansible.Dict, map[string]any{"room": "2.04"}, "The data stored with the chassis."),
	},
	doc: docs{
		is:    "A chassis groups nodes of Ironic that are in one place, such as a rack.",
		notes: []string{"To list the nodes in a chassis, use M(craton.fleet.iotronic_node_info) with C(chassis_uuid)."},
		examples: `
- name: Read all chassis
  craton.fleet.iotronic_chassis_info:
  register: found

- name: Read one of them
  craton.fleet.iotronic_chassis_info:
    description: rack b7
`},
	list: walking(func(c *api.Client) func(context.Context, api.ChassisListOptions) iterChassis { return c.Chassis.All }, chassisObject),
	get: getting(func(c *api.Client) func(context.Context, string, ...string) (*api.Chassis, error) {
		return c.Chassis.Get
	}, chassisObject),
}

func chassisObject(o *api.Chassis) api.Object { return o.Fields }

// filterByDescription selects chassis by their description, which the API cannot do.
func filterByDescription(_ context.Context, _ *service, p ansible.Params) (func(api.Object) bool, []string, error) {
	text := p.String(optDescription)
	if text == "" {
		return func(api.Object) bool { return true }, nil, nil
	}
	return func(o api.Object) bool { return o.Text(optDescription) == text }, []string{optDescription}, nil
}

// chassisStore also finds chassis by their description.
type chassisStore struct {
	stored[api.Chassis, api.ChassisCreate]
}

func (s chassisStore) get(ctx context.Context, c *api.Client, id string) (api.Object, error) {
	if value.IsUUID(id) {
		return s.stored.get(ctx, c, id)
	}
	found, err := walk.All(api.IsMarkerGone, func() iterChassis {
		return c.Chassis.All(ctx, api.ChassisListOptions{Detail: true})
	}, func(o *api.Chassis) bool { return o.Description == id })
	switch {
	case err != nil || len(found) == 0:
		return nil, err
	case len(found) > 1:
		several := &api.NoUniqueMatchError{Name: id}
		for _, o := range found {
			several.Candidates = append(several.Candidates, o.UUID)
		}
		return nil, several
	}
	return found[0].Fields, nil
}

// guardChassis refuses to remove a chassis with nodes in it.
func guardChassis(ctx context.Context, s *service, p *plan) error {
	if !p.remove {
		return nil
	}
	uuid := p.before.Text(keyUUID)
	children, err := s.client.Has(ctx, "nodes", "include_children")
	if err != nil {
		return err
	}
	page, err := s.client.Nodes.List(ctx, api.NodeListOptions{Chassis: uuid, IncludeChildren: children, Fields: []string{keyName}, Paging: api.Paging{Limit: 1}})
	if err == nil && len(page.Items) > 0 {
		n := page.Items[0]
		err = fmt.Errorf("the chassis %s contains nodes, such as %s; take them out first, with chassis_uuid: \"\"", called(p.before.Text(optDescription), uuid), called(n.Name, n.UUID))
	}
	return err
}
