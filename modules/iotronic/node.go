package iotronic

import (
	"fmt"
	"slices"

	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
)

// nodeName is the module that changes nodes.
const nodeName = "iotronic_node"

// Options of the module.
const (
	optState       = "state"
	optMaintenance = "maintenance"
	optReason      = "maintenance_reason"
	optPower       = "power"
	optProvision   = "provision_state"
	optUndeploy    = "undeploy"
	optPassword    = "update_password"
	optWait        = "wait"
	optTimeout     = "wait_timeout"

	present, absent   = "present", "absent"
	merge, replace    = "merge", "replace"
	onCreate, anew    = "on_create", "always"
	on, off, rebooted = "on", "off", "rebooted"
	softOff           = "soft_off"
	softRebooted      = "soft_rebooted"
)

// nodeSpec is the Spec of iotronic_node.
func nodeSpec() *ansible.Spec {
	s := &ansible.Spec{
		Name:  nodeName,
		Short: "Create, change and remove a node of Ironic or Iotronic",
		Description: []string{
			"A node is a machine: a bare metal server of Ironic, or a small computer of Iotronic before that called them boards.",
			"Finds the node by its name or UUID, creates it if it is not there, and changes what differs. What the task does not mention stays as it is.",
			"With Ironic it also switches the power, begins and ends maintenance, and leads the node through the states of provisioning.",
			"Sends no request that writes when nothing differs. Check mode tells what the real run would do, errors that can be known included.",
		},
		SupportsCheckMode: true, SupportsDiff: true,
		Fragments: []*ansible.Fragment{connection()},
		Notes: []string{
			"An option that the server's API does not have is an error: see which one has it. Ironic is a server with drivers; Iotronic had nodes until March 2017.",
			"Iotronic of 2016 creates and removes nodes, and cannot change them. Boards of Iotronic can only be read: M(craton.fleet.iotronic_board_info).",
			"A change to a node that is on its way between two states waits until it is there, with O(wait=true).",
		},
		SeeAlso:  []ansible.SeeAlso{{Module: fullName(node.infoName())}, {Module: fullName("iotronic_port")}, {Module: fullName(driver.infoName())}},
		Examples: nodeExamples,
		Rules: ansible.Rules{
			RequiredOneOf: [][]string{{optName, optUUID}},
			RequiredBy:    map[string][]string{optReason: {optMaintenance}},
		},
		Returns: []ansible.Return{{
			Name: node.name, Type: ansible.Dict, Returned: "success", Contains: node.returns,
			Description: []string{
				"The node as it is now, also when nothing changed, with the fields and values that the API has of it. Links are left out.",
				"In check mode as it would be, where what only the server knows is null or missing. With O(state=absent) as it was, or an empty dict if it was not there.",
			}},
			{Name: optPorts, Type: ansible.List, Elements: ansible.Dict, Returned: "when O(ports) is given", Contains: port.returns, Description: []string{
				"The ports of O(ports) as they are now, in that order; in check mode as they would be."}},
		},
	}
	s.Options = append(s.Options,
		ansible.Option{Name: optName, Description: []string{"The name of the node. With O(uuid) the node gets this name.",
			"Names are unique on Ironic only; one that several nodes have is an error that lists their UUIDs."}},
		ansible.Option{Name: optUUID, Aliases: []string{"id"}, Description: []string{"The UUID of the node, instead of its name.",
			"Of Ironic, if there is no such node, it is created with this UUID. Iotronic chooses UUIDs itself."}},
		ansible.Option{Name: optState, Default: present, Choices: []any{present, absent}, Description: []string{
			"V(present) makes the node what the task says, V(absent) removes it.",
			"A node of Ironic that is deployed is removed only with O(undeploy=true)."}})
	s.Options = append(s.Options, nodes.options()...)
	s.Options = append(s.Options, managementOptions()...)
	s.Options = append(s.Options, portOptions()...)
	s.Options = append(s.Options, stateOptions()...)
	s.Options = append(s.Options, stepOptions()...)
	return s
}

