// Package ansibletest reads inventories as Ansible does, for tests. Its rules were observed in Ansible and implemented
// independently of the code that writes inventories, so that both do not have the same mistake.
package ansibletest
