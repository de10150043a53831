// Package importer is `craton import`: it has internal/importing read an inventory of Ansible's, or another source,
// writes the fleet and what stays in Ansible into a folder, and proves with real Ansible that every host has what it
// had. [New] gives the command.
package importer
