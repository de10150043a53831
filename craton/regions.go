package craton

import (
	"context"
	"strconv"
)

// Region is a part of a cloud: regions contain cells, hosts, network devices and networks.
type Region struct {
	ID        int       `json:"id"`
	Name      string    `json:"name"`
	Note      string    `json:"note"`
	CloudID   int       `json:"cloud_id"`
	ProjectID string    `json:"project_id"`
	CreatedAt Timestamp `json:"created_at"`
	UpdatedAt Timestamp `json:"updated_at"`
	Variables Variables `json:"variables,omitzero"` // own or resolved, as requested; nil if the API leaves them out (Q7)
}

// RegionCreate is the fields of a new region. Name (unique in the cloud) and CloudID are required.
type RegionCreate struct {
	Name      string    `json:"name"`
	CloudID   int       `json:"cloud_id"`
	Note      string    `json:"note,omitzero"`
	Variables Variables `json:"variables,omitempty"`
}

// RegionUpdate changes a region; nil leaves a field unchanged. The cloud cannot be changed.
type RegionUpdate struct {
	Name *string `json:"name,omitzero"`
	Note *string `json:"note,omitzero"`
}

// RegionListOptions filter regions; all that are set must match.
//
// In the API, Name or ID make the request a lookup of one region that ignores everything else, even CloudID, and fails
// if two clouds have regions of that name (v1 contract §2.4.2, Q14): the client uses it when nothing else is set.
// Otherwise, and when the lookup fails with 500, it reads the listing and compares.
type RegionListOptions struct {
	Paging
	ID       int    `query:"id"`
	Name     string `query:"name"`
	CloudID  int    `query:"cloud_id"`
	Vars     string `query:"vars"`            // v1 contract §5.5
	Details  bool   `query:"details"`         // with variables
	Resolved *bool  `query:"resolved-values"` // nil and true: resolved variables; false: own
	Where    string `query:"where"`           // such as "label=web name=web-*", for a server with the feature "where"
}

// RegionService is /v1/regions.
type RegionService struct {
	Lister[Region, RegionListOptions]
	Reader[Region, int]
	Writer[Region, int, RegionCreate]
	Updater[Region, int, RegionUpdate]
	VariableStore[int]
}

func newRegionService(c *Client) *RegionService {
	const path = "/regions"
	s := &RegionService{
		Lister: Lister[Region, RegionListOptions]{client: c, path: path, key: "regions", id: func(o *Region) string { return strconv.Itoa(o.ID) },
			local: byNameOrID(func(o *Region) (int, string) { return o.ID, o.Name })},
		Reader:        Reader[Region, int]{client: c, path: path, resolves: true},
		Writer:        Writer[Region, int, RegionCreate]{client: c, path: path},
		Updater:       Updater[Region, int, RegionUpdate]{client: c, path: path},
		VariableStore: VariableStore[int]{client: c, path: path, inherits: true},
	}
	// Names are unique in a cloud.
	s.Updater.taken = func(ctx context.Context, want *Region) bool {
		return anyOther(s.All(ctx, RegionListOptions{CloudID: want.CloudID}), func(o *Region) bool {
			return o.ID != want.ID && sameName(o.Name, want.Name)
		})
	}
	return s
}
