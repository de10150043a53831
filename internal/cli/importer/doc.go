// Package importer implements `craton import`: internal/importing reads an Ansible inventory, or another source; the
// command writes the fleet and what stays in Ansible into a directory, and proves with real Ansible that every host has
// what it had before. [New] returns the command.
package importer
