package iotronic

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"unsafe"

	"github.com/tidwall/gjson"
	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/value"
)

// Paging is the options of every paged listing (reference §2.2).
type Paging struct {
	// Limit is the page size. 0, and sizes above the server's maximum (1000 by default), mean the maximum. It never
	// limits what All yields.
	Limit int `query:"limit"`
	// Marker is the UUID of the last object of the previous page.
	Marker  string `query:"marker"`
	SortKey string `query:"sort_key"` // a field; default: the order of creation
	SortDir string `query:"sort_dir"` // "asc" (default) or "desc"
}

// Page is one page of a listing.
type Page[T any] struct {
	Items  []*T
	Marker string // the Paging.Marker for the next page; "" if there is none
}

// Lister lists one kind of object: T is the object, O its list options.
type Lister[T any, O any] struct {
	client   *Client
	resource string                                    // the collection, such as nodes: its route, and the list in the body
	full     func(context.Context, string) (*T, error) // nil, or reads a complete object if lists have only a part of it
}

// List reads one page; Page.Marker leads to the next.
func (l *Lister[T, O]) List(ctx context.Context, options O) (*Page[T], error) {
	w, err := l.client.begin(ctx, l.resource, l.full != nil, options)
	if err != nil {
		return nil, err
	}
	raw, err := w.page(ctx, w.query.Get("marker"), nil)
	if err != nil {
		return nil, err
	}
	items, err := l.fetchDetails(ctx, w, raw)
	if err != nil {
		return nil, err
	}
	return &Page[T]{Items: items, Marker: raw.marker}, nil
}

// All reads every page, in order, and yields each object once. The next page is prefetched while the current one is
// consumed. An error is yielded once, with a nil object, and ends the sequence; it can only be started again from the
// beginning.
//
// Each page is requested with the original query and the last object's UUID: the servers' next links lose filters,
// details and fields (reference §6, 1 and 2), and only say that there is more. An object on two pages is yielded once.
// IsMarkerGone reports that the object at a marker was deleted meanwhile.
func (l *Lister[T, O]) All(ctx context.Context, options O) iter.Seq2[*T, error] {
	return all(ctx, l.walk(options), l.fetchDetails, idOf)
}

// RawItem is an object of a listing as received.
type RawItem struct {
	UUID string
	JSON []byte // valid JSON; valid until the next iteration
}

// Raw is like All without decoding, for callers that decode the objects of large listings themselves.
func (l *Lister[T, O]) Raw(ctx context.Context, options O) iter.Seq2[RawItem, error] {
	items := func(ctx context.Context, w *walk, page *rawPage) ([]RawItem, error) {
		if !w.eachDetailed {
			return page.items, nil
		}
		whole, err := l.fetchDetails(ctx, w, page)
		if err != nil {
			return nil, err
		}
		items := make([]RawItem, len(whole))
		for i, item := range whole {
			fields := any(item).(interface{ keep() *Object }).keep() //nolint:forcetypeassert // true of all that is listed
			text, err := value.Encode(fields)
			if err != nil {
				return nil, unusable(page.resp, http.MethodGet, err)
			}
			items[i] = RawItem{idOf(item), text}
		}
		return items, nil
	}
	return all(ctx, l.walk(options), items, func(i RawItem) string { return i.UUID })
}

// walk returns the function that begins a listing.
func (l *Lister[T, O]) walk(options O) func(context.Context) (*walk, error) {
	return func(ctx context.Context) (*walk, error) {
		return l.client.begin(ctx, l.resource, l.full != nil, options)
	}
}

