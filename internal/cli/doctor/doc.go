// Package doctor is `craton doctor`: it checks every step between a user and
// the hosts, from the configuration file to the inventory that Ansible would
// get, and says of each what it found and what to do. [New] gives the command.
//
// Each check stands in the file of its name. What to do is what errors carry
// as advice (package advice), and is printed on a line of its own.
package doctor
