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
	ids    []string // the rows of the previous pages

	// The page that is being requested.
	q     url.Values
	after row
	fetch func() (*RawPage, error)
}

func newPageWalk(c *Client, path string, query url.Values) *pageWalk {
	return &pageWalk{client: c, path: path, query: query, size: newPageSize(query)}
}

// begin sends the request for a page, to be read into buf.
func (w *pageWalk) begin(ctx context.Context, q url.Values, after row, buf []byte) {
	w.q, w.after = q, after
	w.fetch = rest.Prefetch(func() (*RawPage, error) { return w.client.page(ctx, w.path, q, after, buf) })
}

// wait waits for the page that is being requested or, if the server fails on large pages, for a smaller one.
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

// remember stores the rows of a page that has been consumed.
func (w *pageWalk) remember(page *RawPage) {
	for _, r := range page.rows {
		w.ids = append(w.ids, r.id)
	}
}

// settle verifies that a page that is not full is the last one, by reading the next one into buf. It returns the final
// page, and whether it is the last: objects created meanwhile may have filled it.
func (w *pageWalk) settle(ctx context.Context, page *RawPage, buf []byte) (_ *RawPage, last bool, err error) {
	if w.path == "/projects" && w.query.Get("name") != "" {
		return page, true, nil // the original returns 500 for its second page (Q14)
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

// checkLast reads the page after one that is not full, and returns evidence that the latter is incomplete or not the
// last.
//
// That page's prev link names a row: the one that is as many rows before its marker as its limit. With the length of
// the last page as limit, this verifies that length.
func (w *pageWalk) checkLast(ctx context.Context, page *RawPage, buf []byte) (doubt, err error) {
	next, _ := page.next(w.path) // check has parsed it
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
		// The first row is what the original returns if there is none. A limit that is smaller by one shows it.
		limit = all - 1
	}
}

// checkBackwards reads a listing with no more rows than the smallest page, which no page can count, in reverse order,
// and returns evidence that it is incomplete. A row created meanwhile comes after all others.
func (w *pageWalk) checkBackwards(ctx context.Context, page *RawPage, buf []byte) (doubt, err error) {
	all := len(w.ids) + len(page.rows)
	if !countable(w.query) || all > MinLimit || w.query.Get("marker") != "" {
		return nil, nil
	}
	q := withLimit(w.query, MinLimit)
	q.Set("sort_dir", "desc")
	q.Del("details") // the contents of rows do not matter
	if all > 1 {     // from the last row, so that a fault that loses a row in one order loses another one in the other
		q.Set("marker", page.last.id)
	}
	w.begin(ctx, q, row{}, buf)
	others, err := w.wait(ctx)
	switch {
	case StatusOf(err) == http.StatusBadRequest: // the marker was deleted meanwhile; or it is a server that sorts in one direction only
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

// place returns the index of a row among the pages up to this one; negative if it was not read.
func (w *pageWalk) place(page *RawPage, id string) int {
	if at := slices.IndexFunc(page.rows, func(r row) bool { return sameID(r.id, id) }); at >= 0 {
		return len(w.ids) + at
	}
	return slices.IndexFunc(w.ids, func(other string) bool { return sameID(other, id) })
}

// countable reports whether a query lists rows in an order that never changes, selected by fields that never change.
func countable(q url.Values) bool {
	for name := range q {
		if !slices.Contains([]string{"limit", "marker", "sort_keys", "sort_dir", "details", "resolved-values", "cloud_id", "region_id", "cell_id"}, name) {
			return false
		}
	}
	return sorted(q)
}
