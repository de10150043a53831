package iotronic

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/internal/rest"
)

// Paging are the options that every listing in pages takes (reference §2.2).
type Paging struct {
	// Limit is the page size. 0 and what is larger than the server's own largest, 1000 by default, mean that. It never
	// limits what All yields.
	Limit int `query:"limit"`
	// Marker is the UUID of the last object already seen; the page begins after it.
	Marker  string `query:"marker"`
	SortKey string `query:"sort_key"` // a field; default: the order of creation
	SortDir string `query:"sort_dir"` // "asc" (default) or "desc"
}

// Page is one page of a listing.
type Page[T any] struct {
	Items  []*T
	Marker string // what Paging.Marker takes for the page after this one; "" when there is none
}

// Lister lists one kind of object: T is the object, O its list options.
type Lister[T any, O any] struct {
	client   *Client
	resource string                                    // the collection, such as nodes: its route, and the list in the body
	full     func(context.Context, string) (*T, error) // nil, or reads an object whole where lists cannot
}

// List reads one page; Page.Marker leads to the next.
func (l *Lister[T, O]) List(ctx context.Context, options O) (*Page[T], error) {
	w, err := l.begin(ctx, options)
	if err != nil {
		return nil, err
	}
	return w.page(ctx, w.query.Get("marker"))
}

// All reads every page, in order, and yields each object once. The next page is on its way while this one is
// consumed. An error is yielded once, with a nil object, and ends the sequence; the walk can then only be begun anew.
//
// Each page is asked for by the walk's own query and the last object's UUID: the servers' next links forget filters,
// details and fields (reference §6, 1 and 2), and tell only that there is more. An object that appears on two
// pages is yielded once. IsMarkerGone tells that the object at a page border was deleted meanwhile.
func (l *Lister[T, O]) All(ctx context.Context, options O) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		w, err := l.begin(ctx, options)
		if err != nil {
			yield(nil, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		ahead := func(marker string) func() (*Page[T], error) {
			return rest.Ahead(func() (*Page[T], error) { return w.page(ctx, marker) })
		}
		fetch := ahead(w.query.Get("marker"))
		defer func() {
			cancel()
			_, _ = fetch()
		}()
		seen, markers := map[string]bool{}, map[string]bool{}
		for {
			page, err := fetch()
			if err != nil {
				yield(nil, err)
				return
			}
			if page.Marker != "" {
				if markers[page.Marker] {
					yield(nil, &ResponseError{Method: http.MethodGet, Path: w.path,
						Err: fmt.Errorf("the listing goes in a circle: it comes to %s again", page.Marker)})
					return
				}
				markers[page.Marker] = true
				fetch = ahead(page.Marker)
			}
			for _, item := range page.Items {
				id := idOf(item)
				if seen[id] {
					continue
				}
				seen[id] = true
				if !yield(item, nil) {
					return
				}
			}
			if page.Marker == "" {
				return
			}
		}
	}
}

// walk is a listing of a server whose dialect is known.
type walk[T any] struct {
	session  *session
	resource string
	path     string                                    // of the collection, or of its detailed form
	query    url.Values                                // without the marker of later pages
	detail   bool                                      // by Ironic's parameter, where its version has it
	full     func(context.Context, string) (*T, error) // nil, or reads each object whole
}

// begin checks the options and makes them the queries of a walk.
func (l *Lister[T, O]) begin(ctx context.Context, options O) (*walk[T], error) {
	s, err := l.client.session(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.dialect.need(l.resource, "list "+l.resource); err != nil {
		return nil, err
	}
	if err := s.dialect.check(options); err != nil {
		return nil, err
	}
	w := &walk[T]{session: s, resource: l.resource, path: "/" + l.resource, query: rest.Query(options)}
	detail := w.query.Has("detail")
	w.query.Del("detail")
	if err := w.fields(detail); err != nil {
		return nil, err
	}
	if s.dialect == DialectNodes && w.query.Has("project") {
		detail = true // the one list that takes it, and it takes no fields (reference §2.4)
		w.query.Del("fields")
	}
	switch t := s.dialect.traits(); {
	case !detail:
	case s.dialect == DialectIronic:
		w.detail = true
	case t.detail:
		w.path += "/detail"
	case l.full != nil:
		w.full = l.full
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

// fields makes sure that objects can be told apart and paged: uuid is always among the fields (reference §6, 2).
func (w *walk[T]) fields(detail bool) error {
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

// detailParameter is since when Ironic takes detail as a parameter; before that it is a route.
var detailParameter = Version{1, 43}

// page reads the page after marker.
func (w *walk[T]) page(ctx context.Context, marker string) (*Page[T], error) {
	c := &call{Request: rest.Request{Method: http.MethodGet, Path: w.path, Query: url.Values{}}}
	for name, values := range w.query {
		c.Query[name] = values
	}
	if marker != "" {
		c.Query.Set("marker", marker)
	}
	if w.detail {
		c.adapt = func(r *rest.Request, v Version) {
			if v == (Version{}) || v.Compare(detailParameter) < 0 { // the route is always there; what the latest is nobody knows
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
	case StatusOf(err) == http.StatusInternalServerError && w.query.Has("fields"):
		return nil, hinted(err, "Ironic answers this for a field that it does not have, among others")
	default:
		return nil, err
	}
	page := &Page[T]{}
	if page.Items, err = items[T](resp, w.resource); err != nil {
		return nil, err
	}
	for _, item := range page.Items {
		if idOf(item) == "" {
			return nil, unusable(resp, http.MethodGet, errNoMember("uuid"))
		}
	}
	if n := len(page.Items); n > 0 && gjson.GetBytes(resp.Body, "next").Type == gjson.String {
		page.Marker = idOf(page.Items[n-1])
	}
	if w.full != nil {
		page.Items, err = w.complete(ctx, page.Items)
	}
	return page, err
}

// complete reads every object of a page whole; those that were deleted meanwhile are left out.
func (w *walk[T]) complete(ctx context.Context, items []*T) ([]*T, error) {
	const atOnce = 8
	var work errgroup.Group
	work.SetLimit(atOnce)
	for i := range items {
		work.Go(func() error {
			whole, err := w.full(ctx, idOf(items[i]))
			if err != nil && !IsNotFound(err) {
				return err
			}
			items[i] = whole
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(items, func(item *T) bool { return item == nil }), nil
}

// items decodes the list of that name in a body.
func items[T any](resp *rest.Response, key string) (list []*T, err error) {
	m := gjson.GetBytes(resp.Body, key)
	if !gjson.ValidBytes(resp.Body) || !m.IsArray() {
		return nil, unusable(resp, http.MethodGet, errNoMember(key))
	}
	for _, item := range m.Array() {
		o := new(T)
		if err := decode([]byte(item.Raw), o); err != nil {
			return nil, unusable(resp, http.MethodGet, err)
		}
		list = append(list, o)
	}
	return list, nil
}

// list reads a list that does not come in pages.
func list[T any](ctx context.Context, c *Client, resource, operation, path, key string, query url.Values) ([]*T, error) {
	resp, err := c.do(ctx, resource, operation, &call{Request: rest.Request{Method: http.MethodGet, Path: path, Query: query}})
	if err != nil {
		return nil, err
	}
	if gjson.GetBytes(resp.Body, "next").Type == gjson.String {
		return nil, unusable(resp, http.MethodGet, fmt.Errorf("it is only the first page, and %s cannot be read in pages", key))
	}
	return items[T](resp, key)
}
