package craton

import (
	"context"
	"net/http"
	"net/url"

	"github.com/craton-fleet/craton/internal/rest"
)

type unchangedKey struct{}

// ContextIfUnchanged makes changes with the context conditional: the server refuses them with status 412 (Precondition
// Failed) unless the object's own last change is the one of the tag, which [Reader.GetTagged] returns. Servers without
// tags, such as the original, ignore it; an empty tag has no effect.
func ContextIfUnchanged(ctx context.Context, tag string) context.Context {
	if tag == "" {
		return ctx
	}
	return context.WithValue(ctx, unchangedKey{}, tag)
}

// addCondition adds the tag of a context to a request that changes an object.
func addCondition(ctx context.Context, r *rest.Request) {
	tag, ok := ctx.Value(unchangedKey{}).(string)
	if !ok || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("If-Match", tag)
}

// GetTagged is like Get, and also returns the object's current tag; "" from servers that have none.
func (r *Reader[T, K]) GetTagged(ctx context.Context, id K) (object *T, tag string, err error) {
	req := &rest.Request{Method: http.MethodGet, Path: r.path + "/" + idText(id), Header: http.Header{}}
	if r.resolves {
		req.Query = url.Values{"resolved-values": {"false"}}
	}
	req.Header.Set("If-None-Match", `"none"`) // in one process, no tag is computed unless it is requested
	resp, err := r.client.send(ctx, req.Path, req)
	if err != nil {
		return nil, "", err
	}
	object = new(T)
	if err := resp.decode(http.MethodGet, req.Path, object, "id"); err != nil {
		return nil, "", err
	}
	return object, resp.Header.Get("Etag"), nil
}
