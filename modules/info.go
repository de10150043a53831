package modules

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/craton-fleet/craton/modules/ansible"
)

// filter is an option of an info module that the API filters by.
type filter struct {
	option string
	param  string // of the API
	form   form
	doc    string
}

var (
	varsFilter = filter{option: "vars", param: "vars", doc: "Only objects whose variables match. Pairs of a path and a JSON value, such as C(role:\"db\",tuning.hugepages:64); all must match."}

	addressFilter = filter{option: "ip_address", param: "ip_address", form: formAddress, doc: "Only those with this address, in any spelling."}
)

func textFilter(option, param string) filter {
	return filter{option: option, param: param, doc: fmt.Sprintf("Only those with this %s.", option)}
}

// Options of info modules.
const (
	optResolved      = "resolved"
	optWithVariables = "with_variables"
)

// infoName is the info module of the resource.
func (r *resource) infoName() string { return r.moduleName() + "_info" }

// infoSpec is the Spec of craton_RESOURCE_info.
func (r *resource) infoSpec() *ansible.Spec {
	s := &ansible.Spec{
		Name:  r.infoName(),
		Short: fmt.Sprintf("Read %s of Craton", r.nouns),
		Description: []string{
			r.doc.is,
			fmt.Sprintf("Lists the %s that match all options that are given, however many there are. Changes nothing.", r.nouns),
			"What is not found is no error: the list is empty then. A name that several objects have, where one is to be named, is.",
		},
		SupportsCheckMode: true,
		Fragments:         []*ansible.Fragment{connection()},
		Examples:          r.doc.info,
	}
	if r.rootOnly != "" {
		s.Notes = []string{r.rootOnly}
	}
	if r.name != nameDevice {
		s.SeeAlso = []ansible.SeeAlso{{Module: fullName(r.moduleName())}}
		id := r.idOption()
		id.Description = []string{fmt.Sprintf("Only the %s with this id.", r.noun)}
		s.Options = append(s.Options, id, ansible.Option{Name: optName, Aliases: []string{"names"},
			Type: ansible.List, Elements: ansible.Str, Description: []string{fmt.Sprintf("Only %s with one of these names.", r.nouns)}})
	}
	for _, f := range r.infoReferences() {
		s.Options = append(s.Options, ansible.Option{Name: f.option, Description: append([]string{
			fmt.Sprintf("Only those of this %s, by name or id.", f.option)}, byName(f.kinds[0])...)})
	}
	for _, f := range r.filters {
		o := ansible.Option{Name: f.option, Description: []string{f.doc}}
		if f.option == varsFilter.option && r.inherits {
			o.Description = append(o.Description, "Inherited variables count, unless O(resolved=false).")
		}
		if f.form == formFlag {
			o.Type = ansible.Bool
		}
		s.Options = append(s.Options, o)
	}
	if r.inherits {
		s.Options = append(s.Options, ansible.Option{Name: optResolved, Type: ansible.Bool, Default: true, Description: []string{
			"Whether C(variables) hold what the object inherits, too, or its own only."}})
	}
	if r.fixedVariables {
		s.Options = append(s.Options, ansible.Option{Name: optWithVariables, Type: ansible.Bool, Default: false, Description: []string{
			"Whether to read the variables too. That takes one request for each interface; without it C(variables) are null."}})
	}
	s.Returns = []ansible.Return{{Name: r.plural, Type: ansible.List, Elements: ansible.Dict, Returned: "success",
		Description: []string{fmt.Sprintf("The %s, in the order in which they were created.", r.nouns)}, Contains: r.returns(false)}}
	return s
}

// infoReferences are the references to filter by: where objects stand, and what the API filters by.
func (r *resource) infoReferences() (list []field) {
	for _, f := range r.fields {
		if f.form == formReference && (f.option != optParent || r.name == nameDevice) {
			list = append(list, f)
		}
	}
	if slices.Contains(r.scope, optDevice) {
		list = append(list, inCloud, inRegion)
	}
	return list
}

// info is the module craton_RESOURCE_info.
func (r *resource) info(ctx context.Context, task *ansible.Task) (result *ansible.Result, err error) {
	fl, done, err := open(ctx, task, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	found, err := fl.list(ctx, r, task.Params)
	if gone := (*missing)(nil); errors.As(err, &gone) {
		found, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &ansible.Result{Fields: ansible.Fields{r.plural: append([]object{}, found...)}}, nil
}

func (fl *fleet) list(ctx context.Context, r *resource, p ansible.Params) ([]object, error) {
	query, err := fl.filters(ctx, r, p)
	if err != nil {
		return nil, err
	}
	queries := []filters{query}
	if r.name != nameDevice && p.Has(optName) {
		queries = nil
		for _, name := range p.Strings(optName) {
			q := maps.Clone(query)
			q[r.key] = name
			queries = append(queries, q)
		}
	}
	seen := map[string]bool{}
	var all []object
	for _, q := range queries {
		found, err := fl.search(ctx, r, q)
		if err != nil {
			return nil, err
		}
		for _, o := range found {
			if seen[o.id()] {
				continue
			}
			seen[o.id()] = true
			if o, err = fl.detail(ctx, r, o, p); err != nil {
				return nil, err
			}
			all = append(all, o)
		}
	}
	return all, nil
}

// filters are the task's options as the API's parameters.
func (fl *fleet) filters(ctx context.Context, r *resource, p ansible.Params) (filters, error) {
	query := filters{}
	if r.detailed {
		query["details"] = true
	}
	if r.inherits {
		query["resolved-values"] = p.Bool(optResolved)
	}
	if r.name != nameDevice && p.Has(optID) {
		text := idText(r, p)
		query[keyID] = text
		if r.name != nameProject {
			query[keyID] = int(p.Int(optID))
		}
	}
	given := map[string]string{}
	for _, f := range r.infoReferences() {
		if f.place() && p.Has(f.option) && p.String(f.option) != "" {
			given[f.option] = p.String(f.option)
		}
	}
	place, _, err := fl.place(ctx, given)
	if err != nil {
		return nil, err
	}
	onDevice := slices.Contains(r.scope, optDevice)
	if !onDevice {
		maps.Copy(query, place)
	}
	for _, f := range r.infoReferences() {
		if f.place() || !p.Has(f.option) || p.String(f.option) == "" {
			continue
		}
		within := filters{}
		if onDevice {
			within = filters(place)
		}
		o, err := fl.reference(ctx, &f, p.String(f.option), within)
		if err != nil {
			return nil, err
		}
		query[f.api()] = o[keyID]
	}
	if onDevice && len(place) > 0 && query["device_id"] == nil {
		return nil, errors.New("cloud and region say where to look for the device; give device too")
	}
	for _, f := range r.filters {
		switch {
		case !p.Has(f.option):
		case f.form == formFlag:
			query[f.param] = p.Bool(f.option)
		case p.String(f.option) == "":
		case f.form == formAddress:
			v, err := field{option: f.option, form: formAddress}.check(p.String(f.option))
			if err != nil {
				return nil, err
			}
			query[f.param] = v
		default:
			query[f.param] = p.String(f.option)
		}
	}
	return query, nil
}

// detail reads what the listing has left out.
func (fl *fleet) detail(ctx context.Context, r *resource, o object, p ansible.Params) (object, error) {
	if r.fixedVariables && !p.Bool(optWithVariables) {
		o[keyVariables] = nil
		return r.complete(o), nil
	}
	if _, ok := o[keyVariables]; !ok && r.inherits { // never in a listing with details; a server may leave them out
		return nil, fmt.Errorf("the %s came without its variables", r.called(o))
	}
	return fl.fill(ctx, r, o)
}
