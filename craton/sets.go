package craton

import (
	"context"
	"net/http"
	"net/url"

	"github.com/craton-fleet/craton/internal/rest"
)

// Members are objects by their kind.
type Members map[Kind][]int

// SetSize is the name of a set, and the number of objects in it.
type SetSize struct {
	Name    string `json:"name"`
	Members int    `json:"members"`
}

// SetChange describes what [Client.ChangeSet] does to a set.
type SetChange struct {
	Add    Members `json:"add,omitempty"`
	Remove Members `json:"remove,omitempty"`
	Adopt  bool    `json:"adopt,omitempty"` // also objects of another set
}

// Sets returns the named sets of the caller's project that have objects. It needs "sets" in [Capabilities].
func (c *Client) Sets(ctx context.Context) ([]SetSize, error) {
	var out struct {
		Sets []SetSize `json:"sets"`
	}
	err := c.call(ctx, http.MethodGet, "/sets", nil, nil, &out, "sets")
	return out.Sets, err
}

// Set returns the ids of the objects in a set; none if there is no such set.
func (c *Client) Set(ctx context.Context, name string) (Members, error) {
	var out struct {
		Members Members `json:"members"`
	}
	err := c.call(ctx, http.MethodGet, setPath(name), nil, nil, &out, "members")
	return out.Members, err
}

// ChangeSet adds objects to a set and removes others from it. The error is [IsConflict] for an object of another set,
// unless it is to be adopted. The size of a request is limited (max_body): send tens of thousands in parts.
func (c *Client) ChangeSet(ctx context.Context, name string, change SetChange) error {
	return c.call(ctx, http.MethodPost, setPath(name), nil, change, nil, "")
}

// DeleteSet removes a set. Its objects are not deleted.
func (c *Client) DeleteSet(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, setPath(name), nil, nil, nil, "")
}

func setPath(name string) string { return "/sets/" + url.PathEscape(name) }

// setHeader is the header with the set that created objects join.
const setHeader = "X-Craton-Set"

type setKey struct{}

// ContextWithSet makes calls with the context add the objects that they create to a set. Servers without sets ignore
// it.
func ContextWithSet(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, setKey{}, name)
}

func joinSet(ctx context.Context, r *rest.Request) {
	name, _ := ctx.Value(setKey{}).(string)
	if name == "" || r.Method != http.MethodPost {
		return
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set(setHeader, name)
}
