package inventory

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// maxCover is the maximum number of names that are requested one by one instead of reading the complete fleet. Each
// takes a listing of its own.
const maxCover = 100

// Read calls Load and Build. With LimitOnly the document contains what Options.Subset selects: these hosts with all
// their variables and all their groups, and nothing else. Ansible, given the same --limit, selects the same hosts from
// it as from the complete document. If names alone do not determine the selection, or if it is empty, the document is
// complete, and why returns the reason.
//
// If the API can be queried for the named hosts and groups, no others are read.
func Read(ctx context.Context, c *craton.Client, o Options) (doc *Document, why string, err error) {
	if err := o.check(); err != nil {
		return nil, "", err
	}
	if o.Limit != LimitOnly || o.Subset == "" {
		doc, err := o.fullDocument(ctx, c)
		return doc, "", err
	}
	s, err := ansible.ParseSubset(o.Subset)
	if err == nil && o.SubsetWithAddresses {
		s, err = s.OnlyHosts()
	}
	if err != nil {
		why := err.Error()
		doc, err := o.fullDocument(ctx, c)
		return doc, why, err
	}
	f, err := retryRead(ctx, c, &o, func(l *loader, ctx context.Context) (*Fleet, error) { return l.loadCover(ctx, s) })
	if err == nil {
		selected, unknown, err := f.selectHosts(&o, s)
		if err != nil {
			return nil, "", err
		}
		if unknown == nil {
			doc, err := Build(selected, o)
			return doc, "", err
		}
	} else if !errors.Is(err, errNoCover) {
		return nil, "", err
	}
	if f, err = Load(ctx, c, o); err != nil {
		return nil, "", err
	}
	selected, unknown, err := f.selectHosts(&o, s)
	switch {
	case err != nil:
		return nil, "", err
	case unknown != nil:
		why = unknown.Error()
	default:
		f = selected
	}
	doc, err = Build(f, o)
	return doc, why, err
}

// fullDocument returns the document of all hosts.
func (o *Options) fullDocument(ctx context.Context, c *craton.Client) (*Document, error) {
	f, err := Load(ctx, c, *o)
	if err != nil {
		return nil, err
	}
	return Build(f, *o)
}

// errNoCover means that the API cannot be queried for what a subset selects.
var errNoCover = errors.New("the API cannot select the hosts of the pattern")

// selectHosts returns the fleet with only those hosts that a subset selects. unknown is why that is impossible.
func (f *Fleet) selectHosts(o *Options, s *ansible.Subset) (selected *Fleet, unknown, err error) {
	if err := f.checkHosts(); err != nil {
		return nil, nil, err
	}
	b := &builder{o: *o, f: f}
	if err := b.nameHosts(); err != nil {
		return nil, nil, err
	}
	var groups []*ansible.Group
	if !o.SubsetWithAddresses {
		if groups, err = newGrouper(f, o).groups(b); err != nil {
			return nil, nil, err
		}
	}
	keep, unknown := s.Select(b, groups)
	if unknown != nil {
		return nil, unknown, nil
	}
	kept := map[*Device]bool{}
	for i := range b.hosts {
		kept[b.hosts[i].device] = keep[i]
	}
	return f.Only(func(d *Device) bool { return kept[d] }), nil, nil
}

// Only returns the fleet with only some of the hosts; only their places have groups then. It shares everything else
// with f.
func (f *Fleet) Only(keep func(*Device) bool) *Fleet {
	some := *f
	some.Hosts, some.Snapshot, some.limited = nil, nil, true
	some.Projects = map[string]Variables{}
	for _, d := range f.Hosts {
		if keep(d) {
			some.Hosts = append(some.Hosts, d)
			some.Projects[d.ProjectID] = f.Projects[d.ProjectID]
		}
	}
	some.mixed = f.mixed || f.projects() > 1
	return &some
}

// loadCover reads a fleet with at least the hosts that a subset selects, and otherwise only what these need; errNoCover
// if the API cannot be queried for them.
func (l *loader) loadCover(ctx context.Context, s *ansible.Subset) (*Fleet, error) {
	if l.o.VarsFilter != "" || len(l.o.Labels) > 0 || l.o.Vars == Layered {
		// Filters that the host itself does not decide; and in layered form it matters whether all hosts of the
		// inventory belong to one project.
		return nil, errNoCover
	}
	var queries []url.Values
	covered := false
	for _, words := range s.Covers() {
		also, ok, err := l.cover(ctx, words)
		switch {
		case err != nil:
			return nil, err
		case ok && !covered:
			queries, covered = also, true
		case ok:
			queries = intersect(queries, also)
		}
	}
	if !covered {
		return nil, errNoCover
	}
	return l.loadQueries(ctx, queries)
}

