package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// Guards against deleting too much with a set: a number of objects, and a part of the set.
const (
	manyDeletes = 10
	partDeletes = 10 // a tenth
)

// owned is an object of the fleet, with its set and protection, which v1 does not show.
type owned struct {
	*Found
	set       string
	protected bool
}

// memberships are all objects of the fleet by their ids, with their sets and containers.
type memberships struct {
	all   map[needKey]*owned
	state *state // of all objects, for their names
}

// memberships reads the fleet. file stores the sets if the server cannot.
func (fl *Fleet) memberships(ctx context.Context, file string) (*memberships, error) {
	m := &memberships{all: map[needKey]*owned{}, state: newState()}
	streams, err := fl.has(ctx, "fleet")
	if err != nil {
		return nil, err
	}
	if file == "" || streams {
		err = m.stream(ctx, fl)
	} else {
		err = m.pages(ctx, fl)
	}
	if err != nil || file == "" {
		return m, err
	}
	remembered, err := fl.readSets(file)
	if err != nil {
		return nil, err
	}
	for name, members := range remembered.Sets {
		for kind, ids := range members {
			k := schema.ByName(string(kind))
			if k == nil {
				continue
			}
			for _, id := range ids {
				if o := m.all[needKey{Space(k), id}]; o != nil && o.Kind == k {
					o.set = name
				}
			}
		}
	}
	return m, nil
}

func (m *memberships) add(fl *Fleet, o *owned) {
	if o.Kind.InSets() && fl.isOwn(o.Object) {
		m.all[needKey{Space(o.Kind), o.Object[KeyID]}] = o
		m.state.add(o.Found)
	}
}

func (m *memberships) stream(ctx context.Context, fl *Fleet) error {
	s, err := fl.Client.Fleet(ctx, craton.FleetOptions{Networks: true})
	if err != nil {
		return readError(err)
	}
	if err := eachStreamed(s, nil, func(line *craton.FleetLine, r *Found) { m.add(fl, &owned{r, line.Set, line.Protected}) }); err != nil {
		return readError(err)
	}
	return nil
}

func (m *memberships) pages(ctx context.Context, fl *Fleet) error {
	found, err := fl.listed(ctx)
	for _, r := range found {
		m.add(fl, &owned{Found: r})
	}
	return err
}

// path returns the name of an object with its places.
func (m *memberships) path(o *owned) string {
	if id, in := o.Object[deviceField.Key]; in {
		if device := m.all[needKey{schema.Host, id}]; device != nil {
			return m.path(device) + "/" + value.Path(o.name())
		}
	}
	var path []string
	for _, f := range placeFields {
		if f.Key == o.Kind.ContentKey() {
			continue
		}
		if above := m.all[needKey{schema.ByName(f.To[0]), o.Object[f.Key]}]; above != nil {
			path = append(path, above.name())
		}
	}
	return value.Path(append(path, o.name())...)
}

// called returns the name of an object for errors.
func (m *memberships) called(o *owned) string {
	return o.Kind.Noun() + " " + value.ShownPath(m.path(o))
}

