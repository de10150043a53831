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

// revisionHeader says where the change log ended when an answer was made.
const revisionHeader = "X-Craton-Revision"

// unchanged gives an answer to a GET its entity tag, and reports whether the
// client has that answer already, so that there is nothing to read. The tag is
// of the same moment as what is read after it.
//
// It has three parts: the last change of the object that is asked for, by
// which a write can be conditional; the newest change of all that the answer
// depends on; and a hash of how and by whom it was asked. Within one process
// nobody keeps answers, so nothing is read for a tag that is not asked for.
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
	if c.at != nil { // which nothing changes any more
		marks.Newest = c.at.name()
	} else {
		if marks, err = v.Marks(ctx, c.caller.scope(), b); err != nil {
			return false, err
		}
		c.head.Set(revisionHeader, marks.Log.String())
	}
	tag := `"` + marks.Own + "." + marks.Newest + "." + c.manner() + `"`
	c.head.Set("Etag", tag)
	c.head.Set("Cache-Control", "private, no-cache") // to be kept, and asked for each time
	for _, known := range tags(c.r.Header, "If-None-Match") {
		if known == tag || known == "*" {
			c.status = http.StatusNotModified
			return true, nil
		}
	}
	return false, nil
}

// manner is a hash of what else an answer depends on beside the database.
func (c *call) manner() string {
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

// tags are the entity tags in a header. Proxies that compress weaken them,
// which changes nothing of what they say here.
func tags(h http.Header, name string) (all []string) {
	for part := range strings.SplitSeq(strings.Join(h.Values(name), ","), ",") {
		if tag := strings.TrimPrefix(strings.TrimSpace(part), "W/"); tag != "" {
			all = append(all, tag)
		}
	}
	return all
}

// conditional has writes refused unless the object that they change is as the
// client knows it: the first part of its tag is its last change.
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

// expects reports whether a request is to be carried out only if what it is
// about is there, and as the client knows it.
func (c *call) expects() bool { return len(c.r.Header.Values("If-Match")) > 0 }

var errDeletedMeanwhile = fail(http.StatusPreconditionFailed, "It is not there any more.")

// kinds are those whose objects an answer with r's objects shows something of:
// with resolved variables, also all that they inherit from.
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

// around are the kinds that terms about r's objects can look at: all that they
// inherit from, and all that they are in.
func (r *resource) around() []string {
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
