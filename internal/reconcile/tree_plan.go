package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
)

// Action is what is done to an object.
type Action string

// The actions. Nothing is ever deleted.
const (
	Created   Action = "created"
	Updated   Action = "updated"
	Unchanged Action = "unchanged"
)

// Change is what a tree does to one object.
type Change struct {
	Kind   string // "host", "network-device"
	Name   string // with all that holds it, such as east/dfw/c1/web1; "" for the project
	Action Action
	// Fields are the options that differ, in the order of the documentation: "note", "parent", "labels",
	// "variables". For a created object, all that the tree gives.
	Fields []string
	// Before and After hold the fields that differ, each as a fleet file would write it: references as
	// cloud/region/name, cells by name, all labels, and of the variables (craton.Variables) those that differ. A
	// key that is missing in Before's variables is new. Before is nil for a created object, both are for an
	// unchanged one.
	Before, After map[string]any
}

// treePlan is all steps of a tree, in its order.
type treePlan struct {
	steps []*treeStep
	// levels are the steps that write something, by what must be there before them.
	levels [][]*treeStep
}

// treeStep makes one object of a tree true.
type treeStep struct {
	*Step
	want   *Wanted
	have   *Found // nil: to be created
	id     any    // in the API; nil until it is created
	refs   map[string]target
	level  int
	change Change
}

// target is what a reference comes to: a step's object, a record, or none.
type target struct {
	step   *treeStep
	record *Found
}

// id is nil for none and for what is yet to be created.
func (t target) id() any {
	switch {
	case t.step != nil:
		return t.step.id
	case t.record != nil:
		return t.record.Object[KeyID]
	}
	return nil
}

func (t target) none() bool { return t.step == nil && t.record == nil }

// value is the target as a field's value: an id, or the step that will have one.
func (t target) value() any {
	if id := t.id(); id != nil || t.step == nil {
		return id
	}
	return t.step
}

// sent is a value of a field as the API gets it: what was yet to be created has an id by then.
func sent(v any) any {
	if st, ok := v.(*treeStep); ok {
		return st.id
	}
	return v
}

// planner compares a tree with a state. It is the only thing that decides what is written: check mode stops after
// it, and a create that turns out to be taken goes through its diff again.
type planner struct {
	name     string // of the tree
	brief    bool   // as in Options
	state    *state
	steps    map[*Wanted]*treeStep
	byRecord map[*Found]*treeStep
	outside  map[*schema.Kind]map[string][]*Found // what references can name outside the tree
}

// levelOf are the kinds in the order in which they are written; devices take as many levels as they stand above each other,
// and interfaces come last.
var levelOf = map[*schema.Kind]int{schema.Project: 0, schema.Cloud: 1, schema.Region: 2, schema.Cell: 3, schema.Network: 4, schema.Host: 5}

// planTree is pure: the same tree and state give the same plan. Its error is an *Error with everything that the
// API cannot make true.
func planTree(t *Tree, s *state, brief bool) (*treePlan, *planner, error) {
	p := &planner{name: t.Name, brief: brief, state: s, steps: make(map[*Wanted]*treeStep, len(t.Objects)), byRecord: map[*Found]*treeStep{}}
	out := &treePlan{steps: make([]*treeStep, 0, len(t.Objects))}
	records := finder{state: s}
	for _, w := range t.Objects {
		st := &treeStep{want: w, have: records.find(w)}
		if st.have != nil {
			st.id = st.have.Object[KeyID]
			p.byRecord[st.have] = st
		}
		p.steps[w] = st
		out.steps = append(out.steps, st)
	}
	var bad Problems
	for _, st := range out.steps {
		p.diff(st, &bad)
		if st.change.Action != Updated {
			st.Step = nil // nobody looks at it again, or only when it is created: see writer.write
		}
	}
	deepest := levelOf[schema.Host]
	for _, st := range out.steps {
		st.level = levelOf[Space(st.want.Kind)]
		if isDevice(st.want.Kind) {
			st.level += p.depth(st, &bad)
			deepest = max(deepest, st.level)
		}
	}
	if err := bad.Err(t.Name); err != nil {
		return nil, nil, err
	}
	out.levels = make([][]*treeStep, deepest+2)
	for _, st := range out.steps {
		if st.want.Kind == schema.NetworkInterface {
			st.level = len(out.levels) - 1
		}
		if st.change.Action != Unchanged {
			out.levels[st.level] = append(out.levels[st.level], st)
		}
	}
	return out, p, nil
}

