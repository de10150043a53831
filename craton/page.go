package craton

import (
	"bytes"
	"cmp"
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

	"github.com/craton-fleet/craton/internal/rest"
)

// RawPage is a page of a listing as it came, its links read.
type RawPage struct {
	Body  []byte // valid JSON; good until the walk goes on, which reads the page after the next into it
	Links []Link // first, prev, self, next; empty for look-ups of clouds and regions
	empty bool   // no object in any list of the body
}

// errNotJSON is the cause of a ResponseError whose body cannot be parsed.
var errNotJSON = errors.New("it is not JSON")

// parsePage reads what a walk needs of a page: its links, and whether it is empty. path is the collection's.
// The objects are left to the caller.
func parsePage(body []byte, path string) (*RawPage, error) {
	if !gjson.ValidBytes(body) {
		return nil, errNotJSON
	}
	p := &RawPage{Body: body, empty: true}
	links, err := p.trailingLinks(path)
	if links {
		return p, cmp.Or(err, p.checkNext(path))
	}
	gjson.ParseBytes(body).ForEach(func(key, value gjson.Result) bool {
		if key.Str == "links" {
			links = value.IsArray()
			err = json.Unmarshal([]byte(value.Raw), &p.Links)
			return true
		}
		if value.IsObject() { // devices: {"hosts": [...], "network-devices": [...]} (Q16)
			value.ForEach(func(_, inner gjson.Result) bool {
				p.empty = p.empty && !filled(inner)
				return p.empty
			})
		} else {
			p.empty = p.empty && !filled(value)
		}
		return true
	})
	if !links {
		return nil, errNoMember("links")
	}
	return p, cmp.Or(err, p.checkNext(path))
}

// trailingLinks reads the links of a body of two members, first the list and then the links, as sorted keys make it
// of hosts, without looking through the list. It reports false for any other body.
func (p *RawPage) trailingLinks(path string) (bool, error) {
	const space, key = " \t\r\n", `"links":`
	first, head, _ := bytes.Cut(p.Body, []byte(":"))
	name := bytes.Trim(first, "{\""+space)
	head = bytes.TrimLeft(head, space)
	at := bytes.LastIndex(p.Body, []byte(key)) // a key: within a string its quotes were escaped
	if string(name) != strings.ReplaceAll(path[1:], "-", "_") || !bytes.HasPrefix(head, []byte("[")) || at < 0 {
		return false, nil
	}
	list, rest, ok := bytes.Cut(p.Body[at+len(key):], []byte("]")) // links hold no lists
	if !ok || !bytes.Equal(bytes.TrimSpace(rest), []byte("}")) {
		return false, nil
	}
	p.empty = bytes.HasPrefix(bytes.TrimLeft(head[1:], space), []byte("]"))
	return true, json.Unmarshal(append(list[:len(list):len(list)], ']'), &p.Links)
}

// checkNext refuses a page whose next link cannot be followed.
func (p *RawPage) checkNext(path string) error {
	_, err := p.next(path)
	return err
}

// filled tells a list that has elements. It looks no further than the first.
func filled(list gjson.Result) bool {
	some := false
	if list.IsArray() {
		list.ForEach(func(_, _ gjson.Result) bool { some = true; return false })
	}
	return some
}

// next is the query of the next link, nil without one. Scheme, host and the path before the collection's are
// ignored: the original builds them from the Host header, and behind a TLS proxy they say http (Q21).
func (p *RawPage) next(path string) (url.Values, error) {
	for _, l := range p.Links {
		if l.Rel != "next" {
			continue
		}
		u, err := url.Parse(l.Href)
		if err != nil || !strings.HasSuffix(u.Path, path) {
			return nil, errors.New("its next link leads elsewhere")
		}
		q, err := url.ParseQuery(u.RawQuery)
		if err != nil || q.Get("marker") == "" {
			return nil, errors.New("its next link has no marker")
		}
		return q, nil
	}
	return nil, nil
}

// limit is the page size in force, as the self link tells it; 0 if it does not.
func (p *RawPage) limit() int {
	for _, l := range p.Links {
		if u, err := url.Parse(l.Href); err == nil && l.Rel == "self" {
			n, _ := strconv.Atoi(u.Query().Get("limit"))
			return n
		}
	}
	return 0
}

