package reconcile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Step is a planned change of one object.
type Step struct {
	Kind          *schema.Kind
	Before, After Object // nil: it does not exist; After may be Before itself

	Remove, Create  bool   // both: recreated
	Move            Object // the body of a move
	Update          Object // the body of an update
	Set             craton.Variables
	Unset           []string
	AddLabels, Drop []string
	Protect         *bool

	// Fixed are the differences that the API cannot change.
	Fixed []Difference

	access *accessStep
	carry  *carried // what a recreated device keeps

	own   bool           // After is no longer Before itself
	given map[string]any // by key: fields that a create sends although the API may choose their values
}

// Difference is a field that differs from what is wanted.
type Difference struct {
	Option     string
	Have, Want any // canonical; for a reference, an id until it is replaced by a name
}

// Changes reports whether the step writes anything.
func (st *Step) Changes() bool {
	return st.Remove || st.Create || len(st.Move)+len(st.Update)+len(st.Set)+len(st.Unset)+len(st.AddLabels)+len(st.Drop) > 0 || st.Protect != nil || st.access.changes()
}

// compare determines how to change an object to what is wanted; have is nil if there is none. It sends nothing.
func compare(w *Wanted, have Object) *Step {
	st := &Step{Kind: w.Kind, Before: have, Create: have == nil, given: w.Values}
	if have == nil {
		st.After = blank(w.Kind)
		for _, f := range w.Kind.Fields {
			if f.Type == schema.Flag {
				st.After[f.Key] = f.Key == "active" // as the API does
			}
		}
		st.After[w.Kind.Title] = w.Name
		if len(w.named) > 0 {
			st.After[KeyProject] = w.named[0].Object[KeyProject]
		}
		maps.Copy(st.After, w.Values)
	} else {
		st.After = have // until a difference is found: see after
		if w.ID != "" && w.Name != "" && w.Name != have.Text(w.Kind.Title) {
			st.differs(optionName, w.Kind.Title, w.Kind.FixedTitle, w.Name)
		}
		for i := range w.Kind.Fields {
			f := &w.Kind.Fields[i]
			v, given := w.Values[f.Key]
			switch {
			case !given || Equal(f, have[f.Key], v):
			case w.Move && f.Place() && w.Kind.Moves != nil:
				st.moves(f.Key, v)
			default:
				st.differs(f.Option(), f.Key, f.Fixed, v)
			}
		}
		if _, given := w.Values["cell_id"]; !given && have["cell_id"] != nil && st.After["region_id"] != have["region_id"] {
			st.after()["cell_id"] = nil // a cell of the region that the object leaves
		}
	}
	if w.Kind.Variables != schema.None {
		if !keepsVariables(have.Variables(), w) {
			st.after()[KeyVariables] = mergedVariables(have.Variables(), w)
		}
		if w.Kind.Variables == schema.AtCreate && have != nil && !maps.EqualFunc(have.Variables(), st.After.Variables(), value.EqualJSON) {
			st.Fixed = append(st.Fixed, Difference{Option: KeyVariables})
		}
	}
	if w.Kind.Labels != schema.Unlabelled {
		if labels := labelsAfter(have.Labels(), w); have.Labels() == nil || !slices.Equal(labels, have.Labels()) {
			st.after()[KeyLabels] = labels
		}
	}
	if w.Protected != nil {
		on := *w.Protected
		if st.Create && on || have != nil && have[KeyProtected] != on {
			st.Protect = &on
		}
		if st.Create || st.Protect != nil {
			st.after()[KeyProtected] = on
		}
	}
	if len(st.Fixed) > 0 && w.Recreate {
		st.Remove, st.Create, st.Move, st.Update, st.Fixed = true, true, nil, nil, nil
		for _, key := range []string{KeyID, KeyCreated, KeyUpdated} {
			st.after()[key] = nil
		}
	}
	if !st.Create && w.Kind.Variables == schema.Route {
		st.planVariables()
	}
	st.planLabels()
	return st
}

// after returns a copy of the object for changes; its variables and labels must be replaced, not changed.
func (st *Step) after() Object {
	if st.Before != nil && !st.own {
		st.After, st.own = maps.Clone(st.Before), true
	}
	return st.After
}

func (st *Step) differs(option, key string, cannot bool, v any) {
	if cannot {
		st.Fixed = append(st.Fixed, Difference{option, st.Before[key], v})
	} else {
		if st.Update == nil {
			st.Update = Object{}
		}
		st.Update[key] = v
	}
	st.after()[key] = v
}

// moves records a place that differs. The other places follow from those in the move.
func (st *Step) moves(key string, v any) {
	if slices.Contains(st.Kind.Moves, key) {
		if st.Move == nil {
			st.Move = Object{}
		}
		st.Move[key] = v
	}
	st.after()[key] = v
}

// keepsVariables reports whether an object's variables are as wanted.
func keepsVariables(have craton.Variables, w *Wanted) bool {
	if have == nil || w.Replace && w.Variables != nil && len(w.Variables) != len(have) {
		return false
	}
	for key, text := range w.Variables {
		if old, ok := have[key]; !ok || !equalJSON(old, text) {
			return false
		}
	}
	return true
}

// equalJSON is value.EqualJSON, which is called only if the canonical texts, as our server returns them, differ.
func equalJSON(have, text json.RawMessage) bool {
	if bytes.Equal(have, text) {
		return true
	}
	if len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		if v, err := jsontext.Parse(text); err == nil && bytes.Equal(have, v.AppendCompact(nil)) {
			return true
		}
	}
	return value.EqualJSON(have, text)
}

