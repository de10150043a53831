package iotronic

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/walk"
	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
)

// Options of info modules.
const (
	optName       = "name"
	optUUID       = "uuid"
	optDetail     = "detail"
	optFields     = "fields"
	optFleet      = "fleet"
	optProperties = "properties"
)

// kind describes one kind of objects for the info modules.
type kind struct {
	name, plural string
	dialects     []api.Dialect // dialects that have the kind
	identity     string        // the field that identifies an object
	filters      []filter
	unnamed      bool // the objects need not have names
	detailed     bool // lists have a detailed form
	fielded      bool // lists and single objects accept a selection of fields
	more         []ansible.Option
	returns      []ansible.Return
	doc          docs

	list listFunc
	get  getFunc // nil: single objects are searched for in the list
	// keep is nil, or returns a filter for options by which the API cannot filter; by are the fields that the filter
	// needs.
	keep func(context.Context, *service, ansible.Params) (keep func(api.Object) bool, by []string, err error)
	// complete is nil, or adds what options ask for.
	complete func(context.Context, *service, ansible.Params, api.Object) error
}

// docs are the texts of a kind that appear only in documentation.
type docs struct {
	is       string // what it is: a sentence
	notes    []string
	examples string
}

// filter is an option by which the API filters lists, under the same name.
type filter struct {
	option string
	flag   bool
	doc    string
}

type (
	listFunc func(ctx context.Context, s *service, p ansible.Params, query map[string]any) iter.Seq2[api.Object, error]
	getFunc  func(ctx context.Context, s *service, id string, fields ...string) (api.Object, error)
)

// infoName returns the name of the kind's info module.
func (k *kind) infoName() string { return "iotronic_" + k.name + "_info" }

// infoSpec returns the Spec of iotronic_KIND_info.
func (k *kind) infoSpec() *ansible.Spec {
	s := &ansible.Spec{
		Name:  k.infoName(),
		Short: fmt.Sprintf("Read %s of %s", k.plural, k.services()),
		Description: []string{
			k.doc.is,
			fmt.Sprintf("Lists all %s that match the options. Changes nothing.", k.plural),
			"If nothing matches, the list is empty. If the server does not support a filter, or has no such objects at all, the task fails.",
		},
		Notes:             k.doc.notes,
		SupportsCheckMode: true,
		Fragments:         []*ansible.Fragment{connection()},
		Examples:          k.doc.examples,
		Returns: []ansible.Return{{Name: k.plural, Type: ansible.List, Elements: ansible.Dict, Returned: "success",
			Description: []string{fmt.Sprintf("The %s, with the fields and values of the API, which depend on its release. Links are left out.", k.plural)},
			Contains:    k.returns}},
	}
	if !k.unnamed {
		s.Options = append(s.Options, ansible.Option{Name: optName, Aliases: []string{"names"}, Type: ansible.List, Elements: ansible.Str,
			Description: []string{fmt.Sprintf("Only %s with one of these names.", k.plural)}})
	}
	if k.identity == keyUUID {
		s.Options = append(s.Options, ansible.Option{Name: optUUID, Aliases: []string{"id"},
			Description: []string{fmt.Sprintf("Only the %s with this UUID.", k.name)}})
	}
	for _, f := range k.filters {
		o := ansible.Option{Name: f.option, Description: []string{f.doc}}
		if f.flag {
			o.Type = ansible.Bool
		}
		s.Options = append(s.Options, o)
	}
	if k.detailed {
		known := keyName
		if k.unnamed {
			known = "UUID"
		}
		s.Options = append(s.Options, ansible.Option{Name: optDetail, Type: ansible.Bool, Default: true, Description: []string{
			fmt.Sprintf("Whether to read all fields of the %s, or only the few in the short listing of the API.", k.plural),
			fmt.Sprintf("Objects that are looked up by %s always have all fields.", known)}})
	}
	if k.fielded {
		doc := "Only these fields, and C(uuid)."
		if k.detailed {
			doc += " O(detail) is ignored then."
		}
		s.Options = append(s.Options, ansible.Option{Name: optFields, Type: ansible.List, Elements: ansible.Str, Description: []string{doc}})
	}
	s.Options = append(s.Options, k.more...)
	for _, name := range k.writers() {
		s.SeeAlso = append(s.SeeAlso, ansible.SeeAlso{Module: fullName(name)})
	}
	for _, other := range kinds {
		if other != k {
			s.SeeAlso = append(s.SeeAlso, ansible.SeeAlso{Module: fullName(other.infoName())})
		}
	}
	return s
}

// writers returns the modules that write the kind.
func (k *kind) writers() (names []string) {
	for _, r := range append([]*resource{nodes}, resources...) {
		if r.kind == k {
			names = append(names, r.moduleName())
		}
	}
	return names
}

// services returns the services that have the kind.
func (k *kind) services() string {
	ironic := slices.Contains(k.dialects, api.DialectIronic)
	switch {
	case ironic && len(k.dialects) > 1:
		return "Ironic and Iotronic"
	case ironic:
		return "Ironic"
	}
	return "Iotronic"
}

