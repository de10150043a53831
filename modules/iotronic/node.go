package iotronic

import (
	"fmt"
	"slices"

	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
)

// nodeName is the name of the module that writes nodes.
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

	present, absent        = "present", "absent"
	merge, replace         = "merge", "replace"
	onCreate, alwaysUpdate = "on_create", "always"
	on, off, rebooted      = "on", "off", "rebooted"
	softOff                = "soft_off"
	softRebooted           = "soft_rebooted"
)

// nodeSpec returns the Spec of iotronic_node.
func nodeSpec() *ansible.Spec {
	s := &ansible.Spec{
		Name:  nodeName,
		Short: "Create, change and remove nodes of Ironic or Iotronic",
		Description: []string{
			"A node is a machine: a bare metal server in Ironic, or a small computer in early releases of Iotronic, which later came to call them boards.",
			"Finds a node by its name or UUID, creates it if it does not exist, and changes what differs. What the task does not mention stays as it is.",
			"With Ironic it also manages ports, traits, power, maintenance, boot device and console, and moves the node through its provision states: enrollment, inspection, cleaning, deployment, rescue.",
			"If nothing differs, it sends no write requests. Check mode reports what the real run would do, including the errors that can be foreseen.",
		},
		SupportsCheckMode: true, SupportsDiff: true,
		Fragments: []*ansible.Fragment{connection()},
		Notes: []string{
			"An option that the server's API does not have is an error that says so. Iotronic had nodes until March 2017.",
			"Iotronic of 2016 can create and remove nodes, but not change them. Boards of Iotronic can only be read, with M(craton.fleet.iotronic_board_info).",
			"If the node is between two provision states, the task waits until it has arrived and changes it then, unless O(wait=false).",
		},
		SeeAlso:  []ansible.SeeAlso{{Module: fullName(node.infoName())}, {Module: fullName("iotronic_port")}, {Module: fullName(driver.infoName())}},
		Examples: nodeExamples,
		Rules: ansible.Rules{
			RequiredOneOf: [][]string{{optName, optUUID}},
			RequiredBy:    map[string][]string{optReason: {optMaintenance}},
		},
		Returns: []ansible.Return{{
			Name: node.name, Type: ansible.Dict, Returned: "success", Contains: node.writtenFields(),
			Description: []string{
				"The node as it is after the task, whether or not something changed, with the fields and values of the API. Links are left out.",
				"In check mode, the node as it would be; values that only the server can set are null or missing. With O(state=absent), the node as it was, or an empty dict if it did not exist.",
			}},
			{Name: optPorts, Type: ansible.List, Elements: ansible.Dict, Returned: "when O(ports) is given", Contains: port.writtenFields(), Description: []string{
				"The ports in O(ports), in the same order, as they are after the task; in check mode as they would be."}},
		},
	}
	s.Options = append(s.Options,
		ansible.Option{Name: optName, Description: []string{"The name of the node. With O(uuid), the node is renamed to this.",
			"Names are unique only in Ironic. If several nodes of Iotronic have the name, the task fails and lists their UUIDs."}},
		ansible.Option{Name: optUUID, Aliases: []string{"id"}, Description: []string{"The UUID of the node, instead of its name.",
			"If Ironic has no such node, it is created with this UUID. Iotronic chooses UUIDs itself."}},
		ansible.Option{Name: optState, Default: present, Choices: []any{present, absent}, Description: []string{
			"V(present) creates or changes the node as the task says, V(absent) removes it.",
			"A node of Ironic on which something is deployed is removed only with O(undeploy=true)."}})
	s.Options = append(s.Options, nodes.options()...)
	s.Options = append(s.Options, managementOptions()...)
	s.Options = append(s.Options, portOptions()...)
	s.Options = append(s.Options, stateOptions()...)
	s.Options = append(s.Options, stepOptions()...)
	return s
}

// options returns the options of all fields.
func (r *resource) options() (all []ansible.Option) {
	for i := range r.fields {
		all = append(all, r.fields[i].options(r)...)
	}
	return all
}

// options returns the option of a field, and that of its mode.
func (f *field) options(r *resource) []ansible.Option {
	o := ansible.Option{Name: f.option, Description: slices.Clone(f.doc)}
	switch {
	case len(r.kind.dialects) == 1: // all of them have it
	case len(f.on) == 1:
		o.Description = append(o.Description, "Only for nodes of Ironic.")
	case !slices.Contains(f.on, onIronic[0]):
		o.Description = append(o.Description, "Only for nodes of Iotronic.")
	}
	if since := r.since(f); since != api.Since(r.kind.plural, "") {
		o.Description = append(o.Description, fmt.Sprintf("Requires API version %s or later.", since))
	}
	if f.settled {
		o.Description = append(o.Description, "Ironic refuses to change it while something is deployed on the node.")
	}
	if f.fixed {
		o.Description = append(o.Description, fmt.Sprintf("Cannot be changed once the %s exists.", r.kind.name))
	}
	if f.needed {
		o.Description = append(o.Description, "Required to create the "+r.kind.name+".")
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
			o.Options = append(o.Options, ansible.Option{Name: name, Required: true, Description: []string{"The " + name + ", which the API stores and compares as text."}})
		}
	case formDict:
		o.Type = ansible.Dict
		if api.HidesSecrets(f.option) {
			o.NoLogKeys = append(api.SecretWords(), alsoHidden...)
		}
		return []ansible.Option{o, {Name: f.mode(), Default: merge, Choices: []any{merge, replace}, Description: []string{
			fmt.Sprintf("V(merge) sets the keys in C(%s) and leaves all others, V(replace) also removes all others. A value is replaced as a whole, even if it is a dict.", f.option)}}}
	}
	return []ansible.Option{o}
}