// mergedVariables returns the resulting variables. A wanted value that equals the existing one keeps the existing text.
func mergedVariables(have craton.Variables, w *Wanted) craton.Variables {
	after := make(craton.Variables, len(w.Variables))
	if w.Variables == nil || !w.Replace {
		maps.Copy(after, have)
	}
	for key, text := range w.Variables {
		if old, ok := have[key]; ok && equalJSON(old, text) {
			text = old
		}
		after[key] = text
	}
	return after
}

// planVariables determines the keys to set and to delete.
func (st *Step) planVariables() {
	if !st.own {
		return
	}
	have, after := st.Before.Variables(), st.After.Variables()
	for key, text := range after {
		if old, ok := have[key]; !ok || !bytes.Equal(old, text) { // mergedVariables keeps the text of equal values
			if st.Set == nil {
				st.Set = craton.Variables{}
			}
			st.Set[key] = text
		}
	}
	for key := range have {
		if _, ok := after[key]; !ok {
			st.Unset = append(st.Unset, key)
		}
	}
	slices.Sort(st.Unset)
}

func labelsAfter(have []string, w *Wanted) []string {
	after := append([]string{}, w.Labels...)
	if w.Labels == nil || !w.ExactLabels {
		after = append(after, have...)
	}
	slices.Sort(after)
	return slices.Compact(after)
}

// planLabels determines the labels to add and to remove. A create that accepts labels needs no more.
func (st *Step) planLabels() {
	if st.Kind.Labels == schema.Unlabelled || st.Create && st.Kind.Labels == schema.MakeLabels {
		return
	}
	if !st.Create && !st.own {
		return
	}
	have := st.Before.Labels()
	if st.Create {
		have = nil
	}
	for _, l := range st.After.Labels() {
		if !slices.Contains(have, l) {
			st.AddLabels = append(st.AddLabels, l)
		}
	}
	for _, l := range have {
		if !slices.Contains(st.After.Labels(), l) {
			st.Drop = append(st.Drop, l)
		}
	}
}

// check refuses a step that cannot be applied, with the places where people search for the cause.
func (st *Step) check(w *Wanted) error {
	k := w.Kind
	if st.Create || w.ID != "" && w.Name != "" && w.Name != st.Before.Text(k.Title) { // existing objects with such names may be kept and deleted
		name := cmp.Or(w.Name, st.After.Text(k.Title)) // a recreated object keeps its name
		if err := cmp.Or(value.CheckName(name), value.CheckForm(name)); err != nil {
			return fmt.Errorf("%s %w", optionName, err)
		}
	}
	if l := st.checkForm(); l != nil {
		return l
	}
	if st.Before == nil {
		var lack []string
		for i := range k.Fields {
			if f := &k.Fields[i]; f.Required && st.After[f.Key] == nil {
				lack = append(lack, f.Option())
			}
		}
		if slices.Contains(lack, schema.Region.Name) { // which names the cloud
			lack = slices.DeleteFunc(lack, func(option string) bool { return option == schema.Cloud.Name })
		}
		if len(lack) > 0 {
			return fmt.Errorf("there is no %s; to create it, give %s", Called(k, st.After), strings.Join(lack, ", "))
		}
	}
	if len(st.Fixed) > 0 {
		return &UnchangeableError{Kind: k, Before: st.Before, Fixed: st.Fixed}
	}
	return nil
}

// UnchangeableError is the error if a task wants another value for a field that the API cannot change.
type UnchangeableError struct {
	Kind   *schema.Kind
	Before Object
	Fixed  []Difference

	CannotMove bool // a move was requested, but the server does not support moves
}

// FeatureMove is the capability of servers that move objects.
const FeatureMove = "move"

// Error says what the field is, what the task wants, and what to do.
func (e *UnchangeableError) Error() string {
	var what []string
	for _, d := range e.Fixed {
		switch {
		case d.Option == KeyVariables:
			what = append(what, KeyVariables)
		case d.Have == nil:
			what = append(what, fmt.Sprintf("%s, which is not set (the task says %s)", d.Option, shown(d.Want)))
		default:
			what = append(what, fmt.Sprintf("%s %s (the task says %s)", d.Option, shown(d.Have), shown(d.Want)))
		}
	}
	text := what[0]
	if last := len(what) - 1; last > 0 {
		text = strings.Join(what[:last], ", ") + " and " + what[last]
	}
	advice := "leave it unchanged"
	switch place := slices.ContainsFunc(e.Fixed, func(d Difference) bool { return PlaceField(d.Option) != nil }); {
	case !place || e.Kind.Moves == nil:
	case e.CannotMove:
		advice = "this server cannot move it (craton server can): " + advice
	default:
		advice += fmt.Sprintf(", set move: true to move the %s (craton server can)", e.Kind.Noun())
	}
	if Recreatable(e.Kind) {
		advice += fmt.Sprintf(", or set recreate: true to delete the %s and create a new one with another id", e.Kind.Noun())
	}
	return fmt.Sprintf("the API cannot change %s of the %s; %s", text, Called(e.Kind, e.Before), advice)
}

// Recreatable reports whether objects of the kind may have to be recreated to become what a task wants.
func Recreatable(k *schema.Kind) bool {
	return slices.ContainsFunc(k.Fields, func(f schema.Field) bool { return f.Fixed })
}
