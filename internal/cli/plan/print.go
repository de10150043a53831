package plan

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// actions are the machine-readable names of actions, as in a history.
var actions = map[reconcile.Action]string{
	reconcile.Created: "create", reconcile.Updated: "update", reconcile.Moved: "move", reconcile.Renamed: "rename", reconcile.Deleted: "delete",
}

// maxValue is the width of a value if no terminal determines it.
const maxValue = 200

// printPlan writes a plan for people, or in another format.
func printPlan(w io.Writer, format string, p *reconcile.Plan) error {
	switch format {
	case show.FormatJSON, show.FormatYAML:
		return writeDocument(w, format, p)
	case show.FormatCSV:
		return show.WriteRows(w, rows(p))
	}
	b := bufio.NewWriterSize(w, 1<<16)
	look := show.AppearanceOf(w)
	sides := show.Sides{Look: look, Margin: 4, Max: maxValue}
	counts := p.Counts()
	for c := range p.Changes() {
		head := look.Action(actions[c.Action], show.Object(schema.Noun(c.Kind), c.Name))
		if c.From != "" {
			head += look.Dim("  from " + show.Path(c.From))
		}
		_, _ = b.WriteString(head + "\n") // Flush tells
		sides.Write(b, sidesOf(p, &c))
	}
	if counts.Changed() {
		_ = b.WriteByte('\n')
	}
	for _, line := range append(setLines(p), effectLines(p.Effects)...) {
		_, _ = b.WriteString(show.Clean(line) + "\n")
	}
	_, _ = b.WriteString(summary(p, &counts) + "\n")
	_, _ = b.WriteString(sides.Shortening("use --format json"))
	return b.Flush()
}

// summary counts the objects of a plan by action.
func summary(p *reconcile.Plan, c *reconcile.Counts) string {
	if !c.Changed() {
		nothing := "Nothing to do"
		if p.Changed() { // the lines above show it
			nothing = "No object changes"
		}
		return nothing + ": " + show.Count(c.Unchanged, "object is up to date.", "objects are up to date.")
	}
	var parts []string
	for _, a := range []struct {
		n    int
		verb string
	}{{c.Created, "create"}, {c.Updated, "update"}, {c.Moved, "move"}, {c.Renamed, "rename"}, {c.Deleted, "delete"}} {
		if a.n > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", a.n, a.verb))
		}
	}
	return fmt.Sprintf("%s, %d unchanged.", strings.Join(parts, ", "), c.Unchanged)
}

// setLines describe changes of the set, in addition to created and deleted objects.
func setLines(p *reconcile.Plan) (lines []string) {
	lines = p.SetNotes()
	set := p.Set
	if set == nil {
		return lines
	}
	if joins := set.Joining(); joins > 0 {
		lines = append(lines, fmt.Sprintf("%s will be added to the set %s.", show.Count(joins, "existing object", "existing objects"), show.Name(set.Name)))
	}
	if set.Left > 0 {
		lines = append(lines, fmt.Sprintf("%s in the set %s, but in no file: --prune deletes %s.", show.Count(set.Left, "object is", "objects are"), show.Name(set.Name), map[bool]string{true: "it", false: "them"}[set.Left == 1]))
	}
	return lines
}

// maxEffects is the maximum number of effects that are shown.
const maxEffects = 20

// effectLines describe the effects on inherited variables.
func effectLines(e *reconcile.Effects) (lines []string) {
	if e == nil || e.Hosts+e.NetworkDevices == 0 && len(e.Causes) == 0 {
		return nil
	}
	for i, c := range e.Causes {
		if i == maxEffects && len(e.Causes) > maxEffects+1 {
			lines = append(lines, fmt.Sprintf("... and %d more inherited variables (--format json shows all)", len(e.Causes)-i))
			break
		}
		of := "by other places or parents"
		if c.Kind != "" {
			of = "of " + show.Object(schema.Noun(c.Kind), c.Name)
		}
		lines = append(lines, show.Inherited(c.Key, of, c.Hosts, c.NetworkDevices, c.Shadowed))
	}
	if n := e.Hosts + e.NetworkDevices; n > 0 {
		verb := "get"
		if n == 1 {
			verb = "gets"
		}
		lines = append(lines, fmt.Sprintf("In total, %s %s different values of variables.", show.Devices(e.Hosts, e.NetworkDevices), verb))
	}
	return lines
}

// sidesOf returns the differences of a change, as lines.
func sidesOf(p *reconcile.Plan, c *reconcile.Change) (sides []show.Side) {
	for _, field := range c.Fields {
		switch field {
		case reconcile.KeyLabels:
			before, after := reconcile.Object(c.Before).Labels(), reconcile.Object(c.After).Labels()
			for _, l := range missing(before, after) {
				sides = append(sides, show.Side{Name: "label", Sign: "-", Value: l, Text: true})
			}
			for _, l := range missing(after, before) {
				sides = append(sides, show.Side{Name: "label", Sign: "+", Value: l, Text: true})
			}
		case reconcile.KeyVariables:
			before, after := reconcile.Object(c.Before).Variables(), reconcile.Object(c.After).Variables()
			for _, key := range keysOf(before, after) {
				if text, ok := before[key]; ok {
					sides = append(sides, show.Side{Name: key, Sign: "-", Value: valueText(p, key, text)})
				}
				if text, ok := after[key]; ok {
					sides = append(sides, show.Side{Name: key, Sign: "+", Value: valueText(p, key, text)})
				}
			}
		default:
			if v, ok := c.Before[field]; ok && v != nil && v != "" {
				sides = append(sides, show.Side{Name: field, Sign: "-", Value: fieldText(v)})
			}
			if v, ok := c.After[field]; ok && (v != nil && v != "" || c.Action != reconcile.Created) {
				sides = append(sides, show.Side{Name: field, Sign: "+", Value: fieldText(v)})
			}
		}
	}
	return sides
}

// missing returns the labels of one list that are not in another.
func missing(list, other []string) (only []string) {
	for _, l := range list {
		if !slices.Contains(other, l) {
			only = append(only, l)
		}
	}
	return only
}

// keysOf returns the names in two sets of variables, sorted.
func keysOf(a, b craton.Variables) []string {
	keys := append(a.Keys(), b.Keys()...)
	slices.Sort(keys)
	return slices.Compact(keys)
}

// valueText returns a variable's value on one line, unless it is secret.
func valueText(p *reconcile.Plan, key string, text json.RawMessage) string {
	if p.Conceals(key) {
		return show.NotKept
	}
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return string(text)
	}
	return b.String()
}

// fieldText returns a field's value as in a history.
func fieldText(v any) string {
	text, err := value.Encode(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
