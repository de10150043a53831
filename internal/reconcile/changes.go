package reconcile

import (
	"iter"
	"slices"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// Action is the kind of change made to an object.
type Action string

// The actions. What is moved or renamed may be changed otherwise too.
const (
	Created   Action = "created"
	Updated   Action = "updated"
	Moved     Action = "moved"   // it stands elsewhere, with its id and all that it has
	Renamed   Action = "renamed" // it keeps its id
	Deleted   Action = "deleted"
	Unchanged Action = "unchanged"
)

// Change describes what a plan does to one object.
type Change struct {
	Action Action
	Kind   string // "host", "network-device"
	ID     any    // of what is there; nil of what is created, and of the project, which is the caller's own
	Name   string // with all that holds it, such as east/dfw/c1/web1, behind the change; "" for the project
	From   string // that before it, of what is moved or renamed
	// Fields are the options that differ, in the order of the documentation: "note", "parent", "labels",
	// "variables". For a created object, all that the tree gives; for a deleted one, all that it has.
	Fields []string
	// Before and After hold the fields that differ, each as a fleet file would write it: references as
	// cloud/region/name, cells by name, all labels, and of the variables (craton.Variables) those that differ. A key
	// that is missing in Before's variables is new, one that is missing in After's is taken away. Before is nil for a
	// created object, After for a deleted one, both are for an unchanged one.
	Before, After map[string]any
}

// Counts are how many objects there are of each action.
type Counts struct {
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Moved     int `json:"moved"`
	Renamed   int `json:"renamed"`
	Deleted   int `json:"deleted"`
	Unchanged int `json:"unchanged"`
}

// Of returns the count of an action.
func (c *Counts) Of(a Action) *int {
	switch a {
	case Created:
		return &c.Created
	case Updated:
		return &c.Updated
	case Moved:
		return &c.Moved
	case Renamed:
		return &c.Renamed
	case Deleted:
		return &c.Deleted
	}
	return &c.Unchanged
}

// Writes returns how many objects are written.
func (c *Counts) Writes() int { return c.Created + c.Updated + c.Moved + c.Renamed + c.Deleted }

// Changed reports whether something was, or would be, written.
func (c *Counts) Changed() bool { return c.Writes() > 0 }

// Plan holds the planned changes of a fleet: a change for each object of a tree, in its order, and the deletions behind
// them. It is made by [Fleet.PlanTree] or [ReadPlan], and carried out by [Fleet.ApplyPlan].
type Plan struct {
	Made     time.Time
	Names    []string         // of the files that it was made of
	URL      string           // of the fleet that it is for, without secrets
	Project  string           // the id of the caller's project; "" where there is only one
	Revision string           // where the change log ended before the fleet was read: a cursor; "" if the server has none, or nothing was there
	New      bool             // the fleet was not there yet, and is to be made
	Hashed   []string         // patterns of variables whose values are not to be shown, as craton.Capabilities have them
	Set      *PlannedSet      // what becomes of the set that it is for; nil without one
	Belongs  []craton.SetSize // of a plan that is for none, and changes something: how many of its objects belong to which sets
	Effects  *Effects         // what becomes of the hosts' resolved variables; nil if nobody asked

	steps   []*treeStep
	planner *planner // nil of a plan that was read from a file
	needs   []need   // of a plan that was read from a file
	counts  Counts
}

// Saved reports whether the plan was read from a file. Such a plan is carried out as it is or not at all.
func (p *Plan) Saved() bool { return p.planner == nil }

// Counts returns how many objects there are of each action.
func (p *Plan) Counts() Counts {
	c := p.counts
	for _, st := range p.steps {
		*c.Of(st.change.Action)++
	}
	return c
}

// Changed reports whether the plan has something to do: to an object, or to what belongs to its set.
func (p *Plan) Changed() bool {
	counts := p.Counts()
	return counts.Changed() || p.Set.Joining() > 0
}

// Changes yields what is done to each object, with Before and After, but for those that stay as they are. They are made
// while they are asked for: of a large tree they are most of the memory.
func (p *Plan) Changes() iter.Seq[Change] {
	return func(yield func(Change) bool) {
		for _, st := range p.steps {
			if st.change.Action != Unchanged && !yield(p.change(st)) {
				return
			}
		}
	}
}

// change returns a step's change with all that it has.
func (p *Plan) change(st *treeStep) Change {
	if p.planner == nil || !p.planner.brief || st.want == nil {
		return st.change
	}
	return p.restore(st, false).change
}

// restore returns a step as it was planned, with what plans forget; brief is as in Options.
func (p *Plan) restore(st *treeStep, brief bool) *treeStep {
	planner, again := *p.planner, *st
	planner.brief = brief
	if again.want != nil {
		var none Problems // they were found the first time
		planner.diff(&again, &none)
		if !p.planner.brief { // it was described, and stays as it was shown
			again.change = st.change
		}
	}
	return &again
}

// Delete adds the deletion of an object to a plan. Its name is that with all that holds it. Deletions are carried out
// last, what stands in something before that. The API deletes what an object holds along with it: who asks for that has
// to see that all of it is in the plan.
func (p *Plan) Delete(k *schema.Kind, o Object, name string) {
	st := &treeStep{Step: &Step{Kind: k, Before: o, Remove: true}, have: &Found{o, k}, id: o[KeyID], level: levelOfKind(k)}
	st.change = Change{Action: Deleted, Kind: k.Name, ID: o[KeyID], Name: name}
	if p.planner != nil {
		p.planner.describeDeleted(st)
	}
	p.steps = append(p.steps, st)
}

// levels returns the steps that write something, by what must be there before them; deletions come last, from the
// inside out.
func (p *Plan) levels() (levels [][]*treeStep) {
	deepest := 0
	for _, st := range p.steps {
		deepest = max(deepest, st.level)
	}
	levels = make([][]*treeStep, deepest+1)
	var deletions []*treeStep
	for _, st := range p.steps {
		switch st.change.Action {
		case Unchanged:
		case Deleted:
			deletions = append(deletions, st)
		default:
			levels[st.level] = append(levels[st.level], st)
		}
	}
	if deletions == nil {
		return levels
	}
	return append(levels, sortedForDelete(deletions)...)
}

// sortedForDelete returns deletions by what must be gone before them: children before their parents, and contents
// before what holds them.
func sortedForDelete(deletions []*treeStep) (levels [][]*treeStep) {
	devices := map[any]*treeStep{}
	for _, st := range deletions {
		if isDevice(st.Kind) {
			devices[st.id] = st
		}
	}
	byDepth := map[int][]*treeStep{}
	for _, st := range deletions {
		depth := levelOfKind(st.Kind) * (len(devices) + 1)
		seen := map[any]bool{st.id: true}
		for at := devices[st.Before["parent_id"]]; isDevice(st.Kind) && at != nil && !seen[at.id]; at = devices[at.Before["parent_id"]] {
			seen[at.id] = true
			depth++
		}
		byDepth[depth] = append(byDepth[depth], st)
	}
	depths := make([]int, 0, len(byDepth))
	for depth := range byDepth {
		depths = append(depths, depth)
	}
	slices.Sort(depths)
	for _, depth := range slices.Backward(depths) {
		levels = append(levels, byDepth[depth])
	}
	return levels
}

// levelOfKind returns where objects of a kind stand among those that are written; interfaces come last.
func levelOfKind(k *schema.Kind) int {
	if level, ok := levelOf[Space(k)]; ok {
		return level
	}
	return len(levelOf)
}

// Conceals reports whether the values of variables with a key are secrets, which are not to be shown.
func (p *Plan) Conceals(key string) bool { return value.MatchesKey(p.Hashed, key) }
