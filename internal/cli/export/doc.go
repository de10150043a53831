// Package export implements `craton export`, which writes the fleet as files that other programs read. [New] returns
// the command.
//
//	fleet        a fleet file (internal/fleetfile): `craton apply` of it changes nothing
//	ansible      a static inventory (inventory), the same to Ansible as `craton inventory`
//	csv          hosts and chosen columns (csv.go)
//	ssh-config   what `ssh -G` agrees with the inventory about (ssh.go)
//	hosts        lines of /etc/hosts (etchosts.go)
//	prometheus   targets of file_sd_configs (internal/prometheus)
//
// All formats except the first two are made from the inventory's hosts with their resolved variables (hosts.go). Data
// from the fleet is never trusted: each format refuses, or leaves out and counts, what would have another meaning for
// its reader.
package export
