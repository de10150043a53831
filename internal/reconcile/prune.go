package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
)

// Guards of what is deleted with a set: more than so many, and more than a part of the set.
const (
	manyDeletes = 10
	partDeletes = 10 // a tenth
)

// owned is an object of the fleet, with what v1 does not tell of it.
type owned struct {
	*Found
	set       string
	protected bool
}

// memberships are all objects of the fleet by their ids: what belongs to a set, and what stands in what.
type memberships struct {
	all   map[needKey]*owned
	state *state // of all of them, for their names
}

// memberships reads the fleet. file remembers sets where the server does not.
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
	if o.Kind.InSets() && fl.mine(o.Object) {
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

// path is what an object is called, with all that holds it.
func (m *memberships) path(o *owned) string {
	if id, in := o.Object[deviceField.Key]; in {
		if device := m.all[needKey{schema.Host, id}]; device != nil {
			return m.path(device) + "/" + o.name()
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
	return strings.Join(append(path, o.name()), "/")
}

// planSet adds to a plan what becomes of the set that a tree is for.
func (l *loader) planSet(ctx context.Context, p *Plan) error {
	o := &l.options.Set
	remembers, err := l.has(ctx, "sets")
	if err != nil {
		return readError(err)
	}
	set := &PlannedSet{Name: o.Name, Adopt: o.Adopt, Joins: craton.Members{}}
	if !remembers {
		if set.File, err = l.setsPath(o.File); err != nil {
			return err
		}
	} else if o.File != "" {
		return fmt.Errorf("the server remembers sets itself: leave out the file %s", o.File)
	}
	m, err := l.memberships(ctx, set.File)
	if err != nil {
		return err
	}
	p.Set = set
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
		case is.set != "" && !o.Adopt && st.change.Action == Unchanged: // such as the cloud that both files have hosts in
			set.Others++
		case is.set != "" && !o.Adopt:
			bad.File = w.File
			bad.Add(w.Line, w.Path, "it belongs to the set %s and would be %s (%s); take it over with --adopt (in a task adopt: true), or leave that to the other file",
				PathName(is.set), st.change.Action, strings.Join(st.change.Fields, ", "))
		default:
			addMember(set.Joins, w.Kind, st.id)
		}
	}
	gone := map[needKey]*owned{}
	for key, is := range m.all {
		if is.set != set.Name {
			continue
		}
		set.Size++
		if mine[key] == nil {
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
	set.Refusal = pr.guard()
	return nil
}

// pruning is the deletion of what a set has, and a tree does not.
type pruning struct {
	*memberships
	plan    *Plan
	options *SetOptions
	gone    map[needKey]*owned
	mine    map[needKey]*treeStep
}

// refuse finds what no number allows: what is protected, and what would go along, or is needed, without belonging to what is deleted.
func (pr *pruning) refuse(bad *Problems) {
	bad.File = ""
	for _, is := range sortedByPath(pr.memberships, pr.gone) {
		if is.protected {
			bad.Add(0, "", "the %s %s is protected and is not in the file any more; take that off first (craton unprotect %s %s), or put it back into the file",
				is.Kind.Noun(), pr.path(is), is.Kind.Name, is.ID())
		}
	}
	for _, is := range sortedByPath(pr.memberships, pr.all) {
		if pr.gone[needKey{Space(is.Kind), is.Object[KeyID]}] != nil {
			continue
		}
		after := is.Object
		if st := pr.mine[needKey{Space(is.Kind), is.Object[KeyID]}]; st != nil && st.change.Action != Unchanged {
			after = pr.plan.again(st, true).After
		}
		for _, f := range is.Kind.Fields {
			if f.Type != schema.Reference {
				continue
			}
			to := pr.referred(&f, after[f.Key])
			if to == nil {
				continue
			}
			what := fmt.Sprintf("the %s %s is not in the file any more, and holds the %s %s", to.Kind.Noun(), pr.path(to), is.Kind.Noun(), pr.path(is))
			if !f.Place() {
				what = fmt.Sprintf("the %s %s is not in the file any more, and the %s %s refers to it (%s)", to.Kind.Noun(), pr.path(to), is.Kind.Noun(), pr.path(is), f.Option())
			}
			bad.Add(0, "", "%s, which %s; move or delete that first, or put the %s back into the file", what, pr.belongs(is), to.Kind.Noun())
			break // the outermost says enough
		}
	}
	for _, st := range pr.plan.steps {
		for option, t := range st.refs {
			if t.record == nil {
				continue
			}
			if to := pr.gone[needKey{Space(t.record.Kind), t.record.Object[KeyID]}]; to != nil {
				bad.File = st.want.File
				bad.Add(st.want.Line, st.want.Path, "%s names the %s %s, which belongs to the set %s and is not in the file any more; put it back into the file", option, to.Kind.Noun(), pr.path(to), pr.options.Name)
			}
		}
	}
}

// referred is what is to be deleted of what an id names.
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

// sortedByPath are objects in the order of their names.
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
	planner.state = pr.state // for the names of what they refer to
	defer func() { planner.state = before }()
	for _, is := range sortedByPath(pr.memberships, pr.gone) {
		pr.plan.Delete(is.Kind, is.Object, pr.path(is))
	}
}

// guard is why so many deletions want somebody to say their number; "" if they do not, or somebody has.
func (pr *pruning) guard() string {
	n, size := len(pr.gone), pr.plan.Set.Size
	if n == 0 { // whoever allowed some may run the same again
		return ""
	}
	if said := pr.options.AllowDeletes; said != 0 {
		if said == n {
			return ""
		}
		return fmt.Sprintf("allow_deletes says %d, and %d would be deleted", said, n)
	}
	var why string
	if holder := pr.inhabited(); holder != nil {
		why = fmt.Sprintf("the %s %s goes with hosts in it", holder.Kind.Noun(), pr.path(holder))
	}
	switch {
	case n == size && pr.plan.Set.Joining() == 0 && pr.plan.Counts().Created == 0:
		why = "nothing would be left of the set"
	case why != "":
	case n >= manyDeletes && n*partDeletes > size:
		why = fmt.Sprintf("that is more than a tenth of the %d objects of the set", size)
	default:
		return ""
	}
	objects := "objects"
	if n == 1 {
		objects = "object"
	}
	return fmt.Sprintf("%d %s of the set %s would be deleted, and %s: if that is meant, say --allow-deletes %[1]d (in a task allow_deletes: %[1]d)", n, objects, PathName(pr.options.Name), why)
}

// inhabited is a cloud or region that is deleted and has hosts, which are deleted too.
func (pr *pruning) inhabited() *owned {
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

// Refused is the error of a plan that deletes more than anybody has allowed. Nothing was written.
type Refused struct{ Why string }

func (e *Refused) Error() string { return e.Why + "; nothing was written" }
