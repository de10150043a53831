// Package iotronic contains the Ansible modules of the collection craton.fleet for Ironic and Iotronic.
//
//	iotronic_node        create, change or remove a node; its ports, power, maintenance and provisioning
//	iotronic_port        create, change or remove a port
//	iotronic_chassis     create, change or remove a chassis
//	iotronic_allocation  reserve a node that has the required properties and wait for it, or remove the reservation
//	iotronic_node_info, iotronic_port_info, iotronic_chassis_info, iotronic_allocation_info,
//	iotronic_driver_info, iotronic_board_info, iotronic_fleet_info read objects
//
// [Modules] lists them. Package modules registers them with those of Craton, and package ansible runs them.
//
// # What a task may rely on
//
//   - A second run changes nothing and sends no write requests. The exceptions are power: rebooted, update_password:
//     always, and the provision states cleaned and serviced, which act in every run.
//   - Check mode, the diff and the real run come from one plan. A change that the API is known to refuse is refused before
//     anything is written, so check mode reports the same errors: invalid names, codes and drivers, features that a
//     dialect does not have, deletes and deployments that the node's state forbids.
//   - The node is returned as node, even if nothing changed. In check mode, values that the server would set are null or
//     missing.
//   - diff contains the complete node before and after, without times and without Ironic's internal fields.
//   - Objects have the API's own fields and values, whatever the release of the server. Only links are omitted.
//
// # Dialects
//
// One connection works with four APIs; the server's dialect is detected. An option, filter or module that the dialect
// does not have is an error that states what the dialect has instead. Changes are sent to Ironic as a JSON patch of
// single keys, and to Iotronic as complete attributes. Iotronic of 2016 can create and delete nodes, but not change
// them.
//
// # Secrets
//
// Ironic never shows the passwords in driver_info and instance_info, and returns ****** in their place. They cannot be
// compared, so they are written when their key is new and, with update_password: always, in every run. Asterisks are
// never written, because they would replace the secret. openstack.cloud.baremetal_node, the module of OpenStack's
// collection, writes passwords in every run by default; that was not adopted, because no run would then be without
// changes.
//
// # States
//
// power and provision_state name a state, not the verb that Ironic has for reaching it; the plan finds the way
// (provision.go). Nothing is torn down unless the task sets undeploy. With wait, which is the default, the task ends
// when the state is reached.
//
// # Structure
//
// A [kind] literal describes the objects that can be read, and info.go does the rest. A [resource] literal describes
// what can be written; resource.go is the module of everything except nodes.
//
//	chassis.go, allocation.go  the literals of chassis and allocations
//	ports.go                   ports, alone or of a node
//	fields.go, node.go         the options of a node, and its Spec
//	want.go, plan.go           read the task; compare it with the node
//	states.go, provision.go    plan power, maintenance and provisioning; the ways between provision states
//	management.go              traits, boot and console of a node
//	guard.go, verify.go        refuse what is known to be refused; ask the API about the rest
//	apply.go                   writes
//	secrets.go                 the secrets that Ironic hides
//	connection.go              connects, with the settings that all entry points share
package iotronic
