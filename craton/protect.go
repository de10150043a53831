package craton

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

type protectedBody struct {
	Protected bool `json:"protected"`
}

// Protected reports whether an object is protected. It needs "protected" in [Capabilities].
func (c *Collection) Protected(ctx context.Context, id string) (bool, error) {
	out := protectedBody{}
	err := c.Reader.client.call(ctx, http.MethodGet, c.path+"/"+idText(id)+"/protected", nil, nil, &out, "protected")
	return out.Protected, err
}

// Protect protects or unprotects an object. A protected object cannot be deleted, neither by itself nor with its
// container: the error is [IsConflict].
func (c *Collection) Protect(ctx context.Context, id string, on bool) error {
	return c.Reader.client.call(ctx, http.MethodPut, c.path+"/"+idText(id)+"/protected", nil, &protectedBody{on}, nil, "")
}

// ProtectedOptions select protected objects; all conditions that are set must hold.
type ProtectedOptions struct {
	ProjectID string
	CloudID   int
	RegionID  int
	CellID    int
	DeviceID  int // whose interfaces are selected
}

// Protected returns the ids of the protected objects in the caller's project, by kind; for a project itself, use
// [Collection.Protected]. It needs "protected" in [Capabilities].
func (c *Client) Protected(ctx context.Context, o ProtectedOptions) (Members, error) {
	q := url.Values{}
	if o.ProjectID != "" {
		q.Set("project_id", o.ProjectID)
	}
	for name, id := range map[string]int{"cloud_id": o.CloudID, "region_id": o.RegionID, "cell_id": o.CellID, "device_id": o.DeviceID} {
		if id != 0 {
			q.Set(name, strconv.Itoa(id))
		}
	}
	var out struct {
		Protected Members `json:"protected"`
	}
	err := c.call(ctx, http.MethodGet, "/protected", q, nil, &out, "protected")
	return out.Protected, err
}
