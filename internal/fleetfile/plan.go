package fleetfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/value"
)

// Action is what is done to an object.
type Action string

// The actions. Nothing is ever deleted.
const (
	Created   Action = "created"
	Updated   Action = "updated"
	Unchanged Action = "unchanged"
)

// Change is what a file does to one object.
type Change struct {
	Kind   string // KindHost, ...
	Name   string // with all that holds it, such as east/dfw/c1/web1; "" for the project
	Action Action
	// Fields are the keys of the file that differ, in the order of the documentation: "note", "parent", "labels",
	// "variables". For a created object, all that the file gives.
	Fields []string
	// Before and After hold the fields that differ, each as the file would write it: references as
	// cloud/region/name, cells by name, all labels, and of the variables (map[string]json.RawMessage) those that differ. A
	// key that is missing in Before's variables is new. Before is nil for a created object, both are for an
	// unchanged one.
	Before, After map[string]any
}

// plan is all steps of a file, in its order.
type plan struct {
	steps []*step
	// levels are the steps that write something, by what must be there before them.
	levels [][]*step
}

// step makes one object true.
type step struct {
	object    *object
	have      *record // nil: to be created
	id        int     // in the API; 0 until it is created
	projectID string  // of the project's own step
	set       map[string]any
	refs      map[string]target
	variables craton.Variables
	labels    []string // to be added
	level     int
	change    Change
}

// target is what a reference comes to: a step's object, a record, or none.
type target struct {
	step   *step
	record *record
}

// id is 0 for none and for what is yet to be created.
func (t target) id() int {
	switch {
	case t.step != nil:
		return t.step.id
	case t.record != nil:
		return t.record.id
	}
	return 0
}

func (t target) none() bool { return t.step == nil && t.record == nil }

// planner compares a file with a state. It is the only thing that decides what is written: check mode stops after
// it, and a create that turns out to be taken goes through its diff again.
type planner struct {
	name     string // of the file
	state    *state
	steps    map[*object]*step
	byRecord map[*record]*step
	outside  map[class]map[string][]*record // what references can name outside the file
}

// makePlan is pure: the same file and state give the same plan. Its error is an *Error with everything that the
// API cannot make true.
func makePlan(f *File, s *state) (*plan, *planner, error) {
	p := &planner{name: f.name, state: s, steps: map[*object]*step{}, byRecord: map[*record]*step{}}
	out := &plan{}
	for _, o := range f.objects {
		st := &step{object: o, have: s.lookup(o)}
		if st.have != nil {
			st.id, st.projectID = st.have.id, st.have.projectID
			p.byRecord[st.have] = st
		}
		p.steps[o] = st
		out.steps = append(out.steps, st)
	}
	var bad problems
	for _, st := range out.steps {
		p.diff(st, &bad)
	}
	deepest := 0
	for _, st := range out.steps {
		st.level = int(st.object.spec.class)
		if st.object.spec.class == classDevice {
			st.level += p.depth(st, &bad)
			deepest = max(deepest, st.level)
		}
	}
	if err := bad.err(f.name); err != nil {
		return nil, nil, err
	}
	out.levels = make([][]*step, max(deepest, int(classInterface))+2)
	for _, st := range out.steps {
		if st.object.spec.class == classInterface {
			st.level = len(out.levels) - 1
		}
		if st.change.Action != Unchanged {
			out.levels[st.level] = append(out.levels[st.level], st)
		}
	}
	return out, p, nil
}

// diff decides what a step writes, and describes it. It may be called again after have was set anew.
func (p *planner) diff(st *step, bad *problems) {
	o := st.object
	st.set, st.refs, st.variables, st.labels = map[string]any{}, map[string]target{}, craton.Variables{}, nil
	ch := Change{Kind: o.spec.kind, Name: o.qualified(), Action: Created, After: map[string]any{}}
	if st.have != nil {
		ch.Action, ch.Before = Unchanged, map[string]any{}
	}
	differs := func(key string, before, after any) {
		ch.Fields = append(ch.Fields, key)
		ch.After[key] = after
		if st.have != nil {
			ch.Action, ch.Before[key] = Updated, before
		}
	}
	if st.have != nil && st.have.kind != o.spec.kind && o.spec != projectSpec {
		bad.add(o.line, o.path, "it is a %s here and a %s in the API; rename it, or delete the one in the API and apply again",
			o.spec.noun, strings.ReplaceAll(st.have.kind, "-", " "))
		return
	}
	p.cell(st, bad)
	for _, f := range o.spec.fields {
		if ref := o.refs[f.key]; ref != nil {
			p.reference(st, f, ref, bad, differs)
			continue
		}
		want, given := o.values[f.key]
		switch {
		case !given:
		case st.have == nil:
			if want != "" { // a new object's text is empty already
				st.set[f.key] = want
				differs(f.key, nil, want)
			}
		case !f.equal(st.have.values[f.key], want):
			if f.fixed {
				p.fixed(o, o.path, f.key, st.have.values[f.key], want, bad)
				continue
			}
			st.set[f.key] = want
			differs(f.key, st.have.values[f.key], want)
		}
	}
	p.labels(st, differs)
	p.variables(st, bad, differs)
	if ch.Action == Unchanged {
		ch.Before, ch.After = nil, nil
	}
	st.change = ch
}

