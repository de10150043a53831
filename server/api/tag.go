package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/server/store"
)

// revisionHeader has the end of the change log in the snapshot of a response.
const revisionHeader = "X-Craton-Revision"

// unchanged sets the entity tag of a response to a GET, and reports whether the client already has that response, so
// that nothing needs to be read. The tag is of the same snapshot as the data.
//
// It has three parts: the last change of the requested object, by which a write can be conditional; the newest change
// of everything that the response depends on; and a hash of how and by whom it was requested. Within one process nobody
// caches responses, so nothing is read for a tag that is not requested.
func (c *call) unchanged(ctx context.Context, v *store.View, b store.Basis) (bool, error) {
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		return false, nil
	}
	if c.at != nil {
		c.head.Set(revisionHeader, c.at.name())
	}
	if c.embedded && len(c.r.Header.Values("If-None-Match")) == 0 {
		return false, nil
	}
	var marks store.Marks
	var err error
	if c.at != nil { // the past does not change
		marks.Newest = c.at.name()
	} else {
		if marks, err = v.Marks(ctx, c.caller.scope(), b); err != nil {
			return false, err
		}
		c.head.Set(revisionHeader, marks.Log.String())
	}
	tag := `"` + marks.Own + "." + marks.Newest + "." + c.variantHash() + `"`
	c.head.Set("Etag", tag)
	c.head.Set("Cache-Control", "private, no-cache") // cached, but revalidated each time
	for _, known := range tags(c.r.Header, "If-None-Match") {
		if known == tag || known == "*" {
			c.status = http.StatusNotModified
			return true, nil
		}
	}
	return false, nil
}

// variantHash returns a hash of what a response depends on besides the database.
func (c *call) variantHash() string {
	coding := ""
	if c.out.coding != nil {
		coding = c.out.coding.name
	}
	h := sha256.New()
	query := c.r.URL.RawQuery
	if c.at != nil {
		query += c.at.query()
	}
	for _, part := range []string{c.version, c.base(), c.r.URL.Path, query, c.caller.Project, c.caller.Role.String(), coding} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// tags returns the entity tags in a header. Proxies that compress make them weak, which makes no difference here.
func tags(h http.Header, name string) (all []string) {
	for part := range strings.SplitSeq(strings.Join(h.Values(name), ","), ",") {
		if tag := strings.TrimPrefix(strings.TrimSpace(part), "W/"); tag != "" {
			all = append(all, tag)
		}
	}
	return all
}

// conditional makes writes fail unless the object is in the state that the client knows: the first part of its tag is
// its last change.
func (c *call) conditional() {
	if c.id == "" || !c.expects() {
		return
	}
	var own []string
	for _, tag := range tags(c.r.Header, "If-Match") {
		if tag == "*" {
			return
		}
		last, _, _ := strings.Cut(strings.Trim(tag, `"`), ".")
		own = append(own, last)
	}
	if own == nil {
		own = []string{"none"} // a header without a tag in it
	}
	c.r = c.r.WithContext(store.IfUnchanged(c.r.Context(), own))
}

// expects reports whether a request demands that its object exists, in the state that the client knows.
func (c *call) expects() bool { return len(c.r.Header.Values("If-Match")) > 0 }

var errDeletedMeanwhile = fail(http.StatusPreconditionFailed, "The object no longer exists.")

// kinds returns the kinds of objects that appear in a response with r's objects: with resolved variables, also all that
// they inherit from.
func (r *resource) kinds(resolved bool) []string {
	kinds := []string{r.Name}
	if !resolved || !r.inherits() {
		return kinds
	}
	for _, key := range r.Inherits {
		for _, name := range r.Kind.Field(key).To {
			if name != r.Name {
				kinds = append(kinds, name)
			}
		}
	}
	return append(kinds, schema.Project.Name)
}

// scopeKinds returns the kinds that terms about r's objects can read: everything that they inherit from or are
// contained in.
func (r *resource) scopeKinds() []string {
	kinds := r.kinds(true)
	for _, f := range r.Fields {
		for _, name := range f.To {
			if !slices.Contains(kinds, name) {
				kinds = append(kinds, name)
			}
		}
	}
	return kinds
}
