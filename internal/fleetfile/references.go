package fleetfile

import (
	"slices"
	"strings"
)

// resolve finds what the references of the file name within the file; those that name nothing there are left to the
// API. A reference names an object by its name, by region/name or by cloud/region/name. Names may hold slashes
// themselves: every reading of a reference counts, and more than one match is an error.
func (r *reader) resolve() {
	byMention := map[class]map[string][]*object{classDevice: {}, classNetwork: {}}
	for _, o := range r.objects {
		if index := byMention[o.spec.class]; index != nil {
			for _, m := range o.mentions() {
				index[m] = append(index[m], o)
			}
		}
	}
	for _, o := range r.objects {
		for _, f := range o.spec.fields {
			ref := o.refs[f.key]
			if ref == nil || ref.none {
				continue
			}
			c, _ := f.form.reference()
			if c == classCell {
				ref.target = r.names[nameKey{classCell, o.in, ref.text}]
				continue
			}
			found := near(o, c, ref.text, byMention[c][ref.text])
			switch len(found) {
			case 0:
			case 1:
				ref.target = found[0]
			default:
				var names []string
				for _, t := range found {
					names = append(names, strings.Join(mentionPath(t), "/"))
				}
				r.add(ref.line, ref.path, "%s", ambiguous(ref.text, c, names))
			}
		}
	}
	r.circles()
}

// near prefers a network of the interface's own region when the reference is its bare name: networks belong to
// regions. A parent has no such preference, because a parent in another region is nothing unusual.
func near(o *object, c class, text string, found []*object) []*object {
	if c != classNetwork {
		return found
	}
	region := o.above(classRegion)
	for _, t := range found {
		if t.in == region && t.name == text {
			return []*object{t}
		}
	}
	return found
}

// mentionPath is cloud, region, name: how a reference names the object without doubt.
func mentionPath(o *object) []string {
	region := o.above(classRegion)
	return []string{region.in.name, region.name, o.name}
}

func ambiguous(text string, c class, names []string) string {
	slices.Sort(names)
	return pathName(text) + " is the name of more than one " + c.String() + "; write one of " + strings.Join(names, ", ")
}

// circles reports devices that are their own ancestors.
func (r *reader) circles() {
	parent := func(o *object) *object {
		if ref := o.refs["parent"]; ref != nil {
			return ref.target
		}
		return nil
	}
	known := map[*object]bool{} // to lead to no new circle
	for _, o := range r.objects {
		var walk []*object
		for at := o; at != nil && !known[at]; at = parent(at) {
			known[at] = true
			walk = append(walk, at)
			next := parent(at)
			if i := slices.Index(walk, next); next != nil && i >= 0 {
				ref := at.refs["parent"]
				r.add(ref.line, ref.path, "%s", circle(append(walk[i:], next), func(o *object) string { return o.name }))
			}
		}
	}
}

// circle says how parents lead back to where they began.
func circle[T any](walk []T, name func(T) string) string {
	var names []string
	for _, o := range walk {
		names = append(names, name(o))
	}
	if len(names) == 2 {
		return names[0] + " cannot be its own parent; give another one"
	}
	return "the parents go in a circle (" + strings.Join(names, " -> ") + "); change one of them"
}
