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

// The actions. A moved or renamed object may have other changes too.
const (
	Created   Action = "created"
	Updated   Action = "updated"
	Moved     Action = "moved"   // to another place, with the same id and contents
	Renamed   Action = "renamed" // with the same id
	Deleted   Action = "deleted"
	Unchanged Action = "unchanged"
)

// Change describes what a plan does with one object.
type Change struct {
	Action Action
	Kind   string // "host", "network-device"
	ID     any    // nil for a created object, and for the project, which is the caller's own
	Name   string // with its places, such as east/dfw/c1/web1, after the change; "" for the project
	From   string // the previous name, if it is moved or renamed
	// Fields are the options that differ, in the order of the documentation: "note", "parent", "labels", "variables".
	// For a created object they are all options in the tree; for a deleted one, all that it has.
	Fields []string
	// Before and After contain the fields that differ, as a fleet file would write them: references as
	// cloud/region/name, cells by name, all labels, and only those variables (craton.Variables) that differ. A key that
	// is missing in Before's variables is new, and one that is missing in After's is deleted. Before is nil for a
	// created object, After for a deleted one, and both for an unchanged one.
	Before, After map[string]any
}

// Counts are the numbers of objects by action.
type Counts struct {
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Moved     int `json:"moved"`
	Renamed   int `json:"renamed"`
	Deleted   int `json:"deleted"`
	Unchanged int `json:"unchanged"`
}

// Of returns the number of objects with an action.
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

// Writes returns the number of objects that are written.
func (c *Counts) Writes() int { return c.Created + c.Updated + c.Moved + c.Renamed + c.Deleted }

// Changed reports whether anything was, or would be, written.
func (c *Counts) Changed() bool { return c.Writes() > 0 }

// Plan is the planned changes of a fleet: a change for each object of a tree, in the order of the tree, followed by the
// deletions. [Fleet.PlanTree] or [ReadPlan] returns it, and [Fleet.ApplyPlan] applies it.
type Plan struct {
	Made     time.Time
	Names    []string         // the files from which it was made
	URL      string           // the location of the fleet, without secrets
	Project  string           // the id of the caller's project; "" if there is only one
	Revision string           // the end of the change log before the fleet was read: a cursor; "" if the server has none, or there was no fleet
	New      bool             // the database did not exist yet, and is to be created
	Hashed   []string         // patterns of variables whose values must not be shown, from craton.Capabilities
	Set      *PlannedSet      // the changes of the set that it is for; nil without a set
	Belongs  []craton.SetSize // for a plan without a set that changes something: the number of its objects in each set
	Effects  *Effects         // the effects on resolved variables; nil if not requested

	steps   []*treeStep
	planner *planner // nil for a saved plan
	needs   []need   // of a saved plan
	counts  Counts
}

// Saved reports whether the plan was read from a file. Such a plan is applied exactly as it is, or not at all.
func (p *Plan) Saved() bool { return p.planner == nil }

// Counts returns the numbers of objects by action.
func (p *Plan) Counts() Counts {
	c := p.counts
	for _, st := range p.steps {
		*c.Of(st.change.Action)++
	}
	return c
}

// Changed reports whether the plan changes anything: an object, or the contents of its set.
func (p *Plan) Changed() bool {
	counts := p.Counts()
	return counts.Changed() || p.Set.Joining() > 0
}

// Changes yields the changes of all objects, with Before and After, except for unchanged ones. They are built on
// demand: for a large tree, they would take most of the memory.
func (p *Plan) Changes() iter.Seq[Change] {
	return func(yield func(Change) bool) {
		for _, st := range p.steps {
			if st.change.Action != Unchanged && !yield(p.change(st)) {
				return
			}
		}
	}
}

// change returns the complete change of a step.
func (p *Plan) change(st *treeStep) Change {
	if p.planner == nil || !p.planner.brief || st.want == nil {
		return st.change
	}
	return p.restore(st, false).change
}

// restore returns a step as it was planned, including what plans drop; brief is as in Options.
func (p *Plan) restore(st *treeStep, brief bool) *treeStep {
	planner, again := *p.planner, *st
	planner.brief = brief
	if again.want != nil {
		var none Problems // found when it was first planned
		planner.diff(&again, &none)
		if !p.planner.brief { // described already, and shown as it was
			again.change = st.change
		}
	}
	return &again
}

// Delete adds the deletion of an object, whose name includes its places, to a plan. Deletions are applied last,
// contents before their containers. The API also deletes the contents of an object, so the caller must ensure that the
// plan contains all of them.
func (p *Plan) Delete(k *schema.Kind, o Object, name string) {
	st := &treeStep{Step: &Step{Kind: k, Before: o, Remove: true}, have: &Found{o, k}, id: o[KeyID], level: levelOfKind(k)}
	st.change = Change{Action: Deleted, Kind: k.Name, ID: o[KeyID], Name: name}
	if p.planner != nil {
		p.planner.describeDeleted(st)
	}
	p.steps = append(p.steps, st)
}

// levels groups the steps that write something by their dependencies; deletions come last, from the inside out.
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

// sortedForDelete sorts deletions by their dependencies: children before their parents, and contents before their
// containers.
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

// levelOfKind returns the position of a kind in the order of writes; interfaces come last.
func levelOfKind(k *schema.Kind) int {
	if level, ok := levelOf[Space(k)]; ok {
		return level
	}
	return len(levelOf)
}

// Conceals reports whether values of variables with this key must not be shown.
func (p *Plan) Conceals(key string) bool { return value.MatchesKey(p.Hashed, key) }
