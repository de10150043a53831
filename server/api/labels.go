package api

import (
	"context"
	"net/http"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/store"
)

// readLabels validates a body {"labels": [...]}, each label by a rule.
func (c *call) readLabels(check func(string) error) ([]string, error) {
	body, err := c.readBody()
	if err != nil {
		return nil, err
	}
	k := &checker{}
	if !k.isObject(body) {
		return nil, k.err()
	}
	var unknown []string
	for _, m := range body.Members {
		if m.Key != "labels" {
			unknown = append(unknown, m.Key)
		}
	}
	if len(unknown) > 0 {
		k.add("%s", unexpected(unknown))
	}
	var labels []string
	if v, ok := body.Get("labels"); ok {
		labels = k.strings(v, "labels", check)
	} else {
		k.add("'labels' is a required property")
	}
	return labels, k.err()
}

func (c *call) showLabels(set []string) {
	c.buf = append(appendStrings(append(c.buf, "{\n  \"labels\": "...), set, 1), "\n}\n"...)
}

// getLabels serves GET .../labels. The original's order is random, ours alphabetical.
func (r *resource) getLabels(c *call) error {
	if _, err := parseQuery(c.r.URL.RawQuery, nil, false); err != nil {
		return err
	}
	c.scopeToObject(r)
	return c.read(func(ctx context.Context, v *store.View) error {
		row, err := c.found(ctx, v, r, store.NoVariables)
		if row == nil || err != nil {
			return err
		}
		sets, err := v.Labels(ctx, []store.Row{row})
		if err == nil {
			c.showLabels(sets[0])
		}
		return err
	})
}

// putLabels serves PUT .../labels: it only ever adds.
func (r *resource) putLabels(c *call) error {
	labels, err := c.readLabels(value.CheckNew)
	if err != nil {
		return err
	}
	set, err := c.store.AddLabels(c.r.Context(), r.entity, c.caller.scope(), c.id, labels)
	if err == nil {
		c.trace().addNames(prefixed("labels.", labels)...)
		c.showLabels(set)
	}
	return err
}

// deleteLabels serves DELETE .../labels with the labels to remove.
func (r *resource) deleteLabels(c *call) error {
	labels, err := c.readLabels(value.CheckText) // any existing label can be removed
	if err != nil {
		return err
	}
	c.status = http.StatusNoContent
	err = c.store.RemoveLabels(c.r.Context(), r.entity, c.caller.scope(), c.id, labels)
	if err == nil {
		c.trace().addNames(prefixed("labels.", labels)...)
	}
	return err
}
