package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/internal/when"
)

// changesPage is a page of changes, newest first: of the fleet, or of one object and the values that it inherits.
type changesPage struct {
	Events []*craton.Event   `json:"events"`
	Next   string            `json:"next"`  // the parameter before= of the next page; "" if there is none
	Whole  bool              `json:"whole"` // false: the change log does not go back to the beginning of the history
	Begins *craton.Timestamp `json:"begins"`

	Filters  []filter     `json:"-"`
	Of       *schema.Kind `json:"-"` // of the object, nil for the fleet
	ID       string       `json:"-"`
	Happened []eventRow   `json:"-"`
	First    bool         `json:"-"` // nothing is newer
}

// filter is a field of the form.
type filter struct{ Name, Title, Value, Hint string }

// filters are the parameters that users can set, with the corresponding options on the command line.
var filters = []struct{ name, title, option, hint string }{
	{"user", "By", "--by", "ann"},
	{"since", "Since", "--since", "yesterday, 2h"},
	{"until", "Until", "--until", "2026-11-20 09:30"},
	{"name", "Object", "", "web-01"},
	{"key", "Variable", "", "ntp"},
	{"request_id", "Request", "--request", "req-…"},
}

const (
	pageEvents = 25
	eventText  = 80 // characters of a value in an event
)

// eventRow is an event of a history.
type eventRow struct {
	*craton.Event
	By    link
	Parts []part
	More  int // parts that are not told

	Before, After string // URLs of the object's page before and after; "" if it did not exist
}

// part describes the change of a field, of the labels or of a variable.
type part struct {
	Name          string
	Before, After shown
	From          string // for an inherited value
	None, Gone    bool   // there was no value before, there is none now
	Secret        bool   // the log has a hash only

	Members []member // for a nested value that changed partly: the changed members
	Left    int      // number of further changed members
}

// maxParts is the maximum number of parts of an event in a list.
const maxParts = 5

// cursor matches a position in the change log.
var cursor = regexp.MustCompile(`^[0-9]{1,18}(\.[0-9]{1,18})?-[^~]+~?$`)

// changes returns the page of the change log, or of the history of an object.
func (p *page) changes() (*view, error) {
	doc := &changesPage{Events: []*craton.Event{}, ID: p.query.Get("id"), First: p.query.Get("before") == ""}
	v := &view{Title: "Changes", Template: "changes", Document: doc}
	if !doc.First && !cursor.MatchString(p.query.Get("before")) {
		return nil, fail(http.StatusBadRequest, "the cursor in the URL is invalid: start with the newest changes")
	}
	o := craton.HistoryOptions{Kind: p.query.Get("kind"), Before: p.query.Get("before"), Limit: pageEvents}
	words := []string{"history"}
	if o.Kind != "" {
		if doc.Of = schema.ByName(o.Kind); doc.Of == nil {
			return nil, fail(http.StatusBadRequest, "there is no kind %q", o.Kind)
		}
		words = append(words, "--kind", o.Kind)
	}
	if doc.ID != "" {
		if doc.Of == nil || reconcile.ID(doc.Of, doc.ID) == "" {
			return nil, fail(http.StatusBadRequest, "the history of an object requires its kind, and an id of that kind")
		}
		o.ID = reconcile.ID(doc.Of, doc.ID)
	}
	var err error
	for _, f := range filters {
		text := strings.TrimSpace(p.query.Get(f.name))
		if f.name == "name" && o.ID != "" {
			continue
		}
		doc.Filters = append(doc.Filters, filter{f.name, f.title, text, f.hint})
		if text == "" {
			continue
		}
		if f.option != "" {
			words = append(words, f.option, text)
		}
		switch f.name {
		case "user":
			o.User = text
		case "since":
			o.Since, err = when.Parse(text, time.Now().UTC())
		case "until":
			o.Until, err = when.Parse(text, time.Now().UTC())
		case "name":
			o.Name = text
		case "key":
			o.Key = text
		case "request_id":
			o.RequestID = text
		}
		if err != nil {
			return nil, fail(http.StatusBadRequest, "%s: %s", strings.ToLower(f.title), err)
		}
	}
	if err := p.needLog("history"); err != nil {
		return nil, err
	}
	found, err := p.history(o)
	if craton.IsNotFound(err) && o.ID != "" {
		return nil, fail(http.StatusNotFound, "there is no %s %s, and there never was one", doc.Of.Noun(), o.ID)
	}
	if err != nil {
		if reason, ok := connect.UnknownPast(err, "", http.StatusBadRequest); ok {
			return nil, fail(craton.StatusOf(err), "%s", reason)
		}
		return nil, err
	}
	doc.Events = append(doc.Events, found.Events...)
	doc.Next, doc.Whole, doc.Begins = found.Next, found.Complete, beginOf(found)
	left := room(allValues)
	for _, e := range found.Events {
		doc.Happened = append(doc.Happened, p.happen(e, nil, "", &left))
	}
	if o.ID == "" && (o.Name != "" || o.Key != "") || !doc.First { // history takes an object instead of a prefix, and a variable only with an object; it begins with the newest
		words = nil
	} else if o.ID != "" {
		words = append(words, o.ID)
		if o.Key != "" {
			words = append(words, o.Key)
		}
	}
	if words != nil {
		if o.Until.IsZero() {
			words = p.untilThen(words)
		}
		v.Commands = []string{shellLine(append(words, "--limit", itoa(pageEvents)))}
	}
	return v, nil
}