// fixed reports a field that the API never changes (v1 contract §2.4).
func (p *planner) fixed(o *object, path, key string, before, after any, bad *problems) {
	bad.add(o.line, path, "%s is %s in the API and %s here, and the API cannot change it; delete the %s and apply again",
		key, valueText(before), valueText(after), o.spec.noun)
}

func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case string:
		if v == "" {
			return "none"
		}
		return pathName(v)
	}
	return fmt.Sprint(v)
}

// cell compares where a device stands: its place in the file says it, a key does not.
func (p *planner) cell(st *step, bad *problems) {
	o := st.object
	if o.spec.class != classDevice || st.have == nil {
		return
	}
	before, after := p.cellName(st.have.refs["cell"]), any(nil)
	cellID := 0
	if cell := o.above(classCell); cell != nil {
		after, cellID = cell.name, p.steps[cell].id
		if cellID == 0 {
			cellID = -1 // yet to be created: certainly another one
		}
	}
	if cellID != st.have.refs["cell"] {
		p.fixed(o, o.path, "its cell", before, after, bad)
	}
}

func (p *planner) cellName(id int) any {
	if id == 0 {
		return nil
	}
	if r := p.state.byID[classCell][id]; r != nil {
		return r.name
	}
	return unnamed(id)
}

// unnamed is an object of the API that was not read, because the file does not speak of where it is.
type unnamed int

// String names it by its id.
func (u unnamed) String() string { return fmt.Sprintf("one with the id %d", int(u)) }

// reference compares a parent, a network or a network's cell.
func (p *planner) reference(st *step, f fieldSpec, ref *reference, bad *problems, differs func(string, any, any)) {
	c, _ := f.form.reference()
	t, problem := p.resolve(st.object, c, ref)
	if problem != "" {
		bad.add(ref.line, ref.path, "%s", problem)
		return
	}
	if st.have == nil {
		if !t.none() {
			st.refs[f.key] = t
			differs(f.key, nil, p.targetName(t))
		}
		return
	}
	have := st.have.refs[f.key]
	if have == t.id() && (have != 0 || t.none()) {
		return
	}
	before := any(nil)
	if have != 0 {
		if r := p.state.byID[c][have]; r != nil {
			before = p.targetName(target{record: r})
		} else {
			before = unnamed(have).String()
		}
	}
	if f.fixed {
		p.fixed(st.object, ref.path, f.key, before, p.targetName(t), bad)
		return
	}
	st.refs[f.key] = t
	differs(f.key, before, p.targetName(t))
}

// targetName is the text by which a file names the target without doubt; nil for none.
func (p *planner) targetName(t target) any {
	switch {
	case t.none():
		return nil
	case t.step != nil && t.step.object.spec.class == classCell:
		return t.step.object.name
	case t.step != nil:
		return strings.Join(mentionPath(t.step.object), "/")
	case t.record.class == classCell:
		return t.record.name
	}
	return strings.Join(p.state.path(t.record), "/")
}

// resolve finds what a reference names: in the file, else in the API.
func (p *planner) resolve(o *object, c class, ref *reference) (t target, problem string) {
	switch {
	case ref.none:
		return target{}, ""
	case ref.target != nil:
		return target{step: p.steps[ref.target]}, ""
	case c == classCell:
		if region := p.state.lookup(o.above(classRegion)); region != nil {
			if r := p.state.byName[recordKey{classCell, region.id, ref.text}]; r != nil {
				return target{record: r}, ""
			}
		}
		return target{}, fmt.Sprintf("the region %s has no cell %s, neither here nor in the API; add it to the region's cells", o.in.name, pathName(ref.text))
	}
	p.indexOutside()
	found := p.outside[c][ref.text]
	if c == classNetwork {
		if region := p.state.lookup(o.above(classRegion)); region != nil {
			if r := p.state.byName[recordKey{c, region.id, ref.text}]; r != nil {
				found = []*record{r}
			}
		}
	}
	switch len(found) {
	case 0:
		return target{}, fmt.Sprintf("there is no %s %s, neither here nor in the API; write its name, or region/name, or cloud/region/name", c, pathName(ref.text))
	case 1:
		return target{record: found[0]}, ""
	}
	var names []string
	for _, r := range found {
		names = append(names, strings.Join(p.state.path(r), "/"))
	}
	return target{}, ambiguous(ref.text, c, names)
}

