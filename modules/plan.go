package modules

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/value"
)

// want is what a task says about one object, names of other objects resolved to ids. It says only what the task does.
type want struct {
	present bool
	id      string // "" if the object is found by its name
	name    string // "" if the task gives none
	values  object // by the API's keys, canonical
	project any    // of what holds the object, for the prediction of a new one

	labels      []string // nil: not given
	exactLabels bool
	variables   craton.Variables // nil: not given
	replace     bool

	recreate, force bool
}

// plan is what is to be done about one object. It is all that check mode, diff and the real run know, so they
// cannot disagree.
type plan struct {
	before, after object // nil: not there

	remove, create  bool   // both: made anew
	update          object // what an update sends
	set             craton.Variables
	unset           []string
	addLabels, drop []string
}

func (p *plan) changed() bool {
	return p.remove || p.create || len(p.update)+len(p.set)+len(p.unset)+len(p.addLabels)+len(p.drop) > 0
}

// makePlan compares what a task says with what is there; have is nil if nothing is. It sends nothing.
func (r *resource) makePlan(w *want, have object) (*plan, error) {
	p := &plan{before: have}
	switch {
	case !w.present:
		p.remove = have != nil
		return p, nil
	case have == nil && w.id != "":
		return nil, fmt.Errorf("there is no %s with the id %s; leave id out to create one, the API chooses its id", r.noun, w.id)
	case have == nil:
		return p, r.planCreate(p, w)
	}
	return p, r.planChange(p, w)
}

func (r *resource) planCreate(p *plan, w *want) error {
	p.create = true
	if err := value.CheckName(w.name); err != nil {
		return fmt.Errorf("%s %w", optName, err)
	}
	p.after = r.complete(object{r.key: w.name})
	if w.project != nil && r.name != nameProject {
		p.after[keyProject] = w.project
	}
	maps.Copy(p.after, w.values)
	var lack []string
	for _, f := range r.fields {
		if f.required && p.after[f.api()] == nil {
			lack = append(lack, f.option)
		}
		if f.form == formFlag && p.after[f.api()] == nil {
			p.after[f.api()] = f.option == "active" // what the API does
		}
	}
	if slices.Contains(lack, optRegion) { // which says the cloud
		lack = slices.DeleteFunc(lack, func(option string) bool { return option == optCloud })
	}
	if len(lack) > 0 {
		return fmt.Errorf("there is no %s; to create it, give %s", r.called(p.after), strings.Join(lack, ", "))
	}
	if r.variables {
		p.after[keyVariables] = merged(nil, w)
	}
	if r.labels {
		p.after[keyLabels] = labelsAfter(nil, w)
	}
	r.planLabels(p)
	return nil
}

// planChange finds what differs.
func (r *resource) planChange(p *plan, w *want) error {
	p.after, p.update = p.before.clone(), object{}
	var fixed []difference
	differs := func(option, key string, cannot bool, v any) {
		if cannot {
			fixed = append(fixed, difference{option, p.before[key], v})
		} else {
			p.update[key] = v
		}
		p.after[key] = v
	}
	if w.id != "" && w.name != "" && w.name != p.before.text(r.key) {
		if err := value.CheckName(w.name); err != nil { // what is called so already may stay, and be deleted
			return fmt.Errorf("%s %w", optName, err)
		}
		differs(optName, r.key, r.fixedName, w.name)
	}
	for _, f := range r.fields {
		if v, given := w.values[f.api()]; given && !f.equal(p.before[f.api()], v) {
			differs(f.option, f.api(), f.fixed, v)
		}
	}
	if _, given := w.values["cell_id"]; !given && p.before["cell_id"] != nil && p.after["region_id"] != p.before["region_id"] {
		p.after["cell_id"] = nil // a cell of the region that the object leaves
	}
	if r.variables {
		p.after[keyVariables] = merged(p.before.variables(), w)
		if r.fixedVariables && !equalVariables(p.before.variables(), p.after.variables()) {
			fixed = append(fixed, difference{option: keyVariables})
		}
	}
	if r.labels {
		p.after[keyLabels] = labelsAfter(p.before.labels(), w)
	}
	if len(fixed) > 0 {
		if !w.recreate {
			return &unchangeable{r: r, before: p.before, fixed: fixed}
		}
		p.remove, p.create, p.update = true, true, nil
		for _, key := range []string{keyID, keyCreated, keyUpdated} {
			p.after[key] = nil
		}
		r.planLabels(p)
		return nil
	}
	r.planVariables(p)
	r.planLabels(p)
	return nil
}

// difference is what a task says otherwise, of which the API allows no change.
type difference struct {
	option     string
	have, want any // canonical; an id of a reference, until it is named
}

// unchangeable is the error of a task that says otherwise what the API cannot change.
type unchangeable struct {
	r      *resource
	before object
	fixed  []difference
}

func (e *unchangeable) Error() string {
	var what []string
	for _, d := range e.fixed {
		switch {
		case d.option == keyVariables:
			what = append(what, keyVariables)
		case d.have == nil:
			what = append(what, fmt.Sprintf("%s, of which there is none (the task says %s)", d.option, shown(d.want)))
		default:
			what = append(what, fmt.Sprintf("%s %s (the task says %s)", d.option, shown(d.have), shown(d.want)))
		}
	}
	text := what[0]
	if last := len(what) - 1; last > 0 {
		text = strings.Join(what[:last], ", ") + " and " + what[last]
	}
	advice := "leave it as it is"
	if e.r.fixed() {
		advice += fmt.Sprintf(", or set recreate: true to delete the %s and make a new one with another id", e.r.noun)
	}
	return fmt.Sprintf("the API cannot change %s of the %s; %s", text, e.r.called(e.before), advice)
}

// shown is a value in an error.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case string:
		return strconv.Quote(v)
	}
	return fmt.Sprint(v)
}

// merged are the variables as they will be. A value that means the same as the one that is there stays as it is.
func merged(have craton.Variables, w *want) craton.Variables {
	after := craton.Variables{}
	if w.variables == nil || !w.replace {
		maps.Copy(after, have)
	}
	for key, text := range w.variables {
		if old, ok := have[key]; ok && value.EqualJSON(old, text) {
			text = old
		}
		after[key] = text
	}
	return after
}

// planVariables finds the keys to set and those to take away.
func (r *resource) planVariables(p *plan) {
	have, after := p.before.variables(), p.after.variables()
	p.set = craton.Variables{}
	for key, text := range after {
		if old, ok := have[key]; !ok || !value.EqualJSON(old, text) {
			p.set[key] = text
		}
	}
	for _, key := range have.Keys() {
		if _, ok := after[key]; !ok {
			p.unset = append(p.unset, key)
		}
	}
}

func labelsAfter(have []string, w *want) []string {
	after := append([]string{}, w.labels...)
	if w.labels == nil || !w.exactLabels {
		after = append(after, have...)
	}
	slices.Sort(after)
	return slices.Compact(after)
}

// planLabels finds the labels to add and those to take away. A create that takes labels needs no more.
func (r *resource) planLabels(p *plan) {
	if !r.labels || p.create && r.createLabels {
		return
	}
	have := p.before.labels()
	if p.create {
		have = nil
	}
	for _, l := range p.after.labels() {
		if !slices.Contains(have, l) {
			p.addLabels = append(p.addLabels, l)
		}
	}
	for _, l := range have {
		if !slices.Contains(p.after.labels(), l) {
			p.drop = append(p.drop, l)
		}
	}
}
