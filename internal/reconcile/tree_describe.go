package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
)

// describe describes the change of a step.
func (p *planner) describe(st *treeStep) {
	w := st.want
	ch := Change{Kind: w.Kind.Name, Name: w.Qualified(), Action: Created}
	if !st.Create {
		ch.Action = Unchanged
		if w.Kind != schema.Project {
			ch.ID = st.id
		}
	} else if !p.brief {
		ch.After = map[string]any{}
	}
	if len(st.Move) > 0 {
		ch.Action, ch.From = Moved, p.state.fullPath(st.have)
		if !p.brief {
			ch.Before, ch.After = map[string]any{}, map[string]any{}
		}
	}
	differs := func(key string, before, after any) {
		ch.Fields = append(ch.Fields, key)
		if !st.Create && ch.Action == Unchanged {
			ch.Action = Updated
			if !p.brief {
				ch.Before, ch.After = map[string]any{}, map[string]any{}
			}
		}
		if p.brief {
			return
		}
		ch.After[key] = after
		if !st.Create {
			ch.Before[key] = before
		}
	}
	for _, option := range w.Order {
		f := w.Kind.ByOption(option)
		v, given := w.Values[f.Key]
		_, updated := st.Update[f.Key]
		t, refers := st.refs[option]
		switch {
		case refers:
			differs(option, p.haveName(Referred(w.Kind, option), st.Before[f.Key]), p.targetName(t))
		case updated, st.Create && given && (v != nil || f.Type == schema.Integer): // a new object's text is empty already
			differs(option, fileValue(f, st.Before[f.Key]), fileValue(f, v))
		}
	}
	if st.Protect != nil {
		before := st.Before[KeyProtected] == true
		differs(KeyProtected, before, *st.Protect)
	}
	if len(st.AddLabels) > 0 || st.Create && len(w.Labels) > 0 {
		differs(KeyLabels, append([]string{}, st.Before.Labels()...), st.After.Labels())
	}
	set := st.Set
	if st.Create {
		set = w.Variables
	}
	if len(set)+len(st.Unset) > 0 && p.brief {
		differs(KeyVariables, nil, nil)
	} else if len(set)+len(st.Unset) > 0 {
		before := craton.Variables{}
		for _, key := range st.Unset {
			before[key] = st.Before.Variables()[key]
		}
		for key := range set {
			if have, ok := st.Before.Variables()[key]; ok {
				before[key] = have
			}
		}
		differs(KeyVariables, before, maps.Clone(set))
	}
	st.change = ch
}

// describeDeleted describes what a deletion removes.
func (p *planner) describeDeleted(st *treeStep) {
	ch, o := &st.change, st.Before
	lose := func(key string, v any) {
		ch.Fields = append(ch.Fields, key)
		if ch.Before == nil {
			ch.Before = map[string]any{}
		}
		ch.Before[key] = v
	}
	for i := range st.Kind.Fields {
		f := &st.Kind.Fields[i]
		switch v := o[f.Key]; {
		case v == nil || f.Place():
		case f.Type == schema.Reference:
			lose(f.Option(), p.haveName(Referred(st.Kind, f.Option()), v))
		default:
			lose(f.Option(), v)
		}
	}
	if l := o.Labels(); len(l) > 0 {
		lose(KeyLabels, l)
	}
	if v := o.Variables(); len(v) > 0 {
		lose(KeyVariables, v)
	}
}

