package iotronic

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/inventory/internal/reading"
	api "github.com/craton-fleet/craton/iotronic"
)

// Load reads everything that an inventory with these options is made from: one listing with all fields, in pages, and
// for boards one listing of fleets, if groups or filters need their names. Iotronic of 2016 returns all fields only
// node by node.
//
// If the listing breaks because objects change while it is read, it is read again, three times in total. A listing that
// cannot be read completely is an error.
func Load(ctx context.Context, c *api.Client, o Options) (*Listing, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	l, err := reading.Retry(ctx, "the list", func(ctx context.Context) (*Listing, bool, error) {
		l := &loader{client: c, o: &o, narrow: true}
		got, err := l.load(ctx)
		// Ironic supports many of its filters only in later versions than the negotiated one, and refuses states that
		// it does not know.
		if _, old := errors.AsType[*api.UnsupportedVersionError](err); l.narrowed && (old || api.IsBadRequest(err)) {
			l = &loader{client: c, o: &o}
			got, err = l.load(ctx)
		}
		return got, l.isTransient(err), err
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// loader is one attempt.
type loader struct {
	client   *api.Client
	o        *Options
	dialect  api.Dialect
	narrow   bool // the server may filter
	narrowed bool // it was asked to filter
	answered bool // it has responded at least once
}

// staleError is the error for an inconsistent listing: it changed while it was read.
type staleError struct{ text string }

func (e *staleError) Error() string { return e.text }

// isTransient reports whether a retry may succeed. A server that has never responded is down; the client has retried
// its request already.
func (l *loader) isTransient(err error) bool {
	if _, stale := errors.AsType[*staleError](err); stale {
		return true
	}
	_, cut := errors.AsType[*api.ConnectionError](err)
	return l.answered && (cut || api.IsMarkerGone(err) || api.StatusOf(err) >= 500)
}

func (l *loader) load(ctx context.Context) (*Listing, error) {
	var err error
	if l.dialect, err = l.client.Dialect(ctx); err != nil {
		return nil, err
	}
	all, err := l.read(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.checkDuplicateNames(all); err != nil {
		return nil, err
	}
	list := &Listing{Dialect: l.dialect, Machines: all}
	if list.Fleets, err = l.fleets(ctx, all); err != nil {
		return nil, err
	}
	list.Machines = slices.DeleteFunc(slices.Clone(all), func(m *Machine) bool { return !list.matches(m, l.o.Filters) })
	if err := l.checkFilters(ctx, list, all); err != nil {
		return nil, err
	}
	if err := reading.CheckHostCount(len(list.Machines), l.o.ExpectAtLeast); err != nil {
		return nil, &staleError{err.Error()}
	}
	return list, nil
}

// read reads the machines that the server's own filters select, sorted by UUID.
func (l *loader) read(ctx context.Context) ([]*Machine, error) {
	var all []*Machine
	seen := map[string]bool{}
	d := newDecoder()
	for _, project := range l.projects() {
		kind, objects := l.objects(ctx, project)
		for object, err := range objects {
			if err != nil {
				return nil, err
			}
			l.answered = true
			if !seen[object.UUID] {
				seen[object.UUID] = true
				all = append(all, newMachine(d, kind, object))
			}
		}
	}
	slices.SortFunc(all, func(a, b *Machine) int { return strings.Compare(a.UUID, b.UUID) })
	return all, nil
}

// checkDuplicateNames finds a listing of Ironic with two nodes of the same name, which never exist at the same time:
// one replaced the other meanwhile.
func (l *loader) checkDuplicateNames(all []*Machine) error {
	if l.dialect != api.DialectIronic {
		return nil
	}
	named := map[string]*Machine{}
	for _, m := range all {
		if other := named[m.Name]; other != nil && m.Name != "" {
			return &staleError{fmt.Sprintf("it has both %s and %s", other, m)}
		}
		named[m.Name] = m
	}
	return nil
}

// projects returns the projects whose machines are listed, each in a listing of its own; "" is what the server lists by
// default: on Iotronic, the caller's project.
func (l *loader) projects() []string {
	if f := l.o.filter(fieldProject); f != nil && l.hasProjects() {
		return f.Words
	}
	return []string{""}
}

// hasProjects reports whether a dialect lists the machines of other projects only on request.
func (l *loader) hasProjects() bool {
	return l.dialect == api.DialectNodes || l.dialect == api.DialectBoards
}

// objects walks one listing.
func (l *loader) objects(ctx context.Context, project string) (kind string, all iter.Seq2[api.RawItem, error]) {
	if l.dialect == api.DialectBoards {
		return "board", l.client.Boards.Raw(ctx, api.BoardListOptions{Detail: true, Project: project, Status: l.serverFilter("status")})
	}
	o := l.nodeOptions(project)
	o.IncludeChildren, _ = l.client.Has(ctx, "nodes", "include_children") // what fails here fails in the listing too
	return "node", l.client.Nodes.Raw(ctx, o)
}

// nodeOptions restricts a listing of Ironic to what the filters select, as far as it can filter.
func (l *loader) nodeOptions(project string) api.NodeListOptions {
	o := api.NodeListOptions{Detail: true, Project: project}
	if l.dialect == api.DialectIronic {
		o.InstanceUUID = l.serverFilter("instance_uuid")
		o.Maintenance = l.onlyBool("maintenance")
		o.ProvisionState = l.serverFilter("provision_state")
		o.Driver = l.serverFilter("driver")
		o.ResourceClass = l.serverFilter("resource_class")
		o.Fault = l.serverFilter("fault")
		o.ConductorGroup = l.serverFilter("conductor_group")
		o.Conductor = l.serverFilter("conductor")
		o.Owner = l.serverFilter("owner")
		o.Lessee = l.serverFilter("lessee")
		o.Shard = l.serverFilter("shard")
	}
	return o
}

// serverFilter returns the only word of a field's filter, if the server may filter; it accepts one at a time.
func (l *loader) serverFilter(field string) string {
	if f := l.o.filter(field); l.narrow && f != nil && len(f.Words) == 1 {
		l.narrowed = l.narrowed || f.Words[0] != ""
		return f.Words[0]
	}
	return ""
}

func (l *loader) onlyBool(field string) *bool {
	switch strings.ToLower(l.serverFilter(field)) {
	case "true":
		return new(true)
	case "false":
		return new(false)
	}
	return nil
}

// fleets reads the names of fleets, if groups or filters need them and a board has one.
func (l *loader) fleets(ctx context.Context, all []*Machine) (map[string]string, error) {
	needed := l.o.has(FleetGroups) || l.o.filter(fieldFleet) != nil
	if !needed || !slices.ContainsFunc(all, func(m *Machine) bool { return m.text(fieldFleet) != "" }) {
		return nil, nil
	}
	names := map[string]string{}
	for f, err := range l.client.Fleets.All(ctx, api.FleetListOptions{}) {
		if err != nil {
			return nil, advice.With(fmt.Errorf("the names of the boards' fleets cannot be read: %w", err), "leave fleet out of groups and filters to do without")
		}
		names[f.UUID] = f.Name
	}
	for _, m := range all {
		if id := m.text(fieldFleet); id != "" && names[id] == "" {
			return nil, &staleError{fmt.Sprintf("%s is in the fleet %s, which the API does not list; leave fleet out of groups and filters to do without", m, id)}
		}
	}
	return names, nil
}
