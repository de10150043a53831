package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// Plan reads one object and compares it with what is wanted. It returns an error for whatever the API would refuse, and
// for deleting more than the task allows. It writes nothing.
func (fl *Fleet) Plan(ctx context.Context, w *Wanted) (*Step, error) {
	// The Wanted itself is not changed, so that it can be planned again.
	resolved := *w
	if resolved.Values = maps.Clone(w.Values); resolved.Values == nil {
		resolved.Values = map[string]any{}
	}
	w = &resolved
	if w.Protected != nil {
		if err := fl.CheckProtect(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", KeyProtected, err)
		}
	}
	have, err := fl.find(ctx, w)
	if err != nil {
		return nil, err
	}
	if have != nil && w.Protected != nil {
		if err := fl.fillProtected(ctx, w.Kind, have); err != nil {
			return nil, err
		}
	}
	st := &Step{Kind: w.Kind, Before: have}
	switch {
	case w.Absent:
		st.Remove = have != nil
	case have == nil && w.ID != "":
		return nil, fmt.Errorf("there is no %s with the id %s; to create one, omit id: the API assigns it", w.Kind.Noun(), w.ID)
	default:
		st = compare(w, have)
		cannotMove := false
		if len(st.Move) > 0 {
			moves, err := fl.has(ctx, FeatureMove)
			if err != nil {
				return nil, err
			}
			if cannotMove = !moves; cannotMove {
				w.Move = false
				st = compare(w, have)
			}
		}
		if err := st.check(w); err != nil {
			if fixed, ok := errors.AsType[*UnchangeableError](err); ok {
				fixed.CannotMove = cannotMove
				fl.name(ctx, fixed, w)
			}
			return nil, err
		}
	}
	if err := fl.planAccess(ctx, w, st); err != nil {
		return nil, err
	}
	return st, fl.verify(ctx, w, st)
}

// PlanVariables returns the step that sets some variables of an object and deletes others.
func PlanVariables(k *schema.Kind, have Object, w *Wanted, remove []string) (*Step, error) {
	st := &Step{Kind: k, Before: have, After: have.Clone(), own: true}
	after := mergedVariables(have.Variables(), w)
	for _, key := range remove {
		delete(after, key)
	}
	st.After[KeyVariables] = after
	st.planVariables()
	if l := st.checkForm(); l != nil {
		return nil, l
	}
	return st, nil
}

// find resolves the names of other objects, puts their ids into w, and finds the object; nil if it does not exist.
func (fl *Fleet) find(ctx context.Context, w *Wanted) (have Object, err error) {
	if w.ID != "" {
		if have, err = fl.Get(ctx, w.Kind, w.ID); err != nil || have == nil {
			return nil, err
		}
		if w.Absent {
			return fl.Fill(ctx, w.Kind, have)
		}
	}
	within, err := fl.scope(ctx, w)
	if w.Absent && IsMissing(err) {
		return nil, nil // the place does not exist, so nothing in it does
	}
	if err != nil {
		return nil, err
	}
	if have == nil {
		if have, err = fl.Named(ctx, w.Kind, w.Name, within); err != nil {
			return nil, err
		}
		if have == nil && w.Move && !w.Absent && w.Kind.Moves != nil { // it may be in another place
			if have, err = fl.Named(ctx, w.Kind, w.Name, Filters{}); err != nil {
				return nil, err
			}
		}
	}
	if have == nil && w.ID == "" {
		if have, err = fl.unfinished(ctx, w, within); err != nil {
			return nil, err
		}
		if have != nil { // only the new name is missing
			w.ID = have.ID()
		}
	}
	if !w.Absent {
		if err := fl.references(ctx, w, have); err != nil {
			return nil, err
		}
	}
	if have == nil {
		return nil, nil
	}
	return fl.Fill(ctx, w.Kind, have)
}

// onDevice reports whether objects of a kind belong to a device; the places then restrict the search for the device.
func onDevice(k *schema.Kind) bool { return k.Field(deviceField.Key) != nil }

