// Package inventory makes an Ansible dynamic inventory of a fleet.
package inventory
