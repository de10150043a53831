package api

import (
	"github.com/craton-fleet/craton/server/internal/jsontext"
	"github.com/craton-fleet/craton/server/store"
)

// The parameters of GET /v1/devices, in the order of its links.
var deviceParams = []param{
	pRegionID, pCloudID, pCellID, {name: "parent_id", kind: integer, column: "parent_id"},
	{name: "active", kind: boolean, column: "active"}, {name: "descendants", kind: boolean, fallback: "False"},
	pResolved, pDetailsDefault,
}

// listDevices serves GET /v1/devices: hosts and network devices in one
// listing, paged and sorted together, then split by kind (contract §2.4.8).
func listDevices(c *call) error {
	q, err := parseQuery(c.r.URL.RawQuery, deviceParams, true)
	if err != nil {
		return err
	}
	l, err := q.listing()
	if err != nil {
		return err
	}
	if parent, ok := q.get("parent_id"); ok && q.flag("descendants") {
		l.Under = parent.number
		for i, f := range l.Filters {
			if f.Column == "parent_id" {
				l.Filters = append(l.Filters[:i], l.Filters[i+1:]...)
				break
			}
		}
		if l.Under == 0 {
			return errNotFound
		}
	}
	l.Variables = hosts.listVariables(q)
	l.Labels = q.flag("details")
	page, err := c.store.List(c.r.Context(), store.Devices, c.caller.scope(), l)
	if err != nil {
		return err
	}
	last := ""
	if n := len(page.Rows); n > 0 {
		last = c.idText(store.Devices, page.Rows[n-1])
	}
	kind := store.Devices.Index("type")
	base := c.base()
	dst := append(c.buf, "{\n  \"devices\": {"...)
	for n, r := range []*resource{hosts, networkDevices} {
		var at []int
		for i, row := range page.Rows {
			if row[kind] == r.entity.Kind {
				at = append(at, i)
			}
		}
		if n > 0 {
			dst = append(dst, ',')
		}
		s := r.shape() // the two kinds share their columns with the union
		dst = append(jsontext.AppendString(jsontext.AppendNewline(dst, 2), r.path), ": "...)
		dst = appendArray(dst, len(at), 2, func(dst []byte, i, depth int) []byte {
			return s.appendObject(dst, base, page.Rows[at[i]], pageExtras(page, at[i], l.Variables != store.NoVariables), depth)
		})
	}
	dst = append(dst, "\n  },\n  "...)
	c.buf = append(c.appendLinks(dst, "devices", q, l, page.Prev, last), "\n}\n"...)
	return nil
}