// scope resolves the places of the object and returns them as filters. Places that the API stores in the object become
// part of what is wanted.
func (fl *Fleet) scope(ctx context.Context, w *Wanted) (Filters, error) {
	within := Filters{}
	given := map[string]string{}
	for _, f := range placeFields {
		if text, ok := w.Ref(f.Option()); ok {
			given[f.Option()] = text
		}
	}
	if _, ok := given[schema.Region.Name]; w.Absent && ok {
		delete(given, schema.Cell.Name) // it does not help to identify the object
	}
	place, found, err := fl.Place(ctx, given)
	if err != nil {
		return nil, err
	}
	switch {
	case onDevice(w.Kind):
		text, _ := w.Ref(deviceField.Option())
		if text == "" {
			return within, nil
		}
		of, err := fl.Reference(ctx, deviceField, text, place)
		if err != nil {
			return nil, err
		}
		w.Values[deviceField.Key], w.named = of.Object[KeyID], []Found{of}
		within[deviceField.Key] = of.Object[KeyID]
		return within, nil
	case w.Kind == schema.User:
		text, given := w.Ref(schema.Project.Name)
		id, err := fl.projectOf(ctx, text)
		if err != nil {
			return nil, err
		}
		within[KeyProject] = id
		if w.ID == "" || given {
			w.Values[KeyProject] = id
		}
		return within, nil
	}
	w.named = found
	for key, id := range place {
		w.Values[key] = id
		if key != "cell_id" && id != nil {
			within[key] = id
		}
	}
	return within, nil
}

// projectOf returns the project that a user belongs to: the given one, or else the caller's.
func (fl *Fleet) projectOf(ctx context.Context, text string) (any, error) {
	if text != "" {
		o, err := fl.Reference(ctx, schema.User.Field(KeyProject), text, nil)
		return o.Object[KeyID], err
	}
	o, err := fl.OwnProject(ctx)
	return o[KeyID], err
}

// references resolves parents and networks.
func (fl *Fleet) references(ctx context.Context, w *Wanted, have Object) error {
	for i := range w.Kind.Fields {
		f := &w.Kind.Fields[i]
		text, given := w.Ref(f.Option())
		if f.Type != schema.Reference || f.Place() || f.Key == KeyProject || !given {
			continue
		}
		if text == "" {
			w.Values[f.Key] = nil
			continue
		}
		o, err := fl.preferNear(ctx, f, text, w, have)
		if err != nil {
			return err
		}
		w.Values[f.Key], w.named = o.Object[KeyID], append(w.named, o)
	}
	return nil
}

// preferNear prefers a network in the region of the interface's device. For a parent there is no such preference,
// because parents in other regions are common.
func (fl *Fleet) preferNear(ctx context.Context, f *schema.Field, text string, w *Wanted, have Object) (Found, error) {
	if !slices.Contains(f.To, schema.Network.Name) {
		return fl.referenceExcept(ctx, f, text, nil, have[KeyID])
	}
	of := w.Values[deviceField.Key]
	if of == nil {
		of = have[deviceField.Key]
	}
	if of != nil {
		on, err := fl.device(ctx, of)
		if err != nil {
			return Found{}, err
		}
		o, err := fl.Reference(ctx, f, text, Filters{"region_id": on["region_id"]})
		if !IsMissing(err) {
			return o, err
		}
	}
	return fl.Reference(ctx, f, text, nil)
}

// name replaces ids in an error by what people know: the texts of the task, and names of everything else, with the id
// if the names are equal.
func (fl *Fleet) name(ctx context.Context, e *UnchangeableError, w *Wanted) {
	for i := range e.Fixed {
		d := &e.Fixed[i]
		f := e.Kind.ByOption(d.Option)
		if f == nil || f.Type != schema.Reference {
			continue
		}
		have, want := d.Have, d.Want
		d.Have, d.Want = fl.nameOf(ctx, f, have), fl.nameOf(ctx, f, want)
		if text, given := w.Ref(d.Option); given {
			if d.Want = text; text == fmt.Sprint(want) && text != "" { // an id: so the other is one too
				d.Have = have
			}
		}
		if d.Have == d.Want && d.Have != nil {
			d.Have, d.Want = plainText(fmt.Sprintf("%q (id %v)", d.Have, have)), plainText(fmt.Sprintf("%q (id %v)", d.Want, want))
		}
	}
}

