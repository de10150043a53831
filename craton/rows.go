package craton

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// row is the members of an object that determine its position in a listing.
type row struct {
	id      string // as in a marker
	created string // the time as received; "" if the object has none
	number  int    // the id; 0 for a project
}

// before reports whether a row may come before another in the default order: created_at, and then id.
func (r row) before(other row) bool {
	const seconds = len("2006-01-02T15:04:05")
	a, b, whole := r.created, other.created, true
	if len(a) != len(b) { // one of them may have no fraction, or no time at all
		least := min(len(a), len(b), seconds)
		a, b, whole = a[:least], b[:least], false
	}
	if a != b {
		return a < b
	}
	return !whole || r.number < other.number || r.number == 0 // ids of projects have no order
}

// adviceURL is the advice for a response that is not a listing.
const adviceURL = "check that the URL is that of a Craton API"

// read finds the rows and the links in a page's body, which is valid JSON.
func (p *RawPage) read(path string) error {
	x := jsontext.NewSkimmer(jsontext.Text(p.Body))
	if x.Peek() != '{' {
		return advice.With(fmt.Errorf("it is %s, not an object", rest.KindOf(gjson.ParseBytes(p.Body))), adviceURL)
	}
	key, uuids := strings.ReplaceAll(path[1:], "-", "_"), path == "/projects"
	found, links := false, gjson.Result{}
	var problem error
	x.Members(func(name string) {
		switch {
		case name == "links":
			links = gjson.Parse(x.Skip())
		case name != key:
			x.Skip()
		case path != "/devices":
			found = true
			p.rows, problem = readRows(x, key, uuids)
			p.lists = [][]row{p.rows}
		case x.Peek() != '{':
			found = true
			problem = errNotList(key, "an object of two lists", x.Skip())
		default: // {"hosts": [...], "network-devices": [...]} (Q16)
			found = true
			problem = p.devices(x)
		}
	})
	switch {
	case !found:
		return advice.With(errNoMember(key), adviceURL)
	case problem != nil:
		return problem
	case !links.Exists():
		return errNoMember("links")
	case !links.IsArray():
		return fmt.Errorf("its member %q is %s, not a list", "links", rest.KindOf(links))
	}
	if err := json.Unmarshal([]byte(links.Raw), &p.Links); err != nil {
		return err
	}
	_, err := p.next(path)
	return err
}

// devices reads the two lists of devices.
func (p *RawPage) devices(x *jsontext.Scanner) error {
	missing := []string{"hosts", "network-devices"}
	var problem error
	x.Members(func(name string) {
		at := slices.Index(missing, name)
		if at < 0 || problem != nil {
			x.Skip()
			return
		}
		missing = slices.Delete(missing, at, at+1)
		var list []row
		list, problem = readRows(x, name, false)
		p.lists, p.rows = append(p.lists, list), append(p.rows, list...)
	})
	if problem == nil && len(missing) > 0 {
		problem = errNoMember(missing[0])
	}
	return problem
}

// errNotList returns the error for a member that should be a list.
func errNotList(name, wanted, text string) error {
	return fmt.Errorf("its member %q is %s, not %s", name, rest.KindOf(gjson.Parse(text)), wanted)
}

// list reads the rows of a list. Each must be an object with an id: decoders would silently drop others.
func readRows(x *jsontext.Scanner, name string, uuids bool) (rows []row, problem error) {
	if x.Peek() != '[' {
		return nil, errNotList(name, "a list", x.Skip())
	}
	n := 0
	x.Elements(func() {
		n++
		if problem != nil || x.Peek() != '{' {
			if text := x.Skip(); problem == nil {
				problem = fmt.Errorf("row %d of its list %q is %s, not an object", n, name, rest.KindOf(gjson.Parse(text)))
			}
			return
		}
		r, id := row{}, ""
		x.Members(func(key string) {
			switch key {
			case "id":
				id = x.Skip()
			case "created_at":
				r.created = strings.Clone(gjson.Parse(x.Skip()).Str) // the body's buffer is reused
			default:
				x.Skip()
			}
		})
		if problem = r.identify(id, uuids); problem != nil {
			problem = fmt.Errorf("row %d of its list %q %w", n, name, problem)
		}
		rows = append(rows, r)
	})
	return rows, problem
}