// indexOutside indexes what the API has by the texts that can name it, once it is needed.
func (p *planner) indexOutside() {
	if p.outside != nil {
		return
	}
	p.outside = map[class]map[string][]*record{classDevice: {}, classNetwork: {}}
	for c, index := range p.outside {
		for _, r := range p.state.byID[c] {
			path := p.state.path(r)
			for i := range path {
				m := strings.Join(path[i:], "/")
				index[m] = append(index[m], r)
			}
		}
	}
}

// labels finds those that are missing. Labels that the file does not give stay.
func (p *planner) labels(st *step, differs func(string, any, any)) {
	var have []string
	if st.have != nil {
		have = st.have.labels
	}
	for _, l := range st.object.labels {
		if !slices.Contains(have, l) {
			st.labels = append(st.labels, l)
		}
	}
	if len(st.labels) > 0 {
		after := append(slices.Clone(have), st.labels...)
		slices.Sort(after)
		differs("labels", append([]string{}, have...), after)
	}
}

// variables finds those that differ. Variables that the file does not give stay.
func (p *planner) variables(st *step, bad *problems, differs func(string, any, any)) {
	o := st.object
	before := craton.Variables{}
	for key, want := range o.variables {
		if st.have != nil {
			if have, ok := st.have.variables[key]; ok {
				if value.EqualJSON(have, want) {
					continue
				}
				before[key] = have
			}
		}
		st.variables[key] = want
	}
	if len(st.variables) == 0 {
		return
	}
	keys := strings.Join(quoted(st.variables.Keys()), ", ")
	switch {
	case o.spec == projectSpec && st.have.kind == "":
		bad.add(o.line, join(o.path, "variables"), "%s differ from the API's or cannot be read, and this user may not change the project's variables; let an admin of the project apply the file", keys)
	case o.spec.fixedVariables && st.have != nil:
		bad.add(o.line, join(o.path, "variables"), "%s differ from the API's, which cannot change the variables of an %s; delete it and apply again", keys, o.spec.noun)
	default:
		differs("variables", before, maps.Clone(st.variables))
	}
}

// quoted shortens a list of names for an error.
func quoted(names []string) []string {
	const most = 5
	var out []string
	for i, n := range names {
		if i == most {
			return append(out, fmt.Sprintf("%d more", len(names)-most))
		}
		out = append(out, pathName(n))
	}
	return out
}

// depth is how many devices of the file stand above a device once the plan is carried out. A device is written after
// all of them, so the API never sees a parent that is its child's descendant (v1 contract §6.4), however the
// file turns a tree around.
func (p *planner) depth(st *step, bad *problems) int {
	parent := func(n target) (target, bool) {
		var id int
		if n.step != nil {
			if t, changed := n.step.refs["parent"]; changed {
				return t, !t.none()
			}
			if n.step.have == nil {
				return target{}, false
			}
			id = n.step.have.refs["parent"]
		} else {
			id = n.record.refs["parent"]
		}
		r := p.state.byID[classDevice][id]
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
			return n.step.object.name
		}
		return n.record.name
	}
	depth := 0
	start := target{step: st}
	walk := []target{start}
	seen := map[any]bool{any(st): true}
	for at := start; ; {
		next, ok := parent(at)
		if !ok {
			return depth
		}
		key := any(next.record)
		if next.step != nil {
			key = next.step
			depth++
		}
		walk = append(walk, next)
		if seen[key] {
			// Told where the file closes the circle: at the parent that it changes.
			if _, changed := st.refs["parent"]; changed && next == start {
				ref := st.object.refs["parent"]
				bad.add(ref.line, ref.path, "%s", circle(walk, name))
			}
			return 0
		}
		seen[key] = true
		at = next
	}
}

// body is what the step sends in its create or update, by the API's keys.
func (p *planner) body(st *step) map[string]any {
	o := st.object
	body := maps.Clone(st.set)
	for key, t := range st.refs {
		body[o.spec.field(key).api()] = t.id() // 0, none, travels as null: craton.Ref
	}
	if st.have != nil {
		return body
	}
	body["name"] = o.name
	switch o.spec.class {
	case classInterface:
		body["device_id"] = p.steps[o.in].id
	default:
		for _, c := range []class{classCloud, classRegion, classCell} {
			if above := o.above(c); above != nil && above != o {
				body[c.String()+"_id"] = p.steps[above].id
			}
		}
	}
	if len(st.variables) > 0 {
		body["variables"] = st.variables
	}
	if len(st.labels) > 0 && o.spec.createLabels {
		body["labels"] = st.labels
	}
	return body
}