// diff decides what a step writes, and describes it. It may be called again after have was set anew.
func (p *planner) diff(st *treeStep, bad *Problems) {
	w := *st.want
	if st.have != nil && st.have.Kind != w.Kind {
		bad.Add(w.Line, w.Path, "it is a %s here and a %s in the API; rename it, or delete the one in the API and apply again",
			w.Noun, st.have.Kind.Noun())
		return
	}
	var targets map[string]target
	w.Values = make(map[string]any, len(st.want.Values)+len(st.want.Refs)+len(placeFields))
	maps.Copy(w.Values, st.want.Values)
	p.place(&w)
	for _, option := range w.Order {
		ref := w.Refs[option]
		if ref == nil {
			continue
		}
		t, problem := p.resolve(st.want, Referred(w.Kind, option), ref)
		if problem != "" {
			bad.Add(ref.Line, ref.Path, "%s", problem)
			continue
		}
		if targets == nil {
			targets = map[string]target{}
		}
		targets[option], w.Values[w.Kind.ByOption(option).Key] = t, t.value()
	}
	var have Object
	if st.have != nil {
		have = st.have.Object
	}
	st.Step = compare(&w, have)
	st.refs = nil
	for option, t := range targets {
		if _, updated := st.Update[w.Kind.ByOption(option).Key]; updated || st.Create && !t.none() {
			if st.refs == nil {
				st.refs = map[string]target{}
			}
			st.refs[option] = t
		}
	}
	p.refuse(st, targets, bad)
	p.describe(st)
}

// place adds where an object stands in the tree.
func (p *planner) place(w *Wanted) {
	if w.Kind.Field(deviceField.Key) != nil {
		w.Values[deviceField.Key] = target{step: p.steps[w.In]}.value()
		return
	}
	for _, f := range placeFields {
		if w.Kind.Field(f.Key) == nil {
			continue
		}
		if above := w.In.Above(schema.ByName(f.To[0])); above != nil {
			w.Values[f.Key] = target{step: p.steps[above]}.value()
		} else if isDevice(w.Kind) {
			w.Values[f.Key] = nil // in no cell
		}
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
			bad.Add(w.Line, w.Path+"."+KeyVariables, "%s differ from the API's, which cannot change the variables of an %s; delete it and apply again",
				quotedKeys(p.differing(st)), w.Noun)
			continue
		}
		f, option, path := w.Kind.ByOption(d.Option), d.Option, w.Path
		before, after := fileValue(f, d.Have), fileValue(f, d.Want)
		switch ref := w.Refs[option]; {
		case ref != nil:
			path = ref.Path
			before, after = p.haveName(Referred(w.Kind, option), d.Have), p.targetName(targets[option])
		case f.Type == schema.Reference: // its place in the tree says it
			option = "its " + option
			before, after = p.haveName(Referred(w.Kind, d.Option), d.Have), nil
			if above := w.In.Above(Referred(w.Kind, d.Option)); above != nil {
				after = above.Name
			}
			if text, ok := before.(string); ok && p.state.byID[Referred(w.Kind, d.Option)][d.Have] == nil {
				before = plainText(text)
			}
		}
		bad.Add(w.Line, path, "%s is %s in the API and %s here, and the API cannot change it; delete the %s and apply again",
			option, valueText(before), valueText(after), w.Noun)
	}
	if w.Kind == schema.Project && p.state.readOnly && len(st.Set) > 0 {
		bad.Add(w.Line, w.Path+"."+KeyVariables, "%s differ from the API's or cannot be read, and this user may not change the project's variables; let an admin of the project apply the file", quotedKeys(st.Set))
	}
}

// differing are the variables of an object that are not what is wanted.
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

// fileValue is a canonical value as a fleet file would write it.
func fileValue(f *schema.Field, v any) any {
	switch {
	case v != nil || f.Type == schema.Reference:
		return v
	case f.Type == schema.Integer:
		return 0
	}
	return ""
}

// haveName is the name of what an object refers to in the API; nil for none.
func (p *planner) haveName(space *schema.Kind, id any) any {
	if id == nil {
		return nil
	}
	if r := p.state.byID[space][id]; r != nil {
		return p.targetName(target{record: r})
	}
	return fmt.Sprintf("one with the id %v", id) // it was not read, because the tree does not speak of where it is
}

// targetName is the text by which a file names the target without doubt; nil for none.
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

