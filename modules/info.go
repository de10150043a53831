package modules

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/modules/ansible"
)

// filter is an option of an info module by which the API filters.
type filter struct {
	option string // the API's parameter too
	of     schema.Type
	doc    string
}

var (
	varsFilter = filter{option: "vars", doc: "Only objects whose variables match: pairs of a path and a JSON value, such as C(role:\"db\",tuning.hugepages:64). All must match."}

	addressFilter = filter{option: "ip_address", of: schema.Address, doc: "Only objects with this address, in any notation."}
)

func textFilter(option string) filter {
	return filter{option: option, doc: fmt.Sprintf("Only objects with this C(%s).", option)}
}

// Options of info modules.
const (
	optResolved      = "resolved"
	optWithVariables = "with_variables"
)

// infoName returns the info module of the resource.
func (r *resource) infoName() string { return r.moduleName() + "_info" }

// infoSpec returns the Spec of craton_RESOURCE_info.
func (r *resource) infoSpec() *ansible.Spec {
	s := &ansible.Spec{
		Name:  r.infoName(),
		Short: fmt.Sprintf("Read %s of Craton", r.nouns()),
		Description: []string{
			r.doc.is,
			fmt.Sprintf("Lists the %s that match all given options, however many there are. Changes nothing.", r.nouns()),
			"If nothing matches, the list is empty. If several objects have a name that must identify one object, the task fails.",
		},
		SupportsCheckMode: true,
		Fragments:         []*ansible.Fragment{connection()},
		Examples:          r.doc.info,
	}
	if r.rootOnly != "" {
		s.Notes = []string{r.rootOnly}
	}
	if !r.View {
		s.SeeAlso = []ansible.SeeAlso{{Module: fullName(r.moduleName())}}
		id := r.idOption()
		id.Description = []string{fmt.Sprintf("Only the %s with this id.", r.Noun())}
		s.Options = append(s.Options, id, ansible.Option{Name: optName, Aliases: []string{"names"},
			Type: ansible.List, Elements: ansible.Str, Description: []string{fmt.Sprintf("Only %s with one of these names.", r.nouns())}})
	}
	for _, f := range r.infoReferences() {
		s.Options = append(s.Options, ansible.Option{Name: f.Option(), Description: append([]string{
			fmt.Sprintf("Only objects of this %s, by name or id.", f.Option())}, byName(f.To[0])...)})
	}
	for _, f := range r.filters {
		o := ansible.Option{Name: f.option, Description: []string{f.doc}}
		if f.option == varsFilter.option && r.Inherits != nil {
			o.Description = append(o.Description, "Inherited variables count, unless O(resolved=false).")
		}
		if f.of == schema.Flag {
			o.Type = ansible.Bool
		}
		s.Options = append(s.Options, o)
	}
	if r.Protects() || r.View {
		s.Options = append(s.Options, ansible.Option{Name: optProtected, Type: ansible.Bool, Description: []string{
			"Only protected objects, or with V(false) only those that are not."}})
	}
	if r.Inherits != nil {
		s.Options = append(s.Options, ansible.Option{Name: optResolved, Type: ansible.Bool, Default: true, Description: []string{
			"Whether C(variables) include inherited ones, or are only the object's own."}})
	}
	if r.Variables == schema.AtCreate {
		s.Options = append(s.Options, ansible.Option{Name: optWithVariables, Type: ansible.Bool, Default: false, Description: []string{
			"Whether to read the variables as well. This takes one request for each interface; without it C(variables) is null."}})
	}
	contains := r.returns(false)
	if r.Kind == schema.User {
		contains = append(contains, ansible.Return{Name: optRole, Type: ansible.Str, Sample: "member", Returned: "with C(craton server), for users whose role the caller may read", Description: []string{"The role of the user."}})
	}
	s.Returns = []ansible.Return{{Name: r.List, Type: ansible.List, Elements: ansible.Dict, Returned: "success",
		Description: []string{fmt.Sprintf("The %s, in the order in which they were created.", r.nouns())}, Contains: contains}}
	return s
}

// infoReferences returns the references to filter by: the places of objects, and the API's filters.
func (r *resource) infoReferences() (list []*schema.Field) {
	for i := range r.Fields {
		if f := &r.Fields[i]; f.Type == schema.Reference && (f.Option() != optParent || r.View) {
			list = append(list, f)
		}
	}
	if r.onDevice() {
		list = append(list, reconcile.PlaceField(optCloud), reconcile.PlaceField(optRegion))
	}
	return list
}

