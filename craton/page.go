package craton

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/rest"
)

// RawPage is a page of a listing as it was received, with its links parsed.
type RawPage struct {
	Body  []byte  // valid JSON; valid until the page after the next is read into the same buffer
	Links []Link  // first, prev, self, next; empty for lookups of clouds and regions
	lists [][]row // the rows of its list; for devices, those of both lists
	rows  []row   // all of them; for devices, in the listing's order if that is the default
	last  row     // the row after which the next page begins; empty for an empty page
	asked int     // the requested page size; 0 for none
}

// empty reports whether the page has no rows.
func (p *RawPage) empty() bool { return len(p.rows) == 0 }

// next returns the query of the next link, nil without one. Scheme, host and the path prefix are ignored: the original
// builds them from the Host header, and behind a TLS proxy they say http (Q21).
func (p *RawPage) next(path string) (url.Values, error) {
	for _, l := range p.Links {
		if l.Rel != "next" {
			continue
		}
		u, err := url.Parse(l.Href)
		if err != nil || !strings.HasSuffix(u.Path, path) {
			return nil, errors.New("its next link points elsewhere")
		}
		q, err := url.ParseQuery(u.RawQuery)
		if err != nil || q.Get("marker") == "" {
			return nil, errors.New("its next link has no marker")
		}
		return q, nil
	}
	return nil, nil
}

// limit returns the page size from the self link, or else the requested one; 0 if neither is known.
func (p *RawPage) limit() int {
	n, _ := strconv.Atoi(p.link("self").Get("limit"))
	return cmp.Or(n, p.asked)
}

// hasRoom reports whether the page has rows, but fewer than its limit.
func (p *RawPage) hasRoom() bool { return !p.empty() && len(p.rows) < p.limit() }

// Last reports whether the page is the last one. In a walk this was verified; for a single page it is inferred from its
// length.
func (p *RawPage) Last() bool { return p.empty() || p.hasRoom() }

// link returns the query of a link; empty without one.
func (p *RawPage) link(rel string) url.Values {
	for _, l := range p.Links {
		if l.Rel == rel {
			if u, err := url.Parse(l.Href); err == nil {
				return u.Query()
			}
		}
	}
	return url.Values{}
}

func (p *RawPage) has(rel string) bool {
	return slices.ContainsFunc(p.Links, func(l Link) bool { return l.Rel == rel })
}

