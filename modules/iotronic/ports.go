package iotronic

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
)

// Options of ports.
const (
	optAddress   = "address"
	optNode      = "node"
	optPortgroup = "portgroup"
	optPorts     = "ports"
	optPortsMode = "ports_mode"

	linkConnection = "local_link_connection"
)

// portFields are the fields of a port that a task can set.
var portFields = []field{
	{option: optAddress, on: onIronic, needed: true, stays: true, lower: true, check: isMAC, doc: []string{
		"The MAC address, unique among all ports. Quote it: YAML reads some addresses as numbers. With O(uuid), the address of the port is changed to this.",
		"If the node is deployed or has an instance, Ironic changes the address only in maintenance."}},
	{option: "pxe_enabled", form: formMaybe, on: onIronic, doc: []string{"Whether the node may boot from the network through this port. V(true) for new ports by default."}},
	{option: linkConnection, form: formDict, on: onIronic, kept: api.LinkValue, doc: []string{
		"The switch port that it is connected to: C(switch_id), C(port_id), C(switch_info) and so on. All values are text; numbers are written as their text.",
		"C(switch_id) is a MAC address or a datapath id, which Ironic stores in lower case. Upper and lower case make no difference."}},
	text("physical_network", "The physical network that the port is connected to. An empty string removes it."),
	{option: optPortgroup, attribute: "portgroup_uuid", on: onIronic, resolve: resolvePortgroup, doc: []string{"The port group that it belongs to, by name or UUID. An empty string removes it."}},
	{option: "is_smartnic", form: formFlag, on: onIronic, doc: []string{"Whether the port is on a Smart NIC."}},
	text("name", "The name of the port. An empty string removes it."),
	text("description", "A description for people. An empty string removes it."),
	text("vendor", "The manufacturer of the network card. An empty string removes it."),
	text("category", "What the port is for, such as V(storage). An empty string removes it."),
	{option: "extra", form: formDict, on: onIronic, doc: []string{"Arbitrary data to store with the port."}},
}

// ports describes what iotronic_port writes.
var ports = &resource{
	kind: port, by: optAddress, store: portStore, guard: guardPort,
	fields: append([]field{{
		option: optNode, attribute: "node_uuid", on: onIronic, needed: true, stays: true, resolve: resolveNode,
		doc: []string{"The node that the port belongs to, by name or UUID. Ironic cannot move a port to another node."}}}, portFields...),
	creates:  "Finds a port by its address or UUID, creates it if it does not exist, and changes what differs.",
	identity: "The UUID of the port, instead of its address.",
	moreNotes: []string{
		"Ironic changes O(pxe_enabled), O(local_link_connection), O(physical_network) and O(portgroup) only while the node is V(enroll) or V(manageable), is being inspected, or is in maintenance. Otherwise the task fails, in check mode too.",
		"M(craton.fleet.iotronic_node) creates a node together with its ports in one task.",
	},
	examples: `
- name: The port that the server boots from, and the switch port that it is connected to
  craton.fleet.iotronic_port:
    node: metal-01
    address: "52:54:00:12:34:56"
    pxe_enabled: true
    local_link_connection:
      switch_id: 0a:1b:2c:3d:4e:5f
      port_id: Ethernet3/1
    physical_network: provisioning
  register: card

- name: Change the address after the network card was replaced
  craton.fleet.iotronic_port:
    uuid: "{{ card.port.uuid }}"
    address: "52:54:00:12:34:57"

- name: Remove it
  craton.fleet.iotronic_port:
    address: "52:54:00:12:34:57"
    state: absent
`,
}

// portsOfNode describes the ports that iotronic_node writes.
var portsOfNode = &resource{kind: port, by: optAddress, store: portStore, fields: portFields}

var portStore = stored[api.Port, api.PortCreate]{
	of:     func(c *api.Client) collection[api.Port, api.PortCreate] { return c.Ports },
	made:   func(o api.Object) api.PortCreate { return api.PortCreate{More: o} },
	object: portObject,
}

func portObject(p *api.Port) api.Object { return p.Fields }

