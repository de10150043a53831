package api

import (
	"context"
	"net/http"

	"github.com/craton-fleet/craton/server/store"
)

// getVariables serves GET .../variables: the own ones, except of hosts, whose
// are resolved unless told not to (contract §2.3).
func (r *resource) getVariables(c *call) error {
	which, err := c.whichVariables(r.resolves, r.resolves)
	if err != nil {
		return err
	}
	if err := c.caller.require(r.itemRole); err != nil {
		return err
	}
	return c.showVariables(r, which)
}

// showVariables answers with the variables of the path's object.
func (c *call) showVariables(r *resource, which store.Variables) error {
	c.scopeToObject(r)
	return c.read(func(ctx context.Context, v *store.View) error {
		row, err := c.found(ctx, v, r, which)
		if row == nil || err != nil {
			return err
		}
		return v.Sets(ctx, r.entity, []store.Row{row}, which, func(_ int, set store.Set) error {
			c.writeVariables(set)
			return nil
		})
	})
}

func (c *call) writeVariables(set store.Set) {
	c.buf = append(c.out.appendVariables(append(c.buf, "{\n  \"variables\": "...), set, 1), "\n}\n"...)
}

// putVariables serves PUT .../variables: it sets the given keys, keeps the others, and answers with all own ones.
func (r *resource) putVariables(c *call) error {
	body, err := c.readBody()
	if err != nil {
		return err
	}
	k := &checker{}
	set := k.variables(body)
	if err := k.err(); err != nil {
		return err
	}
	if err := c.caller.require(r.itemRole); err != nil {
		return err
	}
	all, err := c.store.PutVariables(c.r.Context(), r.entity, c.caller.scope(), c.pathID(r), set)
	if err != nil {
		return err
	}
	c.trace().addNames(prefixed("variables.", keys(set))...)
	return c.produce(func(bool) error {
		c.writeVariables(all)
		return nil
	})
}

// deleteVariables serves DELETE .../variables with an array of keys.
func (r *resource) deleteVariables(c *call) error {
	body, err := c.readBody()
	if err != nil {
		return err
	}
	k := &checker{}
	var gone []string
	if k.isArray(body) && k.isFew(len(body.Items), store.DefaultLimits.Keys, "keys") {
		for _, item := range body.Items {
			// A key that cannot be stored is not there.
			if k.isString(item) && storable(item.Text) {
				gone = append(gone, item.Text)
			}
		}
	}
	if err := k.err(); err != nil {
		return err
	}
	if err := c.caller.require(r.itemRole); err != nil {
		return err
	}
	c.status = http.StatusNoContent
	err = c.store.DeleteVariables(c.r.Context(), r.entity, c.caller.scope(), c.pathID(r), gone)
	if err == nil {
		c.trace().addNames(prefixed("variables.", gone)...)
	}
	return err
}