// planSet adds the changes of the tree's set to a plan.
func (l *loader) planSet(ctx context.Context, p *Plan) error {
	o := &l.options.Set
	remembers, err := l.has(ctx, FeatureSets)
	if err != nil {
		return readError(err)
	}
	set := &PlannedSet{Name: o.Name, Adopt: o.Adopt, Joins: craton.Members{}}
	if !remembers {
		if set.File, err = l.setsPath(o.File); err != nil {
			return err
		}
	} else if o.File != "" {
		return errSetsKept(o.File)
	}
	m, err := l.memberships(ctx, set.File)
	if err != nil {
		return err
	}
	p.Set = set
	known := map[string]bool{}
	for _, is := range m.all {
		if is.set == set.Name {
			set.Size++
		} else if is.set != "" {
			known[is.set] = true
		}
	}
	if set.New = set.Size == 0; set.New {
		set.Known = slices.Sorted(maps.Keys(known))
	}
	var bad Problems
	mine := map[needKey]*treeStep{}
	for _, st := range p.steps {
		w := st.want
		if st.id == nil || !w.Kind.InSets() {
			continue
		}
		key := needKey{Space(w.Kind), st.id}
		mine[key] = st
		switch is := m.all[key]; {
		case is == nil, is.set == set.Name:
		case is.set != "" && !o.Adopt && st.change.Action == Unchanged: // such as a cloud in which both files have hosts
			set.Others++
		case is.set != "" && !o.Adopt:
			bad.File = w.File
			do := "take it over with --adopt (in a task adopt: true), or leave it to the other file"
			if is.set == set.similarName() {
				do = fmt.Sprintf("there is no set %s yet: use --set %s (in a task set: %[2]s) if you meant that one, otherwise %s", PathName(set.Name), PathName(is.set), do)
			}
			bad.refuse(w.Line, w.Path, refusal{reason: ReasonOtherSet, of: w, what: fmt.Sprintf("it belongs to the set %s and would be %s (%s)", PathName(is.set), st.change.Action, strings.Join(st.change.Fields, ", ")), do: do})
		default:
			addMember(set.Joins, w.Kind, st.id)
		}
	}
	gone := map[needKey]*owned{}
	for key, is := range m.all {
		if is.set == set.Name && mine[key] == nil {
			gone[key] = is
		}
	}
	if !o.Prune {
		set.Left = len(gone)
		return bad.Err(p.planner.name)
	}
	pr := &pruning{memberships: m, plan: p, options: o, gone: gone, mine: mine}
	pr.refuse(&bad)
	if err := bad.Err(p.planner.name); err != nil {
		return err
	}
	pr.delete()
	if what, do := pr.guard(); what != "" {
		set.Refused = &Problem{Message: what, Reason: ReasonDeletes, Object: set.Name, Do: do}
		set.Refused.Message += ": if you want that, use " + do
	}
	return nil
}

// pruning deletes the objects of a set that its tree does not have.
type pruning struct {
	*memberships
	plan    *Plan
	options *SetOptions
	gone    map[needKey]*owned
	mine    map[needKey]*treeStep
}

// refuse finds what may not be deleted whatever the allowed number: protected objects, and objects outside the set that
// are contained in deleted objects or depend on them.
func (pr *pruning) refuse(bad *Problems) {
	bad.File = ""
	for _, is := range sortedByPath(pr.memberships, pr.gone) {
		if is.protected {
			bad.refuse(0, "", refusal{reason: ReasonProtected, kind: is.Kind, object: pr.path(is), what: fmt.Sprintf("the %s is protected and is no longer in the file", pr.called(is)),
				do: unprotectFirst(fmt.Sprintf("craton unprotect %s %s", is.Kind.Name, is.ID())) + ", or put it back into the file"})
		}
	}
	for _, is := range sortedByPath(pr.memberships, pr.all) {
		if pr.gone[needKey{Space(is.Kind), is.Object[KeyID]}] != nil {
			continue
		}
		after := is.Object
		if st := pr.mine[needKey{Space(is.Kind), is.Object[KeyID]}]; st != nil && st.change.Action != Unchanged {
			after = pr.plan.restore(st, true).After
		}
		for _, f := range is.Kind.Fields {
			if f.Type != schema.Reference {
				continue
			}
			to := pr.referred(&f, after[f.Key])
			if to == nil {
				continue
			}
			what := fmt.Sprintf("the %s is no longer in the file, but contains the %s", pr.called(to), pr.called(is))
			if !f.Place() {
				what = fmt.Sprintf("the %s is no longer in the file, but the %s refers to it (%s)", pr.called(to), pr.called(is), f.Option())
			}
			bad.refuse(0, "", refusal{reason: ReasonNeeded, kind: to.Kind, object: pr.path(to), other: pr.path(is), what: what + ", which " + pr.belongs(is),
				do: fmt.Sprintf("move or delete that first, or put the %s back into the file", to.Kind.Noun())})
			break // the outermost is enough
		}
	}
	for _, st := range pr.plan.steps {
		for option, t := range st.refs {
			if t.record == nil {
				continue
			}
			if to := pr.gone[needKey{Space(t.record.Kind), t.record.Object[KeyID]}]; to != nil {
				bad.File = st.want.File
				bad.refuse(st.want.Line, st.want.Path, refusal{reason: ReasonNeeded, kind: to.Kind, object: pr.path(to),
					what: fmt.Sprintf("%s names the %s, which belongs to the set %s and is no longer in the file", option, pr.called(to), PathName(pr.options.Name)), do: "put it back into the file"})
			}
		}
	}
}

