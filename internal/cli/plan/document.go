package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/value"
)

// The document of a plan for --format json and yaml. Its changes have the form of those in a history.
type (
	planDocument struct { // and "changes", a list of planChange
		Counts  *reconcile.Counts  `json:"counts"`  // null: there is no plan, because of what is in Refused
		Effects *reconcile.Effects `json:"effects"` // null: nobody asked
		Set     *setDocument       `json:"set"`     // null: the plan is for no set
		Sets    []craton.SetSize   `json:"sets"`    // then the sets of the plan's objects, with their numbers, if it changes anything
		Refused []refusedDocument  `json:"refused"` // what prevents it from being applied
	}
	refusedDocument struct {
		Reason  reconcile.Reason `json:"reason"`
		Type    string           `json:"type"`  // "": it is not about an object
		Path    string           `json:"path"`  // of the object; for deletions the set
		Other   string           `json:"other"` // the path of the conflicting object; "": none
		Message string           `json:"message"`
		Do      string           `json:"do"`    // what to do, the end of the message
		File    string           `json:"file"`  // "": it stands in none
		Line    int              `json:"line"`  // 0 likewise
		Where   string           `json:"where"` // in the file: clouds[east].regions[dfw]
	}
	setDocument struct {
		Name    string  `json:"name"`
		New     bool    `json:"new"`     // nothing belongs to it yet
		Joins   int     `json:"joins"`   // existing objects that will belong to it
		Others  int     `json:"others"`  // objects of another set, which stay there
		Left    int     `json:"left"`    // objects of the set that are not in any file, and stay
		Refusal *string `json:"refusal"` // why craton apply refuses this; null if it does not
	}
	planChange struct {
		Action string                        `json:"action"`
		Type   string                        `json:"type"`
		ID     any                           `json:"id"`   // null for a created object
		Path   string                        `json:"path"` // "" for the project
		From   *string                       `json:"from"` // the path before a move or a rename
		Fields map[string]craton.FieldChange `json:"fields"`
		Labels *craton.LabelChange           `json:"labels"`
		Keys   []planKey                     `json:"keys"`
	}
	planKey struct {
		Key    string     `json:"key"`
		Before *planValue `json:"before"`
		After  *planValue `json:"after"`
	}
	planValue struct {
		Value json.RawMessage `json:"value"`
		Kept  bool            `json:"kept"` // false: it is a secret, which is not shown
	}
)

// writeDocument writes the document while it computes the changes: for a large plan they are many times the size of the
// fleet file.
func writeDocument(w io.Writer, format string, p *reconcile.Plan) error {
	counts, doc := p.Counts(), planDocument{Effects: p.Effects, Set: setOf(p.Set), Sets: orEmpty(p.Belongs), Refused: []refusedDocument{}}
	doc.Counts = &counts
	if p.Set != nil && p.Set.Refused != nil {
		doc.Refused = refusedOf([]reconcile.Problem{*p.Set.Refused})
	}
	return show.WriteList(w, format, doc, "changes", func(yield func(any) bool) {
		for c := range p.Changes() {
			if !yield(changeOf(p, &c)) {
				return
			}
		}
	})
}

// refusedOf returns refusals for programs.
func refusedOf(all []reconcile.Problem) []refusedDocument {
	docs := make([]refusedDocument, len(all))
	for i, p := range all {
		docs[i] = refusedDocument{p.Reason, p.Kind, p.Object, p.Other, p.Message, p.Do, p.File, p.Line, p.Path}
	}
	return docs
}

// writeRefused writes the document of refusals, if a program expects one, and returns the error. It is the document of
// a plan, or of an apply.
func writeRefused(w io.Writer, format string, err error, applied *applyDocument) error {
	refused := reconcile.Refusals(err)
	if refused == nil || format != show.FormatJSON && format != show.FormatYAML {
		return err
	}
	if applied != nil {
		applied.Refused, applied.Changes = refusedOf(refused), []changeDocument{}
		return errors.Join(show.WriteDocument(w, format, applied), err)
	}
	none := func(func(any) bool) {}
	return errors.Join(show.WriteList(w, format, planDocument{Refused: refusedOf(refused), Sets: []craton.SetSize{}}, "changes", none), err)
}

// orEmpty returns an empty list instead of nil, which would be null for programs.
func orEmpty[T any](list []T) []T { return append([]T{}, list...) }

func setOf(set *reconcile.PlannedSet) *setDocument {
	if set == nil {
		return nil
	}
	doc := &setDocument{Name: set.Name, New: set.New, Joins: set.Joining(), Others: set.Others, Left: set.Left}
	if set.Refused != nil {
		doc.Refusal = &set.Refused.Message
	}
	return doc
}

func changeOf(p *reconcile.Plan, c *reconcile.Change) planChange {
	out := planChange{Action: actions[c.Action], Type: c.Kind, ID: c.ID, Path: c.Name, Fields: map[string]craton.FieldChange{}, Keys: []planKey{}}
	if c.From != "" {
		out.From = &c.From
	}
	for _, field := range c.Fields {
		switch field {
		case reconcile.KeyLabels:
			out.Labels = &craton.LabelChange{Before: orEmpty(reconcile.Object(c.Before).Labels()), After: orEmpty(reconcile.Object(c.After).Labels())}
		case reconcile.KeyVariables:
			before, after := reconcile.Object(c.Before).Variables(), reconcile.Object(c.After).Variables()
			for _, key := range keysOf(before, after) {
				out.Keys = append(out.Keys, planKey{key, valueOf(p, before, key), valueOf(p, after, key)})
			}
		default:
			out.Fields[field] = craton.FieldChange{Before: fieldJSON(c.Before[field]), After: fieldJSON(c.After[field])}
		}
	}
	return out
}

