package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/provenance"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/when"
)

// comparePage shows the differences between two devices, or between two states of one device.
type comparePage struct {
	Devices []provenance.LevelDocument `json:"devices"`
	Keys    []provenance.Pair          `json:"keys"`    // of two devices
	Changes []*craton.Event            `json:"changes"` // of one, of two moments

	A, B, Then string    `json:"-"` // as they were asked for
	Sides      []link    `json:"-"`
	Rows       []pairRow `json:"-"`
	Parts      []part    `json:"-"`
	Span       string    `json:"-"` // the two states, in words
	More       int       `json:"-"` // rows that are not shown
	Same       bool      `json:"-"`
	Problem    string    `json:"-"`
}

// pairRow is a variable in a comparison.
type pairRow struct {
	Key    string
	Values [2]pairSide
}

type pairSide struct {
	Has   bool
	Own   bool // it comes from the compared object itself
	Value shown
	From  link
}

// maxPairs is the maximum number of rows of a comparison on the page; its twin has all.
const maxPairs = 120

// compare returns the page of a comparison: a= with b=, or a= with then=, an earlier time.
func (p *page) compare() (*view, error) {
	doc := &comparePage{A: strings.TrimSpace(p.query.Get("a")), B: strings.TrimSpace(p.query.Get("b")), Then: strings.TrimSpace(p.query.Get("then")), Devices: []provenance.LevelDocument{}, Keys: []provenance.Pair{}, Changes: []*craton.Event{}}
	v := &view{Title: "Compare", Template: "compare", Document: doc}
	var err error
	switch {
	case doc.A == "":
	case doc.B != "" && doc.Then != "":
		err = fail(http.StatusBadRequest, "give a second host or an earlier time, not both")
	case doc.B != "":
		err = p.compareTwo(v, doc)
	case doc.Then != "":
		err = p.compareThen(v, doc)
	}
	if own, ok := errors.AsType[*statusError](err); ok && !p.twin { // next to the form, which can be corrected
		doc.Problem, err = own.text, nil
	}
	return v, err
}

func (p *page) compareTwo(v *view, doc *comparePage) error {
	var sides [2]*provenance.Chain
	for i, word := range []string{doc.A, doc.B} {
		var err error
		if sides[i], err = p.device(word); err != nil {
			return err
		}
		doc.Devices = append(doc.Devices, provenance.DocumentOf(sides[i].Levels[0]))
		doc.Sides = append(doc.Sides, levelLink(sides[i].Levels[0]))
	}
	doc.Keys = append(doc.Keys, provenance.Compare(sides[0].Levels, sides[1].Levels)...)
	doc.Same = len(doc.Keys) == 0
	left := room(allValues)
	for i, pair := range doc.Keys {
		if i == maxPairs {
			doc.More = len(doc.Keys) - i
			break
		}
		row := pairRow{Key: pair.Key}
		for n, side := range pair.Values {
			if side != nil {
				from := documentLink(side.From)
				row.Values[n] = pairSide{true, from.Collection == doc.Sides[n].Collection && from.ID == doc.Sides[n].ID, left.show(string(side.Value)), from}
			}
		}
		doc.Rows = append(doc.Rows, row)
	}
	v.Title = fmt.Sprintf("%s and %s", doc.Sides[0].Name, doc.Sides[1].Name)
	words := []string{"diff", doc.Sides[0].ID, doc.Sides[1].ID}
	if p.at != "" { // which is --to here
		v.Commands = []string{shellLine(append(words, "--to", p.at, "--omit-hashed"))}
	} else {
		v.Commands = []string{shellLine(words)}
	}
	return nil
}

func (p *page) compareThen(v *view, doc *comparePage) error {
	from, err := when.ParseAt(doc.Then, time.Now().UTC())
	if err != nil {
		return fail(http.StatusBadRequest, "%s", err)
	}
	if err := p.needLog("diff"); err != nil {
		return err
	}
	chain, err := p.device(doc.A)
	if err != nil {
		return err
	}
	o := craton.DiffOptions{From: from.String(), To: p.state.String(), Kind: chain.Kind.Name, ID: chain.Object.ID()}
	if o.From == "" { // it is now
		o.From = time.Now().UTC().Format(time.RFC3339Nano)
	}
	d, err := p.client.Diff(p.ctx, o)
	if err != nil {
		if reason, ok := connect.UnknownPast(err, "", http.StatusBadRequest); ok {
			return fail(craton.StatusOf(err), "%s", reason)
		}
		return err
	}
	defer d.Close()
	left := room(allValues)
	for e, err := range d.All() {
		if err != nil {
			return err
		}
		doc.Changes = append(doc.Changes, e)
		doc.Parts = append(doc.Parts, partsOf(e, shortText, &left)...)
	}
	doc.Same = len(doc.Changes) == 0
	if n := len(doc.Parts); n > maxPairs {
		doc.Parts, doc.More = doc.Parts[:maxPairs], n-maxPairs
	}
	self := chain.Levels[0]
	doc.Devices, doc.Sides = append(doc.Devices, provenance.DocumentOf(self)), append(doc.Sides, levelLink(self))
	doc.Span = fmt.Sprintf("from %s to %s", momentWords(from), momentWords(p.state))
	v.Title = self.Name + " then and now"
	words := []string{"diff", "--from", doc.Then, "--kind", chain.Kind.Name, self.ID}
	if p.at != "" {
		words = append(words, "--to", p.at)
	}
	v.Commands = []string{shellLine(words)}
	return nil
}

// momentWords describes a state, in UTC.
func momentWords(at when.At) string {
	if !at.Time.IsZero() {
		at.Time = at.Time.UTC()
	}
	return at.Words()
}

// device finds the device that a word names by its id or name, with everything from which it inherits.
func (p *page) device(word string) (*provenance.Chain, error) {
	kinds := []*schema.Kind{schema.Host, schema.NetworkDevice}
	if id := reconcile.ID(schema.Host, word); id != "" {
		for _, k := range kinds {
			chain, err := provenance.ReadChain(p.ctx, p.client, k, id)
			if !craton.IsNotFound(err) {
				return chain, err
			}
		}
	}
	found, err := (&reconcile.Fleet{Client: p.client, IDsFirst: true}).Word(p.ctx, word, nil, kinds...)
	if _, ok := errors.AsType[*reconcile.NotFoundError](err); ok {
		return nil, fail(http.StatusNotFound, "there is no host or network device %q", word)
	}
	if several, ok := errors.AsType[*reconcile.AmbiguousError](err); ok {
		return nil, fail(http.StatusConflict, "%s", several)
	}
	if err != nil {
		return nil, err
	}
	return provenance.ReadChain(p.ctx, p.client, found.Kind, found.Object.ID())
}

// documentLink returns a link to the object of a document.
func documentLink(d provenance.LevelDocument) link {
	to := link{Noun: schema.Noun(d.Type), ID: value.IDText(d.ID)}
	if d.Name != nil {
		to.Name = *d.Name
	}
	if k := schema.ByName(d.Type); k != nil && kindAt(k.Path) != nil {
		to.Collection = k.Path
	}
	return to
}
