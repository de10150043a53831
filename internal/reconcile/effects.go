package reconcile

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"maps"
	"slices"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/schema"
)

// Effects describe how a plan changes resolved variables, as Ansible sees them. Created and deleted hosts do not count.
type Effects struct {
	Hosts          int      `json:"hosts"`           // hosts with a changed value of any variable
	NetworkDevices int      `json:"network_devices"` // hosts and network devices
	Causes         []Effect `json:"causes"`          // changes that affect other objects
}

// Effect describes how the change of one variable of an object affects the objects that inherit it. An Effect without a
// kind describes the total effect of moves and new parents on the moved devices.
type Effect struct {
	Kind           string `json:"kind"`
	Name           string `json:"name"`
	Key            string `json:"key"`
	Hosts          int    `json:"hosts"`           // objects whose value changes
	NetworkDevices int    `json:"network_devices"` //
	Shadowed       int    `json:"shadowed"`        // hosts and network devices with a nearer value, which overrides it
}

// level is an object between a device and its project, before and after a plan.
type level struct {
	record        *Found    // nil for a created object
	step          *treeStep // complete; nil if the plan does not change it
	before, after craton.Variables
}

// affects determines the effects of a plan on resolved variables.
type affects struct {
	*loader
	plan    *Plan
	steps   map[needKey]*treeStep // of existing objects, where it matters to what inherits from them
	levels  map[*Found]*level
	created map[*treeStep]*level
	project *level
	device  *level                           // the current device: most are nobody's parents, and are dropped afterwards
	causes  map[[2]string]map[string]*Effect // by kind and name, by key
}

// effects reads what is needed in addition to the plan, and determines the effects. It reads nothing if no inherited
// variable changes.
func (l *loader) effects(ctx context.Context, p *Plan) (*Effects, error) {
	a := &affects{loader: l, plan: p, steps: map[needKey]*treeStep{}, levels: map[*Found]*level{}, created: map[*treeStep]*level{},
		causes: map[[2]string]map[string]*Effect{}}
	reads := scopeOfReading{regions: map[any]bool{}}
	for _, st := range p.steps {
		if st.change.Action == Unchanged || st.have == nil {
			continue
		}
		if st.inherited || st.change.Action == Deleted {
			a.steps[keyOf(st.have)] = st
		}
		if st.inherited {
			reads.add(st, l.state)
		}
	}
	if !reads.any {
		return &Effects{Causes: []Effect{}}, nil
	}
	if err := a.gather(ctx, &reads); err != nil {
		return nil, readError(err)
	}
	return a.find(), nil
}

// keyOf identifies an existing object, wherever it was read.
func keyOf(r *Found) needKey { return needKey{Space(r.Kind), r.Object[KeyID]} }

// touches reports whether a step changes what other objects inherit.
func (st *treeStep) touches() bool {
	if st.Step == nil || st.Create || st.Remove {
		return false
	}
	_, parent := st.Update["parent_id"]
	return len(st.Set)+len(st.Unset)+len(st.Move) > 0 || parent
}

// scopeOfReading determines which devices must be read.
type scopeOfReading struct {
	any, all bool
	regions  map[any]bool
	parents  []any // devices whose children must be read
}

func (s *scopeOfReading) add(st *treeStep, in *state) {
	s.any = true
	o := st.have.Object
	switch st.have.Kind {
	case schema.Project:
		s.all = true
	case schema.Cloud:
		for id, r := range in.byID[schema.Region] {
			if scopeOf(r) == st.id {
				s.regions[id] = true
			}
		}
	case schema.Region:
		s.regions[st.id] = true
	case schema.Cell:
		s.regions[o["region_id"]] = true
	case schema.Host, schema.NetworkDevice:
		s.parents = append(s.parents, st.id)
	}
	if len(s.parents) > maxLookups || len(s.regions) > maxRegionLists {
		s.all = true
	}
}

