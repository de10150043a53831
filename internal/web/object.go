package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/provenance"
	"github.com/craton-fleet/craton/internal/schema"
)

// objectPage is the page of one object: its fields, where its variables come from, its places and contents, and its
// last changes.
type objectPage struct {
	Kind      string                                 `json:"kind"`
	Object    craton.Object                          `json:"object"`
	Order     []provenance.LevelDocument             `json:"order"`
	Complete  bool                                   `json:"complete"`
	Variables map[string]provenance.VariableDocument `json:"variables"`
	Inventory *membership                            `json:"inventory,omitempty"` // of a device
	Related   []related                              `json:"related"`
	Events    []*craton.Event                        `json:"events"` // the last

	Of              *schema.Kind      `json:"-"`
	ID              string            `json:"-"`
	Name            string            `json:"-"`
	Path            []link            `json:"-"` // its places, outermost first
	Fields          []field           `json:"-"`
	Labels          []string          `json:"-"`
	Inactive        bool              `json:"-"`
	Note            string            `json:"-"`
	Inherits        bool              `json:"-"`
	Rows            []variableRow     `json:"-"`
	Count           int               `json:"-"` // of all variables
	Search          string            `json:"-"` // the text that shown names contain
	Found           int               `json:"-"` // number of variables with such names
	From            int               `json:"-"` // the first of them on this page, from 1
	Next            string            `json:"-"` // the name after which the next page begins
	NoLog           bool              `json:"-"` // who set a value is unknown
	Hidden          bool              `json:"-"` // the project is not read
	Happened        []eventRow        `json:"-"`
	Log             bool              `json:"-"` // there is a history
	Then, ThenWords string            `json:"-"` // a time with which it can be compared
	Whole           bool              `json:"-"` // which goes back to the object's creation
	Begins          *craton.Timestamp `json:"-"` // or begins then

	explained *provenance.Explanation
}

// link is another object.
type link struct{ Noun, Name, Collection, ID string }

// field is a member of an object.
type field struct{ Name, Text string }

// related is the objects that refer to one.
type related struct {
	What    string          `json:"what"`
	Objects []craton.Object `json:"objects"` // the first
	Links   []link          `json:"-"`
	Term    string          `json:"-"` // finds all of them
	More    bool            `json:"more"`
}

// variableRow is a variable in the table.
type variableRow struct {
	Name     string
	Value    shown
	From     link
	Set      *setter
	Null     bool // which hides too
	Excluded bool
	Hides    []hidden
	Own      bool
}

// hidden is an overridden value.
type hidden struct {
	From  link
	Value shown
	Set   *setter
}

// setter is the user who set a value.
type setter struct {
	User, Message string
	Time          time.Time
	Revision      int64
}

const (
	maxRelated  = 20
	maxEvents   = 8
	eventValues = 6 << 10 // bytes of their expandable values
)

// object returns the page of an object or, with key=, that of one of its variables. The object itself is read before
// the page begins, because it may not exist.
func (p *page) object(k *schema.Kind, id string) (*view, error) {
	fields, err := p.of(k).Collection(craton.Kind(k.Name)).Get(p.ctx, id)
	if craton.IsNotFound(err) {
		return nil, fail(http.StatusNotFound, "there is no %s with the id %s%s", k.Noun(), id, map[bool]string{true: " at that time"}[p.Past != ""])
	}
	if err != nil {
		return nil, err
	}
	doc := &objectPage{
		Kind: k.Name, Object: *fields, Of: k, ID: id, Name: fields.Text(k.Title), Labels: labelsOf(*fields), Inactive: string((*fields)["active"]) == "false",
		Note: fields.Text("note"), Inherits: k.Inherits != nil, Related: []related{}, Events: []*craton.Event{},
	}
	if key := p.query.Get("key"); key != "" {
		if err := p.readObject(doc, false); err != nil {
			return nil, err
		}
		return p.variableOf(doc, key)
	}
	v := &view{Title: doc.Name, Template: "object", Document: doc}
	v.Load = func() error {
		if err := p.readObject(doc, true); err != nil {
			return err
		}
		doc.Search = strings.TrimSpace(p.query.Get("q"))
		doc.rows(p.query.Get("after"))
		v.Commands = p.commandsOf(doc)
		return nil
	}
	return v, nil
}

