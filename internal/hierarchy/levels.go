package hierarchy

import (
	"iter"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// Level is an object that gives another one variables, or the object itself.
type Level struct {
	Kind      string // host, network-device, cell, region, cloud, project
	ID        string
	Name      string    // "" where it was not read
	Variables Variables // its own
}

// String names a level: "region dfw". One whose name is not known is just its kind.
func (l Level) String() string {
	if l.Name == "" {
		return l.Kind
	}
	return l.Kind + " " + value.Shown(l.Name)
}

// The references that are followed in a way of their own.
const (
	keyParent  = "parent_id"
	keyProject = "project_id"
)

// Levels yields the levels of an object of a kind, the nearest first: the object, its parent and the parent's parents,
// what its own other references name, and at last its project. Places of its parents count for nothing.
//
// up follows a reference of an object, by its key; ok is false where it names nothing, and where parents go in a
// circle. The levels of a kind that inherits nothing are the object alone.
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
