package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/provenance"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/internal/where"
)

// variablePage shows the values to which a variable resolves on all hosts, or on those that terms select.
type variablePage struct {
	*provenance.Spread
	Where string `json:"where"`

	Asked   string       `json:"-"` // the variable
	Rows    []spreadRow  `json:"-"`
	From    int          `json:"-"` // the first value of this page, from 0
	Next    int          `json:"-"` // the first of the next page; 0: there is none
	Problem string       `json:"-"` // with the terms, or why there is nothing
	Kind    *schema.Kind `json:"-"`
}

// spreadRow is a value of a variable.
type spreadRow struct {
	Hosts, Shadowed int
	Value           shown
	From            link
	Own             *provenance.NamedHosts
	Term            string // selects the hosts whose own value it is
}

// variable returns the page of one variable across the fleet.
func (p *page) variable(key string) (*view, error) {
	doc := &variablePage{Asked: key, Where: strings.TrimSpace(p.query.Get("where")), Kind: schema.Host}
	v := &view{Title: "Variable " + key, Template: "variable", Document: doc}
	doc.From, _ = strconv.Atoi(p.query.Get("from"))
	doc.From = max(doc.From, 0)
	words := []string{"explain", "--key", key}
	var terms *where.Where
	if doc.Where != "" {
		var err error
		if terms, err = where.Parse(schema.Host, doc.Where); err != nil {
			if p.twin {
				return nil, fail(http.StatusBadRequest, "where: %s", err)
			}
			doc.Problem = err.Error()
			return v, nil
		}
		words = append(words, "--where", terms.String())
	}
	v.Commands = []string{p.command(words...)}
	v.Load = func() error { return p.loadSpread(doc, terms) }
	_, err := p.can()
	return v, err
}

// loadSpread reads the values of the variable.
func (p *page) loadSpread(doc *variablePage, terms *where.Where) error {
	found, err := p.ofFleet("variable\x00"+doc.Asked+"\x00"+terms.String(), snapshot.Options{Labels: terms.AsksLabels()}, func(fleet *snapshot.Fleet) (any, int, error) {
		spread, err := provenance.SpreadOf(fleet, doc.Asked, terms)
		if none, ok := errors.AsType[*provenance.NoVariableError](err); ok {
			return none, len(none.Key) + len(none.Near), nil
		}
		if err != nil {
			return nil, 0, err
		}
		return spread, spread.Size(), nil
	})
	if err != nil {
		return err
	}
	switch found := found.(type) {
	case *provenance.NoVariableError:
		if p.twin {
			return fail(http.StatusNotFound, "%s", found)
		}
		doc.Problem = found.Error()
	case *provenance.Spread:
		doc.Spread = found
		doc.fill()
	}
	return nil
}

// fill creates the rows of this page.
func (d *variablePage) fill() {
	left := room(allValues)
	for i := d.From; i < len(d.Values); i++ {
		if len(d.Rows) == maxRows {
			d.Next = i
			return
		}
		v := &d.Values[i]
		row := spreadRow{Hosts: v.Hosts, Shadowed: v.Shadowed, Value: left.show(string(v.Value)), Own: v.Own}
		row.From = link{Noun: schema.Noun(v.From.Type), Name: v.Path}
		if v.Own != nil {
			row.From.Name, row.Term = "", d.term(v)
		} else if k := schema.ByName(v.From.Type); k != nil && kindAt(k.Path) != nil {
			row.From.Collection, row.From.ID = k.Path, value.IDText(v.From.ID)
		}
		d.Rows = append(d.Rows, row)
	}
}

// longestTerm is the maximum length of a term in a link.
const longestTerm = 400

// term returns the term for hosts with a value as their own; "" if it is too long for a link.
func (d *variablePage) term(v *provenance.SpreadValue) string {
	t := where.About(schema.Host, d.Asked)
	t.Own = true
	if value, err := jsontext.Parse(v.Value); err == nil && len(v.Value) < longestTerm {
		t.Values = []where.Value{{JSON: &value}}
	}
	if text := t.String(); len(text) < 2*longestTerm {
		return text
	}
	return ""
}

// VariableURL returns the page of a variable: a name that would be ambiguous in a path becomes a parameter.
func (p *page) VariableURL(key string, parameters ...string) string {
	if key == "" || key == "." || key == ".." || strings.ContainsAny(key, "/") || strings.HasSuffix(key, ".json") {
		return p.Href("variables", append(parameters, "key", key)...)
	}
	return p.Href("variables/"+key, parameters...)
}
