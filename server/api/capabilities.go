package api

import (
	"context"

	"github.com/craton-fleet/craton/server/store"
)

// features are the names of this server's features that v1 does not have.
var features = []string{"affected", "at", "bulk", "changes", "compression", "diff", "etag", "fleet", "fleet-text", "history", "keys", "message", "move", "prometheus", "protected", "read-revision", "roles", "sets", "setters", "undo", "where"}

// capabilities serves GET /v1/capabilities, to which the original server answers 404: the features that v1 does not
// have, and how far the change log reaches. With at= it identifies that state without reading it.
func capabilities(c *call) error {
	if _, err := parseQuery(c.r.URL.RawQuery, nil, false); err != nil {
		return err
	}
	if c.at != nil {
		c.head.Set(revisionHeader, c.at.name())
		c.at = nil
	}
	return c.readLog(func(ctx context.Context, v *store.View) error {
		log, err := v.Log(ctx)
		if err != nil {
			return err
		}
		dst := appendStrings(append(c.buf, "{\n  \"features\": "...), features, 1)
		dst = appendStrings(append(dst, ",\n  \"hashed_keys\": "...), c.store.ConcealedKeys(), 1)
		dst = members{{"horizon", log.Horizon}, {"revision", log.Newest.String()}, {"version", c.version}}.append(append(dst, ','), &shape{}, 1)
		c.buf = append(dst, "\n}\n"...)
		return nil
	})
}