// Pages walks a listing page by page without decoding it: path is that of the collection, such as "/hosts",
// query its parameters; without a limit the server's page size (30) holds. It is what All is made of, for callers
// that decode on their own.
//
// While a page is consumed the next one is requested already; when the loop ends, that request is cancelled and
// waited for. When the server answers a page with details with 500 again and again, smaller pages are tried from
// the same place, and larger ones again after some that went well (Q8). An error is yielded once and ends the walk.
func (c *Client) Pages(ctx context.Context, path string, query url.Values) iter.Seq2[*RawPage, error] {
	return func(yield func(*RawPage, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		fetch := c.prefetch(ctx, path, query, nil)
		defer func() {
			cancel()
			_, _ = fetch()
		}()
		size := newPageSize(query)
		seen := map[string]bool{}
		var spare []byte // the body of the page before, which nobody needs any more
		for q := query; ; {
			page, err := fetch()
			if err != nil {
				if smaller := size.failed(q, err); smaller != nil && ctx.Err() == nil {
					q = smaller
					fetch = c.prefetch(ctx, path, q, nil)
					continue
				}
				yield(nil, explainList(err, path, q))
				return
			}
			next, err := page.next(path)
			if page.empty { // a next link there would lead nowhere
				next = nil
			}
			if marker := next.Get("marker"); next != nil && seen[marker] {
				err = fmt.Errorf("its next link (marker %q) leads back to a page seen before; sort by keys that are never null, such as id", marker)
			} else if next != nil {
				seen[marker] = true
				q = size.went(next)
				fetch = c.prefetch(ctx, path, q, spare)
			}
			if err != nil {
				yield(nil, &ResponseError{Method: http.MethodGet, Path: path, Err: err})
				return
			}
			if !yield(page, nil) || next == nil {
				return
			}
			spare = page.Body
		}
	}
}

// prefetch sends the request for a page at once, to be read into buf, and returns what waits for its answer; it may
// be called again.
func (c *Client) prefetch(ctx context.Context, path string, q url.Values, buf []byte) func() (*RawPage, error) {
	return rest.Ahead(func() (*RawPage, error) { return c.page(ctx, path, q, buf) })
}

// page reads one page, into buf if it fits.
func (c *Client) page(ctx context.Context, path string, q url.Values, buf []byte) (*RawPage, error) {
	resp, err := c.do(ctx, http.MethodGet, path, q, nil, buf)
	if err != nil {
		return nil, err
	}
	p, err := parsePage(resp.Body, path)
	if err != nil {
		return nil, notV1(resp, http.MethodGet, path, err)
	}
	return p, nil
}

// pageSize adapts a walk's page size to a server that fails on large pages with details now and then (Q8:
// on the original 9 of 15 pages of 100, 2 of 15 of 30).
type pageSize struct {
	wanted, now int
	good        int // pages in a row that went well at this size
}

// goodPages is after how many pages a larger size is tried again.
const goodPages = 5

func newPageSize(q url.Values) *pageSize {
	n, _ := strconv.Atoi(q.Get("limit"))
	return &pageSize{wanted: n, now: n}
}

// failed is the query for the same place with a smaller page; nil when that would not help.
func (s *pageSize) failed(q url.Values, err error) url.Values {
	if StatusOf(err) != http.StatusInternalServerError || s.now <= MinLimit || !wants(q, "details") {
		return nil
	}
	s.now, s.good = s.now/3, 0
	if s.now < 2*MinLimit { // few steps: each has its retries
		s.now = MinLimit
	}
	return withLimit(q, s.now)
}

// went is the query of a next link, with a larger page if smaller ones went well for a while.
func (s *pageSize) went(next url.Values) url.Values {
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

// wants tells whether a boolean parameter is true; the server's links say True (v1 contract §3.4).
func wants(q url.Values, name string) bool { return strings.EqualFold(q.Get(name), "true") }

// explainList adds to the error of a listing what is known about its causes: an address that is none (Q9), a vars
// filter without a value (v1 contract §5.5), a parent in another project (Q12).
func explainList(err error, path string, q url.Values) error {
	devices := path == "/hosts" || path == "/network-devices" || path == "/devices"
	switch {
	case IsUnexplained(err):
		if devices || path == "/network-interfaces" {
			where := "among the first " + cmp.Or(q.Get("limit"), "30")
			if m := q.Get("marker"); m != "" {
				where = "among the " + cmp.Or(q.Get("limit"), "30") + " after id " + m
			}
			text := "if it stays: the original server answers this for every list that holds an object (" + where +
				") whose ip_address is no address; read them one by one, and delete the one that cannot be read"
			if q.Get("vars") != "" {
				text = "the original server answers this for a vars filter that is not path:value, such as role:\"db\"; otherwise, " + text
			}
			return hint(err, text)
		}
		if q.Get("vars") != "" {
			return hint(err, "the original server answers this for a vars filter that is not path:value, such as role:\"db\"")
		}
	case StatusOf(err) == http.StatusNotFound:
		if devices {
			return hint(err, "the original server answers this for a whole list that holds a device whose parent belongs to another project; an admin, who sees all projects, can detach or delete that device")
		}
	}
	return err
}
