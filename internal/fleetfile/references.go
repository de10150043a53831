package fleetfile

import (
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
)

// resolve resolves the references of the file within the file; the others are left to the API. A reference names an
// object by its name, by region/name or by cloud/region/name. Names may contain slashes: every reading of a reference
// is tried, and more than one match is an error.
func (r *reader) resolve() {
	if !slices.ContainsFunc(r.objects, func(o *reconcile.Wanted) bool { return o.Refs != nil }) {
		return // for a large fleet, this avoids an index of all names
	}
	byMention := map[*schema.Kind]map[string][]*reconcile.Wanted{schema.Host: {}, schema.Network: {}}
	for _, o := range r.objects {
		if index := byMention[reconcile.Space(o.Kind)]; index != nil {
			for _, m := range reconcile.Mentions(o.ReferencePath()) {
				index[m] = append(index[m], o)
			}
		}
	}
	for _, o := range r.objects {
		r.File = o.File
		for _, option := range o.Order {
			ref := o.Refs[option]
			if ref == nil || ref.Text == "" {
				continue
			}
			space := reconcile.Referred(o.Kind, option)
			if space == schema.Cell {
				ref.Target = r.names[nameKey{space, o.In, ref.Text}]
				continue
			}
			found := preferNear(o, space, ref.Text, byMention[space][ref.Text])
			switch len(found) {
			case 0:
			case 1:
				ref.Target = found[0]
			default:
				var names []string
				for _, t := range found {
					names = append(names, strings.Join(t.ReferencePath(), "/"))
				}
				r.Add(ref.Line, ref.Path, "%s", advice.Join(reconcile.AmbiguousText(ref.Text, space, names)))
			}
		}
	}
	r.reportCycles()
}

// preferNear prefers a network of the interface's own region if the reference is only its name: networks belong to
// regions. For a parent there is no such preference, because parents in other regions are common.
func preferNear(o *reconcile.Wanted, space *schema.Kind, text string, found []*reconcile.Wanted) []*reconcile.Wanted {
	if space != schema.Network {
		return found
	}
	region := o.Above(schema.Region)
	for _, t := range found {
		if t.In == region && t.Name == text {
			return []*reconcile.Wanted{t}
		}
	}
	return found
}

// reportCycles reports devices that are their own ancestors.
func (r *reader) reportCycles() {
	const option = "parent"
	parent := func(o *reconcile.Wanted) *reconcile.Wanted {
		if ref := o.Refs[option]; ref != nil {
			return ref.Target
		}
		return nil
	}
	known := map[*reconcile.Wanted]bool{} // known not to lead to a new cycle
	for _, o := range r.objects {
		var walk []*reconcile.Wanted
		for at := o; at != nil && !known[at]; at = parent(at) {
			known[at] = true
			walk = append(walk, at)
			next := parent(at)
			if i := slices.Index(walk, next); next != nil && i >= 0 {
				ref := at.Refs[option]
				r.File = at.File
				r.Add(ref.Line, ref.Path, "%s", advice.Join(reconcile.CircleText(append(walk[i:], next), func(o *reconcile.Wanted) string { return o.Name })))
			}
		}
	}
}
