package craton

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// Paging is the options that every listing supports (v1 contract §2.1.3).
type Paging struct {
	// Limit is the page size, MinLimit to MaxLimit; the API refuses others with 400 (Q11). With 0 the server chooses it
	// (30), and All uses MaxLimit.
	Limit int `query:"limit"`
	// Marker is the id of the last object of the previous page.
	Marker string `query:"marker"`
	// SortKeys are columns, such as "name". "id" is added at the end if it is missing, because objects that are equal
	// in all keys are lost between pages; if a key is null in some objects, others are lost nevertheless (Q13).
	// Default: created_at, id.
	SortKeys []string `query:"sort_keys"`
	// SortDir is "asc" (default) or "desc", for all keys.
	SortDir string `query:"sort_dir"`
}

// Page is one page of a listing.
type Page[T any] struct {
	Items  []*T
	Links  []Link // first, prev, self, next; do not page backwards with prev, which is off by one on page 2 (Q13)
	Limit  int    // the page size that was used; 0 if the server did not return it
	Marker string // the Paging.Marker for the next page; "" if there is none
}

// Lister lists one kind of object: T is the object, O its list options.
type Lister[T any, O any] struct {
	client *Client
	path   string                                  // of the collection, such as /network-devices
	key    string                                  // of the list in the body, such as network_devices (Q16)
	id     func(*T) string                         // the marker of an object
	decode func(body []byte) ([]*T, error)         // nil: an array of objects
	local  func(q url.Values) *localFilter[T]      // nil, or for routes whose own filters do not work properly (Q14)
	reason func(context.Context, url.Values) error // nil, or determines the meaning of a 500
}

// List reads one page; Page.Marker leads to the next. The last page may be empty after a full one: the API marks the
// end of a listing only by an empty page (v1 contract §3.4).
func (l *Lister[T, O]) List(ctx context.Context, options O) (*Page[T], error) {
	q := listQuery(options)
	if f := l.filter(q); f != nil {
		return l.listFiltered(ctx, q, f)
	}
	raw, err := l.client.Page(ctx, l.path, q)
	if err != nil {
		return nil, l.explain(ctx, q, explainList(err, l.path, q))
	}
	return l.page(raw)
}

// All reads every page, in order, and yields each object once. The next page is prefetched while the current one is
// consumed. An error is yielded once, with a nil object, and ends the sequence; it can only be started again from the
// beginning.
//
// It follows the server's next links, but uses only their query: requests never leave the configured URL (Q21). It ends
// with an empty page or a page without next; a repeated next link is an error, and an object on two pages is yielded
// once (Q30). [IsMarkerGone] reports that the object at a marker was deleted meanwhile.
func (l *Lister[T, O]) All(ctx context.Context, options O) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		q := listQuery(options)
		if !q.Has("limit") {
			q.Set("limit", strconv.Itoa(MaxLimit))
		}
		walk := l.walk(ctx, q)
		if f := l.filter(q); f != nil {
			walk = l.filtered(ctx, q, f)
		}
		walk(yield)
	}
}

