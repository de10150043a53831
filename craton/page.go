package craton

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// Paging are the options that every listing takes (v1 contract §2.1.3).
type Paging struct {
	// Limit is the page size, MinLimit to MaxLimit; 0 leaves it to the server (30). All uses MaxLimit for 0.
	Limit int `query:"limit"`
	// Marker is the id of the last object already seen; the page begins after it.
	Marker string `query:"marker"`
	// SortKeys are columns, such as "name", "id". Keys that repeat or are null lose rows at page borders on the
	// original server (Q13); end them with "id". Default: created_at, id.
	SortKeys []string `query:"sort_keys"`
	// SortDir is "asc" (default) or "desc", for all keys.
	SortDir string `query:"sort_dir"`
}

// Page is one page of a listing.
type Page[T any] struct {
	Items  []*T
	Links  []Link // first, prev, self, next
	Limit  int    // the page size in force
	Marker string // what Paging.Marker takes for the page after this one; "" when there is none
}

// Lister lists one kind of object: T is the object, O its list options.
type Lister[T any, O any] struct {
	client *Client
	path   string                             // of the collection, such as /network-devices
	key    string                             // of the list in the body, such as network_devices (Q16)
	id     func(*T) string                    // the marker of an object
	decode func(gjson.Result) ([]*T, error)   // nil: a plain array
	tidy   func(q url.Values)                 // nil, or takes away what the route does not accept
	single func(q url.Values) (filtered bool) // the options make it a single-object look-up (§2.4.1)
}

// List reads one page.
func (l *Lister[T, O]) List(ctx context.Context, options O) (*Page[T], error) {
	q := l.query(options)
	raw, err := l.client.page(ctx, l.path, q)
	if err != nil {
		return nil, l.emptyLookup(q, err)
	}
	return l.page(raw)
}

