package craton

import (
	"context"
	"net/http"
)

type protectedBody struct {
	Protected bool `json:"protected"`
}

// Protected reports whether an object is protected. A server can tell whose [Capabilities] have "protected".
func (c *Collection) Protected(ctx context.Context, id string) (bool, error) {
	out := protectedBody{}
	err := c.Reader.client.call(ctx, http.MethodGet, c.path+"/"+idText(id)+"/protected", nil, nil, &out, "protected")
	return out.Protected, err
}

// Protect protects an object, or takes that off: what is protected is not deleted, by itself or with what holds it. Such a delete is
// [IsConflict].
func (c *Collection) Protect(ctx context.Context, id string, on bool) error {
	return c.Reader.client.call(ctx, http.MethodPut, c.path+"/"+idText(id)+"/protected", nil, &protectedBody{on}, nil, "")
}

// Protected are the ids of the objects of the caller's project that are protected, by kind; whether a project is,
// [Collection.Protected] tells. A server can list them whose [Capabilities] have "protected".
func (c *Client) Protected(ctx context.Context) (Members, error) {
	var out struct {
		Protected Members `json:"protected"`
	}
	err := c.call(ctx, http.MethodGet, "/protected", nil, nil, &out, "protected")
	return out.Protected, err
}
