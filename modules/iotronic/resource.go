package iotronic

import (
	api "github.com/craton-fleet/craton/iotronic"
)

// resource is what a module writes: which objects, how they are told apart, and what a task can set of them.
type resource struct {
	kind   *kind
	by     string // the field that names an object beside its UUID
	fields []field
}

// nodes are what iotronic_node writes.
var nodes = &resource{kind: node, by: keyName, fields: nodeFields}

// since is the version of Ironic's API that has a field first.
func (r *resource) since(f *field) api.Version { return api.Since(r.kind.plural, f.sent()) }

// called is what a task calls an object.
func (w *want) called() string {
	if w.of == nodes {
		return w.name
	}
	return api.Object(w.values).Text(w.of.by)
}
