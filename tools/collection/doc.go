// Package collection makes the Ansible collection craton.fleet out of this program.
//
// What Ansible reads about modules and settings stands once, in Go: the modules' specs and the settings' literals.
// [Generate] writes the files that say it again for Ansible:
//
//	meta/runtime.yml                 the releases of ansible-core, the action groups, the way to the action plugin
//	plugins/modules/MODULE.py        the documentation of a module and its arguments, for ansible-doc and ansible-lint
//	plugins/doc_fragments/NAME.py    the options that modules share
//	plugins/doc_fragments/inventory.py  the settings, as options of the inventory plugin
//	tests/sanity/ignore-RELEASE.txt  what ansible-test shall not complain of
//
// They are committed, and a test fails when they are not what Generate makes. `go generate ./tools/collection`
// brings them up to date.
//
// # Where a module is
//
// ansible-doc, ansible-lint and `ansible-test sanity` read what the name of a module leads to, and take what has
// exactly that name before what has an extension: a program there ends ansible-lint's look at the arguments of all
// tasks of a file. So the name leads to a Python file with documentation and arguments, which checks them as
// AnsibleModule does and does no more. No task runs it: meta/runtime.yml sends all modules to the action plugin.
//
// The action plugin starts the program itself, or has Ansible copy it, for which Ansible wants a file of the module's
// name in some directory of plugins/modules: plugins/modules/OS_ARCH/MODULE is a link to the build for that system, and
// craton.fleet.linux_arm64.craton_host the module that goes to such a machine. ansible-doc lists neither links nor
// files without an extension; hard links would be unpacked as so many copies of the program.
//
// # The tarball
//
// [Build] packs a collection with the programs of several systems. The first is bin/craton-OS-ARCH, with its directory
// of links, and bin/craton, a link to it for people. The others are packed together, as bin/packed.xz, to stay below
// Galaxy's limit; bin/packed.json says where each is in it. The action plugin unpacks the one that the controller or a
// remote machine needs, and links its modules. A checkout has bin/craton alone, the build of `make build` for its own
// machine, and links that. The same input gives the same bytes.
package collection

//go:generate go run ./build generate
