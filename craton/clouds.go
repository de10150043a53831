package craton

import (
	"context"
	"strconv"

	"github.com/craton-fleet/craton/internal/value"
)

// Cloud is the topmost level of a fleet: clouds contain regions.
type Cloud struct {
	ID        int       `json:"id"`
	Name      string    `json:"name"`
	Note      string    `json:"note"`
	ProjectID string    `json:"project_id"`
	CreatedAt Timestamp `json:"created_at"`
	UpdatedAt Timestamp `json:"updated_at"`
	Variables Variables `json:"variables,omitzero"` // own; nil if the API leaves them out (Q7)
}

// CloudCreate is the fields of a new cloud. Name is required, and unique in the project. Regions are created
// separately: the original returns 500 for a cloud with regions (Q23).
type CloudCreate struct {
	Name      string    `json:"name"`
	Note      string    `json:"note,omitzero"`
	Variables Variables `json:"variables,omitempty"`
}

// CloudUpdate changes a cloud; nil leaves a field unchanged.
type CloudUpdate struct {
	Name *string `json:"name,omitzero"`
	Note *string `json:"note,omitzero"`
}

// CloudListOptions filter clouds; all that are set must match.
//
// In the API, Name or ID make the request a lookup of one cloud that ignores everything else (v1 contract §2.4.1, Q14):
// the client uses it when nothing else is set. Otherwise, and when an admin's lookup finds clouds with that name in
// several projects, it reads the listing and compares.
type CloudListOptions struct {
	Paging
	ID      int    `query:"id"`
	Name    string `query:"name"`
	Vars    string `query:"vars"`    // own variables, such as `role:"db",tuning.hugepages:64` (v1 contract §5.5)
	Details bool   `query:"details"` // with variables
	Where   string `query:"where"`   // such as "label=web name=web-*", for a server with the feature "where"
}

// CloudService is /v1/clouds.
type CloudService struct {
	Lister[Cloud, CloudListOptions]
	Reader[Cloud, int]
	Writer[Cloud, int, CloudCreate]
	Updater[Cloud, int, CloudUpdate]
	VariableStore[int]
}

func newCloudService(c *Client) *CloudService {
	const path = "/clouds"
	s := &CloudService{
		Lister: Lister[Cloud, CloudListOptions]{client: c, path: path, key: "clouds", id: func(o *Cloud) string { return strconv.Itoa(o.ID) },
			local: byNameOrID(func(o *Cloud) (int, string) { return o.ID, o.Name })},
		Reader:        Reader[Cloud, int]{client: c, path: path},
		Writer:        Writer[Cloud, int, CloudCreate]{client: c, path: path},
		Updater:       Updater[Cloud, int, CloudUpdate]{client: c, path: path},
		VariableStore: VariableStore[int]{client: c, path: path},
	}
	// Names are unique in a project.
	s.Updater.taken = func(ctx context.Context, want *Cloud) bool {
		return anyOther(s.All(ctx, CloudListOptions{}), func(o *Cloud) bool {
			return o.ID != want.ID && sameName(o.Name, want.Name) && value.SameUUID(o.ProjectID, want.ProjectID)
		})
	}
	return s
}
