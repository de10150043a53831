package reconcile

import (
	"cmp"
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// treeStep is the step of one object of a tree.
type treeStep struct {
	*Step     // nil for wanted objects in a tree: many steps take several times the memory of the tree. See Plan.restore
	want      *Wanted
	have      *Found // nil: to be created
	id        any    // in the API; nil until it is created
	refs      map[string]target
	level     int
	inherited bool // it changes what other objects inherit
	change    Change
}

// called returns a name of the object for errors: interface east/dfw/web1/eth0.
func (st *treeStep) called() string { return st.label(st.change.Name) }

// oldLabel returns the name of the object, for errors, before it is moved or renamed.
func (st *treeStep) oldLabel() string { return st.label(cmp.Or(st.change.From, st.change.Name)) }

// label returns a name of the object, for errors, from a path.
func (st *treeStep) label(path string) string {
	noun := schema.Noun(st.change.Kind)
	if st.want != nil {
		noun = st.want.Noun
	}
	if path == "" { // the project
		return noun
	}
	return noun + " " + value.ShownPath(path)
}

// target is what a reference resolves to: the object of a step, an existing object, or none.
type target struct {
	step   *treeStep
	record *Found
}

// id returns nil for none, and for an object that has not been created yet.
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

// value returns the value of a field: an id, or the step that will create the object.
func (t target) value() any {
	if id := t.id(); id != nil || t.step == nil {
		return id
	}
	return t.step
}

// apiValue returns the value of a field for the API: objects that the plan creates have an id by then.
func apiValue(v any) any {
	if st, ok := v.(*treeStep); ok {
		return st.id
	}
	return v
}

// planner compares a tree with a state. It alone decides what is written: check mode stops after it, and if a name
// turns out to be taken, the object is compared by its diff again.
type planner struct {
	name     string // of the tree
	brief    bool   // as in Options
	options  *Options
	state    *state
	steps    map[*Wanted]*treeStep
	byRecord map[*Found]*treeStep
	outside  map[*schema.Kind]map[string][]*Found // objects outside the tree that references can name
	spelled  map[recordKey]*Found                 // objects of the API with names that are not in composed form, by the composed name; nil: not indexed yet
}

// levelOf are the kinds in the order of writes; devices have as many levels as their nesting needs, and interfaces come
// last.
var levelOf = map[*schema.Kind]int{schema.Project: 0, schema.Cloud: 1, schema.Region: 2, schema.Cell: 3, schema.Network: 4, schema.Host: 5}

// planTree is a pure function: the same tree and state give the same plan. Its error is an *Error with everything that
// the API cannot do.
func planTree(t *Tree, s *state, o *Options) (*Plan, error) {
	p := &planner{name: t.Name, brief: o.Brief, options: o, state: s, steps: make(map[*Wanted]*treeStep, len(t.Objects)), byRecord: map[*Found]*treeStep{}}
	out := &Plan{planner: p, steps: make([]*treeStep, 0, len(t.Objects))}
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
		st.inherited = st.touches()
		st.Step = nil
	}
	p.checkDuplicates(t, out.steps, &bad)
	deepest := levelOf[schema.Host]
	for _, st := range out.steps {
		st.level = levelOf[Space(st.want.Kind)]
		if isDevice(st.want.Kind) {
			st.level += p.depth(st, &bad)
			deepest = max(deepest, st.level)
		}
	}
	if err := bad.Err(t.Name); err != nil {
		return nil, err
	}
	for _, st := range out.steps {
		if st.want.Kind == schema.NetworkInterface {
			st.level = deepest + 1
		}
	}
	return out, nil
}

