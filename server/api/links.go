package api

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store"
)

// base returns the scheme and host of the server as the client called it; X-Forwarded-* headers are ignored (contract
// §0.3).
func (c *call) base() string {
	scheme := "http"
	if c.r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + c.r.Host
}

// baseQuery returns the parameters that every link of a list repeats: the resource's own in their order, then sorting,
// then the limit. The original server swaps the two sorting parameters if the caller gives the direction.
func (q query) baseQuery(l store.List) string {
	var b strings.Builder
	add := func(name, value string) {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(name) + "=" + url.QueryEscape(value))
	}
	for _, a := range q.given {
		switch a.name {
		case "limit", "marker", "sort_keys", "sort_dir":
		default:
			add(a.name, a.text)
		}
	}
	direction := "asc"
	if l.Descending {
		direction = "desc"
	}
	if _, given := q.get("sort_dir"); given {
		add("sort_dir", direction)
		add("sort_keys", strings.Join(l.Sort, ","))
	} else {
		add("sort_keys", strings.Join(l.Sort, ","))
		add("sort_dir", direction)
	}
	add("limit", strconv.Itoa(l.Limit))
	return b.String()
}

// appendLinks appends the "links" of a list (contract §3.4): first, prev,
// self, and next unless the page is empty. The last page has a next too.
func (c *call) appendLinks(dst []byte, path string, q query, l store.List, prev, last string) []byte {
	base := c.base() + "/v1/" + path + "?" + q.baseQuery(l)
	if c.at != nil {
		base += c.at.query()
	}
	link := func(rel, marker string, comma bool) {
		href := base
		if marker != "" {
			href += "&marker=" + url.QueryEscape(marker)
		}
		if comma {
			dst = append(dst, ',')
		}
		dst = appendLink(dst, href, rel, 2)
	}
	dst = append(dst, `"links": [`...)
	link("first", "", false)
	link("prev", prev, true)
	link("self", l.Marker, true)
	if last != "" {
		link("next", last, true)
	}
	return append(jsontext.AppendNewline(dst, 1), ']')
}

// appendLink appends {href, rel} on a new line at the given depth.
func appendLink(dst []byte, href, rel string, depth int) []byte {
	dst = append(jsontext.AppendNewline(dst, depth), '{')
	dst = append(jsontext.AppendNewline(dst, depth+1), `"href": `...)
	dst = append(jsontext.AppendString(dst, href), ',')
	dst = append(jsontext.AppendNewline(dst, depth+1), `"rel": `...)
	dst = jsontext.AppendString(dst, rel)
	return append(jsontext.AppendNewline(dst, depth), '}')
}

// devicePath returns the path of the devices of a kind.
func devicePath(kind any) string {
	if kind == store.KindNetworkDevice {
		return schema.NetworkDevice.Path
	}
	return schema.Host.Path
}
