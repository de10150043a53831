package modules

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/craton-fleet/craton/craton"
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

	present, absent = "present", "absent"
	merge, replace  = "merge", "replace"
	add, exact      = "add", "exact"
)

// run is the module craton_RESOURCE: it reads what is there, plans, and carries the plan out unless it only checks.
func (r *resource) run(ctx context.Context, task *ansible.Task) (result *ansible.Result, err error) {
	w, err := r.wants(task.Params)
	if err != nil {
		return nil, err
	}
	fl, done, err := open(ctx, task, w.present)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()

	result, err = fl.reconcile(ctx, r, w, task)
	if held := (*taken)(nil); (craton.IsConflict(err) || errors.As(err, &held)) && (result == nil || !result.Changed) {
		// Perhaps somebody else, such as the same task on another host, created it meanwhile: what is there now counts.
		result, err = fl.reconcile(ctx, r, w, task)
	}
	return result, err
}

// reconcile reads, plans, and carries out once.
func (fl *fleet) reconcile(ctx context.Context, r *resource, w *want, task *ansible.Task) (*ansible.Result, error) {
	have, err := fl.read(ctx, r, w, task.Params)
	if err != nil {
		return nil, err
	}
	p, err := r.makePlan(w, have)
	if fixed := (*unchangeable)(nil); errors.As(err, &fixed) {
		fl.name(ctx, fixed, task.Params)
	}
	if err != nil {
		return nil, err
	}
	if err := fl.verify(ctx, r, w, p); err != nil {
		return nil, err
	}
	result := r.result(p)
	if task.CheckMode || !p.changed() {
		return result, nil
	}
	got, err := fl.apply(ctx, r, p)
	result.Changed = got.wrote
	o := got.object
	if got.apiKey != "" {
		o = o.clone()
		o[keyAPIKey] = got.apiKey // this once: nobody can have it later
	}
	result.Fields[r.name] = whole(o)
	return result, err
}

// result is what the plan predicts.
func (r *resource) result(p *plan) *ansible.Result {
	o := p.after
	if o == nil { // absent
		o = p.before
	}
	name := ""
	for _, o := range []object{p.before, p.after} {
		if o != nil {
			name = r.noun + " " + o.text(r.key)
		}
	}
	return &ansible.Result{
		Changed: p.changed(),
		Fields:  ansible.Fields{r.name: whole(o)},
		Diff:    []ansible.Diff{{Before: comparable(p.before), After: comparable(p.after), BeforeHeader: name, AfterHeader: name}},
	}
}

// whole is an object for a result: {} for none.
func whole(o object) object {
	if o == nil {
		return object{}
	}
	return o
}

// comparable is an object for a diff: without the times, which the server sets, and what it has yet to choose.
func comparable(o object) object {
	c := object{}
	for key, v := range o {
		switch key {
		case keyCreated, keyUpdated:
		case keyID, keyProject:
			if v != nil {
				c[key] = v
			}
		default:
			c[key] = v
		}
	}
	return c
}

// wants reads what needs no look at the fleet.
func (r *resource) wants(p ansible.Params) (*want, error) {
	w := &want{present: p.String(optState) == present, values: object{}, name: p.String(optName)}
	w.id = idText(r, p)
	if p.Has(optName) && w.name == "" {
		return nil, fmt.Errorf("name is empty; every %s needs one", r.noun)
	}
	if err := checkLength(optName, w.name); err != nil {
		return nil, err
	}
	if r.inside != "" {
		w.force = p.Bool(optForce)
	}
	if !w.present {
		return w, nil
	}
	if r.fixed() {
		w.recreate = p.Bool(optRecreate)
	}
	for _, f := range r.fields {
		if f.form == formReference || !p.Has(f.option) {
			continue
		}
		var v any
		switch f.form {
		case formInteger:
			v = int(p.Int(f.option))
		case formFlag:
			v = p.Bool(f.option)
		default:
			v = p.String(f.option)
		}
		canonical, err := f.check(v)
		if err != nil {
			return nil, err
		}
		w.values[f.api()] = canonical
	}
	if r.labels && p.Has(optLabels) {
		w.labels, w.exactLabels = append([]string{}, p.Strings(optLabels)...), p.String(optLabelsMode) == exact
		for _, l := range w.labels {
			if l == "" {
				return nil, errors.New("labels: one is empty; take it out")
			}
			if err := cmp.Or(checkLength(optLabels, l), value.CheckName(l)); err != nil {
				return nil, fmt.Errorf("labels: %q %w", l, err)
			}
		}
	}
	if r.variables && p.Has(optVariables) {
		v, err := variablesOf(p, optVariables)
		if err != nil {
			return nil, err
		}
		w.variables, w.replace = v, p.String(optVariablesMode) == replace
	}
	return w, nil
}

// idText is the option id as a text, "" if it is not given.
func idText(r *resource, p ansible.Params) string {
	switch {
	case !p.Has(optID):
		return ""
	case r.name == nameProject:
		return p.String(optID)
	}
	return strconv.FormatInt(p.Int(optID), 10)
}

