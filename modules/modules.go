package modules

import (
	"slices"

	"github.com/craton-fleet/craton/modules/module"
)

// maker makes a module. Only the one that runs is made, so that a task starts fast.
type maker func() *module.Module

// registry has every module by its name.
func registry() map[string]maker {
	all := map[string]maker{
		variablesName: func() *module.Module { return &module.Module{Spec: variablesSpec(), Run: runVariables} },
		fleetName:     func() *module.Module { return &module.Module{Spec: fleetSpec(), Run: runFleet} },
	}
	for _, r := range resources() {
		if r.service.create != nil {
			all[r.moduleName()] = func() *module.Module { return &module.Module{Spec: r.spec(), Run: r.run} }
		}
		all[r.infoName()] = func() *module.Module { return &module.Module{Spec: r.infoSpec(), Run: r.info} }
	}
	return all
}

// Names are the names of all modules, sorted: what the program is linked to in plugins/modules, and what
// meta/runtime.yml lists.
func Names() []string {
	var names []string
	for name := range registry() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Lookup makes the module of a name; [module.Run] takes it.
func Lookup(name string) (*module.Module, bool) {
	m, ok := registry()[name]
	if !ok {
		return nil, false
	}
	return m(), true
}

// Known tells whether there is a module of that name, without making it.
func Known(name string) bool {
	_, ok := registry()[name]
	return ok
}

// Specs are the Specs of all modules, sorted by name: the collection's documentation is made of them.
func Specs() []*module.Spec {
	all := registry()
	var specs []*module.Spec
	for _, name := range Names() {
		specs = append(specs, all[name]().Spec)
	}
	return specs
}