// options are those of the fields.
func (r *resource) options() (all []ansible.Option) {
	for i := range r.fields {
		all = append(all, r.fields[i].options(r)...)
	}
	return all
}

// options are the option of a field, and that of its mode.
func (f *field) options(r *resource) []ansible.Option {
	o := ansible.Option{Name: f.option, Description: slices.Clone(f.doc)}
	switch {
	case len(r.kind.dialects) == 1: // they all do
	case len(f.on) == 1:
		o.Description = append(o.Description, "Only nodes of Ironic have it.")
	case !slices.Contains(f.on, onIronic[0]):
		o.Description = append(o.Description, "Only nodes of Iotronic have it.")
	}
	if since := r.since(f); since != api.Since(r.kind.plural, "") {
		o.Description = append(o.Description, fmt.Sprintf("It needs API version %s or a later one.", since))
	}
	if f.settled {
		o.Description = append(o.Description, "Ironic changes it only while nothing is deployed on the node.")
	}
	if f.fixed {
		o.Description = append(o.Description, fmt.Sprintf("It cannot be changed when the %s is there.", r.kind.name))
	}
	if f.needed {
		o.Description = append(o.Description, "Required to create the "+r.kind.name+" there.")
	}
	switch f.form {
	case formText:
	case formFlag, formMaybe:
		o.Type = ansible.Bool
	case formList:
		o.Type, o.Elements = ansible.List, ansible.Str
	case formPlace:
		o.Type = ansible.Dict
		for _, name := range []string{"longitude", "latitude", "altitude"} {
			o.Options = append(o.Options, ansible.Option{Name: name, Required: true, Description: []string{"The " + name + ". The API keeps it as text, and so it is compared."}})
		}
	case formDict:
		o.Type = ansible.Dict
		if api.HidesSecrets(f.option) {
			o.NoLogKeys = append(api.SecretWords(), alsoHidden...)
		}
		return []ansible.Option{o, {Name: f.mode(), Default: merge, Choices: []any{merge, replace}, Description: []string{
			fmt.Sprintf("V(merge) sets what C(%s) has and leaves all other keys, V(replace) removes all others. Values are replaced as a whole: dicts in it are not merged.", f.option)}}}
	}
	return []ansible.Option{o}
}