// walk yields the objects of all pages of a query, each once.
func (l *Lister[T, O]) walk(ctx context.Context, q url.Values) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		seen := map[string]bool{}
		for raw, err := range l.client.Pages(ctx, l.path, q) {
			var page *Page[T]
			if err == nil {
				page, err = l.page(raw)
			}
			if err != nil {
				yield(nil, l.explain(ctx, q, err))
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

// page decodes a raw page.
func (l *Lister[T, O]) page(raw *RawPage) (*Page[T], error) {
	p := &Page[T]{Links: raw.Links, Limit: raw.limit()}
	next, err := raw.next(l.path)
	if err == nil {
		p.Marker = next.Get("marker")
		p.Items, err = l.items(raw.Body)
	}
	if err != nil {
		return nil, &ResponseError{Method: http.MethodGet, Path: l.path, Err: err}
	}
	return p, nil
}

func (l *Lister[T, O]) items(body []byte) (items []*T, err error) {
	list, err := member(body, l.key)
	if err != nil {
		return nil, err
	}
	nameKey := "name"
	if l.path == "/users" {
		nameKey = "username"
	}
	if l.decode == nil || list[0] == '[' {
		if err := checkRows(list, nameKey); err != nil {
			return nil, fmt.Errorf("%s%w", l.key, err)
		}
	}
	if l.decode != nil {
		return l.decode(list)
	}
	return unmarshalList[T](list)
}

func unmarshalList[T any](list []byte) (items []*T, err error) {
	err = json.Unmarshal(list, &items)
	return items, err
}

// member returns the text of one member of an object, not copied.
func member(object []byte, key string) ([]byte, error) {
	m := gjson.GetBytes(object, key)
	if !m.Exists() {
		return nil, errNoMember(key)
	}
	return object[m.Index : m.Index+len(m.Raw)], nil
}

func (l *Lister[T, O]) explain(ctx context.Context, q url.Values, err error) error {
	if l.reason != nil && IsUnexplained(err) {
		if better := l.reason(ctx, q); better != nil {
			return better
		}
	}
	return err
}

func (l *Lister[T, O]) filter(q url.Values) *localFilter[T] {
	if l.local == nil {
		return nil
	}
	return l.local(q)
}

// localFilter filters in the client what the API's own parameters do not filter properly (Q14).
type localFilter[T any] struct {
	params []string      // are not sent, but compared here
	keep   func(*T) bool // compares
	lookup bool          // sent without others, the parameters are a lookup that works for at most one match
}

// filtered reads the listing and applies the filter. A lookup is tried first: it takes one request, but fails with 404
// for no match, and for several with 500 (the original) or 409 (craton server).
func (l *Lister[T, O]) filtered(ctx context.Context, q url.Values, f *localFilter[T]) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		if f.lookup {
			raw, err := l.client.Page(ctx, l.path, q)
			switch {
			case IsNotFound(err):
				return
			case IsUnexplained(err), IsConflict(err): // several: use the listing
			case err != nil:
				yield(nil, err)
				return
			default:
				page, err := l.page(raw)
				if err != nil {
					yield(nil, err)
					return
				}
				for _, item := range page.Items {
					if !yield(item, nil) {
						return
					}
				}
				return
			}
		}
		rest := url.Values{}
		for k, v := range q {
			if !slices.Contains(f.params, k) {
				rest[k] = v
			}
		}
		if !rest.Has("limit") {
			rest.Set("limit", strconv.Itoa(MaxLimit))
		}
		for item, err := range l.walk(ctx, rest) {
			if err == nil && !f.keep(item) {
				continue
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

// listFiltered returns one page of a filtered listing, without links.
func (l *Lister[T, O]) listFiltered(ctx context.Context, q url.Values, f *localFilter[T]) (*Page[T], error) {
	p := &Page[T]{}
	p.Limit, _ = strconv.Atoi(q.Get("limit"))
	if p.Limit == 0 {
		p.Limit = defaultLimit
	}
	for item, err := range l.filtered(ctx, q, f) {
		if err != nil {
			return nil, err
		}
		if len(p.Items) == p.Limit {
			p.Marker = l.id(p.Items[p.Limit-1])
			break
		}
		p.Items = append(p.Items, item)
	}
	return p, nil
}

// byNameOrID returns the filter of clouds and regions, for which name and id make the request a lookup of one object
// that fails with 404 for none and 500 for several, leaves variables out, and ignores every other parameter (v1
// contract §2.4.1). It is used only without other options; otherwise the listing is read and compared here.
func byNameOrID[T any](of func(*T) (id int, name string)) func(url.Values) *localFilter[T] {
	return func(q url.Values) *localFilter[T] {
		if !q.Has("name") && !q.Has("id") {
			return nil
		}
		f := &localFilter[T]{params: []string{"name", "id"}}
		f.keep = func(o *T) bool {
			id, name := of(o)
			return (!q.Has("name") || q.Get("name") == name) && (!q.Has("id") || q.Get("id") == strconv.Itoa(id))
		}
		f.lookup = !(q.Has("name") && q.Has("id"))
		for param := range q {
			f.lookup = f.lookup && slices.Contains([]string{"name", "id", "limit", "sort_keys", "sort_dir"}, param)
		}
		return f
	}
}

// byPattern returns the filter of projects by name, whose second page fails with 500 on the original, and which leaves
// out the variables that details requests. The pattern is SQL's LIKE, case-insensitive as on MySQL (Q25).
func byPattern[T any](name func(*T) string) func(url.Values) *localFilter[T] {
	return func(q url.Values) *localFilter[T] {
		if !q.Has("name") {
			return nil
		}
		pattern := regexp.QuoteMeta(q.Get("name"))
		pattern = strings.NewReplacer("%", ".*", "_", ".").Replace(pattern)
		re := regexp.MustCompile("(?is)^" + pattern + "$")
		return &localFilter[T]{params: []string{"name"}, keep: func(o *T) bool { return re.MatchString(name(o)) }}
	}
}
