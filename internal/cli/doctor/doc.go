// Package doctor implements `craton doctor`, which checks every step between a user and the hosts, from the
// configuration file to the inventory that Ansible would get, and prints what each found and what to do. [New] returns
// the command.
//
// Each check is in the file with its name. The advice in errors (package advice) is printed on its own line.
package doctor