// plainText is a text that an error shows without quotes.
type plainText string

// verify refuses what the API would refuse, and deleting more than the task allows, before anything is written, and
// therefore in check mode too.
func (fl *Fleet) verify(ctx context.Context, w *Wanted, st *Step) error {
	if st.Remove {
		c, err := fl.contents(ctx, st.Kind, st.Before)
		if err != nil {
			return err
		}
		if st.Create {
			if st.carry, err = fl.planCarried(ctx, st, c); err != nil {
				return err
			}
		}
		if err := st.guard(w, c); err != nil {
			return err
		}
	}
	if st.After == nil {
		return nil
	}
	if err := cmp.Or(fl.checkProject(w, st), fl.checkNameFree(ctx, st)); err != nil {
		return err
	}
	return fl.checkParentCycle(ctx, st)
}

// checkProject refuses references to objects in another project: names are searched for only in one project, but ids
// are not, and the API requires both objects to be in the same project.
func (fl *Fleet) checkProject(w *Wanted, st *Step) error {
	own := cmp.Or(st.Before.Text(KeyProject), fl.Project)
	if own == "" || !st.Create && len(st.Update) == 0 {
		return nil
	}
	for _, of := range w.named {
		if in := of.Text(KeyProject); in != "" && !value.SameUUID(in, own) {
			return fmt.Errorf("the %s belongs to another project, %s; name one of the project %s", Called(of.Kind, of.Object), in, own)
		}
	}
	return nil
}

// TakenError is the error for a name that another object has.
type TakenError struct{ what string }

// Error says which object has the name.
func (e *TakenError) Error() string { return e.what }

// checkNameFree refuses a name that another object has in the same place.
func (fl *Fleet) checkNameFree(ctx context.Context, st *Step) error {
	k := st.Kind
	if k == schema.Project {
		return nil
	}
	within := Filters{k.Title: st.After[k.Title]}
	if key := scopeKey(k); key != "" { // the innermost place is enough
		within[key] = st.After[key]
	}
	moved := st.Before == nil
	for key := range within {
		moved = moved || st.Before[key] != st.After[key]
	}
	if !moved {
		return nil
	}
	name := st.After.Text(k.Title)
	for _, spelling := range spellings(name) {
		within[k.Title] = spelling
		for _, kind := range append([]*schema.Kind{k}, sharingNames(k)...) {
			found, err := fl.Search(ctx, kind, within)
			if err != nil {
				return err
			}
			for _, o := range found {
				switch {
				case st.Before != nil && kind == k && o.ID() == st.Before.ID():
				case spelling != name:
					return &TakenError{fmt.Sprintf("the name %s looks like that of the %s %s (id %s) in another Unicode form; rename that one by its id", value.CodePoints(name), kind.Noun(), value.CodePoints(spelling), o.ID())}
				default:
					return &TakenError{fmt.Sprintf("the name %q is taken by the %s", name, Called(kind, o))}
				}
			}
		}
	}
	return nil
}

// spellings returns the forms of a name in Unicode: the name itself and, if it has accents or the like, its decomposed
// form, which older servers and the original accept.
func spellings(name string) []string {
	if other := value.Decomposed(name); other != name {
		return []string{name, other}
	}
	return []string{name}
}

// sharingNames returns the kinds whose names must be unique together with a kind's.
func sharingNames(k *schema.Kind) (list []*schema.Kind) {
	for _, name := range k.Rivals {
		list = append(list, schema.ByName(name))
	}
	return list
}

// checkParentCycle refuses a parent that is a descendant of the device itself (v1 contract §6.4).
func (fl *Fleet) checkParentCycle(ctx context.Context, st *Step) error {
	parent, own := st.After["parent_id"], st.Before[KeyID]
	if parent == nil || own == nil || !st.Create && st.Before["parent_id"] == parent {
		return nil
	}
	seen := map[any]bool{}
	for at := parent; at != nil && !seen[at]; {
		if at == own {
			return fmt.Errorf("parent: the %s cannot be below itself; give another parent", Called(st.Kind, st.Before))
		}
		seen[at] = true
		o, err := fl.device(ctx, at)
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
