package reconcile

import (
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// Tree is the wanted state of a fleet: objects within each other, such as those of a fleet file.
type Tree struct {
	Name    string    // of the file, for errors
	Objects []*Wanted // in the order of the file; what holds an object comes before it
}

// Above returns the object itself or what holds it, at any height, that is of the kind.
func (w *Wanted) Above(k *schema.Kind) *Wanted {
	for w != nil && w.Kind != k {
		w = w.In
	}
	return w
}

// Scope returns the object whose names w's own name must be unique among: devices share the region's, in its cells too.
func (w *Wanted) Scope() *Wanted {
	if isDevice(w.Kind) {
		return w.Above(schema.Region)
	}
	return w.In
}

// Qualified returns the name with all that holds the object, such as east/dfw/c1/web1.
func (w *Wanted) Qualified() string {
	path := value.Path(w.Name)
	if w.In == nil {
		return path
	}
	return w.In.Qualified() + "/" + path
}

// ReferencePath returns cloud, region, name: how a reference names the object without doubt.
func (w *Wanted) ReferencePath() []string {
	region := w.Above(schema.Region)
	return []string{region.In.Name, region.Name, w.Name}
}

// Mentions returns the texts by which a reference can name what stands at a path of names: for cloud, region, name
// these are name, region/name and cloud/region/name.
func Mentions(path []string) (texts []string) {
	for i := range slices.Backward(path) {
		texts = append(texts, strings.Join(path[i:], "/"))
	}
	return texts
}

// Space returns the kind that stands for all that share one space of names with a kind (v1 contract §6.2): of hosts and
// network devices it is hosts.
func Space(k *schema.Kind) *schema.Kind {
	if len(k.Rivals) > 0 && k.Rivals[0] < k.Name {
		return schema.ByName(k.Rivals[0])
	}
	return k
}

// SpaceNoun returns a space of names for people: "host or network device".
func SpaceNoun(space *schema.Kind) string {
	nouns := []string{space.Noun()}
	for _, k := range sharingNames(space) {
		nouns = append(nouns, k.Noun())
	}
	return strings.Join(nouns, " or ")
}

// Referred returns the space of names that the reference with an option names one of.
func Referred(k *schema.Kind, option string) *schema.Kind {
	return Space(schema.ByName(k.ByOption(option).To[0]))
}

// isDevice reports whether a kind is hosts or network devices.
func isDevice(k *schema.Kind) bool { return k.Labels != schema.Unlabelled }

// scopeKey returns the key of a kind's container; "" if it has none.
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

// CircleText says how parents lead back to where they began, and what to do.
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
