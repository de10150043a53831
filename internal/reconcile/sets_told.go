package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/schema"
)

// Sets returns the caller's sets, by name, with the number of objects in each: from the server if it stores sets, or
// else from a file. "" is the user's own file, if a home directory exists.
func (fl *Fleet) Sets(ctx context.Context, file string) ([]craton.SetSize, error) {
	remembers, err := fl.has(ctx, FeatureSets)
	if err != nil {
		return nil, err
	}
	if remembers {
		if file != "" {
			return nil, errSetsKept(file)
		}
		all, err := fl.Client.Sets(ctx)
		slices.SortFunc(all, func(a, b craton.SetSize) int { return cmp.Compare(a.Name, b.Name) })
		return all, err
	}
	if file, err = fl.setsPath(file); err != nil {
		return nil, err
	}
	remembered, err := fl.readSets(file)
	if err != nil {
		return nil, err
	}
	all := []craton.SetSize{}
	for _, name := range slices.Sorted(maps.Keys(remembered.Sets)) {
		one := craton.SetSize{Name: name}
		for _, ids := range remembered.Sets[name] {
			one.Members += len(ids)
		}
		if one.Members > 0 {
			all = append(all, one)
		}
	}
	return all, nil
}

// FeatureSets is the capability of servers that store sets.
const FeatureSets = "sets"

func errSetsKept(file string) error {
	return fmt.Errorf("the server stores sets itself: omit the file %s", file)
}

// findSets determines which sets the objects of a tree belong to, for a plan without a set that changes something.
func (l *loader) findSets(ctx context.Context, p *Plan) error {
	if !p.Changed() {
		return nil
	}
	mine := map[needKey]bool{}
	for _, st := range p.steps {
		if st.id != nil && st.want.Kind.InSets() {
			mine[needKey{Space(st.want.Kind), st.id}] = true
		}
	}
	if len(mine) == 0 {
		return nil
	}
	var mu sync.Mutex
	count := func(name string, members craton.Members) {
		one := craton.SetSize{Name: name}
		for kind, ids := range members {
			k := schema.ByName(string(kind))
			for _, id := range ids {
				if k != nil && mine[needKey{Space(k), id}] {
					one.Members++
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if one.Members > 0 {
			p.Belongs = append(p.Belongs, one)
		}
	}
	if l.supports(ctx, FeatureSets) {
		all, err := l.Client.Sets(ctx)
		if err != nil {
			return readError(err)
		}
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(l.options.Parallel)
		for _, set := range all {
			g.Go(func() error {
				members, err := l.Client.Set(ctx, set.Name)
				if err == nil {
					count(set.Name, members)
				}
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return readError(err)
		}
	} else if path, err := l.setsPath(""); err == nil { // otherwise nothing was ever stored
		remembered, err := l.readSets(path)
		if err != nil {
			return nil //nolint:nilerr // who asks for a set is told
		}
		for name, members := range remembered.Sets {
			count(name, members)
		}
	}
	slices.SortFunc(p.Belongs, func(a, b craton.SetSize) int { return cmp.Or(b.Members-a.Members, cmp.Compare(a.Name, b.Name)) })
	return nil
}

// SetNotes describes what a plan does not show as changes, one line each: that a set is new, which may be a typing
// error, and objects that belong to other sets.
func (p *Plan) SetNotes() (lines []string) {
	set := p.Set
	if set == nil {
		if len(p.Belongs) > 0 {
			lines = append(lines, belongingNote(p.Belongs))
		}
		return lines
	}
	if set.New {
		line := fmt.Sprintf("The set %s is new: no objects belong to it yet.", PathName(set.Name))
		switch near := set.similarName(); {
		case near != "":
			line += fmt.Sprintf(" Did you mean the set %s?", PathName(near))
		case len(set.Known) > 0:
			line += fmt.Sprintf(" The fleet has %s.", someSets(set.Known))
		}
		lines = append(lines, line)
	}
	if set.Others > 0 {
		what := "objects belong to another set and stay"
		if set.Others == 1 {
			what = "object belongs to another set and stays"
		}
		lines = append(lines, fmt.Sprintf("%d %s there: use --adopt to take over.", set.Others, what))
	}
	return lines
}

// similarName returns an existing set with a similar name to a new one; "" if there is none.
func (s *PlannedSet) similarName() string {
	if s == nil || !s.New {
		return ""
	}
	return nearest.Word(s.Name, s.Known)
}

// SetWarnings returns those of SetNotes that are probably about mistakes, for runs without confirmation.
func (p *Plan) SetWarnings() []string {
	if p.Set != nil && p.Set.similarName() == "" {
		return nil
	}
	return p.SetNotes()
}

// maxSets is the maximum number of sets that a line names.
const maxSets = 5

func someSets(names []string) string {
	var shown []string
	for _, name := range names[:min(len(names), maxSets)] {
		shown = append(shown, PathName(name))
	}
	text := strings.Join(shown, ", ")
	if more := len(names) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if len(names) == 1 {
		return "the set " + text
	}
	return "the sets " + text
}

func belongingNote(all []craton.SetSize) string {
	belong := "belong"
	if all[0].Members == 1 {
		belong = "belongs"
	}
	first := PathName(all[0].Name)
	line := fmt.Sprintf("%d of these objects %s to the set %s", all[0].Members, belong, first)
	if len(all) == 1 {
		return fmt.Sprintf("%s: use --set %s (in a task set: %[2]s) to keep it up to date.", line, first)
	}
	var names []string
	rest := 0
	for _, one := range all[1:] {
		names = append(names, one.Name)
		rest += one.Members
	}
	return fmt.Sprintf("%s, and %d to %s: use --set NAME (in a task set: NAME) to keep a set up to date.", line, rest, someSets(names))
}