// beginOf returns the time from which the change log is complete; nil if unknown.
func beginOf(found *craton.HistoryPage) *craton.Timestamp {
	if found.Begins.IsZero() {
		return nil
	}
	return &found.Begins
}

// NextURL returns the URL of the next page.
func (d *changesPage) NextURL(p *page) string {
	parameters := []string{"before", d.Next, "kind", p.query.Get("kind"), "id", d.ID}
	for _, f := range d.Filters {
		parameters = append(parameters, f.Name, f.Value)
	}
	return p.Href("changes", parameters...)
}

// history reads a page of a history up to the requested state.
func (p *page) history(o craton.HistoryOptions) (*craton.HistoryPage, error) {
	if p.at == "" {
		return p.now.History(p.ctx, o)
	}
	number, _, _ := strings.Cut(p.client.Revision(), "-")
	last, _ := strconv.ParseInt(number, 10, 64)
	if o.Before == "" {
		after := craton.ChangeOptions{After: p.client.Revision(), Limit: 1}
		if last == 0 { // before everything
			after.After = ""
		}
		for next, err := range p.now.Changes(p.ctx, after) {
			if err != nil {
				return nil, err
			}
			o.Before, p.until = fmt.Sprintf("%d-%s", next.Revision, next.Change), next.Time.UTC().Format(time.RFC3339Nano)
			break
		}
	}
	found, err := p.now.History(p.ctx, o)
	if err == nil { // changes that the caller may not read may lie between the state and the first one that it may
		found.Events = slices.DeleteFunc(found.Events, func(e *craton.Event) bool { return e.Revision > last })
	}
	return found, err
}

// untilThen adds the requested state as the end of the history to the words of a command.
func (p *page) untilThen(words []string) []string {
	if p.until == "" {
		return words
	}
	return append(words, "--until", p.until)
}

// happen returns an event for the page: of the history of an object, or of the log. It links to the object before and
// after.
func (p *page) happen(e *craton.Event, of *schema.Kind, id string, left *room) eventRow {
	h := eventRow{Event: e, Parts: partsOf(e, eventText, left)}
	k := schema.ByName(e.Kind)
	if of == nil {
		of, id = k, value.IDText(e.ID)
	}
	if of != nil && kindAt(of.Path) != nil {
		own := of == k && id == value.IDText(e.ID)
		if e.Action != "create" || !own {
			h.Before = p.hrefAt(of.Path+"/"+id, e.Revision-1)
		}
		if e.Action != "delete" || !own {
			h.After = p.hrefAt(of.Path+"/"+id, e.Revision)
		}
	}
	if k != nil {
		h.By = link{k.Noun(), e.Path, "", value.IDText(e.ID)}
		if kindAt(k.Path) != nil && e.Action != "delete" {
			h.By.Collection = k.Path
		}
	}
	if n := len(h.Parts); n > maxParts {
		h.Parts, h.More = h.Parts[:maxParts], n-maxParts
	}
	return h
}

// automaticFields are members that every event of an object would show.
var automaticFields = []string{"id", "project_id", "created_at", "updated_at"}

// partsOf returns what an event changed, with a number of characters of each value, and the complete value if there is
// room.
func partsOf(e *craton.Event, most int, left *room) (parts []part) {
	show := func(raw string) shown { return left.showBegin(raw, most) }
	text := func(raw json.RawMessage) shown {
		if len(raw) == 0 {
			return shown{}
		}
		return show(string(jsontext.AppendClean(nil, string(raw)))) // on one line
	}
	for _, k := range e.Keys {
		one := part{Name: k.Key, None: k.Before == nil, Gone: k.After == nil}
		if k.Before != nil {
			one.Before, one.Secret = text(k.Before.Value), !k.Before.Kept
		}
		if k.After != nil {
			one.After, one.Secret = text(k.After.Value), one.Secret || !k.After.Kept
			if from := k.After.From; from.Kind != e.Kind || value.IDText(from.ID) != value.IDText(e.ID) { // the event names the object already
				one.From = strings.TrimSpace(schema.Noun(from.Kind) + " " + from.Name)
			}
		}
		if k.Before != nil && k.After != nil && !one.Secret {
			one.Members, one.Left = membersOf(k.Before.Value, k.After.Value, text)
		}
		parts = append(parts, one)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		f := e.Fields[name]
		if isNone(f.Before) && isNone(f.After) || slices.Contains(automaticFields, name) {
			continue
		}
		one := part{Name: strings.TrimSuffix(name, "_id"), Before: text(f.Before), After: text(f.After), None: isNone(f.Before), Gone: isNone(f.After)}
		one.Members, one.Left = membersOf(f.Before, f.After, text)
		parts = append(parts, one)
	}
	if l := e.Labels; l != nil {
		parts = append(parts, part{Name: "labels", Before: show(strings.Join(l.Before, " ")), After: show(strings.Join(l.After, " ")), None: len(l.Before) == 0, Gone: len(l.After) == 0})
	}
	return parts
}

func isNone(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }
