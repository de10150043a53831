// Package collection makes the Ansible collection craton.fleet out of this program.
//
// What Ansible reads about modules and settings stands once, in Go: the modules' specs and the settings' literals.
// [Generate] writes the files that say it again for Ansible:
//
//	meta/runtime.yml                 the releases of ansible-core, the action groups, the way to the action plugin
//	plugins/modules/MODULE.py        the documentation of a module, which ansible-doc lists and shows
//	plugins/modules/MODULE           a link to bin/craton, which is the module
//	plugins/doc_fragments/NAME.py    the options that modules share
//	plugins/doc_fragments/inventory.py  the settings, as options of the inventory plugin
//	tests/sanity/ignore-RELEASE.txt  what ansible-test shall not complain of
//
// They are committed, and a test fails when they are not what Generate makes. `go generate ./internal/collection`
// brings them up to date.
//
// # Why a module is two files
//
// ansible-doc -l does not list links, and from 2.19 on nor does it list files without an extension; hard links are
// unpacked as so many copies of the program. So the program is there once, in bin, a link of the module's name is what
// Ansible runs, and a small Python file beside it holds the documentation. Ansible takes the exact name before one with
// an extension, so the Python file is never run.
//
// # The tarball
//
// [Build] packs a collection with the programs of several systems. The first is bin/craton-OS-ARCH and bin/craton, a
// link to it, so plugins/modules/MODULE is a module for that system. The others are packed once more, as
// bin/craton-OS-ARCH.xz, to stay below Galaxy's limit. The action plugin unpacks the one that the controller or a
// remote machine needs, and links its modules in plugins/modules/OS_ARCH: craton.fleet.linux_arm64.craton_host is the
// module that goes to such a machine. The same input gives the same bytes.
package collection

//go:generate go run ./build generate