// referred returns the object to be deleted that has an id.
func (pr *pruning) referred(f *schema.Field, id any) *owned {
	for _, kind := range f.To {
		if to := pr.gone[needKey{Space(schema.ByName(kind)), id}]; to != nil && id != nil {
			return to
		}
	}
	return nil
}

func (pr *pruning) belongs(is *owned) string {
	switch is.set {
	case "":
		return "belongs to no set"
	case pr.options.Name:
		return "stays"
	}
	return "belongs to the set " + PathName(is.set)
}

// sortedByPath sorts objects by their paths.
func sortedByPath(m *memberships, of map[needKey]*owned) []*owned {
	all := make([]*owned, 0, len(of))
	paths := make(map[*owned]string, len(of))
	for _, is := range of {
		all = append(all, is)
		paths[is] = m.path(is)
	}
	slices.SortFunc(all, func(a, b *owned) int {
		if c := levelOfKind(a.Kind) - levelOfKind(b.Kind); c != 0 {
			return c
		}
		return strings.Compare(paths[a], paths[b])
	})
	return all
}

// delete adds the deletions to the plan.
func (pr *pruning) delete() {
	planner := pr.plan.planner
	before := planner.state
	planner.state = pr.state // for the names of objects that they refer to
	defer func() { planner.state = before }()
	for _, is := range sortedByPath(pr.memberships, pr.gone) {
		pr.plan.Delete(is.Kind, is.Object, pr.path(is))
	}
}

// guard returns why so many deletions need an explicit number, and how to give it; "" if they do not, or if it was
// given.
func (pr *pruning) guard() (what, do string) {
	n, size := len(pr.gone), pr.plan.Set.Size
	if n == 0 { // whoever allowed some may run the same again
		return "", ""
	}
	allow := fmt.Sprintf("--allow-deletes %d (in a task allow_deletes: %[1]d)", n)
	if said := pr.options.AllowDeletes; said != nil {
		if *said == n {
			return "", ""
		}
		return fmt.Sprintf("%d objects of the set %s would be deleted, not %d", n, PathName(pr.options.Name), *said), allow
	}
	var why string
	if holder := pr.withHosts(); holder != nil {
		why = fmt.Sprintf("the %s would be deleted together with its hosts", pr.called(holder))
	}
	switch {
	case n == size && pr.plan.Set.Joining() == 0 && pr.plan.Counts().Created == 0:
		why = "the set would be empty"
	case why != "":
	case n >= manyDeletes && n*partDeletes > size:
		why = fmt.Sprintf("that is more than a tenth of the %d objects of the set", size)
	default:
		return "", ""
	}
	objects := "objects"
	if n == 1 {
		objects = "object"
	}
	return fmt.Sprintf("%d %s of the set %s would be deleted, and %s", n, objects, PathName(pr.options.Name), why), allow
}

// withHosts returns a cloud or region to be deleted that contains hosts, which are deleted too.
func (pr *pruning) withHosts() *owned {
	for _, is := range sortedByPath(pr.memberships, pr.gone) {
		if is.Kind != schema.Host {
			continue
		}
		for _, k := range []*schema.Kind{schema.Cloud, schema.Region} {
			if holder := pr.gone[needKey{k, is.Object[k.ContentKey()]}]; holder != nil {
				return holder
			}
		}
	}
	return nil
}

// RefusedError is the error for a plan that deletes more than was allowed. Nothing was written.
type RefusedError struct{ Problem Problem }

func (e *RefusedError) Error() string { return e.Problem.Message + "; nothing was written" }