// All reads every page, in order, and yields each object once. The next page is on its way while this one is
// consumed. An error is yielded once and ends the sequence; the walk can then only be begun anew.
//
// The walk follows the server's next links, but only their query: requests never leave the configured URL (Q21).
// It ends with an empty page or a page without next; a next link seen before is an error, and an object that
// appears on two pages is yielded once (Q30).
func (l *Lister[T, O]) All(ctx context.Context, options O) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		q := l.query(options)
		if q.Get("limit") == "" {
			q.Set("limit", strconv.Itoa(MaxLimit))
		}
		seen := map[string]bool{}
		for raw, err := range l.client.Pages(ctx, l.path, q) {
			var page *Page[T]
			if err == nil {
				page, err = l.page(raw)
			} else if err = l.emptyLookup(q, err); err == nil {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for _, item := range page.Items {
				id := l.id(item)
				if seen[id] {
					continue
				}
				seen[id] = true
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// query renders the options.
func (l *Lister[T, O]) query(options O) url.Values {
	q := queryOf(options)
	if l.tidy != nil {
		l.tidy(q)
	}
	return q
}

// emptyLookup turns the 404 of a look-up by name or id into an empty list, as every other filter gives (Q14).
func (l *Lister[T, O]) emptyLookup(q url.Values, err error) error {
	if l.single != nil && IsNotFound(err) && l.single(q) {
		return nil
	}
	return err
}

// page decodes a raw page; a nil one is empty.
func (l *Lister[T, O]) page(raw *RawPage) (*Page[T], error) {
	p := &Page[T]{}
	if raw == nil {
		return p, nil
	}
	p.Links, p.Limit, p.Marker = raw.Links, raw.limit(), raw.next().Get("marker")
	list := gjson.GetBytes(raw.Body, l.key)
	if !list.Exists() {
		return nil, &ResponseError{Method: http.MethodGet, Path: l.path, Err: errNoMember(l.key)}
	}
	var err error
	if l.decode != nil {
		p.Items, err = l.decode(list)
	} else {
		err = json.Unmarshal([]byte(list.Raw), &p.Items)
	}
	if err != nil {
		return nil, &ResponseError{Method: http.MethodGet, Path: l.path, Err: err}
	}
	return p, nil
}

// RawPage is a page of a listing as it came.
type RawPage struct {
	Body  []byte
	Links []Link
}

// next is the query of the next link, nil without one.
func (p *RawPage) next() url.Values { return p.linkQuery("next") }

func (p *RawPage) linkQuery(rel string) url.Values {
	for _, l := range p.Links {
		if l.Rel == rel {
			if u, err := url.Parse(l.Href); err == nil {
				return u.Query()
			}
		}
	}
	return nil
}

func (p *RawPage) limit() int {
	n, _ := strconv.Atoi(p.linkQuery("self").Get("limit"))
	return n
}

// empty tells the page that ends a listing: no object in any list of the body.
func (p *RawPage) empty() bool {
	empty := true
	gjson.ParseBytes(p.Body).ForEach(func(key, value gjson.Result) bool {
		if key.String() == "links" {
			return true
		}
		if value.IsObject() { // devices: {"hosts": [...], "network-devices": [...]}
			value.ForEach(func(_, inner gjson.Result) bool {
				empty = empty && inner.Get("0").Exists() == false
				return empty
			})
		} else {
			empty = empty && !value.Get("0").Exists()
		}
		return empty
	})
	return empty
}

// Pages walks a listing page by page without decoding it: path is that of the collection, such as "/hosts".
// It is what All is made of, for callers that decode on their own. While a page is consumed the next one is
// requested already. When the server fails on a page with 500 although the request was repeated, smaller pages
// are tried from the same place (Q8).
func (c *Client) Pages(ctx context.Context, path string, query url.Values) iter.Seq2[*RawPage, error] {
	return func(yield func(*RawPage, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		seen := map[string]bool{}
		q := query
		fetch := c.prefetch(ctx, path, q)
		for {
			page, err := fetch()
			if err != nil && StatusOf(err) == http.StatusInternalServerError && ctx.Err() == nil {
				if smaller, ok := shrink(q); ok {
					q = smaller
					fetch = c.prefetch(ctx, path, q)
					continue
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
			next := page.next()
			last := next == nil || page.empty()
			if !last {
				marker := next.Get("marker")
				if marker == "" || seen[marker] {
					yield(nil, &ResponseError{Method: http.MethodGet, Path: path,
						Err: fmt.Errorf("its next link (marker %q) leads back to a page seen before", marker)})
					return
				}
				seen[marker] = true
				q = next
				fetch = c.prefetch(ctx, path, q)
			}
			if !yield(page, nil) || last {
				return
			}
		}
	}
}

// prefetch sends the request for a page at once and returns what waits for its answer.
func (c *Client) prefetch(ctx context.Context, path string, q url.Values) func() (*RawPage, error) {
	type answer struct {
		page *RawPage
		err  error
	}
	ch := make(chan answer, 1)
	go func() {
		page, err := c.page(ctx, path, q)
		ch <- answer{page, err}
	}()
	return func() (*RawPage, error) {
		a := <-ch // the request itself is bounded by ctx
		return a.page, a.err
	}
}

// shrink halves the page size of a query, down to MinLimit.
func shrink(q url.Values) (url.Values, bool) {
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit <= MinLimit {
		return nil, false
	}
	smaller := url.Values{}
	for k, v := range q {
		smaller[k] = v
	}
	smaller.Set("limit", strconv.Itoa(max(limit/2, MinLimit)))
	return smaller, true
}

// page reads one page: its links first, the objects are left to the caller.
func (c *Client) page(ctx context.Context, path string, q url.Values) (*RawPage, error) {
	resp, err := c.Do(ctx, http.MethodGet, path, q, nil)
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*RawPage, error) {
		return nil, &ResponseError{Method: http.MethodGet, Path: path, Err: err}
	}
	if !gjson.ValidBytes(resp.Body) {
		return fail(errors.New("it is not JSON, or it was cut short"))
	}
	links := gjson.GetBytes(resp.Body, "links")
	if !links.IsArray() {
		return fail(errNoMember("links"))
	}
	p := &RawPage{Body: resp.Body}
	if err := json.Unmarshal([]byte(links.Raw), &p.Links); err != nil {
		return fail(err)
	}
	for _, l := range p.Links {
		u, err := url.Parse(l.Href)
		if err != nil || !strings.HasSuffix(u.Path, path) {
			return fail(fmt.Errorf("its %q link leads elsewhere", l.Rel))
		}
	}
	return p, nil
}
