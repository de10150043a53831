package reconcile

import (
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// Tree is the wanted state of a fleet: nested objects, such as those of a fleet file.
type Tree struct {
	Name    string    // of the file, for errors
	Objects []*Wanted // in the order of the file; containers precede their contents
}

// Above returns the object itself or the container of a kind in which it is.
func (w *Wanted) Above(k *schema.Kind) *Wanted {
	for w != nil && w.Kind != k {
		w = w.In
	}
	return w
}

// Scope returns the object within which w's name must be unique: for devices that is the region, across its cells.
func (w *Wanted) Scope() *Wanted {
	if isDevice(w.Kind) {
		return w.Above(schema.Region)
	}
	return w.In
}

// Qualified returns the name with its places, such as east/dfw/c1/web1.
func (w *Wanted) Qualified() string {
	path := value.Path(w.Name)
	if w.In == nil {
		return path
	}
	return w.In.Qualified() + "/" + path
}

// ReferencePath returns cloud, region, name: an unambiguous reference to the object.
func (w *Wanted) ReferencePath() []string {
	region := w.Above(schema.Region)
	return []string{region.In.Name, region.Name, w.Name}
}

// Mentions returns the texts by which a reference can name an object with a path: for cloud, region, name these are
// name, region/name and cloud/region/name.
func Mentions(path []string) (texts []string) {
	for i := range slices.Backward(path) {
		texts = append(texts, strings.Join(path[i:], "/"))
	}
	return texts
}

// Space returns the kind that represents all kinds whose names must be unique together (v1 contract §6.2): for hosts
// and network devices it is hosts.
func Space(k *schema.Kind) *schema.Kind {
	if len(k.Rivals) > 0 && k.Rivals[0] < k.Name {
		return schema.ByName(k.Rivals[0])
	}
	return k
}

// SpaceNoun returns the kinds of a name space for people: "host or network device".
func SpaceNoun(space *schema.Kind) string {
	nouns := []string{space.Noun()}
	for _, k := range sharingNames(space) {
		nouns = append(nouns, k.Noun())
	}
	return strings.Join(nouns, " or ")
}

// Referred returns the name space that references with an option use.
func Referred(k *schema.Kind, option string) *schema.Kind {
	return Space(schema.ByName(k.ByOption(option).To[0]))
}

// isDevice reports whether a kind is hosts or network devices.
func isDevice(k *schema.Kind) bool { return k.Labels != schema.Unlabelled }

// scopeKey returns the key of the container within which names of a kind are unique; "" if there is none.
func scopeKey(k *schema.Kind) string {
	if f := k.Container(); f != nil {
		return f.Key
	}
	return ""
}

// AmbiguousText says that a text names several objects, and what to do.
func AmbiguousText(text string, space *schema.Kind, names []string) (what, do string) {
	slices.Sort(names)
	return PathName(text) + " is the name of more than one " + SpaceNoun(space), "write one of " + strings.Join(names, ", ")
}

// CircleText says how parents form a cycle, and what to do.
func CircleText[T any](walk []T, name func(T) string) (what, do string) {
	var names []string
	for _, o := range walk {
		names = append(names, name(o))
	}
	if len(names) == 2 {
		return names[0] + " cannot be its own parent", "give another one"
	}
	return "the parents form a loop (" + strings.Join(names, " -> ") + ")", "change one of them"
}