// info runs the module craton_RESOURCE_info.
func (r *resource) info(ctx context.Context, task *ansible.Task) (result *ansible.Result, err error) {
	fl, done, err := open(ctx, task, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	found, err := r.list(ctx, fl, task.Params)
	if reconcile.IsMissing(err) {
		found, err = nil, nil
	}
	switch {
	case err != nil:
	case r.Kind == schema.User:
		err = fillRoles(ctx, fl, found)
	case r.Protects() || r.View:
		found, err = r.protections(ctx, fl, found, task.Params)
	}
	if err != nil {
		return nil, err
	}
	return &ansible.Result{Fields: ansible.Fields{r.List: append([]reconcile.Object{}, found...)}}, nil
}

// protections adds to each object whether it is protected, and applies the filter by it.
func (r *resource) protections(ctx context.Context, fl *reconcile.Fleet, found []reconcile.Object, p ansible.Params) (kept []reconcile.Object, err error) {
	ids := make([]string, len(found))
	for i, o := range found {
		ids[i] = o.ID()
	}
	on, err := fl.Protected(ctx, r.Kind, ids)
	if err != nil {
		return nil, err
	}
	for i, o := range found {
		o[reconcile.KeyProtected] = on[ids[i]]
		if !p.Has(optProtected) || p.Bool(optProtected) == on[ids[i]] {
			kept = append(kept, o)
		}
	}
	return kept, nil
}

// fillRoles adds the roles to users, which the API returns separately.
func fillRoles(ctx context.Context, fl *reconcile.Fleet, users []reconcile.Object) error {
	var ids []int
	for _, o := range users {
		if id, ok := o[reconcile.KeyID].(int); ok {
			ids = append(ids, id)
		}
	}
	roles, err := reconcile.Roles(ctx, fl.Client, ids)
	for _, o := range users {
		if id, _ := o[reconcile.KeyID].(int); roles[id] != "" {
			o[reconcile.KeyRole] = string(roles[id])
		}
	}
	return err
}

func (r *resource) list(ctx context.Context, fl *reconcile.Fleet, p ansible.Params) ([]reconcile.Object, error) {
	query, err := r.query(ctx, fl, p)
	if err != nil {
		return nil, err
	}
	queries := []reconcile.Filters{query}
	if !r.View && p.Has(optName) {
		queries = nil
		for _, name := range p.Strings(optName) {
			q := maps.Clone(query)
			q[r.Title] = name
			queries = append(queries, q)
		}
	}
	seen := map[string]bool{}
	var all []reconcile.Object
	for _, q := range queries {
		found, err := fl.Search(ctx, r.Kind, q)
		if err != nil {
			return nil, err
		}
		for _, o := range found {
			if seen[o.ID()] {
				continue
			}
			seen[o.ID()] = true
			if o, err = r.detail(ctx, fl, o, p); err != nil {
				return nil, err
			}
			all = append(all, o)
		}
	}
	return all, nil
}

// query returns the task's options as the API's parameters.
func (r *resource) query(ctx context.Context, fl *reconcile.Fleet, p ansible.Params) (reconcile.Filters, error) {
	query := reconcile.Filters{}
	if r.Details {
		query["details"] = true
	}
	if r.Inherits != nil {
		query["resolved-values"] = p.Bool(optResolved)
	}
	if !r.View && p.Has(optID) {
		query[reconcile.KeyID] = r.idText(p)
		if !r.UUID {
			query[reconcile.KeyID] = int(p.Int(optID))
		}
	}
	given := map[string]string{}
	for _, f := range r.infoReferences() {
		if option := f.Option(); reconcile.PlaceField(option) != nil && p.Has(option) && p.String(option) != "" {
			given[option] = p.String(option)
		}
	}
	place, _, err := fl.Place(ctx, given)
	if err != nil {
		return nil, err
	}
	if !r.onDevice() {
		maps.Copy(query, place)
	}
	for _, f := range r.infoReferences() {
		option := f.Option()
		if reconcile.PlaceField(option) != nil || !p.Has(option) || p.String(option) == "" {
			continue
		}
		within := reconcile.Filters{}
		if r.onDevice() {
			within = place
		}
		o, err := fl.Reference(ctx, f, p.String(option), within)
		if err != nil {
			return nil, err
		}
		query[f.Key] = o.Object[reconcile.KeyID]
	}
	if r.onDevice() && len(place) > 0 && query["device_id"] == nil {
		return nil, errors.New("cloud and region say where to look for the device; give device too")
	}
	for _, f := range r.filters {
		switch {
		case !p.Has(f.option):
		case f.of == schema.Flag:
			query[f.option] = p.Bool(f.option)
		case p.String(f.option) == "":
		case f.of == schema.Address:
			if query[f.option], err = reconcile.Check(r.Field(f.option), p.String(f.option)); err != nil {
				return nil, fmt.Errorf("%s %w", f.option, err)
			}
		default:
			query[f.option] = p.String(f.option)
		}
	}
	return query, nil
}

// detail reads what the listing has left out.
func (r *resource) detail(ctx context.Context, fl *reconcile.Fleet, o reconcile.Object, p ansible.Params) (reconcile.Object, error) {
	if r.Variables == schema.AtCreate && !p.Bool(optWithVariables) {
		o[reconcile.KeyVariables] = nil
		return o, nil
	}
	if _, ok := o[reconcile.KeyVariables]; !ok && r.Inherits != nil { // never in a listing with details; a server may leave them out
		return nil, fmt.Errorf("the %s came without its variables", reconcile.Called(r.Kind, o))
	}
	return fl.Fill(ctx, r.Kind, o)
}
