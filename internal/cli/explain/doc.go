// Package explain is `craton explain`: where each variable of a host comes
// from, and which values of other objects it hides. The levels are those of
// the inventory, so that what it says is what Ansible gets. [New] gives the
// command.
package explain