var port = &kind{
	name: "port", plural: "ports", identity: keyUUID, unnamed: true, detailed: true, fielded: true, dialects: onIronic,
	filters: []filter{
		{option: optAddress, doc: "Only the port with this MAC address."},
		{option: optNode, doc: "Only the ports of this node, by name or UUID. If there is no such node, the list is empty."},
		{option: optPortgroup, doc: "Only the ports of this port group, by name or UUID."},
	},
	returns: []ansible.Return{
		always(keyUUID, ansible.Str, "1be26c0b-03f2-4d2e-ae87-c02d7f33c123", "The UUID."),
		always(optAddress, ansible.Str, "52:54:00:12:34:56", "The MAC address."),
		detailed("node_uuid", ansible.Str, "5344a3e2-978a-444e-990a-cbf47c62ef88", "The UUID of the node that it belongs to."),
		detailed("pxe_enabled", ansible.Bool, true, "Whether the node may boot from the network through it."),
		detailed(linkConnection, ansible.Dict, map[string]any{"switch_id": "0a:1b:2c:3d:4e:5f", "port_id": "Ethernet3/1"}, "The switch port that it is connected to."),
		detailed("physical_network", ansible.Str, "provisioning", "The physical network, or null."),
		detailed("portgroup_uuid", ansible.Str, "c5a1cf1a-7a5e-4d5b-8ab1-1b5ad0a7b7c1", "The UUID of its port group, or null."),
		detailed("extra", ansible.Dict, map[string]any{"cable": "b7-12"}, "The data stored with the port."),
	},
	doc: docs{
		is: "A port is a network interface of a node of Ironic, identified by its MAC address.",
		examples: `
- name: Read the ports of a node
  craton.fleet.iotronic_port_info:
    node: metal-01
  register: found

- name: Find the node with this MAC address
  craton.fleet.iotronic_port_info:
    address: "52:54:00:12:34:56"
    fields: [node_uuid]
`},
	list: walking(func(c *api.Client) func(context.Context, api.PortListOptions) iter.Seq2[*api.Port, error] {
		return c.Ports.All
	}, portObject),
	get: getting(func(c *api.Client) func(context.Context, string, ...string) (*api.Port, error) { return c.Ports.Get }, portObject),
}

func isMAC(text string) error {
	switch {
	case text != "" && strings.Trim(text, "0123456789") == "":
		return fmt.Errorf("%s is a number, which is how YAML reads some addresses without quotes; quote it: \"52:54:00:12:34:56\"", text)
	case !api.IsMAC(text):
		return fmt.Errorf("%q is not a MAC address, such as 52:54:00:12:34:56", text)
	}
	return nil
}

// resolveNode returns the UUID of a node.
func resolveNode(ctx context.Context, s *service, word string) (string, error) {
	n, err := s.client.Nodes.Get(ctx, word, keyUUID)
	if api.IsNotFound(err) {
		return "", fmt.Errorf("there is no node %q", word)
	}
	if err != nil {
		return "", err
	}
	return n.UUID, nil
}

// resolvePortgroup returns the UUID of a port group.
func resolvePortgroup(ctx context.Context, s *service, word string) (string, error) {
	answer, err := s.client.Do(ctx, http.MethodGet, "/portgroups/"+url.PathEscape(word), nil, nil)
	if api.IsNotFound(err) {
		return "", fmt.Errorf("there is no port group %q", word)
	}
	if err != nil {
		return "", err
	}
	return gjson.GetBytes(answer.Body, keyUUID).Str, nil
}

// connectivity are the fields of a port that Ironic changes only in some states of its node.
var connectivity = []string{"pxe_enabled", linkConnection, "physical_network", "portgroup_uuid"}

// recabled are those states.
var recabled = []string{enroll, manageable, "inspecting", "inspect wait"}

// guardPort refuses changes of a port that Ironic refuses in the state of its node, and an address that another port
// uses.
func guardPort(ctx context.Context, s *service, p *plan) error {
	if p.remove {
		return nil
	}
	if is := p.before.Text("node_uuid"); p.before != nil && p.updates("node_uuid") {
		return fmt.Errorf("node: the port %s belongs to the node %s, and Ironic cannot move ports; remove it and create it again", p.before.Text(optAddress), is)
	}
	if err := s.freeAddress(ctx, p, p.create.Text("node_uuid")); err != nil || p.before == nil || !p.updates(append(connectivity, optAddress)...) {
		return err
	}
	n, err := s.client.Nodes.Get(ctx, p.before.Text("node_uuid"))
	if err != nil {
		return err
	}
	return p.guardCable(n.Fields, n.ProvisionState)
}

// guardCable refuses changes of a port that Ironic refuses while its node is in a certain state.
func (p *plan) guardCable(node api.Object, state string) error {
	what := strings.Join(connectivity, ", ")
	name := called(node.Text(keyName), node.Text(keyUUID))
	switch {
	case p.before == nil || isTrue(node[keyMaintenance]):
	case p.updates(connectivity...) && !slices.Contains(recabled, state):
		return fmt.Errorf("the port %s: Ironic changes %s only while the node is enroll or manageable, is being inspected, or is in maintenance, and the node %s is %s; make it manageable, or put it into maintenance first",
			p.before.Text(optAddress), what, name, state)
	case p.updates(optAddress) && (state == active || !isNone(node["instance_uuid"])):
		return fmt.Errorf("the port %s: Ironic changes the address of a port of a deployed node only in maintenance, and the node %s is %s; put it into maintenance first",
			p.before.Text(optAddress), name, state)
	}
	return nil
}

