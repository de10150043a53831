package iotronic

import (
	"context"

	"github.com/craton-fleet/craton/modules/ansible"
)

// Entry is one module. Its Spec is built when it is needed.
type Entry struct {
	Name string
	Spec func() *ansible.Spec
	Run  func(ctx context.Context, task *ansible.Task) (*ansible.Result, error)
}

// Modules returns all modules for Ironic and Iotronic.
func Modules() []Entry {
	all := []Entry{{nodeName, nodeSpec, runNode}}
	for _, r := range resources {
		all = append(all, Entry{r.moduleName(), r.spec, r.run})
	}
	for _, k := range kinds {
		all = append(all, Entry{k.infoName(), k.infoSpec, k.info})
	}
	return all
}