// readObject reads where an object's variables come from and who set them and, with around, its surroundings and last
// changes.
func (p *page) readObject(doc *objectPage, around bool) error {
	can, err := p.can()
	if err != nil {
		return err
	}
	e, err := provenance.ExplainObject(p.ctx, p.of(doc.Of), doc.Of, doc.Object, p.inventory.Excludes)
	if err != nil {
		return err
	}
	doc.Order, doc.Complete, doc.Count, doc.Hidden, doc.explained = e.Order(), e.Complete, len(e.Variables), !e.Complete && doc.Inherits, e
	doc.NoLog, doc.Log = !can.Has("changes"), can.Has("history")
	var g errgroup.Group
	if !doc.NoLog {
		g.Go(func() error { return e.ReadSetters(p.ctx, p.client, can) })
	}
	if doc.Of == schema.User {
		if err := p.fillRoles([]craton.Object{doc.Object}); err != nil {
			return err
		}
		doc.Fields = append(doc.Fields, field{titleOf(keyRole), doc.Object.Text(keyRole)})
	}
	if around {
		g.Go(func() error { return p.readRelated(doc) })
		if doc.Log {
			g.Go(func() error { return p.readEvents(doc) })
		}
	}
	g.Go(func() error { return p.describe(doc) })
	if _, told := e.Object["labels"]; doc.Of.Labels != schema.Unlabelled && !told {
		g.Go(func() (err error) {
			doc.Labels, err = p.client.Collection(craton.Kind(doc.Of.Name)).Labels(p.ctx, doc.ID)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if around {
		doc.Inventory = p.membership(doc)
	}
	for _, name := range []string{"links", "variables"} {
		delete(doc.Object, name)
	}
	if doc.Labels != nil {
		if doc.Object["labels"], err = json.Marshal(doc.Labels); err != nil {
			return err
		}
	}
	doc.Variables = e.Document()
	return nil
}

// commandsOf returns the commands that print what the page of an object shows.
func (p *page) commandsOf(d *objectPage) []string {
	all := []string{p.commandOf(d.Of, d.Kind+"-show", d.ID)}
	if d.Of.Labels != schema.Unlabelled {
		words := []string{"explain", d.ID}
		if !d.NoLog {
			words = append(words, "--who")
		}
		all = append([]string{p.command(words...)}, all...)
	}
	if d.Log {
		all = append(all, shellLine(p.untilThen([]string{"history", "--kind", d.Kind, d.ID, "--limit", itoa(maxEvents)})))
	}
	return all
}

// describe names the places of an object, and lists its other fields.
func (p *page) describe(d *objectPage) error {
	known := map[reference]named{}
	for _, l := range d.explained.Levels {
		if k := schema.ByName(l.Kind); k != nil {
			known[reference{l.Kind, l.ID}] = named{l.Name, k.Path}
		}
	}
	names, err := p.otherNames(d.Of, []craton.Object{d.Object}, known)
	if err != nil {
		return err
	}
	for _, f := range d.Of.Fields {
		text := d.Object.Text(f.Key)
		switch {
		case text == "" || f.Key == "note" || f.Key == "active" || f.Key == keyAdmin:
		case f.Type == schema.Reference:
			n := names[reference{f.To[0], text}]
			d.Path = append(d.Path, link{schema.Noun(f.Option()), n.name, n.collection, text})
		default:
			d.Fields = append(d.Fields, field{titleOf(f.Key), text})
		}
	}
	return nil
}

// To returns the number of the last variable on this page, from 1.
func (d *objectPage) To() int { return d.From + len(d.Rows) - 1 }

// levelLink returns a link to a level.
func levelLink(l hierarchy.Level) link {
	to := link{Noun: schema.Noun(l.Kind), Name: l.Name, ID: l.ID}
	if k := schema.ByName(l.Kind); k != nil {
		to.Collection = k.Path
	}
	return to
}

// rows returns the rows of the selected variables, after the named one.
func (d *objectPage) rows(after string) {
	all := d.explained.Variables
	if d.Search != "" {
		all = nil
		for _, v := range d.explained.Variables {
			if isCalled(d.Search, v.Name) {
				all = append(all, v)
			}
		}
	}
	from := 0
	for after != "" && from < len(all) && all[from].Name <= after {
		from++
	}
	d.Found = len(all)
	left, bytes := room(allValues), 0
	for i := from; i < len(all); i++ {
		if len(d.Rows) == maxRows || bytes > maxRowBytes {
			d.Next = all[i-1].Name
			break
		}
		row := d.row(&all[i], &left)
		bytes += row.size()
		d.Rows = append(d.Rows, row)
	}
	d.From = from + 1
}

// fewVariables is the number of variables that need no search.
const fewVariables = 15

// Many reports whether there are so many variables that the page offers a search by name.
func (d *objectPage) Many() bool { return d.Count > fewVariables }

// maxRowBytes is approximately the maximum size of a page's rows as HTML, without expandable values.
const maxRowBytes = 72 << 10

// size returns approximately how much HTML a row takes.
func (r *variableRow) size() int {
	n := 700 + 2*len(r.Name) + len(r.Value.Short)
	for _, h := range r.Hides {
		n += 450 + len(h.Value.Short)
	}
	return n
}

func (d *objectPage) row(v *provenance.Variable, left *room) variableRow {
	first := v.Values[0]
	row := variableRow{
		Name: v.Name, Value: left.show(first.Value), From: levelLink(d.explained.Levels[first.Level]), Set: d.setter(first.Level, v.Name),
		Null: first.Value == "null" && len(v.Values) > 1, Excluded: v.Excluded, Own: first.Level == 0,
	}
	for _, other := range v.Values[1:] {
		row.Hides = append(row.Hides, hidden{levelLink(d.explained.Levels[other.Level]), left.show(other.Value), d.setter(other.Level, v.Name)})
	}
	return row
}

func (d *objectPage) setter(level int, name string) *setter {
	c := d.explained.SetBy(level, name)
	if c == nil {
		return nil
	}
	return &setter{c.User, c.Message, c.Time.Time, c.Revision}
}

// readRelated reads the objects that refer to an object: the first interfaces and children of a device.
func (p *page) readRelated(d *objectPage) error {
	if d.Of.Labels == schema.Unlabelled {
		return nil
	}
	for _, of := range []struct {
		what, key, term string
		kind            *schema.Kind
	}{
		{"Interfaces", "device_id", "", schema.NetworkInterface},
		{"Children", "parent_id", "parent_id=" + d.ID, schema.Device},
	} {
		c := p.client.Collection(craton.Kind(of.kind.Name))
		if !c.Takes(of.key) {
			continue
		}
		found, err := c.List(p.ctx, url.Values{of.key: {d.ID}, "limit": {strconv.Itoa(maxRelated)}})
		if craton.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		r := related{What: of.what, Term: of.term, More: len(found.Items) == maxRelated}
		for _, o := range found.Items {
			delete(*o, "links")
			k := of.kind
			if kind := schema.ByName(strings.ReplaceAll(o.Text("kind"), "_", "-")); kind != nil {
				k = kind
			}
			r.Objects = append(r.Objects, *o)
			r.Links = append(r.Links, link{o.Text("ip_address"), o.Text(k.Title), k.Path, o.ID()})
		}
		if len(r.Links) > 0 {
			d.Related = append(d.Related, r)
		}
	}
	return nil
}

// Contents returns links to the lists of a place's contents.
func (d *objectPage) Contents() (lists []link) {
	if d.Of == schema.Project { // of which lists have no term
		return []link{{Noun: plainPlural(schema.User), Collection: schema.User.Path}}
	}
	if d.Of.Labels != schema.Unlabelled {
		return nil
	}
	for _, k := range d.Of.Contents() {
		if key := d.Of.ContentKey(); kindAt(k.Path) != nil && k.Field(key) != nil && k != schema.NetworkInterface {
			lists = append(lists, link{Noun: plainPlural(k), Collection: k.Path, ID: key + "=" + d.ID})
		}
	}
	return lists
}

// readEvents reads the last events of an object's history, up to the requested state.
func (p *page) readEvents(d *objectPage) error {
	found, err := p.history(craton.HistoryOptions{Kind: d.Kind, ID: d.ID, Limit: maxEvents})
	if craton.StatusOf(err) == http.StatusForbidden {
		d.Log = false
		return nil
	}
	if err != nil {
		return err
	}
	d.Events = append(d.Events, found.Events...)
	d.Whole, d.Begins = found.Complete, beginOf(found)
	d.Then, d.ThenWords = momentBefore(found.Events, time.Now())
	left := room(eventValues)
	for _, e := range found.Events {
		d.Happened = append(d.Happened, p.happen(e, d.Of, d.ID, &left))
	}
	return nil
}

// momentBefore returns a time with which an object with these last events can be compared, as a parameter and in words:
// a day ago or, if the change log may not go back so far, the time of the first of the events.
func momentBefore(events []*craton.Event, now time.Time) (then, words string) {
	if len(events) == 0 {
		return "", ""
	}
	first := events[len(events)-1]
	switch {
	case first.Time.Before(now.Add(-25 * time.Hour)):
		return "1d", "a day ago"
	case len(events) == 1:
		return "", ""
	case first.Action == "create":
		return strconv.FormatInt(first.Revision, 10), "when it was created"
	}
	return strconv.FormatInt(first.Revision, 10), "revision " + strconv.FormatInt(first.Revision, 10)
}

// keyPage shows the values of one variable at every level of an object.
type keyPage struct {
	Kind   string                       `json:"kind"`
	ID     string                       `json:"id"`
	Name   string                       `json:"name"`
	Key    string                       `json:"key"`
	Value  *provenance.VariableDocument `json:"variable"`
	Levels []keyLevel                   `json:"-"`
	Of     *schema.Kind                 `json:"-"`
	Null   bool                         `json:"-"`
}

// OnHosts reports whether hosts can inherit the variable from the object.
func (d *keyPage) OnHosts() bool {
	return d.Of == schema.Host || d.Of == schema.Project || slices.ContainsFunc(schema.Host.Inherits, func(key string) bool { return slices.Contains(schema.Host.Field(key).To, d.Of.Name) })
}

// keyLevel is the value of a variable at one level.
type keyLevel struct {
	From      link
	Has       bool
	Counts    bool
	Kind      string
	Value     string // in lines
	Cut       bool   // it is not all of it
	Set       *setter
	Forbidden bool
}

// variableOf returns the page of one variable of an object.
func (p *page) variableOf(d *objectPage, key string) (*view, error) {
	at, found := d.explained.Find(key)
	if !found {
		return nil, fail(http.StatusNotFound, "%s has no variable %q", d.explained.Chain.String(), key)
	}
	document := d.Variables[key]
	doc := &keyPage{Kind: d.Kind, ID: d.ID, Name: d.Name, Key: key, Value: &document, Of: d.Of}
	values := d.explained.Variables[at].Values
	doc.Null = values[0].Value == "null" && len(values) > 1
	most := oneValue / len(values)
	for i, l := range d.explained.Levels {
		level := keyLevel{From: levelLink(l), Forbidden: d.explained.Unknown(i)}
		for n, v := range values {
			if v.Level == i {
				level.Has, level.Counts, level.Kind, level.Value, level.Set = true, n == 0, kindOf(v.Value), indented(v.Value), d.setter(i, key)
				if len(level.Value) > most {
					level.Value, level.Cut = cut(level.Value, most/4), true
				}
			}
		}
		doc.Levels = append(doc.Levels, level)
	}
	v := &view{Title: key + " of " + d.Name, Template: "key", Document: doc}
	if d.Of.Labels != schema.Unlabelled {
		v.Commands = []string{p.command("explain", d.ID, key, "--who")}
	} else {
		v.Commands = []string{p.command(d.Kind+"-vars-get", d.ID)}
	}
	return v, nil
}