// refuse reports what the API never changes (v1 contract §2.4).
func (p *planner) refuse(st *treeStep, targets map[string]target, bad *Problems) {
	w := st.want
	rank := func(d Difference) int {
		if d.Option == KeyVariables {
			return len(w.Order)
		}
		return slices.Index(w.Order, d.Option)
	}
	slices.SortStableFunc(st.Fixed, func(a, b Difference) int { return rank(a) - rank(b) })
	for _, d := range st.Fixed {
		if d.Option == KeyVariables {
			bad.refuse(w.Line, w.Path+"."+KeyVariables, refusal{reason: ReasonUnchangeable, of: w,
				what: fmt.Sprintf("%s differ from the API's, which cannot change the variables of an %s", quotedKeys(p.differing(st)), w.Noun), do: "delete it and apply again"})
			continue
		}
		f, option, path := w.Kind.ByOption(d.Option), d.Option, w.Path
		before, after := fileValue(f, d.Have), fileValue(f, d.Want)
		switch ref := w.Refs[option]; {
		case ref != nil:
			path = ref.Path
			before, after = p.haveName(Referred(w.Kind, option), d.Have), p.targetName(targets[option])
		case f.Type == schema.Reference: // its position in the tree determines it
			option = "its " + option
			before, after = p.haveName(Referred(w.Kind, d.Option), d.Have), nil
			if above := w.In.Above(Referred(w.Kind, d.Option)); above != nil {
				after = above.Name
			}
			if text, ok := before.(string); ok && p.state.byID[Referred(w.Kind, d.Option)][d.Have] == nil {
				before = plainText(text)
			}
		}
		r := refusal{reason: ReasonUnchangeable, of: w, what: fmt.Sprintf("%s is %s in the API and %s here", option, valueText(before), valueText(after))}
		if f.Place() && w.Kind.Moves != nil && p.state.canMove() {
			r.reason, r.do = ReasonElsewhere, fmt.Sprintf("move the %s with --move (in a task move: true)", w.Noun)
		} else {
			cannot := ", and the API cannot change it"
			if f.Place() && w.Kind.Moves != nil {
				cannot = ", and this server cannot move it (craton server can)"
			}
			r.what, r.do = r.what+cannot, fmt.Sprintf("delete the %s and apply again", w.Noun)
		}
		bad.refuse(w.Line, path, r)
	}
	if w.Protected != nil && !p.state.protects {
		bad.refuse(w.Line, w.Path+"."+KeyProtected, refusal{reason: ReasonUnsupported, of: w, what: ErrCannotProtect.Error(), do: "remove it from the file"})
	}
	if w.Kind == schema.Project && p.state.readOnly && len(st.Set) > 0 {
		bad.refuse(w.Line, w.Path+"."+KeyVariables, refusal{reason: ReasonForbidden, of: w,
			what: fmt.Sprintf("%s differ from the API's or cannot be read, and this user is not allowed to change the project's variables", quotedKeys(st.Set)),
			do:   "ask an admin of the project to apply the file"})
	}
}

// differing returns the variables of an object that differ from what is wanted.
func (p *planner) differing(st *treeStep) craton.Variables {
	differ := craton.Variables{}
	for key := range st.want.Variables {
		if have, ok := st.Before.Variables()[key]; !ok || string(have) != string(st.After.Variables()[key]) {
			differ[key] = nil
		}
	}
	return differ
}

func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case string:
		if v == "" {
			return "none"
		}
		return PathName(v)
	}
	return fmt.Sprint(v)
}

// fileValue returns a canonical value as a fleet file would write it.
func fileValue(f *schema.Field, v any) any {
	switch {
	case v != nil || f.Type == schema.Reference:
		return v
	case f.Type == schema.Integer:
		return 0
	}
	return ""
}

// haveName returns the current name of the object that a field refers to; nil for none.
func (p *planner) haveName(space *schema.Kind, id any) any {
	if id == nil {
		return nil
	}
	if r := p.state.byID[space][id]; r != nil {
		return p.targetName(target{record: r})
	}
	return fmt.Sprintf("one with the id %v", id) // it was not read, because the tree does not mention its place
}

// targetName returns an unambiguous reference to the target as in a fleet file; nil for none.
func (p *planner) targetName(t target) any {
	switch {
	case t.none():
		return nil
	case t.step != nil && t.step.want.Kind == schema.Cell:
		return t.step.want.Name
	case t.step != nil:
		return strings.Join(t.step.want.ReferencePath(), "/")
	case t.record.Kind == schema.Cell:
		return t.record.name()
	}
	return strings.Join(p.state.path(t.record), "/")
}

// quotedKeys returns a shortened list of names for an error.
func quotedKeys(v craton.Variables) string {
	const most = 5
	var out []string
	for i, n := range v.Keys() {
		if i == most {
			out = append(out, fmt.Sprintf("%d more", len(v)-most))
			break
		}
		out = append(out, PathName(n))
	}
	return strings.Join(out, ", ")
}