// info runs the module iotronic_KIND_info.
func (k *kind) info(ctx context.Context, task *ansible.Task) (*ansible.Result, error) {
	s, err := open(ctx, task, k.plural)
	if err != nil {
		return nil, err
	}
	defer s.client.CloseIdleConnections()
	found, err := k.find(ctx, s, task.Params)
	if api.IsNotFound(err) {
		found, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	objects := make([]api.Object, len(found))
	for i, o := range found {
		objects[i] = cleaned(o)
		if k.complete != nil {
			if err := k.complete(ctx, s, task.Params, objects[i]); err != nil {
				return nil, err
			}
		}
	}
	return &ansible.Result{Fields: ansible.Fields{k.plural: objects}}, nil
}

// find reads the objects that the options select: one by one if only names are given, or else from the list.
func (k *kind) find(ctx context.Context, s *service, p ansible.Params) ([]api.Object, error) {
	var names []string
	if !k.unnamed {
		names = p.Strings(optName)
	}
	uuid := ""
	if k.identity == keyUUID {
		if uuid = value.CanonicalUUID(p.String(optUUID)); uuid != "" && !value.IsUUID(uuid) {
			by := keyName
			if k.unnamed {
				by = ""
			}
			return nil, invalidUUIDError(uuid, k.name, by)
		}
	}
	query, fields := k.query(p)
	keep, by, err := k.filter(ctx, s, p)
	if err != nil {
		return nil, err
	}
	if names != nil {
		by = append(by, keyName)
	}
	var added []string // fields that are compared, but were not requested
	for _, field := range by {
		if fields != nil && !slices.Contains(fields, field) {
			added = append(added, field)
		}
	}
	if fields != nil {
		fields = slices.Concat(fields, added)
	}
	matches := func(o api.Object) bool {
		is := (uuid == "" || value.CanonicalUUID(o.Text(keyUUID)) == uuid) &&
			(names == nil || slices.Contains(names, o.Text(keyName)) || slices.Contains(names, o.Text(k.identity))) && keep(o)
		for _, field := range added {
			delete(o, field)
		}
		return is
	}
	ids := names
	if uuid != "" {
		ids = []string{uuid}
	}
	if len(query) == 0 && k.get != nil && ids != nil {
		return k.each(ctx, s, ids, fields, matches)
	}
	switch {
	case fields != nil:
		query[optFields] = fields
	case k.detailed && p.Bool(optDetail):
		query[optDetail] = true
	}
	return walk.All(api.IsMarkerGone, func() iter.Seq2[api.Object, error] { return k.list(ctx, s, p, query) }, matches)
}

// query returns the options by which the API filters, and the fields to request; nil means all.
func (k *kind) query(p ansible.Params) (query map[string]any, fields []string) {
	query = map[string]any{}
	for _, f := range k.filters {
		switch {
		case !p.Has(f.option):
		case f.flag:
			query[f.option] = p.Bool(f.option)
		case p.String(f.option) != "": // the result of an empty template
			query[f.option] = p.String(f.option)
		}
	}
	if k.fielded {
		fields = p.Strings(optFields)
	}
	return query, fields
}

// filter returns the conditions that the API cannot check, and the fields that they need.
func (k *kind) filter(ctx context.Context, s *service, p ansible.Params) (keep func(api.Object) bool, by []string, err error) {
	if k.keep == nil {
		return func(api.Object) bool { return true }, nil, nil
	}
	return k.keep(ctx, s, p)
}

// each reads objects one by one. If several objects share a name, all of them are returned.
func (k *kind) each(ctx context.Context, s *service, ids, fields []string, matches func(api.Object) bool) (found []api.Object, err error) {
	seen := map[string]bool{}
	for wanted := ids; len(wanted) > 0; {
		id := wanted[0]
		wanted = wanted[1:]
		if id == "" {
			continue
		}
		o, err := k.get(ctx, s, id, fields...)
		if several, ok := errors.AsType[*api.NoUniqueMatchError](err); ok && len(several.Candidates) > 0 {
			wanted = append(slices.Clone(several.Candidates), wanted...)
			continue
		}
		if api.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if key := o.Text(k.identity); !seen[key] && matches(o) {
			seen[key] = true
			found = append(found, o)
		}
	}
	return found, nil
}

// walking converts a list method of the client. whole returns the fields of an object.
func walking[T, O any](of func(*api.Client) func(context.Context, O) iter.Seq2[*T, error], whole func(*T) api.Object) listFunc {
	return func(ctx context.Context, s *service, _ ansible.Params, query map[string]any) iter.Seq2[api.Object, error] {
		return func(yield func(api.Object, error) bool) {
			for item, err := range of(s.client)(ctx, rest.Options[O](query)) {
				if err != nil {
					yield(nil, err)
					return
				}
				if !yield(whole(item), nil) {
					return
				}
			}
		}
	}
}

// getting converts a get method of the client.
func getting[T any](of func(*api.Client) func(context.Context, string, ...string) (*T, error), whole func(*T) api.Object) getFunc {
	return func(ctx context.Context, s *service, id string, fields ...string) (api.Object, error) {
		item, err := of(s.client)(ctx, id, fields...)
		if err != nil {
			return nil, err
		}
		return whole(item), nil
	}
}
