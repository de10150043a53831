package api

import (
	"context"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store"
)

// The parameters of GET /v1/devices, in the order of its links.
var deviceParams = []param{
	pRegionID, pCloudID, pCellID, {name: "parent_id", kind: integer, column: "parent_id"},
	{name: "active", kind: boolean, column: "active"}, {name: "descendants", kind: boolean, fallback: "False"},
	pResolved, pDetailsDefault, pWhere,
}

// listDevices serves GET /v1/devices: hosts and network devices in one
// listing, paged and sorted together, then split by kind (contract §2.4.8).
func listDevices(c *call) error {
	q, err := parseQuery(c.r.URL.RawQuery, deviceParams, true)
	if err != nil {
		return err
	}
	l, err := q.listing(schema.Device)
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
	which := hosts.listVariables(q)
	l.Labels = q.flag("details")
	kinds := hosts.kinds(which == store.Resolved || !l.Where.IsAll())
	if which != store.Resolved && l.Where.IsAll() {
		kinds = append(kinds, networkDevices.Name)
	}
	return c.listing(l, func(ctx context.Context, v *store.View, l store.List) error {
		if known, err := c.unchanged(ctx, v, store.Basis{Kinds: kinds}); known || err != nil {
			return err
		}
		page, err := v.List(ctx, store.Devices, c.caller.scope(), l)
		if err != nil {
			return err
		}
		kind := store.Devices.Index("type")
		dst := append(c.buf, "{\n  \"devices\": {"...)
		for n, r := range []*resource{hosts, networkDevices} {
			var rows []store.Row
			var labels [][]string
			for i, row := range page.Rows {
				if row[kind] != r.entity.Kind {
					continue
				}
				rows = append(rows, row)
				if page.Labels != nil {
					labels = append(labels, page.Labels[i])
				}
			}
			if n > 0 {
				dst = append(dst, ',')
			}
			dst = append(jsontext.AppendString(jsontext.AppendNewline(dst, 2), r.Path), ": "...)
			// Both kinds have the same columns as the union.
			if dst, err = c.appendRows(ctx, v, dst, r, rows, labels, which, 2); err != nil {
				return err
			}
		}
		dst = append(dst, "\n  },\n  "...)
		c.buf = append(c.appendLinks(dst, "devices", q, l, page.Prev, c.lastID(store.Devices, page)), "\n}\n"...)
		return nil
	})
}
