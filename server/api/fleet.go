package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store"
)

var fleetParams = []param{pCloudID, pRegionID, pCellID, {name: "networks", kind: boolean, fallback: "False"}, {name: paramText, kind: str}}

// paramText is the parameter by which a fleet has only what may hold a text.
const paramText = "text"

// fleetPage is the number of objects that are read at once.
const fleetPage = 500

// serveFleet serves GET /v1/fleet, which the original server does not have: everything that the caller may see of the
// fleet, or of a place in it, from one snapshot, as one line of JSON per object. Containers come before their contents,
// and the last line has the number of lines, so that a truncated response is never taken for a complete one.
//
// It is sent while it is being read. What the client has not yet received waits in a file: see stream.go. HEAD returns
// the tag and the revision without reading the fleet, so that a client can check whether its copy is current.
func serveFleet(c *call) error {
	q, err := parseQuery(c.r.URL.RawQuery, fleetParams, false)
	if err != nil {
		return err
	}
	c.lines()
	c.headersOnly = c.r.Method == http.MethodHead
	if c.at != nil { // its tag is known in advance
		if known, err := c.unchanged(c.r.Context(), nil, store.Basis{}); known || err != nil || c.headersOnly {
			return err
		}
	}
	kinds := hosts.kinds(true)
	if q.flag("networks") {
		kinds = append(kinds, networks.Name, networkInterfaces.Name)
	}
	s := searching{call: c}
	if a, given := q.get(paramText); given && a.text != "" {
		s.text = store.NewSearch(a.text)
	}
	return s.read(func(ctx context.Context, v *store.View) error {
		if known, err := c.unchanged(ctx, v, store.Basis{Kinds: kinds}); known || err != nil || c.headersOnly {
			return err
		}
		if err := v.Unkept(c.caller.scope()); err != nil { // once it is being sent it can only be cut off
			return err
		}
		f := fleet{call: c, ctx: ctx, view: v, networks: q.flag("networks"), shapes: map[*resource]*shape{}, searching: &s}
		p, err := f.part(q)
		if err != nil {
			return err
		}
		if err := f.choose(p); err != nil {
			return err
		}
		c.growing(v)
		return f.write(p)
	})
}

// searching is a request for the objects that may contain a text. The database reads all texts for it, so it takes a
// place in the same share of the budget as listings that do so, and releases it when the search ends.
type searching struct {
	*call
	text    *store.Search // nil if there is none
	all     bool          // too many objects may contain the text: everything is sent, without a search
	release func()        // gives the place back; nil without one
}

// read is [call.read]. fn may return [store.ErrExpensive] once, and is called again with a place in the budget.
func (s *searching) read(fn func(ctx context.Context, v *store.View) error) (err error) {
	err = s.call.read(fn)
	if !errors.Is(err, store.ErrExpensive) {
		return err
	}
	release, err := s.budget.expensive.take(s.r.Context(), 1)
	if err != nil {
		return err
	}
	s.release = sync.OnceFunc(release)
	defer s.release()
	return s.call.read(fn)
}

// fleet is the response of serveFleet under construction.
type fleet struct {
	*call
	ctx      context.Context //nolint:containedctx // of the view
	view     *store.View
	networks bool
	shapes   map[*resource]*shape
	lines    int

	searching *searching
	found     map[*store.Entity][]int64 // the ids of what is sent of an entity; all if it is not there
}

// part is the requested part of the fleet: the ids of places, 0 for all, and the project of the innermost.
type part struct {
	cloud, region, cell int64
	project             string
	nothing             bool // there is no such place
}

// choose searches for the objects that may contain the text.
func (f *fleet) choose(p part) (err error) {
	s := f.searching
	switch {
	case s.text == nil || s.all || p.nothing:
		return nil
	case s.release == nil:
		return store.ErrExpensive
	}
	f.found, err = f.view.Find(f.ctx, f.caller.scope(), s.text, f.networks, func(e *store.Entity) []store.Filter {
		return p.of(e).Filters
	})
	if _, chosen := f.found[store.Devices]; err == nil && !chosen {
		s.all = true // also if it is read again
		s.release()
	}
	return err
}

// columnsOf returns the columns of an entity that have the ids of a part's cloud, region and cell.
func columnsOf(e *store.Entity) []string {
	switch e {
	case store.Clouds:
		return []string{"id"}
	case store.Regions:
		return []string{"cloud_id", "id"}
	case store.Cells:
		return []string{"cloud_id", "region_id", "id"}
	}
	return []string{"cloud_id", "region_id", "cell_id"}
}

func (f *fleet) write(p part) error {
	f.line(`"fleet":{"format":1}`)
	if !p.nothing {
		for _, level := range []func(part) error{f.projects, f.clouds, f.regions, f.cells, f.writeNetworks, f.outside, f.devices} {
			if err := level(p); err != nil {
				return err
			}
		}
	}
	f.line(`"end":{"count":` + strconv.Itoa(f.lines-1) + `}`)
	return f.out.err
}

