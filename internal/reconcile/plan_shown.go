package reconcile

import (
	"encoding/json"
	"slices"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// differs returns what a change of a saved plan would write differently from what it shows: a name, a field, a
// variable, a label; "" if nothing. People review what a plan shows, so a plan that was edited only in one of the two
// is refused. References are shown by names, and are not compared.
func differs(st *treeStep, e *planEntry[json.RawMessage]) string {
	ch, title := &st.change, st.Kind.Title
	name := st.Before.Text(title)
	for _, values := range []map[string]planValue{e.Create, e.Update} {
		for key, v := range values {
			f := st.Kind.Field(key)
			switch {
			case key == title:
				name, _ = v.Value.(string)
			case f == nil:
				return key
			case f.Type != schema.Reference && !Equal(f, Canonical(ch.After[key]), Canonical(asStored(v.Value))):
				return key
			}
		}
	}
	switch {
	case st.Kind != schema.Project && value.LastName(ch.Name) != name:
		return title
	case st.Create || st.Remove:
		return "" // variables and labels are written as shown
	case e.Protect != nil && ch.After[KeyProtected] != *e.Protect:
		return KeyProtected
	}
	if key := differingVariable(ch, e); key != "" {
		return "variable " + key
	}
	after, _ := ch.After[KeyLabels].([]string)
	before, _ := ch.Before[KeyLabels].([]string)
	for _, l := range slices.Concat(before, after, e.Add, e.Drop) {
		has := slices.Contains(before, l) && !slices.Contains(e.Drop, l) || slices.Contains(e.Add, l)
		if has != slices.Contains(after, l) {
			return "label " + l
		}
	}
	return ""
}

// differingVariable returns the key of a variable that would be set or deleted differently from what the change shows.
func differingVariable(ch *Change, e *planEntry[json.RawMessage]) string {
	before, _ := ch.Before[KeyVariables].(craton.Variables)
	after, _ := ch.After[KeyVariables].(craton.Variables)
	for key, v := range e.Set {
		if shown, ok := after[key]; !ok || !equalJSON(shown, v) {
			return key
		}
	}
	for key := range after {
		if _, set := e.Set[key]; !set {
			return key
		}
	}
	for key := range before {
		if _, set := e.Set[key]; !set && !slices.Contains(e.Unset, key) {
			return key
		}
	}
	for _, key := range e.Unset {
		if _, shown := before[key]; !shown || after[key] != nil {
			return key
		}
	}
	return ""
}