// gather reads cells, the project's variables, and devices that have not been read yet.
func (a *affects) gather(ctx context.Context, s *scopeOfReading) error {
	reads := []listing{a.list(schema.Cell, own)}
	device := func(region any) listing {
		if a.streams(ctx) {
			return a.stream(region)
		}
		return a.list(schema.Device, own.with(Filters{"region_id": region}))
	}
	switch {
	case a.everyRegion():
	case s.all:
		reads = append(reads, device(nil))
	default:
		for id := range s.regions {
			if !a.state.regions[id] {
				reads = append(reads, device(id))
			}
		}
		for _, id := range s.parents {
			reads = append(reads, a.list(schema.Device, own.with(Filters{"parent_id": id}))) // including their descendants
		}
	}
	if err := a.all(ctx, reads); err != nil {
		return err
	}
	if err := a.parents(ctx); err != nil {
		return err
	}
	a.project = &level{record: &Found{Object{}, schema.Project}}
	if p := a.state.project; p != nil {
		a.project = a.levelOf(p)
	}
	if a.project.step != nil {
		return nil
	}
	if a.project.before == nil {
		o, _, err := a.ownProject(ctx)
		if ctx.Err() != nil { // callers that may not read it, or see several, do without
			return err
		}
		a.project.before, a.project.after = o.Variables(), o.Variables()
	}
	return nil
}

// everyRegion reports whether all devices were read.
func (a *affects) everyRegion() bool {
	for id := range a.state.byID[schema.Region] {
		if !a.state.regions[id] && !a.state.regions[nil] {
			return false
		}
	}
	return true
}

// parents reads the parents of devices, which may be in other regions.
func (a *affects) parents(ctx context.Context) error {
	known := a.state.byID[schema.Host]
	asked := map[any]bool{}
	for {
		var lacking []any
		for _, r := range known {
			id := r.Object["parent_id"]
			if id != nil && known[id] == nil && !asked[id] {
				asked[id] = true
				lacking = append(lacking, id)
			}
		}
		if lacking == nil {
			return nil
		}
		var reads []listing
		if len(lacking) > maxLookups {
			reads = append(reads, a.list(schema.Device, own))
		} else {
			for _, id := range lacking {
				reads = append(reads, func(ctx context.Context) ([]*Found, error) {
					return a.called(ctx, schema.Host, Filters{KeyID: id})
				})
			}
		}
		if err := a.all(ctx, reads); err != nil {
			return err
		}
	}
}

// levelAt returns the level of an existing object.
func (a *affects) levelAt(r *Found) *level {
	if a.device != nil && a.device.record == r {
		return a.device
	}
	l := a.levels[r]
	if l == nil {
		l = a.levelOf(r)
		a.levels[r] = l
	}
	return l
}

func (a *affects) levelOf(r *Found) *level {
	l := &level{record: r, before: r.Variables(), after: r.Variables()}
	if st := a.steps[keyOf(r)]; st != nil {
		if l.step = a.plan.restore(st, true); l.step.After != nil {
			l.after = l.step.After.Variables()
		}
	}
	return l
}

// newLevel returns the level of a created object.
func (a *affects) newLevel(st *treeStep) *level {
	l := a.created[st]
	if l == nil {
		whole := a.plan.restore(st, true)
		l = &level{step: whole, after: whole.After.Variables()}
		a.created[st] = l
	}
	return l
}

// parentBefore returns the object that a reference names before the plan.
func (a *affects) parentBefore(of *level, key string) (*level, bool) {
	if key == KeyProject {
		return a.project, true
	}
	return a.byID(key, of.record.Object[key])
}

// parentAfter returns the object that a reference names after the plan.
func (a *affects) parentAfter(of *level, key string) (*level, bool) {
	if key == KeyProject {
		return a.project, true
	}
	v := of.value(key)
	if key == "region_id" || key == "cloud_id" { // devices move with their cell
		if cell, ok := a.byID("cell_id", of.value("cell_id")); ok && cell.step != nil && len(cell.step.Move) > 0 {
			v = cell.value(key)
		}
	}
	return a.byID(key, v)
}

// value returns the value of a field after the plan.
func (l *level) value(key string) any {
	if l.step != nil && l.step.After != nil {
		return l.step.After[key]
	}
	if l.record == nil {
		return nil
	}
	return l.record.Object[key]
}

func (a *affects) byID(key string, id any) (*level, bool) {
	if st, ok := id.(*treeStep); ok {
		return a.newLevel(st), true
	}
	var space *schema.Kind
	switch key {
	case "parent_id":
		space = schema.Host
	case "cell_id":
		space = schema.Cell
	case "region_id":
		space = schema.Region
	case "cloud_id":
		space = schema.Cloud
	default:
		return nil, false
	}
	r := a.state.byID[space][id]
	if r == nil {
		return nil, false
	}
	return a.levelAt(r), true
}

