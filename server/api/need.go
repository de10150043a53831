package api

import (
	"context"
	"net/http"

	"github.com/craton-fleet/craton/server/store"
)

// viewer is [store.Store.View], or what does that with more care.
type viewer func(ctx context.Context, fleet *store.Store, whole bool, fn func(ctx context.Context, v *store.View) error) error

// viewNow is [store.Store.View].
func viewNow(ctx context.Context, fleet *store.Store, whole bool, fn func(ctx context.Context, v *store.View) error) error {
	return fleet.View(ctx, whole, fn)
}

// needs reads how new an answer has to be, where the request says that: with the header that answers have, as it was in the
// last one that counts for the client. It may be a bare revision too.
func (c *call) needs() error {
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
	return fail(http.StatusBadRequest, "%s: %q is none of the revisions that answers have in this header", revisionHeader, shorten(text))
}

// reads reports whether the request only reads.
func (c *call) reads() bool { return c.r.Method == http.MethodGet || c.r.Method == http.MethodHead }

// viewNeeded reads a replica where that has come as far as the client needs. Who says nothing about that needs all that was
// written before the request came: so a write that was acknowledged, by whatever server and to whomever, is seen by everybody.
func (c *call) viewNeeded(ctx context.Context, fleet *store.Store, whole bool, fn func(ctx context.Context, v *store.View) error) error {
	if !fleet.HasReplica() || !c.reads() {
		return fleet.View(ctx, whole, fn)
	}
	if c.need == nil {
		end := c.caller.Log
		if end == (store.Cursor{}) { // nobody looked into the database for who asks
			var err error
			if end, err = fleet.EndReplica(ctx); err != nil {
				return err
			}
		}
		c.need = &store.Need{Cursor: end}
	}
	return fleet.ViewBehind(ctx, *c.need, whole, fn)
}
