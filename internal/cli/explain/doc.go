// Package explain implements `craton explain`, which shows where each variable of a host comes from, and which values
// of other objects it overrides. The levels are those of the inventory, so it shows what Ansible gets. [New] returns
// the command.
package explain
