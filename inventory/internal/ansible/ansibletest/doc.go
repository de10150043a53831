// Package ansibletest reads inventories as Ansible does, for tests: by rules that were observed of Ansible itself, and
// written down here a second time, so that what writes inventories and what reads them share no mistake.
package ansibletest
