package craton

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/craton-fleet/craton/internal/rest"
)

// pageWalk is a walk through the pages of a listing.
type pageWalk struct {
	client *Client
	path   string
	query  url.Values // of the first page
	size   *pageSize
	ids    []string // of the rows of the pages before

	// The page that is being fetched.
	q     url.Values
	after row
	fetch func() (*RawPage, error)
}

func newPageWalk(c *Client, path string, query url.Values) *pageWalk {
	return &pageWalk{client: c, path: path, query: query, size: newPageSize(query)}
}

// begin sends the request for a page at once, to be read into buf.
func (w *pageWalk) begin(ctx context.Context, q url.Values, after row, buf []byte) {
	w.q, w.after = q, after
	w.fetch = rest.Prefetch(func() (*RawPage, error) { return w.client.page(ctx, w.path, q, after, buf) })
}

// wait waits for the page being fetched; where the server fails on large pages, for a smaller one.
func (w *pageWalk) wait(ctx context.Context) (*RawPage, error) {
	for {
		page, err := w.fetch()
		if err == nil {
			return page, nil
		}
		smaller := w.size.shrink(w.q, err)
		if smaller == nil || ctx.Err() != nil {
			return nil, explainList(err, w.path, w.q)
		}
		w.begin(ctx, smaller, w.after, nil)
	}
}

// remember remembers the rows of a page that is done with.
func (w *pageWalk) remember(page *RawPage) {
	for _, r := range page.rows {
		w.ids = append(w.ids, r.id)
	}
}

// settle makes sure that a page with room is the last one, by asking for the one behind it into buf. It gives the page
// as it is in the end, and whether that is the last: objects that are made meanwhile may have filled it.
func (w *pageWalk) settle(ctx context.Context, page *RawPage, buf []byte) (_ *RawPage, last bool, err error) {
	if w.path == "/projects" && w.query.Get("name") != "" {
		return page, true, nil // the original answers 500 for its second page (Q14)
	}
	q, after := w.q, w.after
	for attempt := 0; ; {
		doubt, err := w.checkLast(ctx, page, buf)
		if doubt == nil && err == nil {
			doubt, err = w.checkBackwards(ctx, page, buf)
		}
		if err != nil {
			return nil, false, err
		}
		if doubt == nil {
			return page, true, nil
		}
		w.begin(ctx, q, after, nil)
		again, err := w.wait(ctx)
		if err != nil {
			return nil, false, err
		}
		switch same := slices.Equal(again.rows, page.rows); {
		case again.empty():
			return again, true, nil
		case !again.hasRoom():
			return again, false, nil
		case same:
			more, err := w.client.rest.Pause(ctx, attempt)
			if err != nil {
				return nil, false, &ConnectionError{Method: http.MethodGet, URL: w.client.rest.Shown(w.path), Err: err}
			}
			if attempt++; !more {
				return nil, false, &ResponseError{Method: http.MethodGet, Path: w.path, Err: &rest.BadResponseError{Tries: attempt, Err: doubt}}
			}
		}
		page = again
	}
}

// checkLast asks for the page behind one with room, and returns what speaks against that one being complete and the
// last.
//
// That page's prev link names the row that is as many places before its marker as it has room for. With room for as
// many as the last page has rows, it counts them.
func (w *pageWalk) checkLast(ctx context.Context, page *RawPage, buf []byte) (doubt, err error) {
	next, _ := page.next(w.path) // check has followed it
	all, counts := len(w.ids)+len(page.rows), countable(w.query)
	limit := page.limit()
	if counts && all > MinLimit {
		limit = max(len(page.rows), MinLimit)
	}
	for second := false; ; second = true {
		w.begin(ctx, withLimit(next, limit), page.last, buf)
		behind, err := w.wait(ctx)
		if err != nil {
			return nil, err
		}
		if !behind.empty() {
			return newPageError("its page that ends with id %s is not full, but others follow", page.last.id), nil
		}
		prev := behind.link("prev").Get("marker")
		if limit = behind.limit(); !counts || prev == "" || limit == 0 {
			return nil, nil
		}
		at, place := w.place(page, prev), all-1-limit
		switch {
		case at < 0 && (place >= 0 || w.query.Get("marker") == "") || at > max(place, 0):
			return newPageError("rows before id %s are missing: %d rows before it comes id %q", page.last.id, limit, prev), nil
		case second || limit != all || w.query.Get("marker") != "":
			return nil, nil
		}
		// The first row is what the original says where there is none. One place less shows it.
		limit = all - 1
	}
}

// checkBackwards requests the rows of a listing that no page can count, because it has no more rows than the smallest
// page holds, in the other order, and returns what speaks against the listing being complete. A row that is made
// meanwhile comes behind all others.
func (w *pageWalk) checkBackwards(ctx context.Context, page *RawPage, buf []byte) (doubt, err error) {
	all := len(w.ids) + len(page.rows)
	if !countable(w.query) || all > MinLimit || w.query.Get("marker") != "" {
		return nil, nil
	}
	q := withLimit(w.query, MinLimit)
	q.Set("sort_dir", "desc")
	q.Del("details") // what the rows hold does not matter
	if all > 1 {     // from the last row, so that what loses a row in one order loses another one in the other
		q.Set("marker", page.last.id)
	}
	w.begin(ctx, q, row{}, buf)
	others, err := w.wait(ctx)
	switch {
	case StatusOf(err) == http.StatusBadRequest: // deleted meanwhile is the marker; or it is a server that sorts in one way only
		return nil, nil
	case err != nil:
		return nil, err
	}
	for _, r := range others.rows {
		if w.place(page, r.id) < 0 {
			return newPageError("it lacks id %s, which it contains in the reverse order", r.id), nil
		}
	}
	return nil, nil
}

// place returns where a row stands in the walk up to a page, from 0; negative if it did not come.
func (w *pageWalk) place(page *RawPage, id string) int {
	if at := slices.IndexFunc(page.rows, func(r row) bool { return sameID(r.id, id) }); at >= 0 {
		return len(w.ids) + at
	}
	return slices.IndexFunc(w.ids, func(other string) bool { return sameID(other, id) })
}

// countable reports whether a query lists rows in an order that never changes, selected by what never changes.
func countable(q url.Values) bool {
	for name := range q {
		if !slices.Contains([]string{"limit", "marker", "sort_keys", "sort_dir", "details", "resolved-values", "cloud_id", "region_id", "cell_id"}, name) {
			return false
		}
	}
	return sorted(q)
}