// diff decides what a step writes, and describes it. It may be called again after have was set again.
func (p *planner) diff(st *treeStep, bad *Problems) {
	w := *st.want
	bad.File = w.File
	w.Move = p.options.Move && (st.have == nil || p.state.canMove())
	if st.have != nil && st.have.Kind != w.Kind {
		bad.refuse(w.Line, w.Path, refusal{reason: ReasonOtherKind, of: st.want, what: fmt.Sprintf("it is a %s here and a %s in the API", w.Noun, st.have.Kind.Noun()),
			do: "rename it, or delete the one in the API and apply again"})
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
		if problem != nil {
			bad.refuse(ref.Line, ref.Path, *problem)
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
	if st.Create {
		p.checkLookalike(st, bad)
	}
	if l := st.checkForm(); l != nil {
		at, ok := w.Beyond[l.of]
		if !ok {
			at = Position{Line: w.Line, Path: w.Path}
		}
		bad.File = cmp.Or(at.File, w.File)
		bad.refuse(at.Line, at.Path, refusal{reason: l.reason, of: st.want, what: l.what, do: l.do})
		bad.File = w.File
	}
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

// checkLookalike refuses a new name that looks like another one: see value.CheckForm.
func (p *planner) checkLookalike(st *treeStep, bad *Problems) {
	w := st.want
	if !strings.ContainsFunc(w.Name, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return // of most
	}
	if r := p.lookalike(w); r != nil {
		bad.refuse(w.Line, w.Path, refusal{reason: ReasonLookalike, of: w, other: strings.Join(p.state.path(r), "/"),
			what: fmt.Sprintf("the %s %s (id %s) has a name that looks the same as %s in another Unicode form", r.Kind.Noun(), value.CodePoints(r.name()), r.ID(), value.CodePoints(w.Name)),
			do:   "rename that one by its id, or write the name as the API has it"})
	} else if err := value.CheckForm(w.Name); err != nil {
		what, do := advice.Split(err)
		bad.refuse(w.Line, w.Path, refusal{reason: ReasonInvalid, of: w, what: "the name " + what, do: do})
	}
}

// lookalike returns an object of the API in the same place with another spelling of the same name; nil for none.
func (p *planner) lookalike(w *Wanted) *Found {
	if p.spelled == nil {
		p.spelled = map[recordKey]*Found{}
		for key, r := range p.state.byName {
			if composed := value.Composed(key.name); composed != key.name {
				p.spelled[recordKey{key.space, key.scope, composed}] = r
			}
		}
	}
	var scope any
	if in := w.Scope(); in != nil {
		r := p.state.lookup(in)
		if r == nil {
			return nil
		}
		scope = r.Object[KeyID]
	}
	composed := value.Composed(w.Name)
	if r := p.spelled[recordKey{Space(w.Kind), scope, composed}]; r != nil || composed == w.Name {
		return r
	}
	return p.state.byName[recordKey{Space(w.Kind), scope, composed}]
}

// place sets the place of an object from its position in the tree.
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

// resolve finds the object that a reference names: in the tree, or else in the API.
func (p *planner) resolve(w *Wanted, space *schema.Kind, ref *Reference) (t target, problem *refusal) {
	switch {
	case ref.Text == "":
		return target{}, nil
	case ref.Target != nil:
		return target{step: p.steps[ref.Target]}, nil
	case space == schema.Cell:
		if r := p.inRegion(w, space, ref.Text); r != nil {
			return target{record: r}, nil
		}
		return target{}, &refusal{reason: ReasonUnknown, of: w, what: fmt.Sprintf("the region %s has no cell %s, neither here nor in the API", w.In.Name, PathName(ref.Text)),
			do: "add it to the region's cells"}
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
		return target{}, &refusal{reason: ReasonUnknown, of: w, what: fmt.Sprintf("there is no %s %s, neither here nor in the API", SpaceNoun(space), PathName(ref.Text)),
			do: "write its name, or region/name, or cloud/region/name"}
	case 1:
		return target{record: found[0]}, nil
	}
	var names []string
	for _, r := range found {
		names = append(names, strings.Join(p.state.path(r), "/"))
	}
	what, do := AmbiguousText(ref.Text, space, names)
	return target{}, &refusal{reason: ReasonAmbiguous, of: w, what: what, do: do}
}

// inRegion returns the object of the API with a name in the region of an object.
func (p *planner) inRegion(w *Wanted, space *schema.Kind, name string) *Found {
	region := p.state.lookup(w.Above(schema.Region))
	if region == nil {
		return nil
	}
	return p.state.byName[recordKey{space, region.Object[KeyID], name}]
}

// indexOutside indexes the objects of the API by the texts that can name them, when it is first needed.
func (p *planner) indexOutside() {
	if p.outside != nil {
		return
	}
	p.outside = map[*schema.Kind]map[string][]*Found{schema.Host: {}, schema.Network: {}}
	for space, index := range p.outside {
		for _, r := range p.state.byID[space] {
			if st := p.byRecord[r]; st != nil && p.state.moved[st.want] == r {
				continue // under its new place, as everywhere in the tree
			}
			for _, m := range Mentions(p.state.path(r)) {
				index[m] = append(index[m], r)
			}
		}
	}
}

// depth returns how many devices of the tree are ancestors of a device after the plan. A device is written after all of
// them, so that the API never sees a parent that is its child's descendant (v1 contract §6.4), however the tree
// reorders them.
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
			// Reported where the tree closes the cycle: at the parent that it changes.
			if _, changed := st.refs[option]; changed && next == start {
				ref := st.want.Refs[option]
				bad.File = st.want.File
				what, do := CircleText(walk, name)
				bad.refuse(ref.Line, ref.Path, refusal{reason: ReasonCircular, of: st.want, what: what, do: do})
			}
			return 0
		}
		seen[next] = true
		at = next
	}
}