// freeAddress refuses an address that another port uses. If that port belongs to the same node, somebody else has just
// created it.
func (s *service) freeAddress(ctx context.Context, p *plan, node string) error {
	if !p.writes(optAddress) {
		return nil
	}
	address := p.after.Text(optAddress)
	other, err := s.client.Ports.Get(ctx, address)
	if api.IsNotFound(err) {
		return nil
	}
	if err == nil && other.UUID != p.before.Text(keyUUID) {
		err = fmt.Errorf("address: %s is the address of the port %s of the node %s", address, other.UUID, other.Node)
		if p.create != nil && isNone(p.create[keyUUID]) && node == other.Node {
			err = &overtaken{err}
		}
	}
	return err
}

// portOptions returns the options of iotronic_node for ports.
func portOptions() []ansible.Option {
	one := portsOfNode.options()
	for i := range one {
		if one[i].Name == optAddress {
			one[i].Required, one[i].Description = true, []string{"The MAC address, by which the port is found. It is unique among the ports of all nodes. Quote it: YAML reads some addresses as numbers."}
		}
	}
	return []ansible.Option{
		{Name: optPorts, Type: ansible.List, Elements: ansible.Dict, Options: one, Description: []string{
			"The ports of the node: its network interfaces. Most hardware needs at least one to boot. Each is found by its address, created if it does not exist, and changed where it differs; what is not mentioned stays.",
			"They are written before the node moves to another O(provision_state), or after it if Ironic allows the change only then. M(craton.fleet.iotronic_port) manages single ports.",
			"Only for nodes of Ironic."}},
		{Name: optPortsMode, Default: merge, Choices: []any{merge, replace}, Description: []string{
			"V(merge) keeps other ports of the node, V(replace) removes ports that are not in O(ports)."}},
	}
}

// wantPorts reads what a task wants for the ports of a node.
func wantPorts(p ansible.Params) ([]*want, error) {
	if !p.Has(optPorts) {
		return nil, nil
	}
	all, seen := []*want{}, map[string]bool{}
	for _, sub := range p.Subs(optPorts) {
		w := portsOfNode.newWant("", true)
		if err := w.read(sub); err != nil {
			return nil, fmt.Errorf("%s: %w", optPorts, err)
		}
		if seen[w.called()] {
			return nil, fmt.Errorf("%s: the address %s appears twice", optPorts, w.called())
		}
		seen[w.called()] = true
		w.sub = sub
		all = append(all, w)
	}
	return all, nil
}

// planPorts plans the ports of a node.
func (s *service) planPorts(ctx context.Context, w *want, p *plan) error {
	if w.ports == nil || !w.present {
		return nil
	}
	var have []*api.Port
	if p.before != nil {
		var err error
		if have, err = s.client.Nodes.Ports(ctx, p.before.Text(keyUUID)); err != nil {
			return err
		}
	}
	for _, one := range w.ports {
		if err := s.resolveReferences(ctx, one, one.sub); err != nil {
			return fmt.Errorf("%s: %w", optPorts, err)
		}
		var before api.Object
		if at := slices.IndexFunc(have, func(h *api.Port) bool { return strings.EqualFold(h.MAC, one.called()) }); at >= 0 {
			before = have[at].Fields
			have = slices.Delete(have, at, at+1)
		}
		sub, err := portsOfNode.plan(ctx, s, one, before)
		if err == nil && before == nil {
			err = s.freeAddress(ctx, sub, p.before.Text(keyUUID))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", optPorts, err)
		}
		p.ports = append(p.ports, sub)
	}
	if !w.replacePorts {
		return p.schedulePorts()
	}
	for _, old := range have {
		sub := newPlan(portsOfNode.newWant("", false), old.Fields)
		sub.remove = true
		p.ports = append(p.ports, sub)
	}
	return p.schedulePorts()
}

// schedulePorts determines whether the ports can be changed before the node changes its provision state, or only
// afterwards.
func (p *plan) schedulePorts() error {
	early := maps.Clone(p.before)
	if early != nil {
		early[keyMaintenance] = raw(isTrue(p.before[keyMaintenance]) && !(p.resume && p.settle != "") || p.maintenance && !p.suspendLater)
	}
	state, _ := settled(p.before)
	for _, sub := range p.ports {
		err := sub.guardCable(early, state)
		if err != nil && len(p.steps) > 0 && sub.guardCable(p.after, p.reached()) == nil {
			p.portsLater, err = true, nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", optPorts, err)
		}
	}
	return nil
}

// writePorts applies the plans of the ports.
func (a *applier) writePorts(ctx context.Context, later bool) error {
	if a.p.portsLater != later {
		return nil
	}
	for i, sub := range a.p.ports {
		if !sub.changed() {
			continue
		}
		if sub.create != nil {
			sub.create["node_uuid"] = raw(a.id())
		}
		o, err := sub.apply(ctx, a.service, a.w.timeout)
		if err != nil {
			return fmt.Errorf("%s: %w", optPorts, err)
		}
		a.wrote = true
		a.p.ports[i].after = o
	}
	return nil
}

// shownPorts returns the ports in a result: those that exist at the end.
func (p *plan) shownPorts() []api.Object {
	list := []api.Object{}
	for _, sub := range p.ports {
		if !sub.remove {
			list = append(list, cleaned(sub.after))
		}
	}
	return list
}