// Pages reads a listing page by page without decoding it: path is the path of the collection, such as "/hosts", query
// its parameters; without a limit the server chooses the page size (30). All is built on it; it is for callers that
// decode pages themselves. Every row is an object with an id.
//
// While a page is consumed, the next one is prefetched; when the loop ends, that request is cancelled and waited for.
// If the server repeatedly responds to a page with details with 500, smaller pages are tried from the same position,
// and larger ones again after several successful ones (Q8). An error is yielded once and ends the loop.
//
// A page that violates a rule of all pages of the API (v1 contract §3.4) was damaged in transit. It is retried like any
// request; after that, the error is a *ResponseError. A page that is not full is the last one, so it is yielded only
// after the next one has been found to be empty.
func (c *Client) Pages(ctx context.Context, path string, query url.Values) iter.Seq2[*RawPage, error] {
	return func(yield func(*RawPage, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		w := newPageWalk(c, path, query)
		w.begin(ctx, query, row{}, nil)
		defer func() {
			cancel()
			_, _ = w.fetch()
		}()
		markers := map[string]bool{}
		var spare []byte // the body of the previous page, which is no longer needed
		for {
			page, err := w.wait(ctx)
			last := err == nil && (page.empty() || len(page.Links) == 0) // without links it is a lookup
			if err == nil && !last && page.hasRoom() {
				page, last, err = w.settle(ctx, page, spare)
			}
			if err == nil && !last {
				next, _ := page.next(path) // check has parsed it
				if marker := next.Get("marker"); markers[marker] {
					err = &ResponseError{Method: http.MethodGet, Path: path, Err: advice.With(fmt.Errorf("its next link (marker %q) leads back to a page seen before", marker), "sort by keys that are never null, such as id")}
				} else {
					markers[marker] = true
					w.remember(page)
					w.begin(ctx, w.size.advance(next), page.last, spare)
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(page, nil) || last {
				return
			}
			spare = page.Body
		}
	}
}

// Page reads one page of a listing without decoding it, and retries it if it violates a rule, as [Client.Pages] does.
func (c *Client) Page(ctx context.Context, path string, query url.Values) (*RawPage, error) {
	return c.page(ctx, path, query, row{}, nil)
}

// page reads one page, into buf if it fits. after is the last row of the previous page, if known.
func (c *Client) page(ctx context.Context, path string, q url.Values, after row, buf []byte) (*RawPage, error) {
	var p *RawPage
	_, err := c.send(ctx, path, &rest.Request{Method: http.MethodGet, Path: path, Query: q, Into: buf, Check: func(resp *rest.Response) error {
		p = &RawPage{Body: resp.Body}
		if err := p.read(path); err != nil {
			return err
		}
		return p.check(path, q, after)
	}})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// pageSize adapts the page size to a server that sometimes fails on large pages with details (Q8: on the original 9 of
// 15 pages of 100, 2 of 15 of 30).
type pageSize struct {
	wanted, now int
	good        int // successful pages in a row of this size
}

// goodPages is the number of successful pages after which a larger size is tried again.
const goodPages = 5

func newPageSize(q url.Values) *pageSize {
	n, _ := strconv.Atoi(q.Get("limit"))
	return &pageSize{wanted: n, now: n}
}

// shrink returns the query for the same position with a smaller page; nil if that would not help.
func (s *pageSize) shrink(q url.Values, err error) url.Values {
	if StatusOf(err) != http.StatusInternalServerError || s.now <= MinLimit || !isTrue(q, "details") {
		return nil
	}
	s.now, s.good = s.now/3, 0
	if s.now < 2*MinLimit { // few steps: each has its retries
		s.now = MinLimit
	}
	return withLimit(q, s.now)
}

// advance returns the query of a next link, with a larger page if smaller ones went well for a while.
func (s *pageSize) advance(next url.Values) url.Values {
	if s.now >= s.wanted {
		return next
	}
	if s.good++; s.good >= goodPages {
		s.now, s.good = min(s.now*3, s.wanted), 0
	}
	return withLimit(next, s.now)
}

func withLimit(q url.Values, limit int) url.Values {
	with := url.Values{}
	for k, v := range q {
		with[k] = v
	}
	with.Set("limit", strconv.Itoa(limit))
	return with
}

// isTrue reports whether a boolean parameter is true; the server's links say True (v1 contract §3.4).
func isTrue(q url.Values, name string) bool { return strings.EqualFold(q.Get(name), "true") }

// explainList adds known causes to the error of a listing: an invalid address (Q9), a vars filter without a value (v1
// contract §5.5), a parent in another project (Q12).
func explainList(err error, path string, q url.Values) error {
	devices := path == "/hosts" || path == "/network-devices" || path == "/devices"
	switch {
	case IsUnexplained(err):
		if devices || path == "/network-interfaces" {
			where := "among the first " + cmp.Or(q.Get("limit"), "30")
			if m := q.Get("marker"); m != "" {
				where = "among the " + cmp.Or(q.Get("limit"), "30") + " after id " + m
			}
			text := "if the error persists: the original server returns this for every list that contains an object (" + where +
				") whose ip_address is not an IP address; read them one by one, and delete the one that cannot be read"
			if q.Get("vars") != "" {
				text = "the original server returns this for a vars filter that is not path:value, such as role:\"db\"; otherwise, " + text
			}
			return WithHint(err, text)
		}
		if q.Get("vars") != "" {
			return WithHint(err, "the original server returns this for a vars filter that is not path:value, such as role:\"db\"")
		}
	case StatusOf(err) == http.StatusNotFound:
		if devices {
			return WithHint(err, "the original server returns this for every list that contains a device whose parent belongs to another project; an admin, who sees all projects, can detach or delete that device")
		}
	}
	return err
}