// chain returns the levels of a device, nearest first. A loop of parents ends it.
func chain(levels iter.Seq[*level]) (list []*level) {
	for l := range levels {
		if slices.Contains(list, l) {
			break
		}
		list = append(list, l)
	}
	return list
}

// find examines every device.
func (a *affects) find() *Effects {
	out := &Effects{Causes: []Effect{}}
	for _, r := range a.state.byID[schema.Host] {
		l := a.levels[r] // an ancestor of a device examined earlier
		if l == nil {
			l = a.levelOf(r)
		}
		if a.device = l; l.step != nil && l.step.Remove {
			continue
		}
		before := chain(hierarchy.Levels(r.Kind, l, a.parentBefore))
		after := chain(hierarchy.Levels(r.Kind, l, a.parentAfter))
		if !a.countDevice(r, before, after) {
			continue
		}
		*out.count(r.Kind)++
	}
	for _, of := range a.causes {
		for _, e := range of {
			out.Causes = append(out.Causes, *e)
		}
	}
	rank := func(e Effect) int {
		if k := schema.ByName(e.Kind); k != nil {
			return levelOfKind(k)
		}
		return len(levelOf)
	}
	slices.SortFunc(out.Causes, func(a, b Effect) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key))
	})
	return out
}

func (e *Effects) count(k *schema.Kind) *int {
	if k == schema.NetworkDevice {
		return &e.NetworkDevices
	}
	return &e.Hosts
}

// countDevice counts the effects on a device, and reports whether any of its variables changes.
func (a *affects) countDevice(r *Found, before, after []*level) (changed bool) {
	if !slices.Equal(before, after) { // its places or parents change
		keys := map[string]bool{}
		for _, l := range before {
			for key := range l.before {
				keys[key] = true
			}
		}
		for _, l := range after {
			for key := range l.after {
				keys[key] = true
			}
		}
		for key := range keys {
			if !resolves(before, after, key) {
				continue
			}
			changed = true
			if _, own := ownChange(after[0], key); !own {
				*a.cause("", "", key).count(r.Kind)++
			}
		}
		return changed
	}
	for i, l := range after {
		if l.step == nil {
			continue
		}
		for key := range l.step.changedKeys() {
			shadowed := slices.ContainsFunc(after[:i], func(n *level) bool { _, has := n.after[key]; return has })
			differs := !shadowed && resolves(before, after, key)
			changed = changed || differs
			switch {
			case i == 0: // the change itself shows it
			case shadowed:
				a.cause(l.step.change.Kind, l.step.change.Name, key).Shadowed++
			case differs:
				*a.cause(l.step.change.Kind, l.step.change.Name, key).count(r.Kind)++
			}
		}
	}
	return changed
}

func (e *Effect) count(k *schema.Kind) *int {
	if k == schema.NetworkDevice {
		return &e.NetworkDevices
	}
	return &e.Hosts
}

func ownChange(l *level, key string) (json.RawMessage, bool) {
	if l.step == nil {
		return nil, false
	}
	v, ok := l.step.Set[key]
	return v, ok
}

// changedKeys returns the variables that a step sets or deletes.
func (st *treeStep) changedKeys() iter.Seq[string] {
	return func(yield func(string) bool) {
		if st.Step == nil {
			return
		}
		for key := range maps.Keys(st.Set) {
			if !yield(key) {
				return
			}
		}
		for _, key := range st.Unset {
			if !yield(key) {
				return
			}
		}
	}
}

// resolves reports whether the value of a variable changes.
func resolves(before, after []*level, key string) bool {
	var old, now json.RawMessage
	for _, l := range before {
		if v, ok := l.before[key]; ok {
			old = v
			break
		}
	}
	for _, l := range after {
		if v, ok := l.after[key]; ok {
			now = v
			break
		}
	}
	return (old == nil) != (now == nil) || old != nil && !equalJSON(old, now)
}

func (a *affects) cause(kind, name, key string) *Effect {
	of := [2]string{kind, name}
	if a.causes[of] == nil {
		a.causes[of] = map[string]*Effect{}
	}
	e := a.causes[of][key]
	if e == nil {
		e = &Effect{Kind: kind, Name: name, Key: key}
		a.causes[of][key] = e
	}
	return e
}