// part returns the places that the query names, and those that contain them.
func (f *fleet) part(q query) (p part, err error) {
	inner := []struct {
		param string
		of    *store.Entity
		id    *int64
	}{{"cell_id", store.Cells, &p.cell}, {"region_id", store.Regions, &p.region}, {"cloud_id", store.Clouds, &p.cloud}}
	for i, at := range inner {
		a, given := q.get(at.param)
		if !given {
			continue
		}
		if *at.id != 0 { // it contains a place that was named, too
			p.nothing = p.nothing || *at.id != a.number
			continue
		}
		row, err := f.view.Get(f.ctx, at.of, f.caller.scope(), strconv.FormatInt(a.number, 10))
		if store.IsCode(err, store.NotFound) {
			p.nothing = true
			return p, nil
		}
		if err != nil {
			return p, err
		}
		*at.id = a.number
		p.project, _ = row[at.of.Index("project_id")].(string)
		for _, around := range inner[i+1:] {
			*around.id, _ = row[at.of.Index(around.param)].(int64)
		}
	}
	return p, nil
}

// of returns the listing of a part's objects.
func (p part) of(e *store.Entity) store.List { return p.list(columnsOf(e)...) }

// list returns the listing of a part's objects, by columns.
func (p part) list(columns ...string) store.List {
	l := store.List{Sort: []string{"created_at", "id"}, Limit: fleetPage}
	for i, id := range []int64{p.cloud, p.region, p.cell} {
		if i < len(columns) && id != 0 {
			l.Filters = append(l.Filters, store.Filter{Column: columns[i], Value: id})
		}
	}
	return l
}

// innermost returns the column in which everything in the part has the same id.
func (p part) innermost() (column string, id int64) {
	switch {
	case p.cell != 0:
		return "cell_id", p.cell
	case p.region != 0:
		return "region_id", p.region
	}
	return "cloud_id", p.cloud
}

// projects writes the projects that the caller may read.
func (f *fleet) projects(p part) error {
	if !f.reads() {
		return nil
	}
	l := store.List{Sort: []string{"created_at", "id"}, Limit: fleetPage}
	if p.project != "" {
		l.Filters = []store.Filter{{Column: "id", Value: p.project}}
	}
	return f.walk(projects, l)
}

// reads reports whether the caller may read projects.
func (f *fleet) reads() bool { return f.caller.require(projects.itemRole) == nil }

func (f *fleet) clouds(p part) error { return f.walk(clouds, p.of(store.Clouds)) }

// regions writes the regions, with the variables that they inherit if the caller may not read the project: no other
// line has its variables.
func (f *fleet) regions(p part) error {
	l := p.of(store.Regions)
	if f.reads() {
		return f.walk(regions, l)
	}
	return f.pages(store.Regions, l, func(page *store.Page) error {
		for i := range page.Rows {
			row := page.Rows[i : i+1]
			if err := f.view.Sets(f.ctx, store.Regions, row, store.Own, func(_ int, own store.Set) error {
				f.begin("", regions, row[0], own, nil)
				f.appendExtras(store.Regions, row[0])
				return f.out.err
			}); err != nil {
				return err
			}
			f.buf = append(f.buf, `,"resolved":`...)
			if err := f.view.Sets(f.ctx, store.Regions, row, store.Resolved, func(_ int, all store.Set) error {
				f.buf = f.out.appendCompact(f.buf, all)
				return f.out.err
			}); err != nil {
				return err
			}
			f.end("")
		}
		return nil
	})
}

func (f *fleet) cells(p part) error { return f.walk(cells, p.of(store.Cells)) }

func (f *fleet) writeNetworks(p part) error {
	if !f.networks {
		return nil
	}
	return f.walk(networks, p.of(store.Networks))
}

// walk writes a listing.
func (f *fleet) walk(r *resource, l store.List) error {
	return f.pages(r.entity, l, func(page *store.Page) error { return f.rows("", r, page.Rows, nil) })
}

// pages calls fn with the pages of a listing: of a search, with what was chosen of it.
func (f *fleet) pages(e *store.Entity, l store.List, fn func(*store.Page) error) error {
	ids, chosen := f.found[e]
	if !chosen {
		return f.view.Walk(f.ctx, e, f.caller.scope(), l, fn)
	}
	filters := l.Filters
	for some := range slices.Chunk(ids, fleetPage) {
		values := make([]any, len(some))
		for i, id := range some {
			values[i] = id
		}
		l.Filters = append(slices.Clip(filters), store.Filter{Column: "id", Values: values})
		page, err := f.view.List(f.ctx, e, f.caller.scope(), l)
		if err != nil {
			return err
		}
		if err := fn(page); err != nil {
			return err
		}
	}
	return nil
}

