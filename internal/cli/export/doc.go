// Package export is `craton export`: the fleet as files that other programs read. [New] gives the command.
//
//	fleet        a fleet file (internal/fleetfile): `craton apply` of it changes nothing
//	ansible      a static inventory (inventory), the same to Ansible as `craton inventory`
//	csv          hosts and chosen columns (csv.go)
//	ssh-config   what `ssh -G` agrees with the inventory about (ssh.go)
//	hosts        lines of /etc/hosts (etchosts.go)
//	prometheus   targets of file_sd_configs (internal/prometheus)
//
// All but the first two are made of one thing, the inventory's hosts with their resolved variables (hosts.go). What the
// fleet says is never trusted: each format refuses, or leaves out and counts, what would mean something else to its
// reader.
package export
