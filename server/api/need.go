package api

import (
	"context"
	"net/http"

	"github.com/craton-fleet/craton/server/store"
)

// viewer is [store.Store.View], or a variant of it.
type viewer func(ctx context.Context, fleet *store.Store, full bool, fn func(ctx context.Context, v *store.View) error) error

// viewNow is [store.Store.View].
func viewNow(ctx context.Context, fleet *store.Store, full bool, fn func(ctx context.Context, v *store.View) error) error {
	return fleet.View(ctx, full, fn)
}

// parseNeeds parses how current the response has to be, if the request says so: with the header of an earlier response,
// or a bare revision.
func (c *call) parseNeeds() error {
	text := c.r.Header.Get(revisionHeader)
	if text == "" || !c.reads() {
		return nil
	}
	c.need = &store.Need{Requested: true}
	switch {
	case aRevision().MatchString(text):
		revision, err := parseInt64(text)
		c.need.Revision = revision
		return err
	case aCursor().MatchString(text):
		c.need.Cursor = store.ParseCursor(text)
		return nil
	}
	return fail(http.StatusBadRequest, "%s: %q is not a revision as responses have it in this header", revisionHeader, shorten(text))
}

// reads reports whether the request only reads.
func (c *call) reads() bool { return c.r.Method == http.MethodGet || c.r.Method == http.MethodHead }

// viewNeeded reads a replica if it is as current as the client needs. By default that is everything written before the
// request: so a write that was acknowledged, by whatever server and to whomever, is seen by everybody.
func (c *call) viewNeeded(ctx context.Context, fleet *store.Store, full bool, fn func(ctx context.Context, v *store.View) error) error {
	if !fleet.HasReplica() || !c.reads() {
		return fleet.View(ctx, full, fn)
	}
	if c.need == nil {
		end := c.caller.Log
		if end == (store.Cursor{}) { // authentication did not read the database
			var err error
			if end, err = fleet.LogEnd(ctx); err != nil {
				return err
			}
		}
		c.need = &store.Need{Cursor: end}
	}
	return fleet.ViewBehind(ctx, *c.need, full, fn)
}