func fieldJSON(v any) json.RawMessage {
	text, err := value.Encode(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return text
}

func valueOf(p *reconcile.Plan, v craton.Variables, key string) *planValue {
	text, ok := v[key]
	switch {
	case !ok:
		return nil
	case p.Conceals(key):
		return &planValue{json.RawMessage("null"), false}
	}
	return &planValue{text, true}
}

// rows returns a plan as CSV: a row for each difference.
func rows(p *reconcile.Plan) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		if !yield([]string{"action", "type", "id", "path", "from", "what", "name", "before", "after"}) {
			return
		}
		for c := range p.Changes() {
			for _, row := range rowsOf(p, &c) {
				if !yield(row) {
					return
				}
			}
		}
	}
}

// rowsOf returns those of one object.
func rowsOf(p *reconcile.Plan, c *reconcile.Change) (rows [][]string) {
	id := ""
	if c.ID != nil {
		id = fmt.Sprint(c.ID)
	}
	for _, s := range sidesOf(p, c) {
		if len(rows) > 0 {
			if last := rows[len(rows)-1]; s.Sign == "+" && last[6] == s.Name && last[8] == "" && s.Name != "label" {
				last[8] = s.Value
				continue
			}
		}
		row := []string{actions[c.Action], c.Kind, id, c.Name, c.From, partOf(c, s.Name), s.Name, "", ""}
		row[7+strings.IndexByte("-+", s.Sign[0])] = s.Value
		rows = append(rows, row)
	}
	if rows == nil {
		rows = [][]string{{actions[c.Action], c.Kind, id, c.Name, c.From, "", "", "", ""}}
	}
	return rows
}

// partOf reports whether a line is about a field, a label or a variable.
func partOf(c *reconcile.Change, name string) string {
	switch {
	case name == "label":
		return name
	case slices.Contains(c.Fields, name):
		return "field"
	}
	return "variable"
}

// The document of an apply for --format json and yaml.
type (
	applyDocument struct {
		Check bool `json:"check"` // nothing was done
		reconcile.Counts
		Set     *setDocument      `json:"set"`     // as in the document of a plan
		Sets    []craton.SetSize  `json:"sets"`    // likewise
		Refused []refusedDocument `json:"refused"` // likewise: with anything in it nothing was done
		Changes []changeDocument  `json:"changes"` // objects that differed
	}
	changeDocument struct {
		Action string   `json:"action"`
		Kind   string   `json:"kind"`
		Name   string   `json:"name"`   // "" for the project
		From   string   `json:"from"`   // the name before a move or a rename
		Fields []string `json:"fields"` // of an update
	}
)

// printResult prints a line for each object that differed, then the summary; or both as a document.
func printResult(w io.Writer, format string, p *reconcile.Plan, r *reconcile.Result, check bool) error {
	doc := applyDocument{Check: check, Counts: r.Counts, Set: setOf(p.Set), Sets: orEmpty(p.Belongs), Refused: []refusedDocument{}, Changes: []changeDocument{}}
	for _, c := range r.Changes {
		if c.Action != reconcile.Unchanged {
			doc.Changes = append(doc.Changes, changeDocument{string(c.Action), c.Kind, c.Name, c.From, append([]string{}, c.Fields...)})
		}
	}
	switch format {
	case show.FormatJSON, show.FormatYAML:
		return show.WriteDocument(w, format, doc)
	case show.FormatCSV:
		rows := [][]string{{"action", "kind", "name", "fields", "from"}}
		for _, c := range doc.Changes {
			rows = append(rows, []string{c.Action, c.Kind, c.Name, strings.Join(c.Fields, " "), c.From})
		}
		return show.WriteCSV(w, rows)
	}
	var b strings.Builder
	for _, c := range doc.Changes {
		action := c.Action
		if check {
			action = "would " + actions[reconcile.Action(action)]
		}
		b.WriteString(action + " " + show.Object(c.Kind, c.Name))
		if c.From != "" {
			b.WriteString(" from " + show.Path(c.From))
		}
		if c.Action != string(reconcile.Created) && c.Action != string(reconcile.Deleted) && len(c.Fields) > 0 {
			fmt.Fprintf(&b, " (%s)", strings.Join(c.Fields, ", "))
		}
		b.WriteByte('\n')
	}
	before, more := "", []string{}
	if check {
		before = "check: would "
	}
	for _, a := range []struct {
		n          int
		would, did string
	}{{r.Moved, "move", "moved"}, {r.Renamed, "rename", "renamed"}, {r.Deleted, "delete", "deleted"}} {
		switch {
		case a.n == 0:
		case check:
			more = append(more, fmt.Sprintf("%s %d, ", a.would, a.n))
		default:
			more = append(more, fmt.Sprintf("%s %d, ", a.did, a.n))
		}
	}
	if check {
		fmt.Fprintf(&b, "%screate %d, update %d, %sleave %d unchanged\n", before, r.Created, r.Updated, strings.Join(more, ""), r.Unchanged)
	} else {
		fmt.Fprintf(&b, "created %d, updated %d, %sunchanged %d\n", r.Created, r.Updated, strings.Join(more, ""), r.Unchanged)
	}
	if r.Joined > 0 {
		fmt.Fprintf(&b, map[bool]string{true: "check: would add %s to the set\n", false: "added %s to the set\n"}[check],
			show.Count(r.Joined, "existing object", "existing objects"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