// identify reads a row's id: a number, or a text for projects.
func (r *row) identify(text string, uuids bool) error {
	switch v := gjson.Parse(text); {
	case text == "":
		return errors.New("has no id")
	case uuids && v.Type == gjson.String && v.Str != "":
		r.id = strings.Clone(v.Str)
		return nil
	case !uuids && v.Type == gjson.Number:
		n, err := strconv.Atoi(v.Raw)
		if err == nil && n > 0 {
			r.id, r.number = strconv.Itoa(n), n
			return nil
		}
	}
	const most = 40
	return fmt.Errorf("has an invalid id: %q", text[:min(len(text), most)])
}

// pageError reports a page that violates a rule which every server follows.
type pageError struct{ rule string }

func (e *pageError) Error() string   { return advice.Join(e.Summary(), e.Advice()) }
func (e *pageError) Summary() string { return e.rule }
func (e *pageError) Advice() string {
	return "check the proxies between here and the API: one of them loses or changes parts of responses"
}

func newPageError(format string, args ...any) error { return &pageError{fmt.Sprintf(format, args...)} }

// check returns an error for a page that violates a rule of all pages of the API (v1 contract §3). q is the query,
// after the last row of the previous page, if known.
func (p *RawPage) check(path string, q url.Values, after row) error {
	p.asked, _ = strconv.Atoi(q.Get("limit"))
	if isLookup(path, q) && len(p.Links) == 0 {
		return nil // of one object (v1 contract §2.4.1)
	}
	marker := q.Get("marker")
	place := "its first page"
	if marker != "" {
		place = "its page after id " + strconv.Quote(marker)
	}
	for _, rel := range []string{"first", "self"} {
		if !p.has(rel) {
			return newPageError("%s has no link %q", place, rel)
		}
	}
	if self := p.link("self").Get("marker"); !sameID(self, marker) {
		return newPageError("%s is in fact the page after id %q", place, self)
	}
	if limit := p.limit(); limit > 0 && len(p.rows) > limit {
		return newPageError("%s has %d rows, more than the limit of %d", place, len(p.rows), limit)
	}
	if err := p.checkOrder(place, q, after); err != nil {
		return err
	}
	next := p.link("next").Get("marker")
	switch {
	case p.empty() && next != "":
		return newPageError("%s is empty, but has a next link", place)
	case p.empty():
		return nil
	case next == "":
		return newPageError("%s is not empty, but has no next link", place)
	}
	for _, list := range p.lists {
		if n := len(list); n > 0 && sameID(list[n-1].id, next) {
			p.last = list[n-1]
		}
	}
	if at := len(p.rows) - 1; p.last.id == "" || sorted(q) && p.last != p.rows[at] {
		return newPageError("%s ends with id %s, and its next link continues after id %q", place, p.rows[at].id, next)
	}
	return nil
}

// checkOrder returns an error for duplicate rows and, in the default order, for rows out of order. Devices are sorted,
// because their two lists lose the order.
func (p *RawPage) checkOrder(place string, q url.Values, after row) error {
	seen := make(map[string]bool, len(p.rows))
	for _, r := range p.rows {
		if seen[r.id] {
			return newPageError("%s has the row with id %s twice", place, r.id)
		}
		seen[r.id] = true
	}
	if !sorted(q) {
		return nil
	}
	for _, list := range p.lists {
		at := after
		for _, r := range list {
			if at.id != "" && !at.before(r) {
				return newPageError("%s has id %s after id %s, which should come later", place, r.id, at.id)
			}
			at = r
		}
	}
	if len(p.lists) > 1 {
		slices.SortStableFunc(p.rows, func(a, b row) int {
			if a.before(b) {
				return -1
			}
			return 1
		})
	}
	return nil
}

// sorted reports whether a query asks for the default order, in which no row ever moves.
func sorted(q url.Values) bool {
	keys, dir := q.Get("sort_keys"), q.Get("sort_dir")
	return (keys == "" || keys == "created_at,id") && (dir == "" || dir == "asc")
}

// isLookup reports whether a query is for a single cloud or region; such a response has no links.
func isLookup(path string, q url.Values) bool {
	return (path == "/clouds" || path == "/regions") && (q.Get("name") != "" || q.Get("id") != "" && q.Get("id") != "0")
}

// sameID compares markers: a project's may have any spelling of its UUID.
func sameID(a, b string) bool { return a == b || value.SameUUID(a, b) }
