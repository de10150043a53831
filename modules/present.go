package modules

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/modules/ansible"
)

// Options of the modules that change objects.
const (
	optID            = "id"
	optState         = "state"
	optVariables     = "variables"
	optVariablesMode = "variables_mode"
	optLabels        = "labels"
	optLabelsMode    = "labels_mode"
	optForce         = "force"
	optRecreate      = "recreate"
	optProtected     = "protected"
	optCarried       = "carried" // of a result

	present, absent = "present", "absent"
	merge, replace  = "merge", "replace"
	add, exact      = "add", "exact"
)

// run runs the module craton_RESOURCE: it reads the current state, plans, and applies the plan unless it runs in check
// mode.
func (r *resource) run(ctx context.Context, task *ansible.Task) (result *ansible.Result, err error) {
	w, err := r.wants(task.Params)
	if err != nil {
		return nil, err
	}
	fl, done, err := open(ctx, task, !w.Absent)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()

	result, err = r.reconcile(ctx, fl, w, task)
	held := (*reconcile.TakenError)(nil)
	if (craton.IsConflict(err) || craton.IsNotFound(err) || errors.As(err, &held)) && (result == nil || !result.Changed) {
		// Somebody else, such as the same task on another host, may have created or deleted it meanwhile: what counts
		// is the current state.
		result, err = r.reconcile(ctx, fl, w, task)
	}
	return result, err
}

// reconcile plans and applies once.
func (r *resource) reconcile(ctx context.Context, fl *reconcile.Fleet, w *reconcile.Wanted, task *ansible.Task) (*ansible.Result, error) {
	st, err := fl.Plan(ctx, w)
	if err != nil {
		return nil, err
	}
	result := r.result(st)
	if task.CheckMode || !st.Changes() {
		return result, nil
	}
	got, err := fl.Apply(ctx, st)
	result.Changed = got.Wrote
	o := got.Object
	if got.APIKey != "" {
		o = o.Clone()
		o[reconcile.KeyAPIKey] = got.APIKey // only this time: it cannot be read later
	}
	if got.Keys != nil {
		o = o.Clone()
		o[newKeys] = got.Keys // likewise
	}
	result.Fields[r.name()] = orEmpty(o)
	return result, err
}

// result returns what the plan predicts.
func (r *resource) result(st *reconcile.Step) *ansible.Result {
	o := st.After
	if o == nil { // absent
		o = st.Before
	}
	name := ""
	for _, o := range []reconcile.Object{st.Before, st.After} {
		if o != nil {
			name = r.Noun() + " " + o.Text(r.Title)
		}
	}
	fields := ansible.Fields{r.name(): orEmpty(o)}
	if with := st.Carried(); with != nil {
		fields[optCarried] = with
	}
	return &ansible.Result{
		Changed: st.Changes(),
		Fields:  fields,
		Diff:    []ansible.Diff{{Before: comparable(st.Before), After: comparable(st.After), BeforeHeader: name, AfterHeader: name}},
	}
}

// orEmpty returns an object for a result: {} for none.
func orEmpty(o reconcile.Object) reconcile.Object {
	if o == nil {
		return reconcile.Object{}
	}
	return o
}

// comparable returns an object for a diff: without the times, which the server sets, and fields that it has yet to
// choose.
func comparable(o reconcile.Object) map[string]any {
	c := map[string]any{}
	for key, v := range o {
		switch key {
		case reconcile.KeyCreated, reconcile.KeyUpdated:
		case reconcile.KeyID, reconcile.KeyProject:
			if v != nil {
				c[key] = v
			}
		default:
			c[key] = v
		}
	}
	return c
}

// wants reads what a task wants, without requests to the API.
func (r *resource) wants(p ansible.Params) (w *reconcile.Wanted, err error) {
	w = &reconcile.Wanted{
		Kind: r.Kind, Absent: p.String(optState) != present, ID: r.idText(p), Name: p.String(optName),
		Values: map[string]any{}, Refs: map[string]*reconcile.Reference{},
	}
	if p.Has(optName) && w.Name == "" {
		return nil, fmt.Errorf("name is empty; every %s needs one", r.Noun())
	}
	if err := reconcile.CheckLength(w.Name); err != nil {
		return nil, fmt.Errorf("%s %w", optName, err)
	}
	if reconcile.Holds(r.Kind) {
		w.Force = p.Bool(optForce)
	}
	for _, option := range r.references() {
		if p.Has(option) {
			w.Refs[option] = &reconcile.Reference{Text: p.String(option)}
		}
	}
	if w.Absent {
		return w, nil
	}
	if reconcile.Recreatable(r.Kind) {
		w.Recreate = p.Bool(optRecreate)
	}
	if r.Moves != nil {
		w.Move = p.Bool(optMove)
	}
	if err := r.values(w, p); err != nil {
		return nil, err
	}
	if r.Kind == schema.User {
		if w.Access, err = access(p); err != nil {
			return nil, err
		}
	}
	if r.Protects() && p.Has(optProtected) {
		w.Protected = new(p.Bool(optProtected))
	}
	if r.hasLabels() && p.Has(optLabels) {
		w.Labels, w.ExactLabels = append([]string{}, p.Strings(optLabels)...), p.String(optLabelsMode) == exact
		for _, l := range w.Labels {
			if l == "" {
				return nil, errors.New("labels: one is empty; take it out")
			}
			if err := reconcile.CheckName(l); err != nil {
				return nil, fmt.Errorf("labels: %q %w", value.Brief(l), err)
			}
		}
	}
	if r.hasVariables() && p.Has(optVariables) {
		v, err := variablesOf(p, optVariables)
		if err != nil {
			return nil, err
		}
		w.Variables, w.Replace = v, p.String(optVariablesMode) == replace
	}
	return w, nil
}

// references returns the options that name other objects.
func (r *resource) references() (options []string) {
	for _, f := range r.Fields {
		if f.Type == schema.Reference {
			options = append(options, f.Option())
		}
	}
	if r.onDevice() {
		options = append(options, optCloud, optRegion)
	}
	return options
}

// values reads the fields that are not references.
func (r *resource) values(w *reconcile.Wanted, p ansible.Params) (err error) {
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Type == schema.Reference || !p.Has(f.Option()) {
			continue
		}
		var v any
		switch f.Type {
		case schema.Integer:
			v = int(p.Int(f.Option()))
		case schema.Flag:
			v = p.Bool(f.Option())
		default:
			v = p.String(f.Option())
		}
		if w.Values[f.Key], err = reconcile.Check(f, v); err != nil {
			return fmt.Errorf("%s %w", f.Option(), err)
		}
	}
	return nil
}

// idText returns the option id as a text, "" if it is not given.
func (r *resource) idText(p ansible.Params) string {
	switch {
	case !p.Has(optID):
		return ""
	case r.UUID:
		return p.String(optID)
	}
	return strconv.FormatInt(p.Int(optID), 10)
}

// variablesOf reads an option with variables, with every value's JSON as received.
func variablesOf(p ansible.Params, option string) (craton.Variables, error) {
	v := craton.Variables{}
	if err := json.Unmarshal(p.JSON(option), &v); err != nil {
		return nil, err
	}
	for key := range v {
		if err := value.In(option, value.In(key, cmp.Or(reconcile.CheckKey(key), value.CheckJSON(string(v[key]))))); err != nil {
			return nil, err
		}
	}
	return v, nil
}
