package api

import (
	"context"
	"strconv"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store"
)

func (c *call) showProtected(on bool) {
	c.buf = append(strconv.AppendBool(append(c.buf, "{\n  \"protected\": "...), on), "\n}\n"...)
}

// getProtected serves GET .../protected, which the original does not have.
func (r *resource) getProtected(c *call) error {
	if _, err := parseQuery(c.r.URL.RawQuery, nil, false); err != nil {
		return err
	}
	if err := c.caller.require(r.itemRole); err != nil {
		return err
	}
	c.scopeToObject(r)
	return c.read(func(ctx context.Context, v *store.View) error {
		row, err := c.found(ctx, v, r, store.NoVariables)
		if row != nil && err == nil {
			c.showProtected(r.entity.Protected(row))
		}
		return err
	})
}

// protectedParams restrict the result to a place.
var protectedParams = []param{{name: "project_id", kind: str}, pCloudID, pRegionID, pCellID, {name: "device_id", kind: integer}}

// listProtected serves GET /v1/protected: the ids of the protected objects in the caller's project, for root in all
// projects, or in a place.
func listProtected(c *call) error {
	q, err := parseQuery(c.r.URL.RawQuery, protectedParams, false)
	if err != nil {
		return err
	}
	within := map[string]any{}
	for _, a := range q.given {
		within[a.name] = a.number
		if a.kind == str {
			within[a.name] = value.CanonicalUUID(a.text)
		}
	}
	return c.read(func(ctx context.Context, v *store.View) error {
		if known, err := c.unchanged(ctx, v, store.Basis{Kinds: setKinds}); known || err != nil {
			return err
		}
		all, err := v.Protected(ctx, c.caller.scope(), within)
		if err == nil {
			c.writeMembers("protected", all)
			c.buf = append(c.buf, "}\n}\n"...)
		}
		return err
	})
}

// putProtected serves PUT .../protected with {"protected": true or false}.
func (r *resource) putProtected(c *call) error {
	body, err := c.readBody()
	if err != nil {
		return err
	}
	k := &checker{}
	on := false
	given := k.members(body, map[string]func(jsontext.Value){"protected": func(v jsontext.Value) { on = k.flag(v) }})
	if len(given) == 0 && len(k.messages) == 0 {
		k.add("'protected' is a required property")
	}
	if err := k.err(); err != nil {
		return err
	}
	if err := c.caller.require(r.itemRole); err != nil {
		return err
	}
	if err := c.store.Protect(c.r.Context(), r.entity, c.caller.scope(), c.pathID(r), on); err != nil {
		return err
	}
	c.trace().addNames("protected")
	c.showProtected(on)
	return nil
}

// flag parses true or false.
func (k *checker) flag(v jsontext.Value) bool {
	return k.isType(v, "boolean", jsontext.True, jsontext.False) && v.Kind == jsontext.True
}
