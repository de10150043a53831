package iotronic

import (
	"slices"

	api "github.com/craton-fleet/craton/iotronic"
)

// field is an attribute of a node that a task can set; the option has the API's name.
type field struct {
	option string
	form   form
	on     []api.Dialect // that have it
	// needed to make a node, where there is the field.
	needed bool
	// stays: it cannot be taken away again, so an empty text is a mistake.
	stays bool
	lower bool // the API keeps it in lower case
	later bool // a create does not take it, but a change does
	since int  // the minor version of Ironic's API that has it first; 0 for the first of all
	// settled: Ironic changes it only while nothing is deployed on the node.
	settled bool
	doc     []string
}

// version is the version of Ironic's API that has the field first.
func (f *field) version() api.Version { return api.Version{Major: 1, Minor: f.since} }

// form is how a field is written and compared.
type form int

const (
	formText  form = iota // "" is none
	formFlag              // none is false
	formMaybe             // a flag, for which none is a value of its own
	formDict              // changed key by key, as OPTION_mode says
	formPlace             // a location
)

func text(since int, option, doc string) field {
	return field{option: option, on: onIronic, since: since, doc: []string{doc}}
}

func dict(option string, doc ...string) field {
	return field{option: option, form: formDict, on: onIronic, doc: doc}
}

// interfaceEnding ends the names of fields that say which implementation of an interface a node uses.
const interfaceEnding = "_interface"

// implementation is the field that says which implementation of an interface of its driver a node uses.
func implementation(since int, of, sample string) field {
	return field{option: of + interfaceEnding, on: onIronic, since: since, stays: true, settled: true,
		doc: []string{"Which implementation of the interface " + of + " the node uses, such as V(" + sample + "). The driver's default if it is never given."}}
}

// fields are all but the name.
var fields = []field{
	{option: keyDriver, on: onIronic, needed: true, stays: true, doc: []string{"The driver, such as V(ipmi) or V(redfish)."}},
	dict("driver_info", "What the driver needs to know, such as addresses and credentials; M(craton.fleet.iotronic_driver_info) tells what.",
		"Ironic never shows passwords and other secrets, so they are not compared: see O(update_password)."),
	dict("properties", "What the hardware is, such as C(cpu_arch), C(memory_mb) and C(capabilities)."),
	{option: "extra", form: formDict, on: slices.Concat(onIronic, onNodes), doc: []string{"What you want to keep with the node."}},
	dict("instance_info", "What is to be deployed, such as C(image_source) and C(root_gb).",
		"Ironic never shows secrets, nor C(image_url) and C(configdrive), so they are not compared: see O(update_password)."),
	{option: "network_data", form: formDict, on: onIronic, since: 66,
		doc: []string{"The network configuration of what is deployed, with C(links), C(networks) and C(services)."}},
	{option: "resource_class", on: onIronic, since: 21, settled: true,
		doc: []string{"The resource class, by which schedulers choose nodes. An empty string takes it away."}},
	text(0, "chassis_uuid", "The UUID of the chassis that the node is in. An empty string takes it away."),
	{option: "conductor_group", on: onIronic, since: 46, lower: true, doc: []string{"The group of conductors that work on the node. An empty string means none. Upper and lower case are the same."}},
	// To most callers Ironic gives no nodes that are another project's from the beginning.
	{option: "owner", on: onIronic, since: 50, later: true, doc: []string{"Whom the node belongs to, a project as a rule. An empty string takes it away."}},
	text(65, "lessee", "The project that may use the node. An empty string takes it away."),
	text(82, "shard", "The shard that the node is in. An empty string takes it away."),
	text(51, "description", "A text for people. An empty string takes it away."),
	text(0, "instance_uuid", "The UUID of the instance that runs on the node. An empty string takes it away."),
	{option: "automated_clean", form: formMaybe, on: onIronic, since: 47, doc: []string{"Whether the node is cleaned on its way to V(available). What the conductor says if it is never given."}},
	{option: "protected", form: formFlag, on: onIronic, since: 48, doc: []string{"Whether a deployed node must not be torn down, rebuilt or deleted."}},
	text(48, "protected_reason", "Why it is protected. An empty string takes it away."),
	{option: "retired", form: formFlag, on: onIronic, since: 61, doc: []string{"Whether the node is not to be made available any more."}},
	text(61, "retired_reason", "Why it is retired. An empty string takes it away."),
	implementation(40, "bios", "no-bios"),
	implementation(31, "boot", "ipxe"),
	implementation(31, "console", "ipmitool-socat"),
	implementation(31, "deploy", "direct"),
	implementation(31, "inspect", "agent"),
	implementation(31, "management", "ipmitool"),
	implementation(20, "network", "flat"),
	implementation(31, "power", "ipmitool"),
	implementation(31, "raid", "agent"),
	implementation(38, "rescue", "agent"),
	implementation(33, "storage", "noop"),
	implementation(31, "vendor", "no-vendor"),

	{option: "code", on: onNodes, needed: true, stays: true, doc: []string{"The code that the machine has on it. No two nodes have the same one."}},
	{option: "type", on: onNodes, doc: []string{"The sort of hardware. An empty string takes it away."}},
	{option: "location", form: formPlace, on: onNodes, needed: true, doc: []string{"Where the machine stands."}},
	{option: "mobile", form: formFlag, on: onNodes, doc: []string{"Whether the machine moves."}},
}

// mode is the option that says what happens with the keys of a dict that the task does not have.
func (f *field) mode() string { return f.option + "_mode" }

// there tells whether a dialect has the field.
func (f *field) there(d api.Dialect) bool { return slices.Contains(f.on, d) }

// value is the field of an object. Iotronic of 2016 calls the type device.
func (f *field) value(o api.Object) []byte {
	if v, ok := o[f.option]; ok || f.option != "type" {
		return v
	}
	return o["device"]
}

// key is the field's name in an object of a dialect.
func (f *field) key(d api.Dialect) string {
	if f.option == "type" && d == api.DialectNodes2016 {
		return "device"
	}
	return f.option
}