// outside writes the devices outside of the part that have descendants in it, which inherit their variables.
func (f *fleet) outside(p part) error {
	column, id := p.innermost()
	if id == 0 || f.searching.text != nil { // what is inherited is not looked at
		return nil
	}
	ids, err := f.view.CrossRegionParents(f.ctx, column, id)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(ids, fleetPage) {
		err := f.view.Parts(f.ctx, store.Devices, "id", some, nil, fleetPage, func(rows []store.Row) error {
			labels, err := f.view.Labels(f.ctx, rows)
			if err != nil {
				return err
			}
			return f.rows("outside", nil, rows, labels)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// devices writes hosts and network devices, each page followed by its interfaces.
func (f *fleet) devices(p part) error {
	l := p.of(store.Devices)
	l.Labels = true
	return f.pages(store.Devices, l, func(page *store.Page) error {
		if err := f.rows("", nil, page.Rows, page.Labels); err != nil || !f.networks {
			return err
		}
		ids := make([]int64, len(page.Rows))
		for i, row := range page.Rows {
			ids[i] = row[store.Devices.Index("id")].(int64) //nolint:forcetypeassert // a key
		}
		return f.view.Parts(f.ctx, store.NetworkInterfaces, "device_id", ids, f.searching.text, fleetPage, func(rows []store.Row) error {
			return f.rows("", networkInterfaces, rows, nil)
		})
	})
}

// rows writes a line for each row; r is nil for devices of both kinds.
func (f *fleet) rows(around string, r *resource, rows []store.Row, labels [][]string) error {
	e := store.Devices
	if r != nil {
		e = r.entity
	}
	kind := e.Index("type")
	return f.view.Sets(f.ctx, e, rows, store.Own, func(i int, own store.Set) error {
		of := r
		if of == nil {
			if of = hosts; rows[i][kind] != store.KindHost {
				of = networkDevices
			}
		}
		var set []string
		if labels != nil {
			set = labels[i]
		}
		f.begin(around, of, rows[i], own, set)
		if around == "" {
			f.appendExtras(e, rows[i])
		}
		f.end(around)
		return f.out.err
	})
}

// line writes a line that does not belong to an object.
func (f *fleet) line(text string) {
	f.buf = f.out.room(append(append(append(f.buf, '{'), text...), "}\n"...))
	f.lines++
}

// begin appends the line of an object without its closing brace; around is the role of the object in the response.
func (f *fleet) begin(around string, r *resource, row store.Row, own store.Set, labels []string) {
	s := f.shapes[r]
	if s == nil {
		s = r.shape()
		f.shapes[r] = s
	}
	dst := append(f.buf, '{')
	if around != "" {
		dst = append(append(append(dst, '"'), around...), `":{`...)
	}
	dst = append(append(append(dst, '"'), r.Name...), `":`...)
	f.buf = s.appendLine(dst, &f.out, row, own, labels)
}

// appendExtras appends what v1 does not show of an object, if there is anything.
func (f *fleet) appendExtras(e *store.Entity, row store.Row) {
	if e.Protected(row) {
		f.buf = append(f.buf, `,"protected":true`...)
	}
	if set := e.SetOf(row); set != "" {
		f.buf = jsontext.AppendString(append(f.buf, `,"set":`...), set)
	}
}

func (f *fleet) end(around string) {
	if around != "" {
		f.buf = append(f.buf, '}')
	}
	f.buf = f.out.room(append(f.buf, "}\n"...))
	f.lines++
}

// appendLine appends a row as in lists with details, on one line and without links and keys.
func (s *shape) appendLine(dst []byte, out *answer, row store.Row, own store.Set, labels []string) []byte {
	sep := byte('{')
	for i := range s.props {
		p := &s.props[i]
		if p.source == fromLinks || p.source == fromKey {
			continue
		}
		dst = append(append(dst, sep), p.text[:len(p.text)-1]...)
		sep = ','
		switch p.source {
		case fromVariables:
			dst = out.appendCompact(dst, own)
		case fromLabels:
			dst = append(dst, '[')
			for i, label := range labels {
				if i > 0 {
					dst = append(dst, ',')
				}
				dst = jsontext.AppendString(dst, label)
			}
			dst = append(dst, ']')
		default:
			dst = s.appendValue(dst, row[p.column])
		}
	}
	return append(dst, '}')
}

// appendCompact appends an object of variables as it is stored.
func (a *answer) appendCompact(dst []byte, set store.Set) []byte {
	dst = append(dst, '{')
	first := true
	add := func(v store.Variable) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = a.room(append(append(jsontext.AppendString(dst, v.Name), ':'), v.Value...))
	}
	if plain, ok := set.Plain(); ok { // as nearly all are
		for i := range plain {
			if add(plain[i]); a.err != nil {
				return dst
			}
		}
		return append(dst, '}')
	}
	for v, err := range set.All() {
		if err != nil && a.err == nil {
			a.err = err
		}
		if a.err != nil {
			return dst
		}
		add(v)
	}
	return append(dst, '}')
}
