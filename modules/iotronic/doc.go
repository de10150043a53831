// Package iotronic holds the Ansible modules of the collection craton.fleet for Ironic and Iotronic.
//
//	iotronic_node                            make a node what the task says, or remove it; its ports, power, maintenance, provisioning
//	iotronic_port                            make a port what the task says, or remove it
//	iotronic_chassis                         make a chassis what the task says, or remove it
//	iotronic_allocation                      ask for a node by what it is like and wait for it, or give it back
//	iotronic_node_info, iotronic_port_info, iotronic_chassis_info, iotronic_allocation_info,
//	iotronic_driver_info, iotronic_board_info, iotronic_fleet_info read
//
// [Modules] lists them; package modules registers them beside those of Craton, and package module runs them.
//
// # What a task may rely on
//
//   - A second run changes nothing and sends no request that writes; power: rebooted and update_password: always are
//     orders and not states, and the exceptions.
//   - Check mode, the diff and the real run come from one plan. What the API is known to refuse is refused before
//     anything is written, so check mode tells the same errors: names, codes and drivers, what a dialect does not have,
//     deletes and deployments that the node's state forbids.
//   - The node is returned as node, also when nothing changed. In check mode what only the server knows is null or missing.
//   - diff has the whole node before and after, but not the times nor what Ironic keeps for itself.
//   - Objects have the API's own fields and values, whatever the release of the server is. Only links to other addresses
//     of the API are left out.
//
// # Dialects
//
// One connection, four APIs; the server is asked which one it speaks. An option, a filter or a whole module that the
// dialect does not have is an error that says what there is instead. Ironic is sent a JSON patch of what differs, key by
// key; Iotronic the attributes that differ, whole; Iotronic of 2016 makes and deletes nodes, and cannot change them.
//
// # Secrets
//
// Ironic never shows the passwords in driver_info and instance_info: it answers ****** instead. They cannot be compared,
// so they are written when the key is new and, with update_password: always, in every run. Stars are never written, for
// they would replace the secret. A driver's module for OpenStack, openstack.cloud.baremetal_node, writes the password in
// every run unless told otherwise; that was not taken over, since no second run is quiet then.
//
// # States
//
// power and provision_state name the state to be in, not the verb that leads there; the way is found by the plan
// (provision.go). Nothing is torn down that the task does not say is to be torn down: see undeploy. With wait, which is
// the default, the task ends when the state is reached.
//
// # Structure
//
// A [kind] literal says what there is to know of what is read; info.go does the rest. A [resource] literal says what can be written of
// it: resource.go is the module of all but nodes. chassis.go and allocation.go have theirs, ports.go has ports, single and of a node, management.go traits, boot and console of one. Of nodes, fields.go has what a task
// may set, node.go the Spec, want.go reads a task, plan.go compares, states.go
// plans power, maintenance and provisioning along the ways of provision.go, guard.go refuses what is known to be refused and
// verify.go what the API says when asked, apply.go writes, secrets.go has what Ironic hides. connection.go connects through the settings that every entry point shares.
package iotronic