// all reads a listing; items are those of a page, id identifies them. It depends neither on types of objects nor on
// options, so that it is compiled once for all of them.
func all[V any](ctx context.Context, begin func(context.Context) (*walk, error),
	items func(context.Context, *walk, *rawPage) ([]V, error), id func(V) string,
) iter.Seq2[V, error] {
	type page struct {
		*rawPage
		items []V
	}
	return func(yield func(V, error) bool) {
		var none V
		w, err := begin(ctx)
		if err != nil {
			yield(none, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		ahead := func(marker string, buf []byte) func() (page, error) {
			return rest.Prefetch(func() (page, error) {
				raw, err := w.page(ctx, marker, buf)
				if err != nil {
					return page{}, err
				}
				list, err := items(ctx, w, raw)
				return page{raw, list}, err
			})
		}
		fetch := ahead(w.query.Get("marker"), nil)
		defer func() {
			cancel()
			_, _ = fetch()
		}()
		seen, markers := map[string]bool{}, map[string]bool{}
		var spare []byte // the body of the previous page, which is no longer needed
		for {
			page, err := fetch()
			if err != nil {
				yield(none, err)
				return
			}
			if page.marker != "" {
				if markers[page.marker] {
					yield(none, &ResponseError{Method: http.MethodGet, Path: w.path,
						Err: fmt.Errorf("the listing goes in a circle: it comes to %s again", page.marker)})
					return
				}
				markers[page.marker] = true
				fetch = ahead(page.marker, spare)
			}
			for _, item := range page.items {
				if seen[id(item)] {
					continue
				}
				seen[id(item)] = true
				if !yield(item, nil) {
					return
				}
			}
			if page.marker == "" {
				return
			}
			spare = page.resp.Body
		}
	}
}

// walk is a listing on a server whose dialect is known.
type walk struct {
	session      *session
	resource     string
	path         string     // of the collection, or of its detailed form
	query        url.Values // without the marker of later pages
	detail       bool       // by Ironic's parameter, where its version has it
	eachDetailed bool       // each object must be read completely
}

// begin checks the options and converts them to the queries of a listing. wholly reports that complete objects can be
// read one by one.
func (c *Client) begin(ctx context.Context, resource string, wholly bool, options any) (*walk, error) {
	s, err := c.session(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.dialect.need(resource, "list "+resource); err != nil {
		return nil, err
	}
	if err := s.dialect.check(options); err != nil {
		return nil, err
	}
	w := &walk{session: s, resource: resource, path: "/" + resource, query: rest.Query(options)}
	detail := w.query.Has("detail")
	w.query.Del("detail")
	if err := w.fields(detail); err != nil {
		return nil, err
	}
	if s.dialect == DialectNodes && w.query.Has("project") {
		detail = true // the one list that supports it, without a selection of fields (reference §2.4)
		w.query.Del("fields")
	}
	switch t := s.dialect.traits(); {
	case !detail:
	case s.dialect == DialectIronic:
		w.detail = true
	case t.detail:
		w.path += "/detail"
	default:
		w.eachDetailed = wholly
	}
	if w.query.Has("public") { // a route, not a parameter
		if detail {
			return nil, &InvalidAttributeError{Attribute: "public", Reason: "the list of what is public has no details"}
		}
		w.query.Del("public")
		w.path += "/public"
	}
	return w, nil
}

// fields ensures that objects can be identified and paged: uuid is always among the fields (reference §6, 2).
func (w *walk) fields(detail bool) error {
	fields := w.query.Get("fields")
	switch {
	case fields == "":
	case detail:
		return &InvalidAttributeError{Attribute: "fields", Reason: "details are all fields; ask for one of the two"}
	case !w.session.dialect.traits().fields:
		return &InvalidAttributeError{Attribute: "fields", Reason: w.session.dialect.traits().title + " does not have it"}
	case !slices.Contains(strings.Split(fields, ","), "uuid"):
		w.query.Set("fields", "uuid,"+fields)
	}
	return nil
}

// detailParameter is the version since which Ironic supports detail as a parameter; before that it is a route.
var detailParameter = Version{1, 43}

// rawPage is a page of a listing as received.
type rawPage struct {
	resp   *rest.Response
	items  []RawItem
	marker string // of the next page; "" if there is none
}

// page reads the page after marker, into buf if it fits.
func (w *walk) page(ctx context.Context, marker string, buf []byte) (*rawPage, error) {
	c := &call{
		Request: rest.Request{Method: http.MethodGet, Path: w.path, Query: url.Values{}, Into: buf},
		needs:   attributes(w.resource, strings.Split(w.query.Get("fields"), ",")),
	}
	for name, values := range w.query {
		switch c.Query[name] = values; name {
		case "fields", "limit", "marker", "sort_dir":
		case "sort_key":
			key := w.query.Get(name)
			c.needs[key] = Since(w.resource, key)
		default:
			c.needs[name] = filterSince(w.resource, name)
		}
	}
	if marker != "" {
		c.Query.Set("marker", marker)
	}
	if w.detail {
		c.adapt = func(r *rest.Request, v Version) {
			if v == (Version{}) || v.Compare(detailParameter) < 0 { // the route always exists; the latest version is unknown
				r.Path = w.path + "/detail"
			} else {
				r.Query.Set("detail", "True")
			}
		}
	}
	resp, err := w.session.send(ctx, c)
	switch {
	case err == nil:
	case marker != "" && IsNotFound(err):
		httpErrorIn(err).markerGone = true
		return nil, hinted(err, "the object at the end of the page before was deleted meanwhile: begin the listing anew")
	case w.session.dialect == DialectIronic && StatusOf(err) == http.StatusInternalServerError && w.query.Has("fields"):
		return nil, hinted(err, "Ironic answers this for a field that it does not have, among others")
	default:
		return nil, err
	}
	page := &rawPage{resp: resp}
	objects, err := elements(resp, path.Base(w.resource))
	if err != nil {
		return nil, err
	}
	page.items = make([]RawItem, len(objects))
	for i, object := range objects {
		page.items[i] = RawItem{gjson.GetBytes(object, "uuid").Str, object}
		if page.items[i].UUID == "" {
			return nil, unusable(resp, http.MethodGet, fmt.Errorf("row %d of its list %q has no uuid", i+1, w.resource))
		}
	}
	if n := len(page.items); n > 0 && gjson.GetBytes(resp.Body, "next").Type == gjson.String {
		page.marker = page.items[n-1].UUID
	}
	return page, nil
}

// fetchDetails decodes the objects of a page, and reads each completely if the list has only a part of it; those
// deleted meanwhile are left out then.
func (l *Lister[T, O]) fetchDetails(ctx context.Context, w *walk, page *rawPage) ([]*T, error) {
	objects := make([]*T, len(page.items))
	for i, item := range page.items {
		var err error
		if objects[i], err = decoded[T](page.resp, item.JSON); err != nil {
			return nil, err
		}
	}
	if !w.eachDetailed {
		return objects, nil
	}
	const atOnce = 8
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(atOnce)
	for i := range objects {
		work.Go(func() error {
			whole, err := l.full(ctx, idOf(objects[i]))
			if err != nil && !IsNotFound(err) {
				return err
			}
			objects[i] = whole
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(objects, func(object *T) bool { return object == nil }), nil
}

// elements returns the objects of the list with a name in a body, as slices of it.
func elements(resp *rest.Response, key string) ([][]byte, error) {
	body := unsafe.String(unsafe.SliceData(resp.Body), len(resp.Body)) // megabytes, of which only places are wanted
	m := gjson.Get(body, key)
	switch {
	case !m.Exists():
		return nil, unusable(resp, http.MethodGet, rest.Need(resp.Body, key))
	case !m.IsArray():
		return nil, unusable(resp, http.MethodGet, fmt.Errorf("its member %q is %s, not a list", key, rest.KindOf(m)))
	}
	var all [][]byte
	var err error
	m.ForEach(func(_, item gjson.Result) bool {
		if !item.IsObject() {
			err = unusable(resp, http.MethodGet, fmt.Errorf("row %d of its list %q is %s, not an object", len(all)+1, key, rest.KindOf(item)))
			return false
		}
		all = append(all, resp.Body[item.Index:item.Index+len(item.Raw)])
		return true
	})
	return all, err
}

// decoded is an element of a list.
func decoded[T any](resp *rest.Response, text []byte) (*T, error) {
	object := new(T)
	if err := decode(text, object); err != nil {
		return nil, unusable(resp, http.MethodGet, err)
	}
	return object, nil
}

// list reads a list that is not paged.
func list[T any](ctx context.Context, c *Client, resource, operation, path, key string, query url.Values) ([]*T, error) {
	resp, err := c.do(ctx, resource, operation, &call{Request: rest.Request{Method: http.MethodGet, Path: path, Query: query}})
	if err != nil {
		return nil, err
	}
	if gjson.GetBytes(resp.Body, "next").Type == gjson.String {
		return nil, unusable(resp, http.MethodGet, fmt.Errorf("it is only the first page, and %s cannot be read in pages", key))
	}
	objects, err := elements(resp, key)
	if err != nil {
		return nil, err
	}
	all := make([]*T, len(objects))
	for i, object := range objects {
		if all[i], err = decoded[T](resp, object); err != nil {
			return nil, err
		}
	}
	return all, nil
}
