package iotronic

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	api "github.com/craton-fleet/craton/iotronic"
)

// field is an attribute of an object that a task can set. The option has the API's name unless attribute is set.
type field struct {
	option    string
	attribute string
	seen      string // the field in responses, if its name differs from the one in requests
	form      form
	on        []api.Dialect // dialects that have the field
	// resolve is nil, or finds the UUID of the object that the option names, or of each if it is a list; "" removes the
	// reference.
	resolve func(ctx context.Context, s *service, word string) (uuid string, err error)
	// required to create an object, if the dialect has the field.
	needed bool
	// permanent: it cannot be removed again, so an empty text is a mistake.
	stays bool
	lower bool // the API converts it to lower case
	// check is nil, or returns an error for a text that the API would refuse.
	check func(text string) error
	// kept is nil, or returns the value of a key of a dict as the API stores it, or an error if the API would refuse
	// it.
	kept  func(key string, value json.RawMessage) (json.RawMessage, error)
	later bool // it can be changed, but not set at creation
	// settled: Ironic changes it only while nothing is deployed on the node.
	settled bool
	fixed   bool // it cannot be changed after creation
	doc     []string
}

// form is how a field is written and compared.
type form int

const (
	formText  form = iota // "" means none
	formFlag              // none means false
	formMaybe             // a flag that can also have no value
	formDict              // changed key by key, depending on OPTION_mode
	formList              // a list of texts, in any order
	formPlace             // a location
)

func text(option, doc string) field {
	return field{option: option, on: onIronic, doc: []string{doc}}
}

func dict(option string, doc ...string) field {
	return field{option: option, form: formDict, on: onIronic, doc: doc}
}

// interfaceEnding is the suffix of fields that select the implementation of a hardware interface.
const interfaceEnding = "_interface"

// implementation returns the field that selects which implementation of a hardware interface of its driver a node uses.
func implementation(of, sample string) field {
	return field{option: of + interfaceEnding, on: onIronic, stays: true, settled: true,
		doc: []string{"The implementation of the " + of + " interface, such as V(" + sample + "). By default that of the driver."}}
}

// nodeFields are all fields of a node that a task can set, except the name.
var nodeFields = []field{
	{option: keyDriver, on: onIronic, needed: true, stays: true, doc: []string{"The driver, such as V(ipmi) or V(redfish)."}},
	dict("driver_info", "What the driver needs to reach the hardware, such as addresses and credentials. M(craton.fleet.iotronic_driver_info) lists the keys.",
		"Ironic never shows passwords and other secrets, so they are not compared: see O(update_password)."),
	dict("properties", "The properties of the hardware, such as C(cpu_arch), C(memory_mb) and C(capabilities)."),
	{option: "extra", form: formDict, on: slices.Concat(onIronic, onNodes), doc: []string{"Arbitrary data to store with the node."}},
	dict("instance_info", "What to deploy, such as C(image_source) and C(root_gb).",
		"Ironic never shows secrets, C(image_url) and C(configdrive), so they are not compared: see O(update_password)."),
	{option: "network_data", form: formDict, on: onIronic,
		doc: []string{"The static network configuration of the node, with C(links), C(networks) and C(services)."}},
	{option: "resource_class", on: onIronic, settled: true,
		doc: []string{"The resource class, by which schedulers and allocations choose nodes. An empty string removes it."}},
	text("chassis_uuid", "The UUID of the chassis that the node is in. An empty string removes it."),
	{option: "conductor_group", on: onIronic, lower: true, doc: []string{"The conductor group that manages the node. An empty string means none. Upper and lower case make no difference."}},
	// For most callers, Ironic does not allow creating a node for another project.
	{option: keyOwner, on: onIronic, later: true, doc: []string{"The owner of the node, usually the id of a project. An empty string removes it."}},
	text("instance_name", "The name of the instance that runs on the node. An empty string removes it."),
	{option: keyParent, on: onIronic, resolve: resolveNode, later: true, doc: []string{"The node that this one is a part of, by name or UUID. An empty string removes it.",
		"Newer releases of Ironic require both to have the same O(owner)."}},
	{option: "disable_power_off", form: formFlag, on: onIronic, doc: []string{"Whether Ironic must never power the node off, and only reboot it."}},
	text("lessee", "The lessee: the project that may use the node. An empty string removes it."),
	text("shard", "The shard that the node belongs to. An empty string removes it."),
	text("description", "A description for people. An empty string removes it."),
	text("instance_uuid", "The UUID of the instance that runs on the node. An empty string removes it."),
	{option: "automated_clean", form: formMaybe, on: onIronic, doc: []string{"Whether the node is cleaned automatically before it becomes V(available). By default the conductor's setting."}},
	{option: "protected", form: formFlag, on: onIronic, doc: []string{"Whether a deployed node is protected from being torn down, rebuilt or removed."}},
	text("protected_reason", "The reason for the protection. An empty string removes it."),
	{option: "retired", form: formFlag, on: onIronic, doc: []string{"Whether the node is retired: Ironic no longer makes it V(available)."}},
	text("retired_reason", "The reason for the retirement. An empty string removes it."),
	implementation("bios", "no-bios"),
	implementation("boot", "ipxe"),
	implementation("console", "ipmitool-socat"),
	implementation("deploy", "direct"),
	implementation("firmware", "no-firmware"),
	implementation("inspect", "agent"),
	implementation("management", "ipmitool"),
	implementation("network", "flat"),
	implementation("power", "ipmitool"),
	implementation("raid", "agent"),
	implementation("rescue", "agent"),
	implementation("storage", "noop"),
	implementation("vendor", "no-vendor"),

	{option: "code", on: onNodes, needed: true, stays: true, doc: []string{"The registration code of the machine, unique among all nodes."}},
	{option: "type", on: onNodes, doc: []string{"The type of hardware. An empty string removes it."}},
	{option: "location", form: formPlace, on: onNodes, needed: true, doc: []string{"The location of the machine."}},
	{option: "mobile", form: formFlag, on: onNodes, doc: []string{"Whether the machine is mobile."}},
}

// mode returns the name of the option that determines what happens to keys of a dict that the task does not mention.
func (f *field) mode() string { return f.option + "_mode" }

// isIn reports whether a dialect has the field.
func (f *field) isIn(d api.Dialect) bool { return slices.Contains(f.on, d) }

// value returns the field of an object. Iotronic of 2016 calls the type "device".
func (f *field) value(o api.Object) []byte {
	key := cmp.Or(f.seen, f.sent())
	if v, ok := o[key]; ok || f.option != "type" {
		return v
	}
	return o["device"]
}

// sent returns the name of the field in requests.
func (f *field) sent() string { return cmp.Or(f.attribute, f.option) }

// key returns the name of the field in an object of a dialect.
func (f *field) key(d api.Dialect) string {
	if f.option == "type" && d == api.DialectNodes2016 {
		return "device"
	}
	return cmp.Or(f.seen, f.sent())
}
