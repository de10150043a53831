// Package collection builds the Ansible collection craton.fleet from this program.
//
// What Ansible reads about modules and settings is defined once, in Go: by the modules' specs and the settings'
// literals. [Generate] writes the files that repeat it for Ansible:
//
//	meta/runtime.yml                 the releases of ansible-core, the action groups, the way to the action plugin
//	plugins/modules/MODULE.py        the documentation of a module and its arguments, for ansible-doc and ansible-lint
//	plugins/doc_fragments/NAME.py    the options that modules share
//	plugins/doc_fragments/inventory.py  the settings, as options of the inventory plugin
//	tests/sanity/ignore-RELEASE.txt  the findings that ansible-test shall ignore
//
// They are committed, and a test fails if they differ from what Generate returns. `go generate ./tools/collection`
// updates them.
//
// # Where a module is
//
// ansible-doc, ansible-lint and `ansible-test sanity` read the file that a module's name resolves to, and prefer a file
// with exactly that name to one with an extension: if that were a program, ansible-lint would stop checking the
// arguments of all tasks of a file. So the name resolves to a Python file with documentation and arguments, which only
// checks them as AnsibleModule does. No task runs it: meta/runtime.yml redirects all modules to the action plugin.
//
// The action plugin starts the program itself, or makes Ansible copy it, for which Ansible needs a file with the
// module's name in a directory of plugins/modules: plugins/modules/OS_ARCH/MODULE is a link to the build for that
// platform, and craton.fleet.linux_arm64.craton_host the module that is copied to such a machine. ansible-doc lists
// neither links nor files without an extension; hard links would be unpacked as separate copies of the program.
//
// # The tarball
//
// [Build] packs a collection with the programs of several platforms. The first is bin/craton-OS-ARCH, with its
// directory of links, and bin/craton, a link to it for people. The others are packed together, as bin/packed.xz, to
// stay below Galaxy's limit; bin/packed.json has the position of each. The action plugin unpacks the one that the
// controller or a remote machine needs, and links its modules. A checkout has only bin/craton, built by `make build`
// for its own machine, and links that. The same input gives the same bytes.
package collection

//go:generate go run ./build generate
