package api

import (
	"context"
	"net/http"

	"github.com/craton-fleet/craton/server/store"
)

// lookupOne answers ?name= and ?id= on clouds and regions: one object without links, or 404 (contract §2.4.1). All
// other parameters are ignored. With both, both must exist and the id wins.
func lookupOne(c *call, r *resource, q query) (bool, error) {
	id, _ := q.get("id")
	name, _ := q.get("name")
	if _, chosen := q.get(paramWhere); chosen || name.text == "" && id.number == 0 {
		return false, nil // a list, whose parameters must all match
	}
	if c.at != nil && id.number == 0 && storable(name.text) {
		c.at.part = &store.Part{Object: store.Object{Kind: r.Name}, Name: name.text}
	}
	return true, c.read(func(ctx context.Context, v *store.View) error {
		if known, err := c.unchanged(ctx, v, store.Basis{Kinds: r.kinds(false)}); known || err != nil {
			return err
		}
		var found store.Row
		for _, by := range []store.Filter{{Column: "name", Value: name.text}, {Column: "id", Value: id.number}} {
			if by.Value == "" || by.Value == int64(0) {
				continue
			}
			if s, ok := by.Value.(string); ok && !storable(s) {
				by.Value = store.Impossible
			}
			page, err := v.List(ctx, r.entity, c.caller.scope(), store.List{Filters: []store.Filter{by}, Sort: []string{"id"}, Limit: 2})
			switch {
			case err != nil:
				return err
			case len(page.Rows) == 0:
				return errNotFound
			case len(page.Rows) > 1 && id.number == 0:
				return fail(http.StatusConflict, "More than one %s has the name '%s'. Ask for it by id, or list them all.", r.entity.Name, name.text)
			}
			found = page.Rows[0]
		}
		return c.appendList(ctx, v, r, &store.Page{Rows: []store.Row{found}}, store.NoVariables, func(dst []byte) []byte { return append(dst, `"links": []`...) })
	})
}

// refuseNetworkType rejects a filter that the schema of networks has although there is no such column: always a 500 in
// the original server (contract §2.4.6).
func refuseNetworkType(_ *call, _ *resource, q query) (bool, error) {
	if _, ok := q.get("network_type"); ok {
		return true, fail(http.StatusBadRequest, "Networks have no network_type: leave this parameter out.")
	}
	return false, nil
}