// variablesOf reads an option that holds variables, every value's JSON as it came.
func variablesOf(p ansible.Params, option string) (craton.Variables, error) {
	v := craton.Variables{}
	if err := json.Unmarshal(p.JSON(option), &v); err != nil {
		return nil, err
	}
	for key := range v {
		if key == "" || key[0] == '\n' {
			return nil, fmt.Errorf("%s: %q is not a name for a variable; it must begin with a character that is no line break", option, key)
		}
		if err := checkLength(fmt.Sprintf("%s: the name %.20q...", option, key), key); err != nil {
			return nil, err
		}
		if err := value.In(option, value.In(key, cmp.Or(value.CheckName(key), value.CheckJSON(string(v[key]))))); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// read resolves the names of other objects, puts their ids into w, and finds the object; nil if it is not there.
func (fl *fleet) read(ctx context.Context, r *resource, w *want, p ansible.Params) (object, error) {
	var have object
	if w.id != "" {
		o, err := fl.get(ctx, r, w.id)
		if err != nil || o == nil {
			return nil, err
		}
		have = o
		if !w.present {
			return fl.fill(ctx, r, have)
		}
	}
	within, err := fl.scope(ctx, r, w, p)
	if gone := (*missing)(nil); !w.present && errors.As(err, &gone) {
		return nil, nil // where nothing can be, nothing is
	}
	if err != nil {
		return nil, err
	}
	if have == nil {
		if have, err = fl.named(ctx, r, w.name, within); err != nil {
			return nil, err
		}
	}
	if w.present {
		if err := fl.references(ctx, r, w, p, have); err != nil {
			return nil, err
		}
	}
	if have == nil {
		return nil, nil
	}
	return fl.fill(ctx, r, have)
}

// get reads an object by its id; nil if it is not there.
func (fl *fleet) get(ctx context.Context, r *resource, id string) (object, error) {
	if !r.isID(id) {
		return nil, fmt.Errorf("id: %q is no id of a %s", id, r.noun)
	}
	o, err := r.service.get(ctx, fl.client, id)
	if craton.IsNotFound(err) {
		return nil, nil
	}
	return o, err
}

// named finds the object by its name in its scope; nil if it is not there.
func (fl *fleet) named(ctx context.Context, r *resource, name string, within filters) (object, error) {
	query := maps.Clone(within)
	query[r.key] = name
	if r.detailed {
		query["details"], query["resolved-values"] = true, false
	}
	found, err := fl.search(ctx, r, query)
	switch {
	case err != nil || len(found) == 0:
		return nil, err
	case len(found) > 1:
		return nil, fl.ambiguous(ctx, optName, name, found, slices.Repeat([]*resource{r}, len(found)))
	}
	return found[0], nil
}

// scope resolves where the object stands and returns it as filters. What the API keeps with the object becomes
// part of what the task wants.
func (fl *fleet) scope(ctx context.Context, r *resource, w *want, p ansible.Params) (filters, error) {
	within := filters{}
	given := map[string]string{}
	for _, option := range []string{optCloud, optRegion, optCell} {
		if r.hasOption(option) && p.Has(option) {
			given[option] = p.String(option)
		}
	}
	if _, ok := given[optRegion]; !w.present && ok {
		delete(given, optCell) // it says nothing about which object is meant
	}
	place, owner, err := fl.place(ctx, given)
	if err != nil {
		return nil, err
	}
	w.project = owner
	if slices.Contains(r.scope, optDevice) {
		if !p.Has(optDevice) || p.String(optDevice) == "" {
			return within, nil
		}
		of, err := fl.reference(ctx, r.field(optDevice), p.String(optDevice), filters(place))
		if err != nil {
			return nil, err
		}
		w.values["device_id"], w.project = of[keyID], of[keyProject]
		within["device_id"] = of[keyID]
		return within, nil
	}
	if slices.Contains(r.scope, optProject) {
		id, err := fl.projectOf(ctx, r, p)
		if err != nil {
			return nil, err
		}
		within[keyProject] = id
		if w.id == "" || p.Has(optProject) {
			w.values[keyProject] = id
		}
		return within, nil
	}
	for key, id := range place {
		w.values[key] = id
		if key != "cell_id" && id != nil {
			within[key] = id
		}
	}
	return within, nil
}

// hasOption tells the options that say where an object stands: fields, and where a device is to be looked for.
func (r *resource) hasOption(option string) bool {
	return r.field(option) != nil || slices.Contains(r.scope, optDevice) && (option == optCloud || option == optRegion)
}

// projectOf is the project that a user belongs to: the task's, else the caller's.
func (fl *fleet) projectOf(ctx context.Context, r *resource, p ansible.Params) (any, error) {
	if p.Has(optProject) && p.String(optProject) != "" {
		o, err := fl.reference(ctx, r.field(optProject), p.String(optProject), nil)
		if err != nil {
			return nil, err
		}
		return o[keyID], nil
	}
	o, err := fl.ownProject(ctx)
	if err != nil {
		return nil, err
	}
	return o[keyID], nil
}

// ownProject is the caller's project. Without a project_id there is only one.
func (fl *fleet) ownProject(ctx context.Context) (object, error) {
	if fl.project != "" {
		return project.service.get(ctx, fl.client, fl.project)
	}
	all, err := fl.search(ctx, project, filters{})
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("the fleet has %d projects; set project_id to one", len(all))
	}
	return all[0], nil
}

// references resolves parents and networks.
func (fl *fleet) references(ctx context.Context, r *resource, w *want, p ansible.Params, have object) error {
	for i := range r.fields {
		f := &r.fields[i]
		if f.form != formReference || f.place() || f.option == optDevice || f.option == optProject || !p.Has(f.option) {
			continue
		}
		text := p.String(f.option)
		if text == "" {
			w.values[f.api()] = nil
			continue
		}
		o, err := fl.near(ctx, f, text, w, have)
		if err != nil {
			return err
		}
		w.values[f.api()] = o[keyID]
	}
	return nil
}

// near prefers a network of the region that the interface's device stands in. A parent has no such preference,
// because one in another region is nothing unusual.
func (fl *fleet) near(ctx context.Context, f *field, text string, w *want, have object) (object, error) {
	if f.option != optNetwork {
		var self any
		if have != nil {
			self = have[keyID]
		}
		return fl.other(ctx, f, text, nil, self)
	}
	of := w.values["device_id"]
	if of == nil && have != nil {
		of = have["device_id"]
	}
	if of != nil {
		on, err := fl.device(ctx, fmt.Sprint(of))
		if err != nil {
			return nil, err
		}
		o, err := fl.reference(ctx, f, text, filters{"region_id": on["region_id"]})
		if gone := (*missing)(nil); !errors.As(err, &gone) {
			return o, err
		}
	}
	return fl.reference(ctx, f, text, nil)
}

// device reads a host or network device by its id.
func (fl *fleet) device(ctx context.Context, id string) (object, error) {
	o, err := host.service.get(ctx, fl.client, id)
	if craton.IsNotFound(err) {
		return networkDevice.service.get(ctx, fl.client, id)
	}
	return o, err
}

// verify refuses what the API would refuse, and what would delete more than the task says, before anything is
// written, and so in check mode too.
func (fl *fleet) verify(ctx context.Context, r *resource, w *want, p *plan) error {
	if p.remove {
		c, err := fl.contents(ctx, r, p.before)
		if err != nil {
			return err
		}
		if err := r.guard(p, w, c); err != nil {
			return err
		}
	}
	if p.after == nil {
		return nil
	}
	if err := fl.free(ctx, r, p); err != nil {
		return err
	}
	return fl.noCircle(ctx, r, p)
}

// taken is a name that another object has.
type taken struct{ what string }

func (e *taken) Error() string { return e.what }

// free refuses a name that another object has where this one will be.
func (fl *fleet) free(ctx context.Context, r *resource, p *plan) error {
	if r.name == nameProject {
		return nil
	}
	within := filters{r.key: p.after[r.key]}
	for _, key := range []string{"device_id", "region_id", "cloud_id"} { // of a place the innermost is enough
		if f := r.fieldOfKey(key); f != nil && slices.Contains(r.scope, f.option) {
			within[key] = p.after[key]
			break
		}
	}
	if r.name == nameUser {
		within[keyProject] = p.after[keyProject]
	}
	moved := p.before == nil
	for key := range within {
		moved = moved || p.before[key] != p.after[key]
	}
	if !moved {
		return nil
	}
	for _, kind := range kinds(r.name, r.rival) {
		found, err := fl.search(ctx, kind, within)
		if err != nil {
			return err
		}
		for _, o := range found {
			if p.before == nil || kind != r || o.id() != p.before.id() {
				return &taken{fmt.Sprintf("the name %q is taken by the %s", p.after.text(r.key), kind.called(o))}
			}
		}
	}
	return nil
}

// noCircle refuses a parent that stands below the device itself (v1 contract §6.4).
func (fl *fleet) noCircle(ctx context.Context, r *resource, p *plan) error {
	parent, own := p.after["parent_id"], any(nil)
	if p.before != nil {
		own = p.before[keyID]
	}
	if r.rival == "" || parent == nil || own == nil || !p.create && p.before["parent_id"] == parent {
		return nil
	}
	seen := map[any]bool{}
	for at := parent; at != nil && !seen[at]; {
		if at == own {
			return fmt.Errorf("parent: the %s cannot be below itself; give another parent", r.called(p.before))
		}
		seen[at] = true
		o, err := fl.device(ctx, fmt.Sprint(at))
		if craton.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		at = o["parent_id"]
	}
	return nil
}