// describe says what a step does.
func (p *planner) describe(st *treeStep) {
	w := st.want
	ch := Change{Kind: w.Kind.Name, Name: w.Qualified(), Action: Created}
	if !st.Create {
		ch.Action = Unchanged
	} else if !p.brief {
		ch.After = map[string]any{}
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
	if len(st.AddLabels) > 0 || st.Create && len(w.Labels) > 0 {
		differs(KeyLabels, append([]string{}, st.Before.Labels()...), st.After.Labels())
	}
	set := st.Set
	if st.Create {
		set = w.Variables
	}
	if len(set) > 0 && p.brief {
		differs(KeyVariables, nil, nil)
	} else if len(set) > 0 {
		before := craton.Variables{}
		for key := range set {
			if have, ok := st.Before.Variables()[key]; ok {
				before[key] = have
			}
		}
		differs(KeyVariables, before, maps.Clone(set))
	}
	st.change = ch
}

// resolve finds what a reference names: in the tree, else in the API.
func (p *planner) resolve(w *Wanted, space *schema.Kind, ref *Reference) (t target, problem string) {
	switch {
	case ref.Text == "":
		return target{}, ""
	case ref.Target != nil:
		return target{step: p.steps[ref.Target]}, ""
	case space == schema.Cell:
		if r := p.inRegion(w, space, ref.Text); r != nil {
			return target{record: r}, ""
		}
		return target{}, fmt.Sprintf("the region %s has no cell %s, neither here nor in the API; add it to the region's cells", w.In.Name, PathName(ref.Text))
	}
	p.indexOutside()
	found := p.outside[space][ref.Text]
	if space == schema.Network {
		if r := p.inRegion(w, space, ref.Text); r != nil {
			found = []*Found{r}
		}
	}
	switch len(found) {
	case 0:
		return target{}, fmt.Sprintf("there is no %s %s, neither here nor in the API; write its name, or region/name, or cloud/region/name", SpaceNoun(space), PathName(ref.Text))
	case 1:
		return target{record: found[0]}, ""
	}
	var names []string
	for _, r := range found {
		names = append(names, strings.Join(p.state.path(r), "/"))
	}
	return target{}, Ambiguous(ref.Text, space, names)
}

// inRegion is what the API has by a name in the region that an object stands in.
func (p *planner) inRegion(w *Wanted, space *schema.Kind, name string) *Found {
	region := p.state.lookup(w.Above(schema.Region))
	if region == nil {
		return nil
	}
	return p.state.byName[recordKey{space, region.Object[KeyID], name}]
}

// indexOutside indexes what the API has by the texts that can name it, once it is needed.
func (p *planner) indexOutside() {
	if p.outside != nil {
		return
	}
	p.outside = map[*schema.Kind]map[string][]*Found{schema.Host: {}, schema.Network: {}}
	for space, index := range p.outside {
		for _, r := range p.state.byID[space] {
			for _, m := range Mentions(p.state.path(r)) {
				index[m] = append(index[m], r)
			}
		}
	}
}

// quotedKeys shortens a list of names for an error.
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

// depth is how many devices of the tree stand above a device once the plan is carried out. A device is written after
// all of them, so the API never sees a parent that is its child's descendant (v1 contract §6.4), however the
// tree turns them around.
func (p *planner) depth(st *treeStep, bad *Problems) int {
	const option, key = "parent", "parent_id"
	parent := func(n target) (target, bool) {
		var id any
		if n.step != nil {
			if t, changed := n.step.refs[option]; changed {
				return t, !t.none()
			}
			if n.step.have == nil {
				return target{}, false
			}
			id = n.step.have.Object[key]
		} else {
			id = n.record.Object[key]
		}
		r := p.state.byID[schema.Host][id]
		switch {
		case r == nil: // none, or in a region that was not read
			return target{}, false
		case p.byRecord[r] != nil:
			return target{step: p.byRecord[r]}, true
		}
		return target{record: r}, true
	}
	name := func(n target) string {
		if n.step != nil {
			return n.step.want.Name
		}
		return n.record.name()
	}
	depth := 0
	start := target{step: st}
	walk := []target{start}
	seen := map[target]bool{start: true}
	for at := start; ; {
		next, ok := parent(at)
		if !ok {
			return depth
		}
		if next.step != nil {
			depth++
		}
		walk = append(walk, next)
		if seen[next] {
			// Told where the tree closes the circle: at the parent that it changes.
			if _, changed := st.refs[option]; changed && next == start {
				ref := st.want.Refs[option]
				bad.Add(ref.Line, ref.Path, "%s", Circle(walk, name))
			}
			return 0
		}
		seen[next] = true
		at = next
	}
}
