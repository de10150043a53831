package hierarchy

import (
	"iter"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// Level is an object from which another one inherits variables, or the object itself.
type Level struct {
	Kind      string // host, network-device, cell, region, cloud, project
	ID        string
	Name      string    // "" where it was not read
	Variables Variables // its own
}

// String describes a level: "region dfw". One without a known name is described by its kind.
func (l Level) String() string {
	if l.Name == "" {
		return l.Kind
	}
	return l.Kind + " " + value.Shown(l.Name)
}

// The references with a special treatment.
const (
	keyParent  = "parent_id"
	keyProject = "project_id"
)

// Levels yields the levels of an object of a kind, nearest first: the object, its parent and the parent's parents, its
// own other references, and finally its project. Places of its parents do not count.
//
// up follows a reference of an object, by its key; ok is false if it is not set, or if parents form a cycle. The only
// level of a kind that inherits nothing is the object itself.
func Levels[T any](k *schema.Kind, object T, up func(of T, key string) (above T, ok bool)) iter.Seq[T] {
	return func(yield func(T) bool) {
		if !yield(object) || k.Inherits == nil {
			return
		}
		for _, key := range k.Inherits {
			above, ok := up(object, key)
			for ok {
				if !yield(above) {
					return
				}
				if key != keyParent {
					break
				}
				above, ok = up(above, key)
			}
		}
		if project, ok := up(object, keyProject); ok {
			yield(project)
		}
	}
}
