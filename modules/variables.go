package modules

import (
	"context"
	"errors"
	"fmt"

	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/modules/ansible"
)

const (
	variablesName = "craton_variables"
	optKind       = "kind"
	optName       = "name"
	optRemove     = "remove"
)

// withVariables returns the kinds whose variables the API can change.
func withVariables() (list []*resource) {
	for _, r := range resources() {
		if r.Variables == schema.Route && !r.View {
			list = append(list, r)
		}
	}
	return list
}

func variablesSpec() *ansible.Spec {
	var choices []any
	for _, r := range withVariables() {
		choices = append(choices, r.name())
	}
	s := &ansible.Spec{
		Name:  variablesName,
		Short: "Set, replace and remove variables of objects in Craton",
		Description: []string{
			"Changes only an existing object's own variables.",
			"Writes nothing if nothing differs. Check mode reports exactly what the real run would do.",
		},
		SupportsCheckMode: true, SupportsDiff: true,
		Fragments: []*ansible.Fragment{connection()},
		Notes:     []string{"The API sets the variables of a network interface when it is created, and cannot change them later: see M(craton.fleet.craton_network_interface)."},
		Options: []ansible.Option{
			{Name: optKind, Required: true, Choices: choices, Description: []string{"The kind of object."}},
			{Name: optName, Description: []string{"The name of the object.", "With O(kind=project), name and O(id) may be omitted for the caller's own project."}},
			{Name: optID, Description: []string{"The id of the object, instead of its name."}},
			{Name: optCloud, Description: append([]string{"The cloud that the object is in, by name or id, if its name alone is ambiguous."}, byName(optCloud)...)},
			{Name: optRegion, Description: append([]string{"The region that the object is in, by name or id, if its name alone is ambiguous."}, byName(optRegion)...)},
			{Name: optVariables, Type: ansible.Dict, Description: []string{"The variables to set: names and values of any type.", "Numbers keep all their digits. Null is a value, and overrides an inherited one."}},
			{Name: optVariablesMode, Default: merge, Choices: []any{merge, replace}, Description: []string{
				"V(merge) sets O(variables) and keeps all others, V(replace) removes all others. Each value is replaced as a whole: dicts are not merged."}},
			{Name: optRemove, Type: ansible.List, Elements: ansible.Str, Description: []string{"Names of variables to remove. Names that do not exist are ignored."}},
		},
		Rules: ansible.Rules{
			MutuallyExclusive: [][]string{{optName, optID}},
			RequiredOneOf:     [][]string{{optVariables, optRemove}},
			RequiredIf:        []ansible.RequiredIf{{Option: optVariablesMode, Value: replace, Requires: []string{optVariables}}},
		},
		Examples: `
- name: Set two variables of a region
  craton.fleet.craton_variables:
    kind: region
    name: dfw
    variables:
      ntp: ntp2.example.net
      dns: [10.0.0.2, 10.0.0.3]

- name: Remove a variable of a host
  craton.fleet.craton_variables:
    kind: host
    region: dfw
    name: web1
    remove: [role]

- name: Replace all variables of the project
  craton.fleet.craton_variables:
    kind: project
    variables:
      domain: example.net
    variables_mode: replace
`,
		Returns: []ansible.Return{
			{Name: "variables", Type: ansible.Dict, Returned: "success", Sample: map[string]any{"ntp": "ntp2.example.net"},
				Description: []string{"The object's own variables as they are now, even if nothing changed; in check mode as they would be."}},
			{Name: "target", Type: ansible.Dict, Returned: "success", Description: []string{"The object."}, Contains: []ansible.Return{
				{Name: optKind, Type: ansible.Str, Returned: "always", Sample: "region", Description: []string{"The kind of object."}},
				{Name: optID, Type: ansible.Raw, Returned: "always", Sample: 3, Description: []string{"The id: a number, or a UUID for a project."}},
				{Name: optName, Type: ansible.Str, Returned: "always", Sample: "dfw", Description: []string{"Its name."}},
			}},
		},
	}
	for _, r := range withVariables() {
		s.SeeAlso = append(s.SeeAlso, ansible.SeeAlso{Module: fullName(r.moduleName())})
	}
	return s
}

// runVariables runs the module craton_variables.
func runVariables(ctx context.Context, task *ansible.Task) (result *ansible.Result, err error) {
	p := task.Params
	r := resourceOf(p.String(optKind))
	w, drop, err := variablesWanted(p)
	if err != nil {
		return nil, err
	}
	fl, done, err := open(ctx, task, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	have, err := r.target(ctx, fl, p)
	if err != nil {
		return nil, err
	}
	st, err := reconcile.PlanVariables(r.Kind, have, w, drop)
	if err != nil {
		return nil, err
	}
	after := st.After.Variables()
	name := r.Noun() + " " + have.Text(r.Title)
	result = &ansible.Result{
		Changed: st.Changes(),
		Fields: ansible.Fields{reconcile.KeyVariables: after,
			"target": map[string]any{optKind: r.name(), optID: have[reconcile.KeyID], optName: have[r.Title]}},
		Diff: []ansible.Diff{{BeforeHeader: name, AfterHeader: name,
			Before: map[string]any{reconcile.KeyVariables: have.Variables()}, After: map[string]any{reconcile.KeyVariables: after}}},
	}
	if task.CheckMode || !result.Changed {
		return result, nil
	}
	got, err := fl.Apply(ctx, st)
	result.Changed = got.Wrote
	result.Fields[reconcile.KeyVariables] = got.Object.Variables()
	return result, err
}

// variablesWanted reads the variables to set and to delete.
func variablesWanted(p ansible.Params) (w *reconcile.Wanted, drop []string, err error) {
	w = &reconcile.Wanted{Replace: p.String(optVariablesMode) == replace}
	drop = p.Strings(optRemove)
	if p.Has(optVariables) {
		if w.Variables, err = variablesOf(p, optVariables); err != nil {
			return nil, nil, err
		}
	}
	for _, key := range drop {
		if _, both := w.Variables[key]; both {
			return nil, nil, fmt.Errorf("the variable %q is to be set and to be removed; decide for one", key)
		}
	}
	return w, drop, nil
}

// target finds an object, which must exist, with its own variables.
func (r *resource) target(ctx context.Context, fl *reconcile.Fleet, p ansible.Params) (reconcile.Object, error) {
	name, id := p.String(optName), p.String(optID)
	if r.Kind == schema.Project && name == "" && id == "" {
		o, err := fl.OwnProject(ctx)
		if err != nil {
			return nil, err
		}
		return fl.Fill(ctx, r.Kind, o)
	}
	switch {
	case id != "":
		o, err := fl.Get(ctx, r.Kind, id)
		if err == nil && o == nil {
			err = fmt.Errorf("there is no %s with the id %s", r.Noun(), id)
		}
		if err != nil {
			return nil, err
		}
		return fl.Fill(ctx, r.Kind, o)
	case name == "":
		return nil, errors.New("one of the following is required: name, id")
	}
	given := map[string]string{}
	for _, option := range []string{optCloud, optRegion} {
		if !p.Has(option) || p.String(option) == "" {
			continue
		}
		if r.ByOption(option) == nil {
			return nil, fmt.Errorf("%s: it does not say where a %s is", option, r.Noun())
		}
		given[option] = p.String(option)
	}
	place, _, err := fl.Place(ctx, given)
	if err != nil {
		return nil, err
	}
	o, err := fl.Named(ctx, r.Kind, name, place)
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, fmt.Errorf("there is no %s %q; create it first, or correct the name", r.Noun(), name)
	}
	return fl.Fill(ctx, r.Kind, o)
}
