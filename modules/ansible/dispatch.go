package ansible

import (
	"path"
	"strings"
)

// Name returns the module's name from a file name: without directory, the prefix AnsiballZ_ that Ansible gives the copy
// that it runs, and an extension.
//
//	/home/me/.ansible/tmp/x/AnsiballZ_craton_host -> craton_host
func Name(argv0 string) string {
	name := path.Base(strings.ReplaceAll(argv0, `\`, "/"))
	name = strings.TrimPrefix(name, "AnsiballZ_")
	if i := strings.IndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	return name
}

// Dispatch determines which of a program's modules to run: the last part of moduleName, which is Ansible's
// _ansible_module_name, if it is known, or else [Name] of argv[0]. ok is false if neither is known; name is then the
// one for the error message.
func Dispatch(argv0, moduleName string, known func(name string) bool) (name string, ok bool) {
	last := moduleName[strings.LastIndexByte(moduleName, '.')+1:]
	if last != "" && known(last) {
		return last, true
	}
	name = Name(argv0)
	if known(name) {
		return name, true
	}
	if last != "" {
		name = last
	}
	return name, false
}