// stateOptions are what is not a field: states, and how they are reached.
func stateOptions() []ansible.Option {
	return []ansible.Option{
		{Name: optPassword, Default: onCreate, Choices: []any{onCreate, anew}, Description: []string{
			"Ironic shows C(******) for passwords and other secrets in O(driver_info) and O(instance_info), so nobody can tell whether they differ.",
			"V(on_create) writes a secret where its key is new, and otherwise leaves it. V(always) writes the secrets of the task in every run, which then has always changed something.",
		}},
		{Name: optMaintenance, Type: ansible.Bool, Description: []string{"Whether the node is in maintenance, where Ironic leaves it alone, and what is under way there waits. A task that waits for something, such as a deployment, begins the maintenance when the node has arrived, and ends it before. Only nodes of Ironic have it."}},
		{Name: optReason, Description: []string{"Why it is in maintenance. Without it a reason that is there stays."}},
		{Name: optPower, Choices: []any{on, off, rebooted, softOff, softRebooted}, Description: []string{
			"The state of the power. V(rebooted) restarts the node, in every run. Only nodes of Ironic have it.",
			"V(soft_off) and V(soft_rebooted) let the operating system end by itself. They need API version 1.27 or a later one, and a kind of hardware that can do it."}},
		{Name: optProvision, Choices: []any{manageable, inspected, orderClean, available, active, orderService, rescue}, Description: []string{
			"The provision state that the node is to have. It is led there by as many steps as it takes: a new node becomes V(available) by way of V(manageable), and V(active) by way of both.",
			"V(active) deploys what O(instance_info) says, or ends a rescue or a service that failed. A node that is deployed stays so, and V(manageable) and V(available) are errors then, unless O(undeploy=true). Only nodes of Ironic have it.",
			"V(inspected) has the hardware looked at, from V(manageable), if that was never done; a node that was inspected stays where it is. M(craton.fleet.iotronic_node_info) reads what was found.",
			"V(cleaned) does O(clean_steps) to a node that is V(manageable), or is led there, and V(serviced) O(service_steps) to one that is V(active). They are orders and not states: they are carried out in every run, for Ironic does not tell what was done. The node is V(manageable), or V(active), again then.",
			"V(rescue) boots a rescue system on a node that is deployed, with O(rescue_password)."}},
		{Name: optConfigDrive, Type: ansible.JSONArg, NoLog: true, Description: []string{
			"The config drive of what is deployed: packed by gzip and in base64, or its URL, or the path of a file of either or of an ISO 9660 image, or of a directory with a folder C(openstack) of which one is made; or a dict of C(meta_data), C(user_data), C(network_data) and C(vendor_data), of which Ironic makes one from API version 1.56 on.",
			"Paths are of the machine that the module runs on. Only a deployment takes it: a node that is deployed stays as it is."}},
		{Name: optAdopt, Type: ansible.Bool, Default: false, Description: []string{
			"With O(provision_state=active): take over a node on which something runs that Ironic did not deploy, instead of deploying. O(instance_info) has to say what it is, as for a deployment."}},
		{Name: optRescuePassword, NoLog: true, Description: []string{"The password of the rescue system, for O(provision_state=rescue)."}},
		{Name: optUndeploy, Type: ansible.Bool, Default: false, Description: []string{
			"With O(state=absent), or with an O(provision_state) that takes it: tear down what is deployed on the node, or was to be. Without it that is an error.",
			"In maintenance, where Ironic leaves the node alone, O(state=absent) does not tear down: the node is removed as it is."}},
		{Name: optWait, Type: ansible.Bool, Default: true, Description: []string{
			"Whether the task waits until O(power) and O(provision_state) are reached, and while another request works on the node. Without it the first step is asked for, and nobody looks how it ends."}},
		{Name: optTimeout, Type: ansible.Int, Default: 1800, Description: []string{"How many seconds it may wait, in all. What the client repeats of single requests (O(max_retries)) comes on top."}},
	}
}

const nodeExamples = `
- name: A bare metal server, ready to be deployed
  craton.fleet.iotronic_node:
    name: metal-01
    driver: ipmi
    driver_info:
      ipmi_address: 192.0.2.7
      ipmi_username: admin
      ipmi_password: "{{ ipmi_password }}"
    properties:
      cpu_arch: x86_64
      capabilities: boot_mode:uefi
    resource_class: large
    ports:
      - address: "52:54:00:12:34:56"
        physical_network: provisioning
    provision_state: available

- name: Change one thing, and take away all else that is kept there
  craton.fleet.iotronic_node:
    name: metal-01
    extra:
      rack: b7
    extra_mode: replace

- name: The password has changed
  craton.fleet.iotronic_node:
    name: metal-01
    driver_info:
      ipmi_password: "{{ ipmi_password }}"
    update_password: always

- name: Switch it off for a repair
  craton.fleet.iotronic_node:
    name: metal-01
    maintenance: true
    maintenance_reason: a new fan
    power: "off"

- name: And into use again
  craton.fleet.iotronic_node:
    name: metal-01
    maintenance: false
    power: "on"

- name: Prepare its hardware, which is done in every run
  craton.fleet.iotronic_node:
    name: metal-01
    provision_state: cleaned
    clean_steps:
      - interface: bios
        step: apply_configuration
        args:
          settings:
            - name: hyperthreading
              value: enabled

- name: Deploy it
  craton.fleet.iotronic_node:
    name: metal-01
    instance_info:
      image_source: http://images.example/debian.qcow2
    provision_state: active

- name: Deploy it, with what its first boot is to do, and tell schedulers what it is like
  craton.fleet.iotronic_node:
    name: metal-01
    traits: [CUSTOM_GPU]
    config_drive:
      meta_data:
        name: metal-01
      user_data: "{{ cloud_config | default('#cloud-config') }}"
    provision_state: active

- name: Remove it with what is deployed on it
  craton.fleet.iotronic_node:
    name: metal-01
    state: absent
    undeploy: true
`