// stateOptions returns the options that are not fields: states, and how they are reached.
func stateOptions() []ansible.Option {
	return []ansible.Option{
		{Name: optPassword, Default: onCreate, Choices: []any{onCreate, alwaysUpdate}, Description: []string{
			"Ironic shows C(******) in place of passwords and other secrets in O(driver_info) and O(instance_info), so the module cannot compare them.",
			"V(on_create) writes a secret only if its key does not exist yet. V(always) writes all secrets of the task in every run, so the task always reports a change.",
		}},
		{Name: optMaintenance, Type: ansible.Bool, Description: []string{"Whether the node is in maintenance. Ironic then does not manage the node, and pauses what it was doing with the node. A task that also changes the provision state starts maintenance after that change, and ends maintenance before it. Only for nodes of Ironic."}},
		{Name: optReason, Description: []string{"The reason for the maintenance. If the task does not set it, an existing reason stays."}},
		{Name: optPower, Choices: []any{on, off, rebooted, softOff, softRebooted}, Description: []string{
			"The power state. V(rebooted) restarts the node in every run. Only for nodes of Ironic.",
			"V(soft_off) and V(soft_rebooted) ask the operating system to shut down first. They require API version 1.27 or later, and hardware that supports it."}},
		{Name: optProvision, Choices: []any{manageable, inspected, orderClean, available, active, orderService, rescue}, Description: []string{
			"The provision state. The node is moved there in as many steps as it takes: a new node becomes V(available) via V(manageable), and V(active) via both. Only for nodes of Ironic.",
			"V(active) deploys what O(instance_info) says, or ends a rescue or a failed service. A node that is already deployed is not deployed again. V(manageable) and V(available) are errors for a deployed node, unless O(undeploy=true).",
			"V(inspected) inspects the hardware once, from V(manageable); a node that was inspected before stays in its state. M(craton.fleet.iotronic_node_info) with C(inventory=true) returns what was found.",
			"V(cleaned) runs O(clean_steps) on a node that is V(manageable), or is moved there, and leaves it V(manageable). V(serviced) runs O(service_steps) on a node that is V(active), and leaves it V(active). Ironic does not record which steps a node has been through, so both run in every run of the task.",
			"V(rescue) boots a rescue system on a deployed node, with O(rescue_password)."}},
		{Name: optConfigDrive, Type: ansible.JSONArg, NoLog: true, NoLogTexts: driveSecrets, Description: []string{
			"The config drive for the deployment. A string is a gzipped and base64-encoded config drive, a URL, or a path. The path is that of a file, which contains one of these or an ISO 9660 image, or of a directory with a subdirectory C(openstack), from which the module builds a config drive. A dict with C(meta_data), C(user_data), C(network_data) and C(vendor_data) is passed to Ironic, which builds the config drive. That requires API version 1.56 or later.",
			"Paths are on the machine that the module runs on. It is used only during a deployment. It does not change a node that is already deployed."}},
		{Name: optAdopt, Type: ansible.Bool, Default: false, Description: []string{
			"With O(provision_state=active): instead of deploying, take over a node that already runs something that Ironic did not deploy. O(instance_info) must describe it, as for a deployment."}},
		{Name: optRescuePassword, NoLog: true, Description: []string{"The password of the rescue system, for O(provision_state=rescue)."}},
		{Name: optUndeploy, Type: ansible.Bool, Default: false, Description: []string{
			"Allow O(state=absent) and O(provision_state) to tear down what is deployed on the node, or what is left of a failed deployment. Without it, such a task fails.",
			"A node in maintenance is removed without being torn down, because Ironic does not manage nodes in maintenance."}},
		{Name: optWait, Type: ansible.Bool, Default: true, Description: []string{
			"Whether to wait until the node has reached O(power) and O(provision_state), and until Ironic has finished earlier requests of others. If V(false), the task only starts the first step and does not check how it ends."}},
		{Name: optTimeout, Type: ansible.Int, Default: 1800, Description: []string{"How many seconds to wait in total. V(0) waits without limit. Retries of single requests (O(max_retries)) can add to this time. With O(max_retries=0), the task does not wait for a locked node either."}},
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

- name: Set one key of extra, and remove all others
  craton.fleet.iotronic_node:
    name: metal-01
    extra:
      rack: b7
    extra_mode: replace

- name: Change the password of the BMC
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

- name: Put it back into use, and boot it from the network once
  craton.fleet.iotronic_node:
    name: metal-01
    maintenance: false
    boot_device: pxe
    boot_device_persistent: false
    power: "on"

- name: Configure its BIOS, in every run
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

- name: Deploy it with a config drive, and set traits that schedulers choose nodes by
  craton.fleet.iotronic_node:
    name: metal-01
    traits: [CUSTOM_GPU]
    config_drive:
      meta_data:
        name: metal-01
      user_data: "{{ cloud_config | default('#cloud-config') }}"
    provision_state: active

- name: Boot a rescue system on it
  craton.fleet.iotronic_node:
    name: metal-01
    provision_state: rescue
    rescue_password: "{{ rescue_password }}"

- name: Tear it down, so that it can be deployed again
  craton.fleet.iotronic_node:
    name: metal-01
    provision_state: available
    undeploy: true

- name: Remove it, with what is deployed on it
  craton.fleet.iotronic_node:
    name: metal-01
    state: absent
    undeploy: true
`
