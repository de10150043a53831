package modules

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/modules/ansible"
	"github.com/craton-fleet/craton/modules/iotronic"
)

// runFunc does a module's work.
type runFunc = func(ctx context.Context, task *ansible.Task) (*ansible.Result, error)

// versionAdded is the collection's version that introduced the modules.
const versionAdded = "0.1.0"

var author = []string{"The Craton authors (@craton-fleet)"}

// registry has every module by its name. Only the one that runs is built, so that a task starts fast.
var registry = sync.OnceValue(func() map[string]func() *ansible.Module {
	all := map[string]func() *ansible.Module{}
	register := func(name string, spec func() *ansible.Spec, run runFunc) {
		all[name] = sync.OnceValue(func() *ansible.Module {
			s := spec()
			s.VersionAdded, s.Author = versionAdded, author
			return &ansible.Module{Spec: s, Run: func(ctx context.Context, task *ansible.Task) (*ansible.Result, error) {
				result, err := run(ctx, task)
				return result, connect.Advised(err)
			}}
		})
	}
	writes := func(name string, spec func() *ansible.Spec, run runFunc) {
		register(name, func() *ansible.Spec {
			s := spec()
			s.Options = append(s.Options, messageOption())
			return s
		}, func(ctx context.Context, task *ansible.Task) (*ansible.Result, error) {
			message := task.Params.String(optMessage)
			if err := craton.CheckMessage(message); err != nil {
				return nil, err
			}
			return run(craton.ContextWithMessage(ctx, message), task)
		})
	}
	writes(variablesName, variablesSpec, runVariables)
	writes(fleetName, fleetSpec, runFleet)
	for _, r := range resources() {
		if !r.View {
			writes(r.moduleName(), r.spec, r.run)
		}
		register(r.infoName(), r.infoSpec, r.info)
	}
	for _, m := range iotronic.Modules() {
		register(m.Name, m.Spec, m.Run)
	}
	return all
})

// Names returns the names of all modules, sorted: the links to the program, and the entries of meta/runtime.yml.
func Names() []string {
	return slices.Sorted(maps.Keys(registry()))
}

// Lookup returns the module with a name, for [ansible.Run].
func Lookup(name string) (*ansible.Module, bool) {
	m, ok := registry()[name]
	if !ok {
		return nil, false
	}
	return m(), true
}

// Known reports whether there is a module with a name, without building it.
func Known(name string) bool {
	_, ok := registry()[name]
	return ok
}

// Specs returns the Specs of all modules, sorted by name: the collection's documentation is generated from them.
func Specs() []*ansible.Spec {
	all := registry()
	var specs []*ansible.Spec
	for _, name := range Names() {
		specs = append(specs, all[name]().Spec)
	}
	return specs
}