// intersect returns queries for what both some queries and others return. They may return more, if the API cannot
// combine two conditions.
func intersect(some, others []url.Values) (queries []url.Values) {
	if len(some)*len(others) > maxCover {
		return some
	}
	for _, q := range some {
		for _, also := range others {
			with, possible := maps.Clone(q), true
			for param, value := range also {
				switch had := q[param]; {
				case had == nil:
					with[param] = value
				case param != "label" && had[0] != value[0]: // a host has one of them
					possible = false
				}
			}
			if possible {
				queries = append(queries, with)
			}
		}
	}
	return queries
}

func (l *loader) loadQueries(ctx context.Context, queries []url.Values) (*Fleet, error) {
	l.f.limited = true
	for _, kind := range l.kinds() {
		own := product(queries, "details", []string{"true"}) // read adds to them
		if err := l.read(ctx, kind, own, true, l.addHosts); err != nil {
			return nil, err
		}
	}
	l.sortHosts()
	if !l.places {
		if err := l.readPlacesOf(ctx); err != nil {
			return nil, err
		}
	}
	for _, step := range []func(context.Context) error{l.readLabels, l.checkWords, l.readParents, l.readProjects} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return l.f, l.f.checkHosts()
}

// cover returns queries for all hosts with one of these names, or in a group with one of them. It reads the places
// first, if the words may name places or qualified hosts.
func (l *loader) cover(ctx context.Context, words []string) (queries []url.Values, ok bool, err error) {
	if len(words) > maxCover || slices.ContainsFunc(words, ansible.IsAlways) {
		return nil, false, nil
	}
	if !l.places && (l.o.filtersPlaces() || l.o.Hostname == Qualified || l.o.has(ParentGroups) || slices.ContainsFunc(words, l.mayBePlace)) {
		if err := l.readPlaces(ctx); err != nil {
			return nil, false, err
		}
	}
	for _, word := range words {
		one, ok := l.coverWord(word)
		if !ok {
			return nil, false, nil
		}
		queries = append(queries, one...)
	}
	return queries, true, nil
}

// mayBePlace reports whether a word may be the name of a place's group.
func (l *loader) mayBePlace(word string) bool {
	return slices.ContainsFunc([]GroupKind{CloudGroups, RegionGroups, CellGroups}, func(kind GroupKind) bool {
		return l.o.has(kind) && strings.HasPrefix(word, string(kind)+"_")
	})
}

// coverWord returns queries for the hosts of a word. ok reports whether the API can be queried for all its meanings.
func (l *loader) coverWord(word string) (queries []url.Values, ok bool) {
	if ansible.IsController(word) {
		return nil, true
	}
	if l.o.ProjectGroup == word && len(l.o.Groups) > 0 {
		return nil, false // all hosts
	}
	queries = l.queriesFor(word)
	for _, kind := range l.o.Groups {
		switch kind {
		case CloudGroups, RegionGroups, CellGroups:
			queries = append(queries, l.coverPlaces(kind, word)...)
		case LabelGroups, TypeGroups:
			if !strings.HasPrefix(word, string(kind)+"_") {
				continue
			}
			of, one := ansible.GroupWord(l.o.GroupNames, string(kind), word)
			if !one || kind == LabelGroups && l.o.NetworkDevices { // which cannot be filtered by label
				return nil, false
			}
			queries = append(queries, url.Values{map[GroupKind]string{LabelGroups: "label", TypeGroups: "device_type"}[kind]: {of}})
		case ActiveGroups:
			if word == "active" || word == "inactive" {
				return nil, false
			}
		case KindGroups, ParentGroups:
			if strings.HasPrefix(word, string(kind)+"_") {
				return nil, false
			}
		}
	}
	return queries, true
}

// coverPlaces returns queries for the hosts of the places whose group has a name, even if a host is in a region of
// another cloud, or in a cell of another region.
func (l *loader) coverPlaces(kind GroupKind, word string) (queries []url.Values) {
	group := func(names ...string) string { return ansible.GroupName(l.o.GroupNames, string(kind), names...) }
	ask := func(param string, id int) { queries = append(queries, url.Values{param: {strconv.Itoa(id)}}) }
	for _, c := range sortedPlaces(l.f.Clouds) {
		if name := group(c.Name); kind == CloudGroups && name == word {
			ask("cloud_id", c.ID)
		} else if kind == CloudGroups || !strings.HasPrefix(word, name) {
			continue
		}
		for _, r := range sortedPlaces(l.f.Regions) {
			if name := group(c.Name, r.Name); kind == RegionGroups && name == word {
				ask("region_id", r.ID)
			} else if kind == RegionGroups || !strings.HasPrefix(word, name) {
				continue
			}
			for _, p := range sortedPlaces(l.f.Cells) {
				if kind == CellGroups && group(c.Name, r.Name, p.Name) == word {
					ask("cell_id", p.ID)
				}
			}
		}
	}
	return queries
}
