package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/when"
)

// printer writes events for people.
type printer struct {
	look      show.Appearance
	of        *target // nil: everything
	whole     bool    // only one variable is shown, with complete values
	shortened bool
	b         bytes.Buffer
}

func newPrinter(s *object.Session, of *target, whole bool) *printer {
	return &printer{look: show.AppearanceOf(s.Out), of: of, whole: whole}
}

func (p *printer) flush(w io.Writer) error {
	_, err := p.b.WriteTo(w)
	return err
}

func (p *printer) title() {
	if p.of != nil {
		p.b.WriteString(p.of.title(p.look) + "\n")
	}
}

// event writes an event: when, what and by whom, followed by what changed in the object.
func (p *printer) event(e *craton.Event) {
	head := p.look.Bold(when.Format(e.Time.Local())) + "  " + p.subject(e)
	switch {
	case e.User != "":
		head += "  by " + show.Clean(e.User)
	case e.Path == "":
		head += "  " + p.look.Dim("your role may not see who did it")
	}
	if e.Message != "" {
		head += "  " + p.look.Cyan(show.Clean(`"`+e.Message+`"`))
	}
	fmt.Fprintf(&p.b, "\n%s  %s\n", head, p.look.Dim(fmt.Sprintf("revision %d", e.Revision)))
	p.sides(e)
}

// subject describes the action and the object.
func (p *printer) subject(e *craton.Event) string {
	name := e.Path
	if name == "" {
		name = value.IDText(e.ID)
	}
	return e.Action + " " + show.Object(schema.Noun(e.Kind), name)
}

// sides writes what an event changed: a line for each old and each new value.
func (p *printer) sides(e *craton.Event) {
	sides, inherited := p.lines(e)
	as := show.Sides{Look: p.look, Margin: 2, Whole: p.whole}
	as.Write(&p.b, sides)
	p.shortened = p.shortened || as.Shortened
	switch {
	case inherited == 1:
		fmt.Fprintf(&p.b, "  %s\n", p.look.Dim("and 1 inherited variable"))
	case inherited > 1:
		fmt.Fprintf(&p.b, "  %s\n", p.look.Dim(fmt.Sprintf("and %d inherited variables", inherited)))
	}
}

// automaticFields are fields that say nothing about a created or deleted object.
var automaticFields = map[string]bool{"id": true, "project_id": true, "created_at": true}

// lines returns the sides of an event. Inherited values of a created or deleted object are only counted.
func (p *printer) lines(e *craton.Event) (lines []show.Side, inherited int) {
	add := func(name, sign, from string, value string) {
		lines = append(lines, show.Side{Name: name, Sign: sign, From: from, Value: value})
	}
	own := e.Action == "create" || e.Action == "delete"
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		f := e.Fields[name]
		if own && automaticFields[name] || p.whole {
			continue
		}
		for _, side := range []struct {
			sign string
			text json.RawMessage
		}{{"-", f.Before}, {"+", f.After}} {
			if len(side.text) > 0 && (!own || string(side.text) != "null") && string(f.Before) != string(f.After) {
				add(name, side.sign, "", string(side.text))
			}
		}
	}
	if e.Labels != nil && !p.whole {
		for _, side := range []struct {
			sign        string
			has, hasNot []string
		}{{"-", e.Labels.Before, e.Labels.After}, {"+", e.Labels.After, e.Labels.Before}} {
			for _, label := range side.has {
				if !slices.Contains(side.hasNot, label) {
					lines = append(lines, show.Side{Name: "label", Sign: side.sign, Value: label, Text: true})
				}
			}
		}
	}
	for _, k := range e.Keys {
		if own && p.of != nil && !p.whole && !from(k.Before, e) && !from(k.After, e) {
			inherited++
			continue
		}
		for _, side := range []struct {
			sign string
			v    *craton.FromValue
		}{{"-", k.Before}, {"+", k.After}} {
			switch {
			case side.v == nil:
			case side.v.Kept:
				add(k.Key, side.sign, sourceText(side.v), oneLine(side.v.Value))
			default:
				add(k.Key, side.sign, sourceText(side.v), show.NotKept)
			}
		}
	}
	return lines, inherited
}

// from reports whether a value comes from the changed object itself.
func from(v *craton.FromValue, e *craton.Event) bool {
	return v != nil && v.From.Kind == e.Kind && v.From.ID == e.ID
}

func sourceText(v *craton.FromValue) string {
	return show.Object(schema.Noun(v.From.Kind), v.From.Name)
}

// ending says what is missing.
func (p *printer) ending(d *document) {
	if d.shown == 0 {
		p.b.WriteString("\nno changes\n")
	}
	if !d.Whole && !d.More && d.Begins != nil {
		fmt.Fprintf(&p.b, "\n%s\n", p.look.Dim("The change log is complete from "+when.Format(d.begins.Local())+" on; earlier changes are not kept."))
	} else if !d.Whole && !d.More {
		fmt.Fprintf(&p.b, "\n%s\n", p.look.Dim("The change log has just begun; earlier changes are not kept."))
	}
	p.shortenings()
}

func (p *printer) shortenings() {
	as := show.Sides{Look: p.look, Shortened: p.shortened}
	p.b.WriteString(as.Shortening("name the variable, or use --format json,"))
}
